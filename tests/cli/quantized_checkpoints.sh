# Checkpoints that are quantized already: the bundled model with its feed-forward networks as GPTQ with codes of 8 bits, and
# the same weights as they stand for, give the same GGUF.
. "$LIB"
mkdir plain gptq
copy_model plain/model && rm plain/model/model.safetensors
copy_model gptq/model && rm gptq/model/model.safetensors
python3 - "$ASSETS/lab-7m/model.safetensors" <<'PY'
import json, struct, sys
with open(sys.argv[1], "rb") as f:
    header, data = json.loads(f.read(struct.unpack("<Q", f.read(8))[0])), f.read()
header.pop("__metadata__", None)
plain, packed = {}, {}
for name, entry in header.items():
    content, (rows, *rest) = data[slice(*entry["data_offsets"])], entry["shape"]
    plain[name] = packed[name] = (entry["dtype"], entry["shape"], content)
    if ".mlp." not in name:
        continue
    columns = rest[0]
    del packed[name]
    codes = bytes((37 * i * i + 11 * i) >> 3 & 255 for i in range(rows * columns))  # [rows, columns]
    scale, zero = 2.0**-12, 128
    plain[name] = ("F32", entry["shape"], struct.pack(f"<{len(codes)}f", *((c - zero) * scale for c in codes)))
    stem = name.removesuffix(".weight")
    words = bytearray(len(codes))  # [columns / 4, rows], four inputs a word
    for k in range(4):
        for column in range(k, columns, 4):
            at = column // 4 * rows * 4 + k
            words[at:at + rows * 4:4] = codes[column::columns]
    groups = columns // 64
    packed[f"{stem}.qweight"] = ("I32", [columns // 4, rows], bytes(words))
    packed[f"{stem}.qzeros"] = ("I32", [groups, rows // 4], bytes([zero - 1]) * (groups * rows))
    packed[f"{stem}.scales"] = ("F16", [groups, rows], struct.pack("<e", scale) * (groups * rows))
for folder, tensors in {"plain": plain, "gptq": packed}.items():
    entries, at = {}, 0
    for name, (kind, shape, content) in tensors.items():
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + len(content)]}
        at += len(content)
    text = json.dumps(entries).encode()
    with open(f"{folder}/model/model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(content for *_, content in tensors.values()))
PY
edit_json gptq/model/config.json 'd["quantization_config"] = {"quant_method": "gptq", "bits": 8, "group_size": 64}'
for each in plain gptq; do "$NIBBLE" quantize "$each/model" -t q4_k_m -o "$each.gguf" --quiet || echo "[status $?]"; done
cmp plain.gguf gptq.gguf && echo "the same bytes"

edit_json gptq/model/config.json 'd["quantization_config"]["bits"] = 4'
refuses quantize gptq/model -t q8_0 -o out.gguf
edit_json gptq/model/config.json 'd["quantization_config"]["quant_method"] = "aqlm"'
refuses quantize gptq/model -t q8_0 -o out.gguf

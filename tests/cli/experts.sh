# A mixture of experts, made from the bundled model: every expert is its feed-forward network, so that whoever is chosen,
# the model answers as the bundled one does.
. "$LIB"
make_mixtral() {
  mkdir "$1"
  ln -s "$ASSETS"/lab-7m/tokenizer*.json "$1"/
  python3 - "$ASSETS/lab-7m" "$1" <<'PY'
import json, random, struct, sys
source, target = sys.argv[1:]
config = json.load(open(f"{source}/config.json"))
config.update(architectures=["MixtralForCausalLM"], model_type="mixtral", num_local_experts=4, num_experts_per_tok=2)
json.dump(config, open(f"{target}/config.json", "w"))
with open(f"{source}/model.safetensors", "rb") as f:
    length, = struct.unpack("<Q", f.read(8))
    header, data = json.loads(f.read(length)), f.read()
random.seed(1)
experts = {"gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}
tensors = []
for name, entry in header.items():
    if name == "__metadata__":
        continue
    begin, end = entry["data_offsets"]
    prefix, mlp, part = name.partition(".mlp.")
    names = [name]
    if mlp:
        names = [f"{prefix}.block_sparse_moe.experts.{e}.{experts[part.split('.')[0]]}.weight" for e in range(4)]
    if part.startswith("gate_proj"):
        router = struct.pack("<1024e", *(random.gauss(0, 0.3) for _ in range(1024)))
        tensors.append((f"{prefix}.block_sparse_moe.gate.weight", entry["dtype"], [4, 256], router))
    tensors += [(n, entry["dtype"], entry["shape"], data[begin:end]) for n in names]
header, at = {}, 0
for name, dtype, shape, content in tensors:
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(content)]}
    at += len(content)
text = json.dumps(header).encode()
with open(f"{target}/model.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    f.writelines(content for *_, content in tensors)
PY
}
make_mixtral mixtral
nibble quantize mixtral -t f16,q4_k_m,mxfp4_moe -o out --quiet
for type in f16 q4_k_m mxfp4_moe; do
  "$NIBBLE" inspect out/mixtral-$type.gguf | grep -E 'expert_|blk.0.(attn_v|ffn)'
done
nibble verify out/mixtral-q4_k_m.gguf --source mixtral --quiet

# As the bundled model: its router's weights sum up to 1.
perplexity() { "$NIBBLE" evaluate "$1" -f "$ASSETS/lab-7m-text/evaluation.txt" --context 64 --windows 4 --quiet --json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["perplexity"]["mean"])'; }
python3 -c 'import sys; a, b = map(float, sys.argv[1:]); print("perplexity as of the dense model:", abs(a / b - 1) < 1e-3)' \
  "$(perplexity mixtral)" "$(perplexity "$ASSETS/lab-7m")"

# The same answer on every ISA, with any number of threads, interleaved or not.
run() { "$NIBBLE" run out/mixtral-q4_k_m.gguf -p 'Once upon a time' -n 24 --temperature 0 --ignore-eos --quiet "$@" 2>log; }
run >expected
NIBBLE_ISA=scalar run --threads 1 | cmp - expected && echo 'the same answer from scalar code on one thread'
run --threads 3 | cmp - expected && echo 'the same answer on three threads'

edit_json mixtral/config.json 'd["num_experts_per_tok"] = 5'
refuses run mixtral -p x --quiet
edit_json mixtral/config.json 'd["num_experts_per_tok"] = 2; d["num_local_experts"] = 5'
refuses quantize mixtral -t q8_0 -o out.gguf --quiet
edit_json mixtral/config.json 'del d["num_local_experts"]'
refuses quantize mixtral -t q8_0 -o out.gguf --quiet

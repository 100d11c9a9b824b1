#!/usr/bin/env python3
"""Writes the seeds of the corpora of the GGUF, safetensors, imatrix, tasks, reference, chat template and torch targets: small
files, most of them valid."""

import io
import json
import pathlib
import random
import re
import struct
import zipfile

CORPUS = pathlib.Path(__file__).parent / "corpus"
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
SCALARS = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?",
           U64: "<Q", I64: "<q", F64: "<d"}


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def value_bytes(kind, value):
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        item_kind, items = value
        return struct.pack("<IQ", item_kind, len(items)) + b"".join(
            value_bytes(item_kind, item) for item in items)
    return struct.pack(SCALARS[kind], value)


def gguf(keys, tensors, version=3, alignment=32, weights=None):
    """tensors: (name, dims, type id, bytes of its weights); weights: all their bytes"""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for key, kind, value in keys:
        out += text(key) + struct.pack("<I", kind) + value_bytes(kind, value)
    offset = 0
    for name, dims, kind, size in tensors:
        out += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        offset += -(-size // alignment) * alignment
    out += bytes(-len(out) % alignment)
    if weights is not None:
        return out + weights
    return out + bytes(range(256)) * (offset // 256) + bytes(offset % 256)


def text32(value):
    return struct.pack("<i", len(value)) + value.encode()


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def imatrix_dat(entries, end=b""):
    """entries: (name, calls, values)"""
    return struct.pack("<i", len(entries)) + b"".join(
        text32(name) + struct.pack("<ii", calls, len(values)) + floats(*values)
        for name, calls, values in entries) + end


def safetensors(tensors, metadata=None):
    """tensors: (name, type, shape, bytes of its weights)"""
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, kind, shape, size in tensors:
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    return struct.pack("<Q", len(encoded)) + encoded + bytes(offset)


GGUF = {
    "empty": gguf([], []),
    "version2": gguf([("general.name", STRING, "x")], [], version=2),
    "scalars": gguf([(str(kind), kind, 1) for kind in SCALARS], []),
    "arrays": gguf([(str(kind), ARRAY, (kind, [0, 1])) for kind in SCALARS] +
                   [("tokens", ARRAY, (STRING, ["<s>", ""])),
                    ("nested", ARRAY, (ARRAY, [(U8, [1, 2]), (STRING, ["x"])]))], []),
    "tensors": gguf([("general.architecture", STRING, "llama")],
                    [("a", [4, 2], 0, 32), ("b", [32], 8, 34), ("c", [256, 1, 1], 12, 144),
                     ("d", [2, 1, 1, 2], 1, 8)]),
    "alignment": gguf([("general.alignment", U32, 64)], [("a", [1], 0, 4), ("b", [1], 30, 2)],
                      alignment=64),
    "split": gguf([("split.no", U16, 0), ("split.count", U16, 2),
                   ("split.tensors.count", I32, 2)], [("a", [1], 0, 4)]),
}

SAFETENSORS = {
    "empty": safetensors([]),
    "metadata": safetensors([], {"format": "pt"}),
    "types": safetensors([("a", "F32", [2, 3], 24), ("b", "F16", [5], 10), ("c", "BF16", [1], 2)]),
    "scalar": safetensors([("a", "F32", [], 4)]),
    "aside": safetensors([("a", "I64", [2], 16), ("b", "F8_E4M3", [3], 3), ("c", "F4", [2], 1),
                          ("d", "F16", [1] * 5, 2), ("e", "F32", [0], 0), ("f", "NEW", [1], 7)]),
}



def formats():
    """(name, GGUF id, weights, bytes) of each block format, from the list"""
    text = (CORPUS.parents[2] / "src/codec/formats.h").read_text()
    for kind, name, weights, size in re.findall(r'X\(\w+, +(\d+), "(\w+)", +\w+, +(\d+), +(\d+),', text):
        yield name, int(kind), int(weights), int(size)


def random_row(kind, weights, size):
    blocks = 512 // weights
    return gguf([], [("w", [512], kind, blocks * size)], weights=random.Random(kind).randbytes(blocks * size))


GGUF_WEIGHTS = {name: random_row(*sizes) for name, *sizes in formats()}

IMATRIX = {
    "first_version": imatrix_dat([("a.weight", 3, [1, 2, 0])]),
    "dat": imatrix_dat([("a.weight", 0, [1, 2]), ("b.weight", 2, [3])],
                       struct.pack("<i", 9) + text32("wiki.txt")),
    "gguf": gguf([("general.type", STRING, "imatrix"), ("imatrix.chunk_count", U32, 7),
                  ("imatrix.datasets", ARRAY, (STRING, ["wiki.txt"]))],
                 [("a.weight.in_sum2", [2, 2], 0, 16), ("a.weight.counts", [1, 2], 0, 8)],
                 weights=floats(1, 2, 3, 4) + bytes(16) + floats(2, 0)),
}

IMATRIX["experts"] = gguf(
    [("general.type", STRING, "imatrix"), ("imatrix.chunk_size", U32, 512)],
    [("blk.0.ffn_up_exps.weight.in_sum2", [4, 3], 0, 48), ("blk.0.ffn_up_exps.weight.counts", [1, 3], 0, 12)],
    weights=floats(*range(12)) + bytes(16) + floats(16, 0, 3))
# Damaged, or of counts that no file holds.
IMATRIX |= {f"bad_{name}": data for name, data in {
    "cut": IMATRIX["dat"][:-9],
    "entries": struct.pack("<i", 2**31 - 1) + bytes(64),
    "name": struct.pack("<ii", 1, 2**30) + bytes(64),
    "values": struct.pack("<i", 1) + text32("a") + struct.pack("<ii", 1, 2**30) + bytes(64),
    "nan": imatrix_dat([("a.weight", 1, [1, float("nan")])]),
}.items()}

CONVERSATIONS = {
    "text": b'{"text": "One"}\n\n{"text": "Two \\u00e4", "id": 7}\n',
    "messages": b'{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}\n',
    "prompt": b'{"prompt": "Why?", "completion": "So."}\n{"prompt": [{"role": "user", "content": "a"}], "completion": '
              b'[{"role": "assistant", "content": [{"type": "text", "text": "b"}]}]}\n',
    "tools": b'{"messages": [{"role": "assistant", "content": null, "tool_calls": [{"id": 1}]}], '
             b'"tools": [{"type": "function", "function": {"name": "f"}}]}\n',
}


def checkpoint(work, passes, chunks, *lists):
    """lists of inputs: (layer, columns, roles, counts, [moments of each expert])"""
    out = b"NIBCALC1" + text(work) + struct.pack("<2Q", passes, chunks)
    for inputs in lists:
        out += struct.pack("<Q", len(inputs))
        for layer, columns, roles, counts, moments in inputs:
            experts = len(counts)
            out += struct.pack(f"<4Q{len(roles)}Q", layer, columns, experts, len(roles), *roles)
            out += struct.pack(f"<{experts * columns}d{experts}d", *[1.5] * (experts * columns), *counts)
            out += b"".join(struct.pack(f"<Q{len(m)}d", len(m), *m) for m in moments)
    return out + bytes(8)  # the target puts the checksum there


CHECKPOINT = {
    "first_pass": checkpoint("model: a\n", 0, 3, [], [(0, 2, [1, 2, 3], [7], [[1, 2, 3]])]),
    "second_pass": checkpoint("model: a\n", 1, 0, [(0, 2, [4], [7], [[]])], []),
    "experts": checkpoint("", 0, 1, [], [(1, 2, [5], [0, 5], [[], [4, 5, 6]])]),
}

# The kinds of tasks in their order (src/eval/task_kinds.cc), one byte each, then a file of it.
CHOICES = {"choices": ["x", "y"]}
TASKS = {
    "mc": b"\0" + json.dumps({"id": 1, "context": "c", **CHOICES, "answer": [0, 1]}).encode(),
    "exact": b"\1" + json.dumps({"prompt": "p", "answer": "a", "stop": ["."], "max_tokens": 2}).encode(),
    "checks": b"\2" + json.dumps({"prompt": "p", "regex": "^(a|b)+c{1,3}", "json": {"a": 1}}).encode(),
    "hellaswag": b"\3" + json.dumps({"activity_label": "l", "ctx_a": "[h] a [title] b", "ctx_b": "\u00e9C",
                                     "endings": ["x", "y"], "label": "1"}).encode(),
    "winogrande": b"\4" + json.dumps({"sentence": "a _ b", "option1": "x", "option2": "y", "answer": "2"}).encode(),
    "arc": b"\5" + json.dumps({"question": {"stem": "q", "choices": [{"text": t, "label": t} for t in "AB"]},
                               "answerKey": "B"}).encode(),
    "mmlu": b"\6" + json.dumps({"question": "q", "subject": "a_b", **CHOICES, "answer": 1}).encode() + b"\n\n",
    "truthfulqa": b"\x08" + json.dumps({"question": "q", "mc2_targets": {**CHOICES, "labels": [1, 0]}}).encode(),
    "hellaswag_text": b"\x09c\n3\na\nb\nc\nd\n",
    "winogrande_csv": b"\x0a0,\"So, _ is.\",x,y,2\n1,_ a,x,y,1\n",
    "mc_binary": b"\x0b" + struct.pack("<II", 1, 8) + b"".join(
        struct.pack("<I", len(part)) + part if isinstance(part, bytes) else struct.pack("<i", part)
        for part in (b"Q?", 2, b"x", b"yy", 0, 1, 0)),
}


def stored_logits(context, vocabulary, rows):
    """rows: (scale, least, codes)"""
    return (b"_logits_" + struct.pack(f"<3i{context}i", context, vocabulary, 1, *[i % vocabulary for i in range(context)]) +
            b"".join(struct.pack(f"<2f{len(codes)}H", scale, least, *codes) for scale, least, codes in rows))


def compact(context, vocabulary, rows, wide=False):
    """rows: (tail mass, log p, top ids, top codes, sample ids, sample codes)"""
    ids = "I" if wide else "H"
    _, _, top, _, samples, _ = rows[0]
    out = b"NIBLREF1" + struct.pack("<6IQ", context, vocabulary, 1, len(top), len(samples), 0, 1)
    out += struct.pack(f"<{context}I", *range(context))
    for mass, log_p, top, top_codes, samples, sample_codes in rows:
        k, m = len(top), len(samples)
        out += struct.pack(f"<2f{k}{ids}{k}H{m}{ids}{m}H", mass, log_p, *top, *top_codes, *samples, *sample_codes)
    return out


REFERENCE = {
    "logits": stored_logits(4, 5, [(1e-4, -6.6, [65535, 60000, 0, 1, 2, 0])]),
    "uniform": stored_logits(5, 2, [(0, -0.69, [0, 0])] * 2),
    "compact": compact(4, 5, [(0.5, -2, [4, 1], [2839, 2839], [0, 3], [4000, 5000])]),
    "no_samples": compact(4, 4, [(0, -1, [0, 1, 2, 3], [2839] * 4, [], [])]),
    "wide": compact(4, 70000, [(0.5, -3, [69999, 5], [2839, 2839], [1, 1], [20000, 20000])], wide=True),
}


def quantized_weights():
    """The checkpoints of tests/golden: what quantizes them, a zero byte, their weights."""
    seeds = {}
    for folder in sorted((CORPUS.parent.parent / "golden/checkpoints").iterdir()):
        config = json.loads((folder / "config.json").read_text()).get("quantization_config")
        if config:
            seeds[folder.name] = json.dumps(config).encode() + b"\0" + (folder / "model.safetensors").read_bytes()
    return seeds


WORDS = ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "H", "i", "ab", "\u2581a"]


def conformance(texts, counts, ids, chats=(), prompts=(), chat_template="{{ messages[0].content }}", version=1):
    keys = [("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.tokens", ARRAY, (STRING, WORDS)),
            ("tokenizer.ggml.scores", ARRAY, (F32, [0] * len(WORDS))),
            ("tokenizer.ggml.token_type", ARRAY, (I32, [2, 3, 3] + [1] * (len(WORDS) - 3))),
            ("tokenizer.ggml.unknown_token_id", U32, 0), ("tokenizer.chat_template", STRING, chat_template),
            ("nibble.conformance.version", U32, version), ("nibble.conformance.texts", ARRAY, (STRING, texts)),
            ("nibble.conformance.counts", ARRAY, (U32, counts)), ("nibble.conformance.ids", ARRAY, (U32, ids))]
    if chats:
        keys += [("nibble.conformance.chats", ARRAY, (STRING, chats)),
                 ("nibble.conformance.prompts", ARRAY, (STRING, prompts))]
    return gguf(keys, [])


HI = '{"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":true}'
LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}"
CONFORMANCE = {
    "kept": conformance(["ab", "b"], [3, 4], [1, 3, 8, 1, 3, 5, 9], [HI], ["Hi"]),
    "no_chats": conformance(["", "a"], [1, 2], [1, 1, 9], chat_template=""),
    "long_prompt": conformance([], [], [], [HI], ["sha256:" + "0" * 64], "{{ messages[0].content * 400 }}"),
    "time": conformance([], [], [], [HI], ["02 Jan 2024"], "{{ strftime_now('%d %b %Y') }}"),
    "later": conformance(["a"], [9], [], version=2),
    "bad_counts": conformance(["a", "b"], [2**32 - 1, 2**32 - 1], [1, 2]),
    "bad_many": conformance(["a"] * 300, [0] * 300, []),
    "bad_chats": conformance([], [], [], [HI, "[]"], ["Hi"]),
    "bad_chat": conformance([], [], [], ['{"messages": 1, "add_generation_prompt": "x"}', "{"], ["", ""]),
    "bad_loop": conformance([], [], [], [HI] * 16, [""] * 16, LOOP),
}

MODULES = [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
           for i, (kind, path) in enumerate([("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")])]


def pooling(modules, config):
    return json.dumps(modules).encode() + b"\0" + json.dumps(config).encode()


def modes(**switched):
    return {"word_embedding_dimension": 8, "include_prompt": True} | {f"pooling_mode_{k}": v for k, v in switched.items()}


HF_POOLING = {
    "mean": pooling(MODULES, modes(cls_token=False, mean_tokens=True, max_tokens=False)),
    "cls": pooling(MODULES[:2], modes(cls_token=True)),
    "last": pooling([MODULES[1] | {"path": "a/b"}], modes(lasttoken=True)),
    "none": pooling(MODULES[:1], {}),
    "bad_two": pooling(MODULES, modes(cls_token=True, mean_tokens=True)),
    "bad_kinds": pooling([MODULES[0] | {"type": "sentence_transformers.models.Dense"}], modes(max_tokens=True)),
    "bad_outside": pooling([MODULES[1] | {"path": "../../x"}], modes(mean_tokens=1)),
    "bad_absolute": pooling([MODULES[1] | {"path": "/etc"}, 7], [1]),
    "bad_types": pooling({"type": 1}, modes(mean_tokens="yes")),
}


def chat_templates():
    """A template of each group of tests/golden/jinja: those of its cases that render, one a line."""
    groups = {}
    for case in json.loads((CORPUS.parent.parent / "golden/jinja/cases.json").read_text())["cases"]:
        if "expected" in case:
            groups.setdefault(case["group"].replace(" ", "_"), []).append(case["template"])
    return {group: "\n".join(templates).encode() for group, templates in groups.items()}


def archive(pickle, storages=(bytes(24),), method=zipfile.ZIP_STORED, prefix="a/"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, data in [("data.pkl", pickle), ("byteorder", b"little"),
                           *((f"data/{i}", data) for i, data in enumerate(storages))]:
            zipped.writestr(zipfile.ZipInfo(prefix + name), data, method)
    return out.getvalue()


def named(name):
    """The opcode GLOBAL"""
    module, _, name = name.rpartition(".")
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def word(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def tensor(shape=b"K\2K\3\x86", strides=b"K\3K\1\x86", first=b"K\0", storage=b"torch.FloatStorage", key="0", count=b"K\6"):
    return (named("torch._utils._rebuild_tensor_v2") + b"((" + word("storage") + named(storage.decode()) + word(key) +
            word("cpu") + count + b"tQ" + first + shape + strides + b"\x89}tR")


def pickled(value, key=word("w")):
    return b"\x80\2}" + key + value + b"s."


def call(name, arguments):
    return b"\x80\2" + named(name) + b"(" + arguments + b"tR."


GOOD = pickled(tensor())
LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e80024de9032e")
TORCH = {
    "zip": archive(GOOD),
    "legacy": LEGACY + b"\x80\2}." + GOOD + b"\x80\2]" + word("0") + b"a." + struct.pack("<Q", 6) + bytes(24),
}
# Each must be refused; tests/unit/file/torch_seeds_test.cc says with which words.
BAD_TORCH = {
    "os_system": archive(call("os.system", word("true"))),
    "posix_system": archive(call("posix.system", word("true"))),
    "builtins_eval": archive(call("builtins.eval", word("1"))),
    "builtins_getattr": archive(call("builtins.getattr", named("torch.FloatStorage") + word("x"))),
    "subprocess": archive(call("subprocess.Popen", word("true"))),
    "load_from_bytes": archive(call("torch.storage._load_from_bytes", word("x"))),
    "torch_load": archive(call("torch.load", word("x"))),
    "hub_load": archive(call("torch.hub.load", word("x"))),
    "runpy": archive(call("runpy._run_code", word("x"))),
    "late_state": archive(b"\x80\2}" + word("w") + tensor() + b"s" + named("collections.OrderedDict") + b")R" +
                          named("os.system") + b"b."),
    "stack_global": archive(b"\x80\4" + word("os") + word("system") + b"\x93)R."),
    "stack_global_memo": archive(b"\x80\4" + word("system") + b"\x94" + word("os") + b"h\0\x93)R."),
    "stack_global_dots": archive(b"\x80\4" + word("torch") + word("os.system") + b"\x93)R."),
    "stack_global_number": archive(b"\x80\4K\1K\2\x93."),
    "newline_name": archive(b"\x80\4" + word("os\nx") + word("system") + b"\x93."),
    "newobj": archive(b"\x80\2" + named("torch.Size") + b")\x81."),
    "inst": archive(b"\x80\2(ios\nsystem\n."),
    "obj": archive(b"\x80\2(" + named("torch.Size") + b"o."),
    "ext": archive(b"\x80\2\x82\1."),
    "call_a_call": archive(b"\x80\2" + tensor() + b")R."),
    "text_protocol": archive(b"(dp0\n."),
    "deep": archive(b"\x80\2" + b"(" * 2000),
    "deep_lists": archive(b"\x80\2" + b"]" * 2000 + b"."),
    "memo_bomb": archive(b"\x80\2](" + b"K\1" * 9 + b"eq\0" + b"(" + b"h\0" * 2000 + b"t."),
    "dict_bomb": archive(b"\x80\2](" + b"K\1K\1\x86" * 200 + b"eq\0" +
                         (named("collections.OrderedDict") + b"h\0\x85R0") * 100 + b"N."),
    "memo_unknown": archive(b"\x80\2h\7."),
    "underflow": archive(b"\x80\2(00."),
    "no_stop": archive(b"\x80\2}"),
    "long_integer": archive(b"\x80\2\x8a\x09" + bytes(9) + b"."),
    "long_text": archive(b"\x80\2X\xff\xff\xff\xffabc."),
    "long_name": archive(b"\x80\2c" + b"m" * 1000 + b"\n"),
    "no_tensors": archive(b"\x80\2}."),
    "beyond_storage": archive(pickled(tensor(first=b"K\1"))),
    "huge_shape": archive(pickled(tensor(shape=b"\x8a\x08" + b"\xff" * 7 + b"\x7fK\3\x86"))),
    "negative_shape": archive(pickled(tensor(shape=b"J\xff\xff\xff\xffK\3\x86"))),
    "no_storage": archive(pickled(tensor(key="7"))),
    "storage_path": archive(pickled(tensor(key="../0"))),
    "twice": archive(b"\x80\2}(" + (word("w") + tensor()) * 2 + b"u."),
    "compressed": archive(GOOD, method=zipfile.ZIP_DEFLATED),
    "zip_bomb": archive(GOOD, storages=(bytes(1 << 22),), method=zipfile.ZIP_DEFLATED),
    "no_pickle": archive(GOOD).replace(b"data.pkl", b"data.pkx"),
    "tail": archive(GOOD) + b"x",
    "cut": archive(GOOD)[:-30],
    "big_endian": archive(GOOD).replace(b"little", b"bigbig"),
    "other": b"not a checkpoint at all",
    "legacy_cut": TORCH["legacy"][:-1],
    "legacy_count": LEGACY + b"\x80\2}." + GOOD + b"\x80\2]" + word("0") + b"a." + b"\xff" * 8 + bytes(24),
    "legacy_system": LEGACY + call("os.system", word("true")),
}


def directory_entry(data, which, offset, value):
    """An archive with 4 bytes of the directory's entry changed."""
    at = -1
    for _ in range(which + 1):
        at = data.index(b"PK\1\2", at + 1)
    return data[:at + offset] + struct.pack("<I", value) + data[at + offset + 4:]


BAD_TORCH |= {
    "overlap": directory_entry(directory_entry(archive(GOOD, storages=(GOOD, GOOD)), 3, 42, 0), 3, 42, 0),
    "same_place": archive(GOOD, storages=(bytes(8), bytes(8))).replace(b"data/1", b"data/0"),
    "outside": directory_entry(archive(GOOD), 2, 42, 1 << 30),
    "too_long": directory_entry(directory_entry(archive(GOOD), 2, 20, 1 << 20), 2, 24, 1 << 20),
    "swallows": directory_entry(directory_entry(archive(GOOD), 0, 20, len(GOOD) + 40), 0, 24, len(GOOD) + 40),
}
TORCH |= {f"bad_{name}": data for name, data in BAD_TORCH.items()}

for folder, seeds in (("torch", TORCH), ("gguf", GGUF), ("gguf_weights", GGUF_WEIGHTS), ("safetensors", SAFETENSORS),
                      ("imatrix", IMATRIX), ("conversations", CONVERSATIONS),
                      ("checkpoint", CHECKPOINT), ("tasks", TASKS), ("reference", REFERENCE),
                      ("conformance", CONFORMANCE), ("hf_pooling", HF_POOLING), ("chat_template", chat_templates()),
                      ("quantized_weights", quantized_weights())):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for seed, data in seeds.items():
        (CORPUS / folder / f"{seed}.{folder}").write_bytes(data)

# A tokenizer that cuts texts as none does that llama.cpp has a name for: the file says "default", and nibble says so.
. "$LIB"
cp -r "$ASSETS/../tests/golden/embed/qwen3" model && chmod -R u+w model
fields() {
  "$NIBBLE" quantize model -t q8_0 -o nowhere/x --dry-run --json --quiet "$@" 2>log | python3 -c 'import json, sys
output, = json.load(sys.stdin)["outputs"]
print(output.get("unmatched_pre_tokenizer"), len(output["warnings"]))'
}
edit_json model/tokenizer.json 'd["normalizer"] = None
d["model"]["byte_fallback"] = False
d["model"]["vocab"] = {token.replace("▁", "Ġ"): id for token, id in d["model"]["vocab"].items()}
d["model"]["merges"] = [merge.replace("▁", "Ġ") for merge in d["model"]["merges"]]
d["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "[aeiou]+"}, "behavior": "Isolated", "invert": False},
    {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}'
nibble quantize model -t q8_0 -o nowhere/x --dry-run --quiet
fields
fields --override-kv tokenizer.ggml.pre=str:gpt-2
edit_json model/tokenizer.json 'd["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}'
fields

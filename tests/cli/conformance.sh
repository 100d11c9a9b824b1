# A converted file says what its source's tokenizer and template made of some texts; who loads it is told when they do otherwise.
. "$LIB"
copy_model model
printf '{%% for m in messages %%}<|%s|>{{ m.content }}{%% endfor %%}' user >model/chat_template.jinja
"$NIBBLE" quantize model -t q8_0 -o whole.gguf --quiet >quantized 2>&1
"$NIBBLE" quantize model -t q8_0 -o without.gguf --no-conformance --quiet >quantized 2>&1
"$NIBBLE" quantize whole.gguf -t copy -o again.gguf --quiet >quantized 2>&1
"$NIBBLE" quantize model -t q8_0 -o changed.gguf --override-kv tokenizer.ggml.add_bos_token=bool:false --quiet >quantized 2>&1
python3 - <<'PY'
import os
data = open("whole.gguf", "rb").read()
key = b"tokenizer.ggml.add_bos_token"
at = data.index(key) + len(key) + 4
assert data[at] == 1
open("no_bos.gguf", "wb").write(data[:at] + b"\0" + data[at + 1:])
assert data.count(b"<|user|>{{") == 1
open("template.gguf", "wb").write(data.replace(b"<|user|>{{", b"<|User|>{{"))
print("less than 4 KB:", 0 < os.path.getsize("whole.gguf") - os.path.getsize("without.gguf") < 4096)
for name in "whole", "without", "again", "changed":
    print(name, open(name + ".gguf", "rb").read().count(b"nibble.conformance."))
PY
for file in whole no_bos template without changed; do
  nibble tokenize $file.gguf "Once" 2>&1
done
nibble run no_bos.gguf -p "Once upon" -n 4 --temperature 0 --quiet 2>&1
# A program finds the same sentences in JSON.
reported() {
  "$NIBBLE" "$@" --json 2>/dev/null | python3 -c 'import json, sys
for problem in json.load(sys.stdin)["conformance_problems"]: print(" ", problem[:54])'
}
for file in whole no_bos template; do
  echo "$file:"
  reported tokenize $file.gguf "Once"
  reported inspect $file.gguf
  reported run $file.gguf -p "Once upon" -n 1 --quiet
  reported embed $file.gguf "Once" --quiet
done

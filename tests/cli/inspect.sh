# What is in a model, for people and for programs.
. "$LIB"
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q4_k_m -o model.gguf --quiet >log 2>&1
nibble inspect model.gguf
nibble inspect model.gguf --validate --quiet | tail -n 1
nibble inspect "$ASSETS/lab-7m" --validate --quiet | sed -n '1,2p;$p'
"$NIBBLE" inspect model.gguf --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(sorted(d), d["file"]["bytes"], len(d["tensors"]), d["tensors"][0])'

# Continuing a prompt: greedy is the reference, a seed repeats itself, a directory runs as it is.
. "$LIB"
nibble run "$ASSETS/lab-7m" -p "Once upon a time" -n 40 --temperature 0 --quiet
nibble run "$ASSETS/lab-7m" -t q8_0 -p "Once upon a time" -n 24 --temperature 0 --quiet
nibble run "$ASSETS/lab-7m" -t q8_0 --no-repack -p "Once upon a time" -n 24 --temperature 0 --quiet
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q8_0 -o lab.gguf --quiet >quantized 2>&1
for run in first second; do
  nibble run lab.gguf --repack-cache cache -p "Once upon a time" -n 24 --temperature 0 --quiet
  ls cache | sed 's/-[0-9a-f]\{16\}/-HASH/'
done
refuses run "$ASSETS/lab-7m" -t q8_0 --repack-cache cache -p x --quiet
"$NIBBLE" run "$ASSETS/lab-7m" -p "The King" -n 30 --seed 7 --quiet >first
"$NIBBLE" run "$ASSETS/lab-7m" -p "The King" -n 30 --seed 7 --quiet >second
"$NIBBLE" run "$ASSETS/lab-7m" -p "The King" -n 30 --seed 8 --quiet >third
cmp first second && echo 'one seed, one text'
cmp -s first third || echo 'another seed, another text'
"$NIBBLE" run "$ASSETS/lab-7m" -p "Once upon a time" -n 8 --temperature 0 --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["prompt"]["ids"], d["generation"]["ids"], d["generation"]["stop"], d["generation"]["text"])
print(d["generation"]["tokens_per_second"] > 0, d["peak_memory_bytes"] > 0, d["load_seconds"] > 0)'
nibble run "$ASSETS/lab-7m" -p "Once" -n 4 --temperature 0
refuses run "$ASSETS/lab-7m" -p "Once upon a time" -c 4 -n 2 --quiet
refuses run "$ASSETS/lab-7m" -p x --temperature -1 --quiet
for kv in '--kv q8_0' '--cache-type-v bf16 --cache-type-k q8_0' '--kv f16/q4_0'; do
  nibble run "$ASSETS/lab-7m" -p "Once upon a time" -n 12 --temperature 0 --quiet $kv
done
nibble run "$ASSETS/lab-7m" -p "Once upon a time" -n 40 -c 24 --temperature 0 --quiet
nibble run "$ASSETS/lab-7m" -p "Once upon a time" -n 40 -c 24 --temperature 0 --context-shift --quiet
nibble run "$ASSETS/lab-7m" -p "Once upon a time" -n 40 -c 24 --temperature 0 --context-shift --keep -1 --kv q8_0 --quiet
refuses run "$ASSETS/lab-7m" -p x -n 40 -c 8 --context-shift --keep 7 --quiet
refuses run "$ASSETS/lab-7m" -p x --kv q3 --quiet
refuses run "$ASSETS/lab-7m" -p x --cache-type-v q5_1 --quiet

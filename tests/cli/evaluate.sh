# Perplexity of the bundled model on its own text, for people and for programs.
. "$LIB"
text="$ASSETS/lab-7m-text/evaluation.txt"
nibble evaluate "$ASSETS/lab-7m" -f "$text" --context 256 --windows 8 --quiet
nibble evaluate "$ASSETS/lab-7m" -f "$text" --context 256 --windows 8 --kv f32 -t q4_0 --quiet
nibble evaluate "$ASSETS/lab-7m" -f "$text" --context 256 --windows 4 --cache-type-k q8_0 --cache-type-v q4_0 --quiet
"$NIBBLE" evaluate "$ASSETS/lab-7m" -f "$text" --context 256 --windows 4 --json --quiet >result.json
python3 - <<'PY'
import json
d = json.load(open("result.json"))
print(sorted(d), sorted(d["perplexity"]), d["windows"], d["scored_tokens"])
PY
printf 'too short' >short.txt
refuses evaluate "$ASSETS/lab-7m" -f short.txt --context 256 --quiet
refuses evaluate "$ASSETS/lab-7m" -f missing.txt --quiet
refuses evaluate "$ASSETS/lab-7m" -f "$text" --context 1 --quiet

# What programs read after quantizing, with the shape fallback of a model whose rows no block divides.
. "$LIB"
[ -d "$NIBBLE_SHARED/models/stories260k" ] || skip "no shared data: set NIBBLE_SHARED"
"$NIBBLE" quantize "$NIBBLE_SHARED/models/stories260k" -t q4_k_m -o . --json --quiet >result.json
python3 - <<'PY'
import json
output, = json.load(open("result.json"))["outputs"]
print(output["type"], output["path"], output["weights"], round(output["bits_per_weight"], 2))
print(len(output["fallbacks"]), "fallbacks, of them", *sorted({(f["wanted"], f["used"]) for f in output["fallbacks"]}))
PY
nibble run stories260k-q4_k_m.gguf -p "Once upon a time" -n 12 --temperature 0 --quiet

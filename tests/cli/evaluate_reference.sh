# A model beside a reference: another model, or what one predicted, stored in either format.
. "$LIB"
text="$ASSETS/lab-7m-text/evaluation.txt"
model="$ASSETS/lab-7m"
window="--context 128 --windows 6"
nibble evaluate "$model" -f "$text" $window -t q4_0 --reference "$model" --quiet
nibble evaluate "$model" -f "$text" $window --save-reference reference --reference-format stock --quiet
nibble evaluate "$model" -f "$text" $window --save-reference compact --quiet
"$NIBBLE" evaluate "$model" -f "$text" $window --save-reference again --threads 1 --quiet >/dev/null 2>&1
cmp compact again && rm again && echo "the same on any number of threads"
nibble evaluate "$model" -t q4_0 --reference compact --quiet
stat -c '%n %s' reference compact
"$NIBBLE" evaluate "$model" -f "$text" $window -t q4_0 --reference "$model" --quiet --json >beside.json
"$NIBBLE" evaluate "$model" -t q4_0 --kl-divergence --kl-divergence-base reference --quiet --json >stored.json
"$NIBBLE" evaluate "$model" -t q4_0 --reference compact --quiet --json >compact.json
"$NIBBLE" evaluate "$model" -f "$text" $window --reference reference --quiet --json >itself.json
"$NIBBLE" evaluate "$model" -f "$text" $window --reference "$model" --threads 1 --quiet --json >same.json
python3 - <<'PY'
import json
beside, stored, itself, same = (json.load(open(f"{n}.json")) for n in ("beside", "stored", "itself", "same"))
for part in ("perplexity", "kl_divergence", "delta_p", "agreement"):
    print(part, *beside[part])
print("stored and run agree:", all(abs(beside[p]["mean"] - stored[p]["mean"]) < 1e-5 for p in ("kl_divergence", "delta_p")),
      stored["perplexity"]["mean"] == beside["perplexity"]["mean"], stored["windows"])
compact = json.load(open("compact.json"))
sampling = compact["kl_divergence"]["sampling"]
print("sampling", *sampling, sampling["least"] < beside["kl_divergence"]["mean"],
      sampling["low"] < beside["kl_divergence"]["mean"] < sampling["high"],
      compact["agreement"] == beside["agreement"], abs(compact["delta_p"]["rms"] - beside["delta_p"]["rms"]) < 1e-8)
print("beside itself:", same["kl_divergence"]["mean"], same["kl_divergence"]["max"], same["delta_p"]["rms"],
      same["agreement"]["mean"], same["perplexity"]["ratio"])
print("beside its stored self:", abs(itself["kl_divergence"]["mean"]) < 1e-5, itself["agreement"]["mean"])
print("intervals hold the mean:", all(beside[p]["low"] < beside[p]["mean"] < beside[p]["high"]
                                      for p in ("perplexity", "kl_divergence", "agreement")))
PY

# llama-perplexity's strided protocol
nibble evaluate "$model" -f "$text" --ctx-size 64 --ppl-stride 32 --chunks 5 --quiet

# What cannot be
mkdir bad
head -c 100000 reference >bad/truncated
cp reference bad/context && patch bad/context 8 81000000
cp reference bad/vocabulary && patch bad/vocabulary 12 ff0f0000
cp reference bad/row && patch bad/row 3092 0000c07f  # 20 bytes, 6 * 128 tokens of 4: the first scale
head -c 700 "$text" >bad/short.txt
tr a-z b-za <"$text" >bad/other.txt
head -c 50000 compact >bad/truncated_compact
cp compact bad/other_tokenizer && patch bad/other_tokenizer 32 00
cp compact bad/compact_row && patch bad/compact_row 3112 0000003f  # 40 bytes and the tokens: the tail mass is 0.5
refuses evaluate "$model" --reference bad/truncated --quiet
refuses evaluate "$model" --reference bad/truncated_compact --quiet
refuses evaluate "$model" --reference bad/other_tokenizer --quiet
refuses evaluate "$model" --reference bad/compact_row --quiet
refuses evaluate "$model" --reference bad/context --quiet
refuses evaluate "$model" --reference bad/vocabulary --quiet
refuses evaluate "$model" --reference bad/row --save-reference new --quiet
refuses evaluate "$model" --reference missing -f "$text" --quiet
refuses evaluate "$model" --reference reference -f bad/other.txt --quiet
refuses evaluate "$model" --reference reference -f bad/short.txt --quiet
refuses evaluate "$model" --reference reference --context 64 --quiet
refuses evaluate "$model" --reference reference --stride 32 --quiet
refuses evaluate "$model" -f "$text" --context 64 --stride 64 --quiet
refuses evaluate "$model" -f bad/short.txt --context 64 --stride 32 --save-reference new --quiet
refuses evaluate "$model" -f "$text" --windows 1 --save-reference missing/new --quiet
refuses evaluate "$model" --reference "$model" --quiet
refuses evaluate "$model" --quiet
refuses evaluate "$model" -f "$text" --kl-divergence --quiet
refuses evaluate "$model" -f "$text" --save-reference new --kl-divergence-base new --quiet

# Several files beside their reference: a table, reports, and only what is missing.
. "$LIB"
text=$ASSETS/lab-7m-text/evaluation.txt
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q8_0,q4_0 -o . --quiet >quantized 2>&1
measure="compare lab-7m-q8_0.gguf lab-7m-q4_0.gguf --reference $ASSETS/lab-7m -f $text -c 64 --windows 2 --no-speed -n 8 --quiet"
nibble $measure -o report.html -o table.csv 2>wrote | sed "s,on .* threads),on A MACHINE,"
cat wrote
head -c 15 report.html; echo
cut -d, -f1,3,4 table.csv
"$NIBBLE" $measure -o report.html --json 2>again | python3 -c '
import json, sys
d = json.load(sys.stdin)
print([m["name"] for m in d["models"]], d["reference"]["name"], d["windows"], len(d["models"][0]["layers"]["layers"]))'
refuses $measure -o report.pdf
refuses $measure -o nowhere/report.html
echo '{"format": 7}' >old.json
refuses $measure -o old.json
cat old.json

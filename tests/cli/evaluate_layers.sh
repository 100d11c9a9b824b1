# Where a model loses what it loses: layers and tensors beside a reference.
. "$LIB"
text=$ASSETS/lab-7m-text/evaluation.txt
nibble evaluate "$ASSETS/lab-7m" -t q2_k -f "$text" -c 64 --windows 2 --layers "$ASSETS/lab-7m" --quiet | head -12
"$NIBBLE" evaluate "$ASSETS/lab-7m" -t q4_0 -f "$text" -c 64 --windows 2 --layers "$ASSETS/lab-7m" --quiet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(len(d["layers"]), len(d["tensors"]), d["tokens"], sorted(d["layers"][0]), sorted(d["tensors"][0]))
print(d["tensors"][1]["name"], d["tensors"][1]["weighted_error"])'
refuses evaluate "$ASSETS/lab-7m" --layers "$ASSETS/lab-7m" --quiet
refuses evaluate "$ASSETS/lab-7m" -f "$text" --layers "$ASSETS/lab-7m" --reference "$ASSETS/lab-7m" --quiet
echo Once >short.txt
refuses evaluate "$ASSETS/lab-7m" -f short.txt --layers "$ASSETS/lab-7m" --quiet

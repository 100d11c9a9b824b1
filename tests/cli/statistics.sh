# Statistics of calibration: shown, added up, added to; and sets of texts and chats.
. "$LIB"
text="$ASSETS/lab-7m-text/calibration.txt"
head -c 20000 "$text" >one.txt
tail -c 20000 "$text" >two.txt
"$NIBBLE" calibrate "$ASSETS/lab-7m" -f one.txt -c 128 -o one.gguf --moments --quiet >log 2>&1
"$NIBBLE" calibrate "$ASSETS/lab-7m" -f two.txt -c 128 -o two.gguf --moments --quiet >log 2>&1
"$NIBBLE" calibrate "$ASSETS/lab-7m" -f one.txt -c 128 -o one.dat --quiet >log 2>&1
nibble inspect one.gguf | sed -n '1,6p'
nibble inspect one.gguf --json | head -18  # numbers further down depend on the C library's log2
nibble inspect "$ASSETS/../tests/golden/lab-7m/imatrix.dat" | tail -12
refuses inspect one.gguf --validate
head -c 100 one.dat >short.dat
refuses inspect short.dat

echo '--- added up'
nibble calibrate --merge one.gguf two.gguf=0.5 -o sum.gguf
nibble calibrate --merge one.gguf one.dat=0.25 -c 128 -o sum.dat --json
nibble calibrate --merge one.gguf one.dat -c 128 -o plain.gguf
nibble calibrate "$ASSETS/lab-7m" -f two.txt -c 128 -o both.gguf --in-file one.gguf --moments --quiet 2>log
nibble inspect both.gguf | sed -n 2p
refuses calibrate --merge one.gguf=0 -o new.gguf
refuses calibrate --merge one.gguf=much -o new.gguf
refuses calibrate --merge missing.gguf -o new.gguf
refuses calibrate --merge one.gguf two.gguf -o one.gguf
refuses calibrate "$ASSETS/lab-7m" --merge one.gguf -o new.gguf
python3 - <<'END'
import struct
with open("other.dat", "wb") as f:
    name = b"blk.0.attn_q.weight"
    f.write(struct.pack(f"<ii{len(name)}sii3f", 1, len(name), name, 1, 3, 1, 2, 3))
END
refuses calibrate --merge one.gguf other.dat -o new.gguf
refuses calibrate "$ASSETS/lab-7m" -f two.txt -c 128 -o new.gguf --in-file one.dat --moments --quiet
refuses calibrate "$ASSETS/lab-7m" -f two.txt -c 128 -o new.gguf --in-file other.dat --quiet
refuses calibrate "$ASSETS/lab-7m" -o new.gguf
refuses calibrate -f one.txt -o new.gguf

echo '--- sets of texts and chats'
copy_model chat
cp "$ASSETS/../tests/golden/tasks/chat_template.jinja" chat/
python3 - <<'END'
import json
long = "It was a dark and stormy night. " * 60
with open("set.jsonl", "w") as f:
    print(json.dumps({"text": long}), file=f)
    print(json.dumps({"messages": [{"role": "user", "content": "Tell me."}, {"role": "assistant", "content": long}]}), file=f)
    print(json.dumps({"prompt": "Again?", "completion": long}), file=f)
open("bad.jsonl", "w").write(open("set.jsonl").read() + '{"messages": [{"role": "user"}]}\n')
END
nibble calibrate chat -f set.jsonl -c 128 -o chat.gguf --quiet 2>log
refuses calibrate chat -f bad.jsonl -c 128 -o new.gguf --quiet
refuses calibrate "$ASSETS/lab-7m" -f set.jsonl -c 128 -o new.gguf --quiet
: >empty.jsonl
refuses calibrate chat -f empty.jsonl -o new.gguf --quiet
: >empty.txt
refuses calibrate chat -f empty.txt -o new.gguf --quiet

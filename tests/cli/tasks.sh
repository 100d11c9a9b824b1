# Tasks on the bundled model: scores, a reference beside it, items, and files that are refused.
. "$LIB"
own="$ASSETS/lab-7m-tasks"
nibble evaluate "$ASSETS/lab-7m" --quiet --tasks "mc=$own/mc.jsonl,exact=$own/exact.jsonl"
nibble evaluate "$ASSETS/lab-7m" --quiet --tasks "mc=$own/mc.jsonl" --shots 2 --limit 10
nibble evaluate "$ASSETS/lab-7m" --quiet --tasks "exact=$own/exact.jsonl" --shots 1 --shot-order first --ignore-case
copy_model chat
printf '%s' '{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}' >chat/chat_template.jinja
nibble evaluate chat --quiet --tasks "mc=$own/mc.jsonl" --chat-template --shots 1
nibble evaluate chat --quiet --tasks "mc=$own/mc.jsonl" --chat-template --shots 1 --one-message
"$NIBBLE" quantize chat --quiet -o chat.gguf -t f16 >log 2>&1
nibble evaluate chat.gguf --quiet --tasks "mc=$own/mc.jsonl" --chat-template --shots 1
nibble evaluate "$ASSETS/lab-7m" -t q2_k --quiet --tasks prompts,mc="$own/mc.jsonl" --reference "$ASSETS/lab-7m"
"$NIBBLE" evaluate "$ASSETS/lab-7m" --quiet --json --tasks "mc=$own/mc.jsonl,exact=$own/exact.jsonl" \
  --reference "$ASSETS/lab-7m" --items items.jsonl >result.json
python3 - <<'PY'
import json
d = json.load(open("result.json"))
print(sorted(d))
for task in d["tasks"]:
    print(sorted(task))
print(sorted(d["tasks"][0]["acc"]), d["tasks"][0]["acc"]["difference"], d["tasks"][0]["acc"]["agreement"])
items = [json.loads(line) for line in open("items.jsonl")]
print(len(items), sorted(items[0]), sorted(items[-1]))
print(items[0]["id"], len(items[0]["log_likelihoods"]), items[0]["acc"], items[0]["reference"]["acc"])
PY
rm result.json items.jsonl
good='{"context":"c","choices":["x","y"],"answer":0}'
printf '%s\n%s\n' "$good" '{"context":"c"' >cut.jsonl
printf '%s\n' '{"context":"c","choices":["x","y"],"answer":2}' >range.jsonl
printf '%s\n' '{"prompt":"p"}' >unanswered.jsonl
printf '%s\n' "$good" >one.jsonl
: >empty.jsonl
printf 'c\n3\na\nb\nc\nd\n' >stock.txt
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=cut.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=range.jsonl --items items.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks exact=unanswered.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=empty.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=missing.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks hellaswag=one.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc-binary=one.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks sudoku=one.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl --shots 1
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl --shot-order best
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl --limit -1
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl --chat-template
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks hellaswag-text=stock.txt --chat-template
refuses evaluate chat --quiet --tasks mc=one.jsonl --one-message
printf '%s\n' 'Hello' '{% if messages %}' >chat/chat_template.jinja
refuses evaluate chat --quiet --tasks mc=one.jsonl --chat-template
printf '%s' "{{ raise_exception('no chats today') }}" >chat/chat_template.jinja
refuses evaluate chat --quiet --tasks mc=one.jsonl --chat-template
rm -r chat chat.gguf log
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl --items none/items.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks "exact=$own/exact.jsonl" --context 8
refuses evaluate "$ASSETS/lab-7m" --quiet --tasks mc=one.jsonl -f one.jsonl
refuses evaluate "$ASSETS/lab-7m" --quiet

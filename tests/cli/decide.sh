# Which of two models is better, from as little of a text as it takes.
. "$LIB"
text="$ASSETS/lab-7m-text/evaluation.txt"
model="$ASSETS/lab-7m"
nibble evaluate "$model" -t q2_k --against "$model" --decide 0.5% -f "$text" --context 64 --quiet
nibble evaluate "$model" --against "$model" --decide 0.5% -f "$text" --context 64 --quiet
nibble evaluate "$model" -t q4_0 --against "$model" --decide 0.5% -f "$text" --context 64 --windows 10 --quiet
"$NIBBLE" evaluate "$model" --against "$model" --decide 0.01 -f "$text" --context 64 --quiet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(*d)
print(d["decision"])'

# Questions
tasks="$ASSETS/lab-7m-tasks"
nibble evaluate "$model" -t q2_k --against "$model" --decide 50% --tasks "mc=$tasks/mc.jsonl,exact=$tasks/exact.jsonl" --quiet
nibble evaluate "$model" -t q4_0 --against "$model" --decide 1% --tasks "mc=$tasks/mc.jsonl" --limit 20 --quiet
"$NIBBLE" evaluate "$model" --against "$model" --decide 50% --tasks prompts --quiet --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["tasks"][0]["decision"])'

# The other model is loaded in the same way.
"$NIBBLE" quantize "$model" -t q8_0,q4_0 -o . --quiet >quantized 2>&1
mkdir of_text of_tasks of_layers
nibble evaluate lab-7m-q4_0.gguf --against lab-7m-q4_0.gguf --decide 0.5% -f "$text" --context 64 --activations llama.cpp --quiet
nibble evaluate lab-7m-q4_0.gguf --layers lab-7m-q4_0.gguf -f "$text" --context 64 --windows 1 --activations llama.cpp --quiet | head -3
kept() { find "$1" -type f | wc -l; }
"$NIBBLE" evaluate lab-7m-q4_0.gguf --against lab-7m-q8_0.gguf --decide 50% -f "$text" --context 64 --repack-cache of_text --quiet >out 2>&1
"$NIBBLE" evaluate lab-7m-q4_0.gguf --against lab-7m-q8_0.gguf --decide 50% --tasks "mc=$tasks/mc.jsonl" --repack-cache of_tasks --quiet >out 2>&1
"$NIBBLE" evaluate lab-7m-q4_0.gguf --layers lab-7m-q8_0.gguf -f "$text" --context 64 --windows 1 --repack-cache of_layers --quiet >out 2>&1
echo "repacked models kept: $(kept of_text) $(kept of_tasks) $(kept of_layers)"

# What cannot be
printf 'too short' >short.txt
refuses evaluate "$model" --against "$model" --decide 0% -f "$text" --quiet
refuses evaluate "$model" --against "$model" --decide -1% -f "$text" --quiet
refuses evaluate "$model" --against "$model" --decide much -f "$text" --quiet
refuses evaluate "$model" --decide 1% -f "$text" --quiet
refuses evaluate "$model" --against "$model" -f "$text" --quiet
refuses evaluate "$model" --against "$model" --decide 1% --quiet
refuses evaluate "$model" --against "$model" --decide 1% -f "$text" --reference "$model" --quiet
refuses evaluate "$model" --against "$model" --decide 1% --tasks prompts --reference "$model" --quiet
refuses evaluate "$model" --against "$model" --decide 1% --tasks prompts --items items.jsonl --quiet
refuses evaluate "$model" --against "$model" --decide 1% -f short.txt --quiet
refuses evaluate "$model" --against missing --decide 1% -f "$text" --quiet

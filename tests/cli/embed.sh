# Embeddings of texts: as arrays, as JSON, compared; from a directory and a GGUF; what is refused.
. "$LIB"
ln -s "$ASSETS/../tests/golden/embed" golden
"$NIBBLE" embed golden/bert "a cat" "the dog" --quiet >vectors
python3 -c 'import json
for line in open("vectors"):
    v = json.loads(line)
    print(len(v), [round(x, 3) for x in v[:4]], round(sum(x * x for x in v), 4))'
"$NIBBLE" quantize golden/bert -t f16 -o bert.gguf --quiet >quantized 2>&1
nibble embed bert.gguf "a cat" "the dog" "a cat!" --similarity --quiet
printf 'a cat\n\nthe dog\r\n' >texts
"$NIBBLE" embed golden/bert -f texts --quiet | cmp - vectors && echo "the same from a file"
"$NIBBLE" embed golden/nomic_bert "a cat" --json --quiet --pooling none --no-normalize >json
python3 -c 'import json
d = json.load(open("json"))
e = d["embeddings"][0]
print(d["model"], d["pooling"], d["normalized"], d["dimensions"], e["text"], e["tokens"], len(e["embedding"]))'
"$NIBBLE" embed golden/qwen3 "a cat" "taxes" --json --similarity --quiet >json
python3 -c 'import json
d = json.load(open("json"))
print(d["pooling"], [[round(x, 3) for x in row] for row in d["similarity"]])'
refuses embed golden/bert
refuses embed golden/bert "a cat" -f texts
refuses embed golden/bert "a cat" --pooling max
refuses embed golden/bert "a cat" --pooling none --similarity
refuses run golden/bert -p "a cat" --quiet
: >texts
refuses embed golden/bert -f texts

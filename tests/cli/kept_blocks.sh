# A checkpoint of NVFP4: its codes and scales pass as they are, the scale of each matrix beside it; directory and file
# answer the same, and other types are made of what they stand for.
. "$LIB"
golden="$ASSETS/../tests/golden/arch"
mkdir model
cp "$golden"/llama_nvfp4/*.* "$golden"/*.json model
nibble quantize model -t copy,q8_0 -o out --quiet
for type in copy q8_0; do
  "$NIBBLE" inspect out/model-$type.gguf --quiet | grep -E 'blk.1.ffn_down|token_embd'
done
run() { "$NIBBLE" run "$1" -p 'the hand' -n 12 --temperature 0 --ignore-eos --quiet 2>log; }
run model >expected
[ -s expected ] && run out/model-copy.gguf | cmp - expected && echo 'the same answer'
for type in copy q8_0; do nibble verify out/model-$type.gguf --source model --quiet; done

# Splitting and joining: by size and by count, nothing overwritten, the same bytes in the end.
. "$LIB"
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q4_k_m -o model.gguf --quiet >log 2>&1
nibble split model.gguf --max-size 1.5MB -o parts/a --quiet
mkdir parts
nibble split model.gguf --max-size 1.5MB -o parts/a --dry-run
ls parts
nibble split model.gguf --max-size 1.5MB -o parts/a --quiet
nibble join parts/a-00001-of-00004.gguf -o joined.gguf --quiet
cmp joined.gguf model.gguf && echo 'the same bytes'
continue_with() { "$NIBBLE" run "$1" -p 'Once upon a time' -n 8 --temperature 0 --quiet; }
continue_with parts/a-00001-of-00004.gguf >split.txt && continue_with model.gguf >whole.txt &&
  [ "$(wc -w <whole.txt)" -gt 4 ] && cmp split.txt whole.txt && echo 'the same continuation'

echo '--- by count, the first file without tensors'
nibble split model.gguf --max-tensors 30 --no-tensor-first --quiet --json
"$NIBBLE" inspect model-00003-of-00003.gguf 2>&1
nibble join model-00001-of-00003.gguf -o again.gguf --quiet
cmp again.gguf model.gguf && echo 'the same bytes'

echo '--- refused'
refuses split model.gguf --max-tensors 30 --no-tensor-first
refuses join model-00001-of-00003.gguf -o again.gguf
nibble join model-00001-of-00003.gguf -o again.gguf --force --quiet
refuses join model-00002-of-00003.gguf -o new.gguf
refuses join model.gguf -o new.gguf
refuses join model-00001-of-00003.gguf -o model-00002-of-00003.gguf --force
refuses split model.gguf --max-size 100KB -o new
refuses split model.gguf -o new
refuses split model.gguf --max-size 1K -o new
refuses split model.gguf --max-size 0 -o new
refuses split model.gguf --max-tensors 0 -o new
rm model-00002-of-00003.gguf
refuses join model-00001-of-00003.gguf -o new.gguf

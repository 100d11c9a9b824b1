# Files that are no models, or damaged ones.
. "$LIB"
: >empty.gguf
printf 'this is not a model at all, but text' >text.gguf
refuses quantize empty.gguf -t q8_0 -o out.gguf
refuses inspect empty.gguf
refuses quantize text.gguf -t q8_0 -o out.gguf
refuses quantize missing.gguf -t q8_0 -o out.gguf
refuses run missing.gguf -p x
refuses evaluate text.gguf -f "$ASSETS/lab-7m-text/evaluation.txt"

"$NIBBLE" quantize "$ASSETS/lab-7m" -t q8_0 -o good.gguf --quiet >set_up.log 2>&1
head -c 20 good.gguf >header.gguf
head -c 103560 good.gguf >metadata.gguf
head -c 5000000 good.gguf >weights.gguf
for cut in header metadata weights; do
  refuses quantize $cut.gguf -t q4_0 --allow-requantize -o out.gguf
done
cp good.gguf version.gguf && patch version.gguf 4 09000000
refuses inspect version.gguf
cp good.gguf counts.gguf && patch counts.gguf 8 ffffffffffffff7f
refuses inspect counts.gguf

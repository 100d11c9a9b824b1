# Wrong usage ends with status 2 and says what there is; help and version with 0.
. "$LIB"
nibble
nibble shrink
nibble quantize
nibble quantize "$ASSETS/lab-7m"
nibble quantize "$ASSETS/lab-7m" -t q8_0 --fast
nibble quantize "$ASSETS/lab-7m" -t q8_0,q4_0 -o out.gguf
nibble quantize "$ASSETS/lab-7m" -t q8_0 --memory lots
nibble run "$ASSETS/lab-7m"
nibble evaluate "$ASSETS/lab-7m"
nibble --version
for verb in quantize inspect evaluate run; do
  "$NIBBLE" $verb --help | grep -m 1 Example
done
echo '--- values that make no sense, and files that are missing or wrong'
refuses quantize "$ASSETS/lab-7m" -t q9_9 -o out.gguf
refuses quantize "$ASSETS/lab-7m" -t missing.recipe -o out.gguf
printf 'all q4_k\noutput where q6_k\n' >bad.recipe
refuses quantize "$ASSETS/lab-7m" -t bad.recipe -o out.gguf
NIBBLE_ISA=sse9 nibble quantize "$ASSETS/lab-7m" -t q8_0 -o out.gguf

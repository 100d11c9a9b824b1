# From a Hugging Face directory to several types in one go, and on from GGUF.
. "$LIB"
nibble quantize "$ASSETS/lab-7m" -t q8_0,q6_k,q4_k_m,q4_0,f16 -o out --quiet
ls out
nibble quantize out/lab-7m-f16.gguf -t q8_0 -o again.gguf --quiet
cmp <(tail -c 7200000 again.gguf) <(tail -c 7200000 out/lab-7m-q8_0.gguf) && echo 'the same weights by way of f16'
NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t q4_k_m --threads 1 -o scalar.gguf --quiet >log 2>&1
cmp scalar.gguf out/lab-7m-q4_k_m.gguf && echo 'the same file from scalar code on one thread'
refuses quantize out/lab-7m-q4_0.gguf -t q8_0 -o out.gguf --quiet
nibble quantize out/lab-7m-q8_0.gguf -t q4_0 --allow-requantize -o twice.gguf --quiet
nibble quantize "$ASSETS/lab-7m" -t q4_k_m --pure -o pure.gguf --quiet
printf 'all q4_k\nblk.0.* q8_0\noutput q6_k\n' >my.recipe
nibble quantize "$ASSETS/lab-7m" -t my.recipe --quiet
nibble quantize "$ASSETS/lab-7m" -t q8_0 -o small.gguf --memory 1MiB --quiet
cmp small.gguf out/lab-7m-q8_0.gguf && echo 'the same file in 1 MiB of buffers'

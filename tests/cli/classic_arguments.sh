# llama-quantize's order of arguments: [OPTIONS] IN.gguf [OUT.gguf] TYPE [THREADS].
. "$LIB"
nibble quantize "$ASSETS/lab-7m" in.gguf F16 --quiet
nibble quantize in.gguf out.gguf Q4_K_M 2 --quiet
nibble quantize --pure --tensor-type attn_v=q8_0 in.gguf pure.gguf Q4_K 2 --quiet
nibble quantize in.gguf copy.gguf COPY --quiet
cmp in.gguf copy.gguf && echo 'a copy'
mkdir folder
mv in.gguf folder
echo 'by number, and named as there'
for type in 15 2 q6_k; do "$NIBBLE" quantize folder/in.gguf $type --quiet 2>log || cat log; done
cmp folder/ggml-model-Q4_K.gguf out.gguf && echo 'the same file'
ls . folder
echo 'what makes no sense'
refuses quantize folder/in.gguf
refuses quantize folder/in.gguf new.gguf
refuses quantize folder/in.gguf new.gguf q9_9
refuses quantize folder/in.gguf q8_0 new.gguf
refuses quantize folder/in.gguf new.gguf q8_0 -1
refuses quantize folder/in.gguf new.gguf q8_0 2 3
refuses quantize folder/in.gguf new.gguf q8_0 2 --threads 2
refuses quantize folder/in.gguf q8_0 -o new.gguf
refuses quantize folder/in.gguf new.gguf -t q8_0

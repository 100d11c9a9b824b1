# Ctrl-C in the middle of writing: no file under its name, and --resume goes on to the same bytes.
. "$LIB"
set -m  # else bash starts background commands with SIGINT ignored
mkdir out
NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k,q4_k_m -o out --threads 1 --quiet &
process=$!
wait_for_bytes out/lab-7m-q4_k_m.gguf.journal 0 $process
[ -s out/lab-7m-q4_k_m.gguf.journal ] && echo "it is writing"
kill -INT $process
wait $process
echo "status $?"
ls -A out
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k,q4_k_m -o out --quiet --resume >log 2>&1 || cat log
ls -A out
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k,q4_k_m -o whole --quiet >log 2>&1
cmp out/lab-7m-q6_k.gguf whole/lab-7m-q6_k.gguf && cmp out/lab-7m-q4_k_m.gguf whole/lab-7m-q4_k_m.gguf && echo 'the same files'

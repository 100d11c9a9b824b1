# A file system of 4 MiB has no room for 7 MB: said before the first byte, and nothing is left there. One that fills up
# while we write: said, and --resume goes on when there is room again.
. "$LIB"
mkdir small
mount -t tmpfs -o size=4m none small 2>/dev/null || skip "cannot mount a tmpfs here"
trap 'umount small' EXIT
refuses quantize "$ASSETS/lab-7m" -t q8_0 -o small/out.gguf --quiet
refuses quantize "$ASSETS/lab-7m" -t q4_0,q8_0 -o small --quiet

mount -o remount,size=12m small
NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k -o small/out.gguf --threads 1 --quiet &
process=$!
wait_for_bytes small/out.gguf.journal 1500 $process
head -c 12000000 /dev/zero >small/other 2>/dev/null
wait $process
echo "status $?"
ls -A small
rm small/other
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k -o small/out.gguf --quiet --resume >log 2>&1 || cat log
ls -A small
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k -o whole.gguf --quiet >log 2>&1
cmp small/out.gguf whole.gguf && echo 'the same file'

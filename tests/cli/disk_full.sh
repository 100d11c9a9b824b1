# A file system of 4 MiB has no room for 7 MB: said before the first byte, and nothing is left there.
. "$LIB"
mkdir small
mount -t tmpfs -o size=4m none small 2>/dev/null || skip "cannot mount a tmpfs here"
trap 'umount small' EXIT
refuses quantize "$ASSETS/lab-7m" -t q8_0 -o small/out.gguf --quiet
refuses quantize "$ASSETS/lab-7m" -t q4_0,q8_0 -o small --quiet

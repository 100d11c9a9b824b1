# Ctrl-C in the middle of writing leaves no file, neither finished nor temporary.
. "$LIB"
set -m  # else bash starts background commands with SIGINT ignored
mkdir out
NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k,q4_k_m -o out --threads 1 --quiet &
process=$!
for _ in $(seq 600); do
  [ -n "$(ls -A out)" ] && break
  sleep 0.05
done
[ -n "$(ls -A out)" ] && echo "it is writing"
kill -INT $process
wait $process
echo "status $?"
ls -A out

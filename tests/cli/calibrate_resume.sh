# A calibration that is killed at any moment goes on with --resume, to the same bytes.
. "$LIB"
set -m  # else bash starts background commands with SIGINT ignored
text="$ASSETS/lab-7m-text/calibration.txt"
# Two of six layers' moments at a time, so that there are three passes; a checkpoint after each chunk.
measure=("$NIBBLE" calibrate "$ASSETS/lab-7m" -f "$text" -c 128 --chunks 40 --moments --memory 7MiB --checkpoint 1e-9 --quiet)
# wait_for_new FILE TIME PID: until the file was written at another time, or the process ended.
wait_for_new() {
  for _ in $(seq 3000); do
    [ "$(stat -c %y "$1" 2>/dev/null || echo none)" != "$2" ] && return
    kill -0 "$3" 2>/dev/null || return
    sleep 0.01
  done
}
"${measure[@]}" -o whole.gguf >log 2>&1
kills=0
for chunks in 1 1 2 1 3 1 2; do  # of 120
  [ -e part.gguf ] && break  # the machine was too quick
  "${measure[@]}" -o part.gguf --resume >log 2>&1 &
  process=$!
  for _ in $(seq $chunks); do
    wait_for_new part.gguf.checkpoint "$(stat -c %y part.gguf.checkpoint 2>/dev/null || echo none)" $process
  done
  kill -9 $process 2>/dev/null && kills=$((kills + 1))
  wait $process 2>/dev/null
done
[ $kills -gt 1 ] && echo 'it was killed'
"${measure[@]}" -o part.gguf --resume 2>log | grep -v 'by an earlier call'
cmp whole.gguf part.gguf && echo 'the same file'
ls -A

echo '--- Ctrl-C'
"${measure[@]}" -o int.gguf >log 2>&1 &
process=$!
wait_for_new int.gguf.checkpoint none $process
kill -INT $process
wait $process
echo "status $?"
sed -E 's/after [0-9]+/after N/' log
refuses calibrate "$ASSETS/lab-7m" -f "$text" -c 64 --chunks 40 --moments --memory 7MiB -o int.gguf --resume --quiet
refuses calibrate "$ASSETS/lab-7m" -f "$text" "$text" -c 128 --chunks 40 --moments --memory 7MiB -o int.gguf --resume --quiet
nibble calibrate "$ASSETS/lab-7m" -f "$text" -c 128 --chunks 40 --moments -o int.gguf --quiet
cmp whole.gguf int.gguf && echo 'the same file'
ls -A

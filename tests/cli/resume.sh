# kill -9 at any moment, then --resume: the same SHA-256 as without (bench/kill_and_resume.py does it more often).
. "$LIB"
types=q8_0,q6_k
"$NIBBLE" quantize "$ASSETS/lab-7m" -t $types -o whole --quiet >log 2>&1
for bytes in 0 800 1400 2000 2600 3200; do  # of the journal: its text has some 500, a record 56
  NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t $types -o out --threads 1 --quiet --resume >log 2>&1 &
  process=$!
  wait_for_bytes out/lab-7m-q6_k.gguf.journal $bytes $process
  kill -9 $process 2>/dev/null
  wait $process 2>/dev/null
done
nibble quantize "$ASSETS/lab-7m" -t $types -o out --quiet --resume >log 2>&1
echo "$(grep -c 'from an earlier call' log) files went on"
ls -A out
for file in whole/*; do cmp "$file" "out/${file#whole/}" && echo "the same ${file#whole/}"; done

echo '--- what is left is begun anew unless --resume is said'
NIBBLE_ISA=scalar "$NIBBLE" quantize "$ASSETS/lab-7m" -t q6_k -o a.gguf --threads 1 --quiet >log 2>&1 &
process=$!
wait_for_bytes a.gguf.journal 0 $process
kill -9 $process
wait $process 2>/dev/null
refuses quantize "$ASSETS/lab-7m" -t q8_0 -o a.gguf --quiet --resume
refuses quantize "$ASSETS/lab-7m" -t q6_k -o a.gguf --quiet --resume --imatrix "$ASSETS/../tests/golden/lab-7m/imatrix.dat"
refuses quantize "$ASSETS/lab-7m" -t q6_k -o a.gguf --quiet --resume --effort best
nibble quantize "$ASSETS/lab-7m" -t q6_k -o a.gguf --quiet
cmp a.gguf whole/lab-7m-q6_k.gguf && echo 'the same file'
nibble quantize "$ASSETS/lab-7m" -t q6_k -o a.gguf --quiet --resume
ls

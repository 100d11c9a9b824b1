# The same file whatever the instruction set and the number of threads: one SHA-256 a type.
. "$LIB"
types=q8_0,q6_k,q5_k_m,q4_k_m,q5_0,q4_0,f16
for isa in scalar avx2 avxvnni avx512 neon i8mm; do
  for threads in 1 2 4; do
    # An instruction set that this machine does not have is refused and has nothing to compare.
    NIBBLE_ISA=$isa "$NIBBLE" quantize "$ASSETS/lab-7m" -t $types -o $isa-$threads --threads $threads --quiet >log 2>&1 ||
      grep -q 'NIBBLE_ISA' log || cat log
  done
done
for type in ${types//,/ }; do
  echo "$type: $(sha256sum */lab-7m-$type.gguf | cut -d' ' -f1 | sort -u | wc -l) sum"
done

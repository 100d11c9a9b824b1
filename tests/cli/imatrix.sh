# Encoding by an importance matrix, and matrices that do not fit.
. "$LIB"
# imatrix FILE NAME COLUMNS...: a .dat in which every eighth column matters
imatrix() {
  python3 -c 'import struct, sys
path, *entries = sys.argv[1:]
with open(path, "wb") as f:
    f.write(struct.pack("<i", len(entries) // 2))
    for name, columns in zip(entries[::2], map(int, entries[1::2])):
        values = [float(i % 8 == 0) for i in range(columns)]
        f.write(struct.pack(f"<i{len(name)}sii{columns}f", len(name), name.encode(), 1, columns, *values))
    f.write(struct.pack("<ii8s", 20, 8, b"wiki.txt"))' "$@"
}
imatrix my.dat blk.0.attn_q.weight 256 blk.0.ffn_down.weight 768
nibble quantize "$ASSETS/lab-7m" -t q4_0 -o plain.gguf --quiet
nibble quantize "$ASSETS/lab-7m" -t q4_0 -o weighted.gguf --imatrix my.dat --quiet
cmp -s plain.gguf weighted.gguf || echo 'the importance changed the file'
nibble inspect weighted.gguf | grep imatrix
nibble quantize --exclude-weights attn_q --exclude-weights attn_k "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix my.dat --quiet
nibble quantize --include-weights attn_q "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix my.dat --json --quiet | grep importance
rm out.gguf
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix my.dat --include-weights output
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix my.dat --include-weights a --exclude-weights b
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --include-weights a
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix missing.dat
imatrix other.dat blk.0.attn_q.weight 128
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix other.dat
patch my.dat 35 0000c0ff
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix my.dat
head -c 100 other.dat >short.dat
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix short.dat
imatrix stranger.dat h.0.attn.weight 256
refuses quantize "$ASSETS/lab-7m" -t q4_0 -o out.gguf --imatrix stranger.dat

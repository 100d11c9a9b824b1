# A file is encoded again from its source and compared.
. "$LIB"
types=q4_k_m,q8_0
"$NIBBLE" quantize "$ASSETS/lab-7m" -t $types -o out --quiet >log 2>&1
nibble verify out/lab-7m-q4_k_m.gguf --source "$ASSETS/lab-7m" --quiet
nibble verify out/lab-7m-q8_0.gguf --source "$ASSETS/lab-7m" --quiet --sample 10% --seed 7 --json

echo '--- one byte of blk.5'
cp out/lab-7m-q8_0.gguf spoiled.gguf
patch spoiled.gguf 7000000 55
nibble verify spoiled.gguf --source "$ASSETS/lab-7m" --quiet

echo '--- another source'
nibble verify out/lab-7m-q8_0.gguf --source out/lab-7m-q4_k_m.gguf --quiet 2>&1
nibble verify out/lab-7m-q8_0.gguf --source out/lab-7m-q4_k_m.gguf --quiet --json 2>/dev/null | grep -c 'made from another source'

echo '--- effort and pruned layers are known'
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q4_0 -o best.gguf --effort best --prune-layers 2,3 --quiet >log 2>&1 || cat log
nibble verify best.gguf --source "$ASSETS/lab-7m" --quiet

echo '--- no lock record'
python3 - <<'PYTHON'
bytes = open("out/lab-7m-q8_0.gguf", "rb").read()
open("unlocked.gguf", "wb").write(bytes.replace(b"nibble.lock.", b"nibble.luck."))
PYTHON
nibble verify unlocked.gguf --source "$ASSETS/lab-7m" --quiet

echo '--- wrong usage'
nibble verify out/lab-7m-q8_0.gguf --source "$ASSETS/lab-7m" --sample 0%
nibble verify out/lab-7m-q8_0.gguf

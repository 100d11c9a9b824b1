# Targets that must not or cannot be written.
. "$LIB"
refuses quantize "$ASSETS/lab-7m" -t q8_0 -o missing/folder/out.gguf --quiet
refuses quantize "$ASSETS/lab-7m" -t q8_0 -o /proc/out.gguf --quiet

"$NIBBLE" quantize "$ASSETS/lab-7m" -t f16 -o model.gguf --quiet >set_up.log 2>&1
sum=$(cksum <model.gguf)
refuses quantize model.gguf -t q8_0 -o model.gguf --quiet
ln -s model.gguf link.gguf
refuses quantize model.gguf -t q8_0 -o link.gguf --quiet
[ "$sum" = "$(cksum <model.gguf)" ] && echo "the source is unchanged"

echo '--- a file that must not be written, a file instead of a folder, a folder for nothing'
echo mine >locked.gguf
chmod 444 locked.gguf
refuses quantize model.gguf -t q8_0 -o locked.gguf --quiet
refuses quantize model.gguf -t q8_0 -o set_up.log --quiet
refuses quantize model.gguf -t q9_0 -o new/folder --quiet
cat locked.gguf

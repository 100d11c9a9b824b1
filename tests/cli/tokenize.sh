# Tokens of a text, from a Hugging Face directory, a tokenizer.json and a GGUF; with and without BOS and special tokens.
. "$LIB"
G="$ASSETS/../tests/golden/text"
nibble tokenize "$ASSETS/lab-7m" "Once upon a time"
nibble tokenize "$ASSETS/lab-7m" "Once</s>" --no-special
nibble tokenize "$ASSETS/lab-7m" "Once</s>" --no-special --plain
printf 'naïve\n 漢' >text
nibble tokenize "$G/tokenizers/gpt2.json" -f text
nibble tokenize "$G/tokenizers/bert.json" "naïve Words" --json
printf '"a b"\n""\n"a\\nb<|im_end|>"\n' >lines
nibble tokenize "$G/tokenizers/gpt4o.json" --lines lines
nibble tokenize "$G/tokenizers/gpt4o.json" --lines lines --count --quiet
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q8_0 -o lab.gguf --quiet >quantized 2>&1
nibble tokenize lab.gguf "Once upon a time" --json
nibble tokenize lab.gguf -f text --count --quiet
refuses tokenize "$ASSETS/lab-7m"
refuses tokenize "$ASSETS/lab-7m" x -f text
refuses tokenize "$ASSETS/lab-7m" --lines text
refuses tokenize missing x
echo '{"model": {"type": "WordLevel"}}' >tokenizer.json
refuses tokenize tokenizer.json x

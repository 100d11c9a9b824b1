# From a text to an importance matrix with moments, and a file that is rounded with them.
. "$LIB"
text="$ASSETS/lab-7m-text/calibration.txt"
nibble calibrate "$ASSETS/lab-7m" -f "$text" -c 256 --chunks 12 -o my.dat --quiet
nibble calibrate "$ASSETS/lab-7m" -f "$text" -c 256 --chunks 12 -o my.gguf --moments --quiet
nibble calibrate "$ASSETS/lab-7m" -f "$text" "$text" -c 256 --chunks 12 -o json.gguf --json --quiet | grep -v -e second -e memory
nibble quantize "$ASSETS/lab-7m" -t q4_k_m -o out.gguf --imatrix my.gguf --quiet
nibble verify out.gguf --source "$ASSETS/lab-7m" --imatrix my.gguf --quiet
nibble quantize "$ASSETS/lab-7m" -t q4_k_m -o out.gguf --imatrix my.dat --quiet
refuses quantize "$ASSETS/lab-7m" -t q4_k_m -o new.gguf --imatrix my.dat --method gptq --quiet
refuses quantize "$ASSETS/lab-7m" -t q4_k_m -o new.gguf --method weighted --quiet
printf 'too short' >short.txt
refuses calibrate "$ASSETS/lab-7m" -f short.txt -o new.gguf --quiet
refuses calibrate "$ASSETS/lab-7m" -f missing.txt -o new.gguf --quiet
refuses calibrate "$ASSETS/lab-7m" -f "$text" -o new.dat --moments --quiet
refuses calibrate "$ASSETS/lab-7m" -f "$text" -o missing/new.gguf -c 256 --chunks 1 --quiet

# From a text and a size to a recipe, the recipe replayed, the same in one command, and a contract.
. "$LIB"
text="$ASSETS/lab-7m-text/calibration.txt"
head -c 60000 "$text" >short.txt
nibble calibrate "$ASSETS/lab-7m" -f short.txt -c 256 -o statistics.gguf --quiet
goal="--calibration short.txt --imatrix statistics.gguf --window 256 --sensitivity-tokens 1024 --types q2_k,q3_k,q4_k,q6_k --effort fast --quiet"
nibble plan "$ASSETS/lab-7m" --size 3200000B $goal --sensitivity s.jsonl -o my.recipe
nibble quantize "$ASSETS/lab-7m" -t my.recipe --imatrix statistics.gguf --effort fast -o replayed.gguf --quiet
nibble quantize "$ASSETS/lab-7m" --size 3200000B $goal --sensitivity s.jsonl -o sized.gguf
nibble quantize "$ASSETS/lab-7m" --max-kl 0.02 $goal --sensitivity s.jsonl -o contract.gguf
nibble verify contract.gguf --source "$ASSETS/lab-7m" --imatrix statistics.gguf --quiet
ls
refuses plan "$ASSETS/lab-7m" --size 1MB $goal --sensitivity s.jsonl
refuses plan "$ASSETS/lab-7m" --size 3MB --max-kl 0.1 $goal
refuses plan "$ASSETS/lab-7m" --size big $goal
refuses plan "$ASSETS/lab-7m" $goal
refuses plan "$ASSETS/lab-7m" --size 3MB
refuses quantize "$ASSETS/lab-7m" --size 3MB -t q4_k $goal
refuses quantize "$ASSETS/lab-7m" --max-kl 0.00001 --tensor-type ffn_down=q2_k $goal -o never.gguf
refuses quantize "$ASSETS/lab-7m" -t q4_0 --scaling awq -o never.gguf
[ -e never.gguf ] || echo "no file"

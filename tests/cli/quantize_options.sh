# Every option of nibble quantize that decides about types or metadata, and options that contradict each other.
. "$LIB"
model=$ASSETS/lab-7m
types() { "$NIBBLE" inspect "$1" | grep -E '(token_embd|output|blk\.[01]\.(attn_[qv]|ffn_down)).weight' | awk '{ print $1, $2 }'; }
plan() {
  echo "--dry-run $*"
  "$NIBBLE" quantize "$model" -t q4_k_m -o nowhere/x --dry-run --json --quiet "$@" | python3 -c 'import json, sys
tensors = json.load(sys.stdin)["outputs"][0]["tensors"]
for name in ("token_embd", "output", "blk.0.attn_v", "blk.1.attn_q", "blk.1.ffn_down"):
    print(" ", name, tensors[name + ".weight"])'
}
nibble quantize "$model" -t q4_k_m,q8_0 -o nowhere/x --dry-run
plan
plan --output-tensor-type Q8_0 --token-embedding-type q4_0
plan --leave-output-tensor
plan --pure
plan --tensor-type 'attn_[qv]=q8_0' --tensor-type ATTN=q5_k
printf '# mine\nffn_down=q8_0\nattn_v=q5_0\n' >types.txt
plan --tensor-type blk.0.attn=q6_k --tensor-type-file types.txt
ls

echo 'metadata and layers'
nibble quantize --override-kv general.name=str:mine --override-kv llama.rope.freq_base=float:1e6 "$model" -t f16 -o model.gguf --quiet
"$NIBBLE" inspect model.gguf | grep -E 'general.name|freq_base'
nibble quantize --prune-layers 4,1 model.gguf -t q4_0 -o pruned.gguf --quiet
"$NIBBLE" inspect pruned.gguf | grep -E 'block_count|attn_q.weight'
nibble quantize model.gguf -t Copy -o copy.gguf --quiet
cmp model.gguf copy.gguf && echo 'a copy'

echo 'split as the source is'
"$NIBBLE" split model.gguf --max-tensors 30 -o parts --quiet >log
"$NIBBLE" quantize model.gguf -t q4_0 -o whole.gguf --quiet >log 2>&1
nibble quantize --keep-split parts-00001-of-00002.gguf -t q4_0 -o small.gguf --quiet
ls small*
"$NIBBLE" join small-00001-of-00002.gguf -o small.gguf --quiet >log
cmp <(tail -c 4000000 small.gguf) <(tail -c 4000000 whole.gguf) && echo 'the same weights'

echo 'what makes no sense'
refuses quantize "$model" -t q4_0 --keep-split
refuses quantize "$model" -t q4_0 --leave-output-tensor --output-tensor-type q8_0
refuses quantize "$model" -t copy --pure
refuses quantize "$model" -t q4_0 --output-tensor-type q9
refuses quantize "$model" -t q4_0 --tensor-type attn
refuses quantize "$model" -t q4_0 --tensor-type '(=q8_0'
printf 'attn=q8_0\nffn=q9\n' >types.txt
refuses quantize "$model" -t q4_0 --tensor-type-file types.txt
refuses quantize "$model" -t q4_0 --override-kv general.name=mine
refuses quantize "$model" -t q4_0 --override-kv llama.block_count=int:many
refuses quantize "$model" -t q4_0 --override-kv llama.block_count=int:5
refuses quantize "$model" -t q4_0 --prune-layers 6
refuses quantize "$model" -t q4_0 --prune-layers 0,x
printf 'all q8_0\nattn_qkv q4_0\n' >my.recipe
nibble quantize "$model" -t my.recipe -o nowhere/x --dry-run --quiet
nibble quantize "$model" -t q4_0 --tensor-type attn_v=q8_0 --tensor-type atn_k=q8_0 -o nowhere/x --dry-run --quiet

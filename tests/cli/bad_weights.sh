# Weights that are no numbers are named by tensor and index, and nothing is written.
. "$LIB"
set_weight() {  # set_weight MODEL TENSOR INDEX HEX
  own "$1/model.safetensors"
  python3 - "$@" <<'PY'
import json, struct, sys
model, tensor, index, value = sys.argv[1:]
with open(f"{model}/model.safetensors", "r+b") as f:
    length, = struct.unpack("<Q", f.read(8))
    begin = json.loads(f.read(length))[tensor]["data_offsets"][0]
    f.seek(8 + length + begin + 2 * int(index))
    f.write(bytes.fromhex(value))
PY
}
copy_model nan && set_weight nan model.layers.2.mlp.down_proj.weight 1000 007e
mkdir outputs
refuses quantize nan -t q8_0,q4_k_m -o outputs --quiet
refuses quantize nan -t f16 -o out.gguf --quiet
refuses run nan -t q8_0 -p x --quiet
"$NIBBLE" inspect nan --validate --quiet >listing || echo "inspect --validate: [status $?]"

copy_model infinite && set_weight infinite lm_head.weight 1048575 00fc
refuses quantize infinite -t q4_0 -o out.gguf --quiet

# Hugging Face directories with something missing or contradictory.
. "$LIB"
mkdir empty && refuses quantize empty -t q8_0 -o out.gguf

copy_model no_config && rm no_config/config.json
refuses quantize no_config -t q8_0 -o out.gguf

copy_model no_weights && rm no_weights/model.safetensors
refuses quantize no_weights -t q8_0 -o out.gguf

copy_model no_tokenizer && rm no_tokenizer/tokenizer.model no_tokenizer/tokenizer.json
refuses quantize no_tokenizer -t q8_0 -o out.gguf

copy_model heads && edit_json heads/config.json 'd["num_attention_heads"] = 7'
refuses quantize heads -t q8_0 -o out.gguf

copy_model hidden && edit_json hidden/config.json 'd["hidden_size"] = 512'
refuses quantize hidden -t q8_0 -o out.gguf

copy_model layers && edit_json layers/config.json 'd["num_hidden_layers"] = 7'
refuses quantize layers -t q8_0 -o out.gguf

copy_model family && edit_json family/config.json 'd["architectures"] = ["MambaForCausalLM"]; d["model_type"] = "mamba"'
refuses quantize family -t q8_0 -o out.gguf

copy_model syntax && own syntax/config.json && printf '{"hidden_size": ' >syntax/config.json
refuses quantize syntax -t q8_0 -o out.gguf

copy_model tensor && own tensor/model.safetensors
sed -i 's/model\.layers\.5\.mlp\.up_proj/model.layers.9.mlp.up_proj/' tensor/model.safetensors
refuses quantize tensor -t q8_0 -o out.gguf

copy_model vocabulary && rm vocabulary/tokenizer.model
edit_json vocabulary/tokenizer.json 'd["model"]["vocab"]["one more"] = 4096'
refuses quantize vocabulary -t q8_0 -o out.gguf

copy_model embedding && edit_json embedding/config.json 'd["vocab_size"] = 4100'
refuses quantize embedding -t q8_0 -o out.gguf

copy_model shard && rm shard/model.safetensors
cat >shard/model.safetensors.index.json <<'JSON'
{"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}}
JSON
refuses quantize shard -t q8_0 -o out.gguf

copy_model truncated && own truncated/model.safetensors && truncate -s 1000000 truncated/model.safetensors
refuses quantize truncated -t q8_0 -o out.gguf

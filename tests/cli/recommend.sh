# Which type to choose. Speeds depend on the machine: what is compared is the rest.
. "$LIB"
nibble recommend "$ASSETS/lab-7m" --ram 1GiB --no-speed --quiet -t f16,q8_0,q6_k,q4_k_m,q2_k
nibble recommend "$ASSETS/lab-7m/config.json" --ram 1GiB --vram 12MiB --context 256 --use creative --no-speed --quiet -t q8_0,q3_k_m
nibble recommend "$ASSETS/lab-7m" --ram 1GiB --max-loss 0.002 --no-speed --quiet -t q8_0,q6_k

"$NIBBLE" recommend "$ASSETS/lab-7m" -t q8_0,q4_0 --ram 1GB --use code --min-speed 0.001 --json 2>progress >result.json
grep -q '^measuring 100 %' progress && echo 'progress on stderr'
"$NIBBLE" quantize "$ASSETS/lab-7m" -t q8_0,q4_0 -o . --quiet >log 2>&1
python3 - <<'PY'
import json, os
r = json.load(open("result.json"))
print(sorted(r), r["limits"]["threads"] > 0, r["ram"], r["context"], r["max_loss"])
for c in r["candidates"]:
    speed, memory = c["speed"], c["memory"]
    print(c["type"], c["kv_type"], c["file_bytes"] == os.path.getsize(f"lab-7m-{c['type']}.gguf"), c["fits"], c["loss"]["kl"],
          speed["generation"] >= speed["generation_at_full_context"] > 0, speed["prompt"] > 0,
          memory["peak"] == memory["weights"] + memory["kv_cache"] + memory["working"] + memory["program"])
print(r["candidates"][r["best"]]["type"], len(r["commands"]))
PY
nibble recommend lab-7m-q4_0.gguf --ram 1GB --no-speed --quiet

refuses recommend
refuses recommend missing
refuses recommend "$ASSETS/lab-7m" --ram 1MiB --no-speed -t q8_0,q2_k --quiet
refuses recommend "$ASSETS/lab-7m" --ram much
refuses recommend "$ASSETS/lab-7m" --vram 12XB
refuses recommend "$ASSETS/lab-7m" --use poetry
refuses recommend "$ASSETS/lab-7m" --context 1024
refuses recommend "$ASSETS/lab-7m" --no-speed --min-speed 10
refuses recommend "$ASSETS/lab-7m" -t q9
refuses recommend lab-7m-q4_0.gguf -t q2_k
echo '{"architectures": ["MambaForCausalLM"]}' >config.json
refuses recommend config.json
echo '{"architectures": ["LlamaForCausalLM"], "hidden_size": 0}' >config.json
refuses recommend .

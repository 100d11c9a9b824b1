# PyTorch's files: the same model as safetensors and as pytorch_model.bin gives the same GGUF; one that would run a
# program is refused.
. "$LIB"
mkdir safe torch
copy_model safe/model
copy_model torch/model && rm torch/model/model.safetensors
python3 - safe/model/model.safetensors torch/model/pytorch_model.bin <<'PY'
import collections, io, json, pickle, struct, sys, types, zipfile
source, target = sys.argv[1:]
with open(source, "rb") as f:
    header, data = json.loads(f.read(struct.unpack("<Q", f.read(8))[0])), f.read()
header.pop("__metadata__", None)
torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})

def _rebuild_tensor_v2(): ...
_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2
kinds = {}
for kind, name in {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage"}.items():
    kinds[kind] = type(name, (), {"__module__": "torch"})
    setattr(torch, name, kinds[kind])
sizes = {"F32": 4, "F16": 2, "BF16": 2}

class Storage:
    def __init__(self, key, kind, content):
        self.key, self.kind, self.content = key, kind, content

class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)
    def __reduce__(self):
        strides, step = [], 1
        for size in reversed(self.shape):
            strides.insert(0, step)
            step *= size
        return _rebuild_tensor_v2, (self.storage, 0, self.shape, tuple(strides), False, collections.OrderedDict())

class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", kinds[value.kind], value.key, "cpu", len(value.content) // sizes[value.kind])

storages = [Storage(str(i), e["dtype"], data[slice(*e["data_offsets"])]) for i, e in enumerate(header.values())]
weights = {name: Tensor(storage, e["shape"]) for (name, e), storage in zip(header.items(), storages)}
out = io.BytesIO()
Pickler(out, 2).dump(weights)
with zipfile.ZipFile(target, "w") as archive:
    archive.writestr("pytorch_model/data.pkl", out.getvalue())
    archive.writestr("pytorch_model/byteorder", "little")
    for storage in storages:
        archive.writestr(f"pytorch_model/data/{storage.key}", storage.content)

class Attack:
    def __reduce__(self):
        import os
        return os.system, ("touch attacked",)
with zipfile.ZipFile("attack.bin", "w") as archive:
    archive.writestr("m/data.pkl", pickle.dumps({"w": Attack()}, 2))
with zipfile.ZipFile("compressed.bin", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("m/data.pkl", bytes(100_000_000))
PY
for each in safe torch; do "$NIBBLE" quantize "$each/model" -t q4_k_m -o "$each.gguf" --quiet || echo "[status $?]"; done
cmp safe.gguf torch.gguf && echo "the same bytes"

for attack in attack compressed; do
  cp "$attack.bin" torch/model/pytorch_model.bin
  refuses quantize torch/model -t q8_0 -o out.gguf
done
[ ! -e attacked ] && echo "nothing ran"

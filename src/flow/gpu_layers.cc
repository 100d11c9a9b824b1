#include "flow/gpu_layers.h"

#include <algorithm>
#include <vector>

#include "model/roles.h"

namespace nibble {

GpuSplit split_for_gpu(const ModelConfig& config, std::span<const TensorInfo> tensors,
                       uint64_t vram, uint64_t kv_cache_bytes) {
  const auto layers = static_cast<size_t>(config.layers);
  std::vector<uint64_t> sizes(layers, kv_cache_bytes / layers);
  uint64_t output = 0, embedding = 0, logits = 0;
  for (const TensorInfo& tensor : tensors) {
    const TensorPlace place = *place_from_gguf_name(tensor.name);
    if (role_row(place.role).per_layer) {
      sizes[place.layer] += tensor.bytes();
    } else if (place.role == Role::kTokenEmbd) {
      embedding = tensor.bytes();
      logits = 512 * tensor.shape.rows() * sizeof(float);
    } else if (place.role == Role::kOutput && is_multiplied(place)) {
      output = tensor.bytes();
    }
  }
  sizes.insert(sizes.begin(), output == 0 ? embedding : output);  // the last that goes there
  const uint64_t room = vram - std::min(vram, logits);
  GpuSplit split;
  for (size_t i = sizes.size(); i-- > 0 && split.bytes + sizes[i] <= room; ++split.layers)
    split.bytes += sizes[i];
  return split;
}

}  // namespace nibble

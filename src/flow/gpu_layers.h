// How a model is split between a GPU and memory, as llama.cpp's -ngl does: the last layers with
// their keys and values, then the output. Arithmetic for other programs; this one runs on CPUs.
#pragma once

#include <cstdint>
#include <span>

#include "model/config.h"
#include "tensor/source.h"

namespace nibble {

struct GpuSplit {
  int64_t layers = 0;  // that fit; the model's layers and one more: the output, too
  uint64_t bytes = 0;  // of weights, keys and values there
};

// `kv_cache_bytes` are those of all layers. The logits of 512 tokens are set aside, the largest
// thing that llama.cpp computes there.
GpuSplit split_for_gpu(const ModelConfig& config, std::span<const TensorInfo> tensors,
                       uint64_t vram, uint64_t kv_cache_bytes);

}  // namespace nibble

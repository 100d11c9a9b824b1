// What a model takes in memory when it runs (`nibble run`, `nibble bench`), from its tensors alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernel/kv_layout.h"
#include "model/config.h"
#include "nibble/recommend.h"
#include "tensor/source.h"

namespace nibble {

// With the matrices interleaved in memory, as they are when there is room: each then stands there
// once, and the file's bytes only where nothing is interleaved: float matrices, and the rows of the
// embedding that are looked up. A prompt of up to 512 tokens goes through the model at
// once. `program_bytes` is what a process takes without a model.
MemoryNeed predict_memory(const ModelConfig& config, std::span<const TensorInfo> tensors,
                          int64_t context, KvTypes kv_types, int threads, uint64_t program_bytes);

// The parts of it. Weights: at their most, which is while they are interleaved (the file's bytes of
// a matrix go when it is done), and afterwards.
struct WeightMemory {
  uint64_t loading = 0;
  uint64_t running = 0;
};
WeightMemory weight_memory(std::span<const TensorInfo> tensors, int64_t context);
uint64_t kv_cache_bytes(const ModelConfig& config, int64_t context, KvTypes kv_types);
// Buffers of Forward for a batch of so many tokens and the logits of one.
uint64_t forward_bytes(const ModelConfig& config, std::span<const TensorInfo> tensors,
                       int64_t tokens);

// `asked`, or with 0 what most use: 8192 tokens or those the model was trained for, if fewer. Error
// kUsage for more of them or less than none; `model` is what it says.
int64_t context_to_use(int64_t asked, int64_t trained, const std::string& model);

// What the program takes without a model: VmRSS of /proc/self/status when this is called for the
// first time, before anything is loaded; 0 where the system does not say.
uint64_t program_memory_bytes();

}  // namespace nibble

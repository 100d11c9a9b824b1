// How fast a model would run on this machine with matrices of given types: measured with a few
// layers of its own shapes whose weights are all one value, since values do not change the speed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "base/huge_pages.h"
#include "base/threads.h"
#include "kernel/kv_layout.h"
#include "model/config.h"
#include "tensor/source.h"

namespace nibble {

class SpeedModel {
 public:
  // Takes memory for a few layers: twice the last-level cache, 256 to 512 MiB, or the model's own
  // size if that is less. `config` and `pool` must outlive it. Error kIo without that memory.
  SpeedModel(const ModelConfig& config, int64_t vocab_size, ThreadPool& pool);
  ~SpeedModel();

  // Seconds of a token after `position` others, and of a prompt of up to 512 tokens, of a model of
  // these tensors. What has not been measured yet is: some tenths of a second for each type.
  double generation_seconds(std::span<const TensorInfo> tensors, KvTypes kv_types,
                            int64_t position);
  double prompt_seconds(std::span<const TensorInfo> tensors, int64_t tokens);

 private:
  // Of a matrix of a type.
  struct Rates {
    double read_bytes_per_second;  // of the bytes in the file, in generation
    double products_per_second;    // weights times tokens, in prompts
  };
  class Layers;

  const Rates& rates_of(DType type);
  double seconds_of_position(KvTypes kv_types);  // in each layer, for each position before
  double generation_rate(DType type);
  double prompt_rate(DType type);
  ModelConfig fitted(const ModelConfig& config, DType type) const;
  std::span<const std::byte> buffer_for(DType type);
  void fill(std::byte* memory);

  const ModelConfig& config_;
  ModelConfig
      shape_;  // of what is run: only the experts that a token uses, whole blocks of columns
  int64_t vocab_size_;  // likewise
  ThreadPool& pool_;
  HugePages buffer_;
  std::unique_ptr<std::byte[]> small_pages_;  // as large, once a float type needs it
  int64_t buffer_bytes_ = 0;
  std::map<DType, Rates> rates_;
  std::map<std::pair<DType, DType>, double> position_seconds_;
};

}  // namespace nibble

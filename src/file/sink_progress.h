// What every sink checks: the announced tensors, and that all of their bytes come.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tensor/source.h"

namespace nibble {

class SinkProgress {
 public:
  // Error kUsage: a name that is empty or stands there twice, a shape that is none of the type's.
  SinkProgress(const std::filesystem::path& target, std::vector<TensorInfo> tensors);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }

  // Counts `bytes` at `offset` of tensor number `tensor`. Thread-safe. Error kUsage when they lie
  // outside it or are more than it has.
  void take(size_t tensor, uint64_t offset, uint64_t bytes);
  // Error kUsage unless every tensor is complete.
  void require_complete() const;

 private:
  std::string target_;
  std::vector<TensorInfo> tensors_;
  std::unique_ptr<std::atomic<uint64_t>[]> taken_;  // bytes of each tensor so far
};

}  // namespace nibble

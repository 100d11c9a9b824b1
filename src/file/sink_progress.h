// What every sink checks: the announced tensors, and that their bytes come in order and complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tensor/source.h"

namespace nibble {

class SinkProgress {
 public:
  // Error kUsage: a name that is empty or stands there twice, a shape that is none of the type's.
  SinkProgress(const std::filesystem::path& target, std::vector<TensorInfo> tensors);

  // Counts `bytes` of tensor number `tensor`; true when they complete it. Error kUsage when they
  // are out of order or too many.
  bool take(size_t tensor, uint64_t bytes);
  // Error kUsage unless every tensor is complete.
  void require_complete() const;

 private:
  std::string target_;
  std::vector<TensorInfo> tensors_;
  size_t tensor_ = 0;   // the one that is being written
  uint64_t taken_ = 0;  // its bytes so far
};

}  // namespace nibble

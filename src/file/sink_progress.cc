#include "file/sink_progress.h"

#include <algorithm>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/tensor_files.h"

namespace nibble {

SinkProgress::SinkProgress(const std::filesystem::path& target, std::vector<TensorInfo> tensors)
    : target_(target.string()), tensors_(std::move(tensors)) {
  for (const TensorInfo& tensor : tensors_) {
    const auto bytes = checked_tensor_bytes(tensor.type, tensor.shape);
    const bool has_rank = tensor.shape.rank >= 1 && tensor.shape.rank <= Shape::kMaxRank;
    if (tensor.name.empty() || !has_rank || bytes.value_or(0) == 0) {
      fail(ErrorCode::kUsage, "{}: tensor {}: no {} tensor can have the shape {}", target_,
           printable(tensor.name), dtype_name(tensor.type), to_string(tensor.shape));
    }
  }
  if (const auto name = find_duplicate(tensors_)) {
    fail(ErrorCode::kUsage, "{}: tensor {}: announced more than once", target_, printable(*name));
  }
}

bool SinkProgress::take(size_t tensor, uint64_t bytes) {
  if (tensor != tensor_ || tensor >= tensors_.size() || bytes > tensors_[tensor].bytes() - taken_) {
    fail(ErrorCode::kUsage,
         "{}: {} bytes of tensor {} came, when tensor {} of {} had {} bytes written", target_,
         bytes, tensor, tensor_, tensors_.size(), taken_);
  }
  taken_ += bytes;
  if (taken_ < tensors_[tensor].bytes()) return false;
  ++tensor_;
  taken_ = 0;
  return true;
}

void SinkProgress::require_complete() const {
  if (tensor_ == tensors_.size()) return;
  fail(ErrorCode::kUsage, "{}: finished when tensor {} had {} of {} bytes", target_,
       printable(tensors_[tensor_].name), taken_, tensors_[tensor_].bytes());
}

}  // namespace nibble

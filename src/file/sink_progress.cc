#include "file/sink_progress.h"

#include <algorithm>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/tensor_files.h"

namespace nibble {

SinkProgress::SinkProgress(const std::filesystem::path& target, std::vector<TensorInfo> tensors)
    : target_(target.string()),
      tensors_(std::move(tensors)),
      taken_(std::make_unique<std::atomic<uint64_t>[]>(tensors_.size())) {
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

void SinkProgress::take(size_t tensor, uint64_t offset, uint64_t bytes) {
  if (tensor >= tensors_.size()) {
    fail(ErrorCode::kUsage, "{}: bytes of tensor {} of {} came", target_, tensor, tensors_.size());
  }
  const uint64_t whole = tensors_[tensor].bytes();
  const bool is_inside = offset <= whole && bytes <= whole - offset;
  if (!is_inside || taken_[tensor].fetch_add(bytes) > whole - bytes) {
    fail(ErrorCode::kUsage, "{}: tensor {}: {} bytes at {} came, more than its {}", target_,
         printable(tensors_[tensor].name), bytes, offset, whole);
  }
}

void SinkProgress::require_complete() const {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (taken_[i] == tensors_[i].bytes()) continue;
    fail(ErrorCode::kUsage, "{}: finished when tensor {} had {} of {} bytes", target_,
         printable(tensors_[i].name), taken_[i].load(), tensors_[i].bytes());
  }
}

}  // namespace nibble

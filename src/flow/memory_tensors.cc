#include "flow/memory_tensors.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/error.h"

namespace nibble {

MemoryTensors::MemoryTensors(std::vector<TensorInfo> tensors)
    : tensors_(std::move(tensors)), data_(tensors_.size()), written_(tensors_.size()) {
  try {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      data_[i] = std::make_unique_for_overwrite<std::byte[]>(tensors_[i].bytes());
    }
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kUnsupported,
         "the quantized model does not fit into memory; choose a smaller type");
  }
}

void MemoryTensors::write(size_t tensor, std::span<const std::byte> bytes) {
  if (tensor >= tensors_.size() || bytes.size() > tensors_[tensor].bytes() - written_[tensor]) {
    fail(ErrorCode::kUsage, "more bytes for tensor number {} than were announced", tensor);
  }
  std::memcpy(data_[tensor].get() + written_[tensor], bytes.data(), bytes.size());
  written_[tensor] += bytes.size();
}

void MemoryTensors::finish() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (written_[i] != tensors_[i].bytes())
      fail(ErrorCode::kUsage, "tensor {} is incomplete", tensors_[i].name);
  }
}

void MemoryTensors::read_rows(size_t tensor, uint64_t first, uint64_t count,
                              std::span<std::byte> out) const {
  const uint64_t row_bytes = tensors_[tensor].row_bytes();
  std::memcpy(out.data(), view(tensor).subspan(first * row_bytes, count * row_bytes).data(),
              out.size());
}

std::span<const std::byte> MemoryTensors::view(size_t tensor) const {
  return {data_[tensor].get(), tensors_[tensor].bytes()};
}

}  // namespace nibble

#include "flow/memory_tensors.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/error.h"

namespace nibble {

MemoryTensors::MemoryTensors(std::vector<TensorInfo> announced)
    : progress_("model in memory", std::move(announced)), data_(tensors().size()) {
  try {
    for (size_t i = 0; i < tensors().size(); ++i) {
      data_[i] = std::make_unique_for_overwrite<std::byte[]>(tensors()[i].bytes());
    }
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kUnsupported,
         "the quantized model does not fit into memory; choose a smaller type");
  }
}

void MemoryTensors::write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) {
  progress_.take(tensor, offset, bytes.size());
  std::memcpy(data_[tensor].get() + offset, bytes.data(), bytes.size());
}

void MemoryTensors::finish() { progress_.require_complete(); }

void MemoryTensors::read_rows(size_t tensor, uint64_t first, uint64_t count,
                              std::span<std::byte> out) const {
  const uint64_t row_bytes = tensors()[tensor].row_bytes();
  std::memcpy(out.data(), view(tensor).subspan(first * row_bytes, count * row_bytes).data(),
              out.size());
}

std::span<const std::byte> MemoryTensors::view(size_t tensor) const {
  return {data_[tensor].get(), tensors()[tensor].bytes()};
}

}  // namespace nibble

#include "model/scaled.h"

#include <utility>

#include "codec/codec.h"

namespace nibble {

Scaled::Scaled(const TensorSource& source, std::map<size_t, TensorScales> scales)
    : source_(source), scales_(std::move(scales)), tensors_(source.tensors()) {
  for (const auto& [tensor, unused] : scales_) tensors_[tensor].type = DType::kF32;
}

void Scaled::read_rows(size_t tensor, uint64_t first, uint64_t count,
                       std::span<std::byte> out) const {
  const auto found = scales_.find(tensor);
  if (found == scales_.end()) return source_.read_rows(tensor, first, count, out);
  const TensorInfo& stored = source_.tensors()[tensor];
  std::vector<std::byte> bytes(count * stored.row_bytes());
  source_.read_rows(tensor, first, count, bytes);
  const uint64_t columns = stored.shape.columns();
  auto* y = reinterpret_cast<float*>(out.data());
  codec(stored.type).decode(bytes.data(), static_cast<int64_t>(count * columns), y);
  const auto& [of_columns, of_rows] = found->second;
  for (uint64_t r = 0; r < count; ++r, y += columns) {
    const float of_row = of_rows.empty() ? 1.0f : of_rows[first + r];
    for (uint64_t c = 0; c < columns; ++c)
      y[c] *= of_columns.empty() ? of_row : of_columns[c] * of_row;
  }
}

std::span<const std::byte> Scaled::view(size_t tensor) const {
  return scales_.contains(tensor) ? std::span<const std::byte>{} : source_.view(tensor);
}

std::span<const std::byte> Scaled::view_rows(size_t tensor, uint64_t first, uint64_t count) const {
  return scales_.contains(tensor) ? std::span<const std::byte>{}
                                  : source_.view_rows(tensor, first, count);
}

}  // namespace nibble

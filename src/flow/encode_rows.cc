#include "flow/encode_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "codec/codec.h"

namespace nibble {
namespace {

constexpr float kLargestF16 = 65504.0f;

// A loop without branches, so that it costs next to nothing when all is well.
bool all_below(std::span<const float> x, float limit) {
  int bad = 0;
  for (const float v : x) bad |= std::fabs(v) <= limit ? 0 : 1;
  return bad == 0;
}

// Whether larger weights fit: most block formats have f16 scales.
bool reaches_beyond_f16(DType type) {
  return type == DType::kF32 || type == DType::kBF16 || type == DType::kMXFP4;
}

void check_range(const TensorInfo& tensor, DType type, uint64_t first_index,
                 std::span<const float> x) {
  if (reaches_beyond_f16(type) || all_below(x, kLargestF16)) return;
  const auto bad = std::ranges::find_if(x, [](float v) { return std::fabs(v) > kLargestF16; });
  fail(ErrorCode::kInvalidFile,
       "tensor {}: weight {} is {}, which {} cannot hold (up to 65504); use bf16 or f32",
       tensor.name, first_index + static_cast<uint64_t>(bad - x.begin()), *bad, dtype_name(type));
}

// The row's slice of the tensor's importance.
const float* importance_of(const TensorInfo& tensor, std::span<const float> importance,
                           uint64_t row) {
  return importance.data() + row / tensor.shape.dims[1] * tensor.shape.columns();
}

}  // namespace

void check_finite(const TensorInfo& tensor, uint64_t first_index, std::span<const float> x) {
  if (all_below(x, std::numeric_limits<float>::max())) return;
  const auto bad = std::ranges::find_if(x, [](float v) { return !std::isfinite(v); });
  const uint64_t index = first_index + static_cast<uint64_t>(bad - x.begin());
  fail(ErrorCode::kInvalidFile,
       "tensor {}: weight {} (row {}, column {}) is {}; the source is damaged", tensor.name, index,
       index / tensor.shape.columns(), index % tensor.shape.columns(),
       std::isnan(*bad) ? "NaN" : "infinite");
}

void RowEncoder::read(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count) {
  info_ = &source.tensors()[tensor];
  first_ = first;
  count_ = count;
  const uint64_t columns = info_->shape.columns();
  stored_.resize(count * info_->row_bytes());
  x_.resize(count * columns);
  source.read_rows(tensor, first, count, stored_);
  codec(info_->type).decode(stored_.data(), static_cast<int64_t>(x_.size()), x_.data());
  check_finite(*info_, first * columns, x_);
}

std::span<const std::byte> RowEncoder::encode(DType type, const RowEncoding& encoding) {
  if (type == info_->type) return stored_;
  const uint64_t columns = info_->shape.columns();
  check_range(*info_, type, first_ * columns, x_);
  const uint64_t row_bytes = columns / block_weights(type) * block_bytes(type);
  encoded_.resize(count_ * row_bytes);
  const auto encode_row = codec(type).encode;
  if (encoding.importance.empty()) {  // rows are alike, and longer runs encode faster
    encode_row(x_.data(), nullptr, static_cast<int64_t>(x_.size()), encoding.effort,
               encoded_.data());
    return encoded_;
  }
  for (uint64_t i = 0; i < count_; ++i) {
    encode_row(x_.data() + i * columns, importance_of(*info_, encoding.importance, first_ + i),
               static_cast<int64_t>(columns), encoding.effort, encoded_.data() + i * row_bytes);
  }
  return encoded_;
}

uint64_t row_buffer_bytes(const TensorInfo& tensor, std::span<const DType> types) {
  const uint64_t columns = tensor.shape.columns();
  uint64_t widest = 0;
  for (const DType type : types) {
    widest = std::max<uint64_t>(widest, columns / block_weights(type) * block_bytes(type));
  }
  return tensor.row_bytes() + columns * sizeof(float) + widest;
}

uint64_t rows_at_once(const TensorInfo& tensor) {
  constexpr uint64_t kWeights = 1 << 15;  // 128 KiB as floats
  return std::clamp<uint64_t>(kWeights / tensor.shape.columns(), 1, tensor.shape.rows());
}

}  // namespace nibble

#include "flow/encode_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "codec/codec.h"

namespace nibble {
namespace {

// The largest of all |x|; infinite or not a number when any of them is. As integers, the bits of
// magnitudes have their order, with those of infinity and NaN at the end.
float largest_magnitude(std::span<const float> x) {
  int32_t largest = 0;
  for (const float v : x) largest = std::max(largest, std::bit_cast<int32_t>(v) & 0x7fffffff);
  return std::bit_cast<float>(largest);
}

// The largest weight that a type is given. Those with f16 scales share f16's own, though a scale is
// a fraction of the largest weight in some.
constexpr float largest_weight(DType type) {
  switch (type) {
    case DType::kF32:
      return std::numeric_limits<float>::max();
    case DType::kBF16:
      return 0x1.FEp127f;  // half a step above it, rounding gives infinity
    case DType::kMXFP4:
      return 0x1.8p127f;  // 3 * 2^126; the next value, 4 * 2^126, is infinity as a float
    case DType::kNVFP4:
      return 6.0f * 448.0f;  // the largest e2m1 and the largest ue4m3
    default:
      return 65504.0f;
  }
}

// Whether the importance of a weight grows with its size: with importance sqrt(mean square + x^2)
// beside that of the column, as llama.cpp has it for most types. With grids of 2 bits and less
// lab-7m loses 2 to 4 % less by it (iq1_s, iq2_xxs, iq2_xs, iq2_s), with iq3_s, q4_0 and iq4_xs 2
// to 5 % more; the others do not care.
constexpr bool weighs_by_size(DType type) {
  return type == DType::kIQ1_S || type == DType::kIQ2_XXS || type == DType::kIQ2_XS ||
         type == DType::kIQ2_S;
}

[[noreturn]] void refuse_damaged(const TensorInfo& tensor, uint64_t first_index,
                                 std::span<const float> x) {
  const auto bad = std::ranges::find_if(x, [](float v) { return !std::isfinite(v); });
  const uint64_t index = first_index + static_cast<uint64_t>(bad - x.begin());
  fail(ErrorCode::kInvalidFile,
       "tensor {}: weight {} (row {}, column {}) is {}; the source is damaged", tensor.name, index,
       index / tensor.shape.columns(), index % tensor.shape.columns(),
       std::isnan(*bad) ? "NaN" : "infinite");
}

[[noreturn]] void refuse_range(const TensorInfo& tensor, DType type, uint64_t first_index,
                               std::span<const float> x) {
  const float limit = largest_weight(type);
  const auto bad = std::ranges::find_if(x, [=](float v) { return std::fabs(v) > limit; });
  fail(ErrorCode::kInvalidFile,
       "tensor {}: weight {} is {}, which {} cannot hold (up to {}); use {}", tensor.name,
       first_index + static_cast<uint64_t>(bad - x.begin()), *bad, dtype_name(type), limit,
       std::fabs(*bad) > largest_weight(DType::kBF16) ? "f32" : "bf16 or f32");
}

}  // namespace

void RowEncoder::read(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count) {
  info_ = &source.tensors()[tensor];
  first_ = first;
  count_ = count;
  const uint64_t columns = info_->shape.columns();
  stored_.resize(count * info_->row_bytes());
  x_.resize(count * columns);
  source.read_rows(tensor, first, count, stored_);
  codec(info_->type).decode(stored_.data(), static_cast<int64_t>(x_.size()), x_.data());
  largest_ = largest_magnitude(x_);
  if (!std::isfinite(largest_)) refuse_damaged(*info_, first * columns, x_);
}

std::span<const std::byte> RowEncoder::encode(DType type, const RowEncoding& encoding) {
  if (type == info_->type) return stored_;
  const uint64_t columns = info_->shape.columns(), matrix_rows = info_->shape.dims[1];
  if (largest_ > largest_weight(type)) refuse_range(*info_, type, first_ * columns, x_);
  encoded_.resize(count_ * (columns / block_weights(type) * block_bytes(type)));
  const bool is_integer = codec(type).domain == Domain::kInteger;
  for (uint64_t row = 0; row < count_;) {
    const uint64_t matrix = (first_ + row) / matrix_rows;
    const uint64_t count = std::min(count_ - row, (matrix + 1) * matrix_rows - first_ - row);
    if (is_integer && !encoding.feedback.empty() && encoding.feedback[matrix]) {
      encode_with_feedback(type, *encoding.feedback[matrix], row, count, encoding.effort);
    } else {
      const bool has_importance = !encoding.importance.empty();
      encode_alone(type, has_importance ? encoding.importance.data() + matrix * columns : nullptr,
                   row, count, encoding.effort);
    }
    row += count;
  }
  return encoded_;
}

void RowEncoder::encode_alone(DType type, const float* importance, uint64_t first, uint64_t count,
                              Effort effort) {
  const auto columns = static_cast<int64_t>(info_->shape.columns());
  const auto encode_row = codec(type).encode;
  const uint64_t row_bytes = encoded_.size() / count_;
  const float* x = x_.data() + first * info_->shape.columns();
  std::byte* out = encoded_.data() + first * row_bytes;
  if (importance == nullptr) {  // rows are alike, and longer runs encode faster
    encode_row(x, nullptr, static_cast<int64_t>(count) * columns, effort, out);
  } else {
    for (uint64_t i = 0; i < count; ++i) {
      const float* row = x + static_cast<int64_t>(i) * columns;
      encode_row(row, weighs_by_size(type) ? weighed_by_size(importance, row) : importance, columns,
                 effort, out + i * row_bytes);
    }
  }
  if (!has_gain(type)) return;
  for (uint64_t i = 0; i < count; ++i) {
    gain_.restore(type, x + static_cast<int64_t>(i) * columns, importance, columns,
                  out + i * row_bytes);
  }
}

const float* RowEncoder::weighed_by_size(const float* importance, const float* x) {
  weighed_.resize(info_->shape.columns());
  double squares = 0;
  for (size_t i = 0; i < weighed_.size(); ++i) squares += static_cast<double>(x[i]) * x[i];
  const auto mean_square = static_cast<float>(squares / static_cast<double>(weighed_.size()));
  for (size_t i = 0; i < weighed_.size(); ++i)
    weighed_[i] = importance[i] * std::sqrt(mean_square + x[i] * x[i]);
  return weighed_.data();
}

void RowEncoder::encode_with_feedback(DType type, const FeedbackFactor& factor, uint64_t first,
                                      uint64_t count, Effort effort) {
  constexpr auto kRows = static_cast<uint64_t>(FeedbackEncoder::kRows);
  const uint64_t columns = info_->shape.columns();
  const uint64_t row_bytes = encoded_.size() / count_;
  for (uint64_t i = first; i < first + count; i += kRows) {
    const uint64_t rows = std::min(kRows, first + count - i);
    const float* from = x_.data() + i * columns;
    corrected_.assign(from, from + rows * columns);
    feedback_.encode(type, corrected_.data(), static_cast<int64_t>(rows), factor, effort,
                     encoded_.data() + i * row_bytes);
  }
}

uint64_t row_buffer_bytes(const TensorInfo& tensor, std::span<const DType> types) {
  const uint64_t columns = tensor.shape.columns();
  uint64_t widest = 0;
  for (const DType type : types) {
    widest = std::max<uint64_t>(widest, columns / block_weights(type) * block_bytes(type));
  }
  return tensor.row_bytes() + columns * sizeof(float) + widest;
}

uint64_t rows_at_once(const TensorInfo& tensor, bool has_feedback) {
  constexpr uint64_t kWeights = 1 << 15;  // 128 KiB as floats
  if (has_feedback) return std::min<uint64_t>(FeedbackEncoder::kRows, tensor.shape.rows());
  return std::clamp<uint64_t>(kWeights / tensor.shape.columns(), 1, tensor.shape.rows());
}

}  // namespace nibble

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

void check_f16_range(const TensorInfo& tensor, uint64_t first_index, std::span<const float> x) {
  if (all_below(x, kLargestF16)) return;
  const auto bad = std::ranges::find_if(x, [](float v) { return std::fabs(v) > kLargestF16; });
  fail(ErrorCode::kInvalidFile,
       "tensor {}: weight {} is {}, which f16 cannot hold (up to 65504); use bf16 or f32",
       tensor.name, first_index + static_cast<uint64_t>(bad - x.begin()), *bad);
}

// Some rows of a tensor, as they are stored and as floats.
struct Rows {
  uint64_t first = 0;
  uint64_t count = 0;
  std::vector<std::byte> stored;
  std::vector<float> x;
};

// The row's slice of the tensor's importance.
const float* importance_of(const TensorInfo& tensor, std::span<const float> importance,
                           uint64_t row) {
  return importance.data() + row / tensor.shape.dims[1] * tensor.shape.columns();
}

void encode(const TensorInfo& tensor, const Rows& rows, DType type, const RowEncoding& encoding,
            std::byte* out) {
  if (type == tensor.type) {
    std::ranges::copy(rows.stored, out);
    return;
  }
  const uint64_t columns = tensor.shape.columns();
  if (type == DType::kF16) check_f16_range(tensor, rows.first * columns, rows.x);
  const uint64_t row_bytes = columns / block_weights(type) * block_bytes(type);
  const auto encode_row = codec(type).encode;
  if (encoding.importance.empty()) {  // rows are alike, and longer runs encode faster
    encode_row(rows.x.data(), nullptr, static_cast<int64_t>(rows.x.size()), encoding.effort, out);
    return;
  }
  for (uint64_t i = 0; i < rows.count; ++i) {
    encode_row(rows.x.data() + i * columns,
               importance_of(tensor, encoding.importance, rows.first + i),
               static_cast<int64_t>(columns), encoding.effort, out + i * row_bytes);
  }
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

void encode_rows(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count,
                 const RowEncoding& encoding, ThreadPool& pool,
                 std::vector<std::vector<std::byte>>& outputs) {
  const auto types = encoding.types;
  const TensorInfo& info = source.tensors()[tensor];
  const uint64_t columns = info.shape.columns();
  outputs.resize(types.size());
  std::vector<uint64_t> row_bytes(types.size());
  for (size_t k = 0; k < types.size(); ++k) {
    row_bytes[k] = columns / block_weights(types[k]) * block_bytes(types[k]);
    outputs[k].resize(count * row_bytes[k]);
  }
  std::vector<Rows> pieces(static_cast<size_t>(pool.count()));
  const auto encode_piece = [&](int64_t begin, int64_t end, int worker) {
    Rows& rows = pieces[static_cast<size_t>(worker)];
    const auto at = static_cast<uint64_t>(begin);
    rows.first = first + at;
    rows.count = static_cast<uint64_t>(end - begin);
    rows.stored.resize(rows.count * info.row_bytes());
    rows.x.resize(rows.count * columns);
    source.read_rows(tensor, rows.first, rows.count, rows.stored);
    codec(info.type).decode(rows.stored.data(), static_cast<int64_t>(rows.x.size()), rows.x.data());
    check_finite(info, rows.first * columns, rows.x);
    for (size_t k = 0; k < types.size(); ++k) {
      encode(info, rows, types[k], encoding, outputs[k].data() + at * row_bytes[k]);
    }
  };
  constexpr uint64_t kPieceWeights = 1 << 15;  // stays in the second-level cache
  const auto grain =
      static_cast<int64_t>(std::max<uint64_t>(1, kPieceWeights / std::max<uint64_t>(columns, 1)));
  pool.run(static_cast<int64_t>(count), grain, encode_piece);
}

}  // namespace nibble

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

struct Scratch {
  std::vector<std::byte> stored;
  std::vector<float> x;
};

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
                 std::span<const DType> types, ThreadPool& pool,
                 std::vector<std::vector<std::byte>>& outputs) {
  const TensorInfo& info = source.tensors()[tensor];
  const uint64_t columns = info.shape.columns();
  outputs.resize(types.size());
  std::vector<uint64_t> row_bytes(types.size());
  for (size_t k = 0; k < types.size(); ++k) {
    row_bytes[k] = columns / block_weights(types[k]) * block_bytes(types[k]);
    outputs[k].resize(count * row_bytes[k]);
  }
  std::vector<Scratch> scratch(static_cast<size_t>(pool.count()));
  const auto encode_piece = [&](int64_t begin, int64_t end, int worker) {
    auto& [stored, x] = scratch[static_cast<size_t>(worker)];
    const auto rows = static_cast<uint64_t>(end - begin);
    const auto at = static_cast<uint64_t>(begin);
    const auto weights = static_cast<int64_t>(rows * columns);
    stored.resize(rows * info.row_bytes());
    x.resize(rows * columns);
    source.read_rows(tensor, first + at, rows, stored);
    codec(info.type).decode(stored.data(), weights, x.data());
    check_finite(info, (first + at) * columns, x);
    for (size_t k = 0; k < types.size(); ++k) {
      if (types[k] == DType::kF16) check_f16_range(info, (first + at) * columns, x);
      codec(types[k]).encode(x.data(), nullptr, weights, outputs[k].data() + at * row_bytes[k]);
    }
  };
  constexpr uint64_t kPieceWeights = 1 << 15;  // stays in the second-level cache
  const auto grain =
      static_cast<int64_t>(std::max<uint64_t>(1, kPieceWeights / std::max<uint64_t>(columns, 1)));
  pool.run(static_cast<int64_t>(count), grain, encode_piece);
}

}  // namespace nibble

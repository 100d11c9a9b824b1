// Pairs of 4-bit floats (E2M1), the first in the low half of a byte: NVFP4, with a scale (E4M3) for
// each 16 weights and one of the whole, as ModelOpt and compressed-tensors store it.
#include <array>

#include "base/error.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

constexpr uint64_t kGroup = 16;  // weights under a scale

struct Nvfp4 {
  Part codes, scales;
  uint64_t columns;
  float factor;  // of all
  bool divides;  // by it, not times

  unsigned code(uint64_t row, uint64_t i) const {
    const unsigned pair = codes.element<uint8_t>(row * (columns / 2) + i / 2);
    return i % 2 == 0 ? pair & 15 : pair >> 4;
  }
  uint64_t scale_at(uint64_t row, uint64_t i) const {
    return row * (columns / kGroup) + i / kGroup;
  }
};

void decode(const Nvfp4& weight, uint64_t row, float* out) {
  constexpr std::array<float, 8> kMagnitudes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (uint64_t i = 0; i < weight.columns; ++i) {
    const unsigned code = weight.code(row, i);
    const float stored = weight.scales.value(weight.scale_at(row, i));
    const float scale = weight.divides ? stored / weight.factor : stored * weight.factor;
    out[i] = ((code & 8) != 0 ? -kMagnitudes[code & 7] : kMagnitudes[code & 7]) * scale;
  }
}

// GGUF's scales have no sign and no NaN (codec/nvfp4.h).
std::byte checked_scale(const Nvfp4& weight, uint64_t row, uint64_t i) {
  const auto scale = weight.scales.element<uint8_t>(weight.scale_at(row, i));
  if (scale < 0x7f) return static_cast<std::byte>(scale);
  if (scale == 0x80) return std::byte{0};
  fail(ErrorCode::kInvalidFile,
       "{}: the scale of weights {} to {} of row {} is {}, expected a number of at least 0",
       printable(weight.scales.name), i, i + kGroup - 1, row,
       weight.scales.value(weight.scale_at(row, i)));
}

// Blocks of 64 weights: their four scales, then 8 bytes a group, whose halves are weights i and
// i + 8 of it.
void pack(const Nvfp4& weight, uint64_t row, std::byte* out) {
  constexpr uint64_t kWeights = 64;
  for (uint64_t first = 0; first < weight.columns; first += kWeights) {
    for (uint64_t i = first; i < first + kWeights; i += kGroup)
      *out++ = checked_scale(weight, row, i);
    for (uint64_t group = first; group < first + kWeights; group += kGroup) {
      for (uint64_t i = group; i < group + kGroup / 2; ++i)
        *out++ =
            static_cast<std::byte>(weight.code(row, i) | weight.code(row, i + kGroup / 2) << 4);
    }
  }
}

}  // namespace

void add_nvfp4(QuantizedParts& parts, const std::string& name, const Part& codes,
               const Part& scales, const Part& global, bool divides) {
  std::vector<uint64_t> shape = codes.shape, fitting = codes.shape;
  const uint64_t columns = shape.empty() ? 0 : 2 * shape.back();
  if (columns > 0) shape.back() = columns, fitting.back() = columns / kGroup;
  if (columns == 0 || columns % kGroup != 0 || scales.shape != fitting || global.count() != 1) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: expected a scale for each 16 weights of [{}]",
         parts.where(), printable(scales.name), fmt::join(shape, ", "));
  }
  const Nvfp4 weight = {codes, scales, columns, global.value(0), divides};
  if (parts.keeps(name, DType::kNVFP4, columns)) {
    parts.add_blocks(name, DType::kNVFP4, shape,
                     [weight](uint64_t row, std::byte* out) { pack(weight, row, out); });
    const float scale = divides ? 1.0f / weight.factor : weight.factor;
    parts.add(name + std::string(kMatrixScale), {1},
              [scale](uint64_t, float* out) { *out = scale; });
  } else {
    parts.add(name, shape, [weight](uint64_t row, float* out) { decode(weight, row, out); });
  }
  for (const Part* part : {&codes, &scales, &global}) parts.take(part->name);
}

}  // namespace nibble

// Pairs of 4-bit floats (E2M1), the first in the low half of a byte. NVFP4: a scale (E4M3) for each
// 16 weights and one of the whole, as ModelOpt and compressed-tensors store it. MXFP4: a power of
// two (E8M0) for each 32, as compressed-tensors does.
#include <array>
#include <cmath>

#include "base/error.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

struct Pairs {
  Part codes, scales;
  uint64_t columns, group;  // weights in a row and under a scale

  unsigned code(uint64_t row, uint64_t i) const {
    const unsigned pair = codes.element<uint8_t>(row * (columns / 2) + i / 2);
    return i % 2 == 0 ? pair & 15 : pair >> 4;
  }
  float value(uint64_t row, uint64_t i) const {
    constexpr std::array<float, 8> kMagnitudes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    const unsigned bits = code(row, i);
    return (bits & 8) != 0 ? -kMagnitudes[bits & 7] : kMagnitudes[bits & 7];
  }
  uint64_t scale_at(uint64_t row, uint64_t i) const { return row * (columns / group) + i / group; }
  // Weights i and i + half of each group of `size`, as GGUF's blocks pair them.
  std::byte* put_codes(uint64_t row, uint64_t first, uint64_t size, std::byte* out) const {
    for (uint64_t i = first; i < first + size / 2; ++i)
      *out++ = static_cast<std::byte>(code(row, i) | code(row, i + size / 2) << 4);
    return out;
  }
  [[noreturn]] void fail_at(uint64_t row, uint64_t i) const {
    fail(ErrorCode::kInvalidFile,
         "{}: the scale of weights {} to {} of row {} is {}, expected a number of at least 0",
         printable(scales.name), i, i + group - 1, row, scales.value(scale_at(row, i)));
  }
};

// Rows of whole groups, and a scale for each.
Pairs read_pairs(const QuantizedParts& parts, const Part& codes, const Part& scales,
                 uint64_t group) {
  std::vector<uint64_t> fitting = codes.shape;
  const uint64_t columns = fitting.empty() ? 0 : 2 * fitting.back();
  if (columns > 0) fitting.back() = columns / group;
  if (columns == 0 || columns % group != 0 || scales.shape != fitting) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: expected a scale for each {} weights of {}",
         parts.where(), printable(scales.name), group, printable(codes.name));
  }
  return {codes, scales, columns, group};
}

std::vector<uint64_t> shape_of(const Pairs& pairs) {
  std::vector<uint64_t> shape = pairs.codes.shape;
  shape.back() = pairs.columns;
  return shape;
}

// GGUF's scales have no sign and no NaN (codec/nvfp4.h).
std::byte nvfp4_scale(const Pairs& pairs, uint64_t row, uint64_t i) {
  const auto scale = pairs.scales.element<uint8_t>(pairs.scale_at(row, i));
  if (scale != 0x80 && scale >= 0x7f) pairs.fail_at(row, i);
  return static_cast<std::byte>(scale & 0x7f);
}

// Blocks of 64 weights: four scales, then the groups' codes.
void pack_nvfp4(const Pairs& pairs, uint64_t row, std::byte* out) {
  constexpr uint64_t kWeights = 64;
  for (uint64_t first = 0; first < pairs.columns; first += kWeights) {
    for (uint64_t i = first; i < first + kWeights; i += pairs.group)
      *out++ = nvfp4_scale(pairs, row, i);
    for (uint64_t i = first; i < first + kWeights; i += pairs.group)
      out = pairs.put_codes(row, i, pairs.group, out);
  }
}

void pack_mxfp4(const Pairs& pairs, uint64_t row, std::byte* out) {
  for (uint64_t i = 0; i < pairs.columns; i += pairs.group) {
    const auto exponent = pairs.scales.element<uint8_t>(pairs.scale_at(row, i));
    if (exponent == 255) pairs.fail_at(row, i);  // NaN, but GGUF knows none
    *out++ = static_cast<std::byte>(exponent);
    out = pairs.put_codes(row, i, pairs.group, out);
  }
}

}  // namespace

void add_nvfp4(QuantizedParts& parts, const std::string& name, const Part& codes,
               const Part& scales, const Part& global, bool divides) {
  const Pairs pairs = read_pairs(parts, codes, scales, 16);
  if (global.count() != 1) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: found {} numbers, expected one", parts.where(),
         printable(global.name), global.count());
  }
  const float factor = global.value(0);
  if (parts.keeps(name, DType::kNVFP4, pairs.columns)) {
    parts.add_blocks(name, DType::kNVFP4, shape_of(pairs),
                     [pairs](uint64_t row, std::byte* out) { pack_nvfp4(pairs, row, out); });
    const float scale = divides ? 1.0f / factor : factor;
    parts.add(name + std::string(kMatrixScale), {1},
              [scale](uint64_t, float* out) { *out = scale; });
  } else {
    parts.add(name, shape_of(pairs), [pairs, factor, divides](uint64_t row, float* out) {
      for (uint64_t i = 0; i < pairs.columns; ++i) {
        const float stored = pairs.scales.value(pairs.scale_at(row, i));
        out[i] = pairs.value(row, i) * (divides ? stored / factor : stored * factor);
      }
    });
  }
  for (const Part* part : {&codes, &scales, &global}) parts.take(part->name);
}

void add_mxfp4(QuantizedParts& parts, const std::string& name, const Part& codes,
               const Part& scales) {
  const Pairs pairs = read_pairs(parts, codes, scales, 32);
  if (parts.keeps(name, DType::kMXFP4, pairs.columns)) {
    parts.add_blocks(name, DType::kMXFP4, shape_of(pairs),
                     [pairs](uint64_t row, std::byte* out) { pack_mxfp4(pairs, row, out); });
  } else {
    parts.add(name, shape_of(pairs), [pairs](uint64_t row, float* out) {
      for (uint64_t i = 0; i < pairs.columns; ++i) {
        const auto exponent = pairs.scales.element<uint8_t>(pairs.scale_at(row, i));
        out[i] = exponent == 255 ? std::nanf("") : std::ldexp(pairs.value(row, i), exponent - 127);
      }
    });
  }
  for (const Part* part : {&codes, &scales}) parts.take(part->name);
}

}  // namespace nibble

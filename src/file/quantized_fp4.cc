// Pairs of 4-bit floats (E2M1), the first in the low half of a byte. NVFP4: a scale (E4M3) for each
// 16 weights and one of the whole, as ModelOpt and compressed-tensors store it; experts in one
// tensor may have one each, and may be packed down their columns. MXFP4: a power of
// two (E8M0) for each 32, as compressed-tensors does.
#include <array>
#include <cmath>

#include "base/error.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

constexpr uint64_t kNvfp4Group = 16;

float e2m1(unsigned code) {
  constexpr std::array<float, 8> kMagnitudes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  return (code & 8) != 0 ? -kMagnitudes[code & 7] : kMagnitudes[code & 7];
}

struct Pairs {
  Part codes, scales;
  uint64_t columns, group;  // weights in a row and under a scale

  unsigned code(uint64_t row, uint64_t i) const {
    const unsigned pair = codes.element<uint8_t>(row * (columns / 2) + i / 2);
    return i % 2 == 0 ? pair & 15 : pair >> 4;
  }
  float value(uint64_t row, uint64_t i) const { return e2m1(code(row, i)); }
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

// The scale of a whole matrix, or of each expert's.
struct Whole {
  Part numbers;  // one, or one for each
  uint64_t matrices;
  bool divides;  // by it, not times

  float number(uint64_t matrix) const { return numbers.value(numbers.count() == 1 ? 0 : matrix); }
  float scaled(float stored, uint64_t matrix) const {
    return divides ? stored / number(matrix) : stored * number(matrix);
  }
  void put(float* out) const {
    for (uint64_t i = 0; i < matrices; ++i) out[i] = scaled(1.0f, i);
  }
};

Whole read_whole(const QuantizedParts& parts, const Part& codes, const Part& numbers,
                 bool divides) {
  const uint64_t matrices = codes.shape.size() == 3 ? codes.shape[0] : 1;
  if (matrices > 0 && (numbers.count() == 1 || numbers.count() == matrices))
    return {numbers, matrices, divides};
  fail(ErrorCode::kInvalidFile, "{}: tensor {}: found {} numbers, expected one for each of {}",
       parts.where(), printable(numbers.name), numbers.count(), matrices);
}

// Experts [count, inputs / 2, outputs] with scales [count, inputs / 16, outputs], as ModelOpt
// leaves them where Transformers has the inputs first (Llama 4).
bool is_packed_down(const Part& codes, const Part& scales) {
  return codes.shape.size() == 3 && scales.shape.size() == 3 && codes.shape[0] == scales.shape[0] &&
         codes.shape[2] == scales.shape[2] && codes.shape[1] == scales.shape[1] * kNvfp4Group / 2 &&
         scales.shape[1] > 0 && codes.shape[2] > 0;
}

void add_packed_down(QuantizedParts& parts, const std::string& name, const Part& codes,
                     const Part& scales, const Whole& whole) {
  const uint64_t rows = 2 * codes.shape[1], columns = codes.shape[2];
  parts.add(name, {whole.matrices, rows, columns},
            [codes, scales, whole, rows, columns](uint64_t row, float* out) {
              const uint64_t pairs = row / 2 * columns, groups = row / kNvfp4Group * columns;
              for (uint64_t i = 0; i < columns; ++i) {
                const unsigned pair = codes.element<uint8_t>(pairs + i);
                const float scale = whole.scaled(scales.value(groups + i), row / rows);
                out[i] = e2m1(row % 2 == 0 ? pair & 15 : pair >> 4) * scale;
              }
            });
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
  const Whole whole = read_whole(parts, codes, global, divides);
  if (is_packed_down(codes, scales)) {
    add_packed_down(parts, name, codes, scales, whole);
  } else if (const Pairs pairs = read_pairs(parts, codes, scales, kNvfp4Group);
             parts.keeps(name, DType::kNVFP4, pairs.columns)) {
    parts.add_blocks(name, DType::kNVFP4, shape_of(pairs),
                     [pairs](uint64_t row, std::byte* out) { pack_nvfp4(pairs, row, out); });
    parts.add(name + std::string(kMatrixScale), {whole.matrices},
              [whole](uint64_t, float* out) { whole.put(out); });
  } else {
    const uint64_t rows = codes.count() / (pairs.columns / 2) / whole.matrices;
    parts.add(name, shape_of(pairs), [pairs, whole, rows](uint64_t row, float* out) {
      for (uint64_t i = 0; i < pairs.columns; ++i) {
        const float stored = pairs.scales.value(pairs.scale_at(row, i));
        out[i] = pairs.value(row, i) * whole.scaled(stored, row / rows);
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

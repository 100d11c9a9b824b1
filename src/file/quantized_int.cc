// Integers of a few bits, packed into int32 along a row or a column: GPTQ and AWQ.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

using Shape2 = std::vector<uint64_t>;

// Bits [bit, bit + bits) of the words that lie `stride` apart from `first` on.
unsigned unpack(const Part& words, uint64_t first, uint64_t stride, uint64_t bit, unsigned bits) {
  const uint64_t word = bit / 32, shift = bit % 32;
  uint64_t value = words.element<uint32_t>(first + word * stride);
  if (shift + bits > 32)  // 3 bits cross the border of two words
    value |= uint64_t{words.element<uint32_t>(first + (word + 1) * stride)} << 32;
  return static_cast<unsigned>(value >> shift & ((1u << bits) - 1));
}

struct Packed {
  Part codes, zeros, scales;
  std::vector<uint32_t> groups;  // of each input
  uint64_t inputs, outputs;
  unsigned bits;
};

uint64_t find_group_size(const JsonObject& config, std::initializer_list<const char*> keys,
                         uint64_t inputs) {
  for (const char* key : keys) {
    const Json* value = config.find(key);
    if (value == nullptr) continue;
    if (value->is_number_integer() && *value == -1) return inputs;
    if (value->is_number_unsigned() && *value > 0) return value->get<uint64_t>();
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": expected a number of weights, or -1",
         config.file_name(), key);
  }
  fail(ErrorCode::kInvalidFile, "{}: \"{}\" is missing", config.file_name(), *keys.begin());
}

std::vector<uint32_t> find_groups(const QuantizedParts& parts, const std::string& stem,
                                  uint64_t inputs, uint64_t count) {
  std::vector<uint32_t> groups(inputs);
  const Part* indices = parts.find(stem + ".g_idx");
  if (indices != nullptr) parts.require(stem + ".g_idx", {"I32"}, {inputs});
  const uint64_t size =
      indices == nullptr ? find_group_size(parts.config(), {"group_size", "q_group_size"}, inputs)
                         : 0;
  for (uint64_t i = 0; i < inputs; ++i) {
    const int64_t group = indices == nullptr ? static_cast<int64_t>(i / size) : indices->integer(i);
    if (group < 0 || group >= static_cast<int64_t>(count)) {
      fail(ErrorCode::kInvalidFile, "{}: {}: input {} is of group {}, but there are {}",
           parts.where(), printable(stem), i, group, count);
    }
    groups[i] = static_cast<uint32_t>(group);
  }
  return groups;
}

void check_bits(const QuantizedParts& parts, const std::string& stem, unsigned bits,
                std::initializer_list<unsigned> known) {
  const auto told = parts.config().find_uint("bits");
  const auto width = told ? told : parts.config().find_uint("w_bit");
  const bool own = parts.config().find("dynamic") != nullptr;  // bits of modules by their names
  if (std::find(known.begin(), known.end(), bits) != known.end() &&
      (own || !width || *width == bits))
    return;
  fail(ErrorCode::kUnsupported, "{}: {}: {} bits (\"bits\": {}); this version reads {}",
       parts.where(), printable(stem), bits, width.value_or(0), fmt::join(known, ", "));
}

void take(QuantizedParts& parts, const std::string& stem) {
  for (const char* part : {".qweight", ".qzeros", ".scales", ".g_idx"}) parts.take(stem + part);
}

// qweight [inputs * bits / 32, outputs], qzeros [groups, outputs * bits / 32], scales [groups,
// outputs]: a stream of bits down each column of qweight and along each row of qzeros.
Packed read_gptq(const QuantizedParts& parts, const std::string& stem) {
  const Part& codes = parts.require(stem + ".qweight", {"I32"});
  const Part& scales = parts.require(stem + ".scales", {"F32", "F16", "BF16"});
  const Part& zeros = parts.require(stem + ".qzeros", {"I32"});
  const uint64_t outputs = codes.dim(1), groups = scales.dim(0);
  const uint64_t bits = zeros.dim(1) * 32 / outputs;
  check_bits(parts, stem, static_cast<unsigned>(std::min<uint64_t>(bits, 99)), {2, 3, 4, 8});
  parts.require(stem + ".scales", {"F32", "F16", "BF16"}, Shape2{groups, outputs});
  parts.require(stem + ".qzeros", {"I32"}, Shape2{groups, (outputs * bits + 31) / 32});
  const uint64_t inputs = codes.dim(0) * 32 / bits;
  parts.require(stem + ".qweight", {"I32"}, Shape2{(inputs * bits + 31) / 32, outputs});
  return {codes,
          zeros,
          scales,
          find_groups(parts, stem, inputs, groups),
          inputs,
          outputs,
          static_cast<unsigned>(bits)};
}

// Version 1 stores zero points less one, in as many bits: 0 becomes the largest code.
void add_gptq(QuantizedParts& parts, const std::string& stem, bool less_one) {
  const Packed packed = read_gptq(parts, stem);
  parts.add(stem + ".weight", {packed.outputs, packed.inputs}, [=](uint64_t row, float* out) {
    const auto& [codes, zeros, scales, groups, inputs, outputs, bits] = packed;
    const uint64_t words = zeros.dim(1);
    for (uint64_t i = 0; i < inputs; ++i) {
      const uint64_t group = groups[i];
      const unsigned stored = unpack(zeros, group * words, 1, row * bits, bits);
      const unsigned zero = less_one ? (stored + 1) & ((1u << bits) - 1) : stored;
      const unsigned code = unpack(codes, row, outputs, i * bits, bits);
      const float steps = static_cast<float>(static_cast<int>(code) - static_cast<int>(zero));
      out[i] = steps * scales.value(group * outputs + row);
    }
  });
  take(parts, stem);
}

// qweight [inputs, outputs / 8], qzeros [groups, outputs / 8], scales [groups, outputs]: eight
// outputs in a word, in the order 0 2 4 6 1 3 5 7.
void add_awq(QuantizedParts& parts, const std::string& stem) {
  constexpr unsigned kBits = 4;
  constexpr std::array<unsigned, 8> kPlaces = {0, 4, 1, 5, 2, 6, 3, 7};  // of output i in a word
  const Part codes = parts.require(stem + ".qweight", {"I32"});
  const Part scales = parts.require(stem + ".scales", {"F32", "F16", "BF16"});
  const uint64_t inputs = codes.dim(0), words = codes.dim(1), outputs = scales.dim(1);
  const uint64_t bits = words * 32 / outputs;
  check_bits(parts, stem, static_cast<unsigned>(std::min<uint64_t>(bits, 99)), {kBits});
  parts.require(stem + ".qweight", {"I32"}, Shape2{inputs, outputs / 8});
  const Part zeros = parts.require(stem + ".qzeros", {"I32"}, Shape2{scales.dim(0), outputs / 8});
  parts.require(stem + ".scales", {"F32", "F16", "BF16"}, Shape2{scales.dim(0), outputs});
  const auto groups = find_groups(parts, stem, inputs, scales.dim(0));
  if (outputs % 8 != 0)
    fail(ErrorCode::kInvalidFile, "{}: {}: {} outputs", parts.where(), printable(stem), outputs);
  parts.add(stem + ".weight", {outputs, inputs}, [=](uint64_t row, float* out) {
    const unsigned shift = kBits * kPlaces[row % 8];
    for (uint64_t i = 0; i < inputs; ++i) {
      const auto nibble = [&](const Part& part, uint64_t line) {
        return static_cast<int>(part.element<uint32_t>(line * words + row / 8) >> shift & 15);
      };
      out[i] = static_cast<float>(nibble(codes, i) - nibble(zeros, groups[i])) *
               scales.value(groups[i] * outputs + row);
    }
  });
  take(parts, stem);
}

}  // namespace

void decode_gptq(QuantizedParts& parts) {
  const auto format = parts.config().find_string("checkpoint_format").value_or("gptq");
  if (format != "gptq" && format != "gptq_v2") {
    fail(ErrorCode::kUnsupported,
         "{}: \"checkpoint_format\": found \"{}\"; this version reads gptq and gptq_v2",
         parts.where(), printable(format));
  }
  for (const std::string& stem : parts.stems(".qweight")) add_gptq(parts, stem, format == "gptq");
}

void decode_awq(QuantizedParts& parts) {
  const auto version = parts.config().find_string("version").value_or("gemm");
  if (version != "gemm" && version != "GEMM") {
    fail(ErrorCode::kUnsupported, "{}: \"version\": found \"{}\"; this version reads gemm",
         parts.where(), printable(version));
  }
  for (const std::string& stem : parts.stems(".qweight")) add_awq(parts, stem);
}

}  // namespace nibble

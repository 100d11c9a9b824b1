// compressed-tensors, what vLLM's llm-compressor writes. Source: compressed_tensors/compressors.
#include "base/error.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

// Formats by config_groups may differ from each other; parts are told by their names and types.
void check_format(const JsonObject& config, const std::string& where) {
  const auto format = config.find_string("format");
  if (!format) return;
  for (const char* known :
       {"pack-quantized", "int-quantized", "float-quantized", "naive-quantized",
        "nvfp4-pack-quantized", "mxfp4-pack-quantized", "mixed-precision", "dense"}) {
    if (*format == known) return;
  }
  fail(ErrorCode::kUnsupported,
       "{}: \"format\": found \"{}\"; this version reads pack-quantized, int-quantized, "
       "float-quantized, naive-quantized, nvfp4-pack-quantized and mxfp4-pack-quantized",
       where, printable(*format));
}

// Rows and columns of blocks; empty: there are none. Those of groups must agree.
std::vector<uint64_t> read_groups(const QuantizedParts& parts) {
  check_format(parts.config(), parts.where());
  std::vector<uint64_t> block;
  const Json* groups = parts.config().find("config_groups");
  if (groups == nullptr || !groups->is_object()) return block;
  for (const auto& [name, json] : groups->items()) {
    const JsonObject group(json, parts.where() + ": " + printable(name));
    check_format(group, group.file_name());
    const Json* weights = group.find("weights");
    if (weights == nullptr) continue;
    const Json* list = JsonObject(*weights, group.file_name()).find("block_structure");
    if (list == nullptr) continue;
    const bool fits = list->is_array() && list->size() == 2 && (*list)[0].is_number_unsigned() &&
                      (*list)[1].is_number_unsigned() && (*list)[0] > 0 && (*list)[1] > 0;
    if (!fits || (!block.empty() && block != list->get<std::vector<uint64_t>>())) {
      fail(ErrorCode::kUnsupported, "{}: \"block_structure\": expected one [rows, columns]",
           group.file_name());
    }
    block = list->get<std::vector<uint64_t>>();
  }
  return block;
}

struct Packed {
  Part codes, scales;
  std::optional<Part> zeros, groups;
  uint64_t rows, columns, bits, group_count;
};

uint64_t find_bits(uint64_t columns, uint64_t words) {
  for (const uint64_t bits : {4, 8}) {
    if (words == (columns * bits + 31) / 32) return bits;
  }
  return 0;
}

Packed read_packed(const QuantizedParts& parts, const std::string& stem) {
  const Part& codes = parts.require(stem + "_packed", {"I32"});
  const Part& shape = parts.require(stem + "_shape", {"I64", "I32"}, {2});
  const Part& scales = parts.require(stem + "_scale", {"F32", "F16", "BF16"});
  const int64_t rows = shape.integer(0), columns = shape.integer(1);
  const bool sane = rows > 0 && columns > 0 && columns <= INT32_MAX;
  const uint64_t bits = sane ? find_bits(static_cast<uint64_t>(columns), codes.dim(1)) : 0;
  if (bits == 0 || codes.shape.size() != 2 || codes.dim(0) != static_cast<uint64_t>(rows)) {
    fail(ErrorCode::kUnsupported,
         "{}: tensor {}_packed: the shape [{}] is not one of {} x {} codes of 4 or 8 bits",
         parts.where(), printable(stem), fmt::join(codes.shape, ", "), rows, columns);
  }
  Packed packed{codes, scales, {}, {}, codes.dim(0), static_cast<uint64_t>(columns), bits, 1};
  packed.group_count = scales.count() == 1 ? 1 : scales.dim(1);
  const bool per_row = scales.dim(0) == packed.rows && scales.count() % packed.rows == 0;
  if ((scales.count() != 1 && !per_row) || packed.columns % packed.group_count != 0) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}_scale: the shape [{}] fits no weight of {} x {}",
         parts.where(), printable(stem), fmt::join(scales.shape, ", "), rows, columns);
  }
  return packed;
}

// Zero points are packed down the columns; groups of inputs may stand in any order.
void read_options(const QuantizedParts& parts, const std::string& stem, Packed& packed) {
  if (parts.find(stem + "_zero_point") != nullptr) {
    const uint64_t words = (packed.rows * packed.bits + 31) / 32;
    packed.zeros = parts.require(stem + "_zero_point", {"I32"}, {words, packed.group_count});
  }
  const Part* groups = parts.find(stem + "_g_idx");
  if (groups == nullptr) return;
  packed.groups = parts.require(stem + "_g_idx", {"I32", "I64"}, {packed.columns});
  for (uint64_t i = 0; i < packed.columns; ++i) {
    const int64_t group = groups->integer(i);
    if (i == 0 && group == -1) return packed.groups.reset();  // not used
    if (group >= 0 && group < static_cast<int64_t>(packed.group_count)) continue;
    fail(ErrorCode::kInvalidFile, "{}: tensor {}_g_idx: input {} is of group {}, of {}",
         parts.where(), printable(stem), i, group, packed.group_count);
  }
}

void add_packed(QuantizedParts& parts, const std::string& stem) {
  Packed read = read_packed(parts, stem);
  read_options(parts, stem, read);
  parts.add(stem, {read.rows, read.columns}, [p = std::move(read)](uint64_t row, float* out) {
    const uint64_t in_word = 32 / p.bits, words = p.codes.dim(1), size = p.columns / p.group_count;
    const auto code = [&](const Part& part, uint64_t word, uint64_t place) {
      const uint32_t mask = (1u << p.bits) - 1;
      return static_cast<int>(part.element<uint32_t>(word) >> (place * p.bits) & mask);
    };
    const bool one = p.scales.count() == 1;
    const int middle = 1 << (p.bits - 1);  // codes are stored with this added
    for (uint64_t i = 0; i < p.columns; ++i) {
      const uint64_t group = p.groups ? static_cast<uint64_t>(p.groups->integer(i)) : i / size;
      const int zero =
          p.zeros ? code(*p.zeros, row / in_word * p.group_count + group, row % in_word) : middle;
      out[i] = static_cast<float>(code(p.codes, row * words + i / in_word, i % in_word) - zero) *
               p.scales.value(one ? 0 : row * p.group_count + group);
    }
  });
  for (const char* part : {"_packed", "_shape", "_scale", "_zero_point", "_g_idx"})
    parts.take(stem + part);
}

}  // namespace

void decode_compressed_tensors(QuantizedParts& parts) {
  const std::vector<uint64_t> block = read_groups(parts);
  take_activation_scales(parts);
  for (const std::string& stem : parts.stems("_packed")) {
    const Part& codes = *parts.find(stem + "_packed");
    if (codes.type != "U8") {
      add_packed(parts, stem);
      continue;
    }
    if (const Part& scales = parts.require(stem + "_scale", {"F8_E4M3", "U8", "F8_E8M0"});
        scales.type == "F8_E4M3") {
      add_nvfp4(parts, stem, codes, scales, parts.require(stem + "_global_scale", {"F32"}), true);
    } else {
      add_mxfp4(parts, stem, codes, scales);
    }
  }
  for (const std::string& name : parts.stems("")) {
    const Part& part = *parts.find(name);
    const bool codes = part.type == "F8_E4M3" || part.type == "F8_E5M2" || part.type == "I8";
    if (!codes || parts.find(name + "_scale") == nullptr) continue;
    add_scaled_bytes(parts, name, name + "_scale", name + "_zero_point", block);
    parts.take(name + "_g_idx");
  }
}

}  // namespace nibble

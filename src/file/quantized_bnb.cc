// bitsandbytes: codes of 4 bits into a table (nf4, fp4), with a scale per block that may be
// quantized itself; and int8 with a scale per row. Sources: bitsandbytes/functional.py
// (QuantState), nn/modules.py.
#include <array>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

struct Nested {  // scales as codes of 8 bits, each block of them with a scale of its own
  Part table, scales;
  uint64_t block = 0;
  float offset = 0;
};

struct FourBits {
  Part codes, scales, table;
  std::vector<uint64_t> shape;
  uint64_t block;
  std::optional<Nested> nested;

  float scale(uint64_t i) const {
    if (!nested) return scales.value(i);
    return nested->table.value(scales.element<uint8_t>(i)) *
               nested->scales.value(i / nested->block) +
           nested->offset;
  }
};

uint64_t require_block(const JsonObject& state, const char* key) {
  const uint64_t block = state.require_uint(key);
  if (block > 0 && block <= uint64_t{1} << 20) return block;
  fail(ErrorCode::kInvalidFile, "{}: \"{}\": found {}", state.file_name(), key, block);
}

uint64_t count_blocks(uint64_t count, uint64_t block) { return (count + block - 1) / block; }

std::vector<uint64_t> read_shape(const JsonObject& state, const Part& codes) {
  const Json& list = state.require("shape");
  std::vector<uint64_t> shape;
  bool fits = list.is_array() && list.size() >= 2 && list.size() <= Shape::kMaxRank;
  uint64_t count = 1;
  for (size_t i = 0; fits && i < list.size(); ++i) {
    fits =
        list[i].is_number_unsigned() && list[i] > 0 && list[i] <= INT32_MAX && count <= INT32_MAX;
    if (fits) shape.push_back(list[i].get<uint64_t>());
    if (fits) count *= shape.back();
  }
  if (fits && count % 2 == 0 && count / 2 == codes.count()) return shape;
  fail(ErrorCode::kInvalidFile, "{}: \"shape\": is not one of the {} weights of its codes",
       state.file_name(), 2 * codes.count());
}

FourBits read_four_bits(QuantizedParts& parts, const std::string& name, const JsonObject& state) {
  const Part& codes = parts.require(name, {"U8"});
  FourBits read{codes,
                {},
                parts.require(name + ".quant_map", {"F32"}, {16}),
                read_shape(state, codes),
                require_block(state, "blocksize"),
                std::nullopt};
  const uint64_t scales = count_blocks(2 * codes.count(), read.block);
  const bool is_nested = state.find("nested_blocksize") != nullptr;
  read.scales = parts.require(name + ".absmax", {is_nested ? "U8" : "F32"}, {scales});
  if (is_nested) {
    const uint64_t block = require_block(state, "nested_blocksize");
    read.nested = {parts.require(name + ".nested_quant_map", {"F32"}, {256}),
                   parts.require(name + ".nested_absmax", {"F32"}, {count_blocks(scales, block)}),
                   block, static_cast<float>(state.require_float("nested_offset"))};
  }
  return read;
}

void add_four_bits(QuantizedParts& parts, const std::string& name, const std::string& kind) {
  const std::string state_name = name + ".quant_state.bitsandbytes__" + kind;
  const Part& text = parts.require(state_name, {"U8"});
  const std::string where = parts.where() + ": tensor " + printable(state_name);
  const Json json = parse_json({reinterpret_cast<const char*>(text.data), text.count()}, where);
  const FourBits weight = read_four_bits(parts, name, JsonObject(json, where));
  const uint64_t columns = weight.shape.back();
  parts.add(name, weight.shape, [weight, columns](uint64_t row, float* out) {
    for (uint64_t i = 0; i < columns; ++i) {
      const uint64_t at = row * columns + i;
      const unsigned pair = weight.codes.element<uint8_t>(at / 2);
      out[i] =
          weight.table.value(at % 2 == 0 ? pair >> 4 : pair & 15) * weight.scale(at / weight.block);
    }
  });
  for (const char* part : {"", ".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"})
    parts.take(name + part);
  parts.take(state_name);
}

// Codes of -127 to 127, of which 127 stands for the scale.
void add_eight_bits(QuantizedParts& parts, const std::string& stem) {
  const std::string name = stem + ".weight";
  const Part codes = parts.require(name, {"I8"});
  const uint64_t rows = codes.dim(0), columns = codes.dim(1);
  const Part scales = parts.require(stem + ".SCB", {"F32"}, {rows});
  parts.require(name, {"I8"}, {rows, columns});
  if (const Part* format = parts.find(stem + ".weight_format");
      format != nullptr && (format->count() != 1 || format->integer(0) != 0)) {
    fail(ErrorCode::kUnsupported, "{}: tensor {}.weight_format: only row-major weights are read",
         parts.where(), printable(stem));
  }
  parts.add(name, {rows, columns}, [=](uint64_t row, float* out) {
    constexpr float kStep = 0.007874015718698502f;  // 1 / 127, as bitsandbytes has it
    const float scale = scales.value(row);
    for (uint64_t i = 0; i < columns; ++i)
      out[i] = static_cast<float>(codes.integer(row * columns + i)) * scale * kStep;
  });
  for (const std::string& part : {name, stem + ".SCB", stem + ".weight_format"}) parts.take(part);
}

}  // namespace

void decode_bitsandbytes(QuantizedParts& parts) {
  for (const char* kind : {"nf4", "fp4"}) {
    const std::string ending = std::string(".quant_state.bitsandbytes__") + kind;
    for (const std::string& name : parts.stems(ending)) add_four_bits(parts, name, kind);
  }
  for (const std::string& stem : parts.stems(".SCB")) add_eight_bits(parts, stem);
}

}  // namespace nibble

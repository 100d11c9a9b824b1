// Codes of 8 bits, each times a scale: fp8 checkpoints (DeepSeek-V3, Qwen3-FP8: a scale for each
// block of 128 x 128, as weight_scale_inv; fbgemm: for each row, as weight_scale), ModelOpt's FP8,
// and what compressed-tensors stores without packing.
#include <array>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

// Where the scale of an element lies: rows and columns that share one.
struct ScaleGrid {
  uint64_t rows, columns, row_step, column_step;  // steps of 0: one for all
  uint64_t at(uint64_t row, uint64_t column) const {
    return (row_step == 0 ? 0 : row / row_step * columns) +
           (column_step == 0 ? 0 : column / column_step);
  }
};

uint64_t ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// `block`: rows and columns of blocks, or empty. A shape decides unless it could be both.
std::optional<ScaleGrid> find_grid(uint64_t rows, uint64_t columns, const Part& scale,
                                   const std::vector<uint64_t>& block) {
  if (scale.count() == 1) return ScaleGrid{1, 1, 0, 0};
  if (scale.shape.size() > 2) return std::nullopt;
  const uint64_t high = scale.dim(0), wide = scale.dim(1);
  if (block.size() == 2 && high == ceil_div(rows, block[0]) && wide == ceil_div(columns, block[1]))
    return ScaleGrid{high, wide, block[0], block[1]};
  if (high == rows && columns % wide == 0) return ScaleGrid{high, wide, 1, columns / wide};
  return std::nullopt;
}

std::vector<uint64_t> read_block(const JsonObject& config, const char* key) {
  const Json* list = config.find(key);
  if (list == nullptr) return {};
  const bool fits = list->is_array() && list->size() == 2 && (*list)[0].is_number_unsigned() &&
                    (*list)[1].is_number_unsigned() && (*list)[0] > 0 && (*list)[1] > 0;
  if (!fits) {
    fail(ErrorCode::kInvalidFile, "{}: \"{}\": expected [rows, columns]", config.file_name(), key);
  }
  return list->get<std::vector<uint64_t>>();
}

bool is_fp8(const Part& part) { return part.type == "F8_E4M3" || part.type == "F8_E5M2"; }

}  // namespace

void add_scaled_bytes(QuantizedParts& parts, const std::string& weight, const std::string& scale,
                      const std::string& zero_point, const std::vector<uint64_t>& block) {
  const Part codes = parts.require(weight, {"F8_E4M3", "F8_E5M2", "I8"});
  const Part scales = parts.require(scale, {"F32", "F16", "BF16", "F8_E8M0"});
  const Part* zeros = zero_point.empty() ? nullptr : parts.find(zero_point);
  // Matrices of experts lie one after the other, and so do their scales.
  const uint64_t experts = codes.shape.size() == 3 ? codes.dim(0) : 1;
  if (codes.shape.size() < 2 || codes.shape.size() > 3) {
    fail(ErrorCode::kUnsupported, "{}: tensor {}: {} dimensions, expected 2 or 3", parts.where(),
         printable(weight), codes.shape.size());
  }
  const uint64_t rows = codes.shape[codes.shape.size() - 2], columns = codes.shape.back();
  Part one = scales;
  const bool per_expert = experts > 1 && scales.dim(0) == experts && scales.count() > 1;
  if (per_expert) one.shape.erase(one.shape.begin());
  const auto grid = find_grid(rows, columns, one, block);
  if (!grid || (zeros != nullptr && (zeros->type != "I8" || zeros->count() != scales.count()))) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: the shape [{}] fits no weight of [{}]",
         parts.where(), printable(scale), fmt::join(scales.shape, ", "),
         fmt::join(codes.shape, ", "));
  }
  const Part zero = zeros == nullptr ? Part{} : *zeros;
  const uint64_t step = per_expert ? one.count() : 0;
  std::array<float, 256> values;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto byte = static_cast<std::byte>(i);
    values[i] = Part{"", codes.type, {1}, &byte}.value(0);
  }
  parts.add(
      weight, codes.shape,
      [codes, scales, zero, grid = *grid, rows, columns, step, values](uint64_t row, float* out) {
        const uint64_t base = row / rows * step, inside = row % rows;
        for (uint64_t i = 0; i < columns; ++i) {
          const uint64_t at = base + grid.at(inside, i);
          const float code = values[codes.element<uint8_t>(row * columns + i)];
          const float offset = zero.data == nullptr ? 0.0f : zero.value(at);
          out[i] = (code - offset) * scales.value(at);
        }
      });
  for (const std::string& name : {weight, scale, zero_point}) parts.take(name);
}

void decode_fp8(QuantizedParts& parts) {
  const std::vector<uint64_t> block = read_block(parts.config(), "weight_block_size");
  take_activation_scales(parts);
  for (const std::string& name : parts.stems("")) {
    if (!is_fp8(*parts.find(name))) continue;
    const bool inverse = parts.find(name + "_scale_inv") != nullptr;
    add_scaled_bytes(parts, name, name + (inverse ? "_scale_inv" : "_scale"), "", block);
  }
}

void decode_modelopt(QuantizedParts& parts) {
  take_activation_scales(parts);
  for (const std::string& name : parts.stems("")) {
    const Part& weight = *parts.find(name);
    // Experts in one tensor are no X.weight, but have X_weight_scale.
    const std::string scale =
        name + (parts.find(name + "_weight_scale") == nullptr ? "_scale" : "_weight_scale");
    if (is_fp8(weight) && !name.ends_with("_scale")) {
      add_scaled_bytes(parts, name, scale, "", {});
    } else if (weight.type == "U8" && parts.find(scale + "_2") != nullptr) {
      add_nvfp4(parts, name, weight, parts.require(scale, {"F8_E4M3"}),
                parts.require(scale + "_2", {"F32"}), false);
    }
  }
}

}  // namespace nibble

#include "file/quantized_parts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/numeric.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/tensor_files.h"

namespace nibble {
namespace {

float f32_from_e4m3(uint8_t bits) {  // OCP FP8: no infinities, one NaN of each sign
  const int exponent = bits >> 3 & 15, mantissa = bits & 7;
  if ((bits & 0x7f) == 0x7f) return std::nanf("");
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -9)
                              : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return (bits & 0x80) != 0 ? -magnitude : magnitude;
}

float f32_from_e8m0(uint8_t bits) {
  return bits == 255 ? std::nanf("") : std::ldexp(1.0f, bits - 127);
}

}  // namespace

uint64_t Part::count() const {
  uint64_t product = 1;
  for (const uint64_t size : shape) product *= size;
  return product;
}

float Part::value(uint64_t i) const {
  if (type == "F32") return element<float>(i);
  if (type == "F16") return f32_from_f16(element<uint16_t>(i));
  if (type == "BF16") return f32_from_bf16(element<uint16_t>(i));
  const auto bits = element<uint8_t>(i);
  if (type == "F8_E4M3") return f32_from_e4m3(bits);
  if (type == "F8_E8M0") return f32_from_e8m0(bits);
  if (type == "F8_E5M2") return f32_from_f16(static_cast<uint16_t>(bits << 8));  // its upper half
  return static_cast<float>(integer(i));
}

int64_t Part::integer(uint64_t i) const {
  if (type == "I64") return element<int64_t>(i);
  if (type == "I32") return element<int32_t>(i);
  return type == "I8" ? element<int8_t>(i) : element<uint8_t>(i);
}

QuantizedParts::QuantizedParts(const WeightFiles& source, const JsonObject& config, KeepBlocks keep)
    : config_(config), keep_(std::move(keep)) {
  for (const StoredTensor& tensor : source.stored()) {
    parts_[tensor.name] = {tensor.name, tensor.type, tensor.shape,
                           source.content(tensor.file).data() + tensor.offset};
  }
}

std::vector<std::string> QuantizedParts::stems(std::string_view ending) const {
  std::vector<std::string> stems;
  for (const auto& [name, part] : parts_) {
    if (name.ends_with(ending)) stems.push_back(name.substr(0, name.size() - ending.size()));
  }
  return stems;
}

const Part* QuantizedParts::find(const std::string& name) const {
  const auto place = parts_.find(name);
  return place == parts_.end() ? nullptr : &place->second;
}

const Part& QuantizedParts::require(const std::string& name,
                                    std::initializer_list<std::string_view> types,
                                    const std::vector<uint64_t>& shape) const {
  const Part* part = find(name);
  if (part == nullptr) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {} is missing, which a quantized weight needs",
         where(), printable(name));
  }
  if (std::ranges::count(types, part->type) == 0) {
    fail(ErrorCode::kUnsupported, "{}: tensor {}: found type {}, expected {}", where(),
         printable(name), part->type, fmt::join(types, " or "));
  }
  if (part->count() == 0) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {} has no elements", where(), printable(name));
  }
  if (!shape.empty() && part->shape != shape) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: found the shape [{}], expected [{}]", where(),
         printable(name), fmt::join(part->shape, ", "), fmt::join(shape, ", "));
  }
  return *part;
}

void QuantizedParts::add(std::string name, const std::vector<uint64_t>& shape, DecodeRow decode) {
  add(shape, {{std::move(name), DType::kF32, {}}, std::move(decode), nullptr});
}

void QuantizedParts::add_blocks(std::string name, DType type, const std::vector<uint64_t>& shape,
                                PackRow pack) {
  add(shape, {{std::move(name), type, {}}, nullptr, std::move(pack)});
}

void QuantizedParts::add(const std::vector<uint64_t>& shape, DecodedWeight weight) {
  if (shape.empty() || shape.size() > Shape::kMaxRank || std::ranges::count(shape, 0u) > 0 ||
      !checked_tensor_bytes(DType::kF32, shape_from_pytorch(shape))) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: the shape [{}] is no shape of a weight", where(),
         printable(weight.tensor.name), fmt::join(shape, ", "));
  }
  weight.tensor.shape = shape_from_pytorch(shape);
  weights_.push_back(std::move(weight));
}

bool QuantizedParts::keeps(const std::string& name, DType type, uint64_t columns) const {
  return keep_ && columns % block_weights(type) == 0 && keep_(name);
}

// Scales of activations and of the KV cache: for kernels that multiply in 8 bits.
void take_activation_scales(QuantizedParts& parts) {
  for (const char* ending :
       {".input_scale", "_input_scale", ".input_activation_scale", ".activation_scale",
        "_activation_scale", ".input_global_scale", ".output_scale", ".k_scale", ".v_scale",
        ".q_scale", ".prob_scale", ".input_scale_ub"}) {
    for (const std::string& stem : parts.stems(ending)) parts.take(stem + ending);
  }
}

}  // namespace nibble

#include "file/quantized_weights.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "file/byte_reader.h"
#include "file/quantized_parts.h"

namespace nibble {
namespace {

void keep_all(QuantizedParts&) {}

struct Method {
  std::string_view name;
  void (*decode)(QuantizedParts&);
};

// By quant_method. MXFP4's pairs are whole tensors already (mxfp4_pairs.h).
constexpr auto kMethods = std::to_array<Method>({
    {"awq", decode_awq},
    {"bitsandbytes", decode_bitsandbytes},
    {"compressed-tensors", decode_compressed_tensors},
    {"fbgemm_fp8", decode_fp8},
    {"fp8", decode_fp8},
    {"gptq", decode_gptq},
    {"modelopt", decode_modelopt},
    {"mxfp4", keep_all},
});

const Method& find_method(const JsonObject& config) {
  auto name = config.find_string("quant_method");
  if (!name && (config.find("load_in_4bit") != nullptr || config.find("load_in_8bit") != nullptr))
    name = "bitsandbytes";  // older ones do not say so
  if (!name && config.find("config_groups") != nullptr) name = "compressed-tensors";
  if (!name) name = config.require_string("quant_method");
  const auto method = std::ranges::find(kMethods, *name, &Method::name);
  if (method != kMethods.end()) return *method;
  std::vector<std::string_view> known;
  for (const Method& each : kMethods) known.push_back(each.name);
  fail(ErrorCode::kUnsupported,
       "{}: \"quant_method\": found \"{}\"; this version reads {}. Convert the model that it was "
       "made from instead",
       config.file_name(), printable(*name), fmt::join(known, ", "));
}

}  // namespace

const Json* find_quantization(const JsonObject& config) {
  for (const char* key : {"quantization_config", "compression_config"}) {
    if (const Json* found = config.find(key)) return found;
  }
  const Json* text = config.find("text_config");
  if (text == nullptr || !text->is_object()) return nullptr;
  return JsonObject(*text, config.file_name()).find("quantization_config");
}

QuantizedWeights::QuantizedWeights(const WeightFiles& source, const JsonObject& quantization,
                                   KeepBlocks keep)
    : source_(source) {
  QuantizedParts parts(source, quantization, std::move(keep));
  find_method(quantization).decode(parts);
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    if (parts.taken().contains(source.tensors()[i].name)) continue;
    kept_.push_back(i);
    tensors_.push_back(source.tensors()[i]);
  }
  for (const UnsupportedTensor& tensor : source.unsupported()) {
    if (!parts.taken().contains(tensor.name)) unsupported_.push_back(tensor);
  }
  made_ = std::move(parts.weights());
  for (const DecodedWeight& weight : made_) tensors_.push_back(weight.tensor);
  if (const auto name = find_duplicate(tensors_)) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {} is there both as it is and quantized",
         quantization.file_name(), printable(*name));
  }
}

bool QuantizedWeights::keeps_blocks() const {
  return std::ranges::any_of(made_, [](const DecodedWeight& weight) { return !!weight.pack; });
}

void QuantizedWeights::read_rows(size_t tensor, uint64_t first, uint64_t count,
                                 std::span<std::byte> out) const {
  if (tensor < kept_.size()) return source_.read_rows(kept_[tensor], first, count, out);
  const TensorInfo& info = tensors_.at(tensor);
  const uint64_t rows = info.shape.rows();
  if (first > rows || count > rows - first || out.size() != count * info.row_bytes()) {
    fail(ErrorCode::kUsage, "{}: rows {} to {} of {} wanted into {} bytes", info.name, first,
         first + count, rows, out.size());
  }
  const DecodedWeight& weight = made_[tensor - kept_.size()];
  std::vector<float> row(weight.decode ? info.shape.columns() : 0);  // `out` may not be aligned
  for (uint64_t i = 0; i < count; ++i) {
    std::byte* to = out.data() + i * info.row_bytes();
    if (weight.pack) {
      weight.pack(first + i, to);
      continue;
    }
    weight.decode(first + i, row.data());
    std::memcpy(to, row.data(), info.row_bytes());
  }
}

}  // namespace nibble

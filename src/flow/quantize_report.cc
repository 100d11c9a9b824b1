#include "flow/quantize_report.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "codec/formats.h"
#include "file/gguf_sink.h"

namespace nibble {
namespace {

// llama.cpp refuses to make these without importance, but for the embedding and the output.
bool wants_importance(const TensorInfo& tensor) {
  static constexpr auto kTypes = std::to_array({DType::kIQ1_S, DType::kIQ1_M, DType::kIQ2_XXS,
                                                DType::kIQ2_XS, DType::kIQ2_S, DType::kIQ3_XXS});
  return std::ranges::find(kTypes, tensor.type) != kTypes.end() &&
         tensor.name != "token_embd.weight" && tensor.name != "output.weight";
}

void warn_about_importance(const PlannedOutput& output, const TensorImportance& importance,
                           QuantizedFile& file) {
  size_t count = 0;
  std::string first;
  for (size_t i = 0; i < output.tensors.size(); ++i) {
    const bool is_known = !importance.of(output.plan[i].source_index).empty();
    if (is_known || !wants_importance(output.tensors[i])) continue;
    if (count++ == 0) first = output.tensors[i].name;
  }
  if (count == 0) return;
  file.warnings.push_back(fmt::format(
      "{} of its tensors get types of 3 bits or less with no word about their columns' importance "
      "(first: {}); with --imatrix the loss is far smaller",
      count, first));
}

}  // namespace

QuantizedFile report_output(const QuantizeTarget& target, const PlannedOutput& output,
                            const TensorImportance& importance) {
  QuantizedFile file;
  file.type = target.type;
  file.path = target.path;
  for (const GgufPart& part : parts_of(output, target.path)) {
    file.bytes += gguf_file_bytes(part.metadata, part.tensors);
  }
  uint64_t bytes = 0;
  for (size_t i = 0; i < output.tensors.size(); ++i) {
    const TensorInfo& tensor = output.tensors[i];
    file.weights += tensor.shape.count();
    bytes += tensor.bytes();
    file.tensors.push_back({tensor.name, tensor.type, tensor.bytes()});
    const DType wanted = output.plan[i].wanted;
    if (wanted != tensor.type) file.fallbacks.push_back({tensor.name, wanted, tensor.type});
  }
  file.bits_per_weight =
      8.0 * static_cast<double>(bytes) / static_cast<double>(std::max<uint64_t>(file.weights, 1));
  file.warnings = output.notes;
  file.unmatched_pre_tokenizer = output.unmatched_pre_tokenizer;
  warn_about_importance(output, importance, file);
  return file;
}

}  // namespace nibble

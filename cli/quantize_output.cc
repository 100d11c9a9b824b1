#include "cli/quantize_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/terminal.h"
#include "cli/type_table.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

void print_fallbacks(const QuantizedFile& file) {
  if (file.fallbacks.empty()) return;
  const auto& first = file.fallbacks.front();
  fmt::print(
      "  {} of its tensors have rows that {} blocks do not divide and became {} or larger (first: "
      "{}); the bits "
      "per weight above count that\n",
      file.fallbacks.size(), dtype_name(first.wanted), dtype_name(first.used), first.tensor);
}

TypeTable type_table(const QuantizedFile& file) {
  TypeTable table;
  for (const auto& tensor : file.tensors) table.add(tensor.type, tensor.bytes);
  return table;
}

}  // namespace

nlohmann::ordered_json quantized_json(const QuantizeResult& result, bool dry_run) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const QuantizedFile& file : result.files) {
    nlohmann::ordered_json fallbacks = nlohmann::ordered_json::array();
    for (const auto& fallback : file.fallbacks) {
      fallbacks.push_back({{"tensor", fallback.tensor},
                           {"wanted", dtype_name(fallback.wanted)},
                           {"used", dtype_name(fallback.used)}});
    }
    outputs.push_back({{"type", file.type},
                       {"path", file.path.string()},
                       {"bytes", file.bytes},
                       {"bytes_resumed", file.bytes_resumed},
                       {"weights", file.weights},
                       {"bits_per_weight", file.bits_per_weight},
                       {"seconds", result.seconds},
                       {"fallbacks", fallbacks},
                       {"warnings", file.warnings}});
    if (!file.unmatched_pre_tokenizer.empty())
      outputs.back()["unmatched_pre_tokenizer"] = file.unmatched_pre_tokenizer;
    if (!dry_run) continue;
    auto& types = outputs.back()["tensors"] = nlohmann::ordered_json::object();
    for (const auto& tensor : file.tensors) types[tensor.name] = dtype_name(tensor.type);
  }
  return {{"outputs", outputs},
          {"method", method_name(result.method)},
          {"importance_tensors", result.importance_tensors},
          {"feedback_tensors", result.feedback_tensors},
          {"unusable_moments", result.unusable_moments},
          {"pooled_experts", result.pooled_experts},
          {"scaled_inputs", result.scaled_inputs},
          {"seconds", result.seconds},
          {"source_bytes", result.source_bytes},
          {"peak_buffer_bytes", result.peak_buffer_bytes},
          {"peak_memory_bytes", peak_memory_bytes()}};
}

void print_quantized(const QuantizeResult& result, bool dry_run) {
  for (const QuantizedFile& file : result.files) {
    fmt::print("{}: {}, {:.2f} bits per weight\n", file.path.string(), readable_bytes(file.bytes),
               file.bits_per_weight);
    if (dry_run) type_table(file).print();
    if (file.bytes_resumed > 0)
      fmt::print("  {} of it from an earlier call\n", readable_bytes(file.bytes_resumed));
    print_fallbacks(file);
  }
  if (result.importance_tensors > 0)
    fmt::print("importance matrix: used for {} tensors\n", result.importance_tensors);
  if (result.feedback_tensors > 0)
    fmt::print("error feedback: for {} of them\n", result.feedback_tensors);
  if (!result.unusable_moments.empty()) {
    fmt::print(
        "but {} of these have second moments of no use and went without, at least in part (first: "
        "{})\n",
        result.unusable_moments.size(), result.unusable_moments.front());
  }
  if (result.scaled_inputs > 0)
    fmt::print("scaled: what {} inputs multiply\n", result.scaled_inputs);
  if (result.pooled_experts > 0) {
    fmt::print("{} experts met next to nothing in calibration: the mean over all stands for them\n",
               result.pooled_experts);
  }
  if (dry_run) {
    fmt::print("nothing was written (--dry-run)\n");
    return;
  }
  fmt::print(stderr, "{} read once in {:.2f} s, peak memory {}\n",
             readable_bytes(result.source_bytes), result.seconds,
             readable_bytes(peak_memory_bytes()));
}

void print_warnings(const QuantizeResult& result) {
  for (const QuantizedFile& file : result.files) {
    for (const std::string& warning : file.warnings)
      fmt::print(stderr, "warning: {}: {}\n", file.path.string(), warning);
  }
}

}  // namespace nibble::cli

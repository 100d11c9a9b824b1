#include "flow/calibration_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/input_file.h"
#include "base/xxh64.h"
#include "flow/model_fingerprint.h"

namespace nibble {
namespace {

std::string hex_of(uint64_t checksum) { return fmt::format("{:016x}", checksum); }

}  // namespace

using MomentLayers = ActivationStatistics::MomentLayers;

std::vector<MomentLayers> calibration_passes(const ModelConfig& config,
                                             const CalibrateOptions& options) {
  if (!options.moments) return {{}};
  const auto bytes = [](int64_t n) { return triangle_size(n) * sizeof(double); };
  const auto experts = static_cast<uint64_t>(std::max<int64_t>(config.experts, 1));
  const int64_t ffn = config.experts > 0 ? config.expert_ffn : config.ffn;
  const uint64_t layer_bytes =
      bytes(config.hidden) * (1 + experts) + bytes(config.q_width()) + bytes(ffn) * experts;
  const uint64_t output_bytes = options.process_output ? bytes(config.hidden) : 0;
  const uint64_t room = options.memory_limit - std::min(options.memory_limit, output_bytes);
  auto at_once = static_cast<int64_t>(
      std::clamp<uint64_t>(room / layer_bytes, 1, static_cast<uint64_t>(config.layers)));
  std::vector<MomentLayers> passes;
  if (!options.sequential.empty()) at_once = 1;
  for (int64_t first = 0; first < config.layers; first += at_once)
    passes.push_back({first, std::min(first + at_once, config.layers)});
  return passes;
}

std::string describe_calibration(const Model::Parts& model,
                                 const std::vector<CalibrationText>& texts,
                                 const CalibrationChunks& chunks, const CalibrateOptions& options,
                                 size_t passes) {
  std::string work = fmt::format("nibble: {}\nmodel: {}\n", NIBBLE_VERSION,
                                 model_fingerprint(model.source.files()));
  const TensorSource& tensors = model.quantized ? *model.quantized : model.source.tensors();
  std::string types;
  for (const TensorInfo& tensor : tensors.tensors())
    types += fmt::format("{} {}\n", tensor.name, dtype_name(tensor.type));
  work += fmt::format("types: {}\nactivations: {}\nrepacked: {}\n",
                      hex_of(xxh64(std::as_bytes(std::span(types)))),
                      static_cast<int>(model.weights->activations()), model.is_repacked);
  work +=
      fmt::format("context: {}\nchunks: {}\noutput matrix: {}\nmoments: {}\npasses: {}\n",
                  options.context, chunks.count(), options.process_output, options.moments, passes);
  for (size_t i = 0; i < texts.size(); ++i) {
    work += fmt::format("text {}: {}, tokens {}\n", i + 1,
                        std::filesystem::path(texts[i].name).filename().string(),
                        hex_of(xxh64(std::as_bytes(std::span(chunks.tokens()[i])))));
  }
  for (size_t i = 0; i < options.added.size(); ++i) {
    const InputFile file(options.added[i]);
    work += fmt::format("added {}: {}\n", i + 1, hex_of(xxh64(file.map())));
  }
  return work;
}

}  // namespace nibble

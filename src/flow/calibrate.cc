// nibble::calibrate: texts -> model -> observer -> importance matrix, with moments when asked for.
#include "nibble/calibrate.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "calib/activation_statistics.h"
#include "file/gguf_sink.h"
#include "file/imatrix.h"
#include "file/moments.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/same_text.h"
#include "infer/session.h"
#include "model/tensor_shapes.h"
#include "nibble/text_file.h"

namespace nibble {
namespace {

constexpr int64_t kLogitsAtOnce = 32;  // tokens

struct Chunks {
  std::vector<std::vector<uint32_t>> tokens;  // of each text
  std::vector<Windows> windows;
  int64_t count = 0;
};

Chunks cut(const Model::Parts& model, const std::vector<CalibrationText>& texts,
           const CalibrateOptions& options) {
  check_windows(options.context, options.chunks);
  Chunks chunks;
  for (const CalibrationText& text : texts) {
    chunks.tokens.push_back(
        model.tokenizer->encode(text.text, {.parse_special = options.parse_special}));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    Windows windows = windows_for(model, chunks.tokens[i], options.context, 0, 0, texts[i].name);
    if (options.chunks > 0) windows.count = std::min(windows.count, options.chunks - chunks.count);
    chunks.count += windows.count;
    chunks.windows.push_back(windows);
  }
  return chunks;
}

// Reads the chunks, and tells the observer.
void read_chunks(const Model::Parts& model, const Chunks& chunks, const CalibrateOptions& options,
                 ActivationStatistics& statistics, Phase& phase) {
  Session session(model.config, *model.weights, *model.pool, options.context, DType::kF16);
  session.observe(&statistics);
  for (const Windows& windows : chunks.windows) {
    for (int64_t w = 0; w < windows.count; ++w) {
      const std::vector<uint32_t> window = windows.window(w);
      session.rewind();
      for (int64_t begin = 0; begin < windows.length; begin += Session::kBatch) {
        const int64_t count = std::min(Session::kBatch, windows.length - begin);
        session.read(
            std::span(window).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
            options.process_output ? count : 0);
        for (int64_t i = 0; options.process_output && i < count; i += kLogitsAtOnce)
          session.logits(i, std::min(kLogitsAtOnce, count - i));
      }
      statistics.end_chunk();
      phase.advance(static_cast<uint64_t>(windows.length));
    }
  }
}

std::string name_of(const Model::Parts& model, Role role, int64_t layer) {
  const bool tied = role == Role::kOutput && is_tied(model.source.tensors().tensors());
  return gguf_name({tied ? Role::kTokenEmbd : role, static_cast<uint64_t>(layer)});
}

void check_finite(const std::string& tensor, const InputStatistics& input) {
  const auto bad = std::ranges::find_if(input.sums, [](float sum) { return !std::isfinite(sum); });
  if (bad == input.sums.end()) return;
  fail(ErrorCode::kInvalidFile,
       "tensor {}: what column {} multiplies sums up to {}: the model computes numbers that are "
       "none; see what is wrong with it by nibble evaluate",
       tensor, (bad - input.sums.begin()) % input.columns, *bad);
}

ImportanceMatrix matrix_of(const Model::Parts& model, const std::vector<InputStatistics>& inputs) {
  ImportanceMatrix matrix;
  for (const InputStatistics& input : inputs) {
    for (const Role role : input.roles) {
      const std::string name = name_of(model, role, input.layer);
      check_finite(name, input);
      matrix.entries.emplace(name, ImportanceEntry{input.sums, input.counts});
    }
  }
  return matrix;
}

std::vector<Calibration::StarvedExpert> starved_experts(const ImportanceMatrix& matrix) {
  constexpr double kShare = 0.01;
  std::vector<Calibration::StarvedExpert> starved;
  for (const auto& [name, entry] : matrix.entries) {
    double total = 0;
    for (const float count : entry.counts) total += count;
    const double least = kShare * total / static_cast<double>(entry.counts.size());
    for (size_t e = 0; e < entry.counts.size(); ++e) {
      if (entry.counts[e] < least)
        starved.push_back({name, static_cast<int64_t>(e), entry.counts[e]});
    }
  }
  return starved;
}

Shape matrix_shape(uint64_t columns, uint64_t rows) { return {{columns, rows, 1, 1}, 2}; }

// The GGUF, whose tensors come as they are known.
class StatisticsFile {
 public:
  StatisticsFile(const std::filesystem::path& path, const Model::Parts& model,
                 const ImportanceMatrix& matrix, const std::vector<InputStatistics>& inputs,
                 bool moments)
      : model_(model) {
    Metadata metadata = imatrix_metadata(matrix);
    for (const auto& [name, entry] : matrix.entries) {
      const uint64_t experts = entry.counts.size();
      tensors_.push_back({imatrix_sums_name(name), DType::kF32,
                          matrix_shape(entry.sums.size() / experts, experts)});
      tensors_.push_back({imatrix_counts_name(name), DType::kF32, matrix_shape(1, experts)});
    }
    if (moments) announce_moments(inputs, metadata);
    sink_ = std::make_unique<GgufSink>(path, metadata, tensors_);
  }

  void write(const ImportanceMatrix& matrix) {
    for (const auto& [name, entry] : matrix.entries) {
      write(imatrix_sums_name(name), 0, entry.sums);
      write(imatrix_counts_name(name), 0, entry.counts);
    }
  }

  // Of the inputs that have some.
  void write_moments(const InputStatistics& input) {
    const std::string name = moments_name(input_name(input));
    const auto n = static_cast<uint64_t>(input.columns);
    std::vector<float> triangle(moments_count(n));
    for (size_t e = 0; e < input.moments.size(); ++e) {
      if (input.moments[e].empty()) std::ranges::fill(triangle, 0.0f);
      float* to = triangle.data();
      for (uint64_t i = 0; !input.moments[e].empty() && i < n; to += ++i)
        std::copy_n(input.moments[e].data() + i * n, i + 1, to);
      write(name, e * moments_count(n) * sizeof(float), triangle);
    }
  }

  void finish() { sink_->finish(); }

 private:
  std::string input_name(const InputStatistics& input) const {
    return name_of(model_, input.roles.front(), input.layer);
  }

  void announce_moments(const std::vector<InputStatistics>& inputs, Metadata& metadata) {
    InputNames names;
    for (const InputStatistics& input : inputs) {
      if (!has_moments(input.columns)) continue;
      for (const Role role : input.roles)
        names.emplace(name_of(model_, role, input.layer), input_name(input));
      tensors_.push_back({moments_name(input_name(input)), DType::kF32,
                          matrix_shape(moments_count(static_cast<uint64_t>(input.columns)),
                                       input.moments.size())});
    }
    add_moments_keys(names, metadata);
  }

  void write(const std::string& name, uint64_t offset, const std::vector<float>& values) {
    const auto found = std::ranges::find(tensors_, name, &TensorInfo::name);
    sink_->write(static_cast<size_t>(found - tensors_.begin()), offset,
                 std::as_bytes(std::span(values)));
  }

  const Model::Parts& model_;
  std::vector<TensorInfo> tensors_;
  std::unique_ptr<GgufSink> sink_;
};

// What one pass over the texts measures moments of.
std::vector<ActivationStatistics::MomentLayers> passes_of(const ModelConfig& config,
                                                          const CalibrateOptions& options) {
  if (!options.moments) return {{}};
  const auto squared = [](int64_t n) { return static_cast<uint64_t>(n * n); };
  const auto experts = static_cast<uint64_t>(std::max<int64_t>(config.experts, 1));
  const uint64_t layer_bytes =
      sizeof(float) * (squared(config.hidden) * (1 + experts) + squared(config.q_width()) +
                       squared(config.ffn) * experts);
  const auto at_once = static_cast<int64_t>(std::clamp<uint64_t>(
      options.memory_limit / layer_bytes, 1, static_cast<uint64_t>(config.layers)));
  std::vector<ActivationStatistics::MomentLayers> passes;
  for (int64_t first = 0; first < config.layers; first += at_once)
    passes.push_back({first, std::min(first + at_once, config.layers)});
  return passes;
}

}  // namespace

Calibration calibrate(const Model& model, const std::vector<CalibrationText>& texts,
                      const std::filesystem::path& output, const CalibrateOptions& options,
                      const RunOptions& run) {
  const bool is_dat = output.extension() == ".dat";
  if (is_dat && options.moments) {
    fail(ErrorCode::kUsage, "{}: a .dat has no room for second moments; name a .gguf",
         output.string());
  }
  const Model::Parts& parts = model.parts();
  const Chunks chunks = cut(parts, texts, options);
  const auto passes = passes_of(parts.config, options);
  Calibration result;
  result.chunks = chunks.count;
  result.tokens = chunks.count * options.context;
  result.passes = static_cast<int64_t>(passes.size());
  Phase phase(run, "calibrating", "tokens", static_cast<uint64_t>(result.tokens * result.passes));
  std::unique_ptr<StatisticsFile> file;
  for (const auto& layers : passes) {
    ActivationStatistics statistics(parts.config, layers, *parts.pool);
    read_chunks(parts, chunks, options, statistics, phase);
    if (&layers == &passes.front()) {
      ImportanceMatrix matrix = matrix_of(parts, statistics.inputs());
      for (const CalibrationText& text : texts) {  // the same bytes wherever the texts lie
        matrix.datasets.push_back(std::filesystem::path(text.name).filename().string());
      }
      matrix.chunks = static_cast<uint64_t>(chunks.count);
      matrix.chunk_size = static_cast<uint64_t>(options.context);
      result.tensors = matrix.entries.size();
      result.starved = starved_experts(matrix);
      if (is_dat) {
        write_text_file(output, imatrix_dat_bytes(matrix));
        break;
      }
      file = std::make_unique<StatisticsFile>(output, parts, matrix, statistics.inputs(),
                                              options.moments);
      file->write(matrix);
    }
    for (const InputStatistics& input : statistics.inputs()) {
      const int64_t layer =
          input.roles.front() == Role::kOutput ? parts.config.layers - 1 : input.layer;
      if (layers.contains(layer) && has_moments(input.columns)) file->write_moments(input);
    }
  }
  if (file) file->finish();
  result.bytes = std::filesystem::file_size(output);
  result.seconds = phase.seconds();
  return result;
}

}  // namespace nibble

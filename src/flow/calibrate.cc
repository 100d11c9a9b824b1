// nibble::calibrate: texts -> model -> observer -> importance matrix, with moments when asked for.
#include "nibble/calibrate.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "base/output_file.h"
#include "calib/activation_statistics.h"
#include "calib/checkpoint.h"
#include "file/imatrix.h"
#include "file/tensor_files.h"
#include "flow/calibration_plan.h"
#include "flow/calibration_results.h"
#include "flow/calibration_texts.h"
#include "flow/model.h"
#include "flow/quantized_layers.h"
#include "flow/run_support.h"
#include "flow/statistics_file.h"
#include "flow/statistics_sources.h"
#include "flow/work_description.h"
#include "infer/session.h"
#include "nibble/text_file.h"

namespace nibble {
namespace {

using MomentLayers = ActivationStatistics::MomentLayers;

constexpr int64_t kLogitsAtOnce = 32;  // tokens

// One calibration, from where an earlier call left it.
class CalibrationWork {
 public:
  CalibrationWork(const Model::Parts& model, const std::vector<CalibrationText>& texts,
                  const std::filesystem::path& output, const CalibrateOptions& options,
                  const RunOptions& run)
      : model_(model),
        texts_(texts),
        output_(output),
        options_(options),
        chunks_(model, texts, options),
        passes_(calibration_passes(model.config, options)),
        work_(describe_calibration(model, texts, chunks_, options, passes_.size())),
        inputs_(find_left()),
        resumed_(chunks_done() * options.context),
        phase_(run, "calibrating", "tokens",
               static_cast<uint64_t>(chunks_.count() * pass_count() * options.context),
               static_cast<uint64_t>(resumed_)) {
    if (!options.sequential.empty()) quantized_.emplace(model, options.sequential);
    for (const auto& path : options.added) sources_.emplace_back(path, 1.0, options.context);
    if (progress_.passes > 0) open_file(Unfinished::kResume).keep();  // or it says what is missing
  }

  Calibration run() {
    while (progress_.passes < passes_.size()) {
      const MomentLayers layers = passes_[progress_.passes];
      ActivationStatistics statistics(model_.config, layers, *model_.pool,
                                      std::exchange(inputs_, {}));
      measure(statistics);
      end_pass(statistics.inputs(), layers);
    }
    return result();
  }

 private:
  bool is_dat() const { return output_.extension() == ".dat"; }
  int64_t pass_count() const { return static_cast<int64_t>(passes_.size()); }
  int64_t chunks_done() const {
    return static_cast<int64_t>(progress_.passes) * chunks_.count() +
           static_cast<int64_t>(progress_.chunks);
  }

  // What this pass had measured.
  std::vector<InputStatistics> find_left() {
    const auto path = checkpoint_path(output_);
    if (!options_.resume) {  // it must not be gone on from with what is written now
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
      return {};
    }
    if (is_missing(path)) return {};
    const InputFile file(path);
    CalibrationCheckpoint left = parse_checkpoint(file.map(), file.name());
    check_same_work(output_, left.work, work_);
    check_left(left, file.name());
    progress_ = std::move(left.progress);
    return std::move(left.inputs);
  }

  void check_left(const CalibrationCheckpoint& left, const std::string& file_name) const {
    const auto fits = [&](const InputStatistics& input) {
      return input.layer < model_.config.layers;
    };
    if (left.progress.passes < passes_.size() &&
        left.progress.chunks <= static_cast<uint64_t>(chunks_.count()) &&
        (left.progress.passes == 0 || !left.progress.measured.empty()) &&
        std::ranges::all_of(left.progress.measured, fits) && std::ranges::all_of(left.inputs, fits))
      return;
    fail(ErrorCode::kInvalidFile,
         "{}: is of more chunks or layers than there are; leave --resume out to begin anew",
         file_name);
  }

  // The chunks that are left of a pass.
  void measure(ActivationStatistics& statistics) {
    Session session(model_.config, *model_.weights, *model_.pool, options_.context, DType::kF16);
    session.observe(&statistics);
    const auto count = static_cast<uint64_t>(chunks_.count());
    for (bool is_first = true; progress_.chunks < count; is_first = false) {
      read_chunk(session, chunks_.chunk(static_cast<int64_t>(progress_.chunks)));
      for (const InputStatistics& input : statistics.inputs()) check_finite(model_, input);
      if (is_first) check_sources(statistics.inputs());
      ++progress_.chunks;
      try {
        phase_.advance(static_cast<uint64_t>(options_.context));
      } catch (const Error& error) {
        save(statistics.inputs());
        fail(error.code(), "cancelled after {} of {} chunks{}", chunks_done(),
             chunks_.count() * pass_count(),
             writes_checkpoints() ? "; --resume goes on from there" : "");
      }
      if (progress_.chunks < count && is_due()) save(statistics.inputs());
    }
  }

  void read_chunk(Session& session, const std::vector<uint32_t>& tokens) const {
    session.rewind();
    const auto length = static_cast<int64_t>(tokens.size());
    for (int64_t begin = 0; begin < length; begin += Session::kBatch) {
      const int64_t count = std::min(Session::kBatch, length - begin);
      session.read(
          std::span(tokens).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
          options_.process_output ? count : 0);
      for (int64_t i = 0; options_.process_output && i < count; i += kLogitsAtOnce)
        session.logits(i, std::min(kLogitsAtOnce, count - i));
    }
  }

  // Before hours of work: that what is to be added is of this model.
  void check_sources(const std::vector<InputStatistics>& inputs) const {
    if (sources_.empty()) return;
    combine(inputs);
    for (const StatisticsSource& source : sources_) {
      for (const InputStatistics& input : inputs) {
        const std::string name = input_name(model_, input);
        if (!options_.moments || !has_moments(input.columns) || source.has_moments(name)) continue;
        fail(ErrorCode::kUsage,
             "{}: has no second moments of {}; leave --moments out, or measure them anew",
             source.importance().name, name);
      }
    }
  }

  bool writes_checkpoints() const { return options_.checkpoint_seconds > 0 && !quantized_; }

  bool is_due() const {
    constexpr double kWorkPerWriting = 20;
    return writes_checkpoints() &&
           since_saved_.seconds() >
               std::max(options_.checkpoint_seconds, kWorkPerWriting * writing_seconds_);
  }

  void save(const std::vector<InputStatistics>& inputs) {
    if (!writes_checkpoints()) return;
    const Stopwatch watch;
    write_checkpoint(checkpoint_path(output_), work_, progress_, inputs);
    writing_seconds_ = watch.seconds();
    since_saved_ = Stopwatch();
  }

  CombinedImportance combine(const std::vector<InputStatistics>& inputs) const {
    ImportanceMatrix own = importance_of(model_, inputs);
    for (const CalibrationText& text : texts_) {  // the same bytes wherever the texts lie
      own.datasets.push_back(std::filesystem::path(text.name).filename().string());
    }
    own.chunks = static_cast<uint64_t>(chunks_.count());
    own.chunk_size = static_cast<uint64_t>(options_.context);
    std::vector<WeightedImportance> parts;
    for (const StatisticsSource& source : sources_) parts.push_back(source.importance());
    parts.push_back({model_.path.string(), 1.0, &own});
    return CombinedImportance(parts);
  }

  StatisticsFile open_file(Unfinished unfinished) const {
    std::vector<StatisticsFile::MomentsShape> shapes;
    InputNames names;
    for (const InputStatistics& input : progress_.measured) {
      if (!options_.moments || !has_moments(input.columns)) continue;
      for (const Role role : input.roles)
        names.emplace(input_name(model_, role, input.layer), input_name(model_, input));
      shapes.push_back(
          {input_name(model_, input), static_cast<uint64_t>(input.columns), input.counts.size()});
    }
    const CombinedImportance combined = combine(progress_.measured);
    return StatisticsFile(output_, combined.matrix(), shapes, names, unfinished);
  }

  static bool is_of(const InputStatistics& input, const MomentLayers& layers, int64_t last) {
    return layers.contains(input.roles.front() == Role::kOutput ? last : input.layer);
  }

  void end_pass(const std::vector<InputStatistics>& inputs, const MomentLayers& layers) {
    const bool is_first = progress_.passes == 0, is_last = progress_.passes + 1 == passes_.size();
    if (is_first) {
      for (const InputStatistics& input : inputs) {
        progress_.measured.push_back(
            {input.roles, input.layer, input.columns, input.sums, input.counts, {}});
        progress_.measured.back().moments.resize(input.counts.size());
      }
    }
    if (quantized_) go_on_quantized(inputs, layers.first);
    if (is_dat()) {
      write_text_file(output_, imatrix_dat_bytes(combine(inputs).matrix()));
    } else {
      StatisticsFile file = open_file(is_first && is_last ? Unfinished::kRemove
                                      : is_first          ? Unfinished::kKeep
                                                          : Unfinished::kResume);
      write_moments(inputs, layers, file);
      is_last ? file.finish() : file.keep();
    }
    ++progress_.passes;
    progress_.chunks = 0;
    if (!is_last) return save({});
    std::error_code ignored;
    std::filesystem::remove(checkpoint_path(output_), ignored);
    std::filesystem::remove(part_path(checkpoint_path(output_)), ignored);
  }

  // What was measured of the layer just now, with those before it quantized, counts; then it is
  // quantized, too.
  void go_on_quantized(const std::vector<InputStatistics>& inputs, int64_t layer) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (is_of(inputs[i], {layer, layer + 1}, model_.config.layers - 1))
        progress_.measured[i].sums = inputs[i].sums;
    }
    quantized_->quantize(layer, inputs, importance_of(model_, inputs));
  }

  // Those of this pass; those of layers before it are in the file.
  void write_moments(const std::vector<InputStatistics>& inputs, const MomentLayers& layers,
                     StatisticsFile& file) const {
    if (!options_.moments) return;
    std::vector<double> sum;
    for (const InputStatistics& input : inputs) {
      const std::string name = input_name(model_, input);
      if (!has_moments(input.columns)) continue;
      if (!is_of(input, layers, model_.config.layers - 1)) {
        if (is_of(input, {0, layers.first}, model_.config.layers - 1)) file.accept_moments(name);
        continue;
      }
      for (size_t e = 0; e < input.moments.size(); ++e) {
        sum = input.moments[e];
        sum.resize(triangle_size(input.columns));
        for (const StatisticsSource& source : sources_) source.add_moments(name, e, sum);
        file.write_moments(name, e, sum);
      }
    }
  }

  Calibration result() const {
    Calibration result;
    result.chunks = chunks_.count();
    result.tokens = result.chunks * options_.context;
    result.passes = pass_count();
    result.tokens_resumed = resumed_;
    const ImportanceMatrix matrix = importance_of(model_, progress_.measured);
    result.tensors = matrix.entries.size();
    result.starved = starved_experts(matrix);
    result.bytes = std::filesystem::file_size(output_);
    result.seconds = phase_.seconds();
    return result;
  }

  const Model::Parts& model_;
  const std::vector<CalibrationText>& texts_;
  const std::filesystem::path& output_;
  const CalibrateOptions& options_;
  const CalibrationChunks chunks_;
  const std::vector<MomentLayers> passes_;
  const std::string work_;
  CalibrationProgress progress_;
  std::vector<InputStatistics> inputs_;  // of the pass that goes on
  int64_t resumed_;                      // tokens
  Phase phase_;
  std::vector<StatisticsSource> sources_;
  std::optional<QuantizedLayers> quantized_;
  Stopwatch since_saved_;
  double writing_seconds_ = 0;
};

}  // namespace

bool has_checkpoint(const std::filesystem::path& output) {
  return !is_missing(checkpoint_path(output));
}

Calibration calibrate(const Model& model, const std::vector<CalibrationText>& texts,
                      const std::filesystem::path& output, const CalibrateOptions& options,
                      const RunOptions& run) {
  if (!options.sequential.empty() && (!options.moments || options.resume)) {
    fail(ErrorCode::kUsage,
         "layers are quantized one after another by their second moments, in one go: --sequential "
         "goes with --moments and without --resume");
  }
  if (output.extension() == ".dat" && options.moments) {
    fail(ErrorCode::kUsage, "{}: a .dat has no room for second moments; name a .gguf",
         output.string());
  }
  require_free_space(output, 0);  // its folder is there
  require_other_file(output, model.parts().source.files());
  return CalibrationWork(model.parts(), texts, output, options, run).run();
}

}  // namespace nibble

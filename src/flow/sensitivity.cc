#include "flow/sensitivity.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/scratch.h"
#include "codec/codec.h"
#include "eval/reference.h"
#include "eval/reference_writer.h"
#include "flow/run_support.h"
#include "flow/same_text.h"
#include "flow/tensor_rounding.h"
#include "infer/session.h"
#include "model/roles.h"

namespace nibble {
namespace {

// About 3 bits: enough to stand out of what is random, little enough to be a small error.
DType probe_of(const TensorInfo& tensor) {
  return tensor.shape.columns() % 256 == 0 ? DType::kQ3_K : DType::kIQ4_NL;
}

// The text as the model sees it unchanged, and how far it is from that now.
class Divergences {
 public:
  Divergences(const Model::Parts& model, const SensitivityOptions& options)
      : model_(model),
        windows_(windows_for(model, options.tokens, options.context, options.windows, 0,
                             options.text_name)),
        session_(model.config, *model.weights, *model.pool, windows_.length, DType::kF16) {
    CompactLayout layout = {.context = windows_.length,
                            .vocab_size = model.weights->vocab_size(),
                            .windows = windows_.count,
                            .vocabulary_hash = 0};
    choose_sizes(layout);
    constexpr uint64_t kSeed = 1;
    CompactWriter writer(
        scratch_.path(), layout,
        windows_.tokens.first(static_cast<size_t>(windows_.count * windows_.length)), kSeed);
    read([&](const ScoredRows& rows) {
      score_rows(rows, *model_.pool, scores_);
      writer.write(rows, scores_, *model_.pool);
    });
    writer.commit();
    reference_ = std::make_unique<CompactReference>(scratch_.path());
  }

  double measure() {
    double sum = 0;
    read([&](const ScoredRows& rows) {
      reference_->compare(rows, *model_.pool, scores_);
      for (const Score& score : scores_) sum += score.divergence;
    });
    return std::max(0.0, sum / static_cast<double>(windows_.count * windows_.scored()));
  }

 private:
  template <class Use>
  void read(const Use& use) {
    WindowVisitor visitor;
    visitor.on_rows = [&](const ScoredRows& rows) {
      scores_.resize(rows.next.size());
      use(rows);
    };
    visitor.on_window = [](int64_t) {};
    read_windows(session_, model_.weights->vocab_size(), windows_, visitor);
  }

  const Model::Parts& model_;
  Windows windows_;
  Session session_;
  Scratch scratch_{"reference"};  // predictions that nobody needs afterwards
  std::unique_ptr<CompactReference> reference_;
  std::vector<Score> scores_;
};

std::vector<DType> possible_types(const TensorInfo& tensor, const std::vector<DType>& types) {
  std::vector<DType> possible = {probe_of(tensor)};
  for (const DType type : types) {
    const bool is_new = std::ranges::find(possible, type) == possible.end();
    if (is_new && tensor.shape.columns() % block_weights(type) == 0) possible.push_back(type);
  }
  return possible;
}

class Measuring {
 public:
  Measuring(const Model& model, const EncodingRules& rules, const SensitivityOptions& options)
      : model_(model.parts()), rules_(rules), options_(options), divergences_(model_, options) {}

  TensorSensitivity measure(size_t tensor) {
    const TensorSource& source = model_.source.tensors();
    const TensorInfo& info = source.tensors()[tensor];
    const size_t group = rules_.feedback.group_of(tensor);
    if (group == 0 || group != group_)
      factors_ = rules_.feedback.factors(group, rules_.effort, *model_.pool);
    group_ = group;
    const TensorRounding rounding(source, tensor,
                                  {rules_.importance.of(tensor), rules_.effort, factors_});
    TensorSensitivity result = {info.name, probe_of(info), 0, {}};
    const auto types = possible_types(info, options_.types);
    const auto costs = rounding.sample(types, *model_.pool);
    for (size_t k = 0; k < types.size(); ++k)
      result.errors.push_back({types[k], costs.relative(k)});
    const auto bytes = rounding.encode(result.probe, *model_.pool);
    const TensorPlace place = *place_from_gguf_name(info.name);
    auto before = model_.weights->exchange(place, views_of(info, result.probe, bytes));
    try {
      result.kl = divergences_.measure();
    } catch (...) {
      model_.weights->exchange(place, std::move(before));
      throw;
    }
    model_.weights->exchange(place, std::move(before));
    return result;
  }

 private:
  Model::Parts& model_;
  const EncodingRules& rules_;
  const SensitivityOptions& options_;
  Divergences divergences_;
  size_t group_ = 0;
  std::vector<std::optional<FeedbackFactor>> factors_;
};

}  // namespace

double TensorSensitivity::error(DType type) const {
  return std::ranges::find(errors, type, &TypeError::type)->error;
}

double TensorSensitivity::loss(DType type) const {
  const double of_probe = error(probe);
  return of_probe > 0 ? kl * error(type) / of_probe : 0;
}

std::vector<TensorSensitivity> measure_sensitivity(const Model& model,
                                                   const std::vector<size_t>& tensors,
                                                   const EncodingRules& rules,
                                                   const SensitivityOptions& options,
                                                   SensitivityFile& file, const RunOptions& run) {
  const auto& infos = model.parts().source.tensors().tensors();
  uint64_t known = 0;
  for (const size_t tensor : tensors) known += file.find(infos[tensor].name) != nullptr ? 1 : 0;
  Phase phase(run, "measuring sensitivity", "tensors", tensors.size(), known);
  std::optional<Measuring> measuring;
  std::vector<TensorSensitivity> result;
  for (const size_t tensor : tensors) {
    const TensorSensitivity* found = file.find(infos[tensor].name);
    if (found == nullptr) {
      if (!measuring) measuring.emplace(model, rules, options);
      file.add(measuring->measure(tensor));
      found = file.find(infos[tensor].name);
      phase.advance(1);
    }
    result.push_back(*found);
  }
  return result;
}

}  // namespace nibble

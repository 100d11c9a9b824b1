#include "nibble/evaluate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "eval/reference.h"
#include "eval/reference_writer.h"
#include "eval/score_statistics.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/same_text.h"

namespace nibble {
namespace {

constexpr int64_t kDefaultContext = 512;

// What the model is compared with, opened: one of the two, or nothing.
struct OpenReference {
  std::unique_ptr<Model> loaded;  // here, and not by the caller
  const Model* model = nullptr;
  std::unique_ptr<StoredReference> stored;
  StoredReference::Text text{};  // of the stored one
};

OpenReference open_reference(const EvaluateOptions& options, Activations activations,
                             const RunOptions& run) {
  OpenReference reference;
  reference.model = options.reference_model;
  if (options.reference.empty()) return reference;
  reference.stored = open_stored_reference(options.reference);
  if (reference.stored) {
    reference.text = reference.stored->text();
  } else {
    LoadOptions load;
    load.run = run;
    load.activations = activations;
    reference.loaded = std::make_unique<Model>(options.reference, load);
    reference.model = reference.loaded.get();
  }
  return reference;
}

void check_options(const EvaluateOptions& options, int64_t context, bool is_stored) {
  check_windows(context, options.windows);
  if (options.stride == 0) return;
  if (options.stride < 0 || options.stride >= context) {
    fail(ErrorCode::kUsage, "a stride of {} makes no sense with a context of {}: expected 1 to {}",
         options.stride, context, context - 1);
  }
  if (is_stored || !options.save_reference.empty()) {
    fail(ErrorCode::kUsage,
         "stored references are of windows side by side; leave out the stride, or compare with a "
         "model");
  }
}

void check_stored(const StoredReference::Text& text, const EvaluateOptions& options,
                  const Model::Parts& model) {
  check_vocabulary_size(options.reference, text.vocab_size, model.weights->vocab_size());
  if (text.vocabulary_hash &&
      text.vocabulary_hash != vocabulary_hash(model.tokenizer->vocabulary().tokens)) {
    fail(ErrorCode::kUsage,
         "{}: the reference is of another vocabulary of {} tokens; they cannot be compared",
         options.reference.string(), text.vocab_size);
  }
  if (options.context != 0 && options.context != text.context) {
    fail(ErrorCode::kUsage,
         "{}: the reference is of windows of {} tokens, {} were asked for; leave out the context",
         options.reference.string(), text.context, options.context);
  }
}

// The text's tokens, or those that the reference was made of.
std::vector<uint32_t> tokens_of(const Model::Parts& model, std::optional<std::string_view> text,
                                const EvaluateOptions& options, const OpenReference& reference) {
  if (!text && !reference.stored)
    fail(ErrorCode::kUsage, "there is no text; only a stored reference brings its own");
  if (!text) return reference.text.tokens;
  if (reference.model) return common_tokens(model, reference.model->parts(), *text);
  auto tokens = model.tokenizer->encode(*text);
  if (reference.stored) check_same_tokens(tokens, reference.text.tokens, options.reference);
  return tokens;
}

std::unique_ptr<ReferenceWriter> open_writer(const Model::Parts& model, const Windows& windows,
                                             const EvaluateOptions& options) {
  constexpr uint64_t kSeed = 1;  // the same file for the same model and text
  const auto& path = options.save_reference;
  if (path.empty()) return nullptr;
  const int64_t vocab_size = model.weights->vocab_size();
  const auto tokens = windows.tokens.first(static_cast<size_t>(windows.count * windows.length));
  if (options.reference_format == ReferenceFormat::kStock) {
    const LogitsLayout layout = {windows.length, vocab_size, windows.count};
    return std::make_unique<LogitsWriter>(path, layout, tokens);
  }
  CompactLayout layout = {.context = windows.length,
                          .vocab_size = vocab_size,
                          .windows = windows.count,
                          .vocabulary_hash = vocabulary_hash(model.tokenizer->vocabulary().tokens)};
  choose_sizes(layout);
  return std::make_unique<CompactWriter>(path, layout, tokens, kSeed);
}

std::unique_ptr<Reference> make_reference(OpenReference& reference, const Windows& windows) {
  if (reference.stored) return std::move(reference.stored);
  if (!reference.model) return nullptr;
  const Model::Parts& parts = reference.model->parts();
  return std::make_unique<ModelReference>(parts.config, *parts.weights, *parts.pool, windows.length,
                                          DType::kF16);
}

// One pass over the windows: each row of logits is scored, and stored when asked for.
class Pass {
 public:
  Pass(const Model::Parts& model, Reference* reference, ReferenceWriter* writer)
      : model_(model),
        reference_(reference),
        writer_(writer),
        statistics_(reference != nullptr, reference != nullptr && reference->is_sampled()) {}

  const ScoreStatistics& run(Session& session, const Windows& windows, Phase& phase) {
    WindowVisitor visitor;
    if (reference_ != nullptr) {
      visitor.on_read = [&](auto tokens, int64_t position, int64_t wanted) {
        reference_->on_read(tokens, position, wanted);
      };
    }
    visitor.on_rows = [&](const ScoredRows& rows) { add(rows); };
    visitor.on_window = [&](int64_t) {
      statistics_.end_window();
      phase.advance(static_cast<uint64_t>(windows.step));
    };
    read_windows(session, model_.weights->vocab_size(), windows, visitor);
    return statistics_;
  }

 private:
  void add(const ScoredRows& rows) {
    scores_.resize(rows.next.size());
    if (reference_ != nullptr) {
      reference_->compare(rows, *model_.pool, scores_);
    } else {
      score_rows(rows, *model_.pool, scores_);
    }
    for (const Score& score : scores_) statistics_.add(score);
    if (writer_ != nullptr) writer_->write(rows, scores_, *model_.pool);
  }

  const Model::Parts& model_;
  Reference* reference_;
  ReferenceWriter* writer_;
  ScoreStatistics statistics_;
  std::vector<Score> scores_;
};

}  // namespace

Evaluation evaluate(const Model& model, std::optional<std::string_view> text,
                    const EvaluateOptions& options, const RunOptions& run) {
  const Model::Parts& parts = model.parts();
  const KvTypes kv_types = kv_types_from_name(options.kv_type);
  check_kv_types(parts.config, kv_types, parts.path.string());
  OpenReference opened = open_reference(options, parts.weights->activations(), run);
  int64_t context = options.context == 0 ? kDefaultContext : options.context;
  if (opened.stored) {
    check_stored(opened.text, options, parts);
    context = opened.text.context;
  }
  check_options(options, context, opened.stored != nullptr);
  const auto tokens = tokens_of(parts, text, options, opened);
  Windows windows = windows_for(parts, tokens, context, options.windows, options.stride);
  if (opened.stored) windows.count = std::min(windows.count, opened.text.windows);
  const auto writer = open_writer(parts, windows, options);
  const auto reference = make_reference(opened, windows);

  Session session(parts.config, *parts.weights, *parts.pool, windows.length, kv_types);
  Phase phase(run, "evaluating", "tokens", static_cast<uint64_t>(windows.count * windows.step));
  Pass pass(parts, reference.get(), writer.get());
  const ScoreStatistics& statistics = pass.run(session, windows, phase);
  if (writer) writer->commit();

  Evaluation result;
  result.perplexity = statistics.perplexity();
  result.nll = statistics.nll();
  if (reference) {
    result.divergence = statistics.divergence();
    result.window_kl = statistics.window_kl();
    result.window_agreement = statistics.window_agreement();
  }
  result.context = windows.length;
  result.windows = windows.count;
  result.scored_tokens = statistics.count();
  result.processed_tokens = windows.count * windows.length;
  result.seconds = phase.seconds();
  return result;
}

}  // namespace nibble

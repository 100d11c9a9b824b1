#include "nibble/decide.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "eval/score.h"
#include "eval/windows.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/same_text.h"
#include "flow/verdict.h"

namespace nibble {
namespace {

constexpr int64_t kShortest = 4;

void check_options(const DecideOptions& options) {
  check_within(options.within);
  if (options.context < kShortest || options.windows < 0) {
    fail(ErrorCode::kUsage,
         "a context of {} and {} windows make no sense; the context is at least {}",
         options.context, options.windows, kShortest);
  }
}

std::vector<uint32_t> common_tokens(const Model& model, const Model& other, std::string_view text) {
  const Model::Parts &ours = model.parts(), &theirs = other.parts();
  check_vocabulary_size(theirs.path, theirs.weights->vocab_size(), ours.weights->vocab_size());
  auto tokens = ours.tokenizer->encode(text);
  check_same_tokens(tokens, theirs.tokenizer->encode(text), theirs.path);
  return tokens;
}

Windows windows_of(const Model& model, std::span<const uint32_t> tokens,
                   const DecideOptions& options) {
  const Vocabulary& vocabulary = model.parts().tokenizer->vocabulary();
  Windows windows = windows_side_by_side(tokens, options.context, options.windows);
  if (windows.count == 0) {
    fail(ErrorCode::kUsage,
         "the text has {} tokens, less than one window of {}; use a longer text or a shorter "
         "--context",
         tokens.size(), windows.length);
  }
  if (vocabulary.add_bos) windows.first_token = vocabulary.bos;
  return windows;
}

// A model that reads windows one by one.
class Reader {
 public:
  Reader(const Model& model, const Windows& windows, KvTypes kv_types)
      : model_(model.parts()),
        windows_(windows),
        session_(model_.config, *model_.weights, *model_.pool, windows.length, kv_types) {}

  // The mean of -ln p of its scored tokens.
  double mean_nll(int64_t index) {
    double sum = 0;
    WindowVisitor visitor;
    visitor.on_rows = [&](const ScoredRows& rows) {
      scores_.resize(rows.next.size());
      score_rows(rows, *model_.pool, scores_, [&](int64_t i, int) {
        return score(rows.row(i), rows.vocab_size, rows.next[static_cast<size_t>(i)]);
      });
      for (const Score& score : scores_) sum += score.nll;
    };
    read_window(session_, model_.weights->vocab_size(), windows_, index, visitor);
    return sum / static_cast<double>(windows_.scored());
  }

 private:
  const Model::Parts& model_;
  const Windows& windows_;
  Session session_;
  std::vector<Score> scores_;
};

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kBetter:
      return "better";
    case Outcome::kWorse:
      return "worse";
    case Outcome::kEqual:
      return "equal";
    case Outcome::kUndecided:
      break;
  }
  return "undecided";
}

Decision decide(const Model& model, const Model& other, std::string_view text,
                const DecideOptions& options, const RunOptions& run) {
  check_options(options);
  const KvTypes kv_types = kv_types_from_name(options.kv_type);
  for (const Model* each : {&model, &other})
    check_kv_types(each->parts().config, kv_types, each->path().string());
  const auto tokens = common_tokens(model, other, text);
  const Windows windows = windows_of(model, tokens, options);
  Reader ours(model, windows, kv_types), theirs(other, windows, kv_types);

  Decision result;
  ConfidenceSequence differences;
  Phase phase(run, "comparing", "windows", static_cast<uint64_t>(windows.count));
  for (const size_t window : random_order(static_cast<size_t>(windows.count))) {
    const auto index = static_cast<int64_t>(window);
    differences.add(ours.mean_nll(index) - theirs.mean_nll(index));
    phase.advance(1);
    result.outcome = outcome_of(differences, options.within);
    if (result.outcome != Outcome::kUndecided) break;
  }
  result.ratio = std::exp(differences.mean());
  result.low = std::exp(differences.low());
  result.high = std::exp(differences.high());
  result.windows = differences.count();
  result.available_windows = windows.count;
  result.tokens = result.windows * windows.length;
  result.seconds = phase.seconds();
  return result;
}

}  // namespace nibble

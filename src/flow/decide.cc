#include "nibble/decide.h"

#include <cmath>
#include <vector>

#include "eval/score.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/same_text.h"
#include "flow/verdict.h"

namespace nibble {
namespace {

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
      score_rows(rows, *model_.pool, scores_);
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
  check_within(options.within);
  check_windows(options.context, options.windows);
  const KvTypes kv_types = kv_types_from_name(options.kv_type);
  for (const Model* each : {&model, &other})
    check_kv_types(each->parts().config, kv_types, each->path().string());
  const auto tokens = common_tokens(model.parts(), other.parts(), text);
  const Windows windows = windows_for(model.parts(), tokens, options.context, options.windows);
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

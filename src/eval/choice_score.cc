#include "eval/choice_score.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/statistics.h"
#include "eval/task_text.h"

namespace nibble {
namespace {

double divisor(const ChoiceItem& item, const ScoredText& text, size_t choice,
               ChoiceMeasure measure) {
  if (measure == ChoiceMeasure::kPerCharacter)
    return static_cast<double>(count_characters(item.choices[choice]));
  if (measure == ChoiceMeasure::kPerToken)
    return static_cast<double>(text.tokens.size() - text.first);
  return 1;
}

// From the largest on, so that nothing underflows.
double share_of_right(const ChoiceItem& item, std::span<const double> sums) {
  const double largest = *std::ranges::max_element(sums);
  const auto weight = [&](double sum) { return std::exp(sum - largest); };
  double all = 0, right = 0;
  for (const double sum : sums) all += weight(sum);
  for (const size_t i : item.right) right += weight(sums[i]);
  return right / all;
}

}  // namespace

ChoiceOutcome choose(const ChoiceItem& item, std::span<const ScoredText> texts,
                     std::span<const double> sums, ChoiceMeasure measure) {
  std::vector<double> values;
  for (size_t i = 0; i < sums.size(); ++i)
    values.push_back(sums[i] / divisor(item, texts[i], i, measure));
  ChoiceOutcome outcome;
  outcome.choice = static_cast<size_t>(std::ranges::max_element(values) - values.begin());
  const bool is_right = std::ranges::find(item.right, outcome.choice) != item.right.end();
  outcome.score = measure == ChoiceMeasure::kShareOfRight ? share_of_right(item, sums)
                                                          : static_cast<double>(is_right);
  return outcome;
}

MeanScore mean_score(std::span<const double> scores) {
  const Summary summary = summarize(scores);
  MeanScore score{summary.mean, {}};
  if (scores.size() > 1)
    score.error = summary.deviation / std::sqrt(static_cast<double>(scores.size()));
  return score;
}

}  // namespace nibble

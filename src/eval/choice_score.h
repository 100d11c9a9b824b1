// What log-likelihoods of choices say about an item, and what items say about a model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "eval/scored_text.h"

namespace nibble {

// By what the choices of an item are ranked: the sum of their log-likelihoods, divided by 1, their
// characters, or their tokens; or no ranking, but the share of the probability of all choices that
// the right ones have (TruthfulQA's mc2).
enum class ChoiceMeasure { kSum, kPerCharacter, kPerToken, kShareOfRight };

// `sums` and `texts`: of each choice.
struct ChoiceOutcome {
  size_t choice = 0;  // the best, of equals the first
  double score = 0;   // 1: it is right, 0: it is not; or the share, whatever the best is
};
ChoiceOutcome choose(const ChoiceItem& item, std::span<const ScoredText> texts,
                     std::span<const double> sums, ChoiceMeasure measure);

// The mean of scores and its standard error: the deviation of a sample (n - 1) divided by the root
// of n. Of one score there is none.
struct MeanScore {
  double mean = 0;
  std::optional<double> error;
};
MeanScore mean_score(std::span<const double> scores);  // at least one

}  // namespace nibble

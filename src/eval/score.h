// What a model's logits at one position of a text say, alone and beside a reference's.
#pragma once

#include <cstdint>
#include <span>

#include "base/threads.h"
#include "eval/windows.h"

namespace nibble {

// Logarithms are natural.
struct Score {
  double nll = 0;            // -ln p of the token that came
  double reference_nll = 0;  // the same of the reference
  double divergence = 0;     // KL(reference || model), or an estimate from samples (compact_row.h)
  bool same_top = false;     // both have the same likeliest token
  // Of an estimate: what the divergence is at least, and the variance that sampling gives it.
  double least_divergence = 0;
  double sampling_variance = 0;
};

// The model's side.
Score score(const float* logits, int64_t vocab_size, uint32_t next);

// Beside the reference's own logits.
Score compare_logits(const float* reference, const float* logits, int64_t vocab_size,
                     uint32_t next);

// Beside stored log-probabilities, as llama-perplexity compares them: they are taken as they are,
// though rounding leaves them a sum that is not quite 1, and those of kLeastLogProbability or less
// are left out. They are changed.
inline constexpr float kLeastLogProbability = -16.0f;
Score compare_log_probabilities(float* reference, const float* logits, int64_t vocab_size,
                                uint32_t next);

// scores[i] = function(i, worker) over the rows, shared among the threads.
template <class Function>
void score_rows(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores,
                Function&& function) {
  pool.run(rows.count(), 1, [&](int64_t begin, int64_t end, int worker) {
    for (int64_t i = begin; i < end; ++i) scores[static_cast<size_t>(i)] = function(i, worker);
  });
}

// Without a reference.
inline void score_rows(const ScoredRows& rows, ThreadPool& pool, std::span<Score> scores) {
  score_rows(rows, pool, scores, [&](int64_t i, int) {
    return score(rows.row(i), rows.vocab_size, rows.next[static_cast<size_t>(i)]);
  });
}

}  // namespace nibble

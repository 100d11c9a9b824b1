#include "eval/score.h"

#include <algorithm>
#include <cmath>

#include "kernel/operations.h"

namespace nibble {
namespace {

// The first of the largest; the end when there is no order (NaN).
const float* find_top(const float* row, int64_t n, float largest) {
  return std::find(row, row + n, largest);
}

// -ln p of a token whose logit lies `below` the largest, where e^(x - largest) sum up to `sum`.
double negative_log(float largest, float logit, double sum) {
  return static_cast<double>(largest) - static_cast<double>(logit) + std::log(sum);
}

}  // namespace

Score score(const float* logits, int64_t vocab_size, uint32_t next) {
  const float largest = operations().largest(logits, vocab_size);
  Score result;
  result.nll =
      negative_log(largest, logits[next], operations().sum_exp(logits, vocab_size, largest));
  return result;
}

Score compare_logits(const float* reference, const float* logits, int64_t vocab_size,
                     uint32_t next) {
  const float p_largest = operations().largest(reference, vocab_size);
  const float q_largest = operations().largest(logits, vocab_size);
  const auto sums = operations().divergence(reference, logits, vocab_size, p_largest, q_largest);
  Score result;
  result.nll = negative_log(q_largest, logits[next], sums.q);
  result.reference_nll = negative_log(p_largest, reference[next], sums.p);
  result.divergence = sums.difference / sums.p + std::log(sums.q) - std::log(sums.p);
  result.same_top = find_top(reference, vocab_size, p_largest) - reference ==
                    find_top(logits, vocab_size, q_largest) - logits;
  return result;
}

Score compare_log_probabilities(float* reference, const float* logits, int64_t vocab_size,
                                uint32_t next) {
  constexpr float kNothing = -80.0f;  // e^-80 is as good as 0, and so is 80 times that
  const float p_largest = operations().largest(reference, vocab_size);
  const float q_largest = operations().largest(logits, vocab_size);
  Score result;
  result.reference_nll = -static_cast<double>(reference[next]);
  result.same_top = find_top(reference, vocab_size, p_largest) - reference ==
                    find_top(logits, vocab_size, q_largest) - logits;
  for (int64_t i = 0; i < vocab_size; ++i)
    reference[i] = reference[i] > kLeastLogProbability ? reference[i] : kNothing;
  const auto sums = operations().divergence(reference, logits, vocab_size, 0.0f, q_largest);
  result.nll = negative_log(q_largest, logits[next], sums.q);
  result.divergence = sums.difference + sums.p * std::log(sums.q);
  return result;
}

}  // namespace nibble

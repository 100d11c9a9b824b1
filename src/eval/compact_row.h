// Compact references: what is kept of a model's logits at a position, and another model's score
// beside it.
//
// With f(x) = x + e^-x - 1, which is never negative, and p, q the probabilities of reference and
// model,
//
//   KL(p || q) = sum over the top of p f(ln p/q)  +  T f(ln T/Q)  +  T E[f(ln p/T - ln q/Q)]
//
// where T and Q are what is outside the top, and E is over the reference's own tail. The first two
// terms are a lower bound (they are the divergence when all of the tail is one token: the
// data-processing inequality); the mean over the samples is an unbiased estimate of the third. It
// scatters little, since f is of second order where p and q are close, and for the same reason
// rounding of log p hardly matters. (Ordinary importance sampling with e^-x, whose mean is known,
// as control variate: Owen, Monte Carlo theory, methods and examples, chapter 9.)
#pragma once

#include <cstdint>

#include "eval/score.h"
#include "file/compact_file.h"

namespace nibble {

// The row of a position; `seed` draws the samples. Logits are changed.
void fill_compact_row(float* logits, int64_t vocab_size, uint32_t next, uint64_t seed,
                      const CompactLayout& layout, CompactRow& row);

Score compare_compact_row(const CompactRow& row, const float* logits, int64_t vocab_size,
                          uint32_t next);

}  // namespace nibble

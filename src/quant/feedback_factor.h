// What error feedback needs to know of a matrix's input: how a change of one column is best made up
// for by the columns after it.
//
// With second moments H = X^T X of the input, rounding a row w to q costs (w - q) H (w - q)^T. Let
// H = U D U^T, U upper triangular with ones on its diagonal. Then the cost is the sum over columns
// k of D[k] (c[k] - q[k])^2, where c[k] = w[k] + the sum over j < k of (w[j] - q[j]) U[j][k]: round
// what the errors so far make of a column, and weigh it by D[k]. This is LDLQ (QuIP,
// arXiv:2307.13304), which equals GPTQ (arXiv:2210.17323) without its inverse.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/threads.h"

namespace nibble {

struct FeedbackFactor {
  int64_t columns = 0;
  std::vector<float> u;        // columns x columns
  std::vector<float> weights;  // D, scaled so that they sum up to `columns`
  double damping = 0;          // what was added to the diagonal, of its mean

  const float* row(int64_t j) const { return u.data() + j * columns; }
};

// Of symmetric `moments`: the rows of the triangle up to the diagonal, one after another (row i has
// i + 1 numbers). `columns` is a multiple of 32. kFeedbackDamping of the mean of the diagonal is
// added to it, and ten times as much up to kMostFeedbackDamping while rounding makes the matrix
// indefinite. std::nullopt when nothing helps, or all is 0. Takes 12 bytes for each pair of
// columns. The bits do not depend on threads or ISA.
inline constexpr double kFeedbackDamping = 0.01;
inline constexpr double kMostFeedbackDamping = 1.0;
std::optional<FeedbackFactor> make_feedback_factor(std::span<const float> moments, int64_t columns,
                                                   ThreadPool& pool);

}  // namespace nibble

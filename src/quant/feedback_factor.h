// What error feedback needs to know of a matrix's input: how a change of one column is best made up
// for by the columns after it.
//
// With second moments H = X^T X of the input, rounding a row w to q costs (w - q) H (w - q)^T. Let
// H = U D U^T, U upper triangular with ones on its diagonal. Then the cost is the sum over columns
// k of D[k] (c[k] - q[k])^2, where c[k] = w[k] + the sum over j < k of (w[j] - q[j]) U[j][k]: round
// what the errors so far make of a column, and weigh it by D[k]. This is LDLQ (QuIP,
// arXiv:2307.13304), which equals GPTQ (arXiv:2210.17323) without its inverse.
#pragma once

#include <cstddef>
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
  std::vector<float> added;    // to H's diagonal, scaled likewise; U and D are of the sum
  double damping = 0;          // share of the diagonal that this is
  // H as D is scaled, columns x columns, with what was added; only where it is asked for.
  std::vector<float> moments = {};

  // Groups of columns, order_columns() each, in the order in which they are rounded: U, D and the
  // moments are of columns in this order. Empty: as they lie.
  std::vector<int64_t> order = {};

  static int64_t order_columns(int64_t columns) { return columns % 256 == 0 ? 256 : 32; }
  int64_t order_columns() const { return order_columns(columns); }
  const float* row(int64_t j) const { return u.data() + j * columns; }
  const float* moments_row(int64_t j) const { return moments.data() + j * columns; }
};

// Of symmetric `moments`: the rows of the triangle up to the diagonal, one after another (row i has
// i + 1 numbers). `columns` is a multiple of 32. To each number of the diagonal kFeedbackDamping of
// itself is added, and ten times as much up to kMostFeedbackDamping while rounding makes the matrix
// indefinite. std::nullopt when nothing helps, or all is 0. Takes 12 bytes for each pair of
// columns. The bits do not depend on threads or ISA.
//
// GPTQ adds a hundredth of the diagonal's mean. One column with massive activations (SmolLM2's
// blk.11.ffn_down has 99.8 % of all squares in one) makes that more than all that others have, and
// nothing is fed back; a share of each column's own does not depend on how columns are scaled.
inline constexpr double kFeedbackDamping = 0.1;
inline constexpr double kMostFeedbackDamping = 10.0;
struct FeedbackOptions {
  bool with_moments = false;
  // Groups with the largest activations first, whose errors all others can make up for. Of whole
  // blocks of 256 columns (of 32 where 256 do not divide them), so that every format allows it.
  bool by_activation = false;
};
std::optional<FeedbackFactor> make_feedback_factor(std::span<const float> moments, int64_t columns,
                                                   ThreadPool& pool,
                                                   const FeedbackOptions& options = {});

// `rows` rows whose groups of order_columns() columns take group_bytes, in the factor's order, and
// back.
void put_in_order(const FeedbackFactor& factor, const std::byte* x, int64_t rows,
                  int64_t group_bytes, std::byte* y);
void put_back(const FeedbackFactor& factor, const std::byte* x, int64_t rows, int64_t group_bytes,
              std::byte* y);

// Of the input divided by these scales, a positive one for each column.
FeedbackFactor scaled_factor(const FeedbackFactor& factor, std::span<const float> scales);

// y += x U, of `rows` rows of factor.columns numbers, both in its order: with z = w U, w H w^T is
// the sum of D z^2.
void add_answers(const FeedbackFactor& factor, const float* x, int64_t rows, float* y);

// The sum over the rows of x H x^T: what rounding costs whose errors are x, columns as they lie.
double moment_cost(const FeedbackFactor& factor, const float* x, int64_t rows);

}  // namespace nibble

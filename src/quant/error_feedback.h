// Rounding with error feedback: each column makes up for the errors of the columns before it
// (feedback_factor.h). It knows no format: a block's scales are fitted to what the errors so far
// have made of its weights, then its weights are rounded one after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/codec.h"
#include "nibble/dtype.h"
#include "nibble/effort.h"
#include "quant/feedback_factor.h"
#include "quant/rounding_search.h"

namespace nibble {

// The buffers of one thread.
class FeedbackEncoder {
 public:
  // Rows that are worked on together; more are not faster.
  static constexpr int64_t kRows = 64;

  // Encodes `rows` rows (at most kRows) of factor.columns weights at x to `type`, an integer format
  // whose blocks divide the columns, with their gain (gain.h); searched once more
  // (rounding_search.h) where the factor has moments. What is left at x has no meaning.
  void encode(DType type, float* x, int64_t rows, const FeedbackFactor& factor, Effort effort,
              std::byte* out);

 private:
  void encode_in_order(DType type, float* x, int64_t rows, const FeedbackFactor& factor,
                       Effort effort, std::byte* out);
  // A block of columns of several rows, which lie columns apart.
  struct Blocks {
    int64_t column;  // their first one
    int64_t reach;   // columns from there to the end of the panel
    int64_t first;   // row
    int64_t rows;
  };
  void round_blocks(const Blocks& blocks, Effort effort, std::byte* out, int64_t row_bytes);
  double round_row(const Blocks& blocks, int64_t row, const std::byte* params);
  void search(int64_t rows, std::byte* out, int64_t row_bytes);
  double gain(int64_t row) const;

  // Of the call.
  const BlockSteps* steps_ = nullptr;
  const FeedbackFactor* factor_ = nullptr;
  int64_t block_ = 0;             // weights
  float* x_ = nullptr;            // what feedback has made of the weights
  std::vector<float> original_;   // the weights
  std::vector<float> answers_;    // the weights times U
  std::vector<float> residuals_;  // of each weight when it was rounded: (w - q) U
  std::vector<float> errors_;     // w - q in a panel, [columns][kRows]
  // Of the blocks.
  std::vector<float> weights_, targets_, state_;
  std::vector<double> least_costs_;
  std::vector<std::byte> params_, best_params_;
  // Of factors with an order.
  std::vector<float> ordered_;
  std::vector<std::byte> ordered_out_;
  // Of all blocks, for the search.
  std::vector<std::byte> all_params_;
  RoundingSearch search_;
};

}  // namespace nibble

// Rounding search: rows that were rounded one column after another are looked over once more. With
// the scales as they are, each weight (in codebook formats each 4 or 8) takes the value that costs
// least beside what all others have become, again and again until nothing changes: coordinate
// descent on (w - q) H (w - q)^T. Error feedback makes up for the errors of earlier columns only;
// this also for those of later ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/codec.h"
#include "quant/feedback_factor.h"

namespace nibble {

// The buffers of one thread.
class RoundingSearch {
 public:
  static constexpr int64_t kRows = 64;

  // Changes x, `rows` rows (at most kRows) of factor.columns values that the blocks' `params` allow
  // (a row's after another's, each params_bytes long), to nearer ones of the weights w. The factor
  // has its moments. Returns how many values changed.
  int64_t improve(const BlockSteps& steps, int64_t block, const float* w, int64_t rows,
                  const FeedbackFactor& factor, const std::byte* params, float* x);

 private:
  int64_t sweep(float* x);
  void find_slopes(int64_t first);
  bool improve_group(int64_t first, int64_t column, int64_t row, float* x);
  double change_of(int64_t column, int64_t row, const float* more) const;

  // Of the call.
  const BlockSteps* steps_ = nullptr;
  const FeedbackFactor* factor_ = nullptr;
  int64_t block_ = 0;
  int64_t rows_ = 0;
  const std::byte* params_ = nullptr;
  std::vector<float> errors_;  // w - q, [columns][kRows]
  std::vector<float> slopes_;  // (w - q) H in some columns, [kColumns][kRows]
};

}  // namespace nibble

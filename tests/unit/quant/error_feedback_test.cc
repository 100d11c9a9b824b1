// Error feedback against its purpose: a lower error of what rows multiply, for every type.
#include "quant/error_feedback.h"

#include <gtest/gtest.h>

#include <string>

#include "support/moments.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 512, kWeightRows = 24;

// The squared error of the rows' products with x, beside the products' own squares.
double relative_error(const std::vector<float>& weights, const std::vector<float>& rounded,
                      const std::vector<float>& x) {
  double error = 0, whole = 0;
  for (size_t t = 0; t < x.size(); t += kColumns) {
    for (size_t r = 0; r < weights.size(); r += kColumns) {
      double w = 0, q = 0;
      for (size_t c = 0; c < kColumns; ++c) {
        w += static_cast<double>(x[t + c]) * weights[r + c];
        q += static_cast<double>(x[t + c]) * rounded[r + c];
      }
      error += (w - q) * (w - q);
      whole += w * w;
    }
  }
  return error / whole;
}

class EveryIntegerType : public testing::TestWithParam<DType> {
 protected:
  std::vector<float> decoded(const std::vector<std::byte>& rows) const {
    std::vector<float> y(weights_.size());
    codec(GetParam()).decode(rows.data(), static_cast<int64_t>(y.size()), y.data());
    return y;
  }
  std::vector<std::byte> with_feedback(int64_t first, int64_t rows) const {
    return with_feedback(first, rows, *factor_);
  }
  std::vector<std::byte> with_feedback(int64_t first, int64_t rows,
                                       const FeedbackFactor& factor) const {
    const auto at = static_cast<size_t>(first * kColumns),
               count = static_cast<size_t>(rows * kColumns);
    std::vector<float> x(weights_.begin() + static_cast<int64_t>(at),
                         weights_.begin() + static_cast<int64_t>(at + count));
    std::vector<std::byte> out(count / block_weights(GetParam()) * block_bytes(GetParam()));
    FeedbackEncoder().encode(GetParam(), x.data(), rows, factor, Effort::kDefault, out.data());
    return out;
  }

  const std::vector<float> weights_ = gaussian(kColumns * kWeightRows, 0.05f, 7);
  const std::vector<float> x_ = correlated_rows(400, kColumns, 8);
  ThreadPool pool_{2};
  const std::optional<FeedbackFactor> factor_ =
      make_feedback_factor(moments_of(x_, kColumns), kColumns, pool_);
};

TEST_P(EveryIntegerType, LosesLessThanWithoutFeedback) {
  const auto other = correlated_rows(200, kColumns, 8);  // the same directions, fewer rows
  std::vector<float> importance;
  for (int64_t c = 0; c < kColumns; ++c) {
    double sum = 0;
    for (size_t t = static_cast<size_t>(c); t < x_.size(); t += kColumns)
      sum += static_cast<double>(x_[t]) * x_[t];
    importance.push_back(static_cast<float>(sum));
  }
  const auto plain_bytes = with_feedback(0, kWeightRows).size();
  std::vector<std::byte> plain(plain_bytes);
  const auto row_bytes = static_cast<int64_t>(plain_bytes) / kWeightRows;
  for (int64_t r = 0; r < kWeightRows; ++r) {
    codec(GetParam())
        .encode(weights_.data() + r * kColumns, importance.data(), kColumns, Effort::kDefault,
                plain.data() + r * row_bytes);
  }
  const double without = relative_error(weights_, decoded(plain), other);
  const double with = relative_error(weights_, decoded(with_feedback(0, kWeightRows)), other);
  EXPECT_LT(with, 0.9 * without) << "without " << without;
}

TEST_P(EveryIntegerType, RoundsARowAloneAsAmongOthers) {
  const auto all = with_feedback(0, kWeightRows);
  const size_t row_bytes = all.size() / kWeightRows;
  for (const int64_t row : {0, 5, 23}) {
    const auto alone = with_feedback(row, 1);
    const auto among = all.begin() + row * static_cast<int64_t>(row_bytes);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), among)) << row;
  }
}

// The factor's own measure: (w - q) H (w - q)^T, which the search makes less, before gain.
TEST_P(EveryIntegerType, SearchLosesLessThanFeedbackAlone) {
  const auto searching =
      make_feedback_factor(moments_of(x_, kColumns), kColumns, pool_, {.with_moments = true});
  const auto cost = [&](const FeedbackFactor& factor) {
    const auto rounded = decoded(with_feedback(0, kWeightRows, factor));
    std::vector<float> errors(rounded.size());
    for (size_t i = 0; i < errors.size(); ++i) errors[i] = weights_[i] - rounded[i];
    return moment_cost(factor, errors.data(), kWeightRows);
  };
  const double with = cost(*searching), without = cost(*factor_);
  EXPECT_LT(with, without);
}

// Blocks of columns are rounded in another order, and stand where they stood.
TEST_P(EveryIntegerType, ActivationOrderChangesTheOrderOnly) {
  auto x = x_;
  for (size_t i = 0; i < x.size(); ++i) x[i] *= i % kColumns < kColumns / 2 ? 1.0f : 2.0f;
  const auto moments = moments_of(x, kColumns);
  const auto natural = make_feedback_factor(moments, kColumns, pool_);
  const auto ordered = make_feedback_factor(moments, kColumns, pool_, {.by_activation = true});
  ASSERT_EQ(ordered->order, (std::vector<int64_t>{1, 0}));
  const auto rounded = decoded(with_feedback(0, kWeightRows, *ordered));
  const auto as_they_lie = decoded(with_feedback(0, kWeightRows, *natural));
  EXPECT_NE(rounded, as_they_lie);
  const double error = relative_error(weights_, as_they_lie, x);
  EXPECT_LT(relative_error(weights_, rounded, x),
            1.05 * error);  // large ones first: half, or as much

  // Costs are the same by either factor, but for the scale.
  std::vector<float> errors(rounded.size());
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = weights_[i] - rounded[i];
  const auto share = [&](const FeedbackFactor& factor) {
    return moment_cost(factor, errors.data(), kWeightRows) /
           moment_cost(factor, weights_.data(), kWeightRows);
  };
  EXPECT_NEAR(share(*ordered) / share(*natural), 1, 1e-3);
}

struct TypeName {
  std::string operator()(const auto& info) const { return std::string(dtype_name(info.param)); }
};

std::vector<DType> integer_types() {
  std::vector<DType> types;
  for (const DType type : all_dtypes()) {
    if (codec(type).domain == Domain::kInteger) types.push_back(type);
  }
  return types;
}
INSTANTIATE_TEST_SUITE_P(Feedback, EveryIntegerType, testing::ValuesIn(integer_types()),
                         TypeName());

}  // namespace
}  // namespace nibble

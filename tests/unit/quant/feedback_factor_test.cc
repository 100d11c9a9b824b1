// H = U D U^T, from its definition.
#include "quant/feedback_factor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/moments.h"

namespace nibble {
namespace {

double moment(const std::vector<float>& triangle, int64_t i, int64_t k) {
  if (i < k) std::swap(i, k);
  return triangle[static_cast<size_t>(i * (i + 1) / 2 + k)];
}

double trace(const std::vector<float>& triangle, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += moment(triangle, i, i);
  return sum;
}

TEST(FeedbackFactor, GivesTheMomentsBackWithDampingOnTheDiagonal) {
  ThreadPool pool(2);
  for (const int64_t n : {32, 160}) {
    const auto triangle = moments_of(correlated_rows(300, n, 1), n);
    const auto factor = make_feedback_factor(triangle, n, pool);
    ASSERT_TRUE(factor);
    EXPECT_EQ(factor->damping, kFeedbackDamping);
    const auto added = [&](int64_t i) {
      return kFeedbackDamping *
             (moment(triangle, i, i) + 1e-4 * trace(triangle, n) / static_cast<double>(n));
    };
    // The scale that the weights lost comes from the last column, whose own row U is.
    const double scale = (moment(triangle, n - 1, n - 1) + added(n - 1)) /
                         factor->weights[static_cast<size_t>(n - 1)];
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < n; ++k) {
        double sum = 0;
        for (int64_t c = std::max(i, k); c < n; ++c)
          sum += factor->row(i)[c] * scale * factor->weights[static_cast<size_t>(c)] *
                 factor->row(k)[c];
        const double expected = moment(triangle, i, k) + (i == k ? added(i) : 0);
        ASSERT_NEAR(sum, expected, 2e-5 * trace(triangle, n) / static_cast<double>(n))
            << i << " " << k << " of " << n;
      }
    }
  }
}

TEST(FeedbackFactor, MomentsAreThoseThatItIsOfAndCostsFollowFromThem) {
  constexpr int64_t n = 96, kRows = 3;
  ThreadPool pool(1);
  const auto factor = make_feedback_factor(moments_of(correlated_rows(300, n, 5), n), n, pool,
                                           {.with_moments = true});
  ASSERT_TRUE(factor);
  const auto x = gaussian(n * kRows, 1.0f, 6);
  double cost = 0;
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t i = 0; i < n; ++i) {
      const auto own = static_cast<double>(x[static_cast<size_t>(r * n + i)]);
      for (int64_t k = 0; k < n; ++k)
        cost += own * factor->moments_row(i)[k] * x[static_cast<size_t>(r * n + k)];
      cost -= own * own * factor->added[static_cast<size_t>(i)];
    }
  }
  EXPECT_NEAR(moment_cost(*factor, x.data(), kRows), cost, 1e-4 * cost);
  EXPECT_EQ(factor->moments_row(7)[50], factor->moments_row(50)[7]);
}

TEST(FeedbackFactor, HasOnesOnTheDiagonalZerosLeftOfItAndWeightsOfMeanOne) {
  constexpr int64_t n = 96;
  ThreadPool pool(1);
  const auto factor = make_feedback_factor(moments_of(correlated_rows(50, n, 2), n), n, pool);
  ASSERT_TRUE(factor);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    EXPECT_EQ(factor->row(i)[i], 1.0f);
    for (int64_t k = 0; k < i; ++k) ASSERT_EQ(factor->row(i)[k], 0.0f);
    sum += factor->weights[static_cast<size_t>(i)];
  }
  EXPECT_NEAR(sum, n, 1e-3);
}

TEST(FeedbackFactor, IsTheSameWithAnyNumberOfThreads) {
  constexpr int64_t n = 224;
  const auto triangle = moments_of(correlated_rows(100, n, 3), n);
  ThreadPool one(1), three(3);
  const auto a = make_feedback_factor(triangle, n, one),
             b = make_feedback_factor(triangle, n, three);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->u, b->u);
  EXPECT_EQ(a->weights, b->weights);
}

TEST(FeedbackFactor, DampsMoreWhatIsNoMatrixOfMoments) {
  constexpr int64_t n = 64;
  ThreadPool pool(1);
  std::vector<float> triangle;  // ones on the diagonal, 1.5 beside it
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k <= i; ++k) triangle.push_back(i == k ? 1.0f : 1.5f);
  }
  const auto factor = make_feedback_factor(triangle, n, pool);
  ASSERT_TRUE(factor);
  EXPECT_DOUBLE_EQ(factor->damping, 1.0);
  for (float& value : triangle) value *= value == 1.0f ? 1.0f : 100.0f;
  EXPECT_FALSE(make_feedback_factor(triangle, n, pool));
}

TEST(FeedbackFactor, IsNoneWhereNothingWasMet) {
  ThreadPool pool(1);
  EXPECT_FALSE(make_feedback_factor(std::vector<float>(32 * 33 / 2), 32, pool));
}

TEST(FeedbackFactor, TakesColumnsThatAreAlwaysZero) {
  constexpr int64_t n = 32;
  ThreadPool pool(1);
  auto x = correlated_rows(100, n, 4);
  for (size_t i = 7; i < x.size(); i += n) x[i] = 0;
  const auto factor = make_feedback_factor(moments_of(x, n), n, pool);
  ASSERT_TRUE(factor);
  for (const float u : factor->u) ASSERT_TRUE(std::isfinite(u));
  EXPECT_LT(factor->weights[7], 0.05f);
}

}  // namespace
}  // namespace nibble

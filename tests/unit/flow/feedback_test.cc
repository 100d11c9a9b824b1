// What error feedback knows of experts that met little.
#include "flow/feedback.h"

#include <gtest/gtest.h>

#include "codec/formats.h"
#include "file/gguf_sink.h"
#include "support/files.h"

namespace nibble {
namespace {

constexpr uint64_t kColumns = 32, kCount = moments_count(kColumns);

// Moments of `rows` rows whose columns are independent but for neighbours, and grow with `tilt`.
std::vector<float> moments_of(double rows, double tilt) {
  std::vector<float> moments;
  for (uint64_t i = 0; i < kColumns; ++i) {
    for (uint64_t j = 0; j <= i; ++j) {
      const double size = 1 + tilt * static_cast<double>(i);
      moments.push_back(static_cast<float>(rows * (i == j ? size : i == j + 1 ? 0.25 * size : 0)));
    }
  }
  return moments;
}

class FeedbackTest : public testing::Test {
 protected:
  // Factors of a tensor with these experts.
  std::vector<std::optional<FeedbackFactor>> factors(const std::vector<std::vector<float>>& experts,
                                                     const std::vector<float>& counts) const {
    const uint64_t count = experts.size();
    const auto path = folder_ / "statistics.gguf";
    const std::string name = "blk.0.ffn_up_exps.weight";
    Metadata metadata;
    add_moments_keys({{name, name}}, metadata);
    GgufSink sink(path, metadata,
                  {{moments_name(name), DType::kF32, {{kCount, count, 1, 1}, 2}},
                   {name + ".counts", DType::kF32, {{1, count, 1, 1}, 2}}});
    for (uint64_t i = 0; i < count; ++i)
      sink.write(0, i * kCount * sizeof(float), std::as_bytes(std::span(experts[i])));
    sink.write(1, 0, std::as_bytes(std::span(counts)));
    sink.finish();
    ImportanceMatrix matrix;
    matrix.entries.emplace(name, ImportanceEntry{.sums = std::vector<float>(kColumns * count, 1),
                                                 .counts = std::vector<float>(count, 1)});
    const std::vector<TensorInfo> tensors = {{name, DType::kF32, {{kColumns, 4, count, 1}, 3}}};
    ThreadPool pool(1);
    return TensorFeedback(path, tensors, TensorImportance(matrix, tensors))
        .factors(1, Effort::kDefault, pool);
  }

  static FeedbackFactor alone(const std::vector<float>& moments) {
    ThreadPool pool(1);
    return *make_feedback_factor(moments, kColumns, pool);
  }
  static double difference(const FeedbackFactor& a, const FeedbackFactor& b) {
    double sum = 0;
    for (size_t i = 0; i < a.u.size(); ++i) sum += std::abs(a.u[i] - b.u[i]);
    for (size_t i = 0; i < a.weights.size(); ++i) sum += std::abs(a.weights[i] - b.weights[i]);
    return sum;
  }

  TemporaryFolder folder_;
};

TEST_F(FeedbackTest, AnExpertThatMetNothingIsTakenForTheMeanOfAll) {
  const auto met = moments_of(6400, 0.1);
  const auto found = factors({met, std::vector<float>(kCount)}, {6400, 0});
  ASSERT_EQ(found.size(), 2u);
  ASSERT_TRUE(found[0] && found[1]);
  EXPECT_LT(difference(*found[1], alone(met)), 1e-4);
  EXPECT_LT(difference(*found[0], alone(met)), 1e-4);
}

TEST_F(FeedbackTest, AnExpertThatMetMuchIsAlmostItself) {
  const auto one = moments_of(64000, 0.1), other = moments_of(6, -0.02);
  const auto found = factors({one, other}, {64000, 6});
  ASSERT_TRUE(found[0] && found[1]);
  EXPECT_LT(difference(*found[0], alone(one)), 0.01);
  // Six rows beside 64 of the mean: nearer to that.
  EXPECT_LT(difference(*found[1], alone(one)), difference(*found[1], alone(other)));
  EXPECT_GT(difference(*found[1], alone(one)), 0.1);  // and yet not the same
}

TEST_F(FeedbackTest, WithoutAnyRowsThereIsNoFeedback) {
  const auto found = factors({std::vector<float>(kCount), std::vector<float>(kCount)}, {0, 0});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FALSE(found[0] || found[1]);
}

}  // namespace
}  // namespace nibble

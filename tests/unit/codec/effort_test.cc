// More effort never costs error, and no data brings an encoder to its knees.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "support/random.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 512;
constexpr size_t kRows = 8;

class EveryEncoder : public testing::TestWithParam<DType> {
 protected:
  DType type() const { return GetParam(); }
  std::vector<float> round_trip(const std::vector<float>& x, const float* importance,
                                Effort effort) const {
    std::vector<float> y(x.size());
    std::vector<std::byte> row(kColumns / block_weights(type()) * block_bytes(type()));
    for (size_t at = 0; at < x.size(); at += kColumns) {
      codec(type()).encode(x.data() + at, importance, kColumns, effort, row.data());
      codec(type()).decode(row.data(), kColumns, y.data() + at);
    }
    return y;
  }
  double weighted_error(const std::vector<float>& x, const std::vector<float>& w,
                        Effort effort) const {
    const auto y = round_trip(x, w.data(), effort);
    double error = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double off = static_cast<double>(x[i]) - y[i];
      error += w[i % kColumns] * off * off;
    }
    return error;
  }
};

TEST_P(EveryEncoder, MoreEffortGivesNoMoreError) {
  const auto x = gaussian(kRows * kColumns, 0.02f, 7);
  std::vector<float> w = gaussian(kColumns, 1.0f, 8);
  for (float& value : w) value = std::exp(value);
  const double fast = weighted_error(x, w, Effort::kFast);
  const double normal = weighted_error(x, w, Effort::kDefault);
  const double best = weighted_error(x, w, Effort::kBest);
  EXPECT_LE(normal, fast);
  EXPECT_LE(best, 1.001 * normal);  // searches are not nested, so that single blocks may lose
}

// A value that the format cannot come near may lose everything, but nothing becomes NaN or
// infinite.
TEST_P(EveryEncoder, StaysFiniteOnExtremeRows) {
  const auto with = [](float value) {
    std::vector<float> row(kColumns, 0.001f);
    row[5] = value;
    row[300] = -value;
    return row;
  };
  const std::vector<float> no_importance(kColumns, 0.0f);
  std::vector<float> one_column(kColumns, 0.0f);
  one_column[17] = 1e6f;
  for (const auto& row :
       {std::vector<float>(kColumns, 0.125f), std::vector<float>(kColumns, -3e-39f), with(1000.0f),
        with(3e-30f), with(std::numeric_limits<float>::min())}) {
    for (const float* w :
         std::vector<const float*>{nullptr, no_importance.data(), one_column.data()}) {
      for (const Effort effort : {Effort::kFast, Effort::kDefault, Effort::kBest}) {
        for (const float y : round_trip(row, w, effort)) ASSERT_TRUE(std::isfinite(y)) << row[5];
      }
    }
  }
}

TEST_P(EveryEncoder, ZeroImportanceThroughoutIsNoImportance) {
  const auto x = gaussian(kColumns, 0.02f, 9);
  const std::vector<float> zeros(kColumns, 0.0f);
  EXPECT_EQ(round_trip(x, zeros.data(), Effort::kDefault),
            round_trip(x, nullptr, Effort::kDefault));
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryEncoder, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

}  // namespace
}  // namespace nibble

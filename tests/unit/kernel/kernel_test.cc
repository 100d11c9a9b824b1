// Kernels against plain double-precision formulas, and bit for bit between ISAs and between batch
// sizes.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/numeric.h"
#include "codec/codec.h"
#include "kernel/matmul.h"
#include "kernel/operations.h"
#include "kernel/rope.h"

namespace nibble {
namespace {

std::vector<float> random_floats(size_t count, float spread, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float& value : values)
    value = spread * (static_cast<float>(engine() % 20001) / 10000.0f - 1.0f);
  return values;
}

class EveryIsa : public testing::TestWithParam<Isa> {
 protected:
  const Operations& ops() const { return operations(GetParam()); }
};

TEST_P(EveryIsa, QuantizesActivationsWithinHalfAStep) {
  for (const size_t n : {1u, 16u, 31u, 172u, 256u, 1000u}) {
    const auto x = random_floats(n, 5.0f, 1);
    const size_t padded = (n + 255) / 256 * 256;
    std::vector<int8_t> q(padded, 99);
    std::vector<float> d(padded / 32, 99.0f), s(padded / 16, 99.0f);
    ops().quantize(x.data(), static_cast<int64_t>(n), q.data(), d.data(), s.data());
    for (size_t i = 0; i < padded; ++i) {
      const float expected = i < n ? x[i] : 0.0f;
      ASSERT_NEAR(static_cast<float>(q[i]) * d[i / 32], expected, 0.50001f * d[i / 32])
          << i << " of " << n;
    }
    for (size_t g = 0; g < s.size(); ++g) {
      int sum = 0;
      for (size_t i = 16 * g; i < 16 * g + 16; ++i) sum += q[i];
      ASSERT_EQ(s[g], d[g / 2] * static_cast<float>(sum));
    }
  }
}

TEST_P(EveryIsa, NormalizesByTheRootMeanSquare) {
  for (const size_t n : {8u, 64u, 172u, 256u}) {
    const auto x = random_floats(n, 2.0f, 2);
    const auto weight = random_floats(n, 1.0f, 3);
    std::vector<float> y(n);
    ops().rms_norm(x.data(), weight.data(), 1e-5f, static_cast<int64_t>(n), y.data());
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * v;
    const double rms = std::sqrt(squares / static_cast<double>(n) + 1e-5);
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(y[i], x[i] / rms * weight[i], 1e-5);
  }
}

TEST_P(EveryIsa, MultipliesBySilu) {
  const size_t n = 173;
  auto gate = random_floats(n, 30.0f, 4);
  gate[0] = -200.0f;
  gate[1] = 200.0f;
  const auto before = gate;
  const auto up = random_floats(n, 2.0f, 5);
  ops().silu_multiply(gate.data(), up.data(), static_cast<int64_t>(n));
  for (size_t i = 0; i < n; ++i) {
    const double expected = before[i] / (1.0 + std::exp(-static_cast<double>(before[i]))) * up[i];
    ASSERT_NEAR(gate[i], expected, 1e-6 * std::fabs(expected) + 1e-6) << before[i];
  }
}

TEST_P(EveryIsa, LogSumExpDoesNotOverflow) {
  for (const size_t n : {1u, 15u, 16u, 100u, 4096u}) {
    auto x = random_floats(n, 40.0f, 6);
    for (float& v : x) v += 300.0f;
    double sum = 0;
    for (const float v : x) sum += std::exp(static_cast<double>(v) - 300.0);
    EXPECT_NEAR(ops().log_sum_exp(x.data(), static_cast<int64_t>(n)), 300.0 + std::log(sum), 1e-4);
  }
}

template <class Element>
std::vector<float> attend(const Operations& ops, const std::vector<float>& query,
                          const std::vector<Element>& keys, const std::vector<Element>& values,
                          int64_t positions) {
  const auto head_dim = static_cast<int64_t>(query.size());
  std::vector<float> scores(static_cast<size_t>(positions + 15)), output(query.size());
  const AttentionHead<Element> head = {query.data(), keys.data(),   values.data(),
                                       head_dim,     positions,     head_dim,
                                       0.25f,        scores.data(), output.data()};
  if constexpr (std::is_same_v<Element, float>) {
    ops.attend_f32(head);
  } else {
    ops.attend_f16(head);
  }
  return output;
}

TEST_P(EveryIsa, AttendsLikeTheFormula) {
  for (const size_t head_dim : {8u, 32u, 80u, 128u}) {
    for (const size_t positions : {1u, 7u, 16u, 50u}) {
      const auto query = random_floats(head_dim, 2.0f, 7);
      auto keys = random_floats(head_dim * positions, 2.0f, 8);
      auto values = random_floats(head_dim * positions, 2.0f, 9);
      std::vector<uint16_t> keys16, values16;
      for (float& k : keys) keys16.push_back(f16_from_f32(k)), k = f32_from_f16(keys16.back());
      for (float& v : values)
        values16.push_back(f16_from_f32(v)), v = f32_from_f16(values16.back());
      std::vector<double> expected(head_dim, 0.0);
      double total = 0;
      for (size_t t = 0; t < positions; ++t) {
        double score = 0;
        for (size_t i = 0; i < head_dim; ++i)
          score += static_cast<double>(query[i]) * keys[t * head_dim + i];
        const double weight = std::exp(0.25 * score);
        total += weight;
        for (size_t i = 0; i < head_dim; ++i) expected[i] += weight * values[t * head_dim + i];
      }
      const auto found32 = attend(ops(), query, keys, values, static_cast<int64_t>(positions));
      const auto found16 = attend(ops(), query, keys16, values16, static_cast<int64_t>(positions));
      for (size_t i = 0; i < head_dim; ++i) {
        ASSERT_NEAR(found32[i], expected[i] / total, 1e-4) << head_dim << ", " << positions;
      }
      EXPECT_EQ(found16, found32);
    }
  }
}

TEST_P(EveryIsa, GivesTheBitsOfTheScalarDefinition) {
  const Operations& scalar = operations(Isa::kScalar);
  const size_t n = 1000;
  const auto x = random_floats(n, 9.0f, 10);
  auto gate = x, gate_scalar = x;
  ops().silu_multiply(gate.data(), x.data(), static_cast<int64_t>(n));
  scalar.silu_multiply(gate_scalar.data(), x.data(), static_cast<int64_t>(n));
  EXPECT_EQ(gate, gate_scalar);
  EXPECT_EQ(ops().log_sum_exp(x.data(), n), scalar.log_sum_exp(x.data(), n));
  std::vector<float> y(n), y_scalar(n);
  ops().rms_norm(x.data(), x.data(), 1e-6f, n, y.data());
  scalar.rms_norm(x.data(), x.data(), 1e-6f, n, y_scalar.data());
  EXPECT_EQ(y, y_scalar);
  const std::vector<float> query(x.begin(), x.begin() + 40);
  EXPECT_EQ(attend(ops(), query, x, x, 25), attend(scalar, query, x, x, 25));
}

INSTANTIATE_TEST_SUITE_P(Isas, EveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

class MatmulOfEveryFormat : public testing::TestWithParam<DType> {};

TEST_P(MatmulOfEveryFormat, OneBatchGivesTheBitsOfRowByRow) {
  const DType type = GetParam();
  for (const int64_t n : {int64_t{block_weights(type) == 1    ? 172
                                  : block_weights(type) == 32 ? 96
                                                              : 256},
                          int64_t{768}}) {
    const int64_t rows = 37;
    const auto weights = random_floats(static_cast<size_t>(rows * n), 0.05f, 11);
    std::vector<std::byte> stored(
        static_cast<size_t>(rows * n / block_weights(type) * block_bytes(type)));
    codec(type).encode(weights.data(), nullptr, rows * n, Effort::kFast, stored.data());
    const TensorView view = {type, rows, n, stored.data()};
    const int64_t batch = 11;
    const auto x = random_floats(static_cast<size_t>(batch * n), 3.0f, 12);
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      ActivationBatch activations;
      std::vector<float> together(static_cast<size_t>(batch * rows)),
          alone(static_cast<size_t>(batch * rows));
      activations.assign(x.data(), batch, n);
      matmul(view, activations, together.data(), pool);
      for (int64_t b = 0; b < batch; ++b) {
        activations.assign(x.data() + b * n, 1, n);
        matmul(view, activations, alone.data() + b * rows, pool);
      }
      EXPECT_EQ(together, alone) << dtype_name(type) << ", " << n << " columns, " << threads
                                 << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, MatmulOfEveryFormat, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

TEST(Rope, TurnsPairsByPositionTimesFrequency) {
  const Rope rope(4, 100.0, 0.5, std::vector<float>{1.0f, 2.0f});
  std::vector<float> angles(4), x = {1, 0, 0, 1, 7, 8};
  rope.angles(6, angles.data());
  Rope::turn(angles.data(), rope.dimensions(), x.data(), 1, 6);
  EXPECT_NEAR(x[0], std::cos(3.0), 1e-6);
  EXPECT_NEAR(x[1], std::sin(3.0), 1e-6);
  EXPECT_NEAR(x[2], -std::sin(0.15), 1e-6);  // 6 * 0.5 * 100^(-2/4) / 2
  EXPECT_NEAR(x[3], std::cos(0.15), 1e-6);
  EXPECT_EQ(x[4], 7.0f);  // past the dimensions that turn
}

}  // namespace
}  // namespace nibble

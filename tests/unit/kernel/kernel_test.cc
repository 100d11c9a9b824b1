// Kernels against plain double-precision formulas, and bit for bit between ISAs, threads and
// batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "kernel/interleaving.h"
#include "kernel/matmul.h"
#include "kernel/operations.h"
#include "kernel/rope.h"
#include "support/random.h"

namespace nibble {
namespace {

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

TEST_P(EveryIsa, NormalizesByMeanAndVariance) {
  for (const size_t n : {8u, 64u, 172u, 256u}) {
    auto x = random_floats(n, 2.0f, 2);
    for (float& v : x) v += 3.0f;
    const auto weight = random_floats(n, 1.0f, 3), bias = random_floats(n, 1.0f, 4);
    std::vector<float> y(n), plain(n);
    const auto count = static_cast<int64_t>(n);
    ops().layer_norm(x.data(), weight.data(), bias.data(), 1e-5f, count, y.data());
    ops().layer_norm(x.data(), nullptr, nullptr, 1e-5f, count, plain.data());
    double mean = 0, squares = 0;
    for (const float v : x) mean += v / static_cast<double>(n);
    for (const float v : x) squares += (v - mean) * (v - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(n) + 1e-5);
    for (size_t i = 0; i < n; ++i) {
      const double normal = (x[i] - mean) / deviation;
      ASSERT_NEAR(y[i], normal * weight[i] + bias[i], 1e-5);
      ASSERT_NEAR(plain[i], normal, 1e-5);
    }
  }
}

double by_definition(Nonlinearity f, double x, double gated) {
  switch (f) {
    case Nonlinearity::kSilu:
      return x / (1 + std::exp(-x)) * gated;
    case Nonlinearity::kGelu:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0))) * gated;
    case Nonlinearity::kGeluTanh:
      return x / 2 * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))) * gated;
    case Nonlinearity::kRelu:
      return std::max(x, 0.0) * gated;
    case Nonlinearity::kReluSquared:
      return std::max(x, 0.0) * std::max(x, 0.0) * gated;
    case Nonlinearity::kClampedSwiglu:
      x = std::min(x, 7.0);
      return x / (1 + std::exp(-1.702 * x)) * (std::clamp(gated, -7.0, 7.0) + 1);
  }
  return 0;
}

TEST_P(EveryIsa, AppliesEveryNonlinearity) {
  const size_t n = 173;
  auto x = random_floats(n, 12.0f, 4);
  x[0] = -200.0f;
  x[1] = 200.0f;
  x[2] = 0.0f;
  const auto up = random_floats(n, 9.0f, 5);
  for (const auto f :
       {Nonlinearity::kSilu, Nonlinearity::kGelu, Nonlinearity::kGeluTanh, Nonlinearity::kRelu,
        Nonlinearity::kReluSquared, Nonlinearity::kClampedSwiglu}) {
    for (const bool gates : {true, false}) {
      if (!gates && f == Nonlinearity::kClampedSwiglu) continue;
      auto found = x, scalar = x;
      ops().apply(f, found.data(), gates ? up.data() : nullptr, static_cast<int64_t>(n));
      operations(Isa::kScalar)
          .apply(f, scalar.data(), gates ? up.data() : nullptr, static_cast<int64_t>(n));
      EXPECT_EQ(found, scalar);
      for (size_t i = 0; i < n; ++i) {
        const double expected = by_definition(f, x[i], gates ? up[i] : 1.0);
        ASSERT_NEAR(found[i], expected, 1e-6 * std::fabs(expected) + 2e-5)
            << static_cast<int>(f) << " of " << x[i];
      }
    }
  }
}

TEST_P(EveryIsa, CapsSoftly) {
  const size_t n = 173;
  const auto x = random_floats(n, 200.0f, 6);
  auto found = x, scalar = x;
  ops().soft_cap(found.data(), static_cast<int64_t>(n), 30.0f);
  operations(Isa::kScalar).soft_cap(scalar.data(), static_cast<int64_t>(n), 30.0f);
  EXPECT_EQ(found, scalar);
  for (size_t i = 0; i < n; ++i) ASSERT_NEAR(found[i], 30 * std::tanh(x[i] / 30.0), 1e-5) << x[i];
}

TEST_P(EveryIsa, LogSumExpDoesNotOverflow) {
  for (const size_t n : {1u, 15u, 16u, 100u, 4096u}) {
    auto x = random_floats(n, 40.0f, 6);
    for (float& v : x) v += 300.0f;
    double sum = 0;
    for (const float v : x) sum += std::exp(static_cast<double>(v) - 300.0);
    // One step of a float between 256 and 512.
    EXPECT_NEAR(ops().log_sum_exp(x.data(), static_cast<int64_t>(n)), 300.0 + std::log(sum),
                0x1p-15);
  }
}

TEST_P(EveryIsa, SumsUpWhatDistributionsAreComparedBy) {
  for (const size_t n : {1u, 15u, 16u, 100u, 1023u, 4096u + 17u}) {
    const auto p = random_floats(n, 9.0f, 6), q = random_floats(n, 9.0f, 7);
    const auto count = static_cast<int64_t>(n);
    const float p_shift = *std::max_element(p.begin(), p.end()), q_shift = 4.0f;
    DivergenceSums expected{};
    for (size_t i = 0; i < n; ++i) {
      const double a = p[i] - p_shift, b = q[i] - q_shift;
      expected.p += std::exp(a);
      expected.q += std::exp(b);
      expected.difference += std::exp(a) * (a - b);
    }
    const DivergenceSums sums = ops().divergence(p.data(), q.data(), count, p_shift, q_shift);
    EXPECT_EQ(ops().largest(p.data(), count), p_shift);
    EXPECT_EQ(sums.p, ops().sum_exp(p.data(), count, p_shift));
    EXPECT_EQ(sums.q, ops().sum_exp(q.data(), count, q_shift));
    EXPECT_NEAR(sums.p / expected.p, 1, 1e-6);
    EXPECT_NEAR(sums.q / expected.q, 1, 1e-6);
    EXPECT_NEAR(sums.difference, expected.difference, 2e-6 * 18 * expected.p);
  }
}

TEST_P(EveryIsa, SmallTermsAreNotLostBesideALargeOne) {
  std::vector<float> x(1 << 20, -17.5f);  // each less than half a step of a float at 1
  x[3] = 0;
  const double expected = 1 + (static_cast<double>(x.size()) - 1) * std::exp(-17.5);
  EXPECT_NEAR(ops().sum_exp(x.data(), static_cast<int64_t>(x.size()), 0), expected, 1e-3);
}

TEST_P(EveryIsa, CountsTheProductsOfARound) {
  for (const auto multiply : {ops().multiply_integers, ops().multiply_floats}) {
    EXPECT_EQ(multiply(0), 0);
    EXPECT_GE(multiply(1), 6 * 16 * 8);
    EXPECT_EQ(multiply(1000), 1000 * multiply(1));
  }
}

TEST_P(EveryIsa, ReadsEveryByte) {
  std::vector<std::byte> bytes(2048);
  EXPECT_EQ(ops().read_words(bytes.data(), 2048), 0u);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = std::byte{0x81};
    EXPECT_EQ(ops().read_words(bytes.data(), 2048), uint64_t{0x81} << i % 8 * 8) << i;
    bytes[i] = std::byte{0};
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
  EXPECT_EQ(ops().sum_exp(x.data(), n, 8), scalar.sum_exp(x.data(), n, 8));
  EXPECT_EQ(ops().divergence(x.data(), gate.data(), n, 8, 7).difference,
            scalar.divergence(x.data(), gate.data(), n, 8, 7).difference);
  std::vector<float> y(n), y_scalar(n);
  ops().rms_norm(x.data(), x.data(), 1e-6f, n, y.data());
  scalar.rms_norm(x.data(), x.data(), 1e-6f, n, y_scalar.data());
  EXPECT_EQ(y, y_scalar);
}

INSTANTIATE_TEST_SUITE_P(Isas, EveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

class MatmulOfEveryFormat : public testing::TestWithParam<DType> {};

// A tile whose columns are x turned by their number.
struct OneTile {
  std::vector<int8_t> q;
  std::vector<float> d, s, turned_x;
  std::vector<int32_t> start;
  ActivationTile tile;

  OneTile(const PanelForm* form, int64_t n, const std::vector<float>& x, int width, Isa isa) {
    const auto size = static_cast<size_t>(n);
    const auto w = static_cast<size_t>(width);
    std::vector<int8_t> column(size);
    std::vector<float> column_d(size / 32), column_s(size / 16);
    q.resize(size * w), turned_x.resize(size * w), d.resize(size / 32 * w);
    s.resize(size / 16 * w), start.resize(size / 16 * w, kSumStart);
    for (size_t c = 0; c < w; ++c) {
      std::vector<float> turned(x);
      std::rotate(turned.begin(), turned.begin() + static_cast<ptrdiff_t>(c), turned.end());
      operations(isa).quantize(turned.data(), n, column.data(), column_d.data(), column_s.data());
      for (size_t i = 0; i < size; ++i) {
        q[i / 4 * 4 * w + 4 * c + i % 4] = column[i];
        turned_x[i * w + c] = turned[i];
        d[i / 32 * w + c] = column_d[i / 32];
        if (form == nullptr) continue;
        const size_t group = i / static_cast<size_t>(form->group) * w + c;
        s[group] += column_d[i / 32] * static_cast<float>(column[i]);
        const int zero = form->zero + (form->is_signed ? operations(isa).panel_zero : 0);
        start[group] -= zero * column[i];
      }
    }
    tile = {q.data(), d.data(), s.data(), start.data(), turned_x.data(), width, width};
  }
};

// 32 rows times a tile whose columns are x turned by their number, on one ISA.
std::vector<float> one_gemm(DType type, const std::vector<std::byte>& stored, int64_t n,
                            const std::vector<float>& x, int width, Isa isa) {
  const Codec& format = codec(type, isa);
  const PanelForm* form = format.domain == Domain::kFloat ? nullptr : &format.panel;
  const auto size = static_cast<size_t>(n);
  std::vector<float> row_x(16 * size), row_d(size), row_m(size), x_(32 * size), d(2 * size),
      m(2 * size);
  std::vector<uint8_t> row_q(16 * size), q(32 * size);
  WeightPanel panels[2];
  for (size_t p = 0; p < 2; ++p) {
    PanelRow rows[16];
    for (size_t r = 0; r < 16; ++r) {
      rows[r] = {&row_x[r * size], &row_q[r * size], &row_d[r * size / 16], &row_m[r * size / 16]};
      format.unpack(stored.data() + (16 * p + r) * stored.size() / 32, n, rows[r]);
    }
    panels[p] = {&q[16 * p * size], &d[p * size], &m[p * size], &x_[16 * p * size]};
    operations(isa).make_panel(rows, form, n, panels[p]);
  }
  const OneTile tile(form, n, x, width, isa);
  std::vector<float> y(32 * static_cast<size_t>(width));
  operations(isa).gemm(panels, form, 32, &tile.tile, 1, n, y.data(), 32);
  return y;
}

// The same of 16 interleaved rows.
std::vector<float> one_interleaved(DType type, const std::vector<std::byte>& stored, int64_t n,
                                   const std::vector<float>& x, int width, Isa isa) {
  const Interleaving& format = *interleaving(type, isa);
  const std::byte* rows[16];
  for (size_t r = 0; r < 16; ++r) rows[r] = stored.data() + r * stored.size() / 16;
  std::vector<std::byte> panel(static_cast<size_t>(format.panel_bytes(n)));
  format.interleave(rows, n, panel.data());
  const OneTile tile(&codec(type, isa).panel, n, x, width, isa);
  std::vector<float> sums(16 * static_cast<size_t>(width));
  format.multiply(panel.data(), n, tile.tile, sums.data());
  return sums;
}

// y of a whole batch, `step` rows of it at a time.
std::vector<float> multiply(const TensorView& weights, const std::vector<float>& x, int64_t batch,
                            int64_t step, int threads) {
  ThreadPool pool(threads);
  ActivationBatch activations;
  std::vector<float> y(static_cast<size_t>(batch * weights.rows));
  for (int64_t b = 0; b < batch; b += step) {
    activations.assign(x.data() + b * weights.columns, std::min(step, batch - b), weights.columns);
    matmul(weights, activations, y.data() + b * weights.rows, pool);
  }
  return y;
}

// Odd numbers of rows, and columns with and without whole chunks.
TEST_P(MatmulOfEveryFormat, PanelsAreRowProducts) {
  const DType type = GetParam();
  const int64_t block = block_weights(type);
  for (const int64_t n : {block == 1    ? 172
                          : block == 32 ? 96
                                        : block,
                          3 * std::max<int64_t>(block, 64), int64_t{768}}) {
    for (const int64_t rows : {1, 16, 31, 33, 67}) {
      const auto weights = random_floats(static_cast<size_t>(rows * n), 0.05f, 11);
      std::vector<std::byte> stored(static_cast<size_t>(rows * n / block * block_bytes(type)));
      codec(type).encode(weights.data(), nullptr, rows * n, Effort::kFast, stored.data());
      const TensorView view = {type, rows, n, stored.data()};
      const int64_t batch = 29;  // tiles of 12, 12 and 8 columns
      const auto x = random_floats(static_cast<size_t>(batch * n), 3.0f, 12);
      const auto alone = multiply(view, x, batch, 1, 1);
      const auto together = multiply(view, x, batch, batch, 1);
      // The order of up to 768 additions differs, and each rounds by up to 2^-24 (6e-8) of its sum:
      // at most 1.2e-6 of the largest result here for float formats, 4.3e-7 for the others.
      float largest = 0.0f;
      for (const float v : alone) largest = std::max(largest, std::fabs(v));
      for (size_t i = 0; i < alone.size(); ++i) {
        ASSERT_NEAR(together[i], alone[i], 2e-6f * largest) << n << " columns, " << rows << " rows";
      }
      EXPECT_EQ(multiply(view, x, batch, batch, 3), together);
      EXPECT_EQ(multiply(view, x, batch, 5, 3), together) << "5 + 5 + 5 + 5 + 5 + 4 at a time";
    }
  }
}

TEST_P(MatmulOfEveryFormat, PanelsGiveTheSameBitsOnEveryIsa) {
  const DType type = GetParam();
  const int64_t n = 512, rows = 32;
  const auto weights = random_floats(static_cast<size_t>(rows * n), 0.05f, 13);
  const int64_t row_bytes = n / block_weights(type) * block_bytes(type);
  std::vector<std::byte> stored(static_cast<size_t>(rows * row_bytes));
  codec(type).encode(weights.data(), nullptr, rows * n, Effort::kFast, stored.data());
  const auto x = random_floats(static_cast<size_t>(n), 3.0f, 14);
  for (const int width : kTileWidths) {
    const auto expected = one_gemm(type, stored, n, x, width, Isa::kScalar);
    for (const Isa isa : available_isas()) {
      EXPECT_EQ(one_gemm(type, stored, n, x, width, isa), expected) << isa_name(isa) << width;
    }
  }
}

// One sum in one order: alone, in small batches and in large ones.
TEST_P(MatmulOfEveryFormat, InterleavedRowsGiveTheBitsOfPanels) {
  const DType type = GetParam();
  if (interleaving(type) == nullptr) GTEST_SKIP() << "rows of this type stay as they are";
  const int64_t block = block_weights(type);
  for (const int64_t n : {3 * block, int64_t{768}}) {
    for (const int64_t rows : {1, 16, 31, 33, 67}) {
      const auto weights = random_floats(static_cast<size_t>(rows * n), 0.05f, 15);
      std::vector<std::byte> stored(static_cast<size_t>(rows * n / block * block_bytes(type)));
      codec(type).encode(weights.data(), nullptr, rows * n, Effort::kFast, stored.data());
      TensorView view = {type, rows, n, stored.data()};
      const int64_t batch = 29;
      const auto x = random_floats(static_cast<size_t>(batch * n), 3.0f, 16);
      const auto expected = multiply(view, x, batch, batch, 1);
      std::vector<std::byte> interleaved(static_cast<size_t>(interleaved_bytes(view)));
      ThreadPool pool(2);
      interleave(view, interleaved.data(), pool);
      view.interleaved = interleaved.data();
      for (const int64_t together : {1, 2, 3, 4, 5, 13, 29}) {
        ASSERT_EQ(multiply(view, x, batch, together, 2), expected)
            << n << " columns, " << rows << " rows, " << together << " at a time";
      }
    }
  }
}

// Two matrices for each group of rows, in one call: what each gives with the rows of its group
// alone.
TEST_P(MatmulOfEveryFormat, GroupsGiveTheBitsOfProductsByThemselves) {
  const DType type = GetParam();
  const int64_t n = 512, rows = 35;
  const std::vector<int64_t> ends = {2, 2, 15, 16, 29};
  const auto x = random_floats(static_cast<size_t>(29 * n), 3.0f, 19);
  const auto weights = random_floats(static_cast<size_t>(10 * rows * n), 0.05f, 20);
  const auto size = static_cast<size_t>(rows * n / block_weights(type) * block_bytes(type));
  std::vector<std::byte> stored(10 * size), interleaved;
  codec(type).encode(weights.data(), nullptr, 10 * rows * n, Effort::kFast, stored.data());
  ThreadPool pool(3);
  for (const bool is_interleaved : {false, true}) {
    std::vector<TensorView> views(10, {type, rows, n, nullptr});
    const auto bytes = static_cast<size_t>(interleaved_bytes(views[0]));
    if (is_interleaved && bytes == 0) break;
    interleaved.resize(10 * bytes);
    std::vector<float> y(static_cast<size_t>(2 * 29 * rows), 99.0f), expected;
    std::vector<Product> products;
    for (size_t i = 0; i < 10; ++i) {
      views[i].data = stored.data() + i * size;
      if (!is_interleaved) continue;
      interleave(views[i], interleaved.data() + i * bytes, pool);
      views[i].interleaved = interleaved.data() + i * bytes;
    }
    for (size_t i = 0; i < 10; ++i) {
      const int64_t group = static_cast<int64_t>(i) % 5;
      const int64_t first = group == 0 ? 0 : ends[static_cast<size_t>(group - 1)];
      const int64_t count = ends[static_cast<size_t>(group)] - first;
      if (count == 0) continue;
      products.push_back({&views[i], y.data() + (i < 5 ? 0 : 29 * rows) + first * rows, group});
      const std::vector<float> part(x.begin() + first * n, x.begin() + (first + count) * n);
      const auto alone = multiply(views[i], part, count, count, 1);
      expected.insert(expected.end(), alone.begin(), alone.end());
    }
    ActivationBatch activations;
    activations.assign(x.data(), 29, n, ends);
    matmul(products, activations, pool);
    EXPECT_EQ(y, expected) << (is_interleaved ? "interleaved" : "as rows");
  }
}

TEST_P(MatmulOfEveryFormat, InterleavedRowsGiveTheSameBitsOnEveryIsa) {
  const DType type = GetParam();
  if (interleaving(type) == nullptr) GTEST_SKIP() << "rows of this type stay as they are";
  const int64_t n = 512;
  const auto weights = random_floats(static_cast<size_t>(16 * n), 0.05f, 17);
  const int64_t row_bytes = n / block_weights(type) * block_bytes(type);
  std::vector<std::byte> stored(static_cast<size_t>(16 * row_bytes));
  codec(type).encode(weights.data(), nullptr, 16 * n, Effort::kFast, stored.data());
  const auto x = random_floats(static_cast<size_t>(n), 3.0f, 18);
  for (const int width : {1, 2, 4, kInterleavedColumns}) {
    const auto expected = one_interleaved(type, stored, n, x, width, Isa::kScalar);
    for (const Isa isa : available_isas()) {
      EXPECT_EQ(one_interleaved(type, stored, n, x, width, isa), expected)
          << isa_name(isa) << width;
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

TEST(Rope, TurnsHalvesAndLetsThemGrow) {
  const Rope rope(4, 100.0, 1.0, {}, RopePairs::kHalves, 2.0f);
  std::vector<float> angles(4), x = {1, 1, 0, 0, 7, 8};
  rope.angles(3, angles.data());
  Rope::turn(angles.data(), rope.dimensions(), x.data(), 1, 6, rope.pairs());
  EXPECT_NEAR(x[0], 2 * std::cos(3.0), 1e-6);
  EXPECT_NEAR(x[2], 2 * std::sin(3.0), 1e-6);
  EXPECT_NEAR(x[1], 2 * std::cos(0.3), 1e-6);
  EXPECT_NEAR(x[3], 2 * std::sin(0.3), 1e-6);
  rope.angles_of_shift(-3, angles.data());  // back, but it has grown
  Rope::turn(angles.data(), rope.dimensions(), x.data(), 1, 6, rope.pairs());
  EXPECT_NEAR(x[0], 2, 1e-6);
  EXPECT_NEAR(x[2], 0, 1e-6);
}

}  // namespace
}  // namespace nibble

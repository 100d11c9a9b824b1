// dot, unpack and snap of every format: they must agree with decode, and with each other on every
// ISA.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "codec/every_format.h"
#include "simd/scalar.h"
#include "support/random.h"

namespace nibble {
namespace {

// Activations as the kernels prepare them, made by the plain formula of format.h.
struct Activations {
  explicit Activations(std::vector<float> values) : x(std::move(values)) {
    const size_t padded = (x.size() + kChunk - 1) / kChunk * kChunk;
    q.resize(padded);
    d.resize(padded / 32);
    s.resize(padded / 16);
    for (size_t begin = 0; begin < x.size(); begin += 32) {
      const size_t end = std::min(begin + 32, x.size());
      float largest = 0;
      for (size_t i = begin; i < end; ++i) largest = std::max(largest, std::fabs(x[i]));
      d[begin / 32] = largest / 127.0f;
      for (size_t i = begin; i < end; ++i) {
        q[i] = static_cast<int8_t>(std::nearbyint(x[i] * 127.0f / largest));
      }
    }
    for (size_t g = 0; g < s.size(); ++g) {
      int sum = 0;
      for (size_t i = 16 * g; i < 16 * g + 16; ++i) sum += q[i];
      s[g] = d[g / 2] * static_cast<float>(sum);
    }
  }
  ActivationRow row() const { return {x.data(), q.data(), d.data(), s.data()}; }
  double value(size_t i, Domain domain) const {
    return domain == Domain::kFloat ? x[i] : static_cast<double>(q[i]) * d[i / 32];
  }
  std::vector<float> x;
  std::vector<int8_t> q;
  std::vector<float> d;
  std::vector<float> s;
};

class EveryFormatRow : public testing::TestWithParam<DType> {
 protected:
  DType type() const { return GetParam(); }
  // Row lengths that end in the middle of a chunk, of a vector, of two 32-blocks, where the format
  // allows it.
  std::vector<int64_t> lengths() const {
    std::vector<int64_t> lengths;
    for (const int64_t n : {1, 15, 32, 64, 96, 172, 256, 288, 512, 1056, 4096}) {
      if (n % block_weights(type()) == 0) lengths.push_back(n);
    }
    return lengths;
  }
  std::vector<std::byte> encode(const std::vector<float>& x) const {
    std::vector<std::byte> row(x.size() / block_weights(type()) * block_bytes(type()));
    codec(type()).encode(x.data(), nullptr, static_cast<int64_t>(x.size()), Effort::kFast,
                         row.data());
    return row;
  }
  std::vector<float> decode(const std::vector<std::byte>& row, int64_t n) const {
    std::vector<float> x(static_cast<size_t>(n));
    codec(type()).decode(row.data(), n, x.data());
    return x;
  }
};

float dot(DType type, Isa isa, const std::vector<std::byte>& row, const ActivationRow& activations,
          int64_t n) {
  float product = 0;
  codec(type, isa).dots(row.data(), 0, 1, activations, n, &product);
  return product;
}

// 7 rows: some side by side, some alone.
TEST_P(EveryFormatRow, DotsOfRowsSideBySideAreThoseOfEach) {
  const int64_t n = 512, count = 7;
  const auto rows = encode(random_floats(n * count, 0.05f, 5));
  const Activations activations(random_floats(n, 3.0f, 6));
  const auto row_bytes = static_cast<int64_t>(rows.size()) / count;
  for (const Isa isa : available_isas()) {
    std::vector<float> together(count);
    codec(type(), isa).dots(rows.data(), row_bytes, count, activations.row(), n, together.data());
    for (int64_t r = 0; r < count; ++r) {
      const std::vector<std::byte> row(rows.begin() + r * row_bytes,
                                       rows.begin() + (r + 1) * row_bytes);
      EXPECT_EQ(together[static_cast<size_t>(r)], dot(type(), isa, row, activations.row(), n))
          << isa_name(isa) << ", row " << r;
    }
  }
}

TEST_P(EveryFormatRow, DotIsTheSumOfDecodedProducts) {
  for (const int64_t n : lengths()) {
    SCOPED_TRACE(n);
    const auto row = encode(random_floats(static_cast<size_t>(n), 0.05f, 1));
    const auto weights = decode(row, n);
    const Activations activations(random_floats(static_cast<size_t>(n), 3.0f, 2));
    double expected = 0;
    double magnitude = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double product = weights[i] * activations.value(i, codec(type()).domain);
      expected += product;
      magnitude += std::fabs(product);
    }
    EXPECT_NEAR(dot(type(), active_isa(), row, activations.row(), n), expected,
                4e-6 * magnitude + 1e-9);
  }
}

TEST_P(EveryFormatRow, DotHasTheSameBitsOnEveryIsa) {
  for (const int64_t n : lengths()) {
    const auto row = encode(random_floats(static_cast<size_t>(n), 0.05f, 3));
    const Activations activations(random_floats(static_cast<size_t>(n), 3.0f, 4));
    const float expected = dot(type(), Isa::kScalar, row, activations.row(), n);
    for (const Isa isa : available_isas()) {
      EXPECT_EQ(dot(type(), isa, row, activations.row(), n), expected)
          << isa_name(isa) << ", " << n << " weights";
    }
  }
}

TEST_P(EveryFormatRow, UnpackedPanelHoldsTheDecodedWeights) {
  for (const Isa isa : available_isas()) {
    for (const int64_t n : lengths()) {
      SCOPED_TRACE(std::string(isa_name(isa)) + ", " + std::to_string(n));
      const auto row = encode(random_floats(static_cast<size_t>(n), 0.05f, 5));
      const auto weights = decode(row, n);
      const size_t padded = static_cast<size_t>(n + kChunk - 1) / kChunk * kChunk;
      std::vector<float> x(padded), d(padded / 16), m(padded / 16);
      std::vector<uint8_t> q(padded);
      codec(type(), isa).unpack(row.data(), n, {x.data(), q.data(), d.data(), m.data()});
      for (size_t i = 0; i < weights.size(); ++i) {
        const float code = codec(type()).panel.is_signed
                               ? static_cast<float>(static_cast<int8_t>(q[i]))
                               : static_cast<float>(q[i]);
        const float found =
            codec(type()).domain == Domain::kFloat ? x[i] : code * d[i / 16] - m[i / 16];
        ASSERT_NEAR(found, weights[i], 1e-6f) << "weight " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormatRow, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

template <class F>
class EveryFormatBlock : public testing::Test {};

// The list of formats as types, grown row by row.
template <class List, class F>
struct Append;
template <class... Fs, class F>
struct Append<testing::Types<Fs...>, F> {
  using Types = testing::Types<Fs..., F>;
};
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) Append <
#define NIBBLE_END(enumerator, id, name, type, weights, bytes, fallback) , type > ::Types
using AllFormats = NIBBLE_FORMATS(NIBBLE_ROW) testing::Types<> NIBBLE_FORMATS(NIBBLE_END);
#undef NIBBLE_ROW
#undef NIBBLE_END
TYPED_TEST_SUITE(EveryFormatBlock, AllFormats);

TYPED_TEST(EveryFormatBlock, SnapsToWhatPackAndDecodeGive) {
  using F = TypeParam;
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const auto x = random_floats(F::kWeights, 0.05f, 100 + seed);
    typename F::Params params;
    F::template fit<Scalar>(x.data(), nullptr, 1, Effort::kFast, &params);
    typename F::Block block;
    F::template pack<Scalar>(x.data(), nullptr, params, block);
    float decoded[F::kWeights];
    F::decode(block, decoded);
    for (int i = 0; i < F::kWeights; i += F::kSnap) {
      float snapped[F::kSnap];
      F::snap(x.data() + i, nullptr, params, i, snapped);
      for (int k = 0; k < F::kSnap; ++k)
        ASSERT_EQ(snapped[k], decoded[i + k]) << "weight " << i + k;
    }
  }
}

}  // namespace
}  // namespace nibble

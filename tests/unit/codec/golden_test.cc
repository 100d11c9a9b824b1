// Every format against golden vectors of the reference implementation (tests/golden/decode), on
// every ISA.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "codec/codec.h"

namespace nibble {
namespace {

constexpr int64_t kColumns = 512;

std::vector<std::byte> read_golden(const std::string& name) {
  std::ifstream file(std::string(NIBBLE_SOURCE_DIR) + "/tests/golden/decode/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(chars.size());
  std::memcpy(bytes.data(), chars.data(), chars.size());
  return bytes;
}

std::vector<float> read_golden_floats(const std::string& name) {
  const auto bytes = read_golden(name);
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

std::string upper_name(DType type) {
  std::string name(dtype_name(type));
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

class EveryFormat : public testing::TestWithParam<DType> {
 protected:
  DType type() const { return GetParam(); }
  bool has_golden() const { return type() != DType::kF32; }
  size_t row_bytes() const { return kColumns / block_weights(type()) * block_bytes(type()); }
  std::vector<float> source() const { return read_golden_floats("source.f32"); }

  std::vector<std::byte> encode(const std::vector<float>& x, const float* importance, Isa isa,
                                Effort effort = Effort::kDefault) const {
    const size_t rows = x.size() / kColumns;
    std::vector<std::byte> encoded(rows * row_bytes());
    for (size_t row = 0; row < rows; ++row) {
      codec(type(), isa)
          .encode(x.data() + row * kColumns, importance, kColumns, effort,
                  encoded.data() + row * row_bytes());
    }
    return encoded;
  }
  std::vector<float> decode(const std::vector<std::byte>& encoded, Isa isa) const {
    const size_t weights = encoded.size() / block_bytes(type()) * block_weights(type());
    std::vector<float> decoded(weights);
    codec(type(), isa).decode(encoded.data(), static_cast<int64_t>(weights), decoded.data());
    return decoded;
  }
};

void expect_same_bits(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  size_t different = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::memcmp(&found[i], &expected[i], sizeof(float)) != 0 && ++different <= 5) {
      ADD_FAILURE() << "weight " << i << ": found " << found[i] << ", expected " << expected[i];
    }
  }
  EXPECT_EQ(different, 0u);
}

double squared_error(const std::vector<float>& x, const std::vector<float>& y,
                     const std::vector<float>& w) {
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double off = static_cast<double>(x[i]) - y[i];
    total += off * off * (w.empty() ? 1.0 : w[i % kColumns]);
  }
  return total;
}

TEST_P(EveryFormat, DecodesWhatTheReferenceEncodedBitForBit) {
  if (!has_golden()) GTEST_SKIP() << "f32 is stored as it is";
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    expect_same_bits(decode(read_golden(upper_name(type()) + ".blocks"), isa),
                     read_golden_floats(upper_name(type()) + ".f32"));
  }
}

TEST_P(EveryFormat, DecodesRandomBytesBitForBit) {
  if (!has_golden()) GTEST_SKIP() << "f32 is stored as it is";
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    expect_same_bits(decode(read_golden(upper_name(type()) + ".random"), isa),
                     read_golden_floats(upper_name(type()) + ".random.f32"));
  }
}

TEST_P(EveryFormat, EncodesNoWorseThanTheReference) {
  if (!has_golden()) GTEST_SKIP() << "f32 is stored as it is";
  const auto x = source();
  const auto reference = read_golden_floats(upper_name(type()) + ".f32");
  const auto found = decode(encode(x, nullptr, active_isa()), active_isa());
  EXPECT_LE(squared_error(x, found, {}), squared_error(x, reference, {}));
  RecordProperty(
      "relative_to_reference",
      std::to_string(std::sqrt(squared_error(x, found, {}) / squared_error(x, reference, {}))));
}

TEST_P(EveryFormat, ImportanceLowersTheWeightedError) {
  if (codec(type()).domain == Domain::kFloat || type() == DType::kQ8_0) {
    GTEST_SKIP() << "rounding to nearest leaves nothing to weigh";
  }
  const auto x = source();
  const auto w = read_golden_floats("importance.f32");
  const auto plain = decode(encode(x, nullptr, active_isa()), active_isa());
  const auto weighted = decode(encode(x, w.data(), active_isa()), active_isa());
  EXPECT_LT(squared_error(x, weighted, w), squared_error(x, plain, w));
}

// Scales below the smallest normal number, and sums of squares past the largest one.
TEST_P(EveryFormat, EncodesExtremesToTheSameBytesOnEveryIsa) {
  auto numbers = source();
  numbers.resize(2 * kColumns);
  for (const float scale : {1e-45f, 1e-39f, 1e-36f, 1e-20f, 1e18f, 1e36f}) {
    auto x = numbers;
    for (float& v : x) v *= scale;
    const auto expected = encode(x, nullptr, Isa::kScalar);
    for (const Isa isa : available_isas()) {
      EXPECT_TRUE(encode(x, nullptr, isa) == expected) << isa_name(isa) << ", scaled by " << scale;
    }
  }
}

TEST_P(EveryFormat, EncodesTheSameBytesOnEveryIsa) {
  const auto x = source();
  const auto w = read_golden_floats("importance.f32");
  const auto plain = encode(x, nullptr, Isa::kScalar);
  const auto weighted = encode(x, w.data(), Isa::kScalar);
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    EXPECT_TRUE(encode(x, nullptr, isa) == plain);
    EXPECT_TRUE(encode(x, w.data(), isa) == weighted);
  }
}

TEST_P(EveryFormat, EncodingDecodedWeightsAgainChangesLittle) {
  const auto once = decode(encode(source(), nullptr, active_isa()), active_isa());
  const auto twice = decode(encode(once, nullptr, active_isa()), active_isa());
  const double first_error = squared_error(source(), once, {});
  EXPECT_LE(squared_error(once, twice, {}), 0.25 * first_error);
}

TEST_P(EveryFormat, KeepsZeros) {
  const std::vector<float> zeros(kColumns, 0.0f);
  EXPECT_EQ(decode(encode(zeros, nullptr, active_isa()), active_isa()), zeros);
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::ValuesIn(all_dtypes()),
                         [](const auto& param) { return std::string(dtype_name(param.param)); });

TEST(Q8_0, EncodesTheBytesOfTheReference) {
  const auto x = read_golden_floats("source.f32");
  const auto expected = read_golden("Q8_0.blocks");
  std::vector<std::byte> found(expected.size());
  codec(DType::kQ8_0)
      .encode(x.data(), nullptr, static_cast<int64_t>(x.size()), Effort::kDefault, found.data());
  EXPECT_TRUE(found == expected);
}

}  // namespace
}  // namespace nibble

// Products of dense matrices: against sums in double, and bit for bit between ISAs.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernel/operations.h"
#include "support/random.h"

namespace nibble {
namespace {

// Rows of a, b and c lie further apart than they are long.
struct Size {
  int64_t rows, columns, depth;
  int64_t a_row() const { return rows + 3; }
  int64_t b_row() const { return columns + 5; }
  int64_t c_row() const { return columns + 16; }
};

constexpr Size kSizes[] = {{1, 16, 1}, {8, 32, 5}, {13, 48, 40}, {64, 64, 256}, {9, 16, 700}};

template <class T>
std::vector<T> numbers(int64_t count, uint32_t seed) {
  const auto floats = random_floats(static_cast<size_t>(count), 1.0f, seed);
  return {floats.begin(), floats.end()};
}

template <class T>
std::vector<T> product(const Size& size, Isa isa) {
  const auto a = numbers<T>(size.depth * size.a_row(), 1);
  const auto b = numbers<T>(size.depth * size.b_row(), 2);
  auto c = numbers<T>(size.rows * size.c_row(), 3);
  if constexpr (std::is_same_v<T, float>) {
    operations(isa).add_products(a.data(), size.a_row(), b.data(), size.b_row(), size.depth,
                                 c.data(), size.c_row(), size.rows, size.columns);
  } else {
    operations(isa).add_double_products(a.data(), size.a_row(), b.data(), size.b_row(), size.depth,
                                        c.data(), size.c_row(), size.rows, size.columns);
  }
  return c;
}

template <class T>
void expect_sums(const Size& size, double tolerance) {
  const auto a = numbers<T>(size.depth * size.a_row(), 1);
  const auto b = numbers<T>(size.depth * size.b_row(), 2);
  const auto before = numbers<T>(size.rows * size.c_row(), 3);
  const auto c = product<T>(size, Isa::kScalar);
  for (int64_t i = 0; i < size.rows; ++i) {
    for (int64_t k = 0; k < size.c_row(); ++k) {
      const auto at = static_cast<size_t>(i * size.c_row() + k);
      double expected = static_cast<double>(before[at]);
      for (int64_t j = 0; k < size.columns && j < size.depth; ++j)
        expected += static_cast<double>(a[static_cast<size_t>(j * size.a_row() + i)]) *
                    static_cast<double>(b[static_cast<size_t>(j * size.b_row() + k)]);
      ASSERT_NEAR(c[at], expected, tolerance) << i << " " << k;
    }
  }
}

TEST(DenseProducts, AddWhatTheirDefinitionSays) {
  for (const Size& size : kSizes) {
    expect_sums<float>(size, 1e-4);
    expect_sums<double>(size, 1e-12);
  }
}

TEST(DenseProducts, AreTheSameOnEveryIsa) {
  for (const Isa isa : available_isas()) {
    for (const Size& size : kSizes) {
      EXPECT_EQ(product<float>(size, isa), product<float>(size, Isa::kScalar));
      EXPECT_EQ(product<double>(size, isa), product<double>(size, Isa::kScalar));
    }
  }
}

}  // namespace
}  // namespace nibble

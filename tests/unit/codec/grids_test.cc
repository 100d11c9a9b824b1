// The grids are what llama.cpp's tables say, and searches in them find the nearest entry.
#include "codec/grids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "codec/grid_search.h"
#include "simd/scalar.h"

namespace nibble {
namespace {

// Every entry and its place, in one number.
template <class G>
uint64_t fingerprint(const G& grid) {
  uint64_t sum = 0;
  for (const auto entry : grid.values) sum = sum * 0x100000001b3u + entry;
  return sum;
}

// The expected numbers come from ggml-common.h's tables of the same names.
TEST(Grids, HoldTheEntriesOfTheReferenceInItsOrder) {
  EXPECT_EQ(fingerprint(kGridIq2Xxs), 0x558be3f81adf19e1u);
  EXPECT_EQ(fingerprint(kGridIq2Xs), 0x7ea98ca4b3fd5829u);
  EXPECT_EQ(fingerprint(kGridIq2S), 0x45e54868255bb01cu);
  EXPECT_EQ(fingerprint(kGridIq3Xxs), 0xbcc478c8d1a805eu);
  EXPECT_EQ(fingerprint(kGridIq3S), 0x538a4aaa7ae95d46u);
  EXPECT_EQ(fingerprint(kGridIq1), 0x82296bc46d1decfeu);
}

float error_of(const float* x, const float* w, uint64_t entry, int width) {
  float error = 0.0f;
  for (int i = 0; i < width; ++i) {
    const float off = x[i] - static_cast<float>(static_cast<int8_t>(entry >> (8 * i)));
    error += w[i] * off * off;
  }
  return error;
}

// Random weights in the lanes of a Scalar, around the grid's levels.
template <class G>
void expect_nearest(const G& grid) {
  std::mt19937 engine(1);
  const auto random = [&] { return static_cast<float>(engine() % 10001) / 10000.0f; };
  const float low = G::kLevelValues[0] - 2.0f;
  const float range = G::kLevelValues[G::kLevels - 1] + 2.0f - low;
  Scalar::F32 x[G::kWidth], w[G::kWidth], level[G::kLevels];
  for (int l = 0; l < G::kLevels; ++l) level[l] = Scalar::set1(G::kLevelValues[l]);
  for (int i = 0; i < G::kWidth; ++i) {
    x[i] = Scalar::make([&](int) { return low + range * random(); });
    w[i] = Scalar::make([&](int) { return random(); });
  }
  const GridSearch<Scalar, G> search(x, w, level);
  uint16_t index[16];
  search.nearest(grid, index);
  const Scalar::F32 least = search.least_error(grid);
  for (int lane = 0; lane < 16; ++lane) {
    float lane_x[G::kWidth], lane_w[G::kWidth];
    for (int i = 0; i < G::kWidth; ++i) {
      lane_x[i] = x[i].v[lane];
      lane_w[i] = w[i].v[lane];
    }
    float expected = INFINITY;
    for (const auto entry : grid.values) {
      expected = std::min(expected, error_of(lane_x, lane_w, entry, G::kWidth));
    }
    const float found = error_of(lane_x, lane_w, grid.values[index[lane]], G::kWidth);
    EXPECT_LE(found, expected * 1.0001f) << "lane " << lane;
    EXPECT_NEAR(least.v[lane], expected, expected * 1e-4f) << "lane " << lane;
  }
}

TEST(Grids, SearchesFindTheNearestEntry) {
  expect_nearest(kGridIq2Xxs);
  expect_nearest(kGridIq2Xs);
  expect_nearest(kGridIq2S);
  expect_nearest(kGridIq3Xxs);
  expect_nearest(kGridIq3S);
  expect_nearest(kGridIq1);
}

}  // namespace
}  // namespace nibble

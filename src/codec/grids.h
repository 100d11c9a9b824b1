// The grids that iq1, iq2 and iq3 formats are defined by: lists of the 4 or 8 weights that may
// stand together, made for llama.cpp from points of the E8 and D4 lattices that real weights are
// near to (ggml/src/ggml-common.h, whose order of entries blocks refer to).
//
// Each weight of an entry is one of a few levels. Written as a number with a digit per weight (the
// first weight the lowest digit), an entry is a code, and every grid lists its codes in ascending
// order: so a grid is a set of codes, and grids.cc stores a bit for each code there could be.
#pragma once

#include <cstdint>
#include <iterator>
#include <type_traits>

#include "base/attributes.h"

namespace nibble {

constexpr int power_of(int base, int exponent) {
  return exponent == 0 ? 1 : base * power_of(base, exponent - 1);
}

template <const auto& level_values, int entries, int width, int runs>
struct Grid {
  static constexpr int kEntries = entries;
  static constexpr const auto& kLevelValues = level_values;
  static constexpr int kLevels = static_cast<int>(std::size(level_values));
  static constexpr int kWidth = width;  // weights of an entry
  // Half an entry, as a code, is a pattern.
  static constexpr int kHalf = width / 2;
  static constexpr int kPatterns = power_of(kLevels, kHalf);
  using Entry = std::conditional_t<width == 8, uint64_t, uint32_t>;

  // A second half with first halves that it stands with; the last one repeated if they are fewer.
  // The list has an even number of them, if need be by repeating the last.
  static constexpr int kRuns = runs;
  static constexpr int kRun = entries >= 1024 ? 6 : 4;
  struct Run {
    uint8_t second;
    uint8_t first[kRun];
  };

  Entry values[entries];          // a byte for each weight, the first weight lowest
  uint16_t begin[kPatterns + 1];  // entries begin[a] .. begin[a + 1] - 1 end with pattern a,
  uint8_t first[entries];         // and begin with this one
  Run all_runs[runs];             // together all entries: searches take them without a branch
};

inline constexpr int kIq1Levels[] = {-1, 0, 1};
inline constexpr int kIq2Levels[] = {8, 25, 43};
inline constexpr int kIq3XxsLevels[] = {4, 12, 20, 28, 36, 44, 52, 62};
inline constexpr int kIq3SLevels[] = {1, 3, 5, 7, 9, 11, 13, 15};

using GridIq1 = Grid<kIq1Levels, 2048, 8, 376>;
using GridIq2Xxs = Grid<kIq2Levels, 256, 8, 104>;
using GridIq2Xs = Grid<kIq2Levels, 512, 8, 162>;
using GridIq2S = Grid<kIq2Levels, 1024, 8, 204>;
using GridIq3Xxs = Grid<kIq3XxsLevels, 256, 4, 88>;
using GridIq3S = Grid<kIq3SLevels, 512, 4, 154>;

extern const GridIq2Xxs kGridIq2Xxs;
extern const GridIq2Xs kGridIq2Xs;
extern const GridIq2S kGridIq2S;
extern const GridIq3Xxs kGridIq3Xxs;
extern const GridIq3S kGridIq3S;
extern const GridIq1 kGridIq1;

}  // namespace nibble

// The nearest entry of a grid (grids.h), exactly, in all lanes of a vector at once.
//
// The error of an entry is the error of its first half plus that of its second half. So the errors
// of all halves are tabulated (81 or 64 each), and an entry costs one minimum: for each second half
// the least error of the first halves that it stands with, plus its own.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/attributes.h"
#include "codec/grids.h"

namespace nibble {

// The vector type of one lane, for the few weights of a snap.
struct OneLane {
  using F32 = float;
  using Mask = bool;
  static NIBBLE_INLINE F32 set1(float x) { return x; }
  static NIBBLE_INLINE F32 add(F32 a, F32 b) { return a + b; }
  static NIBBLE_INLINE F32 sub(F32 a, F32 b) { return a - b; }
  static NIBBLE_INLINE F32 mul(F32 a, F32 b) { return a * b; }
  static NIBBLE_INLINE F32 min(F32 a, F32 b) { return a < b ? a : b; }
  static NIBBLE_INLINE Mask greater(F32 a, F32 b) { return a > b; }
  static NIBBLE_INLINE F32 select(Mask mask, F32 yes, F32 no) { return mask ? yes : no; }
  static NIBBLE_INLINE void store(float* p, F32 a) { *p = a; }
};

template <class V, class G>
class GridSearch {
 public:
  using F32 = typename V::F32;
  static constexpr int kLanes = static_cast<int>(sizeof(F32) / sizeof(float));

  // Weights x[0 .. kWidth-1] with importance w, and what each level stands for.
  NIBBLE_INLINE GridSearch(const F32* x, const F32* w, const F32* levels) {
    tabulate(x, w, levels, first_);
    tabulate(x + G::kHalf, w + G::kHalf, levels, second_);
  }

  // The error of the nearest entry.
  NIBBLE_INLINE F32 least_error(const G& grid) const {
    F32 least = V::set1(INFINITY);
    for (int r = 0; r < G::kRuns; r += 2) {
      const F32 error = V::min(run_error(grid.all_runs[r]), run_error(grid.all_runs[r + 1]));
      least = V::min(error, least);
    }
    return least;
  }

  // The same, and its index in each lane.
  NIBBLE_INLINE F32 nearest(const G& grid, uint16_t* index) const {
    F32 least = V::set1(INFINITY);
    F32 best = V::set1(grid.all_runs[0].second);
    for (int r = 0; r < G::kRuns; ++r) {
      const F32 error = run_error(grid.all_runs[r]);
      const auto is_less = V::greater(least, error);
      least = V::select(is_less, error, least);
      best = V::select(is_less, V::set1(grid.all_runs[r].second), best);
    }
    float second_half[kLanes];
    V::store(second_half, best);
    for (int lane = 0; lane < kLanes; ++lane) {
      index[lane] = nearest_with(grid, static_cast<int>(second_half[lane]), lane);
    }
    return least;
  }

 private:
  // Errors of all patterns, a position at a time.
  static NIBBLE_INLINE void tabulate(const F32* x, const F32* w, const F32* levels, F32* errors) {
    errors[0] = V::set1(0.0f);
    add_position<1>(x, w, levels, errors);
  }
  template <int count>
  static NIBBLE_INLINE void add_position(const F32* x, const F32* w, const F32* levels,
                                         F32* errors) {
    if constexpr (count < G::kPatterns) {
      for (int level = G::kLevels - 1; level >= 0; --level) {
        const F32 off = V::sub(*x, levels[level]);
        const F32 error = V::mul(V::mul(*w, off), off);
        for (int k = 0; k < count; ++k) errors[level * count + k] = V::add(errors[k], error);
      }
      add_position<count * G::kLevels>(x + 1, w + 1, levels, errors);
    }
  }

  // The error of the nearest of a run's entries.
  NIBBLE_INLINE F32 run_error(const typename G::Run& run) const {
    F32 least = first_[run.first[0]];
    for (int i = 1; i < G::kRun; ++i) least = V::min(first_[run.first[i]], least);
    return V::add(second_[run.second], least);
  }

  NIBBLE_INLINE uint16_t nearest_with(const G& grid, int pattern, int lane) const {
    const auto* errors = reinterpret_cast<const float*>(first_) + lane;
    int best = grid.begin[pattern];
    float least = errors[kLanes * grid.first[best]];
    for (int k = best + 1; k < grid.begin[pattern + 1]; ++k) {
      const float error = errors[kLanes * grid.first[k]];
      if (error < least) {
        least = error;
        best = k;
      }
    }
    return static_cast<uint16_t>(best);
  }

  F32 first_[G::kPatterns];
  F32 second_[G::kPatterns];
};

}  // namespace nibble

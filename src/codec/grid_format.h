// The sections that the iq1, iq2 and iq3 formats have in common. Such a format derives from
// GridFormat<C>, C being its description (grid_scales.h), and adds what its blocks look like.
#pragma once

#include "codec/format.h"
#include "codec/grid_weights.h"

namespace nibble {

struct Iq1Description {
  using Grid = GridIq1;
  static constexpr int kTopScale = 7;
  static constexpr float kUnit = 1.0f;
  static constexpr Signs kSigns = Signs::kNone;
  static constexpr float kShift = 0.125f;
  static constexpr GridScaleSearch kSearches[] = {
      {1.23f, 1.23f, 1, 1, 0}, {0.95f, 1.6f, 3, 1, 1}, {0.9f, 1.8f, 8, 1, 2}};
  static NIBBLE_INLINE const Grid& grid() { return kGridIq1; }
};

struct UnshiftedDescription {
  static constexpr int kTopScale = 15;
  static constexpr float kShift = 0.0f;
  static constexpr bool kShiftsGroup = false;
};

struct Iq2Description : UnshiftedDescription {
  static constexpr float kUnit = 0.125f;
  static constexpr GridScaleSearch kSearches[] = {
      {0.04f, 0.054f, 2, 1, 0}, {0.036f, 0.06f, 4, 1, 1}, {0.028f, 0.076f, 17, 2, 3}};
};

template <class C>
struct GridFormat {
  static constexpr int kWeights = 256;
  static constexpr Domain kDomain = Domain::kInteger;

  // --- fit ---
  using Params = GridScales<C>;
  static constexpr int kFitBlocks = Params::kFitBlocks;
  template <class V>
  static NIBBLE_INLINE void fit(const float* x, const float* importance, int blocks, Effort effort,
                                Params* fitted) {
    Params::template fit<V>(x, importance, blocks, search_of(C::kSearches, effort), fitted);
  }

  // --- snap ---
  static constexpr int kSnap = 8;
  static NIBBLE_INLINE void snap(const float* x, const float* importance, const Params& params,
                                 int i, float* y) {
    params.snap(x, importance, i, y);
  }

  // --- dot ---
  static constexpr int kGroup = C::kGroup;
  static constexpr bool kSigned = true;
  static constexpr bool kHasMinimum = false;
  static constexpr int kZero = 0;
};

}  // namespace nibble

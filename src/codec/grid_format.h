// The sections that the iq1, iq2 and iq3 formats have in common. Such a format derives from
// GridFormat<C>, C being its description (grid_scales.h), and adds what its blocks look like.
#pragma once

#include "codec/format.h"
#include "codec/grid_weights.h"

namespace nibble {

// Codes of the signed weights that a format's dot has: bits kCodeShift and up of their bytes, which
// are different for all levels and their negatives.
template <int shift, int bits, const auto& levels>
struct LevelCodes {
  static constexpr int kCodeShift = shift;
  static constexpr int kCodeBits = bits;
  static constexpr struct Table {
    int8_t v[16];
    constexpr Table() : v() {
      constexpr int kMask = (1 << bits) - 1;
      for (const int level : levels) {
        v[level >> shift & kMask] = static_cast<int8_t>(level);
        v[(256 - level) >> shift & kMask] = static_cast<int8_t>(-level);
      }
    }
  } kTable = {};
};

// 8 (level + 1/8) for levels -1, 0, 1.
inline constexpr int kIq1Eighths[] = {1, 7, 9};

struct Iq1Description : LevelCodes<2, 3, kIq1Eighths> {
  static constexpr float kDotUnit = 0.125f;
  using Grid = GridIq1;
  static constexpr int kTopScale = 7;
  static constexpr float kUnit = 1.0f;
  static constexpr Signs kSigns = Signs::kNone;
  static constexpr float kShift = 0.125f;
  static constexpr GridScaleSearch kSearches[] = {
      {1.23f, 1.23f, 0, 1, 0}, {0.95f, 1.6f, 3, 1, 1}, {0.9f, 1.8f, 8, 1, 2}};
  static NIBBLE_INLINE const Grid& grid() { return kGridIq1; }
};

struct UnshiftedDescription {
  static constexpr int kTopScale = 15;
  static constexpr float kShift = 0.0f;
  static constexpr bool kShiftsGroup = false;
};

struct Iq2Description : UnshiftedDescription, LevelCodes<4, 3, kIq2Levels> {
  static constexpr float kUnit = 0.125f;
  static constexpr float kDotUnit = kUnit;
  static constexpr GridScaleSearch kSearches[] = {
      {0.047f, 0.047f, 1, 0, 0}, {0.036f, 0.06f, 4, 1, 1}, {0.028f, 0.076f, 17, 2, 3}};
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

  // --- interleave ---
  static constexpr int kCodeBits = C::kCodeBits;
  static constexpr int kCodeShift = C::kCodeShift;
  static constexpr const int8_t* kCodebook = C::kTable.v;
  static constexpr ScaleForm kScaleForm = ScaleForm::kBytes;
  static constexpr float kScaleUnit = C::kDotUnit;
};

}  // namespace nibble

// What the prompt GEMM multiplies: panels of 16 rows of weights, a row in each lane, and tiles of a
// few columns (rows of activations). Four weights of a row that follow each other are one lane of
// 32 bits; the same four activations are broadcast to all lanes. So sums never cross lanes, and a
// group's scales cost the same three operations for 16 rows.
#pragma once

#include <cstdint>

#include "codec/format.h"

namespace nibble {

inline constexpr int kPanelRows = 16;
inline constexpr int kPanelPair = 2;  // panels that a GEMM takes at a time
inline constexpr int kPairRows = kPanelPair * kPanelRows;
inline constexpr int kMaxPairs = 4;  // that a tile is multiplied with while it is in the cache

// Columns of a tile: a batch is cut into the widest, and one of the others for what is left.
inline constexpr int kTileWidths[] = {12, 8, 4, 2, 1};

// n is padded with zeros to a multiple of 32 (integer formats). Scales and minima stand in their
// group's place: `groups` is n / form.group.
struct WeightPanel {
  uint8_t* q;  // [n / 4][16][4]; signed ones as the ISA wants them (Operations::panel_zero)
  float* d;    // [groups][16]
  float* m;    // [groups][16], negated; only when the form has a minimum
  float* x;    // [n][16]; float formats
};

struct ActivationTile {
  const int8_t* q;       // [n / 4][width][4]
  const float* d;        // [n / 32][width]
  const float* s;        // [groups][width]: d times the sum of the group's q
  const int32_t* start;  // [groups][width]: where each group's sum of products starts
  const float* x;        // [n][width]; for float formats
  int width;             // one of kTileWidths
  int columns;           // those that exist
};

}  // namespace nibble

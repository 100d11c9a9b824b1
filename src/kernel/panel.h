// What the prompt GEMM multiplies: panels of 16 rows of weights, a row in each lane, and tiles of a
// few columns (rows of activations). Four weights of a row that follow each other are one lane of
// 32 bits; the same four activations are broadcast to all lanes. So sums never cross lanes, and a
// group's scales cost the same three operations for 16 rows.
#pragma once

#include <cstdint>

#include "base/attributes.h"
#include "codec/format.h"

namespace nibble {

inline constexpr int kPanelRows = 16;
inline constexpr int kPanelPair = 2;  // panels that a GEMM takes at a time
inline constexpr int kPairRows = kPanelPair * kPanelRows;
inline constexpr int kMaxPairs = 4;  // that a tile is multiplied with while it is in the cache

// Columns of a tile: a batch is cut into the widest, and one of the others for what is left.
inline constexpr int kTileWidths[] = {12, 8, 4, 2, 1};

// Sums of products start at the bits of this float and a small number. Read as floats they are then
// kSumBase and the sum, exactly, as long as it is below 2^22 (32 products of bytes are below 2^20),
// for the unit in the last place of kSumBase is 1: no conversion.
inline constexpr float kSumBase = 12582912.0f;  // 1.5 * 2^23
inline constexpr int32_t kSumStart = 0x4b400000;
static_assert(__builtin_bit_cast(int32_t, kSumBase) == kSumStart);

// What scaled_sum() takes beside the scale.
template <class V>
NIBBLE_INLINE typename V::F32 scaled_base(typename V::F32 scale) {
  return V::mul(scale, V::set1(-kSumBase));
}

// A group's sum times its scale, rounded once: scale * kSumBase is exact for scales of up to 22
// significant bits, which all formats' are (at most an f16 times 8 bits).
template <class V>
NIBBLE_INLINE typename V::F32 scaled_sum(typename V::I32 sum, typename V::F32 scale,
                                         typename V::F32 base) {
  return V::fma(__builtin_bit_cast(typename V::F32, sum), scale, base);
}

// Where V multiplies matrices, eights of a row take the place of fours in panels (not in tiles).
template <class V>
concept MultipliesMatrices = requires(typename V::I32 sum, typename V::I8 bytes) {
  V::add_matrix_products(sum, bytes, bytes);
};

// Puts two fours of columns that follow each other into a panel.
template <class V>
NIBBLE_INLINE void store_fours(uint8_t* to, typename V::I8 first, typename V::I8 second) {
  if constexpr (MultipliesMatrices<V>) {
    V::store_eights(to, first, second);
  } else {
    V::store_bytes(to, first);
    V::store_bytes(to + 64, second);
  }
}

// n is padded with zeros to a multiple of 32 (integer formats). Scales and minima stand in their
// group's place: `groups` is n / form.group.
struct WeightPanel {
  uint8_t* q;  // [n / 4][16][4] or [n / 8][16][8] (MultipliesMatrices); signed ones as the ISA
               // wants them (Operations::panel_zero)
  float* d;    // [groups][16]
  float* m;    // [groups][16], negated; only when the form has a minimum
  float* x;    // [n][16]; float formats
};

struct ActivationTile {
  const int8_t* q;       // [n / 4][width][4]
  const float* d;        // [n / 32][width]
  const float* s;        // [groups][width]: d times the sum of the group's q
  const int32_t* start;  // [groups][width]: where each group's sum of products starts (kSumStart)
  const float* x;        // [n][width]; for float formats
  int width;             // one of kTileWidths
  int columns;           // those that exist
};

}  // namespace nibble

// f32: 4 bytes a weight, IEEE 754 binary32, little endian.
#pragma once

#include "codec/float_format.h"

namespace nibble {

struct F32 {
  static constexpr int kWeights = 1;
  static constexpr int kBytes = 4;
  static constexpr Domain kDomain = Domain::kFloat;
  struct Block {
    float value;
  };

  // --- fit, pack, decode, snap ---
  struct Params {};
  template <class V>
  static NIBBLE_INLINE Params fit(const float*, const float*) {
    return {};
  }
  static NIBBLE_INLINE void pack(const float* x, const Params&, Block& block) { block.value = *x; }
  static NIBBLE_INLINE void decode(const Block& block, float* y) { *y = block.value; }
  static NIBBLE_INLINE float snap(float x, const Params&, int) { return x; }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE typename V::F32 load(const Block* p) {
    return V::load(&p->value);
  }
  template <class V>
  static NIBBLE_INLINE void store(Block* p, typename V::F32 x) {
    V::store(&p->value, x);
  }
};

}  // namespace nibble

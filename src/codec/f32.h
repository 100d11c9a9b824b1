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
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float*, const float*, int, Effort, Params*) {}
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params&, Block& block) {
    block.value = *x;
  }
  static NIBBLE_INLINE void decode(const Block& block, float* y) { *y = block.value; }
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params&, int, float* y) {
    *y = *x;
  }

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

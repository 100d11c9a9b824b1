// f16: 2 bytes a weight, IEEE 754 binary16, little endian; rounded to nearest even.
#pragma once

#include "base/numeric.h"
#include "codec/float_format.h"

namespace nibble {

struct F16 {
  static constexpr int kWeights = 1;
  static constexpr int kBytes = 2;
  static constexpr Domain kDomain = Domain::kFloat;
  struct Block {
    uint16_t bits;
  };

  // --- fit, pack, decode, snap ---
  struct Params {};
  static constexpr int kFitBlocks = 1;
  static constexpr int kSnap = 1;
  template <class V>
  static NIBBLE_INLINE void fit(const float*, const float*, int, Effort, Params*) {}
  template <class V>
  static NIBBLE_INLINE void pack(const float* x, const float*, const Params&, Block& block) {
    block.bits = f16_from_f32(*x);
  }
  static NIBBLE_INLINE void decode(const Block& block, float* y) { *y = f32_from_f16(block.bits); }
  static NIBBLE_INLINE void snap(const float* x, const float*, const Params&, int, float* y) {
    *y = f32_from_f16(f16_from_f32(*x));
  }

  // --- dot ---
  template <class V>
  static NIBBLE_INLINE typename V::F32 load(const Block* p) {
    return V::load_f16(&p->bits);
  }
  template <class V>
  static NIBBLE_INLINE void store(Block* p, typename V::F32 x) {
    V::store_f16(&p->bits, x);
  }
};

}  // namespace nibble

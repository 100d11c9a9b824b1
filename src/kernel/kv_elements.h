// Elements of cached keys and values as floats, over V: what is different between the types of a
// cache (kv_layout.h). Every type has
//   Block             as it lies in a row
//   kGroup            dimensions of keys that are decoded together, those of a block
//   Keys(group)       16 positions of such a group; at(i): of its dimension i
//   values(...)       32 dimensions from `begin` (a multiple of 32) of a value that has `rest` more
// An element of a block type is its code times d, which a float holds exactly.
#pragma once

#include "codec/bf16.h"
#include "codec/f16.h"
#include "codec/f32.h"
#include "codec/q4_0.h"
#include "codec/q8_0.h"

namespace nibble {

template <class V, class Format>
struct FloatElements {
  using Block = typename Format::Block;
  static constexpr int kGroup = 1;

  struct Keys {
    const Block* elements;
    NIBBLE_INLINE explicit Keys(const std::byte* group)
        : elements(reinterpret_cast<const Block*>(group)) {}
    NIBBLE_INLINE typename V::F32 at(int) const { return Format::template load<V>(elements); }
  };

  static NIBBLE_INLINE void values(const std::byte* row, int64_t begin, int64_t rest,
                                   typename V::F32* value) {
    const Block* elements = reinterpret_cast<const Block*>(row) + begin;
    for (int64_t k = 0; k < 2; ++k) {
      if (rest >= 16 * (k + 1)) {
        value[k] = Format::template load<V>(elements + 16 * k);
      } else {
        Block padded[16] = {};
        for (int64_t i = 16 * k; i < rest; ++i) padded[i - 16 * k] = elements[i];
        value[k] = Format::template load<V>(padded);
      }
    }
  }
};

template <class V>
struct Q8Elements {
  using Block = Q8_0::Block;
  static constexpr int kGroup = 32;

  struct Keys {
    typename V::F32 d;
    const int8_t* codes;
    NIBBLE_INLINE explicit Keys(const std::byte* group)
        : d(V::load_f16(reinterpret_cast<const uint16_t*>(group))),
          codes(reinterpret_cast<const int8_t*>(group + 32)) {}
    NIBBLE_INLINE typename V::F32 at(int i) const { return V::mul(V::load_i8(codes + 16 * i), d); }
  };

  static NIBBLE_INLINE void values(const std::byte* row, int64_t begin, int64_t,
                                   typename V::F32* value) {
    const auto& block = reinterpret_cast<const Block*>(row)[begin / 32];
    const auto d = V::set1(V::from_f16(block.d));
    for (int k = 0; k < 2; ++k) value[k] = V::mul(V::load_i8(block.q + 16 * k), d);
  }
};

// Codes are one byte each for a moment: loading from there is what turns them into floats.
template <class V>
struct Q4Elements {
  using Block = Q4_0::Block;
  static constexpr int kGroup = 32;

  static NIBBLE_INLINE typename V::F32 element(const int8_t* code, typename V::F32 d,
                                               typename V::F32 zero) {
    return V::fma(V::load_i8(code), d, zero);
  }
  static NIBBLE_INLINE typename V::F32 zero_of(typename V::F32 d) {
    return V::mul(d, V::set1(-8.0f));
  }

  struct Keys {
    typename V::F32 d, zero;
    alignas(64) int8_t codes[kGroup * 16];
    NIBBLE_INLINE explicit Keys(const std::byte* group)
        : d(V::load_f16(reinterpret_cast<const uint16_t*>(group))), zero(zero_of(d)) {
      for (int i = 0; i < kGroup * 8; i += 64) {  // a byte holds dimensions j and j + 16
        const auto pairs = V::load_bytes(group + 32 + i);
        V::store_bytes(codes + i, V::template bits<0, 15>(pairs));
        V::store_bytes(codes + kGroup * 8 + i, V::template bits<4, 15>(pairs));
      }
    }
    NIBBLE_INLINE typename V::F32 at(int i) const { return element(codes + 16 * i, d, zero); }
  };

  static NIBBLE_INLINE void values(const std::byte* row, int64_t begin, int64_t,
                                   typename V::F32* value) {
    const auto& block = reinterpret_cast<const Block*>(row)[begin / 32];
    alignas(64) int8_t codes[64];
    V::store_bytes(codes,
                   V::template shift_right<16, 0, 4, 15>(V::load_two_twice(block.q, block.q)));
    const auto d = V::set1(V::from_f16(block.d));
    for (int k = 0; k < 2; ++k) value[k] = element(codes + 16 * k, d, zero_of(d));
  }
};

}  // namespace nibble

// Interleaving (interleaving.h) of the block formats, over V. Included by interleaved_ISA.cc only.
#pragma once

#include <utility>

#include "codec/every_format.h"
#include "kernel/interleaving.h"

namespace nibble {

inline constexpr int kUnit = 32;          // columns
inline constexpr int kFours = kUnit / 4;  // lanes of a row in a unit

template <class F>
concept Interleaves = requires {
  F::kCodeBits;
};

template <class F>
struct InterleavedLayout {
  static constexpr bool kHasOwnMinimum = F::kHasMinimum && F::kZero == 0;
  static constexpr int kGroups = F::kWeights / F::kGroup;
  static constexpr int kBytesAGroup =
      F::kScaleForm == ScaleForm::kBytes ? 1 + kHasOwnMinimum
      : F::kScaleForm == ScaleForm::kNibbles || F::kScaleForm == ScaleForm::kCodes ? 1
                                                                                   : 0;
  static constexpr int kHalves =  // bytes of d and of m
      F::kScaleForm == ScaleForm::kCodes ? 0 : kPanelRows * 2 * (1 + kHasOwnMinimum);
  static constexpr int kScaleBytes = kHalves + kPanelRows * kGroups * kBytesAGroup;
  static constexpr int kUnitBytes = kPanelRows * kUnit * F::kCodeBits / 8;
  static constexpr int kCodeBytes = F::kWeights / kUnit * kUnitBytes;

  static int64_t codes_begin(int64_t n) { return (n / F::kWeights * kScaleBytes + 63) / 64 * 64; }
};

// --- codes ---

// `bits` of the codes from bit `first` on, of a unit; a single bit gives weights 0 and 2.
template <class V, int bits, int first>
struct CodePlane {
  static constexpr int kMask = (1 << bits) - 1;
  typename V::I8 v[bits];

  NIBBLE_INLINE void load(const std::byte* from) {
#pragma GCC unroll 8
    for (int i = 0; i < bits; ++i) v[i] = V::load_bytes(from + 64 * i);
  }
  // The codes of one four, in their place.
  template <int k>
  NIBBLE_INLINE typename V::I8 at() const {
    if constexpr (bits == 8) {
      return v[k];
    } else {
      return V::template bits<bits*(k / bits) - first, kMask << first>(v[k % bits]);
    }
  }
  template <int k>
  static NIBBLE_INLINE void put(const typename V::I8* codes, std::byte* to) {
    auto merged = V::load_bytes(to + 64 * (k % bits));
    constexpr int at = bits * (k / bits);
    if constexpr (bits == 8) {
      merged = codes[k];
    } else if constexpr (at == 0) {
      merged = V::template bits<first, kMask>(codes[k]);
    } else {
      merged = V::bit_or(merged, V::template bits<first - at, kMask << at>(codes[k]));
    }
    V::store_bytes(to + 64 * (k % bits), merged);
  }
};

// What a code stands for where formats look weights up, as panels have it.
template <class V, class F>
struct PanelCodebook {
  static constexpr struct Bytes {
    uint8_t v[16];
    constexpr Bytes() : v() {
      for (int i = 0; i < 16; ++i) v[i] = static_cast<uint8_t>(F::kCodebook[i] + V::kPanelZero);
    }
  } kBytes = {};
};

template <class V, class F>
struct UnitCodes {
  static constexpr int kBits = F::kCodeBits;
  static constexpr int kLow = kBits == 8 ? 8 : kBits >= 4 ? 4 : kBits >= 2 ? 2 : 1;
  static constexpr int kLowFirst = kBits == 1 ? 1 : 0;
  static constexpr int kHigh = kBits - kLow;
  CodePlane<V, kLow, kLowFirst> low;
  CodePlane<V, kHigh == 0 ? 1 : kHigh, kLow % 8> high;

  NIBBLE_INLINE explicit UnitCodes(const std::byte* from) {
    low.load(from);
    if constexpr (kHigh > 0) high.load(from + 64 * kLow);
  }
  // A four of columns as panels have it.
  template <int k>
  NIBBLE_INLINE typename V::I8 weights() const {
    auto code = low.template at<k>();
    if constexpr (kHigh > 0) code = V::bit_or(code, high.template at<k>());
    if constexpr (requires { F::kCodebook; }) {
      return V::lookup_bytes(PanelCodebook<V, F>::kBytes.v, code);
    } else {
      return code;
    }
  }
  template <int... k>
  static NIBBLE_INLINE void pack(const typename V::I8* codes, std::byte* to,
                                 std::integer_sequence<int, k...>) {
    (low_put<k>(codes, to), ...);
  }

 private:
  template <int k>
  static NIBBLE_INLINE void low_put(const typename V::I8* codes, std::byte* to) {
    CodePlane<V, kLow, kLowFirst>::template put<k>(codes, to);
    if constexpr (kHigh > 0) CodePlane<V, kHigh, kLow>::template put<k>(codes, to + 64 * kLow);
  }
};

// --- scales ---

// The scales of 16 blocks, a row in each lane, as panels have them: minimums negated.
template <class V, class F>
struct BlockOfScales {
  using Layout = InterleavedLayout<F>;
  typename V::F32 d, m;
  const int8_t* s;
  const int8_t* minimums;
  alignas(64) int8_t nibbles[F::kScaleForm == ScaleForm::kNibbles ? 2 : 1][kPanelRows * 16];

  NIBBLE_INLINE explicit BlockOfScales(const std::byte* from) {
    s = reinterpret_cast<const int8_t*>(from + Layout::kHalves);
    minimums = s + kPanelRows * Layout::kGroups;
    if constexpr (F::kScaleForm == ScaleForm::kCodes) return;
    const auto* halves = reinterpret_cast<const uint16_t*>(from);
    d = F::kScaleForm == ScaleForm::kBF16 ? V::load_bf16(halves) : V::load_f16(halves);
    if constexpr (requires { F::kScaleUnit; }) d = V::mul(d, V::set1(F::kScaleUnit));
    m = V::zero();
    if constexpr (Layout::kHasOwnMinimum) {
      m = V::load_f16(halves + kPanelRows);
      if constexpr (Layout::kBytesAGroup > 0) m = V::sub(m, V::add(m, m));
    }
    if constexpr (F::kScaleForm == ScaleForm::kNibbles) split_nibbles();
  }
  NIBBLE_INLINE typename V::F32 scale(int group) const {
    if constexpr (Layout::kBytesAGroup == 0) return d;
    const auto of_group = V::load_i8(s + kPanelRows * group);
    if constexpr (F::kScaleForm == ScaleForm::kCodes) {
      return F::template scale_of_codes<V>(of_group);
    } else {
      return V::mul(of_group, d);
    }
  }
  NIBBLE_INLINE typename V::F32 minimum(int group) const {
    return Layout::kBytesAGroup == 0 ? m : V::mul(V::load_i8(minimums + kPanelRows * group), m);
  }

 private:
  NIBBLE_INLINE void split_nibbles() {
    static_assert(F::kScaleForm != ScaleForm::kNibbles || Layout::kGroups == 16);
    for (int i = 0; i < kPanelRows * 16; i += 64) {
      const auto both = V::load_bytes(s + i);
      V::store_bytes(nibbles[0] + i, V::template bits<0, 15>(both));
      V::store_bytes(nibbles[1] + i, V::template bits<4, 15>(both));
    }
    s = nibbles[0];
    minimums = nibbles[1];
  }
};

template <class F>
NIBBLE_INLINE void store_scales(const StoredScales& scales, int row, std::byte* to) {
  using Layout = InterleavedLayout<F>;
  auto* halves = reinterpret_cast<uint16_t*>(to);
  if constexpr (Layout::kHalves > 0) halves[row] = scales.d;
  if constexpr (Layout::kHasOwnMinimum) halves[kPanelRows + row] = scales.m;
  auto* s = reinterpret_cast<uint8_t*>(to + Layout::kHalves) + row;
  for (int g = 0; g < Layout::kGroups && Layout::kBytesAGroup > 0; ++g) {
    const int nibble = F::kScaleForm == ScaleForm::kNibbles ? scales.minimum[g] << 4 : 0;
    s[kPanelRows * g] = static_cast<uint8_t>(scales.s[g] | nibble);
    if constexpr (Layout::kBytesAGroup == 2) {
      s[kPanelRows * (Layout::kGroups + g)] = scales.minimum[g];
    }
  }
}

// --- interleave ---

template <class V, class F, int j>
NIBBLE_INLINE typename V::I8 stored_codes(const typename F::Block* block, int blocks) {
  if constexpr (requires { F::kCodeShift; }) {
    constexpr int kMask = (1 << F::kCodeBits) - 1;
    return V::template bits<F::kCodeShift, kMask>(F::template weights<V, j>(block, blocks));
  } else if constexpr (requires { F::kCodebook; }) {
    return F::template codes<V, j>(block, blocks);
  } else if constexpr (F::kSigned) {
    return V::panel_bytes(F::template weights<V, j>(block, blocks));
  } else {
    return F::template weights<V, j>(block, blocks);
  }
}

// Columns 64j .. 64j + 63 of a chunk of 16 rows: two units, or one where the chunk ends.
template <class V, class F, int j>
NIBBLE_INLINE void interleave_codes(const typename F::Block* const* rows, int count,
                                    std::byte* to) {
  using Layout = InterleavedLayout<F>;
  if (count <= 64 * j) return;
  typename V::F32 lanes[kPanelRows];
  alignas(64) uint8_t bytes[64];
  for (int r = 0; r < kPanelRows; ++r) {
    V::store_bytes(bytes, stored_codes<V, F, j>(rows[r], count / F::kWeights));
    lanes[r] = V::load(reinterpret_cast<const float*>(bytes));  // only moved
  }
  V::transpose(lanes);
  typename V::I8 fours[kPanelRows];
  for (int k = 0; k < kPanelRows; ++k) {
    V::store(reinterpret_cast<float*>(bytes), lanes[k]);
    fours[k] = V::load_bytes(bytes);
  }
  constexpr std::make_integer_sequence<int, kFours> kEach = {};
  UnitCodes<V, F>::pack(fours, to + 2 * j * Layout::kUnitBytes, kEach);
  if (count > 64 * j + kUnit)
    UnitCodes<V, F>::pack(fours + kFours, to + (2 * j + 1) * Layout::kUnitBytes, kEach);
}

template <class V, class F>
void interleave_rows(const std::byte* const* rows, int64_t n, std::byte* panel) noexcept {
  using Layout = InterleavedLayout<F>;
  std::byte* scales = panel;
  std::byte* codes = panel + Layout::codes_begin(n);
  const typename F::Block* block[kPanelRows];
  for (int r = 0; r < kPanelRows; ++r)
    block[r] = reinterpret_cast<const typename F::Block*>(rows[r]);
  for (int64_t begin = 0; begin < n; begin += kChunk) {
    const int count = static_cast<int>(n - begin < kChunk ? n - begin : kChunk);
    for (int b = 0; b < count / F::kWeights; ++b, scales += Layout::kScaleBytes) {
      for (int r = 0; r < kPanelRows; ++r)
        store_scales<F>(F::stored_scales(block[r][b]), r, scales);
    }
    interleave_codes<V, F, 0>(block, count, codes);
    interleave_codes<V, F, 1>(block, count, codes);
    interleave_codes<V, F, 2>(block, count, codes);
    interleave_codes<V, F, 3>(block, count, codes);
    codes += count / kUnit * Layout::kUnitBytes;
    for (int r = 0; r < kPanelRows; ++r) block[r] += kChunk / F::kWeights;
  }
}

// --- multiply ---

// A panel and those behind it are one stream, which is asked for this far ahead: of 0.5 to 32 KiB
// the distance at which all formats came closest to the speed of reading alone (85 - 95 % of it).
// What lies behind the last panel is asked for, too, and never read.
inline constexpr int kFetchAhead = 16384;

template <int bytes>
NIBBLE_INLINE const std::byte* fetch(const std::byte* from) {
  for (int at = 0; at < bytes; at += 64) __builtin_prefetch(from + at);
  return from + bytes;
}

template <class V, class F, int width>
struct UnitSums {
  static constexpr int kGroups = kUnit / F::kGroup;
  typename V::I32 sum[kGroups][width];

  template <int... k>
  NIBBLE_INLINE UnitSums(const std::byte* codes, const int8_t* activations, const int32_t* start,
                         std::integer_sequence<int, k...>) {
    for (int g = 0; g < kGroups; ++g) {
      for (int c = 0; c < width; ++c) sum[g][c] = V::set1_i32(start[g * width + c]);
    }
    const UnitCodes<V, F> unit(codes);
    (add(unit.template weights<k>(), activations + 4 * k * width, sum[k * 4 / F::kGroup]), ...);
  }

 private:
  static NIBBLE_INLINE void add(typename V::I8 weights, const int8_t* activations,
                                typename V::I32 (&to)[width]) {
#pragma GCC unroll 8
    for (int c = 0; c < width; ++c) {
      to[c] = V::add_panel_dot(to[c], weights, V::broadcast4(activations + 4 * c));
    }
  }
};

template <class V, class F, int width>
NIBBLE_INLINE void multiply_columns(const std::byte* panel, int64_t n, const ActivationTile& tile,
                                    float* sums) {
  using Layout = InterleavedLayout<F>;
  constexpr int kGroupsAUnit = kUnit / F::kGroup;
  const std::byte* ahead = panel + kFetchAhead;
  const std::byte* scale_bytes = panel;
  const std::byte* codes = panel + Layout::codes_begin(n);
  const int8_t* q = tile.q;
  const float* d = tile.d;
  const int32_t* start = tile.start;
  const float* s = tile.s;
  typename V::F32 sum[width];
  for (int c = 0; c < width; ++c) sum[c] = V::zero();
  for (int64_t begin = 0; begin < n; begin += F::kWeights, scale_bytes += Layout::kScaleBytes) {
    ahead = fetch<Layout::kScaleBytes>(ahead);
    const BlockOfScales<V, F> scales(scale_bytes);
    for (int u = 0; u < F::kWeights / kUnit; ++u) {
      ahead = fetch<Layout::kUnitBytes>(ahead);
      const UnitSums<V, F, width> products(codes, q, start,
                                           std::make_integer_sequence<int, kFours>());
#pragma GCC unroll 2
      for (int g = 0; g < kGroupsAUnit; ++g) {
        const auto scale = scales.scale(u * kGroupsAUnit + g);
        const auto base = scaled_base<V>(scale);
#pragma GCC unroll 8
        for (int c = 0; c < width; ++c) {
          sum[c] = V::fma(scaled_sum<V>(products.sum[g][c], scale, base), V::set1(d[c]), sum[c]);
          if constexpr (Layout::kHasOwnMinimum) {
            sum[c] =
                V::fma(scales.minimum(u * kGroupsAUnit + g), V::set1(s[g * width + c]), sum[c]);
          }
        }
      }
      codes += Layout::kUnitBytes;
      q += kUnit * width;
      d += width;
      start += kGroupsAUnit * width;
      s += kGroupsAUnit * width;
    }
  }
  for (int c = 0; c < width; ++c) V::store(sums + c * kPanelRows, sum[c]);
}

template <class V, class F>
void multiply_interleaved(const std::byte* panel, int64_t n, const ActivationTile& tile,
                          float* sums) noexcept {
  static_assert(kInterleavedColumns == 8);
  if (tile.width == 1) {
    multiply_columns<V, F, 1>(panel, n, tile, sums);
  } else if (tile.width == 2) {
    multiply_columns<V, F, 2>(panel, n, tile, sums);
  } else if (tile.width == 4) {
    multiply_columns<V, F, 4>(panel, n, tile, sums);
  } else {
    multiply_columns<V, F, 8>(panel, n, tile, sums);
  }
}

// --- unpack ---

template <class V, class F, int... k>
NIBBLE_INLINE void unpack_unit(const std::byte* codes, uint8_t* to,
                               std::integer_sequence<int, k...>) {
  const UnitCodes<V, F> unit(codes);
  (store_fours<V>(to + 128 * k, unit.template weights<2 * k>(), unit.template weights<2 * k + 1>()),
   ...);
}

template <class V, class F>
void unpack_interleaved(const std::byte* panel, int64_t n, const WeightPanel& to) noexcept {
  using Layout = InterleavedLayout<F>;
  const std::byte* ahead = panel + kFetchAhead;
  const std::byte* codes = panel + Layout::codes_begin(n);
  for (int64_t b = 0; b < n / F::kWeights; ++b) {
    ahead = fetch<Layout::kScaleBytes>(ahead);
    const BlockOfScales<V, F> scales(panel + b * Layout::kScaleBytes);
    for (int g = 0; g < Layout::kGroups; ++g) {
      const int64_t at = (b * Layout::kGroups + g) * kPanelRows;
      V::store(to.d + at, scales.scale(g));
      if constexpr (Layout::kHasOwnMinimum) V::store(to.m + at, scales.minimum(g));
    }
  }
  uint8_t* q = to.q;
  for (int64_t begin = 0; begin < n; begin += kUnit) {
    ahead = fetch<Layout::kUnitBytes>(ahead);
    unpack_unit<V, F>(codes, q, std::make_integer_sequence<int, kFours / 2>());
    codes += Layout::kUnitBytes;
    q += kUnit * kPanelRows;
  }
}

// A format's row of the table.
template <class V, class F>
constexpr Interleaving make_interleaving() {
  if constexpr (Interleaves<F>) {
    using Layout = InterleavedLayout<F>;
    return {F::kWeights,           Layout::kScaleBytes,        Layout::kCodeBytes,
            interleave_rows<V, F>, multiply_interleaved<V, F>, unpack_interleaved<V, F>};
  } else {
    return {};
  }
}

}  // namespace nibble

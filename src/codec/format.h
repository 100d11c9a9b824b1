// The contract of a block format, and what all formats share.
//
// A format is a struct of static functions in one header, its sections always in this order:
//   layout   bytes, units and formula in the opening comment; struct Block
//   fit      fit<V>(x, importance, blocks, effort, params): finds the scales of up to kFitBlocks
//            blocks that follow each other; as many as it takes to fill the lanes of V with
//            sub-blocks, so that searches run in all lanes at once
//   pack     pack<V>(x, importance, params, block): the codes of one block under its scales
//   decode   decode(block, y): the definition, exact to the bit
//   snap     snap(x, importance, params, i, y): what weights i .. i + kSnap - 1 of a block become
//            when they are x[0] .. x[kSnap - 1]; i is a multiple of kSnap
//   dot      for integer formats scales<V> and weights<V, j>: the pieces from which row_dot builds
//            the dot product of a row with a row of activations, and row_unpack a panel
//   interleave  for formats whose rows can be kept with 16 of them side by side
//            (kernel/interleaved.h): kCodeBits, kScaleForm, stored_scales(block), and where weights
//            are looked up, kCodebook and codes<V, j> or kCodeShift (codes are bits of weights<>);
//            kScaleUnit, a power of two that d is multiplied with, where it is not 1
// x and importance point at a block's first weight (in snap: at weight i); importance holds weights
// >= 0 of the squared errors, or is nullptr (all equal). Formats know nothing of tensors. V is a
// vector type of simd/; every function gives the same bits for every V.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "base/attributes.h"
#include "codec/formats.h"
#include "nibble/effort.h"

namespace nibble {

// One row of activations, in the two forms that formats take. Integer formats read q, d and s;
// float formats x. q, d and s are zero-padded to a multiple of 256 activations.
struct ActivationRow {
  const float* x;   // n activations
  const int8_t* q;  // rounded to [-127, 127], a scale per 32:
  const float* d;   //   x[i] ~ q[i] * d[i / 32]
  const float* s;   // d[g / 2] times the sum of q over its 16, one for each group g of 16
};

// One row of weights in the form that panels are made of (kernel/panel.h): w[i] ~ q[i] * d[i / 16]
// - m[i / 16]. Zero-padded to a multiple of 256 weights; float formats fill x instead (padded to a
// multiple of 16).
struct PanelRow {
  float* x;
  uint8_t* q;  // unsigned 0..127, or signed when the format says kSigned
  float* d;
  float* m;
};

// What the rows of a format have in common.
struct PanelForm {
  int group;         // 16 or 32 weights share d and m
  bool is_signed;    // q are signed bytes
  int zero;          // m is d * zero
  bool has_minimum;  // m is a number of its own; zero is 0
};

// How a block stores its scales.
enum class ScaleForm {
  kF16,      // d, and m where the format has a minimum
  kBF16,     // a power of two: d exactly as bfloat16
  kBytes,    // d times an integer for each group; minimums likewise
  kNibbles,  // the same with integers in 0..15
  kCodes,    // an 8-bit code for each group, for the format's scale_of_codes<V>
};

// A block's scales without arithmetic. For group g: scale d * s[g], minimum m * minimum[g]
// (kF16, kBF16: d alone, and -m; kCodes: s alone, 0..127).
struct StoredScales {
  uint16_t d;
  uint16_t m;
  int8_t s[16];
  uint8_t minimum[16];
};

enum class Domain {
  kFloat,    // weights are numbers; activations stay float
  kInteger,  // weights are integers with scales; activations are quantized to 8 bits
};

template <class F, class V>
concept BlockFormat = requires(const float* x, typename F::Params* fitted,
                               const typename F::Params& params, typename F::Block& block,
                               const typename F::Block& stored, float* y) {
  { F::template fit<V>(x, x, 1, Effort::kDefault, fitted) } -> std::same_as<void>;
  { F::template pack<V>(x, x, params, block) } -> std::same_as<void>;
  { F::decode(stored, y) } -> std::same_as<void>;
  { F::snap(x, x, params, 0, y) } -> std::same_as<void>;
  requires sizeof(typename F::Block) == F::kBytes;
  requires F::kFitBlocks >= 1 && F::kSnap >= 1;
};

inline constexpr int kChunk =
    256;  // weights that integer kernels handle between two looks at scales

// --- rows of integer formats
// ----------------------------------------------------------------------------- Such a format F
// says
//   kGroup        weights that share one scale: 16 or 32
//   kSigned       weights<> are signed bytes; otherwise 0..127
//   kHasMinimum   the value is q * d - m; otherwise m is 0
//   kZero         m is d * kZero; 0 where it is not a constant multiple of d, or 0
//   scales<V>(first block, blocks, scale, minimum)   `blocks` blocks of one chunk; scale: a lane
//   per group (8 or
//                 16 lanes); minimum: 16 lanes, one per 16 weights; lanes of missing blocks are
//                 zero
//   weights<V, j>(first block, blocks)   weights 64j .. 64j+63 of the chunk; anything where a block
//   is missing

template <class V, class F, int j, int rows>
NIBBLE_INLINE void add_dots64(const typename F::Block* const (&block)[rows], int blocks,
                              const int8_t* q, const typename V::F32 (&scale)[rows],
                              typename V::F32 (&sum)[rows]) {
  const auto activations = V::load_bytes(q + 64 * j);
  for (int r = 0; r < rows; ++r) {
    const auto weights = F::template weights<V, j>(block[r], blocks);
    const auto products =
        F::kSigned ? V::dot_ss(weights, activations) : V::dot_us(weights, activations);
    const auto factors =
        F::kGroup == 32 ? V::template spread2<j>(scale[r]) : V::template spread4<j>(scale[r]);
    sum[r] = V::fma(V::to_f32(products), factors, sum[r]);
  }
}

// Asks for what a chunk of `bytes` reads when it is its turn: the processor's own prefetching stops
// at the end of each page of 4 KiB. Weights that come from memory stream 1.4 (q6_k) to 1.6 times
// (q4_k) as fast with it. What lies behind the last row is asked for, too, and never read.
template <size_t bytes>
NIBBLE_INLINE void fetch_ahead(const void* chunk) {
  constexpr size_t kAhead = 4096;
  const char* next = static_cast<const char*>(chunk) + kAhead;
  for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(next + at);
}

// The dot products of `rows` rows of `n` weights with one row of activations: their sums do not
// wait for each other, and share what is read of the activations. The bits are those of each row
// alone.
template <class V, class F, int rows>
NIBBLE_INLINE void row_dots(const std::byte* first, int64_t row_bytes, const ActivationRow& a,
                            int64_t n, float* y) {
  typename V::F32 sum[rows], offset[rows], scale[rows];
  const typename F::Block* block[rows];
  for (int r = 0; r < rows; ++r) {
    sum[r] = offset[r] = V::zero();
    block[r] = reinterpret_cast<const typename F::Block*>(first + r * row_bytes);
  }
  for (int64_t begin = 0; begin < n; begin += kChunk) {
    const int count = static_cast<int>(n - begin < kChunk ? n - begin : kChunk);
    const int blocks = count / F::kWeights;
    const auto d8 = V::load_low8(a.d + begin / 32);
    const auto d = F::kGroup == 32 ? d8 : V::twice_low(d8);
    for (int r = 0; r < rows; ++r) {
      fetch_ahead<kChunk / F::kWeights * sizeof(typename F::Block)>(block[r]);
      auto minimum = V::zero();
      scale[r] = V::zero();
      F::template scales<V>(block[r], blocks, scale[r], minimum);
      scale[r] = V::mul(scale[r], d);
      if constexpr (F::kHasMinimum)
        offset[r] = V::fma(minimum, V::load(a.s + begin / 16), offset[r]);
    }
    const int8_t* q = a.q + begin;
    add_dots64<V, F, 0, rows>(block, blocks, q, scale, sum);
    if (count > 64) add_dots64<V, F, 1, rows>(block, blocks, q, scale, sum);
    if (count > 128) add_dots64<V, F, 2, rows>(block, blocks, q, scale, sum);
    if (count > 192) add_dots64<V, F, 3, rows>(block, blocks, q, scale, sum);
    for (int r = 0; r < rows; ++r) block[r] += kChunk / F::kWeights;
  }
  for (int r = 0; r < rows; ++r) y[r] = V::sum(V::sub(sum[r], offset[r]));
}

template <class V, class F>
NIBBLE_INLINE void row_unpack(const std::byte* row, int64_t n, const PanelRow& panel) {
  const auto* block = reinterpret_cast<const typename F::Block*>(row);
  for (int64_t begin = 0; begin < n; begin += kChunk, block += kChunk / F::kWeights) {
    const int count = static_cast<int>(n - begin < kChunk ? n - begin : kChunk);
    const int blocks = count / F::kWeights;
    auto scale = V::zero();
    auto minimum = V::zero();
    F::template scales<V>(block, blocks, scale, minimum);
    V::store(panel.d + begin / 16, F::kGroup == 32 ? V::twice_low(scale) : scale);
    V::store(panel.m + begin / 16, minimum);
    uint8_t* q = panel.q + begin;
    V::store_bytes(q, F::template weights<V, 0>(block, blocks));
    if (count > 64) V::store_bytes(q + 64, F::template weights<V, 1>(block, blocks));
    if (count > 128) V::store_bytes(q + 128, F::template weights<V, 2>(block, blocks));
    if (count > 192) V::store_bytes(q + 192, F::template weights<V, 3>(block, blocks));
  }
}

// Where the importance of weight i begins.
NIBBLE_INLINE const float* importance_at(const float* importance, int64_t i) {
  return importance == nullptr ? nullptr : importance + i;
}

template <class F>
NIBBLE_INLINE void row_decode(const std::byte* row, int64_t n, float* y) {
  const auto* block = reinterpret_cast<const typename F::Block*>(row);
  for (int64_t begin = 0; begin < n; begin += F::kWeights, ++block) F::decode(*block, y + begin);
}

}  // namespace nibble

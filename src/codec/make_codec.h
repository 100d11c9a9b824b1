// A format's row functions over one vector type. The build compiles each format for each ISA as a
// file of its own (cmake/codecs.cmake), from the rows of formats.h.
#pragma once

#include <concepts>

#include "base/numeric.h"
#include "codec/codec.h"
#include "codec/float_format.h"
#include "codec/format.h"

namespace nibble {

// A block's steps, and a row made of them.
template <class V, class F>
struct StepFunctions {
  using Params = typename F::Params;
  static void fit(const float* x, const float* importance, int blocks, Effort effort,
                  std::byte* params) noexcept {
    F::template fit<V>(x, importance, blocks, effort, reinterpret_cast<Params*>(params));
  }
  static void snap(const float* x, const float* importance, const std::byte* params, int i,
                   float* y) noexcept {
    F::snap(x, importance, *reinterpret_cast<const Params*>(params), i, y);
  }
  static void pack(const float* x, const float* importance, const std::byte* params,
                   std::byte* block) noexcept {
    F::template pack<V>(x, importance, *reinterpret_cast<const Params*>(params),
                        *reinterpret_cast<typename F::Block*>(block));
  }
  static NIBBLE_INLINE void encode(const float* x, const float* importance, int64_t n,
                                   Effort effort, std::byte* row) {
    Params params[F::kFitBlocks];
    constexpr int64_t kStep = F::kFitBlocks * F::kWeights;
    for (int64_t begin = 0; begin < n; begin += kStep) {
      const int blocks = static_cast<int>((n - begin < kStep ? n - begin : kStep) / F::kWeights);
      fit(x + begin, importance_at(importance, begin), blocks, effort,
          reinterpret_cast<std::byte*>(params));
      for (int b = 0; b < blocks; ++b, row += F::kBytes) {
        const int64_t at = begin + b * F::kWeights;
        pack(x + at, importance_at(importance, at), reinterpret_cast<const std::byte*>(params + b),
             row);
      }
    }
  }
};

template <class Block>
concept HasScale = requires(Block& block) {
  requires std::same_as<decltype(block.d), uint16_t>;
};
template <class Block>
concept HasMinimumScale = requires(Block& block) {
  block.dmin;
};
template <class Block>
concept HasMinimum = requires(Block& block) {
  block.m;
};

// Formats that have it in another form.
template <class F>
concept HasHiddenScale = requires(typename F::Block& block) {
  F::set_d(block, F::d_of(block));
};

// The same for every V, but compiled with its instructions.
template <class V, class F>
void scale_hidden(std::byte* bytes, float factor) noexcept {
  auto& block = *reinterpret_cast<typename F::Block*>(bytes);
  F::set_d(block, f16_from_f32(f32_from_f16(F::d_of(block)) * factor));
}

template <class V, class Block>
void scale_block(std::byte* bytes, float factor) noexcept {
  auto& block = *reinterpret_cast<Block*>(bytes);
  const auto scale = [=](uint16_t& h) { h = f16_from_f32(f32_from_f16(h) * factor); };
  scale(block.d);
  if constexpr (HasMinimumScale<Block>) scale(block.dmin);
  if constexpr (HasMinimum<Block>) scale(block.m);
}

template <class V, class F>
constexpr BlockSteps make_steps() {
  using Steps = StepFunctions<V, F>;
  static_assert(alignof(typename F::Params) <= 8);
  decltype(BlockSteps::scale) scale = nullptr;
  if constexpr (HasScale<typename F::Block>) scale = scale_block<V, typename F::Block>;
  if constexpr (HasHiddenScale<F>) scale = scale_hidden<V, F>;
  return {sizeof(typename F::Params),
          F::kFitBlocks,
          F::kSnap,
          Steps::fit,
          Steps::snap,
          Steps::pack,
          scale};
}

template <class V, class F>
struct RowFunctions {
  static void encode(const float* x, const float* importance, int64_t n, Effort effort,
                     std::byte* row) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_encode<V, F>(x, n, row);
    } else {
      StepFunctions<V, F>::encode(x, importance, n, effort, row);
    }
  }
  static void decode(const std::byte* row, int64_t n, float* y) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_decode<V, F>(row, n, y);
    } else {
      row_decode<F>(row, n, y);
    }
  }
  template <int rows>
  static NIBBLE_INLINE void some_dots(const std::byte* first, int64_t row_bytes,
                                      const ActivationRow& activations, int64_t n, float* y) {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_dots<V, F, rows>(first, row_bytes, activations, n, y);
    } else {
      row_dots<V, F, rows>(first, row_bytes, activations, n, y);
    }
  }
  static void dots(const std::byte* first, int64_t row_bytes, int64_t rows,
                   const ActivationRow& activations, int64_t n, float* y) noexcept {
    int64_t r = 0;
    for (; r + V::kDotRows <= rows; r += V::kDotRows)
      some_dots<V::kDotRows>(first + r * row_bytes, row_bytes, activations, n, y + r);
    for (; r < rows; ++r) some_dots<1>(first + r * row_bytes, row_bytes, activations, n, y + r);
  }
  static void unpack(const std::byte* row, int64_t n, const PanelRow& panel) noexcept {
    if constexpr (F::kDomain == Domain::kFloat) {
      float_row_unpack<V, F>(row, n, panel);
    } else {
      row_unpack<V, F>(row, n, panel);
    }
  }
};

template <class V, class F, int weights, int bytes>
constexpr Codec make_codec() {
  static_assert(BlockFormat<F, V> && F::kWeights == weights && F::kBytes == bytes);
  PanelForm panel = {};
  BlockSteps steps = {};
  if constexpr (F::kDomain == Domain::kInteger) {
    steps = make_steps<V, F>();
    panel = {F::kGroup, F::kSigned, F::kZero, F::kHasMinimum && F::kZero == 0};
  }
  using Row = RowFunctions<V, F>;
  return {F::kDomain, panel, steps, Row::encode, Row::decode, Row::dots, Row::unpack};
}

}  // namespace nibble

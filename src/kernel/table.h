// All operations compiled over one vector type. Included by table_ISA.cc only.
#pragma once

#include "kernel/attention.h"
#include "kernel/attention_block.h"
#include "kernel/gemm.h"
#include "kernel/limits.h"
#include "kernel/operations.h"
#include "kernel/row_operations.h"

namespace nibble {

extern const Operations kOperations_scalar;
extern const Operations kOperations_avx2;
extern const Operations kOperations_avx512;

template <class V>
void attend_f16(const AttentionHeads<uint16_t>& heads) noexcept {
  attend<V>(heads);
}
template <class V>
void attend_f32(const AttentionHeads<float>& heads) noexcept {
  attend<V>(heads);
}

template <class V>
constexpr Operations make_operations() {
  return {quantize<V>,
          rms_norm<V>,
          silu_multiply<V>,
          add<V>,
          attend_f16<V>,
          attend_f32<V>,
          attend_block<V>,
          to_f16<V>,
          to_f32<V>,
          log_sum_exp<V>,
          make_panel<V>,
          V::kPanelZero,
          gemm<V>,
          multiply_ones<V, IntegerProducts>,
          multiply_ones<V, FloatProducts>,
          read_words<V>};
}

}  // namespace nibble

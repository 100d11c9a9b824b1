// All operations compiled over one vector type. Included by table_ISA.cc only.
#pragma once

#include "kernel/attention.h"
#include "kernel/attention_block.h"
#include "kernel/dense.h"
#include "kernel/gemm.h"
#include "kernel/limits.h"
#include "kernel/nonlinear_rows.h"
#include "kernel/operations.h"
#include "kernel/row_operations.h"

namespace nibble {

extern const Operations kOperations_scalar;
extern const Operations kOperations_avx2;
extern const Operations kOperations_avxvnni;
extern const Operations kOperations_avx512;
extern const Operations kOperations_neon;
extern const Operations kOperations_i8mm;

template <class V, class Elements>
constexpr KvReader make_kv_reader() {
  return {score<V, Elements>, add_values<V, Elements>, decode_keys<V, Elements>,
          decode_value<V, Elements>};
}

template <class V>
constexpr Operations make_operations() {
  return {quantize<V>,
          rms_norm<V>,
          silu_multiply<V>,
          layer_norm<V>,
          apply<V>,
          soft_cap<V>,
          add<V>,
          attend<V>,
          attend_block<V>,
          // in the order of kKvTypes
          {make_kv_reader<V, FloatElements<V, F32>>(), make_kv_reader<V, FloatElements<V, F16>>(),
           make_kv_reader<V, FloatElements<V, BF16>>(), make_kv_reader<V, Q8Elements<V>>(),
           make_kv_reader<V, Q4Elements<V>>()},
          log_sum_exp<V>,
          largest<V>,
          sum_exp<V>,
          divergence<V>,
          make_panel<V>,
          V::kPanelZero,
          gemm<V>,
          add_products<FloatLane<V>>,
          add_products<DoubleLane<V>>,
          multiply_ones<V, IntegerProducts>,
          multiply_ones<V, FloatProducts>,
          read_words<V>};
}

}  // namespace nibble

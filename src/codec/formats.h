// THE list of formats: one line each. The enum, names, sizes, codec tables of every ISA, CLI names,
// recipes and the typed tests all come from it. Ids and sizes are GGUF's (ggml type ids); `Struct`
// is the format's own header's codec, which static_asserts the sizes again.
//
//      enumerator  id  name     Struct  weights  bytes   shape fallback: taken when a row is no
//      multiple of `weights`
#pragma once

#include "nibble/dtype.h"

// clang-format off
#define NIBBLE_FORMATS(X)                                 \
  X(kF32,      0, "f32",     F32,       1,   4, kF32)     \
  X(kF16,      1, "f16",     F16,       1,   2, kF16)     \
  X(kBF16,    30, "bf16",    BF16,      1,   2, kBF16)    \
  X(kQ8_0,     8, "q8_0",    Q8_0,     32,  34, kF16)     \
  X(kQ4_0,     2, "q4_0",    Q4_0,     32,  18, kF16)     \
  X(kQ4_1,     3, "q4_1",    Q4_1,     32,  20, kF16)     \
  X(kQ5_0,     6, "q5_0",    Q5_0,     32,  22, kF16)     \
  X(kQ5_1,     7, "q5_1",    Q5_1,     32,  24, kF16)     \
  X(kQ2_K,    10, "q2_k",    Q2_K,    256,  84, kIQ4_NL)  \
  X(kQ3_K,    11, "q3_k",    Q3_K,    256, 110, kIQ4_NL)  \
  X(kQ4_K,    12, "q4_k",    Q4_K,    256, 144, kQ5_0)    \
  X(kQ5_K,    13, "q5_k",    Q5_K,    256, 176, kQ5_1)    \
  X(kQ6_K,    14, "q6_k",    Q6_K,    256, 210, kQ8_0)    \
  X(kIQ1_S,   19, "iq1_s",   IQ1_S,   256,  50, kIQ4_NL)  \
  X(kIQ1_M,   29, "iq1_m",   IQ1_M,   256,  56, kIQ4_NL)  \
  X(kIQ2_XXS, 16, "iq2_xxs", IQ2_XXS, 256,  66, kIQ4_NL)  \
  X(kIQ2_XS,  17, "iq2_xs",  IQ2_XS,  256,  74, kIQ4_NL)  \
  X(kIQ2_S,   22, "iq2_s",   IQ2_S,   256,  82, kIQ4_NL)  \
  X(kIQ3_XXS, 18, "iq3_xxs", IQ3_XXS, 256,  98, kIQ4_NL)  \
  X(kIQ3_S,   21, "iq3_s",   IQ3_S,   256, 110, kIQ4_NL)  \
  X(kIQ4_NL,  20, "iq4_nl",  IQ4_NL,   32,  18, kF16)     \
  X(kIQ4_XS,  23, "iq4_xs",  IQ4_XS,  256, 136, kIQ4_NL)  \
  X(kTQ1_0,   34, "tq1_0",   TQ1_0,   256,  54, kQ4_0)    \
  X(kTQ2_0,   35, "tq2_0",   TQ2_0,   256,  66, kQ4_0)    \
  X(kMXFP4,   39, "mxfp4",   MXFP4,    32,  17, kF16)     \
  X(kNVFP4,   40, "nvfp4",   NVFP4,    64,  36, kF16)     \
  X(kQ1_0,    41, "q1_0",    Q1_0,    128,  18, kF16)     \
  X(kQ2_0,    42, "q2_0",    Q2_0,     64,  18, kQ4_0)
// clang-format on

namespace nibble {

enum class DType : uint32_t {
#define NIBBLE_ROW(enumerator, id, name, type, weights, bytes, fallback) enumerator = id,
  NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
};

// The format's place in the list.
constexpr int format_index(DType type) {
  int index = 0;
#define NIBBLE_ROW(enumerator, id, name, type_, weights, bytes, fallback) \
  if (type == DType::enumerator) return index;                            \
  ++index;
  NIBBLE_FORMATS(NIBBLE_ROW)
#undef NIBBLE_ROW
  return index;
}

// The type that a row of `columns` weights gets when `type` was asked for: the format itself or the
// first of its chain of fallbacks whose block divides the row (as llama.cpp does).
DType dtype_for_columns(DType type, uint64_t columns);

}  // namespace nibble

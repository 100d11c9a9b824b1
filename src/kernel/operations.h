// The arithmetic of a forward pass on rows of floats, compiled once per ISA; operations() is the
// table in use. Every operation gives the same bits on every ISA. All are noexcept; lengths are
// positive.
#pragma once

#include <cstdint>

#include "codec/format.h"
#include "simd/isa.h"

namespace nibble {

// One query head over the cached keys and values of its group. Cached rows lie `stride` elements
// apart.
template <class Element>
struct AttentionHead {
  const float* query;     // head_dim, not yet scaled
  const Element* keys;    // positions x head_dim
  const Element* values;  // positions x head_dim
  int64_t stride;
  int64_t positions;  // how many the query may see, >= 1
  int64_t head_dim;
  float scale;    // of the scores, usually 1 / sqrt(head_dim)
  float* scores;  // scratch: positions floats, rounded up to a multiple of 16
  float* output;  // head_dim
};

struct Operations {
  // x[n] as 8-bit activations (codec/format.h ActivationRow): fills q, d, s and their zero padding
  // up to a multiple of 256.
  void (*quantize)(const float* x, int64_t n, int8_t* q, float* d, float* s) noexcept;

  // y = x / rms(x) * weight, rms(x) = sqrt(mean(x^2) + epsilon)          (RMSNorm,
  // arXiv:1910.07467)
  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t n,
                   float* y) noexcept;

  // gate = silu(gate) * up, silu(x) = x / (1 + e^-x)                     (SwiGLU, arXiv:2002.05202)
  void (*silu_multiply)(float* gate, const float* up, int64_t n) noexcept;

  void (*add)(float* x, const float* y, int64_t n) noexcept;  // x += y

  // softmax(query keys^T * scale) values
  void (*attend_f16)(const AttentionHead<uint16_t>& head) noexcept;
  void (*attend_f32)(const AttentionHead<float>& head) noexcept;
  void (*to_f16)(const float* x, int64_t n, uint16_t* y) noexcept;

  // log(sum(e^x)), without overflow
  float (*log_sum_exp)(const float* x, int64_t n) noexcept;

  // y[column * y_stride + row] = panel[row] . activations[column], with the same bits as
  // Codec::dot.
  void (*gemm_float)(const PanelRow* panel, int rows, const ActivationRow* activations,
                     int64_t columns, int64_t n, float* y, int64_t y_stride) noexcept;
  void (*gemm_unsigned)(const PanelRow* panel, int rows, const ActivationRow* activations,
                        int64_t columns, int64_t n, float* y, int64_t y_stride) noexcept;
  void (*gemm_signed)(const PanelRow* panel, int rows, const ActivationRow* activations,
                      int64_t columns, int64_t n, float* y, int64_t y_stride) noexcept;
};

const Operations& operations();         // of active_isa()
const Operations& operations(Isa isa);  // isa must be available

}  // namespace nibble

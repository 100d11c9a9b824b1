// The arithmetic of a forward pass on rows of floats, compiled once per ISA; operations() is the
// table in use. Every operation gives the same bits on every ISA. All are noexcept; lengths are
// positive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "codec/format.h"
#include "kernel/kv_layout.h"
#include "kernel/nonlinearity.h"
#include "kernel/panel.h"
#include "simd/isa.h"

namespace nibble {

inline constexpr int kAttentionHeads = 8;            // query heads that are scored together
inline constexpr int64_t kAttentionPositions = 256;  // of a block of online softmax
inline constexpr float kNoScore = -1e30f;  // below every score, and its differences are finite

struct AttentionHeads;

// How cached keys and values of one type are read (kv_layout.h).
struct KvReader {
  // weights[h][i] = queries[h] . key of position at + i, for i < count; at is a multiple of 16.
  void (*score)(const AttentionHeads& heads, int64_t at, int64_t count) noexcept;
  // output[h] = output[h] * factors[h] + the sum over i < count of weights[h][i] * value of
  // position at + i
  void (*add_values)(const AttentionHeads& heads, int64_t at, int64_t count,
                     const float* factors) noexcept;
  void (*decode_keys)(const std::byte* keys, int64_t head_dim, float* x) noexcept;  // [dim][16]
  void (*decode_value)(const std::byte* value, int64_t head_dim, float* x) noexcept;
};

// Query heads of one token over the cached keys and values that they share.
struct AttentionHeads {
  const float* queries;        // [count][head_dim], scaled
  const std::byte* keys;       // of a head
  const std::byte* values;     // likewise
  int64_t key_row, value_row;  // bytes of a position
  const KvReader *key_reader, *value_reader;
  int64_t positions;  // how many the token may see, >= 1
  int64_t head_dim;
  int count;          // at most kAttentionHeads
  float* weights;     // scratch: [kAttentionHeads][kAttentionPositions]
  float* output;      // [count][head_dim]
  int64_t first = 0;  // positions before this one are not seen
  float softcap = 0;  // scores become softcap * tanh(score / softcap); 0: they stay
  // To scores is added slope * (position - the token's): ALiBi (arXiv:2108.12409). nullptr: nothing
  const float* slopes = nullptr;  // [count]
  // One more score for each head, which has no value: attention to nothing. nullptr: none
  const float* sinks = nullptr;  // [count]
};

inline constexpr int kAttentionTile = 8;  // positions or dimensions of a tile

// 32 queries over a block of positions, and what they have summed up over those before.
struct AttentionBlock {
  const float* queries;  // [2][head_dim][16], scaled
  const float* keys;     // [positions / 8][head_dim][8]
  const float* values;   // [head_dim / 8, rounded up][positions][8]
  const float* visible;  // [32]: each query sees the positions of the block before this one
  int64_t positions;     // a multiple of 8
  int64_t head_dim;
  float* scores;   // scratch: positions x 32
  float* weights;  // scratch: positions x 32
  float* largest;  // [32] score so far, at first lower than all
  float* total;    // [16][32] sums of e^(score - largest) over every 16th position, at first 0
  float* output;   // [head_dim, rounded up to 8][32] the same sum over the values, at first 0
  const float* hidden =
      nullptr;        // [32]: positions of the block before this one are not seen; nullptr: all
  float softcap = 0;  // as above
  const float* slopes = nullptr;  // [32], as above
  const float* behind = nullptr;  // [32]: the block's first position less the query's, with slopes
};

// Over n pairs of floats, of their differences to shifts a = p - p_shift and b = q - q_shift.
struct DivergenceSums {
  double p;           // sum of e^a
  double q;           // sum of e^b
  double difference;  // sum of e^a (a - b)
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

  // y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias      (arXiv:1607.06450)
  // Without weight or bias (nullptr): without what it does.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float epsilon,
                     int64_t n, float* y) noexcept;

  // x = f(x) * gated, or f(x) where nothing is gated (nullptr)
  void (*apply)(Nonlinearity f, float* x, const float* gated, int64_t n) noexcept;

  void (*soft_cap)(float* x, int64_t n, float cap) noexcept;  // x = cap * tanh(x / cap)

  void (*add)(float* x, const float* y, int64_t n) noexcept;  // x += y

  // softmax(queries keys^T) values
  void (*attend)(const AttentionHeads& heads) noexcept;
  void (*attend_block)(const AttentionBlock& block) noexcept;
  KvReader kv_readers[std::size(kKvTypes)];
  const KvReader& kv_reader(DType type) const {
    size_t i = 0;
    while (kKvTypes[i] != type) ++i;
    return kv_readers[i];
  }

  // log(sum(e^x)), without overflow
  float (*log_sum_exp)(const float* x, int64_t n) noexcept;

  // What distributions are compared by, with sums in double: the largest of n floats, the sum of
  // e^(x - shift), and both sums and the divergence of two rows in one pass. e^x below x = -87 is
  // e^-87.
  float (*largest)(const float* x, int64_t n) noexcept;
  double (*sum_exp)(const float* x, int64_t n, float shift) noexcept;
  DivergenceSums (*divergence)(const float* p, const float* q, int64_t n, float p_shift,
                               float q_shift) noexcept;

  // A panel from the rows of 16 weight rows; n is padded to 256 (float formats: 16). form is
  // nullptr for float formats.
  void (*make_panel)(const PanelRow* rows, const PanelForm* form, int64_t n,
                     const WeightPanel& panel) noexcept;
  int panel_zero;  // what signed weights are increased by in panels

  // y[column * y_stride + row] = the sum over n of pairs of panels, `rows` rows in all, times the
  // tiles' columns. Rounded once a group: fma(product * d of the weights, d of the activations,
  // sum), then fma(m, s, sum).
  void (*gemm)(const WeightPanel* panels, const PanelForm* form, int rows,
               const ActivationTile* tiles, int64_t count, int64_t n, float* y,
               int64_t y_stride) noexcept;

  // c[i][k] += the sum over j < depth, in its order, of a[j][i] * b[j][k], for i < rows and k <
  // columns, a multiple of 16; rows of the three begin a_row, b_row and c_row numbers apart.
  void (*add_products)(const float* a, int64_t a_row, const float* b, int64_t b_row, int64_t depth,
                       float* c, int64_t c_row, int64_t rows, int64_t columns) noexcept;
  void (*add_double_products)(const double* a, int64_t a_row, const double* b, int64_t b_row,
                              int64_t depth, double* c, int64_t c_row, int64_t rows,
                              int64_t columns) noexcept;

  // What is timed to learn the machine's limits (kernel/limits.h): how many products were made,
  // always the same number a round, and which bits of 64 are set anywhere.
  int64_t (*multiply_integers)(int64_t rounds) noexcept;
  int64_t (*multiply_floats)(int64_t rounds) noexcept;
  uint64_t (*read_words)(const std::byte* from, int64_t bytes) noexcept;  // bytes: 512 times any
};

const Operations& operations();         // of active_isa()
const Operations& operations(Isa isa);  // isa must be available

}  // namespace nibble

// Rotary position embedding (RoFormer, arXiv:2104.09864), in GGUF's order for Llama: the pair i of
// a head is its elements 2i and 2i + 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nibble {

class Rope {
 public:
  // dimensions: how many elements of each head turn (even, <= head size). The angle of pair i at
  // position p is p * position_scale * base^(-2i / dimensions) / factors[i]; no factors means 1
  // (they hold llama3's scaling).
  Rope(int64_t dimensions, double base, double position_scale, std::span<const float> factors);

  // Cosines and sines of one position, dimensions() floats: cos, sin of pair 0, of pair 1, ...
  void angles(int64_t position, float* cos_sin) const;
  int64_t dimensions() const { return 2 * static_cast<int64_t>(frequencies_.size()); }

  // Turns the heads of one row in place. cos_sin comes from angles().
  static void turn(const float* cos_sin, int64_t dimensions, float* x, int64_t heads,
                   int64_t head_dim);

 private:
  std::vector<float> frequencies_;  // radians per position
};

}  // namespace nibble

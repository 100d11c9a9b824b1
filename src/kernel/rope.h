// Rotary position embedding (RoFormer, arXiv:2104.09864).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nibble {

// Which elements of a head are its pair i.
enum class RopePairs : uint8_t {
  kNeighbours,  // 2i and 2i + 1: GGUF's order for Llama
  kHalves,      // i and i + dimensions / 2: GPT-NeoX's
};

class Rope {
 public:
  // dimensions: how many elements of each head turn, the first ones (even, <= head size). The angle
  // of pair i at position p is p * position_scale * base^(-2i / dimensions) / factors[i]; no
  // factors means 1 (they hold the scalings of llama3, YaRN and LongRoPE). What turns grows by
  // `magnitude`.
  Rope(int64_t dimensions, double base, double position_scale, std::span<const float> factors,
       RopePairs pairs = RopePairs::kNeighbours, float magnitude = 1.0f);

  // Cosines and sines of one position, dimensions() floats: cos, sin of pair 0, of pair 1, ...
  void angles(int64_t position, float* cos_sin) const;
  // Of a turn by so many positions of what grew already.
  void angles_of_shift(int64_t positions, float* cos_sin) const;
  int64_t dimensions() const { return 2 * static_cast<int64_t>(frequencies_.size()); }
  RopePairs pairs() const { return pairs_; }

  // Turns the heads of one row in place. cos_sin comes from angles().
  static void turn(const float* cos_sin, int64_t dimensions, float* x, int64_t heads,
                   int64_t head_dim, RopePairs pairs = RopePairs::kNeighbours);

 private:
  void angles(int64_t position, double magnitude, float* cos_sin) const;

  RopePairs pairs_;
  float magnitude_;
  std::vector<float> frequencies_;  // radians per position
};

}  // namespace nibble

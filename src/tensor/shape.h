// The shape of a tensor in GGUF's order: dims[0] is the number of columns (consecutive weights),
// unused dimensions are 1. A PyTorch weight [out, in] has dims {in, out}.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace nibble {

struct Shape {
  static constexpr int kMaxRank = 4;
  std::array<uint64_t, kMaxRank> dims{1, 1, 1, 1};
  int rank = 0;

  uint64_t columns() const { return dims[0]; }
  uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
  uint64_t count() const { return columns() * rows(); }
  bool operator==(const Shape&) const = default;
};

// The product of all dimensions fits 63 bits, so that columns(), rows() and count() cannot wrap
// around.
bool shape_is_countable(const Shape& shape);

std::string to_string(const Shape& shape);  // "256 x 4096"

}  // namespace nibble

#include "tensor/shape.h"

#include <algorithm>

#include "base/checked.h"

namespace nibble {

bool shape_is_countable(const Shape& shape) {
  // Every partial product must fit, whatever the order and even if another dimension is 0.
  uint64_t product = 1;
  for (const uint64_t dim : shape.dims) {
    const auto next = checked_mul(product, std::max<uint64_t>(dim, 1));
    if (!next || *next > INT64_MAX) return false;
    product = *next;
  }
  return true;
}

std::string to_string(const Shape& shape) {
  std::string text;
  for (int i = 0; i < shape.rank; ++i) {
    if (i > 0) text += " x ";
    text += std::to_string(shape.dims[static_cast<size_t>(i)]);
  }
  return text.empty() ? "scalar" : text;
}

}  // namespace nibble

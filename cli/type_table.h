// How many tensors and bytes each type has, the largest share first.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nibble/dtype.h"

namespace nibble::cli {

class TypeTable {
 public:
  // `loss`: in nats a token, where it is known; of all tensors or of none.
  void add(DType type, uint64_t bytes, std::optional<double> loss = std::nullopt);
  void print() const;

 private:
  struct Share {
    DType type;
    size_t tensors = 0;
    uint64_t bytes = 0;
    std::optional<double> loss = std::nullopt;
  };
  std::vector<Share> shares_;
};

}  // namespace nibble::cli

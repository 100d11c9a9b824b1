// The pieces that a source is worked through in. They depend on source and plan alone, so that what
// one process has done another can go on with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "tensor/source.h"

namespace nibble {

struct Piece {
  size_t tensor;  // of the plan
  uint64_t first_row;
  uint64_t rows;
};

// All rows of all planned tensors, in order: at most kPieceBytes as the source stores them, or one
// row that has more.
constexpr uint64_t kPieceBytes = 1 << 20;
std::vector<Piece> cut_into_pieces(const std::vector<TensorInfo>& source,
                                   const std::vector<PlannedTensor>& plan);

}  // namespace nibble

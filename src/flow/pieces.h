// The pieces that a source is worked through in. They depend on source and plan alone, so that what
// one process has done another can go on with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/sha256.h"
#include "flow/encode_rows.h"
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

// Reads a piece, rows of source.tensors()[tensor], `step` rows at a time and calls
// use(first row, count) while `rows` holds them. Their stored bytes go into `hash`, if there is
// one.
template <class Use>
void for_rows_of(const Piece& piece, const TensorSource& source, size_t tensor, uint64_t step,
                 RowEncoder& rows, Sha256* hash, const Use& use) {
  const uint64_t end = piece.first_row + piece.rows;
  for (uint64_t row = piece.first_row; row < end; row += step) {
    const uint64_t count = std::min(step, end - row);
    rows.read(source, tensor, row, count);
    if (hash != nullptr) hash->update(rows.stored());
    use(row, count);
  }
}

}  // namespace nibble

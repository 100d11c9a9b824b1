#include "flow/pieces.h"

#include <algorithm>

namespace nibble {

std::vector<Piece> cut_into_pieces(const std::vector<TensorInfo>& source,
                                   const std::vector<PlannedTensor>& plan) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < plan.size(); ++i) {
    const TensorInfo& tensor = source[plan[i].source_index];
    const uint64_t rows = tensor.shape.rows();
    const uint64_t step = std::clamp<uint64_t>(kPieceBytes / tensor.row_bytes(), 1, rows);
    for (uint64_t first = 0; first < rows; first += step) {
      pieces.push_back({i, first, std::min(step, rows - first)});
    }
  }
  return pieces;
}

}  // namespace nibble

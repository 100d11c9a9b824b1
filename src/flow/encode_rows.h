// The step that every conversion takes: rows of a source, as floats, into rows of other types.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "nibble/effort.h"
#include "quant/error_feedback.h"
#include "quant/gain.h"
#include "tensor/source.h"

namespace nibble {

// How the rows of one tensor are encoded, whatever their type.
struct RowEncoding {
  // One value for each column of each matrix of the tensor (an expert's after another's), or empty:
  // all columns alike.
  std::span<const float> importance = {};
  Effort effort = Effort::kDefault;
  // What error feedback knows of each matrix, or empty: rows are rounded without it, as are those
  // of a matrix that has none.
  std::span<const std::optional<FeedbackFactor>> feedback = {};
};

// The buffers of one thread.
class RowEncoder {
 public:
  // Reads rows [first, first + count) of source.tensors()[tensor] as floats. Errors: those of
  // reading; kInvalidFile for a weight that is not a number or infinite, naming tensor and index.
  void read(const TensorSource& source, size_t tensor, uint64_t first, uint64_t count);

  // The rows that were read: as floats, as they are stored, and in another type (until the next
  // call); rows that have the type already come as they are. Error kInvalidFile for a weight beyond
  // the type's reach: 65504 where numbers or scales are f16, 2688 for nvfp4.
  std::span<const float> weights() const { return x_; }
  std::span<const std::byte> stored() const { return stored_; }
  std::span<const std::byte> encode(DType type, const RowEncoding& encoding);

 private:
  const TensorInfo* info_ = nullptr;
  uint64_t first_ = 0;
  uint64_t count_ = 0;
  std::vector<std::byte> stored_;
  std::vector<float> x_;
  float largest_ = 0.0f;  // of |x_|
  // Rows [first, first + count) of those that were read, all of one matrix.
  void encode_alone(DType type, const float* importance, uint64_t first, uint64_t count,
                    Effort effort);
  const float* weighed_by_size(const float* importance, const float* x);
  void encode_with_feedback(DType type, const FeedbackFactor& factor, uint64_t first,
                            uint64_t count, Effort effort);

  std::vector<std::byte> encoded_;
  std::vector<float> weighed_;    // importance of a row's weights
  std::vector<float> corrected_;  // rows that feedback has changed
  FeedbackEncoder feedback_;
  GainRestorer gain_;
};

// Bytes of buffers that one row of the tensor takes when it is encoded to `types`.
uint64_t row_buffer_bytes(const TensorInfo& tensor, std::span<const DType> types);

// Rows of the tensor that fit a core's caches as a RowEncoder works on them, or that feedback works
// on together: more rows at once are not faster.
uint64_t rows_at_once(const TensorInfo& tensor, bool has_feedback = false);

}  // namespace nibble

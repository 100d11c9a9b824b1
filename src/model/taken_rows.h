// Which rows of a checkpoint's tensor become a tensor of GGUF, and in which order: what Take
// (checkpoint_names.h) means, and the order of rows that turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/checkpoint_names.h"
#include "tensor/source.h"

namespace nibble {

// The stored row that a row is. Of a vector, and of biases that lie side by side, elements stand
// for rows.
using RowMap = std::function<uint64_t(uint64_t)>;

struct TakenRows {
  uint64_t count;  // in all
  RowMap row;      // none: the same
};

// What matters about the model.
struct RowOptions {
  uint64_t heads = 0, kv_heads = 0;
  uint64_t value_rows = 0;   // of each head, where a matrix makes keys and values
  bool permutes_qk = false;  // see Arch
  std::string origin = {};   // what messages call the checkpoint
};

// Error kInvalidFile for rows that cannot be divided as it takes.
TakenRows rows_taken(const TensorInfo& stored, const CheckpointPlace& from,
                     const RowOptions& options);

[[noreturn]] void fail_to_divide(const TensorInfo& stored, const std::string& into,
                                 const std::string& origin);

}  // namespace nibble

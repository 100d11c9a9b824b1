// How Hugging Face checkpoints name tensors, and what of each becomes which of GGUF's. Families
// have names of their own (Arch::names); most share the ones here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/roles.h"

namespace nibble {

// Which rows of a checkpoint's tensor a tensor of GGUF has, and in which order. A group is a head
// of keys and the query heads that share it.
enum class Take : uint8_t {
  kAll,
  kTransposed,      // columns become rows, of the matrix or of each expert's
  kTransposedEven,  // every second column from the first one on, likewise
  kTransposedOdd,   // from the second one on
  kFirstHalf,       // of the matrix, or of each expert's
  kSecondHalf,      // likewise
  kEvenRows,        // likewise
  kOddRows,         // likewise
  kGroups,          // of groups that hold queries, key and value: all queries, all keys, all values
  kGroupQueries,    // of such groups
  kGroupKeys,
  kGroupValues,
  kHeadKeys,    // of heads' keys and values: each head's key, columns becoming rows
  kHeadValues,  // each head's value
};

// Rows come as they are stored, in whatever type.
constexpr bool takes_whole_rows(Take take) {
  return take != Take::kTransposed && take != Take::kTransposedEven &&
         take != Take::kTransposedOdd && take != Take::kHeadKeys;
}

struct CheckpointName {
  // What stands between "model.layers.N." (or the like) and ".weight" or ".bias". The number of an
  // expert stands in place of *.
  std::string_view hf;
  Role role;
  Take take = Take::kAll;
  bool is_bias = false;  // though its name does not end with ".bias"
};

// A tensor of GGUF, or the part of it that belongs to an expert, that a checkpoint's tensor holds.
struct CheckpointPlace {
  TensorPlace place;
  std::optional<uint64_t> expert = std::nullopt;
  Take take = Take::kAll;
  bool operator==(const CheckpointPlace&) const = default;
};

// Fused tensors hold several. `own`: Arch::names; a name that is there has no other meaning. None:
// the name is not known.
std::vector<CheckpointPlace> places_from_hf_name(std::string_view name,
                                                 std::span<const CheckpointName> own = {});

}  // namespace nibble

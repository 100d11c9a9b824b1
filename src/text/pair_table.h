// A hash table from pairs of numbers, made once and then searched for every pair of neighbours of a
// text: merges by the tokens that they take, edges of a trie by node and byte.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nibble {

// Value: default is "not there", which is_none() tells.
template <class Value>
class PairTable {
 public:
  explicit PairTable(size_t count = 0)
      : slots_(std::bit_ceil(count * 2 + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

  // No more pairs than the constructor was told. Of equal ones the last counts.
  void insert(uint32_t left, uint32_t right, Value value) {
    slots_[place_of(left, right)] = {left, right, value};
  }

  Value find(uint32_t left, uint32_t right) const { return slots_[place_of(left, right)].value; }

 private:
  struct Slot {
    uint32_t left = 0, right = 0;
    Value value;
  };

  size_t place_of(uint32_t left, uint32_t right) const {
    const uint64_t key = uint64_t{left} << 32 | right;
    size_t place = key * 0x9e3779b97f4a7c15 >> shift_;
    while (!slots_[place].value.is_none() &&
           (slots_[place].left != left || slots_[place].right != right)) {
      place = (place + 1) & (slots_.size() - 1);
    }
    return place;
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace nibble

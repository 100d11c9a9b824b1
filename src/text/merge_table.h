// Which pairs of tokens a byte-pair encoding merges, by rank: a hash table made once and searched
// for every pair of neighbours.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nibble {

class MergeTable {
 public:
  static constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();

  struct Merge {
    uint32_t rank = kNoRank;  // the lowest is merged first
    uint32_t id = 0;          // what the pair becomes
  };

  MergeTable() : MergeTable(0) {}
  explicit MergeTable(size_t count)
      : slots_(std::bit_ceil(count * 2 + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

  // No more than the constructor was told. Of equal pairs the last counts.
  void insert(uint32_t left, uint32_t right, Merge merge) {
    Slot& slot = slots_[place_of(left, right)];
    slot = {left, right, merge};
  }

  // rank kNoRank: the pair is not merged.
  Merge find(uint32_t left, uint32_t right) const { return slots_[place_of(left, right)].merge; }

 private:
  struct Slot {
    uint32_t left = 0, right = 0;
    Merge merge;
  };

  size_t place_of(uint32_t left, uint32_t right) const {
    const uint64_t key = uint64_t{left} << 32 | right;
    size_t place = key * 0x9e3779b97f4a7c15 >> shift_;
    while (slots_[place].merge.rank != kNoRank &&
           (slots_[place].left != left || slots_[place].right != right)) {
      place = (place + 1) & (slots_.size() - 1);
    }
    return place;
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace nibble

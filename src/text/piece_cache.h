// Ids of pieces of text that came before: words repeat. Each piece has one place, where the next
// one with that place replaces it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace nibble {

class PieceCache {
 public:
  static constexpr size_t kMaxBytes = 28;
  static constexpr size_t kMaxIds = 8;

  // The place of a piece of at most kMaxBytes.
  struct Entry {
    std::array<char, kMaxBytes> bytes{};
    uint8_t size = 0;  // 0: free
    uint8_t count = 0;
    std::array<uint32_t, kMaxIds> ids{};

    bool holds(std::string_view piece) const {
      return size == piece.size() && std::memcmp(bytes.data(), piece.data(), size) == 0;
    }
    void store(std::string_view piece, std::span<const uint32_t> found) {
      if (found.size() > kMaxIds) return;
      std::memcpy(bytes.data(), piece.data(), piece.size());
      size = static_cast<uint8_t>(piece.size());
      count = static_cast<uint8_t>(found.size());
      std::ranges::copy(found, ids.begin());
    }
  };

  // Short texts are not worth the memory.
  void prepare(size_t text_bytes) {
    if (text_bytes > kPlaces && entries_.empty()) entries_.resize(kPlaces);
  }

  // nullptr: there is no place for it.
  Entry* find(std::string_view piece) {
    if (entries_.empty() || piece.size() > kMaxBytes || piece.empty()) return nullptr;
    return &entries_[hash(piece) >> (64 - kBits)];
  }

 private:
  static constexpr int kBits = 15;
  static constexpr size_t kPlaces = size_t{1} << kBits;

  static uint64_t hash(std::string_view piece) {
    uint64_t result = piece.size() * 0x9e3779b97f4a7c15;
    for (; piece.size() >= 8; piece.remove_prefix(8)) result = mix(result, piece, 8);
    return mix(result, piece, piece.size());
  }
  static uint64_t mix(uint64_t state, std::string_view piece, size_t count) {
    uint64_t word = 0;
    std::memcpy(&word, piece.data(), count);
    state = (state ^ word) * 0x9fb21c651e98df25;
    return state ^ state >> 29;
  }

  std::vector<Entry> entries_;
};

}  // namespace nibble

// XXH64 by Yann Collet with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): a checksum at
// memory speed that finds accidents, not attacks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nibble {

class Xxh64 {
 public:
  Xxh64();

  void update(std::span<const std::byte> bytes);
  uint64_t finish() const;  // of everything so far

 private:
  static constexpr size_t kStripe = 32;

  void mix_stripe(const std::byte* stripe);

  std::array<uint64_t, 4> lanes_;
  std::array<std::byte, kStripe> rest_{};  // the last size_ % kStripe bytes
  uint64_t size_ = 0;
};

uint64_t xxh64(std::span<const std::byte> bytes);

}  // namespace nibble

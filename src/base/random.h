// Random numbers that are the same on every machine for a seed: xoshiro256** 1.0 by David Blackman
// and Sebastiano Vigna ("Scrambled linear pseudorandom number generators", 2021;
// prng.di.unimi.it), its state filled by splitmix64 as they advise. The standard library's
// distributions are left to each implementation, so there are none here.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace nibble {

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

class Random {
 public:
  explicit Random(uint64_t seed) {
    SplitMix64 filler(seed);
    for (uint64_t& word : state_) word = filler.next();
  }
  // The state itself; not all zero.
  explicit Random(const std::array<uint64_t, 4>& state) : state_(state) {}

  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, 1): a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace nibble

// SPDX-License-Identifier: MIT
// xoshiro256** seeded by splitmix64 (Blackman and Vigna, public domain algorithms): the generator of synthetic
// traces. Written out here because the distributions of <random> differ between standard libraries.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace smmusim::trace {

class Xoshiro256 {
 public:
  explicit Xoshiro256(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in 0 .. bound-1 without bias; bound is at least 1.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t reject_under = (std::uint64_t{0} - bound) % bound;
    for (;;) {
      const std::uint64_t value = next();
      if (value >= reject_under) return value % bound;
    }
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace smmusim::trace

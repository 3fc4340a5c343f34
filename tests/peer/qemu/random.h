// SPDX-License-Identifier: MIT
// Random numbers of the case generator: splitmix64, the same everywhere.
#pragma once

#include <cstdint>

namespace smmusim::peer {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  /// Uniform in [0, count); count must not be 0.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  unsigned between(unsigned low, unsigned high) { return low + static_cast<unsigned>(below(high - low + 1)); }
  bool percent(unsigned chance) { return below(100) < chance; }
  bool permille(unsigned chance) { return below(1000) < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace smmusim::peer

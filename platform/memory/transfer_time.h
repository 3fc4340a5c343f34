// SPDX-License-Identifier: MIT
// How long bytes occupy a channel. Integers only, so that every machine gets the same picoseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/sim/engine.h"

namespace smmusim {

/// Picoseconds that bytes take on a channel which carries `denominator` bytes in `numerator` ps, rounded up.
class TransferRate {
 public:
  /// A denominator of 0: no limit.
  constexpr TransferRate(std::uint64_t numerator, std::uint64_t denominator)
      : numerator_(numerator), denominator_(denominator) {
    for (std::size_t bytes = 0; bytes != short_.size(); ++bytes) short_[bytes] = divide(bytes);
  }
  constexpr Time time_of(std::uint64_t bytes) const { return bytes < short_.size() ? short_[bytes] : divide(bytes); }

 private:
  constexpr Time divide(std::uint64_t bytes) const {
    return denominator_ == 0 ? 0 : (bytes * numerator_ + denominator_ - 1) / denominator_;
  }

  std::uint64_t numerator_;
  std::uint64_t denominator_;
  std::array<Time, 128> short_{};  // of most transfers: a division is dear
};

/// The rate of `gbit_per_s` gigabits (10^9 bits) a second; 0: no limit.
constexpr TransferRate rate_of_gbit(std::uint64_t gbit_per_s) {
  return TransferRate(8000, gbit_per_s);
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// LatencyHistogram: counts of times in picoseconds, in log-linear buckets: exact below 64 ps, above within 1/64 of
// the value (1.6 %). Count, sum, minimum and maximum are exact. Integers only, so every machine gets the same.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/sim/engine.h"

namespace smmusim {

class LatencyHistogram {
 public:
  void add(Time value);
  void add(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  Time sum() const { return sum_; }
  Time min() const { return count_ == 0 ? 0 : min_; }
  Time max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }
  /// The value that `per_mille` thousandths of all do not exceed (nearest rank); 0 if there are none.
  Time percentile(unsigned per_mille) const;

  struct Bar {
    Time from = 0;
    Time to = 0;  ///< exclusive
    std::uint64_t count = 0;
  };
  /// At most `bars_max` neighbouring intervals of equal ratio from the minimum to the maximum, for pictures.
  std::vector<Bar> bars(unsigned bars_max) const;

 private:
  static constexpr unsigned sub_bits_ = 6;
  static constexpr std::uint64_t sub_buckets_ = std::uint64_t{1} << sub_bits_;
  static constexpr std::size_t buckets_ = (64 - sub_bits_ + 1) * sub_buckets_;
  static std::size_t bucket_of(Time value);
  static Time start_of(std::size_t bucket);

  std::array<std::uint64_t, buckets_> counts_{};
  std::uint64_t count_ = 0;
  Time sum_ = 0;
  Time min_ = time_never;
  Time max_ = 0;
};

/// Count, mean, minimum and maximum alone, for things of which there are many.
struct LatencySummary {
  std::uint64_t count = 0;
  Time sum = 0;
  Time min = time_never;
  Time max = 0;
  void add(Time value);
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// LatencyHistogram; see the header.
#include "platform/system/latency_histogram.h"

#include <algorithm>
#include <bit>

namespace smmusim {

/// Values below 2^sub_bits are their own bucket; above, the leading bit chooses the octave and the next sub_bits bits
/// the place in it.
std::size_t LatencyHistogram::bucket_of(Time value) {
  if (value < sub_buckets_) return static_cast<std::size_t>(value);
  const unsigned octave = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits_;
  return static_cast<std::size_t>((octave + 1) * sub_buckets_ + ((value >> octave) - sub_buckets_));
}

Time LatencyHistogram::start_of(std::size_t bucket) {
  if (bucket < sub_buckets_) return bucket;
  const std::size_t octave = bucket / sub_buckets_ - 1;
  return (sub_buckets_ + bucket % sub_buckets_) << octave;
}

void LatencyHistogram::add(Time value) {
  ++counts_[bucket_of(value)];
  ++count_;
  sum_ += value;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (std::size_t bucket = 0; bucket != buckets_; ++bucket) counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

Time LatencyHistogram::percentile(unsigned per_mille) const {
  if (count_ == 0) return 0;
  // ceil(count * per_mille / 1000) without overflow
  const std::uint64_t rank = count_ / 1000 * per_mille + (count_ % 1000 * per_mille + 999) / 1000;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket != buckets_; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank && seen != 0) {
      const Time next = bucket + 1 == buckets_ ? max_ : start_of(bucket + 1) - 1;
      const Time middle = start_of(bucket) + (next - start_of(bucket)) / 2;
      return std::clamp(middle, min_, max_);
    }
  }
  return max_;
}

std::vector<LatencyHistogram::Bar> LatencyHistogram::bars(unsigned bars_max) const {
  std::vector<Bar> bars;
  if (count_ == 0 || bars_max == 0) return bars;
  const std::size_t first = bucket_of(min_);
  const std::size_t last = bucket_of(max_);
  const std::size_t width = (last - first) / bars_max + 1;
  for (std::size_t bucket = first; bucket <= last; bucket += width) {
    Bar bar{start_of(bucket), bucket + width < buckets_ ? start_of(bucket + width) : time_never, 0};
    for (std::size_t i = bucket; i != std::min(bucket + width, buckets_); ++i) bar.count += counts_[i];
    bars.push_back(bar);
  }
  return bars;
}

void LatencySummary::add(Time value) {
  ++count;
  sum += value;
  min = std::min(min, value);
  max = std::max(max, value);
}

}  // namespace smmusim

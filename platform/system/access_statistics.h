// SPDX-License-Identifier: MIT
// AccessStatistics: where the accesses of a run spent their time, by what became of them, and how much was done in each
// part of the run. Fed once for each access that came back; it knows nothing of traces and writes no JSON.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "platform/endpoint/dma_work.h"
#include "platform/system/latency_histogram.h"

namespace smmusim {

/// What became of an access, in the order of what it costs.
enum class AccessClass : std::uint8_t {
  translated,           ///< by whoever made the trace, the SMMU let it pass
  atc,                  ///< the device's ATC knew
  micro_tlb,            ///< answered in the TBU
  tlb,                  ///< answered by the TCU's caches
  joined_walk,          ///< waited for a walk or fetch of another access
  walk,                 ///< walked
  configuration,        ///< STE or CD were fetched
  translation_request,  ///< the device waited for a Translation Request
  page_request,         ///< and for a Page Request
  fault,                ///< failed, whatever it took
};
inline constexpr std::size_t access_classes = 10;

/// As in the statistics: "micro_tlb".
std::string_view name_of(AccessClass access_class);
AccessClass class_of(const platform::DmaCompletion& completion);

struct ClassStatistics {
  LatencyHistogram latency;
  Time translation = 0;  ///< sums, picoseconds: at the SMMU, from arrival at the TBU to its answer
  Time memory = 0;       ///< from there to memory's response
  /// All the rest: the link, both ways, and the root complex, its queues included.
  Time link() const { return latency.sum() - translation - memory; }
  void add(const ClassStatistics& other);
};

/// What came back in neighbouring intervals of equal width. They grow with the run: at the end there are half of
/// intervals_max or more, unless the run is short.
class Timeline {
 public:
  static constexpr std::size_t intervals_max = 256;
  struct Interval {
    std::uint64_t transactions = 0;
    std::uint64_t bytes = 0;
    Time latency = 0;  ///< sum
  };

  /// `at`: since the start of the run; never less than before.
  void add(Time at, std::uint32_t bytes, Time latency);
  Time width() const { return Time{1} << width_log2_; }
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  unsigned width_log2_ = 10;  // picoseconds
  std::vector<Interval> intervals_;
};

class AccessStatistics {
 public:
  /// `start`: of the run, on the same clock as the completion's times.
  void add(const platform::DmaCompletion& completion, Time start);
  const ClassStatistics& of(AccessClass access_class) const { return classes_[static_cast<std::size_t>(access_class)]; }
  ClassStatistics total() const;
  const Timeline& timeline() const { return timeline_; }

 private:
  std::array<ClassStatistics, access_classes> classes_{};
  Timeline timeline_;
};

}  // namespace smmusim

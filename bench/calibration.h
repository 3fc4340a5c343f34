// SPDX-License-Identifier: MIT
// How a benchmark stands beside its calibration loop of the same run: the loop's time, and the ratio to it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace smmusim {

/// Seconds per item of `loop(items)`, best of five.
template <class Loop>
double seconds_per_item(std::size_t items, Loop loop) {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    loop(items);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / static_cast<double>(items));
  }
  return best;
}

/// `ratio_to_calibration`: time per item over the loop's.
inline void report_ratio(benchmark::State& state, double calibration_seconds, std::size_t items_per_iteration = 1) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_per_iteration));
  state.counters["ratio_to_calibration"] =
      benchmark::Counter(calibration_seconds * static_cast<double>(items_per_iteration),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["calibration_ns"] = calibration_seconds * 1e9;
}

}  // namespace smmusim

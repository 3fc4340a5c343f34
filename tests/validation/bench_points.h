// SPDX-License-Identifier: MIT
// The points of pcie-bench (SIGCOMM 2018) without IOMMU beside what the preset of that name gives: a whole machine
// whose SMMU is off, one device that reads and writes a window of 8 KiB. Not every point can be met: those are measured
// too, without a gate and with the reason.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace smmusim::validation {

enum class BenchKind : std::uint8_t { read_latency, write_then_read, read_bandwidth, write_bandwidth };

/// One row of the published figures.
struct BenchPoint {
  BenchKind kind;
  unsigned bytes;
  double published;         ///< ns of a latency, Gb/s of a bandwidth
  std::string_view reason;  ///< why it is not gated; empty: it is
};

inline constexpr double bench_gate = 0.05;

struct BenchResult {
  const BenchPoint* point = nullptr;
  double measured = 0;

  double difference() const { return measured / point->published - 1; }
  bool gated() const { return point->reason.empty(); }
  bool holds() const { return !gated() || (difference() <= bench_gate && difference() >= -bench_gate); }
};

std::span<const BenchPoint> bench_points();
/// Measures all of them, one after the other, in one machine. Once in a process (SystemC). Throws std::runtime_error if
/// an access fails.
std::vector<BenchResult> run_bench();

}  // namespace smmusim::validation

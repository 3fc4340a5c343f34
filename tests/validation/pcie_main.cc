// SPDX-License-Identifier: MIT
// Prints what the PCIe link lets through beside what the formulae say, and what a whole machine does beside
// pcie-bench's measurements, and judges it: exit 1 if a gate does not hold. tests/validation/pcie builds and runs it.
#include <cstdio>
#include <span>
#include <string_view>

#include "tests/validation/bench_points.h"
#include "tests/validation/link_points.h"

namespace {

using namespace smmusim;
using namespace smmusim::validation;

constexpr Time length = 200'000'000;  // 200 us of simulated time a point

/// How many do not hold.
unsigned print(const char* title, std::span<const LinkPoint> points) {
  std::printf("\n%s\n%-60s %9s %9s %8s %7s %10s\n", title, "point (Gb/s)", "measured", "formula", "differs", "gate",
              "published");
  unsigned broken = 0;
  for (const LinkPoint& point : points) {
    std::printf("%-60s %9.2f %9.2f %+7.2f%% %6.1f%%", point.name.c_str(), point.measured_gbps, point.expected_gbps,
                100 * point.difference(), 100 * point.gate);
    if (point.published_gbps != 0) std::printf(" %10.2f", point.published_gbps);
    std::printf("%s\n", point.holds() ? "" : "  BROKEN");
    if (!point.holds()) ++broken;
  }
  return broken;
}

std::string_view name_of(BenchKind kind) {
  switch (kind) {
    case BenchKind::read_latency:
      return "read latency, ns";
    case BenchKind::write_then_read:
      return "write, then read of the same, ns";
    case BenchKind::read_bandwidth:
      return "read bandwidth, Gb/s";
    default:
      return "write bandwidth, Gb/s";
  }
}

/// How many do not hold.
unsigned print(std::span<const BenchResult> results) {
  std::printf(
      "\npcie-bench (SIGCOMM 2018) without IOMMU: preset pcie-bench, SMMU off. Points without a gate say why.\n"
      "%-36s %6s %9s %9s %8s %7s\n",
      "what", "bytes", "measured", "published", "differs", "gate");
  unsigned broken = 0;
  for (const BenchResult& result : results) {
    const BenchPoint& point = *result.point;
    std::printf("%-36s %6u %9.2f %9.2f %+7.2f%%", name_of(point.kind).data(), point.bytes, result.measured,
                point.published, 100 * result.difference());
    if (result.gated()) {
      std::printf(" %6.1f%%%s\n", 100 * bench_gate, result.holds() ? "" : "  BROKEN");
    } else {
      std::printf("    none  %s\n", point.reason.data());
    }
    if (!result.holds()) ++broken;
  }
  return broken;
}

}  // namespace

int main() {
  unsigned broken = print(
      "Saturated, against the published formulae. They charge a direction with the Acks and UpdateFCs of the other "
      "one,\n"
      "so both are busy: writes go both ways; reads are asked for among posted writes of 16 bytes.",
      saturated_points(length));
  broken += print("Out of credits or tags: the formula is the round trip, the published one does not hold.",
                  starved_points(length));
  broken += print(
      "DLLPs as rare as the specification allows (symbol times of a lane, not of the link): beside the same formula "
      "with\n"
      "AckLimit x lanes.",
      latest_dllp_points(length));
  broken += print(run_bench());
  std::printf("\n%u gates do not hold\n", broken);
  return broken == 0 ? 0 : 1;
}

// SPDX-License-Identifier: MIT
// Prints what the PCIe link lets through beside what the formulae say, and judges it: exit 1 if a gate does not hold.
// tests/validation/pcie builds and runs it.
#include <cstdio>
#include <span>

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
  std::printf("\n%u gates do not hold\n", broken);
  return broken == 0 ? 0 : 1;
}

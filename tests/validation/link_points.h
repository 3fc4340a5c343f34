// SPDX-License-Identifier: MIT
// The points at which a link alone is measured, each with what a formula says of it: the published bandwidth formulae
// where the link is saturated, round trips where credits or tags run out (there the published ones do not hold).
#pragma once

#include <string>
#include <vector>

#include "model/sim/engine.h"

namespace smmusim::validation {

struct LinkPoint {
  std::string name;
  double expected_gbps = 0;
  double measured_gbps = 0;
  double gate = 0;            ///< the most that they may differ, as a share of what is expected
  double published_gbps = 0;  ///< what the bandwidth formula says, where that is not what is expected; else 0

  double difference() const { return measured_gbps / expected_gbps - 1; }
  bool holds() const { return difference() <= gate && difference() >= -gate; }
};

/// Writes and reads of 64 to 512 bytes on saturated links. `length`: picoseconds that each point is measured.
std::vector<LinkPoint> saturated_points(Time length);
/// Out of credits, and out of tags.
std::vector<LinkPoint> starved_points(Time length);
/// Saturated, with DLLPs as rare as the specification allows.
std::vector<LinkPoint> latest_dllp_points(Time length);

}  // namespace smmusim::validation

// SPDX-License-Identifier: MIT
// Probe: what a host offers for accelerated nested mode, and for each thing that is missing the reason. Asks, and
// leaves nothing behind: devices are bound, objects allocated, all is let go of again; no device is attached to
// anything.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "platform/host/host_system.h"
#include "platform/host/iommufd.h"

namespace smmusim::host {

struct ProbedDevice {
  std::string path;
  std::string bdf;  ///< empty: sysfs does not say
  bool bound = false;
  HwInfo info{};                         ///< as far as it was reported
  std::optional<IovaRanges> aperture{};  ///< of a nesting parent of its SMMU: what guest memory can be mapped at
  bool veventq = false;
  std::vector<std::string> reasons{};      ///< against nested mode; empty: it would work
  std::vector<std::string> limitations{};  ///< what would not work in it

  /// Bits of the last address of the aperture; 0 without one.
  unsigned aperture_bits() const;
};

struct ProbeResult {
  bool iommufd = false;
  bool vfio = false;
  std::vector<ProbedDevice> devices{};
  std::vector<std::string> reasons{};  ///< that hold for the whole machine
  /// At least one device can be used.
  bool nested_possible() const;
};

ProbeResult probe(HostSystem& host);
std::string to_text(const ProbeResult& result);
nlohmann::ordered_json to_json(const ProbeResult& result);

}  // namespace smmusim::host

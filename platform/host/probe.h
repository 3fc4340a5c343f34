// SPDX-License-Identifier: MIT
// Probe: what a host offers for accelerated nested mode, and for each thing that is missing the reason. Asks, and
// changes nothing that outlives it: devices are bound, and let go of again; none is attached.
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
  std::string bdf;                    ///< empty: sysfs does not say
  std::optional<HostError> failed{};  ///< the call that ended the probe of this device
  HwInfo info{};
  std::optional<IovaRanges> aperture{};  ///< of a nesting parent of its SMMU
  std::vector<std::string> reasons;      ///< against nested mode; empty: it would work
};

struct ProbeResult {
  bool iommufd = false;
  std::optional<HostError> iommufd_error{};
  std::optional<HostError> devices_error{};  ///< why the directory of devices can't be read
  std::vector<ProbedDevice> devices;
  std::vector<std::string> reasons;  ///< that hold for all devices
  /// At least one device can be used.
  bool nested_possible() const;
};

ProbeResult probe(HostSystem& host);
std::string to_text(const ProbeResult& result);
nlohmann::ordered_json to_json(const ProbeResult& result);

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// The PASID capability that a passthrough device shows to its guest. vfio-pci hides the physical one, and enabled it
// when the host probed the device; what the guest sees is made from what the host reports.
#pragma once

#include <algorithm>
#include <optional>

#include "platform/nested/host_report.h"
#include "platform/pcie/capabilities.h"

namespace smmusim::nested {

/// None if the device has no PASIDs or the guest's SMMU no substreams; else no more bits than both have.
inline std::optional<platform::PasidCapability> pasid_capability(const HostReport& report, unsigned guest_ssidsize) {
  const unsigned bits = std::min(report.max_pasid_log2, guest_ssidsize);
  if (bits == 0) return std::nullopt;
  return platform::PasidCapability{bits, report.pasid_exec, report.pasid_priv};
}

}  // namespace smmusim::nested

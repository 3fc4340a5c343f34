// SPDX-License-Identifier: MIT
// The per-device property `ats` (on, off, auto): whether a function shows its ATS capability to the guest, decided from
// the property, from what the host kernel reports (iommufd's IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED, which an old kernel
// leaves clear) and from whether the physical device has the capability at all. As QEMU's vfio-pci decides, after
// review. Says nothing about whether ATS then takes place: that also needs IDR0.ATS, the root complex, the enable bit
// and EATS.
#pragma once

#include <string_view>

#include "platform/config/platform_config.h"

namespace smmusim::platform {

enum class AtsRefusal : std::uint8_t {
  none,
  kernel_lacks_it,  ///< ats=on, and the host kernel reports it as not supported: there is no such device
};

enum class AtsWarning : std::uint8_t {
  none,
  device_lacks_it,      ///< ats=on, but there is no capability to show
  masked_by_the_kernel  ///< ats=auto hides a capability that the device has
};

struct AtsDecision {
  bool shown = false;  ///< the capability is in the chain that the guest sees
  AtsRefusal refusal = AtsRefusal::none;
  AtsWarning warning = AtsWarning::none;
  std::string_view reason;  ///< a clause: why it is, or is not, shown

  friend bool operator==(const AtsDecision&, const AtsDecision&) = default;
};

/// HostAts::unknown is a host that tells nothing (an old kernel, or no iommufd): then ATS is as it was before.
AtsDecision decide_ats(OnOffAuto property, HostAts host, bool device_has_capability);

/// One sentence; empty for none.
std::string_view describe(AtsRefusal refusal);
std::string_view describe(AtsWarning warning);

}  // namespace smmusim::platform

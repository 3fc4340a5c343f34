// SPDX-License-Identifier: MIT
// From an [[endpoint]] of the configuration to a PCIe function: what the device has, what of it the guest is shown, and
// what the guest's PCI core then switches on through ECAM. Whether a device does ATS in the end depends on several
// things; AtsState names the first that is missing.
#pragma once

#include <string>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/endpoint/nvme_controller.h"
#include "platform/endpoint/pcie_function.h"
#include "platform/pcie/ats_property.h"
#include "platform/system/pci_access.h"

namespace smmusim {

namespace platform {
class Cpu;
}

struct AtsState {
  platform::AtsDecision property{};  ///< whether the guest is shown the capability
  bool smmu = false;                 ///< IDR0.ATS
  bool root_complex = false;         ///< firmware says that the root complex supports it

  /// The driver then sets STE.EATS and the capability's enable bit.
  bool enabled() const { return property.shown && smmu && root_complex; }
};
AtsState ats_of(const PlatformConfig& config, const EndpointConfig& endpoint);
/// One line: on or off, why, and the warning if there is one.
std::string describe(const AtsState& state);
/// Whether the driver lets the device send Page Requests: it has PRI, does ATS, and its SMMU has a PRI queue.
bool pri_of(const PlatformConfig& config, const EndpointConfig& endpoint);
/// The same for each endpoint, or for all that the trace will bring: "endpoint NAME: ATS ...".
std::vector<std::string> ats_lines(const PlatformConfig& config);

/// One of the conditions for ATS, in the order in which they are asked.
struct AtsCondition {
  std::string what;
  bool holds = false;
  std::string why;
};
std::vector<AtsCondition> ats_conditions(const AtsState& state, const EndpointConfig& endpoint);

platform::FunctionDescription function_description(const PlatformConfig& config, const EndpointConfig& endpoint);
platform::NvmeConfig nvme_config(const PlatformConfig& config, const EndpointConfig& endpoint);
platform::PcieFunctionConfig function_config(const PlatformConfig& config, const EndpointConfig& endpoint);

/// Configuration space through the ECAM window.
PciAccess pci_access(platform::Cpu& cpu);
/// What a PCI core does with switches: buses, windows, BARs and ACS. Throws InputError if BARs have no room.
void enumerate_switches(platform::Cpu& cpu, const PlatformConfig& config);
/// What a PCI core writes before a driver takes the device: bus mastering, Max_Payload_Size and the like, PASID, PRI
/// and last ATS, if `ats_of` says so.
void enumerate(platform::Cpu& cpu, const PlatformConfig& config, const EndpointConfig& endpoint);

}  // namespace smmusim

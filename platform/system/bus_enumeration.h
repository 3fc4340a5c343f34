// SPDX-License-Identifier: MIT
// What a PCI core does before any driver: numbers the buses below the root ports depth first, sizes BARs, gives them
// addresses in the root complex's memory window, opens the bridges' windows around them, and sets the bridges' ACS
// controls. It knows the machine only through configuration space. Functions on bus 0 that are no bridges are left
// alone: nothing of theirs lies in the window.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/pcie/bridge_config.h"
#include "platform/system/pci_access.h"

namespace smmusim {

struct EnumerationPlan {
  platform::BridgeWindow window{};  ///< addresses for BARs, first to last; prefetchable ones alone above 4 GiB
  std::uint32_t acs = 0;            ///< controls that are switched on where they are offered, bits of platform::Acs
  unsigned mps_bytes = 128;         ///< Max_Payload_Size of the bridges
};

struct FoundBar {
  unsigned index = 0;
  std::uint64_t bytes = 0;
  std::uint64_t address = 0;  ///< 0: there was no room
  bool is_64_bit = false, prefetchable = false;
};

struct FoundFunction {
  std::uint16_t rid = 0;
  std::optional<std::uint16_t> bridge;  ///< RID of the bridge above; nothing: it is on bus 0
  bool is_bridge = false;
  unsigned secondary = 0, subordinate = 0;  ///< of a bridge; 0: no bus number was left
  std::vector<FoundBar> bars;
};

struct Enumeration {
  std::vector<FoundFunction> functions;  ///< bridges before what is below them
  std::vector<std::string> problems;     ///< one sentence each: what has no bus number or no address
};

Enumeration enumerate_buses(const PciAccess& access, const EnumerationPlan& plan);

}  // namespace smmusim

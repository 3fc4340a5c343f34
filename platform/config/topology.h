// SPDX-License-Identifier: MIT
// Which switches a configuration has, and the PCI addresses that follow: each name of endpoint.switch is a switch below
// a root port of its own on bus 0; buses are numbered depth first from the first root port on, as the PCI core that
// enumerates them does (platform/system/bus_enumeration.h). Endpoints without a switch keep the address they were
// given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/config/platform_config.h"

namespace smmusim {

struct SwitchPlace {
  std::string name;
  std::uint16_t root_port = 0;           ///< RID
  std::vector<std::size_t> endpoints{};  ///< indices in PlatformConfig::endpoints, by downstream port
  std::vector<std::uint16_t> rids{};     ///< theirs
};

/// In order of first naming. There are never more switches than device numbers on bus 0.
struct Topology {
  std::vector<SwitchPlace> switches;
  unsigned last_bus = 0;              ///< the highest that is below a switch; 0: there is no switch
  std::vector<std::string> problems;  ///< one sentence each: what does not fit
};
Topology topology_of(const PlatformConfig& config);

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Numbering of root ports and buses.
#include "platform/config/topology.h"

#include <algorithm>
#include <bitset>

namespace smmusim {
namespace {

constexpr unsigned devices = 32, ports_max = 32, buses_max = 255;

std::vector<SwitchPlace> named_switches(const PlatformConfig& config) {
  std::vector<SwitchPlace> switches;
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const std::string& name = config.endpoints[i].switch_name;
    if (name.empty()) continue;
    auto found = std::find_if(switches.begin(), switches.end(), [&](const auto& s) { return s.name == name; });
    if (found == switches.end()) found = switches.insert(switches.end(), SwitchPlace{.name = name});
    found->endpoints.push_back(i);
  }
  return switches;
}

/// The highest device numbers of bus 0 that no endpoint has, ascending.
std::vector<unsigned> free_devices(const PlatformConfig& config, std::size_t wanted) {
  std::bitset<devices> taken;
  for (const EndpointConfig& endpoint : config.endpoints) {
    if (endpoint.switch_name.empty() && endpoint.rid >> 8 == 0) taken.set(endpoint.rid >> 3);
  }
  std::vector<unsigned> free;
  for (unsigned device = devices; device != 0 && free.size() != wanted; --device) {
    if (!taken.test(device - 1)) free.insert(free.begin(), device - 1);
  }
  return free;
}

}  // namespace

Topology topology_of(const PlatformConfig& config) {
  Topology topology;
  topology.switches = named_switches(config);
  const std::vector<unsigned> root_ports = free_devices(config, topology.switches.size());
  if (root_ports.size() != topology.switches.size()) {
    topology.problems.emplace_back("there are more switches than free device numbers on bus 0; name fewer");
    topology.switches.resize(root_ports.size());
  }
  unsigned bus = 0;
  for (std::size_t i = 0; i != topology.switches.size(); ++i) {
    SwitchPlace& place = topology.switches[i];
    place.root_port = static_cast<std::uint16_t>(root_ports[i] << 3);
    if (place.endpoints.size() > ports_max) {
      topology.problems.push_back("switch " + place.name + " has more than 32 endpoints; give some another switch");
    }
    bus += 2;  // the link to the switch, and the bus inside
    for (std::size_t n = 0; n != place.endpoints.size(); ++n)
      place.rids.push_back(static_cast<std::uint16_t>(++bus << 8));
  }
  topology.last_bus = bus;
  if (bus > buses_max) topology.problems.emplace_back("the switches need more than 255 buses; name fewer");
  return topology;
}

}  // namespace smmusim

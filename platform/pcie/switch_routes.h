// SPDX-License-Identifier: MIT
// SwitchRoutes: the ports of a switch as bridges, and where a TLP that comes in by one of them goes (PCI Express Base
// sections 2.2.4, 2.2.8.1, 6.12 and 7.3.3): by address, by ID, or to the root, with what ACS makes of requests and
// completions between two downstream ports. It knows no links, no queues and no time.
//
// A TLP that comes from above only goes down, so that no bus numbers and no windows can send one round in circles.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "platform/pcie/bridge_config.h"
#include "platform/pcie/tlp.h"

namespace smmusim::platform {

enum class SwitchVerdict : std::uint8_t {
  forward,
  unsupported_request,    ///< nobody claims it, or it may not pass
  acs_violation,          ///< Source Validation or Translation Blocking
  unexpected_completion,  ///< for nobody
};

struct SwitchRoute {
  SwitchVerdict verdict = SwitchVerdict::forward;
  unsigned egress = 0;  ///< the port by which it leaves
  /// It is for a peer, and goes up because ACS wants it there.
  bool redirected = false;
};

struct SwitchBridges {
  unsigned downstream_ports = 4;  ///< 1 to 32: the device numbers of the bus inside
  unsigned acs_controls = 0x5f;   ///< of the downstream ports: bits of Acs; 0: no ACS
  PcieCapability pcie{};          ///< `port` is set for each
};

class SwitchRoutes {
 public:
  static constexpr unsigned upstream = 0;  ///< the upstream port's number; downstream ports are 1 and up

  /// Throws std::invalid_argument.
  explicit SwitchRoutes(const SwitchBridges& description);

  unsigned ports() const { return static_cast<unsigned>(bridges_.size()); }
  BridgeConfig& bridge(unsigned port) { return *bridges_[port]; }
  const BridgeConfig& bridge(unsigned port) const { return *bridges_[port]; }
  /// Of the port's own function, as its bus numbers make it: the Completer ID of what it refuses.
  std::uint16_t id_of(unsigned port) const;

  /// Of a TLP that has come in by `ingress`.
  SwitchRoute route(unsigned ingress, const Tlp& tlp) const;
  /// The downstream port below which a bus is; 0: none.
  unsigned port_of_bus(unsigned bus) const;
  /// The downstream port that claims an address; 0: none.
  unsigned port_of_address(std::uint64_t address) const;

 private:
  bool violates_acs(unsigned ingress, const Tlp& tlp) const;
  SwitchRoute by_address(unsigned ingress, const Tlp& tlp) const;
  SwitchRoute by_id(unsigned ingress, std::uint16_t id, const Tlp& tlp) const;
  SwitchRoute message(unsigned ingress, const Tlp& tlp) const;
  SwitchRoute to_peer(unsigned ingress, unsigned peer, bool redirect, SwitchVerdict otherwise) const;

  std::vector<std::unique_ptr<BridgeConfig>> bridges_;  // by port
};

}  // namespace smmusim::platform

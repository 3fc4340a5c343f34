// SPDX-License-Identifier: MIT
// Routing in a switch. Where windows or bus numbers of two downstream ports overlap, the lower port wins.
#include "platform/pcie/switch_routes.h"

#include <stdexcept>
#include <string>

namespace smmusim::platform {
namespace {

constexpr unsigned downstream_ports_max = 32;

SwitchRoute forward(unsigned egress, bool redirected = false) {
  return {SwitchVerdict::forward, egress, redirected};
}

SwitchRoute refuse(SwitchVerdict verdict) {
  return {verdict, 0, false};
}

SwitchVerdict nobody(const Tlp& tlp) {
  return tlp.is_completion() ? SwitchVerdict::unexpected_completion : SwitchVerdict::unsupported_request;
}

constexpr unsigned bus_of(std::uint16_t id) {
  return id >> 8;
}

}  // namespace

SwitchRoutes::SwitchRoutes(const SwitchBridges& description) {
  if (description.downstream_ports == 0 || description.downstream_ports > downstream_ports_max) {
    throw std::invalid_argument("a switch has " + std::to_string(description.downstream_ports) +
                                " downstream ports; give 1 to " + std::to_string(downstream_ports_max));
  }
  for (unsigned port = 0; port <= description.downstream_ports; ++port) {
    BridgeDescription bridge;
    bridge.device = port == upstream ? 0x0010 : 0x0011;
    bridge.pcie = description.pcie;
    bridge.pcie.port = port == upstream ? PortType::upstream_port : PortType::downstream_port;
    bridge.acs_controls = port == upstream ? 0 : description.acs_controls;
    bridges_.push_back(std::make_unique<BridgeConfig>(bridge));
  }
}

std::uint16_t SwitchRoutes::id_of(unsigned port) const {
  const BridgeConfig& up = bridge(upstream);
  const unsigned id = port == upstream ? up.primary() << 8 : up.secondary() << 8 | (port - 1) << 3;
  return static_cast<std::uint16_t>(id);
}

unsigned SwitchRoutes::port_of_bus(unsigned bus) const {
  for (unsigned port = 1; port != ports(); ++port) {
    if (bridge(port).below(bus)) return port;
  }
  return 0;
}

unsigned SwitchRoutes::port_of_address(std::uint64_t address) const {
  for (unsigned port = 1; port != ports(); ++port) {
    if (bridge(port).claims(address)) return port;
  }
  return 0;
}

SwitchRoute SwitchRoutes::route(unsigned ingress, const Tlp& tlp) const {
  if (tlp.is_completion()) return by_id(ingress, tlp.requester_id, tlp);
  if (ingress != upstream && violates_acs(ingress, tlp)) return refuse(SwitchVerdict::acs_violation);
  if (tlp.is_message()) return message(ingress, tlp);
  const bool memory = tlp.type == TlpType::MRd || tlp.type == TlpType::MWr || tlp.is_atomic();
  // Configuration requests travel on no link here (ecam.h), and devices may send none.
  return memory ? by_address(ingress, tlp) : refuse(SwitchVerdict::unsupported_request);
}

/// Completions are not validated (section 6.12.1.1).
bool SwitchRoutes::violates_acs(unsigned ingress, const Tlp& tlp) const {
  const BridgeConfig& port = bridge(ingress);
  if (port.acs(Acs::source_validation) && !port.below(bus_of(tlp.requester_id))) return true;
  return port.acs(Acs::translation_blocking) && tlp.at != AddressType::untranslated;
}

/// From one downstream port to another; a TLP for below its own port goes up with Upstream Forwarding, or is nobody's.
SwitchRoute SwitchRoutes::to_peer(unsigned ingress, unsigned peer, bool redirect, SwitchVerdict otherwise) const {
  if (peer == ingress) {
    return bridge(ingress).acs(Acs::upstream_forwarding) ? forward(upstream, true) : refuse(otherwise);
  }
  return redirect ? forward(upstream, true) : forward(peer);
}

SwitchRoute SwitchRoutes::by_address(unsigned ingress, const Tlp& tlp) const {
  constexpr SwitchVerdict unsupported = SwitchVerdict::unsupported_request;
  const BridgeConfig& up = bridge(upstream);
  const unsigned claims = port_of_address(tlp.address);
  if (ingress == upstream) return claims != 0 && up.claims(tlp.address) ? forward(claims) : refuse(unsupported);
  const BridgeConfig& port = bridge(ingress);
  if (!port.bus_master()) return refuse(unsupported);
  SwitchRoute route = forward(upstream);
  if (claims != 0) {
    const bool direct = port.acs(Acs::direct_translated_p2p) && tlp.at == AddressType::translated;
    route = to_peer(ingress, claims, port.acs(Acs::p2p_request_redirect) && !direct, unsupported);
  } else if (up.claims(tlp.address)) {
    return refuse(unsupported);  // of this switch, and of none of its ports
  }
  const bool passes = route.egress != upstream || up.bus_master();
  return route.verdict == SwitchVerdict::forward && !passes ? refuse(unsupported) : route;
}

SwitchRoute SwitchRoutes::by_id(unsigned ingress, std::uint16_t id, const Tlp& tlp) const {
  const BridgeConfig& up = bridge(upstream);
  const unsigned below = up.below(bus_of(id)) ? port_of_bus(bus_of(id)) : 0;
  if (ingress == upstream) return below != 0 ? forward(below) : refuse(nobody(tlp));
  if (below != 0) {
    const BridgeConfig& port = bridge(ingress);
    const bool redirect = tlp.is_completion() ? port.acs(Acs::p2p_completion_redirect) && !tlp.relaxed_ordering
                                              : port.acs(Acs::p2p_request_redirect);
    return to_peer(ingress, below, redirect, nobody(tlp));
  }
  const bool own = up.below(bus_of(id)) || id == id_of(upstream);
  return own ? refuse(nobody(tlp)) : forward(upstream);
}

SwitchRoute SwitchRoutes::message(unsigned ingress, const Tlp& tlp) const {
  switch (tlp.message) {
    case MessageCode::Invalidate_Request:
    case MessageCode::Invalidate_Completion:
    case MessageCode::PRG_Response:
      return by_id(ingress, tlp.target_id, tlp);
    case MessageCode::Page_Request:
      if (ingress != upstream) return forward(upstream);
      break;
  }
  return refuse(SwitchVerdict::unsupported_request);
}

}  // namespace smmusim::platform

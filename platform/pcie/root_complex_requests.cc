// SPDX-License-Identifier: MIT
// What root ports with a configuration space of their own do: requests of the root complex to devices, completions
// that come back, those that ACS has sent up for a peer, and their ACS controls. Requests between devices need no
// redirect here: all of them go through an SMMU anyway.
#include "platform/pcie/root_complex_parts.h"

namespace smmusim::platform {

bool RootComplex::request(tlm::tlm_generic_payload& payload, const systemc::PcieAttributes& attributes, void* cookie) {
  for (const auto& port : ports_) {
    if (!port->requester || !port->config.bridge->claims(payload.get_address())) continue;
    if (port->link == nullptr) return false;
    const RequestLimits limits{config_.completions.payload_bytes, config_.completions.payload_bytes};
    port->requester->begin(payload, attributes, limits, cookie);
    return true;
  }
  return false;
}

/// Source Validation is always on where no bridge says otherwise. Completions are not asked.
bool RootComplex::violates_acs(const Port& port, const Tlp& tlp) {
  const BridgeConfig* bridge = port.config.bridge;
  const bool validates = bridge == nullptr || bridge->acs(Acs::source_validation);
  if (validates && !port.config.holds(tlp.requester_id)) return true;
  return bridge != nullptr && bridge->acs(Acs::translation_blocking) && tlp.at != AddressType::untranslated;
}

bool RootComplex::completion(Port& port, Tlp& tlp) {
  if (port.requester && port.requester->completion(tlp)) {
    drop(port, tlp);
    return true;
  }
  Port* const peer = port_of(tlp.requester_id);
  if (peer == nullptr || peer->config.bridge == nullptr) {
    ++counters_.unexpected_completions;  // nothing here has asked
    drop(port, tlp);
    return true;
  }
  port.link->release(TlpLink::upstream, tlp);
  ++counters_.peer_completions;
  peer->errors.push(tlp);
  serve_completions(*peer);
  return true;
}

}  // namespace smmusim::platform

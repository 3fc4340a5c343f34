// SPDX-License-Identifier: MIT
// PcieWindow: the root complex's memory window as a TLM target. What is read and written there becomes memory requests
// at the root port whose bridge claims the address: the host's accesses to BARs, and those of devices whose translated
// address is a peer's (ACS redirect ends here: up, through the SMMU, and down again). The root complex asks in its own
// name and keeps the original request until the answer is there, so that nothing below routes anything else.
//
// A caller that can't wait (the driver's register accesses, untimed transports) reaches the BAR at once.
#pragma once

#include <systemc>
#include <tlm>

#include "platform/pcie/fabric_route.h"
#include "platform/pcie/payload_target.h"
#include "platform/pcie/root_complex.h"

namespace smmusim::platform {

class PcieWindow : public sc_core::sc_module, private PayloadTarget::Owner {
 public:
  tlm::tlm_target_socket<> in;  ///< addresses are the bus's

  /// `latency_ps`: from a payload's arrival to its first TLP.
  PcieWindow(const sc_core::sc_module_name& name, systemc::Pump& pump, RootComplex& root, const RootBus& bus,
             Time latency_ps);

 private:
  bool refuses(tlm::tlm_generic_payload& payload) override;
  void payload_arrived(PayloadTarget::Access& access) override;
  bool serve_at_once(tlm::tlm_generic_payload& payload) override;

  RootComplex& root_;
  const RootBus& bus_;
  PayloadTarget target_;
};

}  // namespace smmusim::platform

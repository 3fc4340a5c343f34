// SPDX-License-Identifier: MIT
// RegisterTarget: the SMMU's register frame (IHI 0070 section 6) behind a TLM target socket. Addresses are offsets
// in the frame. Accesses are 4 or 8 bytes; everything about which of them a register takes is the core's.
//
// - nb_transport: base protocol, one access at a time. BEGIN_REQ enters the Engine's wheel at its time and is answered
//   with TLM_ACCEPTED; the access happens there, in order with everything else, and BEGIN_RESP follows at once. The
//   Engine never runs inside the call: what is due could make calls of the opposite direction, which must not nest.
// - b_transport: the Engine is first brought to SystemC's time, then the access happens.
// - transport_dbg: reads only. A register write starts work (commands, interrupts, acknowledgements) that takes
//   time and is counted, so it cannot be a debug access: it is refused with 0 bytes, and nothing changes.
// - No DMI.
#pragma once

#include <tlm>

#include "model/sim/scope.h"
#include "model/smmu/smmu.h"
#include "tlm/pump.h"

namespace smmusim::systemc {

/// May stay unbound: a platform can reach the registers through SmmuModule::smmu() alone.
using RegisterSocket = tlm::tlm_target_socket<32, tlm::tlm_base_protocol_types, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

class RegisterTarget final : public tlm::tlm_fw_transport_if<> {
 public:
  /// Binds itself to the socket.
  RegisterTarget(Pump& pump, Smmu& smmu, RegisterSocket& socket);
  ~RegisterTarget() override;

  /// The access happens at once; an annotated delay is waited out first if the caller can wait and the SMMU is timed.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  /// The access happens when the annotated delay has passed; it takes no time of its own.
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  /// Reads: the register as it is, no effect on time or counters. Writes: 0 bytes, TLM_COMMAND_ERROR_RESPONSE.
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  struct Step : EventNode {
    RegisterTarget* target = nullptr;
  };

  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const;
  void access(tlm::tlm_generic_payload& payload);
  tlm::tlm_sync_enum begin_request(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void end_response(tlm::tlm_generic_payload& payload);
  void proceed();
  static void step(EventNode& node);

  Pump& pump_;
  Smmu& smmu_;
  RegisterSocket& socket_;
  Scope scope_;
  Step step_;
  tlm::tlm_generic_payload* requesting_ = nullptr;  ///< BEGIN_REQ seen, BEGIN_RESP not sent
  tlm::tlm_generic_payload* responding_ = nullptr;  ///< BEGIN_RESP sent, END_RESP not seen
  bool accessed_ = false;                           ///< requesting_ has had its access and waits to respond
};

}  // namespace smmusim::systemc

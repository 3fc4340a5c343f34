// SPDX-License-Identifier: MIT
// RegisterTarget: the SMMU's register frame (IHI 0070 section 6) behind a TLM target socket. Addresses are offsets
// in the frame. Accesses are 4 or 8 bytes; everything about which of them a register takes is the core's.
#pragma once

#include <tlm>

#include "model/smmu/smmu.h"
#include "tlm/pump.h"

namespace smmusim::systemc {

/// May stay unbound: a platform can reach the registers through SmmuModule::smmu() alone.
using RegisterSocket = tlm::tlm_target_socket<32, tlm::tlm_base_protocol_types, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

class RegisterTarget final : public tlm::tlm_fw_transport_if<> {
 public:
  RegisterTarget(Pump& pump, Smmu& smmu, RegisterSocket& socket) : pump_(pump), smmu_(smmu) { socket.bind(*this); }

  /// The access happens at once; an annotated delay is waited out first if the caller can wait and the SMMU is timed.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  /// Answers BEGIN_REQ with TLM_COMPLETED: a register access takes no time of its own.
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  /// Reads touch nothing. Writes are what a register write is, at the present instant.
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const;
  void access(tlm::tlm_generic_payload& payload);

  Pump& pump_;
  Smmu& smmu_;
};

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// Doorbell: where message-signalled interrupts end (the registers of a GICv2m frame or an ITS that devices and the
// SMMU write to). Counts the writes and keeps the last ones; raising an interrupt is for whoever looks or listens.
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/engine.h"
#include "tlm/pump.h"

namespace smmusim::platform {

class Doorbell : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  struct Ring {
    std::uint64_t address = 0;  ///< as it arrived: an offset if the interconnect's row is relative
    std::uint64_t data = 0;     ///< the first 8 bytes at most, zero-extended
    std::uint32_t size = 0;     ///< bytes
    Time when = 0;
  };

  tlm::tlm_target_socket<> in;

  /// Keeps the last `kept_max` writes.
  Doorbell(const sc_core::sc_module_name& name, systemc::Pump& pump, Time latency_ps = 10'000,
           std::size_t kept_max = 64);

  std::uint64_t count() const { return count_; }
  std::size_t kept() const { return count_ < rings_.size() ? static_cast<std::size_t>(count_) : rings_.size(); }
  /// The last write but `back`; back < kept().
  const Ring& last(std::size_t back = 0) const;
  /// Called for each write, in the middle of its transport: it must not make an access itself.
  std::function<void(const Ring&)> on_ring;

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  /// A debugger reads zeros and rings nothing.
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  systemc::Pump& pump_;
  Time latency_;
  std::uint64_t count_ = 0;
  std::vector<Ring> rings_;
};

}  // namespace smmusim::platform

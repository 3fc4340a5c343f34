// SPDX-License-Identifier: MIT
// MemoryModule: SparseMemory behind a TLM target socket, with a latency, a bandwidth and a limit on accesses under
// way. The latency is constant and accesses are served in order of their calls, so the time of each is known when it
// arrives: BEGIN_REQ is answered with TLM_COMPLETED and the delay. The one wheel event of an access is thus the
// initiator's, and an access beyond the outstanding limit shows as delay instead of a withheld END_REQ. The access
// takes effect in the call. It must not know who asks.
#pragma once

#include <cstdint>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/engine.h"
#include "platform/memory/sparse_memory.h"
#include "platform/memory/transfer_time.h"
#include "tlm/pump.h"

namespace smmusim::platform {

struct MemoryModuleConfig {
  Time latency_ps = 60'000;                ///< from the end of the transfer to the answer
  std::uint64_t bandwidth_gbit_per_s = 0;  ///< gigabits (10^9 bits) a second; 0: unlimited
  unsigned outstanding = 256;              ///< accesses under way at a time
  bool timed = true;                       ///< false: no delays at all
};

class MemoryModule : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;

  /// Throws std::invalid_argument if outstanding is 0.
  MemoryModule(const sc_core::sc_module_name& name, systemc::Pump& pump, SparseMemory& memory,
               const MemoryModuleConfig& config = {});

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  /// Untimed: reading and writing in the 2 MiB around the address, where no access can fail; not counted as accesses.
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override;
  /// Ends every direct access; to be called after SparseMemory::inject_abort.
  void revoke_direct_access() { in->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0}); }

  SparseMemory& memory() { return memory_; }

 private:
  void serve(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Books the next place for an access that arrives at `arrival`; returns when it is answered.
  Time book(Time arrival, std::uint32_t bytes);

  systemc::Pump& pump_;
  SparseMemory& memory_;
  MemoryModuleConfig config_;
  TransferRate rate_;
  Time channel_free_ = 0;
  std::vector<Time> answers_;  // of the last `outstanding` accesses, a ring
  std::size_t oldest_ = 0;
};

}  // namespace smmusim::platform

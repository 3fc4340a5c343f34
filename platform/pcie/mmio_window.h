// SPDX-License-Identifier: MIT
// MmioWindow: the BARs of every function below the root complex as memory, as the CPU reaches them. Like accesses to
// configuration space (ecam.h) these take the time of a round trip through the root complex and travel on no link;
// those of peers do, as TLPs.
#pragma once

#include <cstdint>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/engine.h"
#include "platform/endpoint/pcie_function.h"
#include "tlm/pump.h"

namespace smmusim::platform {

class MmioWindow : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;  ///< addresses are those in the BARs

  MmioWindow(const sc_core::sc_module_name& name, systemc::Pump& pump, Time latency_ps);

  /// `handler` answers for the BARs of `config`'s function, wherever software puts them.
  void attach(const FunctionConfig& config, BarHandler& handler) { functions_.push_back({&config, &handler}); }

  /// Naturally aligned accesses of 1, 2, 4 and 8 bytes; TLM_BURST_ERROR_RESPONSE for others. Where no function answers,
  /// reads give ones and writes go nowhere.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  /// A debugger sees nothing: reading registers can change them.
  unsigned transport_dbg(tlm::tlm_generic_payload&) override { return 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  struct Function {
    const FunctionConfig* config;
    BarHandler* handler;
  };
  struct Hit {
    BarHandler* handler = nullptr;  // null: nobody answers
    unsigned bar = 0;
    std::uint64_t offset = 0;
  };

  Hit find(std::uint64_t address, unsigned size) const;
  void access(tlm::tlm_generic_payload& payload);

  systemc::Pump& pump_;
  Time latency_;
  std::vector<Function> functions_;
};

}  // namespace smmusim::platform

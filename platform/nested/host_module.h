// SPDX-License-Identifier: MIT
// HostModule: a simulated host as a SystemC module: its physical SMMUs with client and memory sockets. What its kernel
// answers is platform/host's; this file only connects. The clients of the guest's own SMMUs, whose traffic goes here
// instead, are idle: a socket for each of their TBUs is there to be bound.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "platform/host/simulated_host.h"
#include "platform/memory/sparse_memory.h"
#include "tlm/pump.h"
#include "tlm/tbu.h"
#include "tlm/tlm_memory_port.h"

namespace smmusim::nested {

class HostModule : public sc_core::sc_module {
 public:
  /// For the TBUs of all physical SMMUs, those of the first SMMU first.
  sc_core::sc_vector<tlm::tlm_target_socket<>> tbu_in;
  sc_core::sc_vector<tlm::tlm_initiator_socket<>> tbu_out;
  tlm::tlm_initiator_socket<> tcu_out;  ///< own accesses of all of them
  sc_core::sc_vector<tlm_utils::simple_initiator_socket<HostModule>> idle;

  /// Throws as SimulatedHost.
  HostModule(const sc_core::sc_module_name& name, systemc::Pump& pump, SparseMemory& memory,
             const host::SimulatedHostConfig& config);
  ~HostModule() override;

  host::SimulatedHost& host() { return *host_; }

 private:
  struct InterruptHook : systemc::Pump::Hook {
    host::SimulatedHost* host = nullptr;
  };
  static void serve_interrupts(systemc::Pump::Hook& hook);

  systemc::Pump& pump_;
  std::unique_ptr<systemc::TlmMemoryPort> tlm_port_;
  std::unique_ptr<MemoryPort> port_;  // what the SMMUs use
  std::unique_ptr<host::SimulatedHost> host_;
  std::vector<std::unique_ptr<systemc::Tbu>> tbus_;
  std::vector<InterruptHook> hooks_;
};

}  // namespace smmusim::nested

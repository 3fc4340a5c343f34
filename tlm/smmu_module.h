// SPDX-License-Identifier: MIT
// SmmuModule: one SMMU as a SystemC module: client sockets, memory sockets, registers and interrupts around the core
// (model/smmu). Nothing is decided here. Bind tbu_in, tbu_out and tcu_out; the register socket and the interrupts may
// stay open.
#pragma once

#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/smmu/smmu.h"
#include "tlm/debug_memory_port.h"
#include "tlm/interrupt_outputs.h"
#include "tlm/pump.h"
#include "tlm/register_target.h"
#include "tlm/tbu.h"
#include "tlm/tlm_memory_port.h"

namespace smmusim::systemc {

struct SmmuModuleConfig {
  unsigned tcu_outstanding = 64;  ///< the SMMU's own accesses under way at a time
  Time interrupt_pulse_width_ps = 10'000;
};

class SmmuModule : public sc_core::sc_module {
 public:
  sc_core::sc_vector<tlm::tlm_target_socket<>> tbu_in;      ///< client traffic, input addresses
  sc_core::sc_vector<tlm::tlm_initiator_socket<>> tbu_out;  ///< the same traffic, output addresses
  tlm::tlm_initiator_socket<> tcu_out;                      ///< structures, descriptors, queues, MSIs
  RegisterSocket registers;                                 ///< addresses are offsets in the frame

  /// Throws std::invalid_argument for a configuration that can't be built. `observer` may be null.
  SmmuModule(const sc_core::sc_module_name& name, Pump& pump, const SmmuConfig& config,
             const SmmuModuleConfig& module_config = {}, Observer* observer = nullptr);
  ~SmmuModule() override;

  /// What accesses without SmmuExtension at tbu_in[tbu] are taken for. At first: all defaults, StreamID 0.
  void set_defaults(unsigned tbu, const ClientAttributes& defaults) { tbus_[tbu]->set_defaults(defaults); }

  /// The core. Calls that may start something (register writes, reset) need a Pump::Entry around them.
  Smmu& smmu() { return *smmu_; }
  InterruptOutputs& interrupts() { return interrupts_; }
  sc_core::sc_vector<sc_core::sc_out<bool>>& irq() { return interrupts_.out; }
  const Tbu& tbu(unsigned index) const { return *tbus_[index]; }
  const TlmMemoryPort& memory_port() const { return *port_; }

 private:
  struct DrainHook : Pump::Hook {
    SmmuModule* module = nullptr;
  };
  static void drain(Pump::Hook& hook);

  Pump& pump_;
  InterruptOutputs interrupts_;
  std::unique_ptr<TlmMemoryPort> port_;
  DebugMemoryPort debug_port_;
  std::unique_ptr<Smmu> smmu_;
  std::vector<std::unique_ptr<Tbu>> tbus_;
  std::unique_ptr<RegisterTarget> register_target_;
  DrainHook hook_;
};

}  // namespace smmusim::systemc

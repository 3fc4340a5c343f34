// SPDX-License-Identifier: MIT
// InterruptController: turns the pulses of one SMMU's interrupt wires into calls of a handler, on the SystemC kernel
// and outside the Engine, where a CPU's interrupt handler would run.
#pragma once

#include <functional>
#include <systemc>

#include "model/smmu/smmu.h"
#include "tlm/smmu_module.h"

namespace smmusim::platform {

class InterruptController : public sc_core::sc_module {
 public:
  /// Binds itself to all wires of `smmu`. `handler` is called for each rising edge.
  InterruptController(const sc_core::sc_module_name& name, systemc::SmmuModule& smmu,
                      std::function<void(Wire)> handler);

 private:
  void look();

  sc_core::sc_vector<sc_core::sc_signal<bool>> lines_;
  std::function<void(Wire)> handler_;
};

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// InterruptController; see the header.
#include "platform/system/interrupt_controller.h"

#include <utility>

namespace smmusim::platform {

InterruptController::InterruptController(const sc_core::sc_module_name& name, systemc::SmmuModule& smmu,
                                         std::function<void(Wire)> handler)
    : sc_core::sc_module(name), lines_("lines", wires), handler_(std::move(handler)) {
  SC_HAS_PROCESS(InterruptController);
  SC_METHOD(look);
  dont_initialize();
  for (unsigned i = 0; i != wires; ++i) {
    smmu.irq()[i].bind(lines_[i]);
    sensitive << lines_[i].posedge_event();
  }
}

void InterruptController::look() {
  for (unsigned i = 0; i != wires; ++i) {
    if (lines_[i].posedge()) handler_(static_cast<Wire>(i));
  }
}

}  // namespace smmusim::platform

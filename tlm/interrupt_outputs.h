// SPDX-License-Identifier: MIT
// InterruptOutputs: the SMMU's wired interrupts (IHI 0070 section 3.18) as pulses on boolean ports. Each interrupt is
// a rising edge; one that comes while its wire is still high gives a second pulse after a low phase of the same
// width, further ones meanwhile merge with it.
#pragma once

#include <array>
#include <systemc>

#include "model/smmu/smmu.h"
#include "tlm/pump.h"

namespace smmusim::systemc {

class InterruptOutputs : public sc_core::sc_module {
 public:
  /// out[n] is Wire n. A port may stay unbound.
  sc_core::sc_vector<sc_core::sc_out<bool>> out;

  /// `pulse_width` in picoseconds, at least 1.
  InterruptOutputs(const sc_core::sc_module_name& name, Pump& pump, Time pulse_width);

  /// Pulses the wires in `mask` (as Smmu::take_interrupts gives it), from any process.
  void pulse(unsigned mask);
  std::uint64_t pulses(Wire wire) const { return wires_[static_cast<unsigned>(wire)].pulses; }

 private:
  struct Line {
    bool high = false;
    bool wanted = false;  // a pulse has not started yet
    Time until = 0;       // the present phase lasts that long
    std::uint64_t pulses = 0;
  };
  void before_end_of_elaboration() override;
  void drive();
  Time step(unsigned wire, Time now);

  Pump& pump_;
  Time width_;
  std::array<Line, wires> wires_{};
  sc_core::sc_vector<sc_core::sc_signal<bool>> unbound_;
  sc_core::sc_event changed_;
};

}  // namespace smmusim::systemc

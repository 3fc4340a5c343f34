// SPDX-License-Identifier: MIT
// One process drives all wires: each rises when a pulse is wanted and falls its width later; pulses that come
// meanwhile are one more.
#include "tlm/interrupt_outputs.h"

#include <algorithm>
#include <stdexcept>

namespace smmusim::systemc {

InterruptOutputs::InterruptOutputs(const sc_core::sc_module_name& name, Pump& pump, Time pulse_width)
    : sc_core::sc_module(name), out("out", wires), pump_(pump), width_(pulse_width), unbound_("unbound", wires) {
  if (pulse_width == 0) throw std::invalid_argument("interrupt pulse width is 0; give at least 1 ps");
  SC_HAS_PROCESS(InterruptOutputs);
  SC_METHOD(drive);  // the only process that writes the ports: a signal has one driver
  sensitive << changed_;
  dont_initialize();
}

void InterruptOutputs::before_end_of_elaboration() {
  for (unsigned i = 0; i < wires; ++i) {
    if (out[i].bind_count() == 0) out[i].bind(unbound_[i]);
  }
}

void InterruptOutputs::pulse(unsigned mask) {
  if (mask == 0) return;
  for (unsigned i = 0; i < wires; ++i) {
    if ((mask >> i & 1U) != 0) wires_[i].wanted = true;
  }
  pump_.notify(changed_);
}

/// Moves one wire on; returns when it has to be looked at again.
Time InterruptOutputs::step(unsigned wire, Time now) {
  Line& line = wires_[wire];
  if (now < line.until) return line.until;
  if (line.high) {
    line.high = false;
    out[wire].write(false);
    line.until = now + width_;
    return line.wanted ? line.until : time_never;
  }
  if (!line.wanted) return time_never;
  line.wanted = false;
  line.high = true;
  ++line.pulses;
  out[wire].write(true);
  line.until = now + width_;
  return line.until;
}

void InterruptOutputs::drive() {
  const Time now = to_ps(sc_core::sc_time_stamp());
  Time next = time_never;
  for (unsigned i = 0; i < wires; ++i) next = std::min(next, step(i, now));
  if (next != time_never) changed_.notify(from_ps(next - now));
}

}  // namespace smmusim::systemc

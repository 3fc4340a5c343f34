// SPDX-License-Identifier: MIT
// Conversions between the Engine's picoseconds and SystemC time. They are plain copies because the pump insists on a
// time resolution of 1 ps.
#pragma once

#include <systemc>

#include "model/sim/engine.h"

namespace smmusim::systemc {

inline Time to_ps(const sc_core::sc_time& time) {
  return time.value();
}
inline sc_core::sc_time from_ps(Time time) {
  return sc_core::sc_time::from_value(time);
}

}  // namespace smmusim::systemc

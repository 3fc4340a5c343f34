// SPDX-License-Identifier: MIT
// The activation, the guards around inbound calls, and the arming of the one sc_event. What an event does is not known
// here.
#include "tlm/pump.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace smmusim::systemc {

Pump::Pump(const sc_core::sc_module_name& name, Engine& engine) : sc_core::sc_module(name), engine_(engine) {
  const sc_core::sc_time resolution = sc_core::sc_get_time_resolution();
  if (resolution != sc_core::sc_time(1, sc_core::SC_PS)) {
    throw std::invalid_argument("the time resolution of SystemC is " + resolution.to_string() +
                                "; the model counts picoseconds, so it must be 1 ps, SystemC's default");
  }
  SC_HAS_PROCESS(Pump);
  SC_METHOD(activate);
  sensitive << wake_;  // runs once at the start as well: events may have been scheduled before
}

void Pump::activate() {
  armed_at_ = time_never;
  if (failure_) return;
  try {
    engine_.run_until(now());
    run_hooks();
    if (run_ahead_ != 0) run_on();
  } catch (...) {
    failure_ = std::current_exception();
    sc_core::sc_stop();
    return;
  }
  arm();
}

void Pump::run_on() {
  const Time start = to_ps(sc_core::sc_time_stamp());
  const Time pending = to_ps(sc_core::sc_time_to_pending_activity());
  window_end_ = start + std::min(run_ahead_, pending);
  while (engine_.run_next(window_end_)) {
    run_hooks();
    if (sc_core::sc_get_status() == sc_core::SC_STOPPED || sc_core::sc_end_of_simulation_invoked()) break;
  }
}

void Pump::notify(sc_core::sc_event& event) {
  const Time at = now();
  event.notify(from_ps(at - to_ps(sc_core::sc_time_stamp())));
  window_end_ = std::min(window_end_, at);
}

void Pump::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool Pump::simulating() {
  return (sc_core::sc_get_status() & (sc_core::SC_RUNNING | sc_core::SC_PAUSED)) != 0;
}

void Pump::begin_entry() {
  if (simulating()) engine_.run_until(now());
  entered_ = true;
}

void Pump::end_entry() {
  entered_ = false;
  if (!simulating()) return;  // the first activation looks at whatever elaboration has scheduled
  if (std::uncaught_exceptions() == 0) run_hooks();
  arm();
}

void Pump::run_hooks() {
  for (Hook* hook : hooks_) {
    if (hook->wanted == nullptr || *hook->wanted != 0) hook->run(*hook);
  }
}

void Pump::arm() {
  const Time next = engine_.next_event();
  if (next >= armed_at_) return;
  armed_at_ = next;
  const Time now = to_ps(sc_core::sc_time_stamp());
  wake_.notify(from_ps(next > now ? next - now : 0));  // an earlier notification replaces a later one
}

}  // namespace smmusim::systemc

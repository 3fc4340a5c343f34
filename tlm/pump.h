// SPDX-License-Identifier: MIT
// Pump: the one place where the Engine and the SystemC kernel meet. One SC_METHOD runs everything that is due and
// arms one sc_event for what comes next, once, at the end of its activation; the event kernel is the dearest part of
// a simulated transaction, and everything else happens on the Engine's wheel. One Pump and one Engine serve a whole
// simulation.
//
// Running ahead: if every module behind the sockets takes its time from this Pump (as tlm/ and platform/ do), the
// Engine need not stop at each event for SystemC's clock to follow. set_run_ahead() lets it run on, up to the next
// activity that SystemC itself has pending, which halves the cost of a transaction. SystemC's time then lags behind
// now() by at most that much. Leave it 0 wherever a foreign module looks at sc_time_stamp().
#pragma once

#include <algorithm>
#include <exception>
#include <systemc>
#include <vector>

#include "model/sim/engine.h"
#include "tlm/sim_time.h"

namespace smmusim::systemc {

class Pump : public sc_core::sc_module {
 public:
  /// Called whenever control goes back to the SystemC kernel: after each activation and each inbound call.
  struct Hook {
    void (*run)(Hook&) = nullptr;
    const unsigned* wanted = nullptr;  ///< it is called only while this is not 0; null: always
  };

  /// Throws std::invalid_argument if SystemC's time resolution is not 1 ps.
  Pump(const sc_core::sc_module_name& name, Engine& engine);

  Engine& engine() { return engine_; }
  /// The present: the Engine's while it runs or is ahead, else SystemC's (the Engine may not have caught up yet).
  Time now() const {
    return engine_.running() ? engine_.now() : std::max(engine_.now(), to_ps(sc_core::sc_time_stamp()));
  }
  /// How far, in picoseconds, the Engine may run ahead of SystemC; 0 (the start value): not at all.
  void set_run_ahead(Time window) { run_ahead_ = window; }
  /// Notifies an sc_event at now(), one delta cycle later; the Engine runs ahead no further than that.
  void notify(sc_core::sc_event& event);

  void add_hook(Hook& hook) { hooks_.push_back(&hook); }
  void remove_hook(Hook& hook) { std::erase(hooks_, &hook); }

  /// Throws what an event threw. An exception inside the activation stops the simulation (sc_stop) instead of
  /// passing through the kernel, which would change its type; call this after sc_start.
  void rethrow_failure();

  /// As Engine::schedule_in, from now() on: right also where the Engine has not caught up yet (see Arrival).
  void schedule_in(Time delay, EventNode& node) { engine_.schedule_at(now() + delay, node); }

  /// Around an nb_transport call that comes in from outside and only schedules. The Engine is not run: events that
  /// are due could make calls of the opposite direction, which must not nest. Use now() and schedule_in() inside.
  class Arrival {
   public:
    explicit Arrival(Pump& pump) : pump_(pump), outside_(!pump.engine_.running()) {}
    ~Arrival() noexcept(false) {
      if (outside_ && simulating()) pump_.arm();
    }
    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;

   private:
    Pump& pump_;
    bool outside_;
  };

  /// Around every other call that comes in from outside and touches the core: first brings the Engine to SystemC's
  /// time, afterwards arms the pump if the next event has become earlier. Does nothing inside an event or another
  /// Entry. Not to be held across a wait().
  class Entry {
   public:
    explicit Entry(Pump& pump) : pump_(pump), outermost_(!pump.engine_.running() && !pump.entered_) {
      if (outermost_) pump_.begin_entry();
    }
    ~Entry() noexcept(false) {
      if (outermost_) pump_.end_entry();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    Pump& pump_;
    bool outermost_;
  };

 private:
  static bool simulating();
  void activate();
  void begin_entry();
  void end_entry();
  void run_hooks();
  void run_on();
  /// Arms the event for the Engine's next one, unless it is armed for that or earlier.
  void arm();

  Engine& engine_;
  sc_core::sc_event wake_;
  Time armed_at_ = time_never;
  Time run_ahead_ = 0;
  Time window_end_ = 0;
  bool entered_ = false;
  std::vector<Hook*> hooks_;
  std::exception_ptr failure_;
};

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// The pump: events of the Engine at their SystemC time, in order, and inbound calls.
#include "tlm/pump.h"

#include <stdexcept>

#include "tests/tlm/fresh_context.h"

namespace smmusim::systemc {
namespace {

struct Note : EventNode {
  std::vector<std::pair<int, Time>>* log = nullptr;
  int name = 0;
  static void write(EventNode& node) {
    auto& self = static_cast<Note&>(node);
    self.log->emplace_back(self.name, to_ps(sc_core::sc_time_stamp()));
  }
};

struct PumpTest : FreshContext {
  Engine engine;
  Pump pump{"pump", engine};
  std::vector<std::pair<int, Time>> log;
  Note a{}, b{}, c{};

  PumpTest() {
    int name = 0;
    for (Note* note : {&a, &b, &c}) {
      note->log = &log;
      note->name = name++;
      note->fire = &Note::write;
    }
  }
  using Log = std::vector<std::pair<int, Time>>;
};

TEST_F(PumpTest, FiresEventsAtTheirSystemcTimeInOrder) {
  engine.schedule_at(5'000, a);
  engine.schedule_at(2'000, b);
  engine.schedule_at(5'000, c);
  sc_core::sc_start();
  EXPECT_EQ(log, (Log{{1, 2'000}, {0, 5'000}, {2, 5'000}}));
}

TEST_F(PumpTest, RunsAheadOnlyAsFarAsItsWindow) {
  pump.set_run_ahead(3'000);
  engine.schedule_at(2'000, a);
  engine.schedule_at(3'000, b);
  engine.schedule_at(9'000, c);
  sc_core::sc_start();
  EXPECT_EQ(log, (Log{{0, 0}, {1, 0}, {2, 9'000}}));
  EXPECT_EQ(pump.now(), 9'000U);
}

struct Interrupter : sc_core::sc_module {
  Pump& pump;
  Note& note;
  Time seen = 0;
  Interrupter(const sc_core::sc_module_name& name, Pump& the_pump, Note& the_note)
      : sc_core::sc_module(name), pump(the_pump), note(the_note) {
    SC_HAS_PROCESS(Interrupter);
    SC_THREAD(run);
  }
  void run() {
    wait(4, sc_core::SC_NS);
    Pump::Entry entry(pump);
    seen = pump.engine().now();
    pump.engine().schedule_in(1'000, note);
  }
};

TEST_F(PumpTest, InboundCallFindsTheEngineAtSystemcTimeAndRearms) {
  Interrupter interrupter("interrupter", pump, b);
  engine.schedule_at(100'000, a);
  sc_core::sc_start();
  EXPECT_EQ(interrupter.seen, 4'000U);
  EXPECT_EQ(log, (Log{{1, 5'000}, {0, 100'000}}));
}

TEST_F(PumpTest, DoesNotRunAheadOfPendingSystemcActivity) {
  pump.set_run_ahead(1'000'000);
  Interrupter interrupter("interrupter", pump, b);
  engine.schedule_at(3'000, c);
  engine.schedule_at(100'000, a);
  sc_core::sc_start();
  EXPECT_EQ(interrupter.seen, 4'000U);
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0].first, 2);
  EXPECT_EQ(log[1].first, 1);
  EXPECT_EQ(log[2].first, 0);
}

struct CountingHook : Pump::Hook {
  int calls = 0;
  static void count(Pump::Hook& hook) { ++static_cast<CountingHook&>(hook).calls; }
};

TEST_F(PumpTest, CallsItsHooksAfterAnActivation) {
  CountingHook hook;
  hook.run = &CountingHook::count;
  pump.add_hook(hook);
  engine.schedule_at(1'000, a);
  sc_core::sc_start();
  EXPECT_EQ(hook.calls, 2);  // the first activation and the event's
}

TEST_F(PumpTest, CallsAHookOnlyWhileItIsWanted) {
  CountingHook hook;
  const unsigned wanted = 1;
  const unsigned unwanted = 0;
  hook.run = &CountingHook::count;
  hook.wanted = &unwanted;
  pump.add_hook(hook);
  engine.schedule_at(1'000, a);
  sc_core::sc_start();
  EXPECT_EQ(hook.calls, 0);
  hook.wanted = &wanted;
  { const Pump::Entry entry(pump); }
  EXPECT_EQ(hook.calls, 1);
}

TEST_F(PumpTest, HandsAnExceptionOnWithItsType) {
  a.fire = [](EventNode&) { throw std::range_error("defect"); };
  engine.schedule_at(1'000, a);
  sc_core::sc_start();
  EXPECT_THROW(pump.rethrow_failure(), std::range_error);
}

TEST_F(FreshContext, PumpRefusesAnotherTimeResolution) {
  sc_core::sc_set_time_resolution(1, sc_core::SC_NS);
  Engine engine;
  EXPECT_THROW(Pump("pump", engine), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// Interrupt outputs: width, merging and gaps of pulses.
#include "tests/tlm/fresh_context.h"
#include "tlm/interrupt_outputs.h"

namespace smmusim::systemc {
namespace {

constexpr Time width = 10'000;

struct Watcher : sc_core::sc_module {
  sc_core::sc_in<bool> line;
  std::vector<std::pair<bool, Time>> edges;
  explicit Watcher(const sc_core::sc_module_name& name) : sc_core::sc_module(name), line("line") {
    SC_HAS_PROCESS(Watcher);
    SC_METHOD(changed);
    sensitive << line;
    dont_initialize();
  }
  void changed() { edges.emplace_back(line.read(), to_ps(sc_core::sc_time_stamp())); }
};

struct InterruptTest : FreshContext {
  Engine engine;
  Pump pump{"pump", engine};
  InterruptOutputs outputs{"outputs", pump, width};
  sc_core::sc_signal<bool> signal{"signal"};
  Watcher watcher{"watcher"};
  using Edges = std::vector<std::pair<bool, Time>>;

  InterruptTest() {
    outputs.out[static_cast<unsigned>(Wire::event_queue)].bind(signal);
    watcher.line.bind(signal);
  }
  void pulse() { outputs.pulse(1U << static_cast<unsigned>(Wire::event_queue)); }
};

TEST_F(InterruptTest, PulseLastsItsWidth) {
  sc_core::sc_start(1, sc_core::SC_NS);
  pulse();
  sc_core::sc_start();
  EXPECT_EQ(watcher.edges, (Edges{{true, 1'000}, {false, 1'000 + width}}));
}

TEST_F(InterruptTest, InterruptDuringAPulseGivesAnotherAfterAGap) {
  sc_core::sc_start(1, sc_core::SC_NS);
  pulse();
  sc_core::sc_start(4, sc_core::SC_NS);
  pulse();
  pulse();
  sc_core::sc_start();
  EXPECT_EQ(watcher.edges,
            (Edges{{true, 1'000}, {false, 1'000 + width}, {true, 1'000 + 2 * width}, {false, 1'000 + 3 * width}}));
}

TEST_F(InterruptTest, OtherWiresStayLow) {
  sc_core::sc_start(1, sc_core::SC_NS);
  outputs.pulse(1U << static_cast<unsigned>(Wire::global_error));
  sc_core::sc_start();
  EXPECT_TRUE(watcher.edges.empty());
  EXPECT_EQ(outputs.pulses(Wire::global_error), 1U);
}

}  // namespace
}  // namespace smmusim::systemc

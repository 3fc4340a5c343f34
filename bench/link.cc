// SPDX-License-Identifier: MIT
// A PCIe link alone, both directions saturated with posted writes: what one TLP costs. Beside it, measured in the same
// run, the least that it needs: two events on the timing wheel, one when the lanes are free and one at the arrival.
// `ratio_to_calibration` is time per TLP over two such events.
#include <benchmark/benchmark.h>

#include "bench/calibration.h"
#include "model/sim/engine.h"
#include "platform/pcie/tlp_link.h"

namespace {

using namespace smmusim;
using namespace smmusim::platform;

constexpr Time slice = 10'000'000;  // of simulated time: thousands of TLPs

/// Keeps its posted queue full; releases at once what it gets and gives it back.
class Writer : public TlpLink::Port {
 public:
  Writer(TlpPool& pool, TlpLink& link, TlpLink::End end, unsigned bytes)
      : pool_(pool), link_(link), end_(end), bytes_(bytes) {
    link.connect(end, *this);
  }
  void refill() {
    while (link_.room(end_, FlowClass::posted)) {
      Tlp& tlp = pool_.take();
      tlp.type = TlpType::MWr;
      tlp.address = std::uint64_t{1} << 32;
      tlp.length_dw = static_cast<std::uint16_t>(bytes_ / 4);
      link_.send(end_, tlp);
    }
  }
  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    link_.release(end_, tlp);
    pool_.give(tlp);
  }
  void room_again(FlowClass, TlpLink&) override { refill(); }

 private:
  TlpPool& pool_;
  TlpLink& link_;
  TlpLink::End end_;
  unsigned bytes_;
};

/// An event that comes again after a while, like a TLP's.
struct Repeating : EventNode {
  Engine* engine = nullptr;
  Time period = 0;
  void start(Engine& on, Time every) {
    engine = &on;
    period = every;
    fire = [](EventNode& node) {
      auto& self = static_cast<Repeating&>(node);
      self.engine->schedule_in(self.period, self);
    };
    engine->schedule_in(period, *this);
  }
};

/// Four events that repeat: as many as two directions have on the wheel.
void bare_events(std::size_t pairs) {
  Engine engine;
  Repeating events[4];
  constexpr Time period = 11'000;
  for (Time i = 0; i != 4; ++i) events[i].start(engine, period + i);
  engine.run_until(period * pairs / 2);
}

void BM_Link(benchmark::State& state) {
  constexpr std::size_t calibration_items = 200'000;
  const double calibration = seconds_per_item(calibration_items, bare_events);
  Engine engine;
  TlpPool pool;
  TlpLinkConfig config;
  config.lanes = 8;
  TlpLink link(engine, config);
  const auto bytes = static_cast<unsigned>(state.range(0));
  Writer root(pool, link, TlpLink::upstream, bytes), device(pool, link, TlpLink::downstream, bytes);
  root.refill();
  device.refill();
  const auto tlps = [&] { return link.counters(TlpLink::upstream).tlps + link.counters(TlpLink::downstream).tlps; };
  for (auto _ : state) engine.run_until(engine.now() + slice);
  const std::uint64_t per_iteration = tlps() / static_cast<std::uint64_t>(state.iterations());
  report_ratio(state, calibration, per_iteration);
}
BENCHMARK(BM_Link)->Arg(64)->Arg(256);

}  // namespace

// SPDX-License-Identifier: MIT
// A switch with links: what comes out where, when and in which order, what is refused and how, and that full ports
// hold up nothing that may pass.
#include <algorithm>

#include "tests/unit/pcie_link_fixture.h"
#include "tests/unit/pcie_switch_bench.h"

namespace smmusim::platform {
namespace {

using Bench = ProgrammedSwitch;

constexpr std::uint64_t host_memory = 0x4000'0000;

TEST(PcieSwitch, PassesRequestsAndCompletionsOnAsTheyAre) {
  SwitchBench bench;
  Tlp& read = bench.device(1).make(TlpType::MRd, host_memory, 64);
  read.pasid = {true, 0x12345, true, false};
  read.id_ordering = true;
  bench.device(1).send(read);
  bench.run();
  ASSERT_EQ(bench.root().came.size(), 1U);
  const Tlp came = bench.root().came[0];
  EXPECT_EQ(came.requester_id, Bench::rid(1));
  EXPECT_EQ(came.pasid.pasid, 0x12345U);
  EXPECT_TRUE(came.id_ordering);
  bench.root().send(bench.root().answer_to(came));
  bench.run();
  ASSERT_EQ(bench.device(1).came.size(), 1U);
  EXPECT_EQ(bench.device(1).came[0].type, TlpType::CplD);
  EXPECT_EQ(bench.fabric.counters().up, 1U);
  EXPECT_EQ(bench.fabric.counters().down, 1U);
}

TEST(PcieSwitch, APeerIsReachedWithoutTheRoot) {
  SwitchBench bench;
  bench.device(1).send(bench.device(1).make(TlpType::MWr, Bench::window(3), 64));
  bench.run();
  EXPECT_EQ(bench.device(3).came.size(), 1U);
  EXPECT_TRUE(bench.root().came.empty());
  EXPECT_EQ(bench.fabric.counters().peer, 1U);
}

TEST(PcieSwitch, ARedirectedRequestIsCounted) {
  SwitchBench bench;
  Bench::set_acs(bench.bridge(1), {Acs::p2p_request_redirect});
  bench.device(1).send(bench.device(1).make(TlpType::MWr, Bench::window(3), 64));
  bench.run();
  EXPECT_EQ(bench.root().came.size(), 1U);
  EXPECT_EQ(bench.fabric.counters().redirected, 1U);
}

TEST(PcieSwitch, TheProcessingDelayIsBetweenArrivalAndDeparture) {
  constexpr Time processing = 150'000;
  TlpLinkConfig link;
  SwitchBench bench(2, link, processing);
  Time arrived = 0, left = 0;
  bench.links[1]->on_tlp = [&](Time, const Tlp&, TlpLink::End) { arrived = bench.engine.now(); };
  bench.links[0]->on_tlp = [&](Time sent, const Tlp&, TlpLink::End) { left = sent; };
  bench.device(1).send(bench.device(1).make(TlpType::MWr, host_memory, 64));
  bench.run();
  EXPECT_GT(arrived, link.propagation_ps);
  EXPECT_EQ(left, arrived + processing);
}

// --- What is refused -------------------------------------------------------------------------------------------------

TEST(PcieSwitch, UnclaimedRequestsAreUnsupported) {
  SwitchBench bench;
  ScriptedPort& device = bench.device(1);
  const std::uint16_t read = device.send(device.make(TlpType::MRd, Bench::window(1), 64));
  const std::uint16_t write = device.send(device.make(TlpType::MWr, Bench::window(1), 64));
  bench.root().send(bench.root().make(TlpType::MRd, host_memory, 8));
  bench.run();
  ASSERT_EQ(device.came.size(), 1U) << "writes have no answer";
  EXPECT_EQ(device.came[0].tag, read);
  EXPECT_EQ(device.came[0].status, CplStatus::UR);
  EXPECT_EQ(device.came[0].completer_id, 0x0200) << "the downstream port";
  EXPECT_EQ(device.results.at(write).status, DmaStatus::address_error);
  ASSERT_EQ(bench.root().came.size(), 1U);
  EXPECT_EQ(bench.root().came[0].completer_id, 0x0100) << "the upstream port";
  EXPECT_EQ(bench.fabric.counters().unsupported_requests, 3U);
}

TEST(PcieSwitch, AcsViolationsAreCompleterAborts) {
  SwitchBench bench;
  Bench::set_acs(bench.bridge(1), {Acs::source_validation});
  ScriptedPort& device = bench.device(1);
  Tlp& read = device.make(TlpType::MRd, host_memory);
  read.requester_id = Bench::rid(2);
  device.send(read);
  bench.run();
  ASSERT_EQ(device.came.size(), 1U);
  EXPECT_EQ(device.came[0].status, CplStatus::CA);
  EXPECT_EQ(device.came[0].requester_id, Bench::rid(2));
  EXPECT_EQ(device.results.at(0).status, DmaStatus::aborted);
  EXPECT_EQ(bench.fabric.counters().acs_violations, 1U);
  EXPECT_TRUE(bench.root().came.empty());
}

TEST(PcieSwitch, ACompletionForNobodyIsDropped) {
  SwitchBench bench;
  Tlp& from_root = bench.root().make(TlpType::CplD, 0, 4);
  from_root.requester_id = 0x0700;
  bench.root().send(from_root);
  Tlp& from_device = bench.device(1).make(TlpType::Cpl);
  from_device.length_dw = 0;
  bench.device(1).send(from_device);
  bench.run();
  EXPECT_EQ(bench.fabric.counters().unexpected_completions, 2U);
  for (unsigned port = 0; port != 4; ++port) EXPECT_TRUE(bench.ports[port]->came.empty()) << port;
}

TEST(PcieSwitch, WhatIsForAPortWithoutALinkHasItsOutcome) {
  Engine engine;
  TlpPool pool;
  Switch fabric(engine, pool, SwitchBench::config_of(2, 0, SwitchBench::untimed()));
  Bench::program(fabric.routes());
  TlpLink up(engine, SwitchBench::untimed());
  fabric.connect_upstream(up);
  ScriptedPort root(pool, up, TlpLink::upstream, Bench::root_id);
  root.send(root.make(TlpType::MRd, Bench::window(2)));
  Tlp& invalidate = root.make_message(InvalidateRequest{Bench::root_id, Bench::rid(2), 0, {}, {}, false});
  invalidate.watcher = &root;
  invalidate.cookie = 77;
  root.send(invalidate);
  Tlp& completion = root.make(TlpType::CplD, 0, 4);
  completion.requester_id = Bench::rid(2);
  root.send(completion);
  engine.run();
  ASSERT_EQ(root.came.size(), 1U);
  EXPECT_EQ(root.came[0].status, CplStatus::UR);
  EXPECT_EQ(root.results.count(77), 1U) << "nobody will answer the invalidation";
  EXPECT_EQ(fabric.counters().unsupported_requests, 2U);
  EXPECT_EQ(fabric.counters().unexpected_completions, 1U);
  EXPECT_EQ(fabric.type1(Bench::rid(2)), nullptr);
  EXPECT_EQ(pool.out(), 0U);
}

TEST(PcieSwitch, MalformedTlpsAreDropped) {
  SwitchBench bench;
  ScriptedPort& device = bench.device(1);
  Tlp& write = device.make(TlpType::MWr, host_memory, 64);
  write.data.clear();
  const std::uint16_t tag = device.send(write);
  device.send(device.make(TlpType::MWr, host_memory, 256));
  Tlp& read = device.make(TlpType::MRd, host_memory, 64);
  read.first_be = 0;
  device.send(read);
  bench.run();
  EXPECT_EQ(bench.fabric.counters().malformed, 2U);
  EXPECT_EQ(device.results.at(tag).status, DmaStatus::refused);
  EXPECT_TRUE(device.came.empty());
  EXPECT_EQ(bench.root().came.size(), 1U);
}

TEST(PcieSwitch, TlpsAboveMaxPayloadSizeAreMalformed) {
  SwitchConfig config = SwitchBench::config_of(1, 0, SwitchBench::untimed());
  config.mps_bytes = 128;
  Engine engine;
  TlpPool pool;
  Switch fabric(engine, pool, config);
  Bench::program(fabric.routes());
  TlpLink up(engine, SwitchBench::untimed()), down(engine, SwitchBench::untimed());
  fabric.connect_upstream(up);
  fabric.connect(1, down, nullptr);
  ScriptedPort root(pool, up, TlpLink::upstream, Bench::root_id), device(pool, down, TlpLink::downstream, 0x0300);
  device.send(device.make(TlpType::MWr, host_memory, 256));
  device.send(device.make(TlpType::MWr, host_memory, 128));
  engine.run();
  EXPECT_EQ(fabric.counters().malformed, 1U);
  EXPECT_EQ(root.came.size(), 1U);
}

// --- Order -----------------------------------------------------------------------------------------------------------

/// Every port has room for one TLP of each class, and a device that takes nothing out of its buffer of one.
struct TightSwitch : SwitchBench {
  TightSwitch() : SwitchBench(3, tight()) {}
  static TlpLinkConfig tight() {
    TlpLinkConfig config = untimed();
    config.transmit_queue = 1;
    for (FlowCredits* credits : {&config.upstream_receiver, &config.downstream_receiver}) {
      credits->headers = {1, 1, 1};
      credits->data = {0, 0, 0};
    }
    return config;
  }
  /// Sends from device 1 in this order, each as soon as there is room; "P": a write to the peer at port 2, "p": to
  /// host memory; "N", "n": reads; "C": a completion for the peer, "R": with Relaxed Ordering.
  void send_all(const std::string& kinds) {
    ScriptedPort& device = ports[1] ? *ports[1] : root();
    unsigned tag = 0;
    for (const char kind : kinds) {
      const bool peer = kind == 'P' || kind == 'N';
      const bool completion = kind == 'C' || kind == 'R';
      const TlpType type = completion ? TlpType::CplD : kind == 'P' || kind == 'p' ? TlpType::MWr : TlpType::MRd;
      Tlp& tlp = device.make(type, completion ? 0 : peer ? Bench::window(2) : host_memory, 4);
      tlp.tag = static_cast<std::uint16_t>(tag++);
      tlp.watcher = nullptr;
      if (completion) {
        tlp.requester_id = Bench::rid(2);
        tlp.relaxed_ordering = kind == 'R';
      }
      ASSERT_TRUE(device.room(tlp.flow_class())) << kinds << ": " << kind;
      device.send(tlp);
      engine.run();
    }
  }
};

/// Fills port 2 with writes until the next one waits in the switch.
constexpr unsigned writes_until_blocked = 3;  // one in the device's buffer, one in the transmit queue, one waiting

TEST(PcieSwitch, NonPostedRequestsAndCompletionsWaitBehindABlockedWrite) {
  TightSwitch bench;
  bench.device(2).keeps = true;
  bench.send_all("PPPnC");
  EXPECT_EQ(bench.device(2).told(), "MWr0");
  EXPECT_TRUE(bench.root().came.empty());
  EXPECT_FALSE(bench.fabric.idle());
  bench.device(2).take_out_kept();
  bench.run();
  EXPECT_EQ(bench.device(2).told(), "MWr0 MWr1 MWr2 CplD4");
  EXPECT_EQ(bench.root().told(), "MRd3");
}

TEST(PcieSwitch, RelaxedCompletionsPassABlockedWrite) {
  TightSwitch bench;
  bench.device(2).keeps = true;
  bench.send_all("PPPR");
  EXPECT_EQ(bench.device(2).told(), "MWr0 CplD3");
  bench.device(2).take_out_kept();
  bench.run();
  EXPECT_EQ(bench.device(2).came.size(), 4U);
}

TEST(PcieSwitch, WritesAndCompletionsPassBlockedReads) {
  TightSwitch bench;
  bench.device(2).keeps = true;
  bench.send_all("NNNpC");
  EXPECT_EQ(bench.device(2).told(), "MRd0 CplD4");
  EXPECT_EQ(bench.root().told(), "MWr3");
  bench.device(2).take_out_kept();
  bench.run();
  EXPECT_EQ(bench.device(2).told(), "MRd0 CplD4 MRd1 MRd2");
}

TEST(PcieSwitch, WritesKeepTheirOrderWhateverTheirEgress) {
  TightSwitch bench;
  bench.device(2).keeps = true;
  bench.send_all("PPPp");
  EXPECT_TRUE(bench.root().came.empty());
  bench.device(2).take_out_kept();
  bench.run();
  EXPECT_EQ(bench.root().told(), "MWr3");
}

TEST(PcieSwitch, ABlockedPortHoldsUpNoOther) {
  TightSwitch bench;
  bench.device(2).keeps = true;
  bench.send_all("PPP");
  for (int i = 0; i != 3; ++i) {
    bench.device(3).send(bench.device(3).make(TlpType::MWr, host_memory));
    bench.engine.run();
  }
  EXPECT_EQ(bench.root().came.size(), 3U);
  bench.device(2).take_out_kept();
  bench.run();
  EXPECT_EQ(bench.device(2).came.size(), writes_until_blocked);
}

// --- Shared bandwidth ------------------------------------------------------------------------------------------------

/// Keeps a port's transmit queue full of writes to host memory.
void flood(SwitchBench& bench, unsigned port, unsigned bytes, Time until) {
  ScriptedPort& device = bench.device(port);
  const auto fill = [&bench, &device, bytes, until] {
    while (bench.engine.now() < until && device.room(FlowClass::posted)) {
      device.send(device.make(TlpType::MWr, host_memory, bytes));
    }
  };
  device.on_room = fill;
  fill();
}

TEST(PcieSwitch, TwoDevicesShareTheUpstreamLinkEvenly) {
  constexpr unsigned payload = 256;
  constexpr Time duration = 20'000'000, processing = 100'000;
  const TlpLinkConfig link{.generation = 3, .lanes = 4, .mps_bytes = payload};
  std::array<double, 3> together{};  // TLPs at the root of each device, with one and with two at work
  double alone = 0;
  for (const unsigned at_work : {1U, 2U}) {
    SwitchBench bench(2, link, processing);
    for (unsigned port = 1; port <= at_work; ++port) flood(bench, port, payload, duration);
    bench.engine.run(duration);
    std::array<double, 3> of{};
    for (const Tlp& tlp : bench.root().came) of[(tlp.requester_id >> 8) - Bench::inside] += 1;
    (at_work == 1 ? alone : together[0]) = of[1] + of[2];
    if (at_work == 2) together = {together[0], of[1], of[2]};
    bench.run();
  }
  EXPECT_GT(alone, 100);
  EXPECT_NEAR(together[0] / alone, 1, 0.01) << "the upstream link is the limit";
  EXPECT_NEAR(together[1] / together[2], 1, 0.02);
}

}  // namespace
}  // namespace smmusim::platform

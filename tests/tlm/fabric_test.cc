// SPDX-License-Identifier: MIT
// Functions behind a switch and behind another root port: DMA, peers directly and through the root complex and the
// SMMU, what ACS makes of that, ATS and PRI through the switch, the host's accesses to BARs.
#include <random>

#include "platform/driver/commands.h"
#include "tests/tlm/fabric_machine.h"

namespace smmusim::platform {
namespace {

struct FabricTest : systemc::FreshContext {};
using Machine = FabricMachine;

constexpr std::uint32_t isolate = 0x1d;  // V, R, C and U
constexpr std::uint32_t direct_translated = 0x5d;

// --- Configuration space ---------------------------------------------------------------------------------------------

TEST_F(FabricTest, EnumerationNumbersBusesDepthFirstAndOpensWindows) {
  Machine m;
  m.start();
  EXPECT_EQ(m.root_ports[0].secondary(), 1U);
  EXPECT_EQ(m.root_ports[0].subordinate(), 4U);
  EXPECT_EQ(m.port(0).secondary(), 2U);
  EXPECT_EQ(m.port(1).secondary(), 3U);
  EXPECT_EQ(m.port(2).secondary(), 4U);
  EXPECT_EQ(m.root_ports[1].secondary(), 5U);
  EXPECT_EQ(m.bar(Machine::a), Machine::window_base);
  EXPECT_EQ(m.bar(Machine::b), Machine::window_base + 0x10'0000);
  EXPECT_EQ(m.bar(Machine::far), Machine::window_base + 0x20'0000);
  EXPECT_EQ(m.root_ports[0].memory_window(), (BridgeWindow{Machine::window_base, Machine::window_base + 0x1f'ffff}));
  EXPECT_EQ(m.port(2).memory_window(), (BridgeWindow{m.bar(Machine::b), m.bar(Machine::b) + 0xf'ffff}));
  EXPECT_EQ(m.port(2).prefetchable_window(), std::nullopt);
}

TEST_F(FabricTest, ConfigurationRequestsAreRoutedByBusNumbers) {
  Machine m;
  const PciAccess access = m.access();
  EXPECT_EQ(access.read(0x0008, 0, 2), 0x1b36U) << "a root port";
  EXPECT_EQ(access.read(0x0018, 0, 4), 0xffff'ffffU);
  EXPECT_EQ(access.read(0x0100, 0, 4), 0xffff'ffffU) << "no bus has a number";
  m.start();
  EXPECT_EQ(access.read(0x0100, 0x40 + 2, 2) >> 4 & 0xf, 5U) << "Upstream Port";
  EXPECT_EQ(access.read(0x0208, 0x40 + 2, 2) >> 4 & 0xf, 6U) << "Downstream Port";
  EXPECT_EQ(access.read(0x0300, 0x0e, 1), 0U);
  for (const std::uint16_t nobody :
       std::initializer_list<std::uint16_t>{0x0108, 0x0201, 0x0210, 0x0301, 0x0308, 0x0600}) {
    EXPECT_EQ(access.read(nobody, 0, 4), 0xffff'ffffU) << nobody;
  }
  access.write(0x0200, bridge_register::primary_bus, 0x000202, 4);
  EXPECT_EQ(access.read(0x0300, 0, 4), 0xffff'ffffU) << "the port's secondary bus is its primary one: no loop";
}

// --- DMA through the switch ------------------------------------------------------------------------------------------

TEST_F(FabricTest, DmaOfAFunctionBehindASwitchIsTranslated) {
  Machine m;
  m.start();
  m.push(Machine::b, 0x8000, 4096, true, 7);
  m.run();
  m.push(Machine::a, 0x8000, 4096, false, 8);
  m.run();
  ASSERT_EQ(m.done.size(), 2U);
  for (const auto& done : m.done) EXPECT_EQ(done.status, DmaStatus::ok);
  std::vector<unsigned char> expected(4096);
  fill_pattern(7, expected);
  EXPECT_EQ(m.done[1].data, expected);
  EXPECT_EQ(m.world.smmu.smmu().counters().transactions, 40U) << "32 writes of 128 bytes and 8 reads of 512";
}

TEST_F(FabricTest, WithBusMasterOffAtABridgeRequestsAreUnsupported) {
  for (const std::uint16_t bridge : std::initializer_list<std::uint16_t>{0x0200, 0x0100, 0x0008}) {
    const std::unique_ptr<sc_core::sc_simcontext> context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    {
      Machine m;
      m.start();
      m.access().write(bridge, 4, 2, 2);
      m.push(Machine::a, 0x8000, 64, false);
      m.push(Machine::a, 0x8000, 64, true);
      m.run();
      ASSERT_EQ(m.done.size(), 2U) << bridge;
      for (const auto& done : m.done) EXPECT_NE(done.status, DmaStatus::ok) << bridge;
      EXPECT_EQ(m.world.smmu.smmu().counters().transactions, 0U);
      EXPECT_EQ(m.fabric.counters().unsupported_requests + m.root.counters().unsupported_requests, 2U) << bridge;
    }
    sc_core::sc_curr_simcontext = before;
  }
}

// --- Peer to peer ----------------------------------------------------------------------------------------------------

struct Peer {
  const char* name;
  unsigned to;  // the function whose BAR it is
  std::uint32_t acs;
  bool ats;            // a's accesses go out translated
  bool through_smmu;   // of what is not a Translation Request
  std::uint64_t peer;  // requests that the switch passes from port to port
};
constexpr Peer peers[] = {
    {"untranslated, no ACS: directly", Machine::b, 0, false, false, 2},
    {"untranslated, redirected", Machine::b, isolate, false, true, 0},
    {"translated, no ACS: directly", Machine::b, 0, true, false, 2},
    {"translated, redirected", Machine::b, isolate, true, true, 0},
    {"translated, direct translated", Machine::b, direct_translated, true, false, 2},
    {"untranslated, direct translated", Machine::b, direct_translated, false, true, 0},
    {"below another root port", Machine::far, 0, false, true, 0},
    {"below another root port, translated", Machine::far, isolate, true, true, 0},
};

class FabricPeerTest : public FabricTest, public testing::WithParamInterface<Peer> {};

TEST_P(FabricPeerTest, WritesAndReadsReachThePeersBar) {
  const Peer& row = GetParam();
  Machine m;
  m.start(row.acs, row.ats);
  const std::uint64_t target = m.bar(row.to) + 0x40;
  // A Translation Request goes by address too: where that is a peer's, only a redirect brings it to the root complex.
  const std::uint64_t address = row.ats ? target + Machine::alias : target;
  m.push(Machine::a, address, 64, true, 5);
  m.run();
  const std::uint64_t translations = m.root.counters().translation_requests;
  m.push(Machine::a, address, 64, false, 6);
  m.run();
  ASSERT_EQ(m.done.size(), 2U);
  std::vector<unsigned char> expected(64);
  fill_pattern(5, expected);
  for (const auto& done : m.done) EXPECT_EQ(done.status, DmaStatus::ok);
  EXPECT_EQ(m.done[1].data, expected);
  EXPECT_EQ(m.bars[row.to].bytes.at(0x40), expected[0]);
  EXPECT_EQ(m.done[0].address, Pa(target));
  EXPECT_EQ(m.root.counters().memory_requests, row.through_smmu ? 2U : 0U);
  EXPECT_EQ(translations, row.ats ? 1U : 0U);
  // The completion of a direct read goes directly too, unless its port redirects it.
  const std::uint64_t redirected_completion = row.peer != 0 && row.acs != 0 ? 1 : 0;
  EXPECT_EQ(m.root.counters().peer_completions, redirected_completion);
  EXPECT_EQ(m.fabric.counters().peer, row.peer + (row.peer != 0 ? 1 - redirected_completion : 0));
}

INSTANTIATE_TEST_SUITE_P(Ways, FabricPeerTest, testing::ValuesIn(peers), [](const auto& row) {
  std::string name;
  for (const char* c = row.param.name; *c != 0; ++c) name += std::isalnum(static_cast<unsigned char>(*c)) ? *c : '_';
  return name;
});

TEST_F(FabricTest, ATranslationRequestForAPeersAddressIsThePeersToRefuseUnlessItIsRedirected) {
  Machine m;
  m.start(0, true);
  m.push(Machine::a, m.bar(Machine::b), 64, true);
  m.run();
  ASSERT_EQ(m.done.size(), 1U);
  EXPECT_EQ(m.done[0].status, DmaStatus::aborted);
  EXPECT_EQ(m.functions[Machine::b].tlp_counters().unsupported, 1U);
  EXPECT_EQ(m.root.counters().translation_requests, 0U);
}

TEST_F(FabricTest, ARedirectedRequestThatTheSmmuRefusesReachesNoPeer) {
  Machine m;
  m.start(isolate);
  m.push(Machine::a, m.bar(Machine::b) + Machine::bar_bytes, 64, true);  // claimed by b's port, mapped for nobody
  m.run();
  ASSERT_EQ(m.done.size(), 1U);
  EXPECT_EQ(m.done[0].status, DmaStatus::aborted);
  EXPECT_EQ(m.bars[Machine::b].writes, 0U);
}

TEST_F(FabricTest, AnAddressInTheWindowThatNobodyClaimsIsAnAddressError) {
  Machine m;
  m.start();
  m.world.page_tables[0].map(0x7000'0000, Pa(Machine::window_base + 0x800'0000), 4096, {});
  m.world.page_tables[0].map(0x7000'1000, Pa(m.bar(Machine::far) + Machine::bar_bytes), 4096, {});
  for (const std::uint64_t address : {0x7000'0000u, 0x7000'1000u}) {
    m.push(Machine::a, address, 64, false);
    m.push(Machine::a, address, 64, true);
  }
  m.run();
  ASSERT_EQ(m.done.size(), 4U);
  for (const auto& done : m.done) EXPECT_NE(done.status, DmaStatus::ok);
}

/// Reads of peers through the root fill every place at the root complex, and the answers come behind the peers' own
/// writes, which need a place too.
TEST_F(FabricTest, ReadsOfEachOtherThroughTheRootDoNotBlockTheirWrites) {
  constexpr unsigned rounds = 200;
  RootComplexConfig config;
  config.outstanding = 2;
  TlpLinkConfig link;
  link.transmit_queue = 2;
  for (FlowCredits* credits : {&link.upstream_receiver, &link.downstream_receiver}) {
    credits->headers = {2, 2, 2};
    credits->data = {32, 2, 32};
  }
  Machine m(config, {}, link);
  m.start(isolate);
  for (unsigned i = 0; i != rounds; ++i) {
    for (const auto& [from, to] : {std::pair{Machine::a, Machine::b}, {Machine::b, Machine::a}}) {
      m.push(from, m.bar(to) + 64 * i, 64, false, i);
      m.push(from, m.bar(to) + 64 * i, 64, true, i);
      m.push(from, 0x8000, 64, true, i);
    }
  }
  m.run();
  EXPECT_EQ(m.done.size(), 6 * rounds);
  for (const auto& done : m.done) EXPECT_EQ(done.status, DmaStatus::ok);
}

// --- ATS and PRI -----------------------------------------------------------------------------------------------------

TEST_F(FabricTest, InvalidationsAndPageRequestsPassTheSwitch) {
  constexpr std::uint64_t queue = Machine::ram + 0x800'0000, pri_queue = Machine::ram + 0x810'0000;
  Machine m;
  m.start(isolate, true);
  ConfigSpace& space = m.functions[Machine::b].config_space().space();
  const std::uint16_t pri = *m.functions[Machine::b].config_space().capability(0x13, true);
  space.write(pri + cap::pri_allocation, 8, 4);
  space.write(pri + cap::pri_control, 1, 2);
  m.world.write(spec::reg::CMDQ_BASE, queue | 8, 8);
  m.world.write(spec::reg::PRIQ_BASE, pri_queue | 4, 8);
  constexpr std::uint32_t enable = 1, pri_queue_enable = 2, command_queue_enable = 8;
  m.world.write(spec::reg::CR0, enable | pri_queue_enable | command_queue_enable);
  m.push(Machine::b, 0x8000, 64, false, 1);
  m.run();
  EXPECT_EQ(m.functions[Machine::b].atc().counters().fills, 0U) << "no ATC is configured, so each access asks";
  std::uint32_t produced = 0;
  const auto command = [&](const spec::Command& c) {
    m.world.memory.poke(Pa(queue + 16 * std::uint64_t{produced++}), c.dw.data(), 16);
  };
  command(make_atc_inv(StreamId(4), 0x8000, 0x8fff));
  command(make_atc_inv(StreamId(9), 0x8000, 0x8fff));  // nobody's
  command(make_sync());
  m.world.write(spec::reg::CMDQ_PROD, produced);
  m.run();
  EXPECT_EQ(m.world.read(spec::reg::CMDQ_CONS), produced);
  EXPECT_EQ(m.functions[Machine::b].tlp_counters().invalidate_completions, 1U);
  EXPECT_EQ(m.root.counters().invalidate_completions, 1U);
  m.push(Machine::b, 0x5000'0000, 64, false, 2);  // not mapped
  sc_core::sc_start();
  EXPECT_EQ(m.root.counters().page_requests, 1U);
  EXPECT_EQ(m.world.read(spec::reg::PRIQ_PROD), 1U);
  spec::Command response;
  response.set<spec::Command::OP>(spec::Opcode::CMD_PRI_RESP).set<spec::Command::StreamID>(4U);
  command(response);  // Resp: Response Failure
  m.world.write(spec::reg::CMDQ_PROD, produced);
  m.run();
  EXPECT_EQ(m.functions[Machine::b].tlp_counters().page_failures, 1U);
  EXPECT_EQ(m.done.back().status, DmaStatus::aborted);
}

// --- The host's accesses ---------------------------------------------------------------------------------------------

TEST_F(FabricTest, TheCpuReachesBarsAtOnce) {
  Machine m;
  m.start();
  m.cpu.store(Pa(m.bar(Machine::b) + 8), 0x1122'3344'5566'7788, 8);
  EXPECT_EQ(m.cpu.load(Pa(m.bar(Machine::b) + 8), 8), 0x1122'3344'5566'7788U);
  EXPECT_EQ(m.cpu.load(Pa(m.bar(Machine::b) + 12), 4), 0x1122'3344U);
  EXPECT_THROW(m.cpu.load(Pa(m.bar(Machine::b) + Machine::bar_bytes), 8), InternalError);
}

// --- Hostile devices -------------------------------------------------------------------------------------------------

TEST_F(FabricTest, AForeignRequesterIdIsAViolationAtTheSwitchAndAtTheRootPort) {
  Machine m;
  m.start(isolate);
  Tlp& tlp = m.pool.take();
  tlp.type = TlpType::MWr;
  tlp.requester_id = Machine::rids[Machine::b];
  tlp.address = 0x8000;
  tlp.data.assign(4, 1);
  Tlp& at_root = m.pool.take();
  at_root.type = TlpType::MWr;
  at_root.requester_id = Machine::rids[Machine::b];
  at_root.address = 0x8000;
  at_root.data.assign(4, 1);
  {
    const systemc::Pump::Entry entry(m.world.pump);
    m.links[1].send(TlpLink::downstream, tlp);
    m.links[3].send(TlpLink::downstream, at_root);
  }
  m.run();
  EXPECT_EQ(m.fabric.counters().acs_violations, 1U);
  EXPECT_EQ(m.root.counters().acs_violations, 1U);
  EXPECT_EQ(m.world.smmu.smmu().counters().transactions, 0U);
}

TEST_F(FabricTest, RandomTrafficBetweenAllEndsOnce) {
  constexpr std::uint64_t seed = 20261130;
  constexpr unsigned accesses = 3000;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  PcieFunctionConfig function;
  function.queue_max = accesses;
  function.atc.cache = {64, 4, Replacement::lru};
  RootComplexConfig config;
  config.outstanding = 8;
  Machine m(config, function);
  m.start(direct_translated, true);
  for (unsigned i = 0; i != accesses; ++i) {
    const auto from = static_cast<unsigned>(random() % 3);
    const auto to = static_cast<unsigned>(random() % 3);
    const std::uint64_t base = random() % 2 == 0 || to == from ? 0x8000 : m.bar(to);
    m.push(from, base + random() % 0xf000, static_cast<std::uint32_t>(1 + random() % 2000), random() % 2 == 0, i);
  }
  m.run();
  ASSERT_EQ(m.done.size(), accesses);
  for (const auto& done : m.done) EXPECT_EQ(done.status, DmaStatus::ok) << done.tag;
  EXPECT_GT(m.fabric.counters().peer, 100U);
  EXPECT_GT(m.bars[Machine::far].writes, 100U);
}

}  // namespace
}  // namespace smmusim::platform

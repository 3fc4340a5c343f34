// SPDX-License-Identifier: MIT
// Endpoint, link, root complex, interconnect, memory and doorbell around an SMMU.
#include <array>

#include "platform/endpoint/pcie_function.h"
#include "platform/memory/doorbell.h"
#include "platform/memory/interconnect.h"
#include "platform/pcie/root_complex.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

using namespace smmusim::platform;

constexpr std::uint64_t doorbell_page = 0x8090000;
constexpr std::uint64_t frame = 0x9050000;

struct Machine {
  static constexpr std::uint16_t rid = 0x0108;

  SmmuWorld world;
  MemoryModule ram{"ram", world.pump, world.memory};
  Doorbell doorbell{"doorbell", world.pump};
  Interconnect interconnect;
  TlpPool tlps;
  RootComplex root;
  PcieFunction endpoint;
  TlpLink link_to_root;
  ProtocolMonitor client{"client"}, downstream{"downstream"}, memory{"memory"}, bell{"bell"}, registers{"registers"};
  std::array<ProtocolMonitor*, 6> monitors{&client, &downstream, &memory, &bell, &registers, &world.tcu_monitor};
  std::vector<std::pair<DmaStatus, Time>> done;

  explicit Machine(const PcieFunctionConfig& config = with_rid({}), const SmmuConfig& smmu = {})
      : world(smmu),
        interconnect("interconnect", world.pump, 1, 3,
                     {{{Pa(SmmuWorld::ram), std::uint64_t{1} << 32, 0, false},
                       {Pa(doorbell_page), 0x1000, 1, false},
                       {Pa(frame), 0x20000, 2, true}}}),
        root("root", world.pump, tlps, 1, map()),
        endpoint(world.pump.engine(), tlps, config, {}),
        link_to_root(world.pump.engine(), {}) {
    endpoint.connect(link_to_root);
    root.connect(0, link_to_root);
    link(root.out[0], client, world.smmu.tbu_in[0]);
    link(world.smmu.tbu_out[0], downstream, interconnect.in[0]);
    link(interconnect.out[0], memory, ram.in);
    link(interconnect.out[1], bell, doorbell.in);
    link(interconnect.out[2], registers, world.smmu.registers);
    constexpr std::uint32_t command = 4, memory_and_master = 6;
    endpoint.config_space().space().write(command, memory_and_master, 2);
    endpoint.set_handler([this](const DmaCompletion& d) { done.emplace_back(d.status, d.latency()); });
  }
  template <class Target>
  static void link(tlm::tlm_initiator_socket<>& from, ProtocolMonitor& monitor, Target& to) {
    from.bind(monitor.in);
    monitor.out.bind(to);
  }
  static PcieFunctionConfig with_rid(PcieFunctionConfig config) {
    config.requester_id = rid;
    return config;
  }
  static RootComplexConfig map() {
    RootComplexConfig config;
    config.rid_map = {{0x0100, 0x10, StreamId(0x20), 0}};
    config.ports = {{}};
    return config;
  }
  void run() {
    sc_core::sc_start();
    world.pump.rethrow_failure();
    for (const ProtocolMonitor* monitor : monitors) {
      EXPECT_TRUE(monitor->quiet()) << monitor->name();
    }
    EXPECT_TRUE(endpoint.idle());
    EXPECT_TRUE(root.idle());
    EXPECT_EQ(endpoint.imbalance(), "");
    EXPECT_TRUE(world.smmu.smmu().idle());
  }
};

DmaWork work(std::uint64_t address, std::uint32_t size, bool write, std::uint64_t tag = 0) {
  DmaWork result;
  result.address = Va(address);
  result.size = size;
  result.write = write;
  result.tag = tag;
  return result;
}

struct PlatformTest : FreshContext {};

TEST_F(PlatformTest, WritePassesTheWholeMachine) {
  Machine machine;
  machine.world.add_stream(0x28).map(0x8000, Pa(0x40005000), 4096, {});
  machine.world.enable();
  machine.endpoint.push(work(0x8100, 256, true, 77));
  machine.run();
  ASSERT_EQ(machine.done.size(), 1U);
  EXPECT_EQ(machine.done[0].first, DmaStatus::ok);
  std::vector<unsigned char> expected(256);
  fill_pattern(77, expected);
  std::vector<unsigned char> found(256);
  machine.world.memory.peek(Pa(0x40005100), found.data(), found.size());
  EXPECT_EQ(found, expected);
}

TEST_F(PlatformTest, ReadBringsTheDataAndTheOutputAddress) {
  Machine machine;
  machine.world.add_stream(0x28).map(0x8000, Pa(0x40005000), 4096, {});
  machine.world.enable();
  machine.world.memory.store64(Pa(0x40005100), 0x55);
  Pa output{};
  unsigned first = 0;
  machine.endpoint.set_handler([&](const DmaCompletion& d) {
    output = d.smmu.address;
    first = d.data.empty() ? 0 : d.data[0];
  });
  machine.endpoint.push(work(0x8100, 64, false));
  machine.run();
  EXPECT_EQ(output, Pa(0x40005100));
  EXPECT_EQ(first, 0x55U);
}

TEST_F(PlatformTest, FaultAndDecodeErrorAreToldApart) {
  Machine machine;
  machine.world.add_stream(0x28).map(0x8000, Pa(0x20000000), 4096, {});
  machine.world.enable();
  machine.endpoint.push(work(0x8000, 8, true));
  machine.endpoint.push(work(0x9000, 8, true));
  std::map<std::uint64_t, DmaStatus> status;
  machine.endpoint.set_handler([&](const DmaCompletion& d) { status[d.work.address.value] = d.status; });
  machine.run();
  EXPECT_EQ(status[0x8000], DmaStatus::address_error);
  EXPECT_EQ(status[0x9000], DmaStatus::aborted);
  EXPECT_EQ(machine.interconnect.decode_errors(), 1U);
}

TEST_F(PlatformTest, UnmappedRidIsAnUnsupportedRequest) {
  PcieFunctionConfig config;
  config.requester_id = 0x0110;  // one behind the row
  Machine machine(config);
  machine.endpoint.push(work(0x8000, 8, false));
  machine.run();
  EXPECT_EQ(machine.done[0].first, DmaStatus::aborted);
  EXPECT_EQ(machine.root.counters().unsupported_requests, 1U);
  EXPECT_EQ(machine.world.smmu.smmu().counters().transactions, 0U);
}

TEST_F(PlatformTest, MsiWriteRingsTheDoorbell) {
  Machine machine;
  machine.world.add_stream(0x28).map(0xf000, Pa(doorbell_page), 4096, {});
  machine.world.enable();
  machine.endpoint.push(work(0xf040, 4, true, 3));
  machine.run();
  ASSERT_EQ(machine.doorbell.count(), 1U);
  EXPECT_EQ(machine.doorbell.last().address, doorbell_page + 0x40);
  EXPECT_EQ(machine.doorbell.last().size, 4U);
}

TEST_F(PlatformTest, InterconnectGivesRegisterFramesOffsets) {
  Machine machine;
  machine.endpoint.push(work(frame + spec::reg::STRTAB_BASE, 8, true, 1));  // GBPA bypass: the address is physical
  machine.run();
  EXPECT_EQ(machine.done[0].first, DmaStatus::ok);
  EXPECT_NE(machine.world.read(spec::reg::STRTAB_BASE, 8), 0U);
}

TEST_F(PlatformTest, EndpointKeepsItsOutstandingLimit) {
  PcieFunctionConfig config = Machine::with_rid({});
  config.outstanding = 3;
  Machine machine(config);
  unsigned most = 0;
  machine.endpoint.set_handler([&](const DmaCompletion&) { most = std::max(most, machine.endpoint.in_flight()); });
  for (unsigned i = 0; i != 20; ++i) machine.endpoint.push(work(SmmuWorld::ram + 0x1000 * i, 64, true));
  machine.run();
  EXPECT_EQ(machine.endpoint.counters().completed, 20U);
  EXPECT_EQ(most, 3U);
}

TEST_F(PlatformTest, EndpointQueueIsBounded) {
  PcieFunctionConfig config = Machine::with_rid({});
  config.queue_max = 2;
  Machine machine(config);
  EXPECT_TRUE(machine.endpoint.push(work(SmmuWorld::ram, 64, true)));
  EXPECT_TRUE(machine.endpoint.push(work(SmmuWorld::ram, 64, true)));
  EXPECT_FALSE(machine.endpoint.push(work(SmmuWorld::ram, 64, true)));
}

TEST_F(PlatformTest, EndpointRefusesAnEmptyAccess) {
  Machine machine;
  EXPECT_THROW(machine.endpoint.push(work(SmmuWorld::ram, 0, true)), std::invalid_argument);
}

TEST_F(PlatformTest, EndpointKeepsItsIssueInterval) {
  PcieFunctionConfig config = Machine::with_rid({});
  config.issue_interval_ps = 500'000;
  Machine machine(config);
  std::vector<Time> issued;
  machine.endpoint.set_handler([&](const DmaCompletion& d) { issued.push_back(d.issued_at); });
  for (int i = 0; i != 3; ++i) machine.endpoint.push(work(SmmuWorld::ram, 64, true));
  machine.run();
  EXPECT_EQ(issued, (std::vector<Time>{0, config.issue_interval_ps, 2 * config.issue_interval_ps}));
}

/// Framing, header and data on the lanes, then every stage; a posted write has no way back.
TEST_F(PlatformTest, PostedWriteTakesTheNamedLatencies) {
  Machine machine;
  machine.endpoint.push(work(SmmuWorld::ram, 64, true));
  machine.run();
  const RootComplexConfig root;
  const InterconnectConfig interconnect;
  const TlpLinkConfig& link = machine.link_to_root.config();
  const SmmuConfig smmu;
  const Clock clock{1'000'000 / smmu.tcu.clock_mhz};
  constexpr unsigned short_header = 12, payload = 64;
  const Time at_tbu = machine.link_to_root.serialisation(link.framing_bytes + short_header + payload) +
                      link.propagation_ps + root.request_processing_ps;
  EXPECT_EQ(machine.done[0].second, clock.next_edge(at_tbu) + clock.cycles(smmu.tbu.lookup_cycles) +
                                        interconnect.request_latency_ps + MemoryModuleConfig{}.latency_ps +
                                        interconnect.response_latency_ps);
}

/// A write of two pages is two TLPs side by side: the times are those of the last.
TEST_F(PlatformTest, TimesOfTranslationAndMemoryAreBooked) {
  Machine machine;
  const SmmuConfig smmu;
  const Clock clock{1'000'000 / smmu.tcu.clock_mhz};
  const InterconnectConfig interconnect;
  const Time memory =
      interconnect.request_latency_ps + MemoryModuleConfig{}.latency_ps + interconnect.response_latency_ps;
  Time translation = 0, at_memory = 0;
  machine.endpoint.set_handler([&](const DmaCompletion& d) {
    translation = d.smmu.translation_time;
    at_memory = d.smmu.memory_time;
  });
  machine.endpoint.push(work(SmmuWorld::ram + 0xff0, 32, true));
  machine.run();
  EXPECT_EQ(at_memory, memory);
  EXPECT_GE(translation, clock.cycles(smmu.tbu.lookup_cycles));
  EXPECT_LT(translation, clock.cycles(smmu.tbu.lookup_cycles + 1)) << "with the way to the clock's edge";
}

TEST_F(PlatformTest, ReachIsThatOfThePartThatWentFarthest) {
  Machine machine;
  machine.world.add_stream(0x28).map(0x8000, Pa(0x40005000), 8192, {});
  machine.world.enable();
  std::vector<Reach> reached;
  machine.endpoint.set_handler([&](const DmaCompletion& d) {
    reached.push_back(d.smmu.reach);
    if (reached.size() == 1) machine.endpoint.push(work(0x8ff0, 32, true));
    if (reached.size() == 2) machine.endpoint.push(work(0x8ff0, 32, true));
  });
  machine.endpoint.push(work(0x9000, 8, true));
  machine.run();
  // The second page is known, the first is not: the access is a walk.
  EXPECT_EQ(reached, (std::vector<Reach>{Reach::configuration, Reach::walk, Reach::tbu}));
}

TEST_F(PlatformTest, RunningAheadChangesNoLatency) {
  std::vector<std::pair<DmaStatus, Time>> results[2];
  for (int ahead = 0; ahead != 2; ++ahead) {
    sc_core::sc_simcontext context;
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, &context);
    {
      Machine machine;
      machine.world.pump.set_run_ahead(ahead == 0 ? 0 : 1'000'000);
      for (ProtocolMonitor* monitor : machine.monitors) monitor->checks_times = ahead == 0;
      machine.world.add_stream(0x28).map(0x8000, Pa(0x40005000), 65536, {});
      machine.world.enable();
      for (unsigned i = 0; i != 200; ++i) machine.endpoint.push(work(0x8000 + 64 * (i * 37 % 1024), 64, i % 3 == 0));
      machine.run();
      results[ahead] = machine.done;
    }
    sc_core::sc_curr_simcontext = before;
  }
  EXPECT_EQ(results[0].size(), 200U);
  EXPECT_EQ(results[0], results[1]);
}

TEST_F(PlatformTest, RoutersKeepTheProtocolBetweenSlowNeighbours) {
  Engine engine;
  Pump pump("pump", engine);
  Interconnect router("router", pump, 2, 1, {{{Pa(0), 1 << 20, 0, false}}});
  PlainInitiator a("a"), b("b");
  ProtocolMonitor above_a("above_a"), above_b("above_b"), below("below");
  SlowTarget target("target");
  a.out.bind(above_a.in);
  b.out.bind(above_b.in);
  above_a.out.bind(router.in[0]);
  above_b.out.bind(router.in[1]);
  router.out[0].bind(below.in);
  below.out.bind(target.in);
  b.end_response_delay = sc_core::sc_time(70, sc_core::SC_NS);
  for (unsigned i = 0; i != 16; ++i) {
    a.add(64 * i, 8, false);
    b.add(64 * i + 8, 8, true);
  }
  sc_core::sc_start();
  pump.rethrow_failure();
  for (const ProtocolMonitor* monitor : {&above_a, &above_b, &below}) {
    EXPECT_EQ(monitor->violations, std::vector<std::string>{}) << monitor->name();
    EXPECT_EQ(monitor->completions, monitor->requests) << monitor->name();
  }
  EXPECT_EQ(a.done.size() + b.done.size(), 32U);
}

struct RidRow {
  std::uint16_t rid;
  std::optional<StreamId> expect;
};

TEST_F(PlatformTest, RidMapFollowsIommuMap) {
  Engine engine;
  Pump pump("pump", engine);
  RootComplexConfig config;
  config.rid_map = {{0x0008, 1, StreamId(0x8), 0}, {0x0100, 0x100, StreamId(0x1000), 0}};
  TlpPool tlps;
  RootComplex root("root", pump, tlps, 1, config);
  const RidRow rows[] = {{0x0008, StreamId(0x8)},    {0x0009, std::nullopt}, {0x0100, StreamId(0x1000)},
                         {0x01ff, StreamId(0x10ff)}, {0x0200, std::nullopt}, {0x0000, std::nullopt}};
  for (const RidRow& row : rows) EXPECT_EQ(root.stream_of(row.rid), row.expect) << row.rid;
}

/// The map of a whole segment, the first and another one.
TEST_F(PlatformTest, EveryRequesterIdIsTheLowHalfOfItsStreamId) {
  RecordProperty("rule", "SM-PCI-003");
  for (const std::uint32_t segment : {0U, 3U}) {
    Engine engine;
    Pump pump("pump", engine);
    RootComplexConfig config;
    config.rid_map = {{0, 0x10000, StreamId(segment << 16), 0}};
    TlpPool tlps;
    RootComplex root("root", pump, tlps, 1, config);
    for (std::uint32_t rid = 0; rid != 0x10000; ++rid) {
      const std::optional<StreamId> stream = root.stream_of(static_cast<std::uint16_t>(rid));
      ASSERT_TRUE(stream.has_value());
      ASSERT_EQ(stream->value, segment << 16 | rid);
    }
  }
}

TEST_F(PlatformTest, RidMapRefusesOverlappingRows) {
  Engine engine;
  Pump pump("pump", engine);
  RootComplexConfig config;
  config.rid_map = {{0x0000, 0x10, StreamId(0), 0}, {0x000f, 1, StreamId(0x100), 0}};
  TlpPool tlps;
  EXPECT_THROW(RootComplex("root", pump, tlps, 1, config), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::systemc

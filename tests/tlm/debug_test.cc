// SPDX-License-Identifier: MIT
// What a debugger may do (design: debug access runs on an immediate port and never advances the wheel). Debug accesses
// through a TBU and the register socket while traffic is under way leave time, counters and the traffic's answers as
// they were. Also the register socket's non-blocking transport.
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"
#include "tests/tlm/test_modules.h"

namespace smmusim::systemc {
namespace {

/// A plain client, a plain host and memory around the SMMU.
struct Bench {
  SmmuWorld world;
  PlainInitiator client{"client"};
  PlainInitiator host{"host"};
  ProtocolMonitor upstream{"upstream"};
  ProtocolMonitor registers{"registers"};
  ProtocolMonitor downstream{"downstream"};
  platform::MemoryModule target{"target", world.pump, world.memory};

  explicit Bench(const SmmuConfig& config = {}) : world(config) {
    client.out.bind(upstream.in);
    upstream.out.bind(world.smmu.tbu_in[0]);
    host.out.bind(registers.in);
    registers.out.bind(world.smmu.registers);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(target.in);
    PageTable& table = world.add_stream(0);
    table.map(0x8000, Pa(0x40005000), 4096, {});
    table.map(0x9000, Pa(0x40002000), 4096, {});
    world.memory.store64(Pa(0x40005010), 0x1122334455667788);
    world.enable();
  }
  void run() {
    sc_core::sc_start();
    world.pump.rethrow_failure();
    for (const ProtocolMonitor* monitor : {&upstream, &registers, &downstream, &world.tcu_monitor}) {
      EXPECT_TRUE(monitor->quiet()) << monitor->name();
    }
    EXPECT_TRUE(world.smmu.smmu().idle());
  }
  unsigned debug(tlm::tlm_initiator_socket<>& socket, tlm::tlm_command command, std::uint64_t address,
                 std::uint64_t& value, unsigned size) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(size);
    payload.set_streaming_width(size);
    return socket->transport_dbg(payload);
  }
};

/// Everything that a debug access must not change.
auto state_of(Bench& bench) {
  const SmmuCounters& c = bench.world.smmu.smmu().counters();
  const auto cache = [&bench](CacheId id) {
    const CacheCounters counters = bench.world.smmu.smmu().cache_counters(id);
    return std::tuple(counters.lookups, counters.hits, counters.fills, counters.evictions);
  };
  return std::tuple(bench.world.engine.now(), bench.world.engine.waiting(), c.transactions, c.aborts, c.events_lost,
                    c.events_written, c.walks, c.walk_fetches, c.config_fetches, c.external_aborts, c.reads_by_purpose,
                    c.commands, c.events, bench.world.memory.counters().reads, bench.world.memory.counters().writes,
                    std::tuple(cache(CacheId::micro_tlb), cache(CacheId::stream_cache), cache(CacheId::config_cache),
                               cache(CacheId::tlb), cache(CacheId::walk_cache)));
}

/// Looks at everything every 10 ns, and tries to write.
struct Debugger : sc_core::sc_module {
  Bench& bench;
  unsigned looks = 0;
  Debugger(const sc_core::sc_module_name& name, Bench& the_bench) : sc_core::sc_module(name), bench(the_bench) {
    SC_HAS_PROCESS(Debugger);
    SC_THREAD(run);
  }
  void run() {
    for (; looks != 100; ++looks) {
      const auto before = state_of(bench);
      std::uint64_t value = 0;
      EXPECT_EQ(bench.debug(bench.client.out, tlm::TLM_READ_COMMAND, 0x8010, value, 8), 8U);
      EXPECT_EQ(value, 0x1122334455667788U);
      EXPECT_EQ(bench.debug(bench.client.out, tlm::TLM_WRITE_COMMAND, 0x9100, value, 8), 8U);
      EXPECT_EQ(bench.debug(bench.client.out, tlm::TLM_READ_COMMAND, 0xb000, value, 8), 0U) << "not mapped";
      EXPECT_EQ(bench.debug(bench.host.out, tlm::TLM_READ_COMMAND, spec::reg::STRTAB_BASE, value, 8), 8U);
      EXPECT_EQ(value, bench.world.streams.base_register());
      value = 0;
      EXPECT_EQ(bench.debug(bench.host.out, tlm::TLM_WRITE_COMMAND, spec::reg::CR0, value, 4), 0U);
      EXPECT_EQ(state_of(bench), before);
      sc_core::wait(10, sc_core::SC_NS);
    }
  }
};

struct DebugTest : FreshContext {
  using Done = std::vector<std::tuple<std::uint64_t, int, sc_core::sc_time>>;

  static Done traffic(bool watched) {
    Bench bench;
    std::unique_ptr<Debugger> debugger;
    if (watched) debugger = std::make_unique<Debugger>("debugger", bench);
    for (unsigned n = 0; n != 8; ++n) bench.client.add(0x8000 + 0x400 * n, 8, n % 2 != 0);
    bench.client.add(0xb000, 8, false);  // not mapped: an event
    bench.run();
    EXPECT_EQ(debugger == nullptr ? 100U : debugger->looks, 100U);
    EXPECT_EQ(bench.world.memory.load64(Pa(0x40002100)), watched ? 0x1122334455667788U : 0U);
    Done done;
    for (const auto& one : bench.client.done) done.emplace_back(one.address, one.status, one.at);
    EXPECT_EQ(done.size(), 9U);
    return done;
  }
};

TEST_F(DebugTest, AccessesBetweenTrafficChangeNeitherTimeNorCounters) {
  const Done watched = traffic(true);
  const std::unique_ptr<sc_core::sc_simcontext> second = std::make_unique<sc_core::sc_simcontext>();
  sc_core::sc_simcontext* const first = std::exchange(sc_core::sc_curr_simcontext, second.get());
  EXPECT_EQ(watched, traffic(false));
  sc_core::sc_curr_simcontext = first;
}

TEST_F(DebugTest, RegisterWriteIsRefusedAndChangesNothing) {
  Bench bench;
  std::uint64_t off = 0;
  EXPECT_EQ(bench.world.read(spec::reg::CR0), 1U);
  EXPECT_EQ(bench.debug(bench.host.out, tlm::TLM_WRITE_COMMAND, spec::reg::CR0, off, 4), 0U);
  EXPECT_EQ(bench.world.read(spec::reg::CR0), 1U);
  EXPECT_EQ(bench.debug(bench.host.out, tlm::TLM_IGNORE_COMMAND, spec::reg::CR0, off, 4), 0U);
  EXPECT_EQ(bench.debug(bench.host.out, tlm::TLM_READ_COMMAND, SmmuConfig{}.frame_bytes, off, 4), 0U);
  bench.run();
}

TEST_F(DebugTest, RegisterSocketGrantsNoDmi) {
  Bench bench;
  auto& write = bench.host.add(spec::reg::IRQ_CTRL, 4, true);
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(bench.host.out->get_direct_mem_ptr(write, dmi));
  bench.run();
  EXPECT_FALSE(write.is_dmi_allowed());
}

// The register socket's non-blocking transport.

TEST_F(DebugTest, NonBlockingRegisterAccessesKeepTheProtocolAndTheirOrder) {
  Bench bench;
  for (unsigned n = 0; n != 4; ++n) {
    auto& write = bench.host.add(spec::reg::GERROR_IRQ_CFG1, 4, true);
    const std::uint32_t value = 0x100 + n;
    std::memcpy(write.get_data_ptr(), &value, 4);
    bench.host.add(spec::reg::GERROR_IRQ_CFG1, 4, false);
  }
  bench.client.add(0x8010, 8, false);
  bench.run();
  EXPECT_EQ(bench.registers.completions, 8U);
  EXPECT_EQ(bench.world.read(spec::reg::GERROR_IRQ_CFG1), 0x103U);
  EXPECT_EQ(bench.host.done.size(), 8U);
}

TEST_F(DebugTest, NonBlockingRegisterReadGivesTheValue) {
  Bench bench;
  const auto& read = bench.host.add(spec::reg::STRTAB_BASE, 8, false);
  bench.run();
  std::uint64_t value = 0;
  std::memcpy(&value, read.get_data_ptr(), 8);
  EXPECT_TRUE(read.is_response_ok());
  EXPECT_EQ(value, bench.world.streams.base_register());
}

TEST_F(DebugTest, HostThatHoldsEndRespBackGetsOneResponseAtATime) {
  Bench bench;
  bench.host.end_response_delay = sc_core::sc_time(40, sc_core::SC_NS);
  for (unsigned n = 0; n != 3; ++n) bench.host.add(spec::reg::IDR0, 4, false);
  bench.run();
  ASSERT_EQ(bench.host.done.size(), 3U);
  EXPECT_EQ(bench.host.done[2].at, sc_core::sc_time(120, sc_core::SC_NS));
}

/// Makes one non-blocking register write at 10 ns, at which time an event of the Engine is due as well.
struct Host : sc_core::sc_module {
  struct Due : EventNode {
    Bench* bench = nullptr;
    unsigned fired = 0;
    std::uint64_t seen = 0;  // the register, as the event finds it
  };
  Bench& bench;
  tlm::tlm_generic_payload& write;
  sc_core::sc_time delay;
  Due due;
  unsigned fired_in_the_call = 0;
  Host(const sc_core::sc_module_name& name, Bench& the_bench, tlm::tlm_generic_payload& payload,
       const sc_core::sc_time& annotated)
      : sc_core::sc_module(name), bench(the_bench), write(payload), delay(annotated) {
    due.bench = &bench;
    due.fire = [](EventNode& node) {
      auto& self = static_cast<Due&>(node);
      ++self.fired;
      self.seen = self.bench->world.read(spec::reg::GERROR_IRQ_CFG1);
    };
    SC_HAS_PROCESS(Host);
    SC_THREAD(run);
  }
  void run() {
    sc_core::wait(10, sc_core::SC_NS);
    {
      const Pump::Arrival guard(bench.world.pump);
      bench.world.pump.schedule_in(0, due);
    }
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    bench.host.out->nb_transport_fw(write, phase, delay);
    fired_in_the_call = due.fired;
  }
};

struct NonBlockingWrite {
  PayloadPool pool;
  Bench bench;
  std::uint32_t value = 0x77;
  tlm::tlm_generic_payload& payload = pool.take();
  NonBlockingWrite() {
    payload.set_write();
    payload.set_address(spec::reg::GERROR_IRQ_CFG1);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(4);
    payload.set_streaming_width(4);
  }
};

TEST_F(DebugTest, NonBlockingRegisterWriteTakesItsPlaceInTheWheel) {
  NonBlockingWrite one;
  Host host("cpu", one.bench, one.payload, sc_core::SC_ZERO_TIME);
  one.bench.run();
  EXPECT_EQ(host.fired_in_the_call, 0U) << "the Engine ran inside nb_transport_fw";
  EXPECT_EQ(host.due.fired, 1U);
  EXPECT_EQ(host.due.seen, 0U) << "what was scheduled first comes first";
  EXPECT_EQ(one.bench.world.read(spec::reg::GERROR_IRQ_CFG1), 0x77U);
}

TEST_F(DebugTest, NonBlockingRegisterWriteHappensAfterItsAnnotatedDelay) {
  NonBlockingWrite one;
  Host host("cpu", one.bench, one.payload, sc_core::sc_time(5, sc_core::SC_US));
  one.bench.run();
  ASSERT_EQ(one.bench.host.done.size(), 1U);
  EXPECT_EQ(one.bench.host.done[0].at, sc_core::sc_time(5'010, sc_core::SC_NS));
}

}  // namespace
}  // namespace smmusim::systemc

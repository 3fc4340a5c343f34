// SPDX-License-Identifier: MIT
// b_transport and transport_dbg of a TBU, and the register socket.
// For sc_spawn, which must be asked for before <systemc>.
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include "tests/tlm/blocking_modules.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::systemc {
namespace {

struct Bench {
  SmmuWorld world;
  Cpu cpu;
  ProtocolMonitor upstream{"upstream"};
  ProtocolMonitor downstream{"downstream"};
  ProtocolMonitor registers{"registers"};
  platform::MemoryModule target{"target", world.pump, world.memory};
  explicit Bench(const SmmuConfig& config = {}, bool thread = true) : world(config), cpu("cpu", thread) {
    cpu.dma.bind(upstream.in);
    upstream.out.bind(world.smmu.tbu_in[0]);
    cpu.registers.bind(registers.in);
    registers.out.bind(world.smmu.registers);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(target.in);
    PageTable& table = world.add_stream(0, true, config.features.stall_model != spec::StallModel::terminate);
    table.map(0x8000, Pa(0x40005000), 4096, {});
    table.map(0x9000, Pa(0x40002000), 4096, {});
    world.memory.store64(Pa(0x40005010), 0x1122334455667788);
    world.enable();
  }
  void run(const std::function<void()>& body) {
    cpu.body = body;
    sc_core::sc_start();
    world.pump.rethrow_failure();
  }
};

struct BlockingTest : FreshContext {};

TEST_F(BlockingTest, TimedAccessTakesTranslationAndMemoryTime) {
  Bench bench;
  Access access(false, 0x8010, 8);
  Time took = 0;
  bench.run([&] {
    bench.cpu.dma->b_transport(access.payload, access.delay);
    took = to_ps(sc_core::sc_time_stamp() + access.delay);
  });
  EXPECT_TRUE(access.payload.is_response_ok());
  EXPECT_EQ(access.value(), 0x1122334455667788U);
  EXPECT_GT(took, 7 * platform::MemoryModuleConfig{}.latency_ps);  // STE, CD, four descriptors, the data
  EXPECT_TRUE(bench.world.smmu.smmu().idle());
}

TEST_F(BlockingTest, TimedAccessWaitsOutItsAnnotatedDelayFirst) {
  Bench bench;
  Access access(false, 0x8010, 8);
  access.delay = sc_core::sc_time(5, sc_core::SC_US);
  bench.run([&] { bench.cpu.dma->b_transport(access.payload, access.delay); });
  EXPECT_EQ(access.delay, sc_core::SC_ZERO_TIME);
  EXPECT_GT(sc_core::sc_time_stamp(), sc_core::sc_time(5, sc_core::SC_US));
}

/// Nothing ends the stall before SMMUEN does, in an untimed model neither.
void expect_stall_until_disabled(bool timed) {
  SmmuConfig config;
  config.timed = timed;
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 4;
  Bench bench(config);
  Access access(false, 0xa000, 8);  // not mapped
  sc_core::sc_time done;
  const sc_core::sc_time end(5, sc_core::SC_US);
  bench.run([&] {
    auto driver = sc_core::sc_spawn([&] {
      sc_core::wait(end);
      bench.world.write(spec::reg::CR0, 0);
    });
    bench.cpu.dma->b_transport(access.payload, access.delay);
    done = sc_core::sc_time_stamp();
    if (!driver.terminated()) sc_core::wait(driver.terminated_event());
  });
  EXPECT_EQ(access.payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(done, end);
  EXPECT_EQ(bench.world.smmu.tbu(0).in_flight(), 0U);
}

TEST_F(BlockingTest, StalledAccessWaitsUntimed) {
  expect_stall_until_disabled(false);
}

TEST_F(BlockingTest, StalledAccessWaitsTimed) {
  expect_stall_until_disabled(true);
}

TEST_F(BlockingTest, MoreThreadsThanOutstandingAccessesTakeTurns) {
  SmmuConfig config;
  config.tbu.outstanding = 1;
  Bench bench(config);
  Access first(false, 0x8010, 8);
  Access second(false, 0x8010, 8);
  sc_core::sc_time first_done, second_done;
  bench.run([&] {
    auto other = sc_core::sc_spawn([&] {
      bench.cpu.dma->b_transport(second.payload, second.delay);
      second_done = sc_core::sc_time_stamp();
    });
    bench.cpu.dma->b_transport(first.payload, first.delay);
    first_done = sc_core::sc_time_stamp();
    if (!other.terminated()) sc_core::wait(other.terminated_event());
  });
  EXPECT_TRUE(first.payload.is_response_ok());
  EXPECT_TRUE(second.payload.is_response_ok());
  const auto latency = sc_core::sc_time::from_value(platform::MemoryModuleConfig{}.latency_ps);
  EXPECT_GE(second_done, first_done + latency) << "its access began when the first was done";
  EXPECT_EQ(bench.world.smmu.tbu(0).in_flight(), 0U);
}

TEST_F(BlockingTest, TimedAccessFromAMethodIsAnError) {
  Bench bench({}, false);
  Access access(false, 0x8010, 8);
  bool refused = false;
  bench.run([&] {
    try {
      bench.cpu.dma->b_transport(access.payload, access.delay);
    } catch (const sc_core::sc_report&) {
      refused = true;
    }
  });
  EXPECT_TRUE(refused);
  EXPECT_EQ(access.payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_F(BlockingTest, UntimedAccessTakesNoTime) {
  SmmuConfig config;
  config.timed = false;
  Bench bench(config, false);
  Access access(true, 0x8ff8, 16, 42);
  bench.run([&] { bench.cpu.dma->b_transport(access.payload, access.delay); });
  EXPECT_TRUE(access.payload.is_response_ok());
  EXPECT_EQ(bench.world.memory.load64(Pa(0x40005ff8)), 42U);
  EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
}

TEST_F(BlockingTest, DebugAccessTranslatesWithoutTimeOrCounters) {
  Bench bench;
  Access access(false, 0x8ff8, 16);
  bench.world.memory.store64(Pa(0x40005ff8), 11);
  bench.world.memory.store64(Pa(0x40002000), 12);
  bench.world.memory.reset_counters();
  unsigned done = 0;
  bench.run([&] {
    sc_core::wait(1, sc_core::SC_US);
    done = bench.cpu.dma->transport_dbg(access.payload);
  });
  EXPECT_EQ(done, 16U);
  EXPECT_EQ(access.value(), 11U);
  EXPECT_EQ(access.data[8], 12);
  EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::sc_time(1, sc_core::SC_US));
  EXPECT_EQ(bench.world.smmu.smmu().counters().transactions, 0U);
  EXPECT_EQ(bench.world.smmu.smmu().counters().walks, 0U);
  EXPECT_EQ(bench.world.memory.counters().reads, 0U);
  EXPECT_EQ(bench.world.smmu.smmu().cache_counters(CacheId::micro_tlb).fills, 0U);
}

TEST_F(BlockingTest, DebugAccessStopsAtAPageThatIsNotMapped) {
  Bench bench;
  Access access(false, 0x9ff0, 32);
  unsigned done = 0;
  bench.run([&] { done = bench.cpu.dma->transport_dbg(access.payload); });
  EXPECT_EQ(done, 16U);
  EXPECT_EQ(bench.world.smmu.smmu().counters().events_lost, 0U);
}

TEST_F(BlockingTest, RegistersAreReadAndWrittenIn4And8Bytes) {
  Bench bench;
  Access base(false, spec::reg::STRTAB_BASE, 8);
  Access config(false, spec::reg::STRTAB_BASE_CFG, 4);
  bench.run([&] {
    bench.cpu.registers->b_transport(base.payload, base.delay);
    bench.cpu.registers->b_transport(config.payload, config.delay);
  });
  EXPECT_EQ(base.value(), bench.world.streams.base_register());
  EXPECT_EQ(config.value(), bench.world.streams.base_cfg_register());
}

TEST_F(BlockingTest, RegisterWriteTakesEffect) {
  Bench bench;
  Access off(true, spec::reg::CR0, 4, 0);
  Access ack(false, spec::reg::CR0ACK, 4);
  bench.run([&] {
    bench.cpu.registers->b_transport(off.payload, off.delay);
    sc_core::wait(1, sc_core::SC_US);
    bench.cpu.registers->b_transport(ack.payload, ack.delay);
  });
  EXPECT_EQ(ack.value(), 0U);
}

TEST_F(BlockingTest, RegisterDebugReadSeesTheRegister) {
  Bench bench;
  Access base(false, spec::reg::STRTAB_BASE, 8);
  unsigned done = 0;
  bench.run([&] { done = bench.cpu.registers->transport_dbg(base.payload); });
  EXPECT_EQ(done, 8U);
  EXPECT_EQ(base.value(), bench.world.streams.base_register());
}

struct BadAccess {
  const char* what;
  tlm::tlm_command command;
  std::uint64_t address;
  unsigned size;
  tlm::tlm_response_status expect;
};

TEST_F(BlockingTest, RegisterSocketRefusesWhatIsNoRegisterAccess) {
  const BadAccess rows[] = {
      {"ignore command", tlm::TLM_IGNORE_COMMAND, 0, 4, tlm::TLM_COMMAND_ERROR_RESPONSE},
      {"2 bytes", tlm::TLM_READ_COMMAND, 0, 2, tlm::TLM_BURST_ERROR_RESPONSE},
      {"16 bytes", tlm::TLM_WRITE_COMMAND, 0, 16, tlm::TLM_BURST_ERROR_RESPONSE},
      {"behind the frame", tlm::TLM_READ_COMMAND, SmmuConfig{}.frame_bytes, 4, tlm::TLM_ADDRESS_ERROR_RESPONSE},
      {"across the end", tlm::TLM_READ_COMMAND, SmmuConfig{}.frame_bytes - 4, 8, tlm::TLM_ADDRESS_ERROR_RESPONSE},
  };
  Bench bench;
  bench.run([&] {
    for (const BadAccess& row : rows) {
      Access access(false, row.address, row.size);
      access.payload.set_command(row.command);
      bench.cpu.registers->b_transport(access.payload, access.delay);
      EXPECT_EQ(access.payload.get_response_status(), row.expect) << row.what;
    }
  });
}

TEST_F(BlockingTest, GlobalErrorRaisesItsWire) {
  Bench bench;
  bench.world.write(spec::reg::CMDQ_BASE, 0x1000 | 4, 8);  // below RAM: the fetch aborts
  bench.world.write(spec::reg::IRQ_CTRL, 1);               // GERROR_IRQEN
  bench.run([&] {
    sc_core::wait(1, sc_core::SC_US);
    bench.world.write(spec::reg::CR0, 1 | 1U << 3);  // SMMUEN, CMDQEN
    sc_core::wait(1, sc_core::SC_US);
    bench.world.write(spec::reg::CMDQ_PROD, 1);
  });
  EXPECT_EQ(bench.world.smmu.interrupts().pulses(Wire::global_error), 1U);
  EXPECT_EQ(bench.world.smmu.interrupts().pulses(Wire::event_queue), 0U);
}

}  // namespace
}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// Direct access through the platform's own parts: TBU, interconnect, memory module.
#include <optional>

#include "platform/memory/interconnect.h"
#include "tests/tlm/blocking_modules.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::systemc {
namespace {

using namespace smmusim::platform;

constexpr std::uint64_t data = SmmuWorld::ram + 0x200000;

struct Bench {
  SmmuWorld world;
  Cpu cpu{"cpu", false};
  ProtocolMonitor upstream{"upstream"}, downstream{"downstream"}, below{"below"};
  Interconnect interconnect;
  MemoryModule memory;

  static SmmuConfig untimed() {
    SmmuConfig config;
    config.timed = false;
    return config;
  }
  explicit Bench(std::uint64_t row_size = std::uint64_t{1} << 32, Time latency = 0, bool timed_memory = false)
      : world(untimed()),
        interconnect("interconnect", world.pump, 1, 1, {{{Pa(SmmuWorld::ram), row_size, 0, false}}, latency, 0}),
        memory("memory", world.pump, world.memory, MemoryModuleConfig{0, 0, 1, timed_memory}) {
    cpu.dma.bind(upstream.in);
    upstream.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(interconnect.in[0]);
    interconnect.out[0].bind(below.in);
    below.out.bind(memory.in);
    cpu.registers.bind(world.smmu.registers);
    cpu.body = [] {};
    world.add_stream(0).map(0x8000, Pa(data), 8192, {});
    world.enable();
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  std::optional<tlm::tlm_dmi> ask(std::uint64_t address) {
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(address);
    tlm::tlm_dmi dmi;
    if (!cpu.dma->get_direct_mem_ptr(payload, dmi)) return std::nullopt;
    return dmi;
  }
};

struct PlatformDmiTest : FreshContext {};

TEST_F(PlatformDmiTest, WriteThroughTheGrantIsInMemory) {
  Bench bench;
  const auto dmi = bench.ask(0x8010);
  ASSERT_TRUE(dmi);
  const std::uint64_t value = 0x1122334455667788;
  std::memcpy(dmi->get_dmi_ptr() + (0x8010 - dmi->get_start_address()), &value, 8);
  EXPECT_EQ(bench.world.memory.load64(Pa(data + 0x10)), value);
}

TEST_F(PlatformDmiTest, InterconnectCutsTheGrantToItsRow) {
  Bench bench(0x200800);  // the row ends in the middle of the page
  const auto dmi = bench.ask(0x8010);
  ASSERT_TRUE(dmi);
  EXPECT_EQ(dmi->get_start_address(), 0x8000U);
  EXPECT_EQ(dmi->get_end_address(), 0x87ffU);
  EXPECT_FALSE(bench.ask(0x8810));
}

TEST_F(PlatformDmiTest, NoneWhereTimePasses) {
  EXPECT_FALSE(Bench(std::uint64_t{1} << 32, 5'000).ask(0x8010));
}

TEST_F(PlatformDmiTest, NoneFromATimedMemory) {
  EXPECT_FALSE(Bench(std::uint64_t{1} << 32, 0, true).ask(0x8010));
}

TEST_F(PlatformDmiTest, NoneWhereAnAbortIsInjected) {
  Bench bench;
  bench.world.memory.inject_abort(Pa(data + 0x100000), 8, true, false);
  EXPECT_FALSE(bench.ask(0x8010)) << "the same 2 MiB";
}

TEST_F(PlatformDmiTest, MemoryCanTakeItBack) {
  Bench bench;
  ASSERT_TRUE(bench.ask(0x8010));
  bench.memory.revoke_direct_access();
  EXPECT_EQ(bench.upstream.dmi_invalidations, 1U);
}

}  // namespace
}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// QEMU's iommu-testdev behind the SMMU: its registers, and every result code.
#include "platform/endpoint/iommu_testdev.h"

#include "platform/pcie/mmio_window.h"
#include "platform/pcie/root_complex.h"
#include "platform/system/cpu.h"
#include "tests/tlm/fresh_context.h"
#include "tests/tlm/protocol_monitor.h"
#include "tests/tlm/smmu_world.h"

namespace smmusim::platform {
namespace {

constexpr std::uint64_t ram = systemc::SmmuWorld::ram, bar = 0x1000'0000, va = 0x8000, pa = ram + 0x5000;

struct Machine {
  systemc::SmmuWorld world;
  MemoryModule memory{"memory", world.pump, world.memory};
  TlpPool pool;
  RootComplex root{"root", world.pump, pool, 1, map()};
  PcieFunction function{world.pump.engine(), pool, {.requester_id = 0x0108}, iommu_testdev_function()};
  TlpLink link{world.pump.engine(), {}};
  systemc::ProtocolMonitor client{"client"}, downstream{"downstream"};
  MmioWindow window{"window", world.pump, 0};
  Cpu cpu{"cpu"};
  IommuTestdev device{world.pump.engine(), function, [this](std::uint64_t address, std::span<unsigned char> into) {
                        return world.memory.peek(Pa(address), into.data(), into.size());
                      }};

  Machine() {
    function.connect(link);
    root.connect(0, link);
    root.out[0].bind(client.in);
    client.out.bind(world.smmu.tbu_in[0]);
    world.smmu.tbu_out[0].bind(downstream.in);
    downstream.out.bind(memory.in);
    cpu.out.bind(window.in);
    window.attach(function.config_space(), device);
    ConfigSpace& space = function.config_space().space();
    space.write(0x10, bar, 4);
    space.write(0x04, 6, 2);
    world.add_stream(0x28).map(va, Pa(pa), 4096, {});
    world.enable();
  }
  static RootComplexConfig map() {
    RootComplexConfig config;
    config.rid_map = {{0x0100, 0x10, StreamId(0x20), 0}};
    config.ports = {{}};
    return config;
  }
  std::uint32_t get(std::uint64_t reg) { return static_cast<std::uint32_t>(cpu.load(Pa(bar + reg), 4)); }
  void set(std::uint64_t reg, std::uint32_t value) { cpu.store(Pa(bar + reg), value, 4); }
  void prepare(std::uint64_t gva, std::uint64_t gpa, std::uint32_t bytes) {
    set(testdev::DMA_GVA_LO, static_cast<std::uint32_t>(gva));
    set(testdev::DMA_GVA_HI, static_cast<std::uint32_t>(gva >> 32));
    set(testdev::DMA_GPA_LO, static_cast<std::uint32_t>(gpa));
    set(testdev::DMA_GPA_HI, static_cast<std::uint32_t>(gpa >> 32));
    set(testdev::DMA_LEN, bytes);
  }
  /// Armed and triggered; the result at the end.
  std::uint32_t result(std::uint64_t gva, std::uint64_t gpa, std::uint32_t bytes) {
    prepare(gva, gpa, bytes);
    set(testdev::DMA_DBELL, 1);
    EXPECT_EQ(get(testdev::DMA_RESULT), testdev::busy);
    EXPECT_EQ(get(testdev::DMA_TRIGGERING), 0U);
    sc_core::sc_start();
    world.pump.rethrow_failure();
    EXPECT_TRUE(function.idle());
    return get(testdev::DMA_RESULT);
  }
};

struct IommuTestdevTest : systemc::FreshContext {};

TEST_F(IommuTestdevTest, RegistersKeepWhatTheyAreGiven) {
  Machine machine;
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::idle);
  EXPECT_EQ(machine.get(testdev::DMA_ATTRS), 2U);
  machine.prepare(0x1122'3344'5566'7788, 0x99aa'bbcc'ddee'ff00, 17);
  EXPECT_EQ(machine.get(testdev::DMA_GVA_LO), 0x5566'7788U);
  EXPECT_EQ(machine.get(testdev::DMA_GVA_HI), 0x1122'3344U);
  EXPECT_EQ(machine.get(testdev::DMA_GPA_LO), 0xddee'ff00U);
  EXPECT_EQ(machine.get(testdev::DMA_GPA_HI), 0x99aa'bbccU);
  EXPECT_EQ(machine.get(testdev::DMA_LEN), 17U);
  machine.set(testdev::DMA_RESULT, 3);
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), 3U);
  EXPECT_EQ(machine.get(0x24), 0U);
  machine.cpu.store(Pa(bar + testdev::DMA_GVA_LO + 4), 0, 8);  // of another size
  EXPECT_EQ(machine.cpu.load(Pa(bar + testdev::DMA_LEN), 2), 0U);
  EXPECT_EQ(machine.get(testdev::DMA_GVA_HI), 0x1122'3344U);
  const ConfigSpace& space = machine.function.config_space().space();
  EXPECT_EQ(space.read(0, 4), 0x0005'1b36U);
  EXPECT_EQ(space.read(0x08, 4), 0xff00'0000U);
}

TEST_F(IommuTestdevTest, ThePatternArrivesWhereTheTablesSay) {
  for (const std::uint32_t bytes : {4U, 1U, 7U, 4096U}) {
    const auto context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    {
      Machine machine;
      EXPECT_EQ(machine.result(va, pa, bytes), 0U) << bytes;
      std::vector<unsigned char> found(4097);
      machine.world.memory.peek(Pa(pa), found.data(), found.size());
      constexpr unsigned char pattern[] = {0x78, 0x56, 0x34, 0x12};
      for (std::uint32_t i = 0; i != found.size(); ++i) EXPECT_EQ(found[i], i < bytes ? pattern[i % 4] : 0) << i;
    }
    sc_core::sc_curr_simcontext = before;
  }
}

TEST_F(IommuTestdevTest, WhatGoesWrongHasItsCode) {
  Machine machine;
  EXPECT_EQ(machine.result(va, pa, 0), testdev::bad_length);
  EXPECT_EQ(machine.result(0x9000, pa, 4), testdev::write_failed);              // not mapped
  EXPECT_EQ(machine.result(va, 0x1000, 4), testdev::read_failed);               // no memory
  EXPECT_EQ(machine.result(va, pa + 0x800, 4), testdev::mismatch);              // not written
  EXPECT_EQ(machine.result(va + 0xffc, pa + 0xffc, 8), testdev::write_failed);  // its second half is not mapped
  EXPECT_EQ(machine.result(~std::uint64_t{0}, pa, 8), testdev::write_failed);
  EXPECT_EQ(machine.result(va, pa, 4), 0U);
}

TEST_F(IommuTestdevTest, AttributesAreChecked) {
  struct Row {
    std::uint32_t attributes, result;
  };
  constexpr Row rows[] = {
      {0x0, 0},        // nothing valid: Non-secure
      {0x1, 0},        // likewise
      {0x8 | 0x2, 0},  // Non-secure
      {0x8 | 0x2 | 0x1, testdev::bad_attributes},
      {0x8, testdev::bad_attributes},      // space Secure without the bit
      {0x8 | 0x1, testdev::write_failed},  // Secure: no access of a PCIe function is
      {0x8 | 0x4, testdev::write_failed},  // Root
      {0x8 | 0x6, testdev::write_failed},  // Realm
  };
  Machine machine;
  for (const Row& row : rows) {
    machine.set(testdev::DMA_ATTRS, row.attributes);
    EXPECT_EQ(machine.result(va, pa, 4), row.result) << row.attributes;
  }
}

TEST_F(IommuTestdevTest, ATriggerNeedsToBeArmedAndUsesItUp) {
  Machine machine;
  machine.prepare(va, pa, 4);
  machine.get(testdev::DMA_TRIGGERING);
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::not_armed);
  machine.set(testdev::DMA_DBELL, 1);
  machine.set(testdev::DMA_DBELL, 1);
  machine.set(testdev::DMA_DBELL, 0);
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::idle);
  machine.get(testdev::DMA_TRIGGERING);
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::not_armed);
  EXPECT_EQ(machine.result(va, pa, 4), 0U);
  machine.get(testdev::DMA_TRIGGERING);
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::not_armed);
}

TEST_F(IommuTestdevTest, AResetForgetsTheDmaUnderWay) {
  Machine machine;
  machine.prepare(va, pa, 4);
  machine.set(testdev::DMA_DBELL, 1);
  machine.get(testdev::DMA_TRIGGERING);
  machine.device.reset();
  EXPECT_EQ(machine.get(testdev::DMA_LEN), 0U);
  sc_core::sc_start();
  machine.world.pump.rethrow_failure();
  EXPECT_EQ(machine.get(testdev::DMA_RESULT), testdev::idle);
  EXPECT_EQ(machine.result(va, pa, 4), 0U);
}

TEST_F(IommuTestdevTest, WhereNoBarIsReadsGiveOnes) {
  Machine machine;
  EXPECT_EQ(machine.cpu.load(Pa(bar + 0x1000), 4), 0xffff'ffffU);
  machine.cpu.store(Pa(bar + 0x1000), 1, 4);
  machine.function.config_space().space().write(0x04, 4, 2);  // memory space off
  EXPECT_EQ(machine.get(testdev::DMA_ATTRS), 0xffff'ffffU);
  EXPECT_THROW(machine.cpu.load(Pa(bar + 2), 4), InternalError);
}

}  // namespace
}  // namespace smmusim::platform

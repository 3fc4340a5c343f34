// SPDX-License-Identifier: MIT
// CosimSmmu: what the machine around it gets back from register accesses and translations, and what it is told to do.
#include <gtest/gtest.h>

#include <thread>

#include "model/base/check.h"
#include "tests/cosim/device_bench.h"

namespace smmusim::cosim {
namespace {

using raw::cmd::ASID, raw::cmd::Address, raw::cmd::NUM, raw::cmd::SCALE, raw::cmd::TG;

TEST(CosimSmmu, TranslatesThePageAroundAnAddress) {
  DeviceBench bench;
  const Translation translation = bench.translate(DeviceBench::iova + 0x123, DeviceAccess::write);
  EXPECT_TRUE(translation.allowed);
  EXPECT_EQ(translation.page, DeviceBench::page);
  EXPECT_TRUE(translation.readable);
  EXPECT_TRUE(translation.writable);
  EXPECT_TRUE(bench.last.empty());
}

TEST(CosimSmmu, TellsWhatAReadOnlyMappingPermits) {
  DeviceBench bench;
  bench.ram.word(DeviceBench::descriptor(DeviceBench::iova)) |= raw::ap_read_only;
  const Translation read = bench.translate(DeviceBench::iova, DeviceAccess::read);
  EXPECT_TRUE(read.allowed);
  EXPECT_TRUE(read.readable);
  EXPECT_FALSE(read.writable);
  EXPECT_FALSE(bench.translate(DeviceBench::iova, DeviceAccess::write).allowed);
}

TEST(CosimSmmu, ABypassedStreamReachesItsOwnAddresses) {
  DeviceBench bench;
  bench.store(DeviceBench::strtab + 64 * DeviceBench::sid,
              raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  const Translation translation = bench.translate(0x4123'4567, DeviceAccess::read);
  EXPECT_TRUE(translation.allowed);
  EXPECT_EQ(translation.page, 0x4123'4000u);
  EXPECT_TRUE(translation.readable);
  EXPECT_TRUE(translation.writable);
}

TEST(CosimSmmu, LookingChangesNothing) {
  DeviceBench bench;
  EXPECT_TRUE(bench.translate(DeviceBench::iova, DeviceAccess::look).allowed);
  EXPECT_FALSE(bench.translate(DeviceBench::iova + 0x1000, DeviceAccess::look).allowed);
  EXPECT_TRUE(bench.last.empty());
  EXPECT_EQ(bench.read(off::EVENTQ_PROD), 0u);
  const auto statistics = bench.smmu.statistics("smmu0");
  EXPECT_EQ(statistics["translations"], 0);
  EXPECT_EQ(statistics["smmu"]["transactions"], 0);
}

TEST(CosimSmmu, AFaultIsRecordedCountedAndRaisesItsWire) {
  DeviceBench bench;
  EXPECT_FALSE(bench.translate(DeviceBench::iova + 0x1000, DeviceAccess::read).allowed);
  EXPECT_EQ(bench.last.wires, wire_eventq);
  EXPECT_EQ(bench.read(off::EVENTQ_PROD), 1u);
  EXPECT_EQ(bench.ram.word(DeviceBench::eventq) & 0xff, raw::ev::F_TRANSLATION);
  EXPECT_GE(bench.ram.writes, 1u);
  EXPECT_EQ(bench.smmu.statistics("smmu0")["faults"], 1);
}

TEST(CosimSmmu, AnMsiOutsideRamIsLeftToTheMachine) {
  DeviceBench bench;
  bench.write(off::IRQ_CTRL, 0);
  bench.write(off::EVENTQ_IRQ_CFG0, DeviceBench::doorbell, 8);
  bench.write(off::EVENTQ_IRQ_CFG1, 0x51);
  bench.write(off::IRQ_CTRL, irq::EVENTQ);
  bench.translate(0x1000, DeviceAccess::read);
  ASSERT_EQ(bench.last.messages.size(), 1u);
  EXPECT_EQ(bench.last.messages[0].address, DeviceBench::doorbell);
  EXPECT_EQ(bench.last.messages[0].data, 0x51u);
}

// Software that polls for it there must not see it before the machine has told its devices what was invalidated.
TEST(CosimSmmu, AnMsiIntoRamIsLeftToTheMachineWithTheInvalidationsBeforeIt) {
  DeviceBench bench;
  constexpr std::uint64_t polled = 0x4005'0000;
  bench.store(DeviceBench::cmdq,
              raw::command(raw::cmd::TLBI_NH_VA, {{ASID, 7}, {Address, 5}, {TG, 1}, {raw::cmd::TTL, 3}}));
  bench.prod = 1;
  const Consequences consequences = bench.issue(raw::command(
      raw::cmd::SYNC, {{raw::cmd::CS, 1}, {raw::cmd::MSIData, 0x1234}, {raw::cmd::MSIAddress, polled >> 2}}));
  EXPECT_EQ(bench.read(off::CMDQ_CONS), 2u);
  EXPECT_EQ(bench.ram.word(polled), 0u);
  ASSERT_EQ(consequences.messages.size(), 1u);
  EXPECT_EQ(consequences.messages[0].address, polled);
  EXPECT_EQ(consequences.messages[0].data, 0x1234u);
  EXPECT_EQ(consequences.unmapped, (std::vector<Unmapped>{{0x5000, 0xfff}}));
}

TEST(CosimSmmu, TablesOutsideRamAreExternalAborts) {
  DeviceBench bench;
  bench.ram.word(DeviceBench::tables) = 0x0900'0003;
  EXPECT_FALSE(bench.translate(DeviceBench::iova, DeviceAccess::read).allowed);
  EXPECT_EQ(bench.ram.word(DeviceBench::eventq) & 0xff, raw::ev::F_WALK_EABT);
}

TEST(CosimSmmu, AnInvalidationByAddressNamesItsPages) {
  DeviceBench bench;
  const auto by_address = [&](std::initializer_list<raw::Edit> edits) {
    return bench.issue(raw::command(raw::cmd::TLBI_NH_VA, {{ASID, 7}}).with(edits)).unmapped;
  };
  EXPECT_EQ(by_address({{Address, 0x5}, {TG, 1}, {raw::cmd::TTL, 3}}), (std::vector<Unmapped>{{0x5000, 0xfff}}));
  // Without TG: a page of a size that is not said.
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  EXPECT_EQ(by_address({{Address, 0x5}}), (std::vector<Unmapped>{{0, half - 1}, {half, half - 1}}));
  // Three granules of 64 KiB from 64 KiB on: one alone, then two that are aligned together.
  EXPECT_EQ(by_address({{Address, 0x10}, {TG, 3}, {NUM, 2}}),
            (std::vector<Unmapped>{{0x1'0000, 0xffff}, {0x2'0000, 0x1'ffff}}));
  EXPECT_EQ(by_address({{Address, 0}, {TG, 1}, {NUM, 0}, {SCALE, 9}}), (std::vector<Unmapped>{{0, 0x1f'ffff}}));
  // The last page of the address space, and what would come after it.
  EXPECT_EQ(by_address({{Address, 0xf'ffff'ffff'ffff}, {TG, 1}, {NUM, 1}}),
            (std::vector<Unmapped>{{0xffff'ffff'ffff'f000, 0xfff}}));
}

TEST(CosimSmmu, AnInvalidationOfASpaceNamesAllAddresses) {
  DeviceBench bench;
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  const std::vector<Unmapped> all{{0, half - 1}, {half, half - 1}};
  EXPECT_EQ(bench.issue(raw::command(raw::cmd::TLBI_NH_ASID, {{ASID, 7}})).unmapped, all);
  EXPECT_EQ(bench.issue(raw::command(raw::cmd::TLBI_NSNH_ALL)).unmapped, all);
  EXPECT_TRUE(bench.issue(raw::command(raw::cmd::CFGI_STE)).unmapped.empty());
  EXPECT_TRUE(bench.issue(raw::command(raw::cmd::SYNC)).unmapped.empty());
}

TEST(CosimSmmu, AnInjectedIllegalCommandStopsTheQueueOnce) {
  CosimOptions options;
  options.injection.illegal_command = 2;
  DeviceBench bench(options);
  bench.issue(raw::command(raw::cmd::SYNC));
  const Consequences consequences = bench.issue(raw::command(raw::cmd::SYNC));
  EXPECT_EQ(consequences.wires, wire_gerror);
  EXPECT_EQ(bench.read(off::CMDQ_CONS), 0x0100'0001u);  // CERROR_ILL
  bench.write(off::GERRORN, gerror::CMDQ_ERR);
  EXPECT_EQ(bench.read(off::CMDQ_CONS) & 0xfffff, 2u);
}

TEST(CosimSmmu, AnInjectedDefectIsADefect) {
  CosimOptions options;
  options.injection.defect = 2;
  DeviceBench bench(options);
  bench.translate(DeviceBench::iova, DeviceAccess::read);
  EXPECT_THROW(bench.translate(DeviceBench::iova, DeviceAccess::read), InternalError);
}

TEST(CosimSmmu, ResetTurnsItOff) {
  DeviceBench bench;
  bench.smmu.reset();
  EXPECT_EQ(bench.read(off::CR0), 0u);
  EXPECT_EQ(bench.translate(DeviceBench::iova, DeviceAccess::read).page, DeviceBench::iova);
}

TEST(CosimSmmu, ThreadsTakeTurns) {
  DeviceBench bench;
  constexpr unsigned rounds = 2000;
  const auto device = [&bench] {
    Consequences consequences;
    for (unsigned i = 0; i != rounds; ++i) {
      EXPECT_TRUE(
          bench.smmu.translate(DeviceBench::stream, DeviceBench::iova, DeviceAccess::read, consequences).allowed);
    }
  };
  std::thread first(device), second(device);
  for (unsigned i = 0; i != rounds; ++i) {
    bench.store(DeviceBench::cmdq + 16 * (i % 64), raw::command(raw::cmd::TLBI_NH_ASID, {{ASID, 7}}));
    bench.write(off::CMDQ_PROD, (i + 1) % 128);
  }
  first.join();
  second.join();
  EXPECT_EQ(bench.smmu.statistics("smmu0")["translations"], 2 * rounds);
}

}  // namespace
}  // namespace smmusim::cosim

// SPDX-License-Identifier: MIT
// Command queue consumption and errors (IHI 0070 sections 3.5, 3.21.2, 4.1, 6.3.26 to 6.3.28, 7.1). Our choices: RES0
// bits of commands are ignored; inconsistent indexes stop consumption.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cmd = raw::cmd;
constexpr std::uint32_t cerror_ill = 1, cerror_abt = 2;

TEST(SpecCommandQueue, ConsumesUpToProd) {
  RecordProperty("rule", "SM-CM-002 SM-CM-003 SM-CM-008 SM-CMQ-004");
  SmmuBench bench;
  for (int i = 0; i < 5; ++i) bench.push(raw::command(cmd::SYNC));
  EXPECT_EQ(bench.memory.count(Purpose::CMD), 0u) << "PROD is the trigger";
  bench.w32(off::CMDQ_PROD, 3);
  EXPECT_EQ(bench.cons(), 3u);
  EXPECT_EQ(bench.memory.addresses(Purpose::CMD),
            (std::vector<std::uint64_t>{SmmuBench::cmdq, SmmuBench::cmdq + 16, SmmuBench::cmdq + 32}));
  bench.kick();
  EXPECT_TRUE(bench.all_consumed());
  for (const BenchAccess& access : bench.memory.log) EXPECT_EQ(access.op, MemoryOp::read) << "never written";
}

TEST(SpecCommandQueue, DisabledConsumesNothing) {
  RecordProperty("rule", "SM-CM-003 SM-RU-006");
  SmmuBench bench;
  bench.enable(cr0::SMMUEN);
  bench.push(raw::command(cmd::SYNC));
  bench.kick();
  EXPECT_EQ(bench.cons(), 0u);
  bench.enable(0xd);
  EXPECT_TRUE(bench.all_consumed()) << "enabling resumes from CONS";
}

TEST(SpecCommandQueue, SizesAndWrap) {
  RecordProperty("rule", "SM-QU-001 SM-QU-002 SM-CMQ-001 SM-CMQ-002");
  for (std::uint32_t log2 : {0u, 1u, 4u}) {
    SCOPED_TRACE(log2);
    SmmuBench bench;
    bench.enable(cr0::SMMUEN);
    const std::uint32_t size = 1u << log2, mask = 2 * size - 1;
    bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | log2);
    bench.w32(off::CMDQ_CONS, size);  // starts with the wrap bit set, full
    for (std::uint32_t i = 0; i < size; ++i) bench.memory.store(SmmuBench::cmdq + 16 * i, raw::command(cmd::SYNC));
    bench.w32(off::CMDQ_PROD, 0);
    bench.enable(0xd);
    EXPECT_EQ(bench.cons(), 0u) << "a full queue is worked off";
    EXPECT_EQ(bench.memory.count(Purpose::CMD), size);
    for (std::uint32_t i = 0; i < 3 * size; ++i) {
      bench.memory.log.clear();
      bench.w32(off::CMDQ_PROD, (i + 1) & mask);
      EXPECT_EQ(bench.cons(), (i + 1) & mask);
      EXPECT_EQ(bench.memory.addresses(Purpose::CMD),
                std::vector<std::uint64_t>{SmmuBench::cmdq + 16 * (i & (size - 1))});
    }
  }
}

TEST(SpecCommandQueue, TheLargestQueueWraps) {
  RecordProperty("rule", "SM-QU-004 SM-QU-002");
  constexpr std::uint64_t base = 0x6000'0000;
  constexpr std::uint32_t size = 1u << 19, mask = 2 * size - 1;
  for (const std::uint32_t start : {size - 2, 2 * size - 2}) {
    SmmuBench bench(timed_bench_config(), 50'000);
    bench.enable(cr0::SMMUEN);
    bench.w64(off::CMDQ_BASE, base | 19);
    bench.w32(off::CMDQ_CONS, start);
    std::vector<std::uint64_t> expected;
    for (std::uint32_t i = 0; i < 4; ++i) {
      expected.push_back(base + 16ull * ((start + i) & (size - 1)));
      bench.memory.store(expected.back(), raw::command(cmd::SYNC));
    }
    bench.w32(off::CMDQ_PROD, (start + 4) & mask);
    std::uint32_t seen = start;
    bench.memory.before = [&](const MemoryRequest&) {
      EXPECT_TRUE(bench.cons() == seen || bench.cons() == ((seen + 1) & mask)) << seen << " -> " << bench.cons();
      seen = bench.cons();
    };
    bench.enable(0xd);
    EXPECT_EQ(bench.cons(), (start + 4) & mask);
    EXPECT_EQ(bench.memory.addresses(Purpose::CMD), expected);
  }
}

TEST(SpecCommandQueue, BaseIsAlignedAndSizeCapped) {
  RecordProperty("rule", "SM-CMQ-001 SM-CMQ-002 SM-AS-023 SM-ADR-001");
  SmmuConfig config = bench_config();
  config.features.cmdqs = 4;
  config.features.oas = 40;
  SmmuBench bench(config);
  bench.enable(cr0::SMMUEN);
  bench.w64(off::CMDQ_BASE, 0x1'0000'6000'0fe0 | 4);
  bench.memory.store(0x6000'0f00, raw::command(cmd::SYNC));
  bench.enable(0xd);
  bench.w32(off::CMDQ_PROD, 1);
  EXPECT_EQ(bench.memory.last(Purpose::CMD).address, 0x6000'0f00u) << "aligned to 256 bytes, cut to the OAS";
  SmmuBench capped(config);  // LOG2SIZE 8 acts as 4
  for (std::uint32_t i = 0; i < 16; ++i) capped.memory.store(SmmuBench::cmdq + 16 * i, raw::command(cmd::SYNC));
  capped.w32(off::CMDQ_PROD, 16);
  EXPECT_EQ(capped.cons(), 16u);
  EXPECT_EQ(capped.memory.count(Purpose::CMD), 16u);
  SmmuBench high(config);  // and the base is aligned to what 4 makes of it: 256 bytes
  high.enable(cr0::SMMUEN);
  high.w64(off::CMDQ_BASE, 0x6000'0f00 | 8);
  high.memory.store(0x6000'0f00, raw::command(cmd::SYNC));
  high.enable(0xd);
  high.w32(off::CMDQ_PROD, 1);
  EXPECT_EQ(high.memory.last(Purpose::CMD).address, 0x6000'0f00u);
}

TEST(SpecCommandQueue, InconsistentIndexesStop) {
  RecordProperty("rule", "SM-QU-003 SM-CQ-002");
  SmmuBench bench;
  bench.sync();
  bench.memory.log.clear();
  bench.w32(off::CMDQ_PROD, 0);  // behind CONS
  EXPECT_EQ(bench.memory.count(Purpose::CMD), 0u) << "our choice: stop";
  EXPECT_EQ(bench.active_errors(), 0u);
  bench.sync();
  EXPECT_TRUE(bench.all_consumed()) << "and go on when they are consistent again";
}

/// Opcodes that this SMMU (stage 1 only, no ATS, PRI, stalls, EL2, MPAM) has.
const std::set<std::uint64_t> known = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46};

TEST(SpecCommandQueue, OpcodeSweep) {
  RecordProperty("rule", "SM-CM-001 SM-CER-004 SM-CER-002 SM-TI-009");
  for (std::uint64_t opcode = 0; opcode < 256; ++opcode) {
    SCOPED_TRACE(testing::Message() << std::hex << opcode);
    SmmuBench bench;
    bench.issue(raw::command(opcode));
    const bool legal = known.count(opcode) != 0;
    EXPECT_EQ(bench.all_consumed(), legal);
    if (!legal) {
      EXPECT_EQ(bench.command_error(), cerror_ill);
    }
    EXPECT_EQ(bench.active_errors(), legal ? 0u : gerror::CMDQ_ERR);
  }
}

TEST(SpecCommandQueue, CommandsOfAbsentFeatures) {
  RecordProperty("rule", "SM-TI-015 SM-TI-016 SM-FA-026 SM-CC-007");
  for (const std::uint64_t opcode : {0x07u, 0x18u, 0x1au, 0x20u, 0x21u, 0x22u, 0x23u, 0x28u, 0x2au, 0x40u, 0x41u, 0x44u,
                                     0x45u, 0x50u, 0x58u, 0x5au, 0x60u, 0x70u, 0x73u}) {
    SmmuBench bench;
    bench.enable(cr0::CMDQEN);  // "ignored while SMMUEN=0" does not hide the error
    bench.issue(raw::command(opcode));
    EXPECT_EQ(bench.command_error(), cerror_ill) << std::hex << opcode;
    EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  }
}

TEST(SpecCommandQueue, SsecOnTheNonSecureQueue) {
  RecordProperty("rule", "SM-CM-010 SM-CM-006");
  for (const std::uint64_t opcode : {0x01u, 0x02u, 0x03u, 0x04u, 0x05u, 0x06u}) {
    SmmuBench bench;
    bench.issue(raw::command(opcode, {{cmd::SSec, 1}}));
    EXPECT_EQ(bench.command_error(), cerror_ill) << opcode;
    EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  }
  for (const std::uint64_t opcode : {0x10u, 0x11u, 0x12u, 0x13u, 0x30u, 0x46u}) {
    SmmuBench bench;
    bench.issue(raw::command(opcode, {{cmd::SSec, 1}}));
    EXPECT_TRUE(bench.all_consumed()) << "bit 10 is no SSec here, a RES0 bit: " << std::hex << opcode;
  }
}

TEST(SpecCommandQueue, ReservedBitsAreIgnored) {
  RecordProperty("rule", "SM-CM-009 SM-CM-012 SM-CM-014");
  for (const std::uint64_t opcode : known) {
    SmmuBench bench;
    raw::Command noisy{{~std::uint64_t{0}, ~std::uint64_t{0}}};
    noisy.put(cmd::OP, opcode).put(cmd::SSec, 0);
    if (opcode == cmd::SYNC) noisy.put(cmd::CS, 0);
    if (opcode == cmd::PREFETCH_ADDR) noisy.put(cmd::Size, 2);
    bench.issue(noisy);
    EXPECT_TRUE(bench.all_consumed()) << std::hex << opcode;
    EXPECT_TRUE(bench.take_events().empty());
  }
}

TEST(SpecCommandQueue, AnErrorStopsTheQueueInPlace) {
  RecordProperty("rule", "SM-CER-001 SM-CMQ-006 SM-GER-007 SM-CM-007");
  SmmuBench bench;
  bench.push(raw::command(cmd::SYNC));
  bench.push(raw::command(cmd::SYNC));
  bench.push(raw::command(0xff));
  bench.push(raw::command(cmd::SYNC, {{cmd::CS, 1}, {cmd::MSIAddress, 0x7000'0000 >> 2}, {cmd::MSIData, 1}}));
  bench.kick();
  EXPECT_EQ(bench.cons(), 2u);
  EXPECT_EQ(bench.command_error(), cerror_ill);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u) << "newer commands have no effect";
  bench.kick();
  EXPECT_EQ(bench.cons(), 2u) << "PROD writes do not restart it";
}

TEST(SpecCommandQueue, RestartByAcknowledgement) {
  RecordProperty("rule", "SM-CER-005 SM-CQ-001");
  SmmuBench bench;
  bench.push(raw::command(0xff));
  bench.push(raw::command(cmd::SYNC));
  bench.kick();
  bench.memory.store(SmmuBench::cmdq, raw::command(cmd::SYNC));  // repaired in place
  bench.memory.log.clear();
  bench.acknowledge_errors();
  EXPECT_TRUE(bench.all_consumed()) << "no PROD write is needed";
  EXPECT_EQ(bench.memory.addresses(Purpose::CMD).front(), SmmuBench::cmdq) << "fetched again";
  EXPECT_EQ(bench.active_errors(), 0u);
}

TEST(SpecCommandQueue, AnUnrepairedCommandFailsAgain) {
  RecordProperty("rule", "SM-CER-005 SM-GER-001");
  SmmuBench bench;
  bench.issue(raw::command(0xff));
  bench.acknowledge_errors();
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  EXPECT_EQ(bench.r32(off::GERROR) & 1, 0u) << "toggled twice";
  EXPECT_EQ(bench.cons(), 0u);
}

TEST(SpecCommandQueue, ProdMayBeMovedBackDuringAnError) {
  RecordProperty("rule", "SM-CER-006");
  SmmuBench bench;
  bench.push(raw::command(cmd::SYNC));
  bench.push(raw::command(0xff));
  bench.push(raw::command(cmd::SYNC));
  bench.kick();
  bench.w32(off::CMDQ_PROD, 1);
  bench.acknowledge_errors();
  EXPECT_EQ(bench.cons(), 1u);
  EXPECT_EQ(bench.active_errors(), 0u);
}

TEST(SpecCommandQueue, FetchAbort) {
  RecordProperty("rule", "SM-CM-007 SM-CER-002 SM-CER-003 SM-RAS-001");
  SmmuBench bench;
  bench.push(raw::command(cmd::SYNC));
  bench.push(raw::command(cmd::SYNC));
  bench.memory.abort_at(SmmuBench::cmdq + 16, 16);
  bench.kick();
  EXPECT_EQ(bench.cons(), 1u);
  EXPECT_EQ(bench.command_error(), cerror_abt);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  bench.memory.clear_aborts();
  bench.acknowledge_errors();
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecCommandQueue, DisablingKeepsTheError) {
  RecordProperty("rule", "SM-CMQ-007");
  SmmuBench bench;
  bench.issue(raw::command(0xff));
  bench.enable(cr0::SMMUEN | cr0::EVENTQEN);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  bench.enable(0xd);
  EXPECT_EQ(bench.active_errors(), gerror::CMDQ_ERR);
  EXPECT_EQ(bench.cons(), 0u);
  bench.memory.store(SmmuBench::cmdq, raw::command(cmd::SYNC));
  bench.acknowledge_errors();
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecCommandQueue, RestartAfterDisable) {
  RecordProperty("rule", "SM-CMQ-007 SM-CER-005");
  SmmuBench bench;
  bench.issue(raw::command(0xff));
  bench.enable(cr0::SMMUEN);
  bench.acknowledge_errors();
  EXPECT_EQ(bench.cons(), 0u) << "not enabled";
  bench.memory.store(SmmuBench::cmdq, raw::command(cmd::SYNC));
  bench.enable(0xd);
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecCommandQueue, ErrorIsVisibleBeforeGerror) {
  RecordProperty("rule", "SM-CMQ-006 SM-CER-001");
  SmmuBench bench;
  bench.w64(off::GERROR_IRQ_CFG0, 0x7000'0000);
  bench.w32(off::IRQ_CTRL, irq::GERROR);
  std::uint32_t seen_error = 0, seen_gerror = 0;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose != Purpose::MSI) return;
    seen_error = bench.command_error();
    seen_gerror = bench.active_errors();
  };
  bench.issue(raw::command(0xff));
  EXPECT_EQ(seen_error, cerror_ill);
  EXPECT_EQ(seen_gerror, gerror::CMDQ_ERR);
}

TEST(SpecCommandQueue, ConsCanBeSetWhileDisabled) {
  RecordProperty("rule", "SM-CMQ-005 SM-QU-002");
  SmmuBench bench;
  bench.enable(cr0::SMMUEN);
  bench.w32(off::CMDQ_CONS, 7);
  bench.w32(off::CMDQ_PROD, 7);
  bench.prod = 7;
  bench.enable(0xd);
  bench.sync();
  EXPECT_EQ(bench.memory.addresses(Purpose::CMD), std::vector<std::uint64_t>{SmmuBench::cmdq + 7 * 16});
  EXPECT_EQ(bench.cons(), 8u);
}

/// The bits that a larger queue adds to an index are UNKNOWN; those below stay.
TEST(SpecCommandQueue, IndexesWhenTheSizeChanges) {
  RecordProperty("rule", "SM-CMQ-009");
  SmmuBench bench;
  bench.enable(cr0::SMMUEN);
  bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | 4);
  bench.w32(off::CMDQ_CONS, 0x1d);
  bench.w32(off::CMDQ_PROD, 0x1d);
  EXPECT_EQ(bench.cons(), 0x1du);
  bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | 2);
  EXPECT_EQ(bench.cons(), 5u) << "truncated";
  bench.enable(0xd);
  EXPECT_EQ(bench.memory.count(Purpose::CMD), 0u) << "empty, as it was";
  bench.memory.store(SmmuBench::cmdq + 16, raw::command(cmd::SYNC));
  bench.w32(off::CMDQ_PROD, 6);
  EXPECT_EQ(bench.cons(), 6u);
  EXPECT_EQ(bench.memory.addresses(Purpose::CMD), std::vector<std::uint64_t>{SmmuBench::cmdq + 16});
  bench.enable(cr0::SMMUEN);
  bench.w64(off::CMDQ_BASE, SmmuBench::cmdq | 4);
  EXPECT_EQ(bench.cons() & 7, 6u);
  EXPECT_LT(bench.cons(), 32u);
}

TEST(SpecCommandQueue, EventWhenAFullQueueDrains) {
  RecordProperty("rule", "SM-CM-004 SM-CMQ-008");
  SmmuBench bench(timed_bench_config(), 50'000);
  for (int i = 0; i < 256; ++i) bench.push(raw::command(cmd::TLBI_NH_ALL));
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  bench.smmu.take_interrupts();
  EXPECT_EQ(bench.r32(off::CMDQ_PROD), 256u) << "full: software sees that and waits for an event";
  while (bench.cons() == 0) bench.engine.run_until(bench.engine.now() + 1000);
  bench.run();
  EXPECT_EQ(bench.smmu.take_interrupts() & wire_sev, wire_sev);
  EXPECT_TRUE(bench.all_consumed());
}

TEST(SpecCommandQueue, UpperBitsOfAddresses) {
  RecordProperty("rule", "SM-CM-011 SM-AS-023 SM-CM-009");
  SmmuBench bench;
  bench.issue(raw::command(cmd::TLBI_NH_VA, {{cmd::Address, ~std::uint64_t{0}}}));
  bench.issue(raw::command(
      cmd::SYNC, {{cmd::CS, 1}, {cmd::MSIAddress, (std::uint64_t{0xff} << 48 | 0x7000'0000) >> 2}, {cmd::MSIData, 1}}));
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(bench.memory.last(Purpose::MSI).address, 0x7000'0000u) << "cut to the OAS";
}

TEST(SpecCommandQueue, UpperBitsOfVirtualAddresses) {
  RecordProperty("rule", "SM-CM-011");
  SmmuBench bench;
  const raw::Cd context = bench.stage1_stream(1).with({{raw::cd::TBI0, 1}});
  bench.put_cd(1, context);
  const std::uint64_t tagged = 0x5a00'0000'0000'3000;
  bench.map(SmmuBench::ttb0(context), 0x3000, raw::page(SmmuBench::target));
  for (std::uint64_t round = 1; round < 3; ++round) {
    const std::uint64_t moved = SmmuBench::target + (round << 12);
    bench.read(1, tagged);
    bench.map(SmmuBench::ttb0(context), 0x3000, raw::page(moved));
    const std::uint64_t va = round == 1 ? tagged : 0x3000;
    bench.push(raw::command(cmd::TLBI_NH_VA, {{cmd::Address, va >> 12}, {cmd::ASID, 1}}));
    bench.sync();
    EXPECT_EQ(bench.read(1, tagged).address.value, moved) << "our choice: bits 63:56 are those of a tag";
  }
}

}  // namespace
}  // namespace smmusim

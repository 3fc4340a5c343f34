// SPDX-License-Identifier: MIT
// CR0, CR0ACK and the disabled state (IHI 0070 sections 3.11 and 6.3.9). A timed machine shows transitions.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr Time ns = 1000;

TEST(SpecCr0, ResetAndMirroring) {
  RecordProperty("rule", "SM-RU-001 SM-RU-014");
  SmmuBench bench(bench_config(), 0, false);
  EXPECT_EQ(bench.r32(off::CR0), 0u);
  EXPECT_EQ(bench.r32(off::CR0ACK), 0u);
  bench.w32(off::CR0, 0xffff'ffff);
  EXPECT_EQ(bench.r32(off::CR0), 0xdu) << "no PRIQEN, ATSCHK, VMW, DPT_WALK_EN, reserved bits";
  EXPECT_EQ(bench.r32(off::CR0ACK), 0xdu);
  bench.w32(off::CR0, cr0::CMDQEN);
  EXPECT_EQ(bench.r32(off::CR0ACK), cr0::CMDQEN) << "fields follow independently";
  bench.w32(off::CR0, 0);
  EXPECT_EQ(bench.r32(off::CR0ACK), 0u);
}

TEST(SpecCr0, CmdqenOffIsAcknowledgedWhenTheCommandUnderWayIsConsumed) {
  RecordProperty("rule", "SM-RU-006 SM-RU-001");
  SmmuBench bench(timed_bench_config(), 100 * ns);
  for (int i = 0; i < 8; ++i) bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  bench.engine.run_until(bench.engine.now() + 150 * ns);  // somewhere in the second command
  bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::EVENTQEN, 4);
  EXPECT_EQ(bench.r32(off::CR0) & cr0::CMDQEN, 0u);
  EXPECT_NE(bench.r32(off::CR0ACK) & cr0::CMDQEN, 0u) << "a command is being processed";
  bench.run();
  EXPECT_EQ(bench.r32(off::CR0ACK) & cr0::CMDQEN, 0u);
  const std::uint32_t stopped_at = bench.cons();
  EXPECT_GE(stopped_at, 1u);
  EXPECT_LT(stopped_at, 8u);
  bench.memory.log.clear();
  bench.w32(off::CMDQ_PROD, bench.prod);
  EXPECT_EQ(bench.memory.count(Purpose::CMD), 0u) << "disabled: no fetches";
  bench.enable(0xd);
  EXPECT_EQ(bench.cons(), 8u) << "resumes from CONS";
  EXPECT_EQ(bench.memory.addresses(Purpose::CMD).front(), SmmuBench::cmdq + 16 * stopped_at);
}

TEST(SpecCr0, AFieldInTransitionIgnoresNewValues) {
  RecordProperty("rule", "SM-RU-002 SM-RG-006");
  SmmuBench bench(timed_bench_config(), 100 * ns);
  bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::EVENTQEN, 4);
  ASSERT_NE(bench.r32(off::CR0) & cr0::CMDQEN, bench.r32(off::CR0ACK) & cr0::CMDQEN);
  bench.smmu.write_register(off::CR0, 0xd, 4);
  EXPECT_EQ(bench.r32(off::CR0) & cr0::CMDQEN, 0u) << "our choice of the two: the new value is ignored";
  bench.smmu.write_register(off::CMDQ_BASE, 0x7777'0004, 8);
  EXPECT_EQ(bench.r64(off::CMDQ_BASE), SmmuBench::cmdq | SmmuBench::cmdq_log2) << "guarded until the Update is done";
  bench.run();
  EXPECT_EQ(bench.r32(off::CR0ACK), cr0::SMMUEN | cr0::EVENTQEN);
}

TEST(SpecCr0, EventqenOffCommitsWhatIsBeingWritten) {
  RecordProperty("rule", "SM-RU-007 SM-EVQ-010 SM-EVQ-007");
  SmmuBench bench(timed_bench_config(), 100 * ns);
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(3, 0x1000);  // STE 3 is zero: C_BAD_STE
  request.fire = [](EventNode&) {};
  bool writing = false;
  bench.memory.before = [&](const MemoryRequest& access) { writing |= access.purpose == Purpose::EVENT; };
  bench.smmu.submit(0, request);
  while (!writing) bench.engine.run_until(bench.engine.now() + ns);
  bench.smmu.write_register(off::CR0, cr0::SMMUEN | cr0::CMDQEN, 4);
  EXPECT_NE(bench.r32(off::CR0ACK) & cr0::EVENTQEN, 0u);
  bench.run();
  EXPECT_EQ(bench.r32(off::CR0ACK) & cr0::EVENTQEN, 0u);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u) << "the committed record is visible";
  bench.memory.before = nullptr;
  EXPECT_EQ(bench.go(SmmuBench::transaction(3, 0x1000)).outcome, Outcome::abort);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u) << "later ones are dropped, without overflow";
}

TEST(SpecCr0, DisabledSmmuPassesOrAborts) {
  RecordProperty("rule", "SM-RS-001 SM-RS-002 SM-ST-006 SM-GBP-005");
  SmmuBench bench;
  bench.stage1_stream(1);
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.memory.log.clear();
  const Response response = bench.read(1, 0x1234'5678);
  EXPECT_EQ(response.outcome, Outcome::proceed);
  EXPECT_EQ(response.address.value, 0x1234'5678u);
  EXPECT_TRUE(bench.memory.log.empty()) << "no STE access";
  bench.w32(off::GBPA, 1u << 31 | 1u << 20);
  EXPECT_EQ(bench.read(1, 0x1234'5678).outcome, Outcome::abort);
  EXPECT_TRUE(bench.take_events().empty());
  EXPECT_TRUE(bench.memory.log.empty());
}

TEST(SpecCr0, DisabledIgnoresSubstreamsAndBadStreamIds) {
  RecordProperty("rule", "SM-RU-009 SM-REG-013");
  SmmuBench bench;
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  Transaction t = SmmuBench::transaction(0xffff'ffff, 0x5000);
  t.substream_valid = true;
  t.substream_id = SubstreamId(7);
  EXPECT_EQ(bench.go(t).outcome, Outcome::proceed);
  EXPECT_TRUE(bench.take_events().empty());
}

TEST(SpecCr0, DisabledBypassChecksTheOas) {
  RecordProperty("rule", "SM-AS-002");
  SmmuBench bench;
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  EXPECT_EQ(bench.read(0, 0xffff'ffff'ffff).outcome, Outcome::proceed);
  EXPECT_EQ(bench.read(0, 0x1'0000'0000'0000).outcome, Outcome::abort);
  EXPECT_EQ(bench.read(0, 0xffff'0000'0000'0000).outcome, Outcome::abort);
  EXPECT_TRUE(bench.take_events().empty());
}

TEST(SpecCr0, DisabledFillsNoCachesButRunsCommands) {
  RecordProperty("rule", "SM-RU-010 SM-ST-010 SM-TL-021 SM-CM-003");
  SmmuBench bench;
  bench.stage1_stream(1);
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.memory.log.clear();
  bench.read(1, 0x1000);
  bench.push(raw::command(raw::cmd::PREFETCH_CONFIG, {{raw::cmd::StreamID, 1}}));
  bench.push(raw::command(raw::cmd::PREFETCH_ADDR, {{raw::cmd::StreamID, 1}}));
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(bench.memory.count(Purpose::STE) + bench.memory.count(Purpose::CD) + bench.memory.count(Purpose::TTD), 0u);
  EXPECT_EQ(bench.smmu.cache_counters(CacheId::config_cache).fills, 0u);
  EXPECT_EQ(bench.smmu.cache_counters(CacheId::tlb).fills, 0u);
}

TEST(SpecCr0, EnableUsesTheStreamTableForEveryNewTransaction) {
  RecordProperty("rule", "SM-RU-011 SM-REG-009 SM-RU-013");
  SmmuBench bench;
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.w32(off::CR2, 0);
  EXPECT_EQ(bench.read(3, 0x1000).outcome, Outcome::proceed);
  bench.enable(0xd);
  EXPECT_EQ(bench.r32(off::CR0ACK), 0xdu);
  EXPECT_EQ(event_number(bench.read(3, 0x1000)), raw::ev::C_BAD_STE);
  bench.take_events();
  EXPECT_EQ(bench.read(0x100, 0x1000).outcome, Outcome::abort);
  EXPECT_TRUE(bench.take_events().empty()) << "CR2.RECINVSID=0 is in force";
}

TEST(SpecCr0, CachesSurviveDisableButInvalidationsReachThem) {
  RecordProperty("rule", "SM-RS-003 SM-RU-010");
  SmmuBench bench;
  const raw::Cd cd = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
  EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target);
  bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target + 0x1000));
  bench.invalidate_all();
  bench.enable(0xd);
  EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target + 0x1000);
}

TEST(SpecCr0, ATransactionIsWhollyBeforeOrWhollyAfterTheChange) {
  RecordProperty("rule", "SM-RU-013 SM-RU-012");
  for (Time when = 0; when < 700 * ns; when += 13 * ns) {
    SmmuBench bench(timed_bench_config(), 50 * ns);
    const raw::Cd cd = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
    TranslationRequest request;
    request.transaction = SmmuBench::transaction(1, 0x1008);
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
    bench.engine.run_until(bench.engine.now() + when);
    bench.smmu.write_register(off::CR0, cr0::CMDQEN | cr0::EVENTQEN, 4);
    bench.run();
    ASSERT_EQ(request.response.outcome, Outcome::proceed);
    const std::uint64_t address = request.response.address.value;
    EXPECT_TRUE(address == SmmuBench::target + 8 || address == 0x1008) << std::hex << address;
    EXPECT_EQ(bench.r32(off::CR0ACK), cr0::CMDQEN | cr0::EVENTQEN);
    EXPECT_EQ(bench.go(SmmuBench::transaction(1, 0x1008)).address.value, 0x1008u);
  }
}

TEST(SpecCr0, DormantPromisesNothing) {
  RecordProperty("rule", "SM-REG-014 SM-PW-002");
  SmmuBench bench;
  bench.stage1_stream(1);
  bench.read(1, 0x1000);
  EXPECT_EQ(bench.r32(off::STATUSR), 0u);
}

}  // namespace
}  // namespace smmusim

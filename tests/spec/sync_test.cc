// SPDX-License-Identifier: MIT
// CMD_SYNC: what it waits for and how it signals (IHI 0070 sections 3.18, 4.7.3).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cmd = raw::cmd;
constexpr std::uint64_t msi_address = 0x7000'0000;

raw::Command sync_irq(std::uint64_t address, std::uint64_t data = 0x1234'5678) {
  return raw::command(cmd::SYNC, {{cmd::CS, 1}, {cmd::MSIAddress, address >> 2}, {cmd::MSIData, data}});
}

TEST(SpecSync, Signals) {
  RecordProperty("rule", "SM-CS-001 SM-CS-012 SM-IR-001");
  struct Row {
    const char* what;
    std::uint64_t cs;
    bool sev, msi_implemented;
    std::uint64_t address;
    bool legal;
    unsigned wires;
    std::size_t msis;
  };
  const Row rows[] = {{"none, MSI fields ignored", 0, true, true, msi_address, true, 0, 0},
                      {"IRQ with address", 1, true, true, msi_address, true, wire_sync, 1},
                      {"IRQ without address", 1, true, true, 0, true, wire_sync, 0},
                      {"IRQ, MSI=0", 1, true, false, msi_address, true, wire_sync, 0},
                      {"SEV", 2, true, true, msi_address, true, wire_sev, 0},
                      {"SEV not implemented acts as none", 2, false, true, msi_address, true, 0, 0},
                      {"reserved", 3, true, true, msi_address, false, 0, 0}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuConfig config = bench_config();
    config.features.sev = row.sev;
    config.features.msi = row.msi_implemented;
    SmmuBench bench(config);
    bench.smmu.take_interrupts();
    bench.issue(sync_irq(row.address).with({{cmd::CS, row.cs}}));
    EXPECT_EQ(bench.all_consumed(), row.legal);
    EXPECT_EQ(bench.smmu.take_interrupts(), row.wires) << "no enable in IRQ_CTRL is needed";
    EXPECT_EQ(bench.memory.count(Purpose::MSI), row.msis);
    if (!row.legal) {
      EXPECT_EQ(bench.command_error(), 1u);
    }
  }
}

TEST(SpecSync, MsiWrite) {
  RecordProperty("rule", "SM-CS-002 SM-IR-002 SM-ATR-024");
  struct Row {
    std::uint64_t attr, sh;
    MemoryAttributes expected;
  };
  const Row rows[] = {{0x0, 0, {0x00, 2}}, {0x1, 3, {0x04, 2}}, {0x5, 3, {0x44, 2}}, {0xf, 3, {0xff, 3}},
                      {0xf, 1, {0xff, 0}}, {0xf, 2, {0xff, 2}}, {0xa, 0, {0xbb, 0}}, {0x4, 3, {0x00, 2}}};
  for (const Row& row : rows) {
    SmmuBench bench;
    bench.issue(sync_irq(msi_address + 4).with({{cmd::MSIAttr, row.attr}, {cmd::MSH, row.sh}}));
    const BenchAccess& msi = bench.memory.last(Purpose::MSI);
    EXPECT_EQ(msi.op, MemoryOp::write);
    EXPECT_EQ(msi.address, msi_address + 4);
    EXPECT_EQ(msi.size, 4u);
    EXPECT_EQ(msi.first_word & 0xffff'ffff, 0x1234'5678u);
    EXPECT_EQ(msi.attributes.shareability, row.expected.shareability);
    EXPECT_EQ(msi.attributes.type & 0xcc, row.expected.type & 0xcc) << "allocation hints are IMPLEMENTATION DEFINED";
  }
}

TEST(SpecSync, MsiAddressIsComparedBeforeItIsCut) {
  RecordProperty("rule", "SM-CS-001 SM-AS-023");
  SmmuConfig config = bench_config();
  config.features.oas = 40;
  SmmuBench bench(config);
  bench.issue(sync_irq(std::uint64_t{1} << 50 | msi_address));
  EXPECT_EQ(bench.memory.last(Purpose::MSI).address, msi_address);
  bench.memory.log.clear();
  bench.issue(sync_irq(std::uint64_t{1} << 50));
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u) << "the field is not 0";
  EXPECT_EQ(bench.memory.last(Purpose::MSI).address, 0u);
}

TEST(SpecSync, ConsPassesBeforeTheSignal) {
  RecordProperty("rule", "SM-CS-003 SM-IR-001");
  SmmuBench bench(timed_bench_config(), 50'000);
  std::uint32_t cons_at_msi = 99;
  bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose == Purpose::MSI) cons_at_msi = bench.cons();
  };
  bench.issue(sync_irq(msi_address));
  EXPECT_EQ(cons_at_msi, 1u);
  EXPECT_EQ(bench.smmu.take_interrupts() & wire_sync, wire_sync);
}

TEST(SpecSync, WaitsForTransactionsThatAreNotYetVisible) {
  RecordProperty("rule", "SM-CS-005 SM-TL-019 SM-CS-003");
  SmmuBench bench(timed_bench_config(), 50'000);
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(SmmuBench::target));
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(1, 0x1000, AccessType::write);
  request.fire = [](EventNode&) {};
  bench.smmu.submit(0, request);
  bench.run();
  ASSERT_EQ(request.response.outcome, Outcome::proceed);
  bench.push(raw::command(cmd::TLBI_NSNH_ALL));
  bench.issue(sync_irq(msi_address));
  EXPECT_EQ(bench.cons(), 1u) << "the write is still on its way to memory";
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 0u);
  bench.smmu.retire(request);
  bench.run();
  EXPECT_EQ(bench.cons(), 2u);
  EXPECT_EQ(bench.memory.count(Purpose::MSI), 1u);
}

TEST(SpecSync, LaterTransactionsDoNotHoldItUp) {
  RecordProperty("rule", "SM-CS-005 SM-CS-004");
  SmmuBench bench(timed_bench_config(), 50'000);
  const raw::Cd context = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(SmmuBench::target));
  TranslationRequest first, second;
  for (TranslationRequest* request : {&first, &second}) {
    request->transaction = SmmuBench::transaction(1, 0x1000);
    request->fire = [](EventNode&) {};
  }
  bench.smmu.submit(0, first);
  bench.run();
  bench.sync();
  EXPECT_EQ(bench.cons(), 0u);
  bench.smmu.submit(0, second);
  bench.run();
  EXPECT_EQ(second.response.outcome, Outcome::proceed);
  bench.smmu.retire(first);
  bench.run();
  EXPECT_TRUE(bench.all_consumed()) << "second came after the CMD_SYNC began";
  bench.smmu.retire(second);
}

TEST(SpecSync, LaterCommandsWait) {
  RecordProperty("rule", "SM-CS-004 SM-CS-005");
  SmmuBench bench(timed_bench_config(), 50'000);
  bench.push(sync_irq(msi_address, 1));
  bench.push(sync_irq(msi_address, 2));
  bench.issue(sync_irq(msi_address, 3));
  std::vector<std::uint64_t> data;
  for (const BenchAccess& access : bench.memory.log) {
    if (access.purpose == Purpose::MSI) data.push_back(access.first_word & 0xffff'ffff);
  }
  EXPECT_EQ(data, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(SpecSync, EventsOfEarlierAbortsAreVisible) {
  RecordProperty("rule", "SM-CS-006 SM-QU-007 SM-CS-007");
  SmmuBench bench(timed_bench_config(), 50'000);
  bench.memory.before = [&](const MemoryRequest& memory_request) {  // a record takes longer than any command
    bench.memory.latency_ps = memory_request.purpose == Purpose::EVENT ? 5'000'000 : 50'000;
  };
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(3, 0);  // C_BAD_STE
  bool answered = false;
  static bool* flag = nullptr;
  flag = &answered;
  request.fire = [](EventNode&) { *flag = true; };
  bench.smmu.submit(0, request);
  while (!answered) bench.engine.run_until(bench.engine.now() + 1000);
  bench.push(raw::command(cmd::SYNC));
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  while (bench.cons() != 1) bench.engine.run_until(bench.engine.now() + 1000);
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 1u);
  EXPECT_EQ(bench.take_event().get(raw::ev::Type), raw::ev::C_BAD_STE);
}

TEST(SpecSync, WithAFullEventQueueItStillCompletes) {
  RecordProperty("rule", "SM-CS-006");
  SmmuBench bench;
  for (std::uint32_t i = 0; i < 140; ++i) bench.read(3, 0);
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(bench.r32(off::EVENTQ_PROD), 0x8000'0080u);
}

/// The MSI takes longer than the fetch of the next command.
TEST(SpecSync, MsiOfAnEarlierSyncIsComplete) {
  RecordProperty("rule", "SM-IR-004");
  SmmuBench bench(timed_bench_config(), 50'000);
  bench.memory.before = [&](const MemoryRequest& request) {
    bench.memory.latency_ps = request.purpose == Purpose::MSI ? 5'000'000 : 50'000;
  };
  bench.memory.abort_at(msi_address, 4);
  bench.push(sync_irq(msi_address));
  bench.push(raw::command(cmd::SYNC));
  bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
  while (bench.cons() != 2) bench.engine.run_until(bench.engine.now() + 1000);
  EXPECT_EQ(bench.active_errors(), gerror::MSI_CMDQ_ABT_ERR);
  bench.acknowledge_errors();
  EXPECT_EQ(bench.active_errors(), 0u) << "nothing comes later";
}

TEST(SpecSync, AbortedMsi) {
  RecordProperty("rule", "SM-GER-010 SM-ATR-005");
  SmmuBench bench;
  bench.memory.abort_at(msi_address, 4);
  bench.push(sync_irq(msi_address));
  bench.sync();
  EXPECT_TRUE(bench.all_consumed());
  EXPECT_EQ(bench.active_errors(), gerror::MSI_CMDQ_ABT_ERR) << "visible when the next CMD_SYNC is consumed";
  bench.issue(sync_irq(msi_address + 16));
  EXPECT_EQ(bench.memory.last(Purpose::MSI).status, MemoryStatus::ok) << "later MSIs still go out";
  EXPECT_TRUE(bench.all_consumed());
}

}  // namespace
}  // namespace smmusim

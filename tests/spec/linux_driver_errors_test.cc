// SPDX-License-Identifier: MIT
// The Linux driver's completion polling, error recovery, event thread and MSIs (shared/reference/linux-driver.md
// sections 5, 6 and 9; IHI 0070 sections 3.18, 4.7.3, 7.1, 7.2, 7.4, 7.5).
#include <gtest/gtest.h>

#include "tests/support/linux_driver.h"
#include "tests/support/stage2_bench.h"

namespace smmusim::linux_driver {
namespace {

namespace cmd = raw::cmd;
using Log = std::vector<std::string>;

/// An SMMU that the driver runs, with 128 commands and 32 events.
struct Running {
  explicit Running(bool by_msi = false, bool timed = false) : Running(config(timed), by_msi) {}
  Running(const SmmuConfig& machine, bool by_msi) : bench(machine, machine.timed ? 50'000 : 0, false), driver(bench) {
    driver.poll_by_msi = by_msi;
    EXPECT_TRUE(driver.reset(driver.probe()));
    driver.ste_address(0);
    bench.memory.log.clear();
    bench.smmu.take_interrupts();
  }
  static SmmuConfig config(bool timed) {
    SmmuConfig config = stage2_config();
    config.features.cmdqs = 7;
    config.features.eventqs = 5;
    config.timed = timed;
    return config;
  }
  std::uint32_t cons() { return bench.r32(off::CMDQ_CONS) & 0xff; }
  /// One record: a stream beyond the table.
  void make_event(std::uint32_t n = 0) { bench.read(0x2'0000 + n, 0); }

  SmmuBench bench;
  LinuxDriver driver;
};

const raw::Command tlbi = raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 3}});

TEST(SpecLinuxDriverSync, MsiIntoItsOwnSlot) {
  RecordProperty("rule", "SM-CS-001 SM-CS-002 SM-QU-001");
  for (const bool timed : {false, true}) {
    Running r(true, timed);
    for (std::uint32_t round = 0; round < 400; ++round) {  // the queue wraps three times
      const std::uint64_t slot = r.driver.slot(r.driver.prod);
      const raw::Command sync = r.driver.sync_by_msi();
      ASSERT_TRUE(r.driver.issue({}));
      EXPECT_EQ(r.bench.memory.read64(slot), sync.dw[0] & ~std::uint64_t{0xffff'ffff}) << "MSIData, nothing else";
      EXPECT_EQ(r.bench.memory.read64(slot + 8), sync.dw[1]);
      EXPECT_EQ(r.bench.memory.last(Purpose::MSI).address, slot);
      EXPECT_EQ(r.bench.memory.last(Purpose::MSI).attributes, (MemoryAttributes{0xff, 3})) << "MSIAttr 0xf, ISH";
      r.bench.run();
      EXPECT_EQ(r.cons(), r.driver.prod);
      r.bench.memory.log.clear();
    }
  }
}

TEST(SpecLinuxDriverSync, TheSlotIsZeroOnlyAfterTheCommandsBefore) {
  RecordProperty("rule", "SM-CS-003 SM-CS-004 SM-CS-005");
  Running r(true, true);
  const raw::Cd context = r.bench.stage1_stream(1);
  r.bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(SmmuBench::target));
  r.bench.memory.store(r.driver.ste_address(1), SmmuBench::stage1_ste(SmmuBench::cd_address(1)));
  ASSERT_TRUE(r.driver.issue({raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}})}));
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(1, 0x1000, AccessType::write);
  request.fire = [](EventNode&) {};
  r.bench.smmu.submit(0, request);
  r.bench.run();
  std::vector<std::uint64_t> slots;
  std::vector<std::uint32_t> indexes;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5; ++j) r.driver.store(raw::command(cmd::TLBI_NH_ASID, {{cmd::ASID, 1}}));
    slots.push_back(r.driver.slot(r.driver.prod));
    r.driver.store(r.driver.sync_by_msi());
    indexes.push_back(r.driver.prod);
  }
  r.driver.ring();
  EXPECT_NE(r.bench.memory.read64(slots[0]) & 0xff, 0u) << "the write is not visible yet";
  r.bench.smmu.retire(request);
  for (int step = 0; step < 3000; ++step) {
    for (std::size_t i = 0; i < 3; ++i) {
      if ((r.bench.memory.read64(slots[i]) & 0xffff'ffff) != 0) continue;
      EXPECT_GE(r.cons(), indexes[i]) << "the index shows before the MSI";
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(r.bench.memory.read64(slots[j]) & 0xffff'ffff, 0u) << "in order";
    }
    r.bench.engine.run_until(r.bench.engine.now() + 500);
  }
  EXPECT_EQ(r.cons(), r.driver.prod);
  EXPECT_EQ(r.bench.memory.read64(slots[2]) & 0xffff'ffff, 0u);
}

TEST(SpecLinuxDriverSync, SevAndConsPolling) {
  RecordProperty("rule", "SM-CS-001");
  for (const bool sev : {true, false}) {
    SmmuConfig config = Running::config(false);
    config.features.sev = sev;
    Running r(config, false);
    for (int round = 0; round < 300; ++round) {
      ASSERT_TRUE(r.driver.issue({tlbi}));
      EXPECT_EQ(r.bench.smmu.take_interrupts(), sev ? wire_sev : 0u) << "without SEV it acts as CS=0";
      EXPECT_EQ(r.bench.memory.count(Purpose::MSI), 0u);
    }
  }
}

TEST(SpecLinuxDriverSync, NothingHappensBeforeTheBell) {
  RecordProperty("rule", "SM-CM-002 SM-CM-003 SM-QU-001");
  Running r;
  for (int round = 0; round < 9; ++round) {
    for (int i = 0; i < 64; ++i) r.driver.store(tlbi);
    r.driver.store(LinuxDriver::sync_by_sev());
    r.bench.run();
    EXPECT_NE(r.cons(), r.driver.prod);
    r.driver.ring();
    EXPECT_EQ(r.cons(), r.driver.prod) << "a whole batch by one write of PROD";
  }
}

TEST(SpecLinuxDriverSync, AFullQueueSignalsItsFirstFreeSlot) {
  RecordProperty("rule", "SM-CM-004 SM-QU-001");
  Running r(false, true);
  const std::uint32_t start = r.cons();
  for (int i = 0; i < 128; ++i) r.driver.store(tlbi);
  r.bench.smmu.write_register(off::CMDQ_PROD, r.driver.prod, 4);
  EXPECT_EQ(r.cons() ^ r.driver.prod, 128u) << "full";
  EXPECT_EQ(r.bench.smmu.take_interrupts() & wire_sev, 0u);
  for (int step = 0; step < 1000 && r.cons() == start; ++step) {
    r.bench.engine.run_until(r.bench.engine.now() + 500);
  }
  EXPECT_EQ(r.cons(), (start + 1) & 0xff);
  EXPECT_EQ(r.bench.smmu.take_interrupts() & wire_sev, wire_sev) << "who waits for space wakes up";
  EXPECT_TRUE(r.driver.issue({})) << "and may use it";
  EXPECT_EQ(r.cons(), r.driver.prod);
}

/// A batch of `size` commands with an unknown one at `bad`, after `before` batches.
void recover(std::uint32_t before, std::size_t size, std::size_t bad, bool by_msi) {
  Running r(by_msi);
  for (std::uint32_t i = 0; i < before; ++i) ASSERT_TRUE(r.driver.issue({}));
  const raw::Cd context = r.bench.stage1_stream(1);
  r.bench.memory.store(r.driver.ste_address(1), SmmuBench::stage1_ste(SmmuBench::cd_address(1)));
  ASSERT_TRUE(r.driver.issue({raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}})}));
  for (std::uint64_t i = 0; i < size; ++i) {
    r.bench.map(SmmuBench::ttb0(context), i << 12, raw::page(SmmuBench::target + (i << 12)));
    r.bench.read(1, i << 12);
    r.bench.map(SmmuBench::ttb0(context), i << 12, raw::page(SmmuBench::target + 0x10'0000 + (i << 12)));
  }
  r.bench.smmu.take_interrupts();
  const std::uint32_t start = r.driver.prod;
  for (std::uint64_t i = 0; i < size; ++i) {
    r.driver.store(i == bad ? raw::command(0xff)
                            : raw::command(cmd::TLBI_NH_VA, {{cmd::ASID, 1}, {cmd::Leaf, 1}, {cmd::Address, i}}));
  }
  r.driver.store(by_msi ? r.driver.sync_by_msi() : LinuxDriver::sync_by_sev());
  r.driver.ring();
  EXPECT_EQ(r.cons(), (start + bad) & 0xff) << "it stops at the bad command";
  EXPECT_EQ(r.bench.smmu.take_interrupts(), wire_gerror);
  r.driver.gerror_handler();
  EXPECT_EQ(r.driver.log, Log{"CMDQ error: Illegal command"});
  EXPECT_EQ(r.cons(), r.driver.prod) << "acknowledging goes on, with the CMD_SYNC in its place";
  EXPECT_EQ(r.bench.active_errors(), 0u);
  for (std::uint64_t i = 0; i < size; ++i) {
    if (i == bad) continue;
    EXPECT_EQ(r.bench.read(1, i << 12).address.value, SmmuBench::target + 0x10'0000 + (i << 12)) << i;
  }
}

TEST(SpecLinuxDriverErrors, IllegalCommandBecomesACmdSync) {
  RecordProperty("rule", "SM-CER-001 SM-CER-005 SM-CER-002 SM-CQ-001");
  for (const bool by_msi : {false, true}) {
    for (const std::size_t bad : {0u, 1u, 7u, 15u}) {
      SCOPED_TRACE(testing::Message() << "bad " << bad << " msi " << by_msi);
      recover(0, 16, bad, by_msi);
      recover(110, 16, bad, by_msi);  // across the end of the queue
    }
  }
}

TEST(SpecLinuxDriverErrors, EveryCommandOfABatchIsIllegal) {
  RecordProperty("rule", "SM-CER-005 SM-GER-001");
  Running r;
  for (int i = 0; i < 20; ++i) r.driver.store(raw::command(0xff));
  r.driver.store(LinuxDriver::sync_by_sev());
  r.driver.ring();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(r.bench.active_errors(), gerror::CMDQ_ERR);
    EXPECT_EQ(r.bench.smmu.take_interrupts() & wire_gerror, wire_gerror) << "each is a new activation";
    r.driver.gerror_handler();
  }
  EXPECT_EQ(r.bench.active_errors(), 0u);
  EXPECT_EQ(r.cons(), r.driver.prod);
  EXPECT_EQ(r.driver.log.size(), 20u);
}

TEST(SpecLinuxDriverErrors, AnAbortedFetchIsRetried) {
  RecordProperty("rule", "SM-CM-007 SM-CER-002 SM-CER-003 SM-CER-005");
  Running r;
  for (int i = 0; i < 4; ++i) r.driver.store(tlbi);
  r.bench.memory.abort_at(r.driver.slot(r.driver.prod - 2), 16);
  r.driver.ring();
  const std::uint32_t at = (r.driver.prod - 2) & 0xff;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(r.cons(), at);
    EXPECT_EQ(r.bench.active_errors(), gerror::CMDQ_ERR);
    r.driver.gerror_handler();
  }
  EXPECT_EQ(r.driver.log, Log(3, "CMDQ error: retrying command fetch"));
  r.bench.memory.clear_aborts();
  r.driver.gerror_handler();
  EXPECT_EQ(r.cons(), r.driver.prod);
}

TEST(SpecLinuxDriverErrors, OtherGlobalErrorsAreOnlyPrinted) {
  RecordProperty("rule", "SM-GER-005 SM-GER-010 SM-GER-001");
  Running r(true);
  r.bench.memory.abort_at(LinuxDriver::evtq, 0x1000);
  r.make_event();
  r.driver.gerror_handler();
  EXPECT_EQ(r.driver.log, Log{"EVTQ write aborted"});
  EXPECT_EQ(r.bench.active_errors(), 0u);
  r.bench.memory.clear_aborts();
  r.bench.memory.abort_at(0x1c00'0000, 4);
  r.driver.store(raw::command(cmd::SYNC, {{cmd::CS, 1}, {cmd::MSIAddress, 0x1c00'0000 >> 2}}));
  EXPECT_TRUE(r.driver.issue({})) << "the next CMD_SYNC's MSI is written";
  r.driver.gerror_handler();
  EXPECT_EQ(r.driver.log, (Log{"EVTQ write aborted", "CMDQ MSI write aborted"}));
  EXPECT_EQ(r.bench.active_errors(), 0u);
  r.driver.event_thread();
  r.make_event();
  EXPECT_EQ(r.driver.event_thread().size(), 1u) << "events go on";
}

TEST(SpecLinuxDriverEvents, ThreadSeesEveryRecordInOrder) {
  RecordProperty("rule", "SM-QU-001 SM-EVQ-005 SM-IR-005");
  Running r;
  std::uint32_t made = 0, seen = 0;
  for (std::uint32_t round = 0; round < 60; ++round) {
    for (std::uint32_t i = 0; i <= round % 32; ++i) r.make_event(made++);
    EXPECT_EQ(r.bench.smmu.take_interrupts(), wire_eventq) << "the queue was empty";
    for (const raw::Record& record : r.driver.event_thread()) {
      EXPECT_EQ(record.get(raw::ev::Type), raw::ev::C_BAD_STREAMID);
      EXPECT_EQ(record.get(raw::ev::StreamID), 0x2'0000 + seen++);
    }
    EXPECT_EQ(seen, made);
  }
  EXPECT_TRUE(r.driver.log.empty()) << "32 records fit";
}

TEST(SpecLinuxDriverEvents, OverflowIsSeenOncePerEpisode) {
  RecordProperty("rule", "SM-EVQ-003 SM-EVQ-014");
  Running r;
  for (std::size_t episode = 1; episode <= 5; ++episode) {
    for (std::uint32_t i = 0; i < 40; ++i) r.make_event(i);
    EXPECT_EQ(r.driver.event_thread().size(), 32u);
    EXPECT_EQ(r.driver.log, Log(episode, "EVTQ overflow detected -- events lost"));
    r.make_event(7);
    ASSERT_EQ(r.driver.event_thread().size(), 1u) << "acknowledged, and on it goes";
    EXPECT_EQ(r.driver.log.size(), episode);
  }
}

TEST(SpecLinuxDriverMsi, EventsAndGlobalErrors) {
  RecordProperty("rule", "SM-IR-001 SM-IR-002 SM-IRQ-007");
  constexpr std::uint64_t its = 0x0808'0040;
  SmmuBench bench(Running::config(false), 0, false);
  LinuxDriver driver(bench);
  driver.set_msis(its, 7, its, 8);  // what the registers hold before reset() must not matter
  ASSERT_TRUE(driver.reset(driver.probe()));
  bench.memory.log.clear();
  bench.read(0x2'0000, 0);
  ASSERT_EQ(bench.memory.count(Purpose::MSI), 1u);
  BenchAccess msi = bench.memory.last(Purpose::MSI);
  EXPECT_EQ(msi.address, its);
  EXPECT_EQ(msi.size, 4u);
  EXPECT_EQ(msi.first_word & 0xffff'ffff, 7u);
  EXPECT_EQ(msi.attributes, (MemoryAttributes{0x04, 2})) << "Device-nGnRE";
  driver.store(raw::command(0xff));
  driver.store(LinuxDriver::sync_by_sev());
  driver.ring();
  ASSERT_EQ(bench.memory.count(Purpose::MSI), 2u);
  msi = bench.memory.last(Purpose::MSI);
  EXPECT_EQ(msi.address, its);
  EXPECT_EQ(msi.first_word & 0xffff'ffff, 8u);
  EXPECT_EQ(msi.attributes, (MemoryAttributes{0x04, 2}));
  driver.gerror_handler();
  EXPECT_EQ(driver.event_thread().size(), 1u);
}

TEST(SpecLinuxDriverMsi, WiresAloneWhenTheAddressIsZero) {
  RecordProperty("rule", "SM-IR-006 SM-IRQ-006");
  Running r;
  r.make_event();
  r.driver.store(raw::command(0xff));
  r.driver.ring();
  EXPECT_EQ(r.bench.smmu.take_interrupts(), wire_eventq | wire_gerror);
  EXPECT_EQ(r.bench.memory.count(Purpose::MSI), 0u);
}

}  // namespace
}  // namespace smmusim::linux_driver

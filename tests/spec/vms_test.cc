// SPDX-License-Identifier: MIT
// The Virtual Machine Structure: when it is fetched, what PARTID_MAP says, what an abort of the fetch is, which command
// drops it (IHI 0070 sections 4.3.5, 5.2 VMSPtr, 5.6, 7.3.20).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target, va = 0x12'3456'7000, ipa = 0x8'7654'3000, vms = 0x4040'0000;
constexpr std::uint64_t vmid = 5;  // of Stage2Bench

Stage2Bench::Options options_of(unsigned partid_max, Time latency_ps = 0) {
  Stage2Bench::Options options;
  options.config.features.mpam = true;
  options.config.features.partid_max = partid_max;
  options.config.features.pmg_max = 3;
  options.config.features.oas = 44;
  options.stage2 = stage2_shape(44);
  options.config.timed = latency_ps != 0;
  options.latency_ps = latency_ps;
  return options;
}

/// A nested stream with S1MPAM whose map turns virtual PARTID n into 100 + n.
struct Machine : Stage2Bench {
  explicit Machine(unsigned partid_max = 0xffff, Time latency_ps = 0)
      : Stage2Bench(options_of(partid_max, latency_ps)) {
    s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    s2.map(ipa, target, s2_rw);
    for (std::uint64_t n = 0; n < 32; ++n) put_map(n, 100 + n);
    edit_ste({{ste::S1MPAM, 1}, {ste::VMSPtr, vms >> 12}, {ste::PARTID, 9}, {ste::PMG, 1}});
    edit_cd({{cd::PARTID, 3}, {cd::PMG, 2}});
    bench.memory.log.clear();
  }
  void put_map(std::uint64_t n, std::uint64_t partid) {
    const std::uint64_t address = vms + n / 4 * 8, shift = n % 4 * 16;
    const std::uint64_t word = bench.memory.read64(address) & ~(std::uint64_t{0xffff} << shift);
    bench.memory.write64(address, word | partid << shift);
  }
  std::uint64_t fetches() { return bench.memory.count(Purpose::VMS); }
};

TEST(SpecVms, EveryEntryOfTheMap) {
  RecordProperty("rule", "SM-MP-004");
  Machine b;
  for (std::uint64_t n = 0; n < 32; ++n) {
    b.edit_cd({{cd::PARTID, n}});
    b.reload();
    EXPECT_EQ(b.read(va).mpam, (MpamIds{static_cast<std::uint16_t>(100 + n), 2})) << n;
  }
  b.edit_cd({{cd::PARTID, 0xffe0 | 7}});
  b.reload();
  EXPECT_EQ(b.read(va).mpam.partid, 107) << "five bits of CD.PARTID count";
}

TEST(SpecVms, AnEntryAboveTheMaximumIsNoError) {
  RecordProperty("rule", "SM-MP-004 SM-MP-002");
  Machine b(102);
  const Response response = b.read(va);  // 103
  EXPECT_EQ(response.outcome, Outcome::proceed);
  EXPECT_LE(response.mpam.partid, 102);
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecVms, FetchedAsAnSteIs) {
  RecordProperty("rule", "SM-MP-004 SM-ATR-024");
  Machine b;
  b.read(va);
  const BenchAccess& fetch = b.bench.memory.last(Purpose::VMS);
  EXPECT_EQ(fetch.address, vms);
  EXPECT_EQ(fetch.attributes, b.bench.memory.last(Purpose::STE).attributes);
  b.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  b.bench.w32(off::CR1, 0);  // Non-cacheable
  b.bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
  b.reload();
  b.read(va);
  EXPECT_EQ(b.bench.memory.last(Purpose::VMS).attributes.type, 0x44);
}

struct UseRow {
  const char* what;
  std::uint64_t config, s1mpam;
  unsigned partid_max;
  bool used;
};

TEST(SpecVms, VmsPtrCountsOnlyWhereItIsUsed) {
  RecordProperty("rule", "SM-MP-003 SM-AS-022");
  const UseRow rows[] = {{"nested with S1MPAM", 7, 1, 7, true},
                         {"without S1MPAM", 7, 0, 7, false},
                         {"stage 2 only", 6, 1, 7, false},
                         {"bypass", 4, 1, 7, false},
                         {"one PARTID only", 7, 1, 0, false}};
  for (const UseRow& row : rows) {
    SCOPED_TRACE(row.what);
    Machine b(row.partid_max);
    b.s2.map(ipa, target, s2_rw);
    b.edit_ste({{ste::Config, row.config}, {ste::S1MPAM, row.s1mpam}, {ste::VMSPtr, std::uint64_t{1} << (44 - 12)}});
    const Response response = b.read(row.config == 7 ? va : ipa);
    EXPECT_EQ(event_number(response), row.used ? raw::ev::C_BAD_STE : 0u);
    EXPECT_EQ(b.fetches(), 0u);
  }
}

TEST(SpecVms, AnAbortedFetchIsRecorded) {
  RecordProperty("rule", "SM-EVR-022 SM-EVR-028 SM-MP-005");
  for (const Time latency : {Time{0}, Time{1000}}) {
    Machine b(0xffff, latency);
    b.bench.memory.abort_at(vms, 64);
    const Response response = b.read(va);
    EXPECT_EQ(response.outcome, Outcome::abort);
    EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{raw::ev::Type, raw::ev::F_VMS_FETCH},
                                                        {raw::ev::StreamID, Stage2Bench::sid},
                                                        {raw::ev::FetchAddr, vms >> 3}}));
    b.bench.memory.clear_aborts();
    EXPECT_EQ(b.read(va).mpam.partid, 103) << "nothing of it is cached";
  }
}

TEST(SpecVms, TheSteIsCheckedFirst) {
  RecordProperty("rule", "SM-EVR-022");
  Machine b;
  b.bench.memory.abort_at(vms, 64);
  b.edit_ste({{raw::s2::S2TG, 3}});
  EXPECT_EQ(event_number(b.read(va)), raw::ev::C_BAD_STE);
}

struct DropRow {
  const char* what;
  raw::Command command;
};

TEST(SpecVms, AChangedMapIsSeenAfterItsInvalidation) {
  RecordProperty("rule", "SM-CC-016");
  const DropRow rows[] = {
      {"CFGI_STE", raw::command(cmd::CFGI_STE, {{cmd::StreamID, Stage2Bench::sid}, {cmd::Leaf, 1}})},
      {"CFGI_STE_RANGE", raw::command(cmd::CFGI_STE_RANGE, {{cmd::StreamID, 0}, {cmd::Range, 3}})},
      {"CFGI_ALL", raw::command(cmd::CFGI_STE_RANGE, {{cmd::Range, 31}})}};
  for (const DropRow& row : rows) {
    SCOPED_TRACE(row.what);
    Machine b;
    b.read(va);
    b.put_map(3, 77);
    b.read(va);
    EXPECT_EQ(b.fetches(), 1u) << "this model does cache";
    EXPECT_TRUE(b.command({raw::command(cmd::CFGI_VMS_PIDM, {{cmd::VMID, vmid}}), row.command}));
    EXPECT_EQ(b.read(va).mpam.partid, 77);
  }
}

TEST(SpecVms, VmsPidmNamesAVmid) {
  RecordProperty("rule", "SM-CC-007 SM-CC-016");
  Machine b;
  b.read(va);
  b.put_map(3, 77);
  EXPECT_TRUE(b.command({raw::command(cmd::CFGI_VMS_PIDM, {{cmd::VMID, vmid + 1}})}));
  b.read(va);
  EXPECT_EQ(b.fetches(), 1u) << "another VM's";
  EXPECT_TRUE(b.command({raw::command(cmd::CFGI_VMS_PIDM, {{cmd::VMID, vmid}})}));
  EXPECT_EQ(b.read(va).mpam.partid, 77);
}

struct IllegalRow {
  const char* what;
  bool mpam;
  unsigned partid_max;
  bool s2p, ssec, legal;
};

TEST(SpecVms, VmsPidmIsIllegalWithoutAVms) {
  RecordProperty("rule", "SM-CC-007");
  const IllegalRow rows[] = {{"supported", true, 7, true, false, true},
                             {"no MPAM", false, 0, true, false, false},
                             {"one PARTID only", true, 0, true, false, false},
                             {"no stage 2", true, 7, false, false, false},
                             {"SSec", true, 7, true, true, false}};
  for (const IllegalRow& row : rows) {
    SCOPED_TRACE(row.what);
    SmmuConfig config;
    config.timed = false;
    config.features.mpam = row.mpam;
    config.features.partid_max = row.partid_max;
    config.features.s2p = config.features.xnx = row.s2p;
    SmmuBench bench(config);
    bench.issue(raw::command(cmd::CFGI_VMS_PIDM, {{cmd::SSec, row.ssec}}));
    EXPECT_EQ(bench.all_consumed(), row.legal);
    EXPECT_EQ(bench.command_error(), row.legal ? 0u : 1u);
  }
}

}  // namespace
}  // namespace smmusim

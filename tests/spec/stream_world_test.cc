// SPDX-License-Identifier: MIT
// StreamWorlds other than NS-EL1, and VMID tags of stage-1 streams (IHI 0070 sections 3.3.4, 3.17, 4.4.2, 5.2 STRW).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target, moved = 0x9000'0000;

SmmuConfig hyp_config() {
  SmmuConfig config = bench_config();
  config.features.s2p = true;
  config.features.xnx = true;
  config.features.hyp = true;
  config.features.vmw = true;
  config.features.vmid16 = true;
  return config;
}

/// Stream 1 in NS-EL2 (e2h = false) or NS-EL2-E2H, with ASID 1.
struct El2 {
  explicit El2(bool e2h) : bench(hyp_config()), context(bench.stage1_stream(1)), ttb(SmmuBench::ttb0(context)) {
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.w32(off::CR2, e2h ? 3 : 2);
    bench.enable(0xd);
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::STRW, 2}}));
  }
  SmmuBench bench;
  raw::Cd context;
  std::uint64_t ttb;
};

TEST(SpecStreamWorld, El2HasOneHalf) {
  RecordProperty("rule", "SM-TR-002 SM-CD-009 SM-ST-024");
  El2 el2(false);
  el2.bench.put_cd(1, el2.context.with({{cd::T1SZ, 0}, {cd::TG1, 0}, {cd::TTB1, ~std::uint64_t{0}}, {cd::EPD0, 1}}));
  el2.bench.map(el2.ttb, 0x1000, raw::page(target));
  EXPECT_EQ(el2.bench.read(1, 0x1000).address.value, target) << "EPD0 and the TTB1 side are ignored";
  EXPECT_EQ(event_number(el2.bench.read(1, 0xffff'ffff'ffff'f000)), raw::ev::F_TRANSLATION);
  El2 host(true);
  host.bench.map(SmmuBench::ttb1(host.context), 0xffff'ffff'f000, raw::page(target));
  EXPECT_EQ(host.bench.read(1, 0xffff'ffff'ffff'f000).address.value, target) << "E2H has both";
}

TEST(SpecStreamWorld, El2HasNoPrivilegeLevels) {
  RecordProperty("rule", "SM-AT-001 SM-ATR-017 SM-AT-018");
  El2 el2(false);
  el2.bench.put_cd(1, el2.context.with({{cd::PAN, 1}}));
  el2.bench.map(el2.ttb, 0x1000, raw::page(target, raw::af));  // AP[1]=0
  Transaction t = SmmuBench::transaction(1, 0x1000, AccessType::write);
  for (const bool privileged : {false, true}) {
    t.privileged = privileged;
    EXPECT_EQ(el2.bench.go(t).outcome, Outcome::proceed);
  }
  El2 host(true);
  host.bench.map(host.ttb, 0x1000, raw::page(target, raw::af));
  t.privileged = false;
  EXPECT_EQ(event_number(host.bench.go(t)), raw::ev::F_PERMISSION) << "E2H keeps privilege checks";
}

TEST(SpecStreamWorld, AsidsOfEl2) {
  RecordProperty("rule", "SM-TL-002 SM-TL-005 SM-TL-009 SM-CD-008");
  for (const bool e2h : {false, true}) {
    El2 el2(e2h);
    const raw::Cd second = el2.bench.stage1_stream(2);
    el2.bench.put_ste(2, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::STRW, 2}}));
    el2.bench.map(el2.ttb, 0x1000, raw::page(target));
    el2.bench.map(SmmuBench::ttb0(second), 0x1000, raw::page(moved));
    EXPECT_EQ(el2.bench.read(1, 0x1000).address.value, target);
    if (e2h) {
      EXPECT_EQ(el2.bench.read(2, 0x1000).address.value, moved) << "E2H entries have ASIDs";
    } else {
      EXPECT_EQ(el2.bench.read(2, 0x1000).address.value, target) << "EL2 is one address space: the entry is every CD's";
    }
  }
}

TEST(SpecStreamWorld, WorldsNeverMix) {
  RecordProperty("rule", "SM-TL-004 SM-ST-024");
  El2 el2(true);
  const raw::Cd el1 = el2.bench.stage1_stream(2);
  el2.bench.put_cd(2, el1.with({{cd::ASID, 1}}));
  el2.bench.map(el2.ttb, 0x1000, raw::page(target));
  el2.bench.map(SmmuBench::ttb0(el1), 0x1000, raw::page(moved));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(el2.bench.read(1, 0x1000).address.value, target);
    EXPECT_EQ(el2.bench.read(2, 0x1000).address.value, moved);
  }
}

TEST(SpecStreamWorld, El2IgnoresNotGlobal) {
  RecordProperty("rule", "SM-TL-010");
  El2 el2(false);
  const std::uint64_t flags = raw::af | raw::ap_unprivileged | raw::ng;
  el2.bench.map(el2.ttb, 0x5000, raw::page(target, flags));
  EXPECT_EQ(el2.bench.read(1, 0x5000).address.value, target);
  el2.bench.map(el2.ttb, 0x5000, raw::page(moved, flags));
  el2.bench.push(raw::command(cmd::TLBI_EL2_VA, {{cmd::Address, 0x5}, {cmd::ASID, 9}}));
  el2.bench.sync();
  EXPECT_EQ(el2.bench.read(1, 0x5000).address.value, moved) << "nG=1 makes no entry that belongs to an ASID";
}

struct InvalidationRow {
  const char* what;
  raw::Command command;
  bool e2h, global, must_be_gone;
};

TEST(SpecStreamWorld, El2Invalidation) {
  RecordProperty("rule", "SM-TI-016 SM-TI-017 SM-TI-018 SM-TI-019");
  const auto by_va = [](std::uint64_t opcode, std::uint64_t asid) {
    return raw::command(opcode, {{cmd::Address, 0x5}, {cmd::ASID, asid}});
  };
  const InvalidationRow rows[] = {
      {"EL2_ALL", raw::command(cmd::TLBI_EL2_ALL), false, false, true},
      {"EL2_ALL, E2H", raw::command(cmd::TLBI_EL2_ALL), true, false, true},
      {"EL2_ALL, E2H, global", raw::command(cmd::TLBI_EL2_ALL), true, true, true},
      {"EL2_VA ignores the ASID", by_va(cmd::TLBI_EL2_VA, 9), false, false, true},
      {"EL2_VA, E2H", by_va(cmd::TLBI_EL2_VA, 1), true, false, true},
      {"EL2_VA, E2H, global", by_va(cmd::TLBI_EL2_VA, 9), true, true, true},
      {"EL2_VAA", by_va(cmd::TLBI_EL2_VAA, 9), false, false, true},
      {"EL2_VAA, E2H", by_va(cmd::TLBI_EL2_VAA, 9), true, false, true},
      {"EL2_ASID, E2H", raw::command(cmd::TLBI_EL2_ASID, {{cmd::ASID, 1}}), true, false, true},
      {"EL2_ASID, other", raw::command(cmd::TLBI_EL2_ASID, {{cmd::ASID, 2}}), true, false, false}};
  for (const InvalidationRow& row : rows) {
    SCOPED_TRACE(row.what);
    El2 el2(row.e2h);
    const std::uint64_t flags = raw::af | raw::ap_unprivileged | (row.global ? 0 : raw::ng);
    el2.bench.map(el2.ttb, 0x5000, raw::page(target, flags));
    EXPECT_EQ(el2.bench.read(1, 0x5000).address.value, target);
    el2.bench.map(el2.ttb, 0x5000, raw::page(moved, flags));
    el2.bench.push(row.command);
    el2.bench.sync();
    EXPECT_TRUE(el2.bench.all_consumed());
    if (row.must_be_gone) {
      EXPECT_EQ(el2.bench.read(1, 0x5000).address.value, moved);
    }
  }
}

TEST(SpecStreamWorld, AllNonSecureEntriesGo) {
  RecordProperty("rule", "SM-RS-005 SM-TI-023 SM-TI-016");
  El2 el2(false);
  const raw::Cd el1 = el2.bench.stage1_stream(2);
  el2.bench.map(el2.ttb, 0x1000, raw::page(target));
  el2.bench.map(SmmuBench::ttb0(el1), 0x1000, raw::page(target));
  el2.bench.read(1, 0x1000);
  el2.bench.read(2, 0x1000);
  el2.bench.map(el2.ttb, 0x1000, raw::page(moved));
  el2.bench.map(SmmuBench::ttb0(el1), 0x1000, raw::page(moved));
  el2.bench.push(raw::command(cmd::TLBI_EL2_ALL));
  el2.bench.push(raw::command(cmd::TLBI_NSNH_ALL));
  el2.bench.sync();
  EXPECT_EQ(el2.bench.read(1, 0x1000).address.value, moved);
  EXPECT_EQ(el2.bench.read(2, 0x1000).address.value, moved);
}

/// Streams 1 and 2 with the same ASID and different VMIDs.
struct Vmids {
  Vmids(std::uint64_t vmid1, std::uint64_t vmid2) : bench(hyp_config()) {
    const std::uint64_t vmids[] = {vmid1, vmid2};
    for (std::uint32_t sid = 1; sid <= 2; ++sid) {
      const raw::Cd context = bench.stage1_stream(sid).with({{cd::ASID, 7}});
      bench.put_cd(sid, context);
      bench.put_ste(sid, SmmuBench::stage1_ste(SmmuBench::cd_address(sid)).with({{ste::S2VMID, vmids[sid - 1]}}));
      ttb[sid] = SmmuBench::ttb0(context);
      bench.map(ttb[sid], 0x1000, raw::page(target + 0x1000 * sid));
      EXPECT_EQ(bench.read(sid, 0x1000).address.value, target + 0x1000 * sid);
    }
  }
  void change() {
    for (std::uint32_t sid = 1; sid <= 2; ++sid) bench.map(ttb[sid], 0x1000, raw::page(moved + 0x1000 * sid));
  }
  bool sees_new(std::uint32_t sid) { return bench.read(sid, 0x1000).address.value == moved + 0x1000 * sid; }
  SmmuBench bench;
  std::uint64_t ttb[3] = {};
};

TEST(SpecStreamWorld, VmidTagsStageOneStreams) {
  RecordProperty("rule", "SM-TL-002 SM-TL-003 SM-TL-026 SM-TL-004");
  for (const std::uint64_t opcode : {cmd::TLBI_NH_ALL, cmd::TLBI_NH_ASID, cmd::TLBI_NH_VA, cmd::TLBI_NH_VAA}) {
    Vmids v(5, 0x105);
    for (std::uint32_t sid = 1; sid <= 2; ++sid) {
      EXPECT_EQ(v.bench.read(sid, 0x1000).address.value, target + 0x1000 * sid) << "tags keep them apart";
    }
    v.change();
    v.bench.push(raw::command(opcode, {{cmd::VMID, 0x105}, {cmd::ASID, 7}, {cmd::Address, 1}}));
    v.bench.sync();
    EXPECT_TRUE(v.sees_new(2)) << opcode;
  }
}

TEST(SpecStreamWorld, VmidWildcard) {
  RecordProperty("rule", "SM-TL-014 SM-RU-004");
  struct Row {
    std::uint32_t vmw;
    std::uint64_t named, held;
    bool must_be_gone;
  };
  const Row rows[] = {{0, 0x20, 0x20, true}, {1, 0x20, 0x21, true}, {1, 0x21, 0x20, true},
                      {4, 0x20, 0x2f, true}, {5, 0x20, 0x20, true}, {4, 0x27, 0x28, true}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << "VMW " << row.vmw << " held " << row.held);
    Vmids v(row.held, 0x900);
    v.bench.enable(0xd | row.vmw << 6);
    EXPECT_EQ(v.bench.r32(off::CR0ACK) >> 6, row.vmw);
    v.change();
    v.bench.push(raw::command(cmd::TLBI_NH_ALL, {{cmd::VMID, row.named}}));
    v.bench.sync();
    EXPECT_EQ(v.sees_new(1), row.must_be_gone);
  }
}

/// A timed machine with an entry of VMID 0x23, and four TLBIs that name 0x20 followed by a CMD_SYNC. VMW changes
/// `from`, `to` after so many instants of theirs.
struct VmwChange {
  static SmmuConfig config() {
    SmmuConfig config = hyp_config();
    config.timed = true;
    return config;
  }
  VmwChange(std::uint32_t from, std::uint32_t to, unsigned instants) : bench(config(), 50'000) {
    const raw::Cd context = bench.stage1_stream(1);
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::S2VMID, 0x23}}));
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(target));
    bench.enable(0xd | from << 6);
    EXPECT_EQ(bench.read(1, 0x1000).address.value, target);
    bench.map(SmmuBench::ttb0(context), 0x1000, raw::page(moved));
    for (int i = 0; i < 4; ++i) bench.push(raw::command(cmd::TLBI_NH_ALL, {{cmd::VMID, 0x20}}));
    bench.push(raw::command(cmd::SYNC));
    bench.smmu.write_register(off::CMDQ_PROD, bench.prod, 4);
    for (unsigned i = 0; i < instants && bench.engine.next_event() != time_never; ++i) {
      bench.engine.run_until(bench.engine.next_event());
    }
    consumed = bench.cons();
    bench.enable(0xd | to << 6);
    EXPECT_TRUE(bench.all_consumed());
    EXPECT_EQ(bench.active_errors(), 0u);
    EXPECT_EQ(bench.r32(off::CR0ACK) >> 6, to);
    gone = bench.read(1, 0x1000).address.value == moved;
  }
  SmmuBench bench;
  std::uint32_t consumed = 0;  ///< commands, when VMW changed
  bool gone = false;
};

/// A command that is consumed before VMW changes has the old scope, one that begins afterwards the new one.
TEST(SpecStreamWorld, VmwChangesUnderInvalidations) {
  RecordProperty("rule", "SM-CM-005");
  bool between = false;
  for (unsigned instants = 0; instants < 24; ++instants) {
    SCOPED_TRACE(instants);
    const VmwChange widened(0, 2, instants), narrowed(2, 0, instants);
    between |= widened.consumed > 0 && widened.consumed < 4;
    if (widened.consumed < 3) {  // the third may be under way
      EXPECT_TRUE(widened.gone);
    }
    if (narrowed.consumed > 0) {
      EXPECT_TRUE(narrowed.gone);
    }
  }
  EXPECT_TRUE(between) << "it changed between two of the commands";
}

TEST(SpecStreamWorld, E2hChangeNeedsInvalidation) {
  RecordProperty("rule", "SM-REG-012 SM-REG-008");
  El2 el2(false);
  el2.bench.map(el2.ttb, 0x1000, raw::page(target, raw::af | raw::ng));
  EXPECT_EQ(el2.bench.read(1, 0x1000).outcome, Outcome::proceed);
  el2.bench.w32(off::CR2, 3);
  EXPECT_EQ(el2.bench.r32(off::CR2), 2u) << "guarded by SMMUEN";
  el2.bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
  el2.bench.w32(off::CR2, 3);
  el2.bench.push(raw::command(cmd::CFGI_STE_RANGE, {{cmd::Range, 31}}));
  el2.bench.push(raw::command(cmd::TLBI_EL2_ALL));
  el2.bench.sync();
  el2.bench.enable(0xd);
  EXPECT_EQ(event_number(el2.bench.read(1, 0x1000)), raw::ev::F_PERMISSION) << "unprivileged access in EL2-E2H";
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Speculative accesses (IHI 0070 sections 3.14, 13.4.4): they proceed or abort, and nobody hears of it. That they never
// stall is operations_stall_test.cc's.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint64_t target = SmmuBench::target, va = 0x1000;

Transaction speculative(AccessType access = AccessType::read) {
  Transaction t = SmmuBench::transaction(1, va, access);
  t.speculative = true;
  return t;
}

SmmuConfig config_of(bool timed) {
  return timed ? timed_bench_config() : bench_config();
}

struct Machine : SmmuBench {
  explicit Machine(bool timed) : SmmuBench(config_of(timed), timed ? 1000 : 0) {
    context = stage1_stream(1);
    map(ttb0(context), va, raw::page(target));
  }
  void change_cd(std::initializer_list<raw::Edit> edits) { put_cd(1, context.with(edits)); }
  void page(std::uint64_t descriptor) { map(ttb0(context), va, descriptor); }
  raw::Cd context;
};

TEST(SpecSpeculative, AReadThatTranslatesProceeds) {
  RecordProperty("rule", "SM-FA-023");
  for (const bool timed : {false, true}) {
    Machine machine(timed);
    for (unsigned turn = 0; turn != 2; ++turn) {
      const Response response = machine.go(speculative());
      EXPECT_EQ(response.outcome, Outcome::proceed);
      EXPECT_EQ(response.address, Pa(target));
    }
  }
}

struct Row {
  const char* what;
  void (*spoil)(Machine&);
};

TEST(SpecSpeculative, AnyFaultAbortsSilently) {
  RecordProperty("rule", "SM-FA-023 SM-ATR-022");
  const Row rows[] = {{"C_BAD_STREAMID", [](Machine& m) { m.enable(0), m.w32(off::STRTAB_BASE_CFG, 0), m.enable(13); }},
                      {"C_BAD_STE", [](Machine& m) { m.put_ste(1, raw::Ste{}); }},
                      {"F_STE_FETCH", [](Machine& m) { m.memory.abort_at(SmmuBench::strtab, 0x1000); }},
                      {"C_BAD_CD",
                       [](Machine& m) {
                         m.change_cd({{cd::V, 0}});
                       }},
                      {"F_CD_FETCH", [](Machine& m) { m.memory.abort_at(SmmuBench::cd_address(1), 64); }},
                      {"F_WALK_EABT", [](Machine& m) { m.memory.abort_at(SmmuBench::ttb0(m.context), 0x1000); }},
                      {"F_TRANSLATION", [](Machine& m) { m.page(0); }},
                      {"F_ACCESS", [](Machine& m) { m.page(raw::page(target, raw::ng | raw::ap_unprivileged)); }},
                      {"F_PERMISSION", [](Machine& m) { m.page(raw::page(target, raw::af | raw::ng)); }},
                      {"F_TRANSLATION with CD.A = 0", [](Machine& m) {
                         m.page(0), m.change_cd({{cd::A, 0}});
                       }}};
  for (const bool timed : {false, true}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.what);
      Machine machine(timed);
      row.spoil(machine);
      EXPECT_EQ(machine.go(speculative()).outcome, Outcome::abort);
      EXPECT_TRUE(machine.take_events().empty());
    }
  }
}

TEST(SpecSpeculative, AFaultOfStage2AbortsSilently) {
  RecordProperty("rule", "SM-ATR-022");
  Stage2Bench b;
  b.s1.map(va, 0x8'7654'3000, raw::af | raw::ap_unprivileged | raw::ng);
  EXPECT_EQ(b.bench.go(speculative()).outcome, Outcome::abort);
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecSpeculative, OnlyPlainReadsMayBe) {
  RecordProperty("rule", "SM-FA-023");
  for (const bool timed : {false, true}) {
    Machine machine(timed);
    EXPECT_EQ(machine.go(speculative(AccessType::write)).outcome, Outcome::abort);
    EXPECT_EQ(machine.go(speculative(AccessType::atomic)).outcome, Outcome::abort);
    Transaction t = speculative();
    t.operation = Operation::destructive_read;
    EXPECT_EQ(machine.go(t).outcome, Outcome::abort);
    machine.page(0);
    machine.invalidate_all();
    EXPECT_EQ(machine.go(speculative(AccessType::write)).outcome, Outcome::abort);
    EXPECT_TRUE(machine.take_events().empty());
    machine.enable(0);
    EXPECT_EQ(machine.go(speculative(AccessType::write)).outcome, Outcome::abort) << "SMMUEN=0";
    EXPECT_EQ(machine.go(speculative()).outcome, Outcome::proceed);
  }
}

TEST(SpecSpeculative, HintsNeverEndInAnAbort) {
  RecordProperty("rule", "SM-AT-007 SM-EXT-008");
  for (const Operation hint : {Operation::prefetch, Operation::destructive_hint}) {
    for (const bool mapped : {false, true}) {
      Machine machine(false);
      if (!mapped) machine.page(0);
      Transaction t = speculative();
      t.operation = hint;
      EXPECT_NE(machine.go(t).outcome, Outcome::abort) << mapped;
      EXPECT_TRUE(machine.take_events().empty());
    }
  }
}

}  // namespace
}  // namespace smmusim

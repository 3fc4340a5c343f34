// SPDX-License-Identifier: MIT
// Faults of the terminate model and the records they give, word for word (IHI 0070 sections 3.12, 5.5, 7.2, 7.3).
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target;

struct Faults {
  explicit Faults(std::initializer_list<raw::Edit> edits = {}, const SmmuConfig& config = bench_config())
      : bench(config), context(bench.stage1_stream(1).with(edits)), ttb(SmmuBench::ttb0(context)) {
    bench.put_cd(1, context);
  }
  SmmuBench bench;
  raw::Cd context;
  std::uint64_t ttb;
};

/// The record of a stage-1 fault on the input (CLASS=IN, S2=0).
raw::Record stage1_record(std::uint64_t type, std::uint64_t input, bool pnu, bool ind, bool rnw) {
  return raw::Record{}.with(
      {{Type, type}, {StreamID, 1}, {PnU, pnu}, {InD, ind}, {RnW, rnw}, {CLASS, 2}, {InputAddr, input}});
}
/// Without the fields whose value is UNKNOWN for a stage-1 fault.
raw::Record known(raw::Record record) {
  return record.put(IPA, 0);
}

struct TypeRow {
  const char* what;
  std::uint64_t type;
  std::uint64_t descriptor;
};
const TypeRow type_rows[] = {
    {"F_TRANSLATION", F_TRANSLATION, 0},
    {"F_ADDR_SIZE", F_ADDR_SIZE, raw::page(std::uint64_t{1} << 40)},
    {"F_ACCESS", F_ACCESS, raw::page(target, raw::ap_unprivileged)},
    {"F_PERMISSION", F_PERMISSION, raw::page(target, raw::af | raw::ap_read_only | raw::uxn | raw::pxn)}};

TEST(SpecFaults, RecordsOfTranslationFaults) {
  RecordProperty("rule", "SM-EVR-027 SM-CLS-003 SM-EVT-006 SM-EVR-023");
  for (const TypeRow& row : type_rows) {
    for (unsigned i = 0; i < 8; ++i) {
      const bool pnu = (i & 1) != 0, ind = (i & 2) != 0, write = (i & 4) != 0;
      if (row.type == F_PERMISSION && pnu && !write && !ind) continue;  // that one is permitted
      SCOPED_TRACE(testing::Message() << row.what << " " << i);
      Faults f({{cd::IPS, 2}});
      f.bench.map(f.ttb, 0x1234'5000, row.descriptor);
      Transaction t = SmmuBench::transaction(1, 0x1234'5678, write ? AccessType::write : AccessType::read);
      t.privileged = pnu;
      t.instruction = ind;
      const Response response = f.bench.go(t);
      EXPECT_EQ(response.outcome, Outcome::abort);
      EXPECT_EQ(event_number(response), row.type);
      EXPECT_EQ(known(f.bench.take_event()), stage1_record(row.type, 0x1234'5678, pnu, ind && !write, !write));
    }
  }
}

struct ModelRow {
  std::uint64_t a, r;
  Outcome outcome;
  bool recorded;
};
constexpr ModelRow model_rows[] = {{0, 0, Outcome::raz_wi, false},
                                   {0, 1, Outcome::raz_wi, true},
                                   {1, 0, Outcome::abort, false},
                                   {1, 1, Outcome::abort, true}};

TEST(SpecFaults, TerminateModel) {
  RecordProperty("rule", "SM-FA-006 SM-FA-009 SM-FA-033");
  for (const TypeRow& type : type_rows) {
    for (const ModelRow& row : model_rows) {
      SCOPED_TRACE(testing::Message() << type.what << " A=" << row.a << " R=" << row.r);
      Faults f({{cd::IPS, 2}, {cd::A, row.a}, {cd::R, row.r}});
      f.bench.map(f.ttb, 0x1000, type.descriptor);
      EXPECT_EQ(f.bench.write(1, 0x1000).outcome, row.outcome);
      EXPECT_EQ(f.bench.take_events().size(), row.recorded ? 1u : 0u);
    }
  }
}

TEST(SpecFaults, RangeAndEpdFaultsFollowTheModelToo) {
  RecordProperty("rule", "SM-FA-002 SM-FA-033");
  for (const ModelRow& row : model_rows) {
    Faults f({{cd::EPD0, 1}, {cd::A, row.a}, {cd::R, row.r}});
    for (const std::uint64_t va : {std::uint64_t{0x1000}, std::uint64_t{1} << 52}) {
      EXPECT_EQ(f.bench.read(1, va).outcome, row.outcome);
      EXPECT_EQ(f.bench.take_events().size(), row.recorded ? 1u : 0u);
    }
  }
}

TEST(SpecFaults, OtherFaultsAlwaysAbortAndRecord) {
  RecordProperty("rule", "SM-FA-002 SM-EVR-013 SM-CD-001");
  for (const ModelRow& row : model_rows) {
    Faults f({{cd::A, row.a}, {cd::R, row.r}});
    f.bench.memory.abort_at(f.bench.descriptor_at(f.ttb, 0x1000, 1), 8);
    EXPECT_EQ(f.bench.read(1, 0x1000).outcome, Outcome::abort);
    EXPECT_EQ(f.bench.take_event().get(Type), F_WALK_EABT);
    f.bench.put_cd(1, f.context.with({{cd::V, 0}}));
    f.bench.invalidate_all();
    EXPECT_EQ(f.bench.read(1, 0x1000).outcome, Outcome::abort);
    EXPECT_EQ(f.bench.take_event().get(Type), C_BAD_CD);
  }
}

TEST(SpecFaults, BypassAddressSizeIgnoresTheModel) {
  RecordProperty("rule", "SM-FA-003 SM-ADR-003");
  SmmuBench bench;
  bench.put_ste(1, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  EXPECT_EQ(bench.read(1, 0x1'0000'0000'0000).outcome, Outcome::abort);
  EXPECT_EQ(bench.take_event().get(Type), F_ADDR_SIZE);
}

TEST(SpecFaults, WalkAborts) {
  RecordProperty("rule", "SM-EVR-013 SM-EVR-026 SM-CLS-002 SM-RAS-001");
  for (int level = 0; level <= 3; ++level) {
    for (const bool write : {false, true}) {
      SCOPED_TRACE(level);
      Faults f;
      const std::uint64_t at = f.bench.descriptor_at(f.ttb, 0x7654'3000, level);
      f.bench.memory.abort_at(at, 8);
      Transaction t = SmmuBench::transaction(1, 0x7654'3210, write ? AccessType::write : AccessType::read);
      t.privileged = true;
      EXPECT_EQ(f.bench.go(t).outcome, Outcome::abort);
      const raw::Record expected = raw::Record{}.with({{Type, F_WALK_EABT},
                                                       {StreamID, 1},
                                                       {PnU, 1},
                                                       {RnW, !write},
                                                       {CLASS, 1},
                                                       {InputAddr, 0x7654'3210},
                                                       {FetchAddr, at >> 3}});
      EXPECT_EQ(f.bench.take_event(), expected);
    }
  }
}

TEST(SpecFaults, CdFetchAbort) {
  RecordProperty("rule", "SM-EVR-011 SM-RAS-001");
  Faults f;
  f.bench.memory.abort_at(SmmuBench::cd_address(1), 64);
  EXPECT_EQ(f.bench.read(1, 0x1000).outcome, Outcome::abort);
  const raw::Record expected =
      raw::Record{}.with({{Type, F_CD_FETCH}, {StreamID, 1}, {FetchAddr, SmmuBench::cd_address(1) >> 3}});
  EXPECT_EQ(f.bench.take_event(), expected);
}

TEST(SpecFaults, UnsupportedTransaction) {
  RecordProperty("rule", "SM-EVR-001 SM-FA-001 SM-EXT-002");
  SmmuConfig config = bench_config();
  config.features.attr_perms_ovr = true;
  Faults f({}, config);
  f.bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{raw::ste::PRIVCFG, 3}}));
  Transaction t = SmmuBench::transaction(1, 0x1ff8);
  t.size = 16;  // crosses a 4 KiB boundary: one transaction, one translation
  t.instruction = true;
  EXPECT_EQ(f.bench.go(t).outcome, Outcome::abort);
  raw::Record record = f.bench.take_event();
  record.put(Reason, 0);
  EXPECT_EQ(record,
            raw::Record{}.with({{Type, F_UUT}, {StreamID, 1}, {PnU, 0}, {InD, 1}, {RnW, 1}, {InputAddr, 0x1ff8}}))
      << "the access as it came in, before the STE's overrides";
}

TEST(SpecFaults, AtMostOneEvent) {
  RecordProperty("rule", "SM-EVT-001 SM-FA-017 SM-EVP-001 SM-EVP-005");
  struct Row {
    const char* what;
    void (*break_it)(Faults&);
    std::uint64_t event;
  };
  const Row rows[] = {
      {"bad STE and bad CD",
       [](Faults& f) {
         f.bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{raw::ste::V, 0}}));
         f.bench.put_cd(1, raw::Cd{});
       },
       C_BAD_STE},
      {"STE fetch and bad CD",
       [](Faults& f) {
         f.bench.memory.abort_at(SmmuBench::strtab + 64, 64);
         f.bench.put_cd(1, raw::Cd{});
       },
       F_STE_FETCH},
      {"CD fetch and bad tables",
       [](Faults& f) {
         f.bench.memory.abort_at(SmmuBench::cd_address(1), 64);
         f.bench.memory.abort_at(f.ttb, 0x1000);
       },
       F_CD_FETCH},
      {"bad CD and bad tables",
       [](Faults& f) {
         f.bench.put_cd(1, raw::Cd{});
         f.bench.memory.abort_at(f.ttb, 0x1000);
       },
       C_BAD_CD},
      {"abort before translation fault", [](Faults& f) { f.bench.memory.abort_at(f.ttb, 0x1000); }, F_WALK_EABT},
      {"address size before access flag",
       [](Faults& f) { f.bench.map(f.ttb, 0x1000, raw::page(std::uint64_t{1} << 40, 0)); }, F_ADDR_SIZE},
      {"access flag before permission",
       [](Faults& f) { f.bench.map(f.ttb, 0x1000, raw::page(target, raw::ap_read_only)); }, F_ACCESS},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Faults f({{cd::IPS, 2}});
    row.break_it(f);
    EXPECT_EQ(f.bench.write(1, 0x1000).outcome, Outcome::abort);
    const auto records = f.bench.take_events();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].get(Type), row.event);
  }
}

TEST(SpecFaults, RangeComesBeforeTheWalkButAfterTheConfiguration) {
  RecordProperty("rule", "SM-EVP-002 SM-EVP-005");
  Faults f;
  f.bench.memory.abort_at(f.ttb, 0x1000);
  EXPECT_EQ(event_number(f.bench.read(1, std::uint64_t{1} << 50)), F_TRANSLATION);
  f.bench.put_cd(1, raw::Cd{});
  f.bench.invalidate_all();
  EXPECT_EQ(event_number(f.bench.read(1, std::uint64_t{1} << 50)), C_BAD_CD);
}

TEST(SpecFaults, NoMergingWithoutMev) {
  RecordProperty("rule", "SM-MRG-001 SM-QU-009 SM-QU-010 SM-MRG-003");
  Faults f;
  for (int i = 0; i < 5; ++i) f.bench.read(1, 0x1000);
  EXPECT_EQ(f.bench.take_events().size(), 5u);
  f.bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{raw::ste::MEV, 1}}));
  f.bench.invalidate_all();
  for (int i = 0; i < 5; ++i) f.bench.read(1, 0x1000);
  const std::size_t merged = f.bench.take_events().size();
  EXPECT_GE(merged, 1u);
  EXPECT_LE(merged, 5u);
}

TEST(SpecFaults, PrefetchNeverRecords) {
  RecordProperty("rule", "SM-EVT-002 SM-CM-013");
  Faults f;
  using namespace raw::cmd;
  const auto prefetch = [&](std::uint64_t opcode, std::uint64_t sid, std::uint64_t va) {
    f.bench.issue(raw::command(opcode, {{raw::cmd::StreamID, sid}, {raw::cmd::Address, va >> 12}}));
  };
  for (const std::uint64_t opcode : {PREFETCH_CONFIG, PREFETCH_ADDR}) {
    prefetch(opcode, 1, 0x1000);                  // unmapped
    prefetch(opcode, 1, std::uint64_t{1} << 50);  // out of range
    prefetch(opcode, 2, 0x1000);                  // bad STE
    prefetch(opcode, 0xffff'ffff, 0x1000);        // bad StreamID
  }
  f.bench.memory.abort_at(SmmuBench::strtab + 64 * 3, 64);
  prefetch(PREFETCH_ADDR, 3, 0);
  f.bench.sync();
  EXPECT_TRUE(f.bench.all_consumed());
  EXPECT_TRUE(f.bench.take_events().empty());
}

TEST(SpecFaults, DownstreamAbortsAreNotTheSmmus) {
  RecordProperty("rule", "SM-FA-005 SM-EXT-011");
  Faults f;
  f.bench.map(f.ttb, 0x1000, raw::page(target));
  f.bench.memory.abort_at(target, 0x1000);
  EXPECT_EQ(f.bench.read(1, 0x1000).outcome, Outcome::proceed);
  EXPECT_TRUE(f.bench.take_events().empty());
}

TEST(SpecFaults, FetchAddressesAreCutToTheOas) {
  RecordProperty("rule", "SM-ADR-002");
  SmmuConfig config = bench_config();
  config.features.oas = 40;
  Faults f({}, config);
  const std::uint64_t high = 0xff'ffff'f000;
  f.bench.put_cd(1, f.context.with({{cd::TTB0, high >> 4}}));
  f.bench.memory.abort_at(high, 0x1000);
  f.bench.read(1, 0x1000);
  EXPECT_EQ(f.bench.take_event().get(FetchAddr) << 3, high);
}

TEST(SpecFaults, UnsupportedTransactionAndBadConfigurationGiveOneRecord) {
  RecordProperty("rule", "SM-EVP-004 SM-EVT-001");
  Faults f;
  f.bench.put_cd(1, raw::Cd{});
  Transaction t = SmmuBench::transaction(1, 0x1ff8);
  t.size = 16;
  EXPECT_EQ(f.bench.go(t).outcome, Outcome::abort);
  const auto records = f.bench.take_events();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].get(Type) == F_UUT || records[0].get(Type) == C_BAD_CD);
}

TEST(SpecFaults, BurstsOfConfigurationErrors) {
  RecordProperty("rule", "SM-MRG-002");
  SmmuBench bench;
  for (int i = 0; i < 4; ++i) bench.read(3, 0);  // C_BAD_STE: may be merged whatever MEV
  const auto records = bench.take_events();
  EXPECT_GE(records.size(), 1u);
  EXPECT_LE(records.size(), 4u);
  for (const raw::Record& record : records) {
    EXPECT_EQ(record.get(Type), C_BAD_STE);
    EXPECT_EQ(record.get(GPCF), 0u);
  }
}

}  // namespace
}  // namespace smmusim

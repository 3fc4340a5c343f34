// SPDX-License-Identifier: MIT
// Faults of nested streams: every kind at the CD, at a stage-1 table and at the final IPA, byte by byte; what S2R
// hides; which of two faults is recorded (IHI 0070 sections 3.12, 5.5, 7.3.12 to 7.3.16, 7.3.22).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target, va = 0x12'3456'7000, ipa = 0x8'7654'3000;
constexpr std::uint64_t tt = 1, in = 2;  // CLASS; CD is 0

Stage2Bench::Options options_44() {
  Stage2Bench::Options options;
  options.config.features.oas = 44;  // so that 48-bit descriptors can be too large
  options.stage2 = stage2_shape(44);
  return options;
}

/// Maps va -> ipa -> target.
struct Nested : Stage2Bench {
  Nested() : Stage2Bench(options_44()) {
    s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    s2.map(ipa, target, s2_rw);
  }
  /// The IPA that stage 2 is asked for at this CLASS.
  std::uint64_t asked(std::uint64_t fault_class) {
    return fault_class == 0 ? cd_ipa : fault_class == tt ? s1.entry(va, 2) : ipa;
  }
  /// Makes stage 2 fault with this event at `at`.
  void spoil(std::uint64_t at, std::uint64_t event) {
    switch (event) {
      case F_TRANSLATION:
        s2.set(at, 3, 0);
        break;
      case F_ADDR_SIZE:
        s2.map(at, std::uint64_t{1} << 44, s2_rw);
        break;
      case F_ACCESS:
        s2.map(at, target, s2_rw & ~raw::af);
        break;
      default:
        s2.map(at, target, s2_rw & ~s2_read & ~s2_write);
        break;
    }
  }
};

raw::Record record_of(std::uint64_t event, std::uint64_t fault_class, std::uint64_t at) {
  return raw::Record{}.with({{Type, event},
                             {StreamID, Stage2Bench::sid},
                             {RnW, 1},
                             {S2, 1},
                             {CLASS, fault_class},
                             {raw::wide::TTRnW, event == F_PERMISSION && fault_class == tt},
                             {InputAddr, va + 0x128},
                             {IPA, at >> 12}});
}

constexpr std::uint64_t kinds[] = {F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION};

TEST(SpecNestedFaults, EveryKindAtEveryPlace) {
  RecordProperty("rule", "SM-EVR-027 SM-EVR-014 SM-EVR-015 SM-EVR-016");
  for (const std::uint64_t kind : kinds) {
    for (std::uint64_t fault_class = 0; fault_class <= in; ++fault_class) {
      SCOPED_TRACE(testing::Message() << "event " << kind << " CLASS " << fault_class);
      Nested b;
      const std::uint64_t at = b.asked(fault_class);
      b.spoil(at, kind);
      EXPECT_EQ(b.read(va + 0x128).outcome, Outcome::abort);
      raw::Record record = b.bench.take_event();
      if (fault_class != tt) record.put(raw::wide::TTRnW, 0);  // UNKNOWN
      EXPECT_EQ(record, record_of(kind, fault_class, at));
      // Nothing of it is cached: repaired tables work without any invalidation. A page without permission may be.
      if (kind == F_PERMISSION) b.command({raw::command(raw::cmd::TLBI_NSNH_ALL)});
      if (fault_class == in) {
        b.s2.map(at, target, s2_rw);
      } else {
        b.cover(at, 8);
      }
      EXPECT_EQ(b.read(va + 0x128).address.value, target + 0x128);
    }
  }
}

TEST(SpecNestedFaults, EveryClassOfBothStages) {
  RecordProperty("rule", "SM-CLS-001");
  struct Row {
    const char* what;
    std::uint64_t event, stage2, fault_class;
    void (*spoil)(Nested&);
  };
  const Row rows[] = {
      {"CD", F_TRANSLATION, 1, 0, [](Nested& b) { b.spoil(b.asked(0), F_TRANSLATION); }},
      {"stage-1 table", F_TRANSLATION, 1, tt, [](Nested& b) { b.spoil(b.asked(tt), F_TRANSLATION); }},
      {"IPA", F_TRANSLATION, 1, in, [](Nested& b) { b.spoil(b.asked(in), F_TRANSLATION); }},
      {"VA", F_TRANSLATION, 0, in, [](Nested& b) { b.s1.set(va, 3, 0); }},
      {"fetch", F_WALK_EABT, 0, tt, [](Nested& b) { b.bench.memory.abort_at(b.place(b.s1.entry(va, 2)), 8); }}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Nested b;
    row.spoil(b);
    b.read(va);
    const raw::Record record = b.bench.take_event();
    EXPECT_EQ(record.get(Type), row.event);
    EXPECT_EQ(record.get(CLASS), row.fault_class);
    EXPECT_EQ(record.get(S2), row.stage2);
    EXPECT_EQ(record.get(GPCF), 0u);
  }
}

TEST(SpecNestedFaults, TheAccessOfTheClientIsNamed) {
  RecordProperty("rule", "SM-EVT-007 SM-EVR-014 SM-EVR-027");
  for (std::uint64_t fault_class = 0; fault_class <= in; ++fault_class) {
    for (const bool write : {false, true}) {
      for (const bool instruction : {false, true}) {
        for (const bool privileged : {false, true}) {
          SCOPED_TRACE(testing::Message() << fault_class << write << instruction << privileged);
          Nested b;
          b.spoil(b.asked(fault_class), F_TRANSLATION);
          // Unprivileged execution of a page that unprivileged code may write is legal; privileged is not.
          if (instruction && privileged && !write && fault_class == in) continue;
          b.go(va + 0x128, write ? AccessType::write : AccessType::read, instruction, privileged);
          EXPECT_EQ(b.bench.take_event(), record_of(F_TRANSLATION, fault_class, b.asked(fault_class))
                                              .with({{RnW, !write}, {InD, instruction && !write}, {PnU, privileged}}));
        }
      }
    }
  }
}

TEST(SpecNestedFaults, S2rHidesTranslationRelatedFaultsOnly) {
  RecordProperty("rule", "SM-FA-009 SM-FA-034 SM-FA-004 SM-FA-006");
  for (const std::uint64_t kind : kinds) {
    for (std::uint64_t fault_class = 0; fault_class <= in; ++fault_class) {
      SCOPED_TRACE(testing::Message() << "event " << kind << " CLASS " << fault_class);
      Nested b;
      b.edit_ste({{raw::s2::S2R, 0}});
      b.edit_cd({{cd::R, 1}, {cd::A, 0}});
      b.spoil(b.asked(fault_class), kind);
      EXPECT_EQ(b.read(va).outcome, Outcome::abort) << "stage 2 is as A=1, whatever the CD says";
      EXPECT_TRUE(b.bench.take_events().empty()) << "S2R of the stage that faulted, not CD.R";
      Nested other;
      other.edit_cd({{cd::R, 0}, {cd::A, 0}});
      other.spoil(other.asked(fault_class), kind);
      EXPECT_EQ(other.read(va).outcome, Outcome::abort);
      EXPECT_EQ(other.bench.take_events().size(), 1u) << "S2R=1 records it, CD.R=0 or not";
    }
  }
  Nested first;
  first.edit_ste({{raw::s2::S2R, 0}});
  first.s1.set(va, 3, 0);
  EXPECT_EQ(first.read(va).outcome, Outcome::abort);
  EXPECT_EQ(first.bench.take_events().size(), 1u) << "a stage-1 fault is not S2R's";
  first.edit_cd({{cd::A, 0}, {cd::R, 0}});
  first.reload();
  EXPECT_EQ(first.read(va).outcome, Outcome::raz_wi) << "A=0 and R=0 of the CD";
  EXPECT_TRUE(first.bench.take_events().empty());
}

TEST(SpecNestedFaults, AbortsOfStageTwoDescriptors) {
  RecordProperty("rule", "SM-EVR-013 SM-EVR-026 SM-FA-002 SM-FA-034");
  for (std::uint64_t fault_class = 0; fault_class <= in; ++fault_class) {
    for (int level = 0; level <= 3; ++level) {
      SCOPED_TRACE(testing::Message() << "CLASS " << fault_class << " level " << level);
      Stage2Bench::Options options;
      options.config = without_caches(stage2_config());
      // A place of its own for what is asked, so that only this walk meets the aborting descriptor.
      options.stage1_base = 0x80'b000'0000;
      options.place = [](std::uint64_t at) { return (at & 0x7fff'ffff) | 0x1'0000'0000; };
      Stage2Bench b(options);
      const std::uint64_t final_ipa = 0x4100'8000'0000;
      b.s1.map(va, final_ipa, raw::af | raw::ap_unprivileged);
      b.s2.map(final_ipa, target, s2_rw);
      b.edit_ste({{raw::s2::S2R, 0}});
      b.edit_cd({{cd::R, 0}, {cd::A, 0}});
      const std::uint64_t asked = fault_class == 0 ? Stage2Bench::cd_ipa : fault_class == tt ? b.s1.root() : final_ipa;
      if (level == 0 && fault_class == tt) continue;  // the CD's walk meets it first
      const std::uint64_t descriptor = b.s2.entry(asked, level);
      b.bench.memory.abort_at(descriptor, 8);
      EXPECT_EQ(b.go(va + 0x128, AccessType::write).outcome, Outcome::abort) << "never RAZ/WI";
      raw::Record record = b.bench.take_event();
      record.put(Reason, 0);
      EXPECT_EQ(record, raw::Record{}.with({{Type, F_WALK_EABT},
                                            {StreamID, Stage2Bench::sid},
                                            {S2, 1},
                                            {CLASS, fault_class},
                                            {InputAddr, va + 0x128},
                                            {FetchAddr, descriptor >> 3}}));
    }
  }
}

TEST(SpecNestedFaults, AbortsOfStageOneDescriptorsAndCds) {
  RecordProperty("rule", "SM-EVR-013 SM-EVR-026 SM-EVR-011 SM-FA-034");
  for (int level = 0; level <= 3; ++level) {
    Nested b;
    b.edit_ste({{raw::s2::S2R, 0}});
    const std::uint64_t pa = b.place(b.s1.entry(va, level));
    b.bench.memory.abort_at(pa, 8);
    EXPECT_EQ(b.read(va).outcome, Outcome::abort);
    raw::Record record = b.bench.take_event();
    record.put(Reason, 0);
    EXPECT_EQ(record, raw::Record{}.with({{Type, F_WALK_EABT},
                                          {StreamID, Stage2Bench::sid},
                                          {RnW, 1},
                                          {S2, 0},
                                          {CLASS, tt},
                                          {InputAddr, va},
                                          {FetchAddr, pa >> 3}}))
        << "level " << level;
  }
  Nested b;
  b.edit_ste({{raw::s2::S2R, 0}});
  b.bench.memory.abort_at(Stage2Bench::cd_pa, 8);
  EXPECT_EQ(b.read(va).outcome, Outcome::abort);
  raw::Record record = b.bench.take_event();
  record.put(Reason, 0);
  EXPECT_EQ(record, raw::Record{}.with(
                        {{Type, F_CD_FETCH}, {StreamID, Stage2Bench::sid}, {FetchAddr, Stage2Bench::cd_pa >> 3}}))
      << "the PA of the fetch";
}

struct OrderRow {
  const char* what;
  void (*spoil)(Nested&);
  std::uint64_t address;
  AccessType access;
  std::uint64_t event, stage2, fault_class;
};

constexpr std::uint64_t ap_rw = raw::ap_unprivileged | raw::ng, none = ~std::uint64_t{0};
const OrderRow order_rows[] = {
    {"stage-2 fault of the CD before a bad CD",
     [](Nested& b) {
       b.edit_cd({{cd::V, 0}});
       b.spoil(Stage2Bench::cd_ipa, F_ACCESS);
     },
     va, AccessType::read, F_ACCESS, 1, 0},
    {"stage-2 fault of the CD before its external abort",
     [](Nested& b) {
       b.bench.memory.abort_at(Stage2Bench::cd_pa, 64);
       b.spoil(Stage2Bench::cd_ipa, F_TRANSLATION);
     },
     va, AccessType::read, F_TRANSLATION, 1, 0},
    {"external abort of the CD before the tables",
     [](Nested& b) {
       b.bench.memory.abort_at(Stage2Bench::cd_pa, 64);
       b.spoil(b.s1.root(), F_TRANSLATION);
     },
     va, AccessType::read, F_CD_FETCH, none, none},
    {"bad CD before the range of the VA",
     [](Nested& b) {
       b.edit_cd({{cd::V, 0}});
     },
     std::uint64_t{1} << 50, AccessType::read, C_BAD_CD, none, none},
    {"bad STE before everything",
     [](Nested& b) {
       b.edit_ste({{raw::s2::S2TG, 3}});
       b.spoil(Stage2Bench::cd_ipa, F_TRANSLATION);
     },
     va, AccessType::read, C_BAD_STE, none, none},
    {"range of the VA before the tables", [](Nested& b) { b.spoil(b.s1.root(), F_TRANSLATION); },
     std::uint64_t{1} << 50, AccessType::read, F_TRANSLATION, 0, in},
    {"stage 2 of a table before its external abort",
     [](Nested& b) {
       b.bench.memory.abort_at(b.place(b.s1.entry(va, 1)), 8);
       b.spoil(b.s1.entry(va, 1), F_PERMISSION);
     },
     va, AccessType::read, F_PERMISSION, 1, tt},
    {"a table's own fault before stage 2 of the next one",
     [](Nested& b) {
       b.spoil(b.s1.entry(va, 3), F_TRANSLATION);
       b.s1.set(va, 2, 0);
     },
     va, AccessType::read, F_TRANSLATION, 0, in},
    {"address size of a leaf before its access flag", [](Nested& b) { b.s1.map(va, std::uint64_t{1} << 44, ap_rw); },
     va, AccessType::read, F_ADDR_SIZE, 0, in},
    {"access flag before permission at stage 1", [](Nested& b) { b.s1.map(va, ipa, raw::ng | raw::ap_read_only); }, va,
     AccessType::write, F_ACCESS, 0, in},
    {"access flag of stage 1 before stage 2",
     [](Nested& b) {
       b.s1.map(va, ipa, ap_rw);
       b.spoil(ipa, F_TRANSLATION);
     },
     va, AccessType::read, F_ACCESS, 0, in},
    {"permission of stage 1 before translation of stage 2",
     [](Nested& b) {
       b.s1.map(va, ipa, ap_rw | raw::af | raw::ap_read_only);
       b.spoil(ipa, F_TRANSLATION);
     },
     va, AccessType::write, F_PERMISSION, 0, in},
    {"permission of stage 1 before the range of stage 2",
     [](Nested& b) { b.s1.map(va, 0xfff'ffff'f000, raw::af | raw::ng); }, va, AccessType::read, F_PERMISSION, 0, in},
    {"address size before access flag and permission at stage 2",
     [](Nested& b) { b.s2.map(ipa, std::uint64_t{1} << 44, 0); }, va, AccessType::read, F_ADDR_SIZE, 1, in},
    {"access flag before permission at stage 2", [](Nested& b) { b.s2.map(ipa, target, 0); }, va, AccessType::read,
     F_ACCESS, 1, in},
    {"stage 2 of a table before permission of the leaf",
     [](Nested& b) {
       b.s1.map(va, ipa, raw::af | raw::ng);
       b.spoil(b.s1.entry(va, 3), F_ACCESS);
     },
     va, AccessType::read, F_ACCESS, 1, tt}};

TEST(SpecNestedFaults, TheFirstFaultWins) {
  RecordProperty("rule", "SM-EVP-001 SM-EVP-002 SM-EVP-003 SM-EVT-001");
  for (const OrderRow& row : order_rows) {
    SCOPED_TRACE(row.what);
    Nested b;
    row.spoil(b);
    EXPECT_EQ(b.go(row.address, row.access).outcome, Outcome::abort);
    const auto records = b.bench.take_events();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].get(Type), row.event);
    if (row.stage2 == none) continue;
    EXPECT_EQ(records[0].get(S2), row.stage2);
    EXPECT_EQ(records[0].get(CLASS), row.fault_class);
  }
}

TEST(SpecNestedFaults, ConfigurationAloneMakesS2rTakeEffect) {
  RecordProperty("rule", "SM-CC-012 SM-FA-009");
  Nested b;
  b.s2.map(ipa, target, s2_rw & ~s2_write);
  EXPECT_EQ(b.read(va).address.value, target) << "warm: the page is in the TLBs";
  for (const bool record : {true, false, true, false}) {
    b.edit_ste({{raw::s2::S2R, record}});
    b.reload();  // CFGI_STE and CMD_SYNC, no TLBI
    EXPECT_EQ(b.read(va).address.value, target);
    EXPECT_EQ(event_number(b.go(va, AccessType::write)), F_PERMISSION);
    EXPECT_EQ(b.bench.take_events().size(), record ? 1u : 0u);
  }
}

TEST(SpecNestedFaults, ConfigurationAloneMakesOverridesTakeEffect) {
  RecordProperty("rule", "SM-CC-012 SM-AT-002 SM-AT-016");
  Stage2Bench::Options options = options_44();
  options.config.features.attr_perms_ovr = options.config.features.attr_types_ovr = true;
  Stage2Bench b(options);
  b.edit_ste({{ste::Config, 6}});
  b.s2.map(ipa, target, s2_rw | std::uint64_t{3} << 53);  // XNX 11: privileged execution only
  EXPECT_EQ(b.go(ipa, AccessType::read, true, true).address.value, target);
  b.edit_ste({{ste::PRIVCFG, 2}});
  b.reload();
  EXPECT_EQ(event_number(b.go(ipa, AccessType::read, true, true)), F_PERMISSION) << "now unprivileged";
  b.edit_ste({{ste::INSTCFG, 2}});
  b.reload();
  EXPECT_EQ(b.go(ipa, AccessType::read, true, true).address.value, target) << "now data";
  b.edit_ste({{ste::MTCFG, 1}, {ste::MemAttr, 5}});
  b.reload();
  EXPECT_EQ(b.go(ipa, AccessType::read, true, true).attributes.type, 0x44);
  b.edit_ste({{ste::Config, 7}, {ste::S1CDMax, 4}, {ste::S1DSS, 1}});
  b.reload();
  EXPECT_EQ(b.read(ipa).address.value, target) << "S1DSS=01 bypasses stage 1";
  b.edit_ste({{ste::S1DSS, 0}});
  b.reload();
  EXPECT_EQ(event_number(b.read(ipa)), F_STREAM_DISABLED);
}

}  // namespace
}  // namespace smmusim

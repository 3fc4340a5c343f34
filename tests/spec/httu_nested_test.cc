// SPDX-License-Identifier: MIT
// Hardware update of access flag and dirty state at stage 2, and of stage-1 descriptors through stage 2 (IHI 0070
// sections 3.13.2, 3.13.3 and 3.13.5).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
namespace s2 = raw::s2;
using namespace raw::ev;

constexpr raw::Bits S2HD{183, 183}, S2HA{184, 184}, S2HAFT{187, 187};
constexpr std::uint64_t va = 0x1234'5000, page_pa = 0x9000'0000, page_ipa = page_pa + Stage2Bench::ipa_offset;
constexpr std::uint64_t dbm = std::uint64_t{1} << 51;
constexpr std::uint64_t s2_no_af = s2_rw & ~std::uint64_t{raw::af};
constexpr std::uint64_t s2_clean = (s2_rw | dbm) & ~std::uint64_t{s2_write};
constexpr std::uint64_t user = raw::ap_unprivileged | raw::ng;

Stage2Bench::Options httu(spec::Httu level = spec::Httu::access_dirty, bool timed = false, bool caches = true) {
  Stage2Bench::Options options;
  options.config.features.httu = level;
  if (level == spec::Httu::access_dirty_table) {  // a feature of v3.4, and so possible from v3.3 on
    options.config.features.version_minor = 3;
    options.config.features.e0pd = options.config.features.ptwnnc = true;
  }
  options.config.timed = timed;
  if (!caches) options.config = without_caches(options.config);
  options.latency_ps = timed ? 30'000 : 0;
  return options;
}

/// Stream with both stages, HA, HD, S2HA and S2HD as given; `va` is mapped to page_ipa, and that to page_pa.
struct NestedHttu {
  NestedHttu(const Stage2Bench::Options& options, unsigned ha_hd, unsigned s2ha_s2hd, std::uint64_t s1_flags,
             std::uint64_t s2_flags)
      : b(options) {
    b.s1.map(va, page_ipa, s1_flags);
    b.cover(page_ipa, 0x1000, s2_flags);
    b.edit_cd({{cd::HA, ha_hd >> 1}, {cd::HD, ha_hd & 1}});
    b.edit_ste({{S2HA, s2ha_s2hd >> 1}, {S2HD, s2ha_s2hd & 1}, {s2::S2R, 1}});
  }
  std::uint64_t s2_descriptor(std::uint64_t ipa) { return b.bench.memory.read64(b.s2.place(b.s2.entry(ipa, 3))); }
  void set_s2(std::uint64_t ipa, std::uint64_t descriptor) {
    b.bench.memory.write64(b.s2.place(b.s2.entry(ipa, 3)), descriptor);
  }
  /// Replaces flags of the stage-2 page around `ipa`.
  void remap(std::uint64_t ipa, std::uint64_t flags) {
    const std::uint64_t page = ipa & ~std::uint64_t{0xfff};
    b.cover(page, 0x1000, flags);
  }
  std::uint64_t s1_entry_ipa(int level = 3) { return b.s1.entry(va, level); }
  std::uint64_t s1_descriptor() { return b.bench.memory.read64(b.place(s1_entry_ipa())); }

  Stage2Bench b;
};

struct FinalRow {
  const char* what;
  unsigned s2ha_s2hd;
  std::uint64_t s2_flags;
  AccessType access;
  std::uint64_t event;
  std::uint64_t after;  ///< flags
};
const FinalRow final_rows[] = {
    {"AF", 2, s2_no_af, AccessType::read, 0, s2_rw},
    {"AF without S2HA", 0, s2_no_af, AccessType::read, F_ACCESS, s2_no_af},
    {"S2HD alone is off", 1, s2_clean, AccessType::write, F_PERMISSION, s2_clean},
    {"dirty", 3, s2_clean, AccessType::write, 0, s2_clean | s2_write},
    {"dirty and AF", 3, s2_clean & ~std::uint64_t{raw::af}, AccessType::write, 0, s2_clean | s2_write},
    {"read keeps clean", 3, s2_clean, AccessType::read, 0, s2_clean},
    {"no DBM", 3, s2_rw & ~std::uint64_t{s2_write}, AccessType::write, F_PERMISSION, s2_rw & ~std::uint64_t{s2_write}},
    {"no S2HD", 2, s2_clean, AccessType::write, F_PERMISSION, s2_clean},
};

TEST(SpecHttuNested, FinalStage2Descriptor) {
  RecordProperty("rule", "SM-HT-002 SM-HT-004");
  for (const FinalRow& row : final_rows) {
    for (unsigned variant = 0; variant < 8; ++variant) {
      const bool timed = (variant & 1) != 0, caches = (variant & 2) != 0, stage2_only = (variant & 4) != 0;
      SCOPED_TRACE(testing::Message() << row.what << " variant " << variant);
      NestedHttu n(httu(spec::Httu::access_dirty, timed, caches), 0, row.s2ha_s2hd, user | raw::af, row.s2_flags);
      if (stage2_only) n.b.edit_ste({{raw::ste::Config, 6}});
      const Response response = n.b.go(stage2_only ? page_ipa : va, row.access);
      EXPECT_EQ(event_number(response), row.event);
      EXPECT_EQ(n.s2_descriptor(page_ipa), page_pa | 3 | row.after);
      if (row.event != 0) {
        EXPECT_EQ(n.b.bench.take_event().get(S2), 1u);
      }
    }
  }
}

TEST(SpecHttuNested, EveryStage2DescriptorOfTheWalkGetsAf) {
  RecordProperty("rule", "SM-HT-002");
  NestedHttu n(httu(), 0, 2, user | raw::af, s2_no_af);
  n.remap(Stage2Bench::cd_ipa, s2_no_af);
  for (int level = 0; level <= 3; ++level) n.remap(n.s1_entry_ipa(level), s2_no_af);
  EXPECT_EQ(n.b.read(va).outcome, Outcome::proceed);
  EXPECT_NE(n.s2_descriptor(Stage2Bench::cd_ipa) & raw::af, 0u);
  for (int level = 0; level <= 3; ++level) EXPECT_NE(n.s2_descriptor(n.s1_entry_ipa(level)) & raw::af, 0u) << level;
}

TEST(SpecHttuNested, CdFetchNeverMarksDirty) {
  RecordProperty("rule", "SM-HT-005");
  NestedHttu n(httu(), 3, 3, user | raw::af, s2_rw);
  n.remap(Stage2Bench::cd_ipa, s2_clean & ~std::uint64_t{raw::af});
  EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
  const std::uint64_t after = n.s2_descriptor(Stage2Bench::cd_ipa);
  EXPECT_NE(after & raw::af, 0u);
  EXPECT_EQ(after & s2_write, 0u);
}

struct UpdateRow {
  const char* what;
  std::uint64_t table_flags;  ///< stage-2 mapping of the stage-1 leaf table
  unsigned s2ha_s2hd;
  bool updated;
  std::uint64_t table_after;
};
constexpr std::uint64_t s2_ro = s2_rw & ~std::uint64_t{s2_write};
const UpdateRow update_rows[] = {
    {"writable", s2_rw, 0, true, s2_rw},
    {"read-only", s2_ro, 3, false, s2_ro},
    {"writable-clean", s2_clean, 3, true, s2_clean | s2_write},
    {"writable-clean without S2HD", s2_clean, 2, false, s2_clean},
};

TEST(SpecHttuNested, Stage1UpdateIsAWriteToStage2) {
  RecordProperty("rule", "SM-HT-009 SM-EVR-017 SM-CLS-003");
  for (const UpdateRow& row : update_rows) {
    for (unsigned variant = 0; variant < 4; ++variant) {
      SCOPED_TRACE(testing::Message() << row.what << " variant " << variant);
      NestedHttu n(httu(spec::Httu::access_dirty, (variant & 1) != 0, (variant & 2) != 0), 2, row.s2ha_s2hd, user,
                   s2_rw);
      n.remap(n.s1_entry_ipa(), row.table_flags);
      const Response response = n.b.read(va);
      EXPECT_EQ(event_number(response), row.updated ? 0u : F_PERMISSION);
      EXPECT_EQ((n.s1_descriptor() & raw::af) != 0, row.updated);
      EXPECT_EQ(n.s2_descriptor(n.s1_entry_ipa()) & 0xfff & ~std::uint64_t{3}, row.table_after & 0xfff);
      if (row.updated) continue;
      const raw::Record record = n.b.bench.take_event();
      EXPECT_EQ(record.get(S2), 1u);
      EXPECT_EQ(record.get(CLASS), 1u);
      EXPECT_EQ(record.get(raw::wide::TTRnW), 0u);  // the update, not the fetch
      EXPECT_EQ(record.get(IPA) << 12, n.s1_entry_ipa() & ~std::uint64_t{0xfff});
    }
  }
}

TEST(SpecHttuNested, FetchRefusedByStage2HasTTRnW) {
  RecordProperty("rule", "SM-EVR-017");
  NestedHttu n(httu(), 2, 3, user, s2_rw);
  n.remap(n.s1_entry_ipa(), s2_rw & ~std::uint64_t{s2_read});
  EXPECT_EQ(event_number(n.b.read(va)), F_PERMISSION);
  EXPECT_EQ(n.b.bench.take_event().get(raw::wide::TTRnW), 1u);
}

TEST(SpecHttuNested, BothStagesAreMarkedByAWrite) {
  RecordProperty("rule", "SM-HT-004 SM-HT-009");
  for (const bool read_first : {false, true}) {
    NestedHttu n(httu(), 3, 3, user | dbm | raw::ap_read_only, s2_clean);
    if (read_first) n.b.read(va);  // caches it clean
    EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
    EXPECT_EQ(n.s1_descriptor() & raw::ap_read_only, 0u);
    EXPECT_NE(n.s2_descriptor(page_ipa) & s2_write, 0u);
    n.b.bench.memory.log.clear();
    EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
    EXPECT_EQ(n.b.bench.memory.count(Purpose::TTD), 0u);
  }
}

TEST(SpecHttuNested, Stage1PermissionComesBeforeAnyFinalUpdate) {
  RecordProperty("rule", "SM-HT-003 SM-EVP-003");
  NestedHttu n(httu(), 3, 3, user | raw::ap_read_only, s2_clean & ~std::uint64_t{raw::af});
  EXPECT_EQ(event_number(n.b.go(va, AccessType::write)), F_PERMISSION);
  EXPECT_EQ(n.b.bench.take_event().get(S2), 0u);
  EXPECT_EQ(n.s1_descriptor() & raw::af, 0u);
  EXPECT_EQ(n.s2_descriptor(page_ipa) & (raw::af | s2_write), 0u);
}

TEST(SpecHttuNested, TableDescriptorsOfStage2) {
  RecordProperty("rule", "SM-HT-010");
  for (const bool haft : {false, true}) {
    NestedHttu n(httu(spec::Httu::access_dirty_table), 0, 2, user | raw::af, s2_rw);
    n.b.edit_ste({{S2HAFT, haft}});
    EXPECT_EQ(n.b.read(va).outcome, Outcome::proceed);
    const std::uint64_t table = n.b.bench.memory.read64(n.b.s2.place(n.b.s2.entry(page_ipa, 2)));
    EXPECT_EQ((table & raw::af) != 0, haft);
  }
}

TEST(SpecHttuNested, PrefetchOfAConfigurationSetsAf) {
  RecordProperty("rule", "SM-CM-015");
  NestedHttu n(httu(), 0, 2, user | raw::af, s2_rw);
  n.remap(Stage2Bench::cd_ipa, s2_no_af);
  n.b.command({raw::command(raw::cmd::PREFETCH_CONFIG, {{raw::cmd::StreamID, Stage2Bench::sid}})});
  EXPECT_NE(n.s2_descriptor(Stage2Bench::cd_ipa) & raw::af, 0u);
}

TEST(SpecHttuNested, WhatS2PtwRefusesIsLeftAlone) {
  RecordProperty("rule", "SM-HT-003 SM-FA-032");
  NestedHttu n(httu(), 2, 2, user | raw::af, s2_rw);
  n.b.edit_ste({{s2::S2PTW, 1}});
  const std::uint64_t device = s2_no_af & ~std::uint64_t{s2_wb};
  n.remap(n.s1_entry_ipa(), device);
  EXPECT_EQ(event_number(n.b.read(va)), F_PERMISSION);
  EXPECT_EQ(n.s2_descriptor(n.s1_entry_ipa()) & raw::af, 0u);
}

TEST(SpecHttuNested, WalkAttributesOfStage2DoNotMatter) {
  RecordProperty("rule", "SM-HT-017");
  for (const std::uint64_t cacheability : {0u, 2u}) {  // NC, WT
    NestedHttu n(httu(), 0, 3, user | raw::af, s2_clean);
    n.b.edit_ste({{s2::S2IR0, cacheability}, {s2::S2OR0, cacheability}});
    EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
    EXPECT_NE(n.s2_descriptor(page_ipa) & s2_write, 0u);
    EXPECT_EQ(n.b.bench.memory.log.back().op, MemoryOp::compare_and_swap);
  }
}

TEST(SpecHttuNested, TablesStayCleanUntilStage1IsUpdated) {
  RecordProperty("rule", "SM-HT-008");
  NestedHttu n(httu(), 3, 3, user | raw::af, s2_rw);  // nothing to update at stage 1
  n.remap(n.s1_entry_ipa(), s2_clean);
  EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
  EXPECT_EQ(n.s2_descriptor(n.s1_entry_ipa()) & s2_write, 0u);
}

TEST(SpecHttuNested, WriteAfterReadMarksTheStageThatIsClean) {
  RecordProperty("rule", "SM-HT-004");
  constexpr std::uint64_t s1_clean = user | raw::af | dbm | raw::ap_read_only;
  for (unsigned clean = 1; clean < 4; ++clean) {  // bit 0: stage 2, bit 1: stage 1; the other is writable
    SCOPED_TRACE(clean);
    NestedHttu n(httu(), 3, 3, (clean & 2) != 0 ? s1_clean : user | raw::af, (clean & 1) != 0 ? s2_clean : s2_rw);
    EXPECT_EQ(n.b.read(va).outcome, Outcome::proceed);
    EXPECT_EQ((n.s1_descriptor() & raw::ap_read_only) != 0, (clean & 2) != 0);
    EXPECT_EQ((n.s2_descriptor(page_ipa) & s2_write) == 0, (clean & 1) != 0);
    EXPECT_EQ(n.b.go(va, AccessType::write).outcome, Outcome::proceed);
    EXPECT_EQ(n.s1_descriptor() & raw::ap_read_only, 0u);
    EXPECT_NE(n.s2_descriptor(page_ipa) & s2_write, 0u);
  }
}

/// What stage 2 refuses leaves its access flag alone, and must not hide it from the next access.
TEST(SpecHttuNested, RefusedPageWithoutAfIsNotCached) {
  RecordProperty("rule", "SM-HT-002 SM-HT-003");
  constexpr std::uint64_t read_only = s2_no_af & ~std::uint64_t{s2_write};
  NestedHttu n(httu(), 0, 2, user | raw::af, read_only);
  EXPECT_EQ(event_number(n.b.go(va, AccessType::write)), F_PERMISSION);
  EXPECT_EQ(n.s2_descriptor(page_ipa) & raw::af, 0u);
  EXPECT_EQ(n.b.read(va).outcome, Outcome::proceed);
  EXPECT_NE(n.s2_descriptor(page_ipa) & raw::af, 0u);
}

TEST(SpecHttuNested, AtomicOnACleanPageWithoutReadLacksTheRead) {
  RecordProperty("rule", "SM-ATR-001");
  constexpr std::uint64_t write_only_clean = s2_clean & ~std::uint64_t{s2_read};
  for (const bool nested : {true, false}) {
    for (const bool s2hd : {true, false}) {
      NestedHttu n(httu(), 3, s2hd ? 3 : 2, user | raw::af, write_only_clean);
      if (!nested) n.b.edit_ste({{raw::ste::Config, 6}});
      EXPECT_EQ(n.b.go(nested ? va : page_ipa, AccessType::atomic).outcome, Outcome::abort);
      const raw::Record record = n.b.bench.take_event();
      EXPECT_EQ(record.get(Type), F_PERMISSION);
      EXPECT_EQ(record.get(S2), 1u);
      EXPECT_EQ(record.get(RnW), s2hd ? 1u : 0u) << "hardware would have given the write, had it been enabled";
      EXPECT_EQ(n.s2_descriptor(page_ipa) & s2_write, 0u);
    }
  }
}

TEST(SpecHttuNested, AffdOfStage2) {
  RecordProperty("rule", "SM-HT-018");
  for (const bool s2ha : {false, true}) {
    for (const bool s2affd : {false, true}) {
      NestedHttu n(httu(), 0, s2ha ? 2 : 0, user | raw::af, s2_no_af);
      n.b.edit_ste({{s2::S2AFFD, s2affd}});
      EXPECT_EQ(event_number(n.b.read(va)), s2ha || s2affd ? 0u : F_ACCESS);
      EXPECT_EQ((n.s2_descriptor(page_ipa) & raw::af) != 0, s2ha);
    }
  }
}

TEST(SpecHttuNested, UpdatesAreLabelledAsTheFetch) {
  RecordProperty("rule", "SM-ATR-024");
  NestedHttu n(httu(), 2, 2, user, s2_no_af);
  n.b.edit_cd({{cd::IR0, 2}, {cd::OR0, 2}});       // WT
  n.b.edit_ste({{s2::S2IR0, 1}, {s2::S2OR0, 1}});  // WB
  EXPECT_EQ(n.b.read(va).outcome, Outcome::proceed);
  unsigned of_stage1 = 0, of_stage2 = 0;
  for (const BenchAccess& access : n.b.bench.memory.log) {
    if (access.op != MemoryOp::compare_and_swap) continue;
    ++(access.stage == 1 ? of_stage1 : of_stage2);
    EXPECT_EQ(access.attributes.type, access.stage == 1 ? 0xbb : 0xff);
  }
  EXPECT_EQ(of_stage1, 1u);
  EXPECT_EQ(of_stage2, 1u);
}

}  // namespace
}  // namespace smmusim

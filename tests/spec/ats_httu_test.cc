// SPDX-License-Identifier: MIT
// Hardware update of AF and dirty state by ATS traffic (IHI 0070 sections 3.9.1, 3.13.7.1 and 13.7): a Translation
// Request is the only moment at which the SMMU sees that a device will access a page.
#include <gtest/gtest.h>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint64_t va = AtsBench::va, ipa = AtsBench::ipa, pa = AtsBench::pa;
constexpr std::uint64_t dbm = std::uint64_t{1} << 51;
constexpr std::uint64_t rw = raw::ng | raw::ap_unprivileged, clean = rw | raw::ap_read_only | dbm;
constexpr raw::Bits S2HD{183, 183}, S2HA{184, 184};

SmmuConfig httu_config(spec::Httu httu = spec::Httu::access_dirty) {
  SmmuConfig config = ats_config();
  config.features.httu = httu;
  return config;
}

/// Stream 2: stage 1 alone, HA and HD as given, one page.
struct Plain : AtsBench {
  Plain(std::uint64_t flags, bool ha, bool hd, const SmmuConfig& config = httu_config()) : AtsBench(config) {
    const raw::Cd context = plain_stream({}, flags);
    bench.put_cd(plain_sid, context.with({{cd::HA, ha}, {cd::HD, hd}}));
    at = bench.descriptor_at(SmmuBench::ttb0(context), va, 3);
  }
  std::uint64_t descriptor() { return bench.memory.read64(at); }
  std::string ask(bool no_write) { return describe(request(plain_sid, va, {.no_write = no_write})); }
  std::uint64_t at = 0;
};

TEST(SpecAtsHttu, APageThatWouldOnlyBeWritten) {
  RecordProperty("rule", "SM-PC-009 SM-HT-011");
  AtsBench b(httu_config());
  b.edit_ste({{ste::Config, 6}, {S2HD, 1}, {S2HA, 1}});
  b.s2.map(ipa, pa, (s2_rw & ~s2_read & ~s2_write) | dbm);
  EXPECT_EQ(describe(b.request(ipa, {.no_write = true})), "success");
  EXPECT_EQ(describe(b.request(ipa)), "success W") << "NW=0 makes it dirty";
  EXPECT_EQ(b.bench.memory.read64(b.s2.entry(ipa, 3)) & s2_write, s2_write);
}

TEST(SpecAtsHttu, OneStage) {
  RecordProperty("rule", "SM-PC-009 SM-HT-011 SM-ATS-009 SM-ATS-010");
  struct Row {
    const char* what;
    std::uint64_t flags;
    bool ha, hd, no_write;
    const char* answer;
    std::uint64_t after;  ///< flags of the descriptor
  };
  constexpr std::uint64_t dirty = rw | dbm, af = raw::af;
  const Row rows[] = {
      {"AF is set for a read", rw, true, false, true, "success R W", rw | af},
      {"and for a write", rw, true, false, false, "success R W", rw | af},
      {"read-only: AF only", rw | raw::ap_read_only, true, true, false, "success R", rw | raw::ap_read_only | af},
      {"clean, NW=0: dirty", clean, true, true, false, "success R W", dirty | af},
      {"clean, NW=1: stays", clean, true, true, true, "success R", clean | af},
      {"clean with AF, NW=0", clean | af, true, true, false, "success R W", dirty | af},
      {"clean, HA alone", clean, true, false, false, "success R", clean | af},
      {"AF=0 without HA", rw, false, false, false, "success", rw},
      {"no access: nothing is granted, nothing dirty", raw::ng | raw::ap_read_only | dbm | af, true, true, false,
       "success", raw::ng | raw::ap_read_only | dbm | af}};
  for (const Row& row : rows) {
    for (const bool cached : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << cached);
      Plain b(row.flags, row.ha, row.hd);
      if (cached) b.ask(true);
      EXPECT_EQ(b.ask(row.no_write), row.answer);
      EXPECT_EQ(b.descriptor(), pa | 3 | row.after);
      EXPECT_EQ(b.ask(row.no_write), row.answer) << "again";
      EXPECT_TRUE(b.bench.take_events().empty());
    }
  }
}

TEST(SpecAtsHttu, ATimedMachineDoesTheSame) {
  RecordProperty("rule", "SM-PC-009 SM-HT-011");
  Plain b(clean, true, true, timed(httu_config()));
  EXPECT_EQ(b.ask(true), "success R");
  EXPECT_EQ(b.descriptor(), pa | 3 | clean | raw::af);
  EXPECT_EQ(b.ask(false), "success R W");
  EXPECT_EQ(b.descriptor(), pa | 3 | rw | dbm | raw::af);
}

/// The request of a device that guesses, as no PCIe function does (IHI 0070 section 3.14).
std::string guess(AtsBench& b, std::uint32_t sid, bool no_write) {
  Transaction t = b.request_of(sid, va, {.no_write = no_write});
  t.speculative = true;
  return describe(b.bench.go(t));
}

TEST(SpecAtsHttu, SpeculativeRequests) {
  RecordProperty("rule", "SM-FA-024");
  struct Row {
    const char* what;
    std::uint64_t flags;
    bool ha, hd, no_write;
    const char* answer;
    std::uint64_t after;
  };
  constexpr std::uint64_t dirty = rw | dbm, af = raw::af;
  const Row rows[] = {{"dirty, to write", dirty | af, true, true, false, "success R W", dirty | af},
                      {"never clean, to write", rw | af, true, true, false, "success R W", rw | af},
                      {"clean, to write", clean | af, true, true, false, "success R", clean | af},
                      {"clean without AF, to write", clean, true, true, false, "success R", clean | af},
                      {"clean, to read", clean, true, true, true, "success R", clean | af},
                      {"without HD", dirty, true, false, false, "success R W", dirty | af},
                      {"AF=0 without HA", rw, false, false, false, "success", rw}};
  for (const bool in_time : {false, true}) {
    for (const Row& row : rows) {
      for (const bool cached : {false, true}) {
        SCOPED_TRACE(testing::Message() << row.what << cached << in_time);
        Plain b(row.flags, row.ha, row.hd, in_time ? timed(httu_config()) : httu_config());
        if (cached) b.ask(true);
        for (unsigned turn = 0; turn != 2; ++turn) {
          EXPECT_EQ(guess(b, AtsBench::plain_sid, row.no_write), row.answer);
          EXPECT_EQ(b.descriptor(), pa | 3 | row.after);
        }
        EXPECT_TRUE(b.bench.take_events().empty());
      }
    }
  }
  Plain b(clean, true, true);
  EXPECT_EQ(guess(b, AtsBench::plain_sid, false), "success R");
  EXPECT_EQ(b.ask(false), "success R W") << "who means it is not refused what a guess was";
  EXPECT_EQ(guess(b, AtsBench::plain_sid, false), "success R W") << "and now it is dirty";
}

TEST(SpecAtsHttu, SpeculativeRequestsFailInSilence) {
  AtsBench b(httu_config());
  b.set_cr2(cr2::RECINVSID | cr2::REC_CFG_ATS);
  EXPECT_EQ(guess(b, 3, false), "CA") << "no STE";
  b.edit_ste({{ste::EATS, 0}});
  EXPECT_EQ(guess(b, AtsBench::sid, false), "UR");
  EXPECT_TRUE(b.bench.take_events().empty());
}

/// Nested, both stages with HA and HD.
struct NestedAts : AtsBench {
  NestedAts(bool split, std::uint64_t stage1_flags, std::uint64_t stage2_flags) : AtsBench(httu_config()) {
    edit_ste({{ste::EATS, split ? 2u : 1u}, {S2HA, 1}, {S2HD, 1}});
    edit_cd({{cd::HA, 1}, {cd::HD, 1}});
    s1.map(va, ipa, stage1_flags);
    s2.map(ipa, pa, stage2_flags);
    cover(Stage2Bench::cd_ipa, 0x1000);
  }
  std::uint64_t stage1() { return bench.memory.read64(place(s1.entry(va, 3))) ^ ipa ^ 3; }
  std::uint64_t stage2() { return bench.memory.read64(s2.entry(ipa, 3)) ^ pa ^ 3; }
};
constexpr std::uint64_t s2_clean = (s2_rw & ~s2_write & ~raw::af) | dbm;

TEST(SpecAtsHttu, Nested) {
  RecordProperty("rule", "SM-HT-012 SM-HT-013 SM-ATS-009 SM-PC-018");
  struct Row {
    const char* what;
    std::uint64_t flags1, flags2;
    bool no_write;
    const char* answer;
    std::uint64_t after1, after2;
  };
  constexpr std::uint64_t af = raw::af, ro = rw | raw::ap_read_only;
  const Row rows[] = {
      {"both clean, NW=0", clean, s2_clean, false, "success R W", rw | dbm | af, s2_clean | s2_write | af},
      {"both clean, NW=1", clean, s2_clean, true, "success R", clean | af, s2_clean | af},
      {"stage 1 read-only: neither gets dirty", ro, s2_clean, false, "success R", ro | af, s2_clean | af},
      {"stage 1 writable, stage 2 clean", rw, s2_clean, false, "success R W", rw | af, s2_clean | s2_write | af},
      {"stage 1 grants nothing: stage 2 is not touched", raw::ng | af, s2_clean, false, "success", raw::ng | af,
       s2_clean}};
  for (const Row& row : rows) {
    for (const bool split : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << split);
      NestedAts b(split, row.flags1, row.flags2);
      EXPECT_EQ(describe(b.request(1, va, {.no_write = row.no_write})), row.answer);
      EXPECT_EQ(b.stage1(), row.after1);
      EXPECT_EQ(b.stage2(), row.after2) << "with split-stage ATS it is optional at the request; it is done";
      EXPECT_TRUE(b.bench.take_events().empty());
    }
  }
}

/// Neither page gets dirty; that of the stage-1 table does where the table's AF is written.
TEST(SpecAtsHttu, SpeculativeRequestsOfANestedStream) {
  RecordProperty("rule", "SM-FA-024");
  for (const std::uint64_t flags : {clean, clean | raw::af}) {
    NestedAts b(false, flags, s2_clean);
    const std::uint64_t table = b.s1.entry(va, 3) & ~std::uint64_t{0xfff};
    b.cover(table, 0x1000, s2_clean);
    EXPECT_EQ(guess(b, AtsBench::sid, false), "success R");
    EXPECT_EQ(b.stage1(), clean | raw::af);
    EXPECT_EQ(b.stage2(), s2_clean | raw::af);
    const std::uint64_t of_table = b.bench.memory.read64(b.s2.entry(table, 3)) ^ b.place(table) ^ 3;
    EXPECT_EQ(of_table, s2_clean | raw::af | (flags == clean ? s2_write : 0));
  }
}

TEST(SpecAtsHttu, TranslatedTrafficMarksTheSecondStageTwo) {
  RecordProperty("rule", "SM-HT-013 SM-ATS-004");
  NestedAts b(true, rw, s2_clean);
  EXPECT_EQ(b.translated(ipa).address.value, pa);
  EXPECT_EQ(b.stage2(), s2_clean | raw::af);
  EXPECT_EQ(b.translated(ipa, AccessType::write).address.value, pa);
  EXPECT_EQ(b.stage2(), s2_clean | raw::af | s2_write);
}

}  // namespace
}  // namespace smmusim

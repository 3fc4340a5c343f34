// SPDX-License-Identifier: MIT
// The table of ILLEGAL CDs, row by row, through illegal_cd() and through the whole SMMU (IHI 0070 sections 5.4, 5.4.1,
// 5.4.2, 5.5, 3.4.3). The rows are in illegal_cd_format.cc and illegal_cd_halves.cc.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "model/smmu/legality.h"
#include "tests/spec/illegal_rows.h"
#include "tests/support/smmu_bench.h"

namespace smmusim::illegal {
namespace {

spec::Cd model_cd(const raw::Cd& words) {
  spec::Cd cd;
  cd.dw = words.dw;
  return cd;
}
raw::Cd cd_of(const CdCase& row) {
  raw::Cd words = base_cd();
  for (const Edit& edit : row.edits) words.put(edit.bits, edit.value);
  return words;
}
std::vector<CdCase> all_cases() {
  std::vector<CdCase> all;
  for (const auto* cases : {&cd_fault_cases(), &cd_format_cases(), &cd_update_cases(), &cd_permission_cases(),
                            &cd_size_cases(), &cd_d128_cases(), &cd_base_cases()}) {
    all.insert(all.end(), cases->begin(), cases->end());
  }
  return all;
}
bool e2h(Through through) {
  return through == Through::el2_e2h || through == Through::e2h_with_s1pie;
}

/// A CD's surroundings, with storage for what they refer to.
struct World {
  explicit World(Through through, const Features& machine) : features(machine) {
    ste.dw = ste_of(through).dw;
    world = stream_world(ste, features, e2h(through));
  }
  CdSurroundings surroundings() const { return {features, ste, world}; }
  Features features;
  spec::Ste ste;
  StreamWorld world;
};

void check(const std::vector<CdCase>& cases) {
  for (const CdCase& row : cases) {
    SCOPED_TRACE(row.name);
    const World world(row.through, machine_of(row.machine));
    ASSERT_TRUE(spec::check(world.features).empty()) << spec::check(world.features)[0].sentence;
    ASSERT_EQ(illegal_ste(world.ste, world.features), nullptr);
    const CdRule* rule = illegal_cd(model_cd(cd_of(row)), world.surroundings());
    if (row.breaks.empty()) {
      EXPECT_EQ(rule, nullptr) << rule->sentence;
      continue;
    }
    ASSERT_NE(rule, nullptr);
    EXPECT_TRUE(rule->sentence.starts_with(row.breaks)) << rule->sentence;
  }
}

TEST(SpecIllegalCd, ValidityFaultModelAndEndianness) {
  RecordProperty("rule", "SM-CD-001 SM-CD-012 SM-CD-006 SM-CD-010");
  check(cd_fault_cases());
}

TEST(SpecIllegalCd, Format) {
  RecordProperty("rule", "SM-CD-007 SM-TR-003 SM-CD-010");
  check(cd_format_cases());
}

TEST(SpecIllegalCd, HardwareUpdateAndAsid) {
  RecordProperty("rule", "SM-HT-022 SM-HT-023 SM-CD-008");
  check(cd_update_cases());
}

TEST(SpecIllegalCd, PermissionIndirection) {
  RecordProperty("rule", "SM-PI-006 SM-PI-007");
  check(cd_permission_cases());
}

TEST(SpecIllegalCd, GranuleAndSize) {
  RecordProperty("rule", "SM-CD-002 SM-CD-004 SM-CD-009 SM-CD-011");
  check(cd_size_cases());
}

TEST(SpecIllegalCd, Vmsav9) {
  RecordProperty("rule", "SM-CD-003 SM-CD-013");
  check(cd_d128_cases());
}

TEST(SpecIllegalCd, TableBase) {
  RecordProperty("rule", "SM-AS-014 SM-AS-029 SM-AS-031 SM-CD-011");
  check(cd_base_cases());
}

TEST(SpecIllegalCd, EveryRuleIsTheOnlyOneBrokenSomewhere) {
  std::set<std::string_view> seen;
  for (const CdCase& row : all_cases()) {
    const World world(row.through, machine_of(row.machine));
    std::vector<std::string_view> sentences;
    for (const CdRule& rule : cd_rules()) {
      if (rule.illegal(model_cd(cd_of(row)), world.surroundings())) sentences.push_back(rule.sentence);
    }
    if (sentences.size() == 1) seen.insert(sentences[0]);
  }
  for (const CdRule& rule : cd_rules()) EXPECT_TRUE(seen.contains(rule.sentence)) << rule.sentence;
}

TEST(SpecIllegalCd, SentencesAreDistinctAndNameASection) {
  std::set<std::string_view> seen;
  for (const CdRule& rule : cd_rules()) {
    EXPECT_TRUE(seen.insert(rule.sentence).second) << rule.sentence;
    EXPECT_NE(rule.sentence.find("(5.4"), std::string_view::npos) << rule.sentence;
    EXPECT_TRUE(rule.rule.starts_with("SM-")) << rule.sentence;
  }
}

TEST(SpecIllegalCd, RandomBitsMeetEveryPredicateSafely) {
  const std::uint64_t seed = 20261;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const Machine machines[] = {nullptr,   newest, newest_d128, newest_overlays,
                              newest_ds, lpae,   lpae_oas36,  stalls_forced};
  const Through through[] = {Through::el1, Through::el2, Through::el2_e2h, Through::nested};
  unsigned illegal = 0;
  for (unsigned i = 0; i < 40'000; ++i) {
    raw::Cd words;
    for (std::uint64_t& word : words.dw) word = random();
    const World world(through[i / 8 % 4], machine_of(machines[i % 8]));
    illegal += illegal_cd(model_cd(words), world.surroundings()) != nullptr ? 1 : 0;
  }
  EXPECT_GT(illegal, 20'000u) << "V alone makes half of them illegal";
  EXPECT_LT(illegal, 40'000u) << "some are legal";
}

/// Whichever half the access goes to, and without a fetch of a descriptor.
TEST(SpecIllegalCd, OffendersGiveTheEventAndAreNotFollowed) {
  RecordProperty("rule", "SM-EVR-012 SM-CD-011 SM-STL-001 SM-EVP-005");
  for (const CdCase& row : all_cases()) {
    if (row.breaks.empty() || row.through == Through::nested || row.through == Through::nested_lpae) continue;
    SCOPED_TRACE(row.name);
    SmmuConfig config = bench_config();
    config.features = machine_of(row.machine);
    if (!not_modelled(config.features).empty()) continue;  // there is no such SMMU; the tests above ask the table
    for (const std::uint64_t va : {std::uint64_t{0x1000}, std::uint64_t{0xffff'ffff'ffff'1000}}) {
      SmmuBench bench(config);
      bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
      bench.w32(off::CR2, e2h(row.through) ? 3 : 2);
      bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
      bench.put_ste(1, ste_of(row.through));
      bench.put_cd(1, cd_of(row));
      EXPECT_EQ(bench.read(1, va).outcome, Outcome::abort);
      raw::Record expected;
      expected.dw[0] = std::uint64_t{1} << 32 | raw::ev::C_BAD_CD;
      EXPECT_EQ(bench.take_event(), expected);
      EXPECT_EQ(bench.memory.count(Purpose::TTD), 0u);
    }
  }
}

}  // namespace
}  // namespace smmusim::illegal

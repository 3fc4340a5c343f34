// SPDX-License-Identifier: MIT
// The table of ILLEGAL STEs, row by row, through illegal_ste() and through the whole SMMU (IHI 0070
// sections 5.2, 5.2.2, 5.5, 3.4.3). The rows are in illegal_ste_general.cc and illegal_ste_stage2.cc.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "model/smmu/legality.h"
#include "tests/spec/illegal_rows.h"
#include "tests/support/smmu_bench.h"

namespace smmusim::illegal {
namespace {

spec::Ste model_ste(const raw::Ste& words) {
  spec::Ste ste;
  ste.dw = words.dw;
  return ste;
}
raw::Ste ste_of(const SteCase& row) {
  raw::Ste words = base_ste(row.config);
  for (const Edit& edit : row.edits) words.put(edit.bits, edit.value);
  return words;
}
std::vector<SteCase> all_cases() {
  std::vector<SteCase> all;
  for (const auto* cases : {&ste_config_cases(), &ste_stage1_cases(), &ste_ats_cases(), &ste_format_cases(),
                            &ste_geometry_cases(), &ste_base_cases(), &ste_fault_cases(), &ste_permission_cases()}) {
    all.insert(all.end(), cases->begin(), cases->end());
  }
  return all;
}
/// The sentences of every row that the STE breaks.
std::vector<std::string_view> broken(const raw::Ste& words, const Features& features) {
  std::vector<std::string_view> sentences;
  for (const SteRule& rule : ste_rules()) {
    if (rule.illegal(model_ste(words), features)) sentences.push_back(rule.sentence);
  }
  return sentences;
}

void check(const std::vector<SteCase>& cases) {
  for (const SteCase& row : cases) {
    SCOPED_TRACE(row.name);
    const Features features = machine_of(row.machine);
    ASSERT_TRUE(spec::check(features).empty()) << spec::check(features)[0].sentence;
    const SteRule* rule = illegal_ste(model_ste(ste_of(row)), features);
    if (row.breaks.empty()) {
      EXPECT_EQ(rule, nullptr) << rule->sentence;
      continue;
    }
    ASSERT_NE(rule, nullptr);
    EXPECT_TRUE(rule->sentence.starts_with(row.breaks)) << rule->sentence;
  }
}

TEST(SpecIllegalSte, ConfigWorldAndVmid) {
  RecordProperty("rule", "SM-ST-019 SM-ST-021 SM-ST-023 SM-ST-025");
  check(ste_config_cases());
}

TEST(SpecIllegalSte, Stage1) {
  RecordProperty("rule", "SM-FA-031 SM-SS-006 SM-SS-008 SM-AS-018");
  check(ste_stage1_cases());
}

TEST(SpecIllegalSte, Ats) {
  RecordProperty("rule", "SM-PC-044 SM-PC-045 SM-PC-046 SM-DP-001");
  check(ste_ats_cases());
}

TEST(SpecIllegalSte, Stage2Format) {
  RecordProperty("rule", "SM-TR-008 SM-TR-009");
  check(ste_format_cases());
}

TEST(SpecIllegalSte, Stage2Geometry) {
  RecordProperty("rule", "SM-TR-005 SM-TR-006 SM-TR-007 SM-TR-011");
  check(ste_geometry_cases());
}

TEST(SpecIllegalSte, Stage2TableBase) {
  RecordProperty("rule", "SM-AS-014 SM-AS-024 SM-AS-026 SM-AS-028");
  check(ste_base_cases());
}

TEST(SpecIllegalSte, Stage2FaultsAndUpdates) {
  RecordProperty("rule", "SM-TR-010 SM-ST-028 SM-HT-019 SM-HT-020");
  check(ste_fault_cases());
}

TEST(SpecIllegalSte, Stage2Permissions) {
  RecordProperty("rule", "SM-AT-012 SM-PI-002 SM-PI-004 SM-PI-005");
  check(ste_permission_cases());
}

/// A rule that nobody could miss would be no rule: each has a row that breaks it and nothing else.
TEST(SpecIllegalSte, EveryRuleIsTheOnlyOneBrokenSomewhere) {
  std::set<std::string_view> seen;
  for (const SteCase& row : all_cases()) {
    const auto sentences = broken(ste_of(row), machine_of(row.machine));
    if (sentences.size() == 1) seen.insert(sentences[0]);
  }
  for (const SteRule& rule : ste_rules()) EXPECT_TRUE(seen.contains(rule.sentence)) << rule.sentence;
}

TEST(SpecIllegalSte, SentencesAreDistinctAndNameASection) {
  std::set<std::string_view> seen;
  for (const SteRule& rule : ste_rules()) {
    EXPECT_TRUE(seen.insert(rule.sentence).second) << rule.sentence;
    EXPECT_NE(rule.sentence.find("(5.2"), std::string_view::npos) << rule.sentence;
    EXPECT_TRUE(rule.rule.starts_with("SM-")) << rule.sentence;
  }
}

/// What is wrong about stage 2 is no matter where Config does not enable it, and the same for stage 1.
TEST(SpecIllegalSte, FieldsOfADisabledStageAreIgnored) {
  RecordProperty("rule", "SM-ST-018 SM-ST-026");
  for (const auto* cases :
       {&ste_format_cases(), &ste_geometry_cases(), &ste_base_cases(), &ste_fault_cases(), &ste_permission_cases()}) {
    for (const SteCase& row : *cases) {
      const Features features = machine_of(row.machine);
      for (const std::uint64_t config : {4u, 5u}) {
        const raw::Ste words = ste_of(row).with({{ste::Config, config}});
        EXPECT_EQ(illegal_ste(model_ste(words), features), nullptr) << row.name << ", Config " << config;
      }
    }
  }
}

TEST(SpecIllegalSte, AbortingConfigsAreNeverIllegal) {
  RecordProperty("rule", "SM-ST-020 SM-ST-027 SM-ST-029");
  for (const SteCase& row : all_cases()) {
    for (std::uint64_t config = 0; config < 4; ++config) {
      const raw::Ste words = ste_of(row).with({{ste::Config, config}, {ste::V, 1}});
      EXPECT_EQ(illegal_ste(model_ste(words), machine_of(row.machine)), nullptr) << row.name;
    }
  }
}

TEST(SpecIllegalSte, EveryOtherStartOfStage2IsIllegal) {
  RecordProperty("rule", "SM-TR-007 SM-TR-015");
  // Arm ARM tables D8-20 to D8-24, D8-30 to D8-33, D8-39 to D8-41 for 52 bits with DS and STT: {granule, SL2:SL0,
  // least and most T0SZ}. Values of SL2:SL0 without a line are reserved.
  struct Line {
    unsigned tg, sl, least, most;
  };
  constexpr Line lines[] = {{0, 4, 12, 15}, {0, 2, 12, 24}, {0, 1, 21, 33}, {0, 0, 30, 42},
                            {0, 3, 39, 48}, {2, 3, 12, 16}, {2, 2, 13, 27}, {2, 1, 24, 38},
                            {2, 0, 35, 48}, {1, 2, 12, 21}, {1, 1, 18, 34}, {1, 0, 31, 47}};
  const Features features = machine_of(newest_ds);
  for (unsigned tg = 0; tg < 3; ++tg) {
    for (unsigned sl = 0; sl < (tg == 0 ? 8u : 4u); ++sl) {
      for (unsigned t0sz = 0; t0sz < 64; ++t0sz) {
        bool legal = false;
        for (const Line& line : lines) {
          legal |= line.tg == tg && line.sl == sl && t0sz >= line.least && t0sz <= line.most;
        }
        const raw::Ste words = base_ste(6).with(
            {{ste::S2TG, tg}, {ste::S2SL0, sl & 3}, {ste::S2SL0_2, sl >> 2}, {ste::S2DS, 1}, {ste::S2T0SZ, t0sz}});
        EXPECT_EQ(illegal_ste(model_ste(words), features) == nullptr, legal) << tg << " " << sl << " " << t0sz;
      }
    }
  }
}

TEST(SpecIllegalSte, RandomBitsMeetEveryPredicateSafely) {
  const std::uint64_t seed = 20260;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const Machine machines[] = {nullptr,   newest, newest_d128, newest_overlays,
                              newest_ds, lpae,   lpae_oas36,  stalls_forced};
  unsigned illegal = 0;
  for (unsigned i = 0; i < 40'000; ++i) {
    raw::Ste words;
    for (std::uint64_t& word : words.dw) word = random();
    illegal += illegal_ste(model_ste(words.with({{ste::V, 1}})), machine_of(machines[i % 8])) != nullptr ? 1 : 0;
  }
  EXPECT_GT(illegal, 5'000u);
  EXPECT_LT(illegal, 30'000u) << "half of them abort or bypass";
}

TEST(SpecIllegalSte, OffendersGiveTheEventAndAreNotFollowed) {
  RecordProperty("rule", "SM-EVR-004 SM-ST-009 SM-EVP-001");
  for (const SteCase& row : all_cases()) {
    if (row.breaks.empty()) continue;
    SCOPED_TRACE(row.name);
    SmmuConfig config = bench_config();
    config.features = machine_of(row.machine);
    if (!not_modelled(config.features).empty()) continue;  // there is no such SMMU; the tests above ask the table
    SmmuBench bench(config);
    bench.put_ste(1, ste_of(row));
    const Response response = bench.read(1, 0x1000);
    EXPECT_EQ(response.outcome, Outcome::abort);
    raw::Record expected;
    expected.dw[0] = std::uint64_t{1} << 32 | raw::ev::C_BAD_STE;
    EXPECT_EQ(bench.take_event(), expected);
    EXPECT_EQ(bench.memory.count(Purpose::CD) + bench.memory.count(Purpose::TTD), 0u);
  }
}

}  // namespace
}  // namespace smmusim::illegal

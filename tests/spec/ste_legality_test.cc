// SPDX-License-Identifier: MIT
// Which STEs are ILLEGAL and what is ignored (IHI 0070 section 5.2, 5.2.1, 5.2.2). Our choice for RES0 bits: ignored.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

using raw::Edit;
namespace ste = raw::ste;

struct SteRow {
  const char* what;
  std::initializer_list<Edit> edits;
  bool illegal;
  void (*features)(spec::Features&) = nullptr;
};

void with_s2p(spec::Features& f) {
  f.s2p = true;
  f.xnx = true;
}
void with_hyp(spec::Features& f) {
  with_s2p(f);
  f.hyp = true;
}
void with_substreams(spec::Features& f) {
  f.ssidsize = 8;
}
void with_cd2l(spec::Features& f) {
  f.ssidsize = 8;
  f.cd2l = true;
}
void with_oas40(spec::Features& f) {
  f.oas = 40;
}
void with_stalls(spec::Features& f) {
  f.stall_model = spec::StallModel::stall_and_terminate;
}

/// What a read through a stage-1 STE with these edits answers; the stage-1 mapping itself is sound.
Response answer_of(const SteRow& row, SmmuBench& bench) {
  const raw::Cd cd = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
  bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with(row.edits));
  return bench.read(1, 0x1000);
}

void check(const SteRow& row) {
  SCOPED_TRACE(row.what);
  SmmuConfig config = bench_config();
  if (row.features != nullptr) row.features(config.features);
  SmmuBench bench(config);
  const Response response = answer_of(row, bench);
  if (!row.illegal) {
    EXPECT_NE(event_number(response), raw::ev::C_BAD_STE);
    return;
  }
  EXPECT_EQ(response.outcome, Outcome::abort);
  raw::Record expected;
  expected.dw[0] = std::uint64_t{1} << 32 | raw::ev::C_BAD_STE;
  EXPECT_EQ(bench.take_event(), expected);
  EXPECT_EQ(bench.memory.count(Purpose::CD), 0u) << "nothing in an illegal structure is followed";
}

TEST(SpecSteLegality, ValidAndConfig) {
  RecordProperty("rule", "SM-ST-019 SM-ST-021 SM-EVR-004 SM-ST-009");
  const SteRow rows[] = {{"as set up", {}, false},
                         {"V=0", {{ste::V, 0}}, true},
                         {"V=0, Config=000", {{ste::V, 0}, {ste::Config, 0}}, true},
                         {"V=0, Config=100", {{ste::V, 0}, {ste::Config, 4}}, true},
                         {"Config=110 without S2P", {{ste::Config, 6}}, true},
                         {"Config=111 without S2P", {{ste::Config, 7}}, true},
                         {"Config=100", {{ste::Config, 4}}, false}};
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, Strw) {
  RecordProperty("rule", "SM-ST-023 SM-ST-024");
  const SteRow rows[] = {{"STRW=01 is ignored without HYP", {{ste::STRW, 1}}, false},
                         {"STRW=10 is ignored without HYP", {{ste::STRW, 2}}, false},
                         {"STRW=11 is ignored without HYP", {{ste::STRW, 3}}, false},
                         {"STRW=01 with HYP", {{ste::STRW, 1}}, true, with_hyp},
                         {"STRW=11 with HYP", {{ste::STRW, 3}}, true, with_hyp},
                         {"STRW=10 with HYP", {{ste::STRW, 2}}, false, with_hyp},
                         {"STRW=01 with Config=100", {{ste::STRW, 1}, {ste::Config, 4}}, false, with_hyp}};
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, StallDisable) {
  RecordProperty("rule", "SM-FA-031");
  const SteRow rows[] = {{"S1STALLD=1, STALL_MODEL=01", {{ste::S1STALLD, 1}}, true},
                         {"S1STALLD=1 with stage 1 off", {{ste::S1STALLD, 1}, {ste::Config, 4}}, false},
                         {"S1STALLD=1, STALL_MODEL=00", {{ste::S1STALLD, 1}}, false, with_stalls}};
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, Substreams) {
  RecordProperty("rule", "SM-SS-006 SM-SS-008 SM-SS-010");
  const SteRow rows[] = {
      {"S1CDMax ignored without substreams", {{ste::S1CDMax, 31}}, false},
      {"S1Fmt ignored without substreams", {{ste::S1Fmt, 1}, {ste::S1CDMax, 4}}, false},
      {"S1DSS ignored without substreams", {{ste::S1DSS, 3}}, false},
      {"S1CDMax = SSIDSIZE", {{ste::S1CDMax, 8}}, false, with_substreams},
      {"S1CDMax = SSIDSIZE + 1", {{ste::S1CDMax, 9}}, true, with_substreams},
      {"the same with stage 1 off", {{ste::S1CDMax, 9}, {ste::Config, 4}}, false, with_substreams},
      {"S1Fmt=01 without CD2L", {{ste::S1Fmt, 1}, {ste::S1CDMax, 4}}, true, with_substreams},
      {"S1Fmt=10 without CD2L", {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}}, true, with_substreams},
      {"S1Fmt=10 without CD2L, S1CDMax=0", {{ste::S1Fmt, 2}}, false, with_substreams},
      {"S1Fmt=10 without CD2L, stage 1 off",
       {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}, {ste::Config, 4}},
       false,
       with_substreams},
      {"S1Fmt=01 with CD2L", {{ste::S1Fmt, 1}, {ste::S1CDMax, 4}}, false, with_cd2l},
      {"S1Fmt=11 acts as linear (our choice)", {{ste::S1Fmt, 3}, {ste::S1CDMax, 4}}, false, with_cd2l},
  };
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, ContextPointerBeyondTheOas) {
  RecordProperty("rule", "SM-AS-017");
  const SteRow rows[] = {
      {"last CD below the OAS", {{ste::S1ContextPtr, 0xff'ffff'ffc0 >> 6}}, false, with_oas40},
      {"at the OAS", {{ste::S1ContextPtr, std::uint64_t{1} << 34}}, true, with_oas40},
      {"highest bit", {{ste::S1ContextPtr, std::uint64_t{1} << 49}}, true, with_oas40},
      {"ignored with stage 1 off", {{ste::S1ContextPtr, std::uint64_t{1} << 34}, {ste::Config, 4}}, false, with_oas40}};
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, VmidWidth) {
  RecordProperty("rule", "SM-ST-025");
  const SteRow rows[] = {{"8 bits", {{ste::S2VMID, 0xff}}, false, with_s2p},
                         {"9 bits, VMID16=0", {{ste::S2VMID, 0x100}}, true, with_s2p},
                         {"ignored with Config=100", {{ste::S2VMID, 0x100}, {ste::Config, 4}}, false, with_s2p},
                         {"ignored for EL2", {{ste::S2VMID, 0x100}, {ste::STRW, 2}}, false, with_hyp},
                         {"ignored without S2P", {{ste::S2VMID, 0xffff}}, false}};
  for (const SteRow& row : rows) check(row);
}

TEST(SpecSteLegality, BypassIgnoresTheStages) {
  RecordProperty("rule", "SM-ST-018 SM-ST-026 SM-ST-015");
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    SmmuBench bench;
    raw::Ste garbage;
    for (std::uint64_t& word : garbage.dw) word = random();
    bench.put_ste(1, garbage.with({{ste::V, 1}, {ste::Config, 4}}));
    const Response response = bench.read(1, 0x1234);
    ASSERT_EQ(response.outcome, Outcome::proceed) << i;
    EXPECT_EQ(response.address.value, 0x1234u);
    EXPECT_EQ(bench.memory.count(Purpose::CD) + bench.memory.count(Purpose::TTD), 0u);
  }
}

TEST(SpecSteLegality, StageOneIgnoresStageTwo) {
  RecordProperty("rule", "SM-ST-018 SM-ST-015");
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    SmmuBench bench;
    const raw::Cd cd = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
    raw::Ste sound = SmmuBench::stage1_ste(SmmuBench::cd_address(1));
    for (std::size_t word = 2; word < 8; ++word) sound.dw[word] = random();
    bench.put_ste(1, sound);
    EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target) << i;
  }
}

TEST(SpecSteLegality, AbortConfigsAreNeverIllegal) {
  RecordProperty("rule", "SM-ST-020 SM-ST-027 SM-ST-029");
  std::mt19937_64 random(3);
  for (std::uint64_t config = 0; config < 4; ++config) {
    for (int i = 0; i < 50; ++i) {
      SmmuBench bench;
      raw::Ste garbage;
      for (std::uint64_t& word : garbage.dw) word = i == 0 ? ~std::uint64_t{0} : random();
      bench.put_ste(1, garbage.with({{ste::V, 1}, {ste::Config, config}}));
      Transaction t = SmmuBench::transaction(1, 0x1234);
      t.substream_valid = (i & 1) != 0;
      EXPECT_EQ(bench.go(t).outcome, Outcome::abort);
      EXPECT_TRUE(bench.take_events().empty()) << "no event, Config " << config;
      EXPECT_EQ(bench.memory.count(Purpose::CD), 0u);
    }
  }
}

TEST(SpecSteLegality, Cont) {
  RecordProperty("rule", "SM-ST-022 SM-TL-018");
  SmmuBench bench;  // equal STEs in a span of 8: each StreamID is served, neighbours are no conflict
  for (std::uint32_t sid = 8; sid < 16; ++sid) {
    bench.put_ste(sid, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}, {ste::CONT, 3}}));
  }
  for (std::uint32_t sid = 8; sid < 16; ++sid) EXPECT_EQ(bench.read(sid, 0x40).outcome, Outcome::proceed);
  bench.put_ste(9, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 0}, {ste::CONT, 3}}));
  bench.issue(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, 9}}));
  bench.sync();
  EXPECT_EQ(bench.read(9, 0x40).outcome, Outcome::abort) << "our choice: every StreamID uses its own STE";
  EXPECT_EQ(bench.read(8, 0x40).outcome, Outcome::proceed);
}

TEST(SpecSteLegality, ConfigSwitchNeedsOnlyCfgi) {
  RecordProperty("rule", "SM-ST-030 SM-TL-027");
  SmmuBench bench;
  const raw::Cd cd = bench.stage1_stream(1);
  bench.map(SmmuBench::ttb0(cd), 0x1000, raw::page(SmmuBench::target));
  const raw::Ste translating = SmmuBench::stage1_ste(SmmuBench::cd_address(1));
  for (int round = 0; round < 3; ++round) {
    bench.put_ste(1, translating.with({{ste::Config, 4}}));
    bench.push(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, 1}}));
    bench.sync();
    EXPECT_EQ(bench.read(1, 0x1000).address.value, 0x1000u);
    bench.put_ste(1, translating);
    bench.push(raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, 1}}));
    bench.sync();
    EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target);
  }
}

}  // namespace
}  // namespace smmusim

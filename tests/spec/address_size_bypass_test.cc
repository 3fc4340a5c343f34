// SPDX-License-Identifier: MIT
// Input addresses where a stage, or all of them, is bypassed, at every OAS (IHI 0070 section 3.4).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using namespace raw::ev;
constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52};

constexpr std::uint64_t two_to(unsigned bits) {
  return std::uint64_t{1} << bits;
}

Stage2Bench::Options options_of(unsigned oas, unsigned ipa_bits) {
  Stage2Bench::Options options;
  options.config = wide_config(oas);
  options.stage2 = stage2_shape(ipa_bits);
  return options;
}

/// The record of a stage-1 Address Size fault of a bypassed stage 1; the IPA is UNKNOWN in it.
void expect_input_size_fault(SmmuBench& bench, std::uint64_t address) {
  const auto records = bench.take_events();
  ASSERT_EQ(records.size(), 1u);
  raw::Record record = records[0];
  record.put(IPA, 0);
  EXPECT_EQ(
      record,
      raw::Record{}.with(
          {{Type, F_ADDR_SIZE}, {StreamID, Stage2Bench::sid}, {RnW, 1}, {S2, 0}, {CLASS, 2}, {InputAddr, address}}));
}

TEST(SpecAddressSizeBypass, SmmuDisabled) {
  RecordProperty("rule", "SM-AS-002");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    SmmuBench bench(wide_config(oas));
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    const Response last = bench.read(1, two_to(oas) - 1);
    EXPECT_EQ(last.outcome, Outcome::proceed);
    EXPECT_EQ(last.address.value, two_to(oas) - 1);
    for (const std::uint64_t address : {two_to(oas), two_to(63), two_to(55), ~std::uint64_t{0}}) {
      const Response response = bench.read(1, address);
      EXPECT_EQ(response.outcome, Outcome::abort);
      EXPECT_EQ(event_number(response), 0u);
    }
    EXPECT_TRUE(bench.take_events().empty());
  }
}

TEST(SpecAddressSizeBypass, StreamBypass) {
  RecordProperty("rule", "SM-AS-003 SM-AS-015 SM-AS-007 SM-EVR-015");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    Stage2Bench b(options_of(oas, 32));
    b.edit_ste({{ste::Config, 4}});
    const Response last = b.read(two_to(oas) - 1);
    EXPECT_EQ(last.outcome, Outcome::proceed);
    EXPECT_EQ(last.address.value, two_to(oas) - 1);
    for (const std::uint64_t address : {two_to(oas), std::uint64_t{0x5a00'0000'0000'1000}}) {
      EXPECT_EQ(b.read(address).outcome, Outcome::abort);
      expect_input_size_fault(b.bench, address);
    }
  }
}

/// Ways to bypass stage 1 while stage 2 translates.
struct WayRow {
  const char* what;
  std::uint64_t config, cd_max, dss;
};
constexpr WayRow ways[] = {{"Config=110", 6, 0, 0}, {"Config=111, S1DSS=01", 7, 4, 1}};

TEST(SpecAddressSizeBypass, StageOneBypassedIntoStageTwo) {
  RecordProperty("rule", "SM-AS-001 SM-AS-009 SM-AS-010 SM-SS-002");
  for (const unsigned oas : sizes) {
    for (const WayRow& way : ways) {
      SCOPED_TRACE(testing::Message() << "OAS " << oas << ", " << way.what);
      Stage2Bench b(options_of(oas, oas - 1));
      b.edit_ste({{ste::Config, way.config}, {ste::S1CDMax, way.cd_max}, {ste::S1DSS, way.dss}});
      b.s2.map(two_to(oas - 1) - 0x1000, SmmuBench::target, s2_rw);
      EXPECT_EQ(b.read(two_to(oas - 1) - 1).address.value, SmmuBench::target + 0xfff) << "last IPA of S2T0SZ";
      for (const std::uint64_t address : {two_to(oas - 1), two_to(oas) - 1}) {
        const Response response = b.read(address);
        EXPECT_EQ(response.outcome, Outcome::abort);
        const raw::Record record = b.bench.take_event();
        EXPECT_EQ(record, raw::Record{}.with({{Type, F_TRANSLATION},
                                              {StreamID, Stage2Bench::sid},
                                              {RnW, 1},
                                              {S2, 1},
                                              {CLASS, 2},
                                              {InputAddr, address},
                                              {IPA, address >> 12}}))
            << "within the IAS, beyond S2T0SZ";
      }
      for (const std::uint64_t address : {two_to(oas), two_to(56), std::uint64_t{0x5a00'0000'0000'1000}}) {
        EXPECT_EQ(b.read(address).outcome, Outcome::abort) << "beyond the IAS";
        expect_input_size_fault(b.bench, address);
      }
    }
  }
}

TEST(SpecAddressSizeBypass, ASizeFaultOfABypassedStageNeverStalls) {
  RecordProperty("rule", "SM-FA-003 SM-AS-009");
  Stage2Bench::Options options = options_of(40, 39);
  options.config.features.stall_model = spec::StallModel::stall_and_terminate;
  options.config.features.stall_max = 16;
  Stage2Bench b(options);
  b.edit_ste({{ste::Config, 6}, {raw::s2::S2S, 1}});
  const Response response = b.read(two_to(40));
  EXPECT_EQ(response.outcome, Outcome::abort);
  expect_input_size_fault(b.bench, two_to(40));
}

TEST(SpecAddressSizeBypass, S2rDoesNotHideAStageOneFault) {
  RecordProperty("rule", "SM-AS-009 SM-FA-003");
  Stage2Bench b(options_of(40, 39));
  b.edit_ste({{ste::Config, 6}, {raw::s2::S2R, 0}});
  EXPECT_EQ(b.read(two_to(40)).outcome, Outcome::abort);
  expect_input_size_fault(b.bench, two_to(40));
  EXPECT_EQ(b.read(two_to(39)).outcome, Outcome::abort);
  EXPECT_TRUE(b.bench.take_events().empty()) << "S2R=0 hides the stage-2 fault";
}

TEST(SpecAddressSizeBypass, StageTwoOnlySmmuHasStageOneFaultsToo) {
  RecordProperty("rule", "SM-AS-009");
  for (const unsigned oas : {32u, 44u, 48u}) {
    Stage2Bench::Options options = options_of(oas, 32);
    options.config = stage2_config();
    spec::Features& f = options.config.features;
    f.oas = oas;
    f.s1p = f.hyp = f.had = f.cd2l = false;
    f.ssidsize = 0;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}});
    EXPECT_EQ(b.read(two_to(oas)).outcome, Outcome::abort);
    expect_input_size_fault(b.bench, two_to(oas));
  }
}

TEST(SpecAddressSizeBypass, SubstreamBypassOfAStageOneStream) {
  RecordProperty("rule", "SM-AS-009 SM-SS-002 SM-SS-011");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    Stage2Bench b(options_of(oas, 32));
    b.edit_ste({{ste::Config, 5}, {ste::S1CDMax, 4}, {ste::S1DSS, 1}});
    const Response last = b.read(two_to(oas) - 1);
    EXPECT_EQ(last.outcome, Outcome::proceed);
    EXPECT_EQ(last.address.value, two_to(oas) - 1);
    EXPECT_EQ(b.read(two_to(oas)).outcome, Outcome::abort);
    expect_input_size_fault(b.bench, two_to(oas));
    EXPECT_EQ(b.bench.memory.count(Purpose::CD), 0u);
  }
}

TEST(SpecAddressSizeBypass, StageTwoInputIsCapped) {
  RecordProperty("rule", "SM-AS-011 SM-AS-010");
  // At 52 bits of IAS a 4 KiB stage 2 without S2DS takes 48 bits, with S2DS or 64 KiB 52.
  struct Row {
    const char* what;
    unsigned granule, bits;
    bool ds;
    std::uint64_t ipa;
    bool maps;
  };
  const Row rows[] = {{"4K, last of 48", 12, 48, false, two_to(48) - 0x1000, true},
                      {"4K, beyond 48", 12, 48, false, two_to(48), false},
                      {"4K DS, last of 52", 12, 52, true, two_to(52) - 0x1000, true},
                      {"16K, beyond 48", 14, 48, false, two_to(48), false},
                      {"16K DS, last of 52", 14, 52, true, two_to(52) - 0x4000, true},
                      {"64K, last of 52", 16, 52, false, two_to(52) - 0x1'0000, true},
                      {"64K, 50 bits, beyond", 16, 50, false, two_to(50), false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Stage2Bench::Options options = options_of(52, 32);
    options.stage2.granule = row.granule;
    options.stage2.input_bits = row.bits;
    options.stage2.ds = row.ds;
    options.stage2.start_level = TableShape::first_level(row.granule, row.bits);
    if (row.granule == 14 && row.bits == 48) options.stage2.start_level = 1;  // two concatenated tables
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}});
    if (row.maps) b.s2.map(row.ipa, SmmuBench::target, s2_rw);
    const Response response = b.read(row.ipa);
    EXPECT_EQ(response.outcome, row.maps ? Outcome::proceed : Outcome::abort);
    if (row.maps) {
      EXPECT_EQ(response.address.value, SmmuBench::target);
    } else {
      const raw::Record record = b.bench.take_event();
      EXPECT_EQ(record.get(Type), F_TRANSLATION);
      EXPECT_EQ(record.get(S2), 1u);
    }
  }
}

}  // namespace
}  // namespace smmusim

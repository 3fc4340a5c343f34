// SPDX-License-Identifier: MIT
// Output addresses of both stages and table bases against IPS, S2PS and OAS (IHI 0070 sections 3.4, 5.2, 5.4).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52};

constexpr std::uint64_t two_to(unsigned bits) {
  return std::uint64_t{1} << bits;
}
/// Bits that a code of IPS or S2PS stands for in SMMUv3.1 to v3.3: 7 is as 6.
unsigned bits_of(std::uint64_t code) {
  return sizes[std::min<std::uint64_t>(code, 6)];
}

/// Stage 1 alone: the tables' addresses are PAs.
Stage2Bench::Options stage1_options(unsigned oas, unsigned granule = 12) {
  Stage2Bench::Options options;
  options.config = wide_config(oas);
  options.stage1 = stage1_shape(granule == 16 ? 48 : 52, granule);
  options.stage2 = stage2_shape(32);
  options.place = [](std::uint64_t address) { return address; };
  return options;
}

TEST(SpecAddressSizeOutput, StageOneLeaves) {
  RecordProperty("rule", "SM-AS-008 SM-AS-029 SM-EVR-015");
  for (const unsigned oas : sizes) {
    for (std::uint64_t ips = 0; ips < 8; ++ips) {
      SCOPED_TRACE(testing::Message() << "OAS " << oas << " IPS " << ips);
      const unsigned effective = std::min(bits_of(ips), oas);
      Stage2Bench b(stage1_options(oas));
      b.edit_ste({{ste::Config, 5}});
      b.edit_cd({{cd::IPS, ips}});
      b.s1.map(0x1000, two_to(effective) - 0x1000, raw::af | raw::ap_unprivileged);
      EXPECT_EQ(b.read(0x1fff).address.value, two_to(effective) - 1);
      if (effective == 52) continue;  // no descriptor can name more
      b.s1.map(0x2000, two_to(effective), raw::af | raw::ap_unprivileged);
      const Response response = b.read(0x2000);
      EXPECT_EQ(response.outcome, Outcome::abort);
      raw::Record record = b.bench.take_event();
      record.put(IPA, 0);
      EXPECT_EQ(
          record,
          raw::Record{}.with(
              {{Type, F_ADDR_SIZE}, {StreamID, Stage2Bench::sid}, {RnW, 1}, {S2, 0}, {CLASS, 2}, {InputAddr, 0x2000}}));
    }
  }
}

TEST(SpecAddressSizeOutput, StageOneTables) {
  RecordProperty("rule", "SM-AS-024 SM-AS-029 SM-EVR-015");
  for (const unsigned oas : sizes) {
    if (oas == 52) continue;
    SCOPED_TRACE(oas);
    for (int level = -1; level < 3; ++level) {
      Stage2Bench b(stage1_options(oas));
      b.edit_ste({{ste::Config, 5}});
      b.s1.set(0x1000, level, b.s1.address_bits(two_to(oas)) | 3);
      EXPECT_EQ(event_number(b.read(0x1000)), F_ADDR_SIZE) << "level " << level;
      b.s1.set(0x1000, level, b.s1.address_bits(two_to(oas) - 0x1000) | 3);
      EXPECT_EQ(event_number(b.read(0x1000)), F_TRANSLATION) << "the last table, empty; level " << level;
      EXPECT_EQ(b.bench.memory.last(Purpose::TTD).address >> 12, (two_to(oas) - 0x1000) >> 12);
    }
  }
}

TEST(SpecAddressSizeOutput, StageTwoLeaves) {
  RecordProperty("rule", "SM-AS-012 SM-AS-026 SM-EVR-015");
  for (const unsigned oas : sizes) {
    for (std::uint64_t ps = 0; ps < 8; ++ps) {
      SCOPED_TRACE(testing::Message() << "OAS " << oas << " S2PS " << ps);
      const unsigned effective = std::min(bits_of(ps), oas);
      Stage2Bench::Options options;
      options.config = wide_config(oas);
      options.stage2 = stage2_shape(32);
      options.stage2.ds = true;
      Stage2Bench b(options);
      b.edit_ste({{ste::Config, 6}, {raw::s2::S2PS, ps}});
      b.s2.map(0x1000, two_to(effective) - 0x1000, s2_rw);
      EXPECT_EQ(b.read(0x1fff).address.value, two_to(effective) - 1);
      if (effective == 52) continue;
      b.s2.map(0x2000, two_to(effective), s2_rw);
      EXPECT_EQ(b.read(0x2000).outcome, Outcome::abort);
      EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{Type, F_ADDR_SIZE},
                                                          {StreamID, Stage2Bench::sid},
                                                          {RnW, 1},
                                                          {S2, 1},
                                                          {CLASS, 2},
                                                          {InputAddr, 0x2000},
                                                          {IPA, 2}}));
    }
  }
}

TEST(SpecAddressSizeOutput, StageTwoTables) {
  RecordProperty("rule", "SM-AS-024 SM-AS-026");
  for (const unsigned oas : sizes) {
    if (oas == 52) continue;
    for (int level = 1; level < 3; ++level) {
      SCOPED_TRACE(testing::Message() << "OAS " << oas << " level " << level);
      Stage2Bench::Options options;
      options.config = wide_config(oas);
      options.stage2 = stage2_shape(32);
      options.stage2.ds = true;
      Stage2Bench b(options);
      b.edit_ste({{ste::Config, 6}, {raw::s2::S2PS, 7}});
      b.s2.set(0x1000, level, b.s2.address_bits(two_to(oas)) | 3);
      EXPECT_EQ(event_number(b.read(0x1000)), F_ADDR_SIZE);
      EXPECT_EQ(b.bench.take_event().get(S2), 1u);
    }
  }
}

TEST(SpecAddressSizeOutput, WithoutLargeDescriptorsTheUpperBitsAreZero) {
  RecordProperty("rule", "SM-AS-027 SM-AS-012");
  // 4 KiB and 16 KiB without DS: bits 9:8 are shareability and 49:48 are RES0, whatever S2PS and IPS are.
  for (const unsigned granule : {12u, 14u}) {
    Stage2Bench::Options options;
    options.config = wide_config(52);
    options.stage2.granule = granule;
    options.stage2.input_bits = 40;
    options.stage2.start_level = granule == 12 ? 1 : 2;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}, {raw::s2::S2PS, 6}});
    b.s2.map(0x4000, 0xffff'8000'0000, s2_rw | 3u << 8);
    const Response response = b.read(0x4000);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.address.value, 0xffff'8000'0000u);
  }
}

TEST(SpecAddressSizeOutput, FiftyTwoBitOutputsOf64K) {
  RecordProperty("rule", "SM-AS-027 SM-AS-012 SM-AS-029");
  Stage2Bench::Options options;
  options.config = wide_config(52);
  options.stage1 = stage1_shape(48, 16);
  options.stage2.granule = 16;
  options.stage2.input_bits = 52;
  options.stage2.start_level = 1;
  Stage2Bench b(options);
  const std::uint64_t ipa = 0xa'1234'5678'0000, pa = 0xf'edcb'a987'0000;
  b.s1.map(0x1'0000, ipa, raw::af | raw::ap_unprivileged);
  b.s2.map(ipa, pa, s2_rw);
  EXPECT_EQ(b.read(0x1'abcd).address.value, pa | 0xabcd);
  b.edit_cd({{cd::IPS, size_code(48)}});
  b.command({raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}}), raw::command(raw::cmd::TLBI_NSNH_ALL)});
  EXPECT_EQ(event_number(b.read(0x1'abcd)), F_ADDR_SIZE) << "bits 15:12 of the descriptor count for the check";
  b.edit_cd({{cd::IPS, size_code(52)}});
  b.edit_ste({{raw::s2::S2PS, size_code(48)}});
  b.command({raw::command(raw::cmd::CFGI_STE_RANGE, {{raw::cmd::Range, 31}}), raw::command(raw::cmd::TLBI_NSNH_ALL)});
  EXPECT_EQ(event_number(b.read(0x1'abcd)), F_ADDR_SIZE);
}

struct BaseRow {
  const char* what;
  unsigned oas;
  std::uint64_t ps;
  unsigned granule;
  bool ds;
  std::uint64_t base;
  bool illegal;
};

std::vector<BaseRow> base_rows() {
  std::vector<BaseRow> rows = {{"4K without DS stays below 48 bits", 52, 6, 12, false, two_to(48), true},
                               {"16K without DS stays below 48 bits", 52, 6, 14, false, two_to(48), true},
                               {"4K with DS", 52, 6, 12, true, two_to(51), false},
                               {"16K with DS", 52, 6, 14, true, two_to(51), false},
                               {"64K", 52, 6, 16, false, two_to(51), false},
                               {"64K, 48 bits", 52, 5, 16, false, two_to(48), true}};
  for (const unsigned oas : sizes) {
    for (std::uint64_t ps = 0; ps < 8; ++ps) {
      const unsigned effective = std::min(bits_of(ps), oas);
      rows.push_back({"last table", oas, ps, 12, true, two_to(effective) - 0x1000, false});
      if (effective < 52) rows.push_back({"first beyond", oas, ps, 12, true, two_to(effective), true});
      if (effective < 48) rows.push_back({"far beyond", oas, ps, 12, false, two_to(47), true});
    }
  }
  return rows;
}

TEST(SpecAddressSizeOutput, BaseOfStageTwo) {
  RecordProperty("rule", "SM-AS-014 SM-AS-028 SM-AS-024");
  for (const BaseRow& row : base_rows()) {
    SCOPED_TRACE(testing::Message() << row.what << " OAS " << row.oas << " S2PS " << row.ps << " base " << row.base);
    Stage2Bench::Options options;
    options.config = wide_config(row.oas);
    options.stage2.granule = row.granule;
    options.stage2.ds = row.ds;
    options.stage2.input_bits = 32;
    options.stage2.start_level = row.granule == 12 ? 1 : 2;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}, {raw::s2::S2PS, row.ps}, {raw::s2::S2TTB, row.base >> 4}});
    const Response response = b.read(0x1000);
    EXPECT_EQ(response.outcome, Outcome::abort);
    EXPECT_EQ(event_number(response), row.illegal ? C_BAD_STE : F_TRANSLATION);
    EXPECT_EQ(b.bench.memory.count(Purpose::TTD), row.illegal ? 0u : 1u);
  }
}

TEST(SpecAddressSizeOutput, BaseOfStageOne) {
  RecordProperty("rule", "SM-AS-014 SM-AS-031 SM-AS-024");
  for (const BaseRow& row : base_rows()) {
    SCOPED_TRACE(testing::Message() << row.what << " OAS " << row.oas << " IPS " << row.ps << " base " << row.base);
    Stage2Bench::Options options = stage1_options(row.oas, row.granule);
    options.stage1.input_bits = 36;  // one table of one granule at most
    options.stage1.start_level = TableShape::first_level(row.granule, 36);
    options.stage1.ds = row.ds;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 5}});
    b.edit_cd({{cd::IPS, row.ps}, {cd::TTB0, row.base >> 4}});
    EXPECT_EQ(event_number(b.read(0x1000)), row.illegal ? C_BAD_CD : F_TRANSLATION);
    if (!row.illegal) continue;
    b.edit_cd({{cd::EPD0, 1}});
    b.reload();
    EXPECT_EQ(event_number(b.read(0x1000)), F_TRANSLATION) << "EPD0=1: the base is not looked at";
  }
}

TEST(SpecAddressSizeOutput, LowBitsOfTheBases) {
  RecordProperty("rule", "SM-AS-028 SM-AS-031 SM-TR-015");
  // 2^6 doublewords at the start level need 512 bytes of alignment; 2^1 would need 16, but 64 at 52 bits of output.
  for (const unsigned bits : {36u, 31u}) {
    Stage2Bench::Options options = stage1_options(52);
    options.stage1 = stage1_shape(bits);
    options.stage2 = stage2_shape(32);
    options.stage2.ds = true;
    options.place = {};
    Stage2Bench b(options);
    b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
    b.s2.map(0x8000, SmmuBench::target, s2_rw);
    b.edit_cd({{cd::TTB0, (b.s1.root() >> 4) | 3}});
    b.edit_ste({{raw::s2::S2TTB, (b.s2.root() >> 4) | 1}});  // 4 entries: 32 bytes, and 64 at 52 bits
    EXPECT_EQ(b.read(0x1000).address.value, SmmuBench::target) << bits;
  }
}

TEST(SpecAddressSizeOutput, ConcatenatedBaseIsAlignedToTheSet) {
  RecordProperty("rule", "SM-TR-015 SM-AS-028");
  Stage2Bench::Options options;
  options.stage2 = stage2_shape(42);  // start level 1, 8 tables: 32 KiB
  Stage2Bench b(options);
  b.edit_ste({{ste::Config, 6}, {raw::s2::S2TTB, (b.s2.root() + 0x7ff0) >> 4}});
  b.s2.map(0x3a0'0000'1000, SmmuBench::target, s2_rw);
  EXPECT_EQ(b.read(0x3a0'0000'1000).address.value, SmmuBench::target);
}

TEST(SpecAddressSizeOutput, NestedOutputsMeetTheRightStage) {
  RecordProperty("rule", "SM-AS-008 SM-AS-011 SM-AS-024 SM-EVR-014");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    Stage2Bench::Options options = stage1_options(oas);
    options.stage2 = stage2_shape(oas == 32 ? 32 : oas - 1);
    options.place = {};
    Stage2Bench b(options);
    if (oas != 52) {
      b.s1.map(0x1000, two_to(oas), raw::af | raw::ap_unprivileged);
      EXPECT_EQ(event_number(b.read(0x1000)), F_ADDR_SIZE) << "beyond IPS: stage 1";
      EXPECT_EQ(b.bench.take_event().get(S2), 0u);
    }
    if (oas == 32) continue;  // no IPA between S2T0SZ and IPS
    const std::uint64_t ipa = two_to(oas - 1);
    b.s1.map(0x2000, ipa, raw::af | raw::ap_unprivileged);
    EXPECT_EQ(event_number(b.read(0x2000)), F_TRANSLATION) << "within IPS, beyond S2T0SZ: stage 2";
    raw::Record record = b.bench.take_event();
    EXPECT_EQ(record.get(S2), 1u);
    EXPECT_EQ(record.get(CLASS), 2u);
    EXPECT_EQ(record.get(IPA), ipa >> 12);
    b.s1.set(0x4000'0000, 1, b.s1.address_bits(ipa) | 3);
    EXPECT_EQ(event_number(b.read(0x4060'0000)), F_TRANSLATION) << "of a stage-1 table";
    record = b.bench.take_event();
    EXPECT_EQ(record.get(S2), 1u);
    EXPECT_EQ(record.get(CLASS), 1u);
    EXPECT_EQ(record.get(IPA), (ipa + 3 * 8) >> 12);
  }
}

struct VaRow {
  const char* what;
  unsigned granule, vax, bits;
};

TEST(SpecAddressSizeOutput, WideInputsOfStageOne) {
  RecordProperty("rule", "SM-AS-005 SM-AS-004 SM-TR-013 SM-AS-006");
  for (const VaRow& row : {VaRow{"4K DS", 12, 52, 52}, VaRow{"16K DS", 14, 52, 52}, VaRow{"64K", 16, 52, 52},
                           VaRow{"64K, 49 bits", 16, 52, 49}, VaRow{"4K DS, 50 bits", 12, 52, 50}}) {
    SCOPED_TRACE(row.what);
    Stage2Bench::Options options = stage1_options(52);
    options.stage1 = stage1_shape(row.bits, row.granule);
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 5}});
    const std::uint64_t page = two_to(row.granule), va = two_to(row.bits) - page;
    b.s1.map(va, SmmuBench::target, raw::af | raw::ap_unprivileged);
    EXPECT_EQ(b.read(va + 0x123).address.value, SmmuBench::target + 0x123);
    for (const std::uint64_t beyond : {two_to(row.bits), two_to(54), ~std::uint64_t{0} << row.bits}) {
      EXPECT_EQ(event_number(b.read(beyond)), F_TRANSLATION);
    }
    EXPECT_EQ(b.bench.take_events().size(), 3u);
  }
}

TEST(SpecAddressSizeOutput, NarrowInputsWithoutVax) {
  RecordProperty("rule", "SM-AS-005");
  for (const bool vax : {false, true}) {
    Stage2Bench::Options options = stage1_options(48, 16);
    options.stage1 = stage1_shape(52, 16);
    options.config = stage2_config();
    options.config.features.vax = vax ? 52 : 48;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 5}});
    b.s1.map(0x1'0000, SmmuBench::target, raw::af | raw::ap_unprivileged);
    EXPECT_EQ(event_number(b.read(0x1'0000)), vax ? 0u : C_BAD_CD) << "T0SZ=12";
  }
}

}  // namespace
}  // namespace smmusim

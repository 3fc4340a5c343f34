// SPDX-License-Identifier: MIT
// Addresses of the SMMU's own accesses that are too large (IHI 0070 section 3.4.3). Where the section leaves a choice
// every permitted outcome is accepted, and nothing else.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using namespace raw::ev;
constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48};

constexpr std::uint64_t two_to(unsigned bits) {
  return std::uint64_t{1} << bits;
}

/// A nested stream, or of stage 1 alone with tables at PAs.
Stage2Bench::Options options_of(unsigned oas, bool nested) {
  Stage2Bench::Options options;
  options.config = wide_config(oas);
  options.stage1 = stage1_shape(oas == 32 ? 36 : 48);
  options.stage2 = stage2_shape(oas);
  if (!nested) options.place = [](std::uint64_t address) { return address; };
  return options;
}

TEST(SpecAddressSizeOwn, ContextPointerOfStageOne) {
  RecordProperty("rule", "SM-AS-017");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    for (const std::uint64_t format : {0u, 1u, 2u}) {
      Stage2Bench b(options_of(oas, false));
      b.edit_ste({{ste::Config, 5}, {ste::S1CDMax, 12}, {ste::S1Fmt, format}, {ste::S1DSS, 2}});
      b.edit_ste({{ste::S1ContextPtr, (two_to(oas) | 0x4000'0000) >> 6}});
      EXPECT_EQ(event_number(b.read(0x1000)), C_BAD_STE);
      EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{Type, C_BAD_STE}, {StreamID, Stage2Bench::sid}}));
      EXPECT_EQ(b.bench.memory.count(Purpose::CD) + b.bench.memory.count(Purpose::L1CD), 0u);
    }
    Stage2Bench b(options_of(oas, false));
    b.edit_ste({{ste::Config, 5}, {ste::S1ContextPtr, (two_to(oas) - 64) >> 6}});
    EXPECT_EQ(event_number(b.read(0x1000)), C_BAD_CD) << "the last 64 bytes are in range";
  }
}

TEST(SpecAddressSizeOwn, ContextPointerOfNestedStreams) {
  RecordProperty("rule", "SM-AS-018 SM-AS-025");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    Stage2Bench b(options_of(oas, true));
    const std::uint64_t ipa = two_to(oas) | 0x4000'0000;
    b.edit_ste({{ste::S1ContextPtr, ipa >> 6}});
    EXPECT_EQ(b.read(0x1000).outcome, Outcome::abort);
    const raw::Record record = b.bench.take_event();
    if (record.get(Type) == C_BAD_STE) continue;
    EXPECT_EQ(record.get(Type), F_TRANSLATION);
    EXPECT_EQ(record.get(S2), 1u);
    EXPECT_EQ(record.get(CLASS), 0u);
    EXPECT_EQ(record.get(InputAddr), 0x1000u);
    // "IPA bits [55:OAS] are RES0" (7.3.13) against "a non-truncated fault address" (3.4.3): both are accepted.
    EXPECT_EQ(record.get(IPA) & (two_to(oas - 12) - 1), 0x4000'0000u >> 12);
  }
}

TEST(SpecAddressSizeOwn, SecondLevelPointers) {
  RecordProperty("rule", "SM-AS-019 SM-AS-020 SM-EVR-009");
  for (const unsigned oas : sizes) {
    for (const bool nested : {false, true}) {
      SCOPED_TRACE(testing::Message() << "OAS " << oas << (nested ? " nested" : ""));
      Stage2Bench b(options_of(oas, nested));
      b.edit_ste({{ste::Config, nested ? 7u : 5u}, {ste::S1CDMax, 12}, {ste::S1Fmt, 1}, {ste::S1DSS, 2}});
      b.bench.memory.write64(b.place(Stage2Bench::cd_ipa), two_to(oas) | 0x4000'0000 | 1);
      EXPECT_EQ(b.read(0x1000).outcome, Outcome::abort);
      const raw::Record record = b.bench.take_event();
      if (nested && record.get(Type) == F_TRANSLATION) {
        EXPECT_EQ(record.get(S2), 1u);
        EXPECT_EQ(record.get(CLASS), 0u);
        continue;
      }
      EXPECT_EQ(record, raw::Record{}.with({{Type, C_BAD_SUBSTREAMID}, {StreamID, Stage2Bench::sid}}))
          << "SubstreamID 0 of an untagged transaction";
      EXPECT_EQ(b.bench.memory.count(Purpose::CD), 0u);
    }
  }
}

TEST(SpecAddressSizeOwn, CdAddressesSkipTheStageOneCheck) {
  RecordProperty("rule", "SM-AS-025");
  // IPS = 32 bits, the CD at an IPA above: no stage-1 Address Size fault for it.
  Stage2Bench b(options_of(40, true));
  const std::uint64_t ipa = 0x12'3456'7000;
  b.s2.map(ipa, Stage2Bench::cd_pa, s2_rw);
  b.edit_cd({{raw::cd::IPS, 0}});
  b.edit_ste({{ste::S1ContextPtr, ipa >> 6}});
  b.s1.map(0x1000, 0x8000'0000, raw::af | raw::ap_unprivileged);
  b.s2.map(0x8000'0000, SmmuBench::target, s2_rw);
  EXPECT_EQ(b.read(0x1000).address.value, SmmuBench::target);
}

TEST(SpecAddressSizeOwn, FaultsNameTheCalculatedAddress) {
  RecordProperty("rule", "SM-AS-025 SM-SS-004 SM-EVR-027");
  Stage2Bench b(options_of(44, true));
  // A linear CD table of 4096 entries, of which no page is mapped.
  const std::uint64_t table = 0x900'0000'0000;
  b.edit_ste({{ste::S1CDMax, 12}, {ste::S1ContextPtr, table >> 6}});
  Transaction t = SmmuBench::transaction(Stage2Bench::sid, 0x7000);
  t.substream_valid = true;
  t.substream_id = SubstreamId(0x145);
  EXPECT_EQ(b.bench.go(t).outcome, Outcome::abort);
  EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{Type, F_TRANSLATION},
                                                      {SSV, 1},
                                                      {SubstreamID, 0x145},
                                                      {StreamID, Stage2Bench::sid},
                                                      {RnW, 1},
                                                      {S2, 1},
                                                      {CLASS, 0},
                                                      {InputAddr, 0x7000},
                                                      {IPA, (table + 0x145 * 64) >> 12}}))
      << "the CD's own page, five pages into the table";
}

TEST(SpecAddressSizeOwn, StreamTable) {
  RecordProperty("rule", "SM-AS-021 SM-EVR-003");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    SmmuBench bench(wide_config(oas));
    bench.put_ste(1, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}));
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.w64(off::STRTAB_BASE, two_to(oas) | SmmuBench::strtab);
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
    const Response response = bench.read(1, 0x1000);
    if (response.outcome == Outcome::proceed) {
      EXPECT_EQ(bench.memory.last(Purpose::STE).address, SmmuBench::strtab + 64) << "truncated";
      continue;
    }
    const raw::Record record = bench.take_event();
    EXPECT_EQ(record.get(Type), F_STE_FETCH);
    EXPECT_EQ(record.get(FetchAddr), (SmmuBench::strtab + 64) >> 3) << "bits above the OAS are zero";
  }
}

TEST(SpecAddressSizeOwn, TwoLevelStreamTable) {
  RecordProperty("rule", "SM-AS-021 SM-EVR-003");
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    SmmuBench bench(wide_config(oas));
    constexpr std::uint64_t leaf = 0x6000'0000;
    bench.memory.write64(SmmuBench::strtab, two_to(oas) | leaf | 7);  // Span 7: 64 STEs
    bench.memory.store(leaf + 64, raw::Ste{}.with({{ste::V, 1}, {ste::Config, 4}, {ste::SHCFG, 1}}));
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.w32(off::STRTAB_BASE_CFG, 1u << 16 | 6u << 6 | 8);
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
    const Response response = bench.read(1, 0x1000);
    if (response.outcome == Outcome::proceed) {
      EXPECT_EQ(bench.memory.last(Purpose::STE).address, leaf + 64) << "truncated";
      continue;
    }
    EXPECT_EQ(bench.take_event().get(Type), F_STE_FETCH);
  }
}

TEST(SpecAddressSizeOwn, QueuesAndMsisAreTruncated) {
  RecordProperty("rule", "SM-AS-023");
  constexpr std::uint64_t msi = 0x7000'0000;
  for (const unsigned oas : sizes) {
    SCOPED_TRACE(oas);
    SmmuBench bench(wide_config(oas));
    bench.enable(0);
    bench.w64(off::CMDQ_BASE, two_to(oas) | SmmuBench::cmdq | SmmuBench::cmdq_log2);
    bench.w64(off::EVENTQ_BASE, two_to(oas) | SmmuBench::eventq | SmmuBench::eventq_log2);
    bench.w64(off::EVENTQ_IRQ_CFG0, two_to(oas) | msi);
    bench.w32(off::EVENTQ_IRQ_CFG1, 0x1234);
    bench.w32(off::IRQ_CTRL, irq::EVENTQ);
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN | cr0::SMMUEN);
    bench.push(raw::command(
        raw::cmd::SYNC,
        {{raw::cmd::CS, 1}, {raw::cmd::MSIData, 0x77}, {raw::cmd::MSIAddress, (two_to(oas) | msi | 8) >> 2}}));
    bench.kick();
    EXPECT_TRUE(bench.all_consumed());
    EXPECT_EQ(bench.memory.read64(msi + 8) & 0xffff'ffff, 0x77u) << "MSI of CMD_SYNC";
    bench.read(1, 0x1000);  // no STE
    EXPECT_EQ(bench.take_event().get(Type), C_BAD_STE);
    EXPECT_EQ(bench.memory.read64(msi) & 0xffff'ffff, 0x1234u) << "MSI of the Event queue";
    EXPECT_EQ(bench.active_errors(), 0u);
  }
}

}  // namespace
}  // namespace smmusim

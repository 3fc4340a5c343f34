// SPDX-License-Identifier: MIT
// ATS Translation Requests that end without a translation: UR, CA, or Success without access, and which of them leave a
// record (IHI 0070 sections 3.9.1.2, 5.2, 7.3.6 and 15.2).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
using raw::ats::F_BAD_ATS_TREQ;
constexpr std::uint64_t va = AtsBench::va, ipa = AtsBench::ipa, pa = AtsBench::pa;

TEST(SpecAtsRequest, Refusals) {
  RecordProperty("rule", "SM-PC-013 SM-PC-014 SM-PC-015 SM-EVR-006");
  struct Row {
    const char* what;
    std::uint64_t config, eats;
    std::uint32_t cr0;
    std::uint64_t event;
  };
  const Row rows[] = {{"SMMUEN=0", 7, 1, 0x1e, F_BAD_ATS_TREQ},
                      {"Config=000", 0, 1, 0x1f, 0},
                      {"Config=000, EATS=00", 0, 0, 0x1f, 0},
                      {"Config=011", 3, 1, 0x1f, 0},
                      {"Config=100", 4, 1, 0x1f, F_BAD_ATS_TREQ},
                      {"EATS=00", 7, 0, 0x1f, F_BAD_ATS_TREQ},
                      {"EATS=10, ATSCHK=0", 7, 2, 0x0f, F_BAD_ATS_TREQ},
                      {"EATS=11 without DPT", 7, 3, 0x1f, F_BAD_ATS_TREQ}};
  for (const Row& row : rows) {
    for (const bool cached : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << cached);
      AtsBench b;
      b.edit_ste({{ste::Config, row.config}, {ste::EATS, row.eats}});
      b.cr0(row.cr0);
      if (cached) b.read(va);
      b.bench.take_events();
      EXPECT_EQ(describe(b.request()), "UR");
      EXPECT_EQ(b.bench.take_event().get(Type), row.event);
    }
  }
}

/// SMMUEN=0 leaves the Event queue alone, and what its description names has its record.
TEST(SpecAtsRequest, RecordedWhileTheSmmuIsOff) {
  RecordProperty("rule", "SM-EVT-004");
  for (const bool eventqen : {true, false}) {
    AtsBench b;
    b.cr0(cr0::CMDQEN | (eventqen ? cr0::EVENTQEN : 0));
    EXPECT_EQ(b.bench.r32(off::CR0ACK) & cr0::EVENTQEN, eventqen ? cr0::EVENTQEN : 0);
    EXPECT_EQ(describe(b.request()), "UR");
    EXPECT_EQ(b.bench.take_event().get(Type), eventqen ? F_BAD_ATS_TREQ : 0);
    EXPECT_EQ(b.translated(pa).outcome, Outcome::abort);
    EXPECT_EQ(b.bench.take_event().get(Type), eventqen ? 0x07u : 0) << "F_TRANSL_FORBIDDEN";
    Transaction crossing = SmmuBench::transaction(0xffff, 0xffc);
    crossing.size = 8;
    EXPECT_EQ(b.bench.go(crossing).outcome, Outcome::proceed) << "of an ordinary access nothing is recorded";
    EXPECT_EQ(b.bench.go(SmmuBench::transaction(1, ~0ull)).outcome, Outcome::abort);
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecAtsRequest, EffectiveEatsAllows) {
  RecordProperty("rule", "SM-PC-015 SM-PC-033 SM-RU-005");
  AtsBench b;
  b.edit_ste({{ste::EATS, 2}});
  b.cr0(0x0f);
  EXPECT_EQ(describe(b.request()), "UR");
  b.cr0(0x1f);
  b.reload();
  EXPECT_EQ(describe(b.request()), "success R W") << "ATSCHK=1 makes EATS=10 count";
  b.edit_ste({{ste::EATS, 1}});
  b.cr0(0x0f);
  b.reload();
  EXPECT_EQ(describe(b.request()), "success R W") << "EATS=01 counts with ATSCHK=0 too";
}

TEST(SpecAtsRequest, TheRecord) {
  RecordProperty("rule", "SM-EVR-005");
  AtsBench b;
  b.edit_ste({{ste::EATS, 0}, {ste::PRIVCFG, 2}, {ste::INSTCFG, 2}});
  for (unsigned bits = 0; bits < 16; ++bits) {
    const bool no_write = (bits & 1) != 0, execute = (bits & 2) != 0, privileged = (bits & 4) != 0;
    const bool pasid = (bits & 8) != 0;
    SCOPED_TRACE(bits);
    Transaction t = b.request_of(1, va + 0x123, {no_write, execute, privileged, pasid ? 9 : -1});
    t.stus = static_cast<std::uint8_t>(1 + bits % 8);
    EXPECT_EQ(describe(b.bench.go(t)), "UR");
    EXPECT_EQ(b.bench.take_event(), raw::Record{}.with({{Type, F_BAD_ATS_TREQ},
                                                        {StreamID, 1},
                                                        {SSV, pasid},
                                                        {SubstreamID, pasid ? 9u : 0u},
                                                        {raw::ats::Span, 1 + bits % 8},
                                                        {raw::ats::R, 1},
                                                        {raw::ats::W, !no_write},
                                                        {raw::ats::X, pasid && execute},
                                                        {raw::ats::P, pasid && privileged},
                                                        {raw::ats::InputPage, va >> 12}}));
  }
}

/// One way in which the configuration is wrong.
struct BadConfiguration {
  const char* what;
  std::uint64_t event;
  void (*spoil)(AtsBench&);
  std::uint32_t sid = 1;
  int pasid = -1;
};
constexpr std::uint64_t ste_address = SmmuBench::strtab + 64;
const BadConfiguration bad_configurations[] = {
    {"StreamID", C_BAD_STREAMID, [](AtsBench&) {}, 0x1000},
    {"STE fetch", F_STE_FETCH, [](AtsBench& b) { b.bench.memory.abort_at(ste_address, 64); }},
    {"STE", C_BAD_STE,
     [](AtsBench& b) {
       b.edit_ste({{ste::V, 0}});
     }},
    {"substream", C_BAD_SUBSTREAMID, [](AtsBench&) {}, 1, 3},
    {"S1DSS=00", F_STREAM_DISABLED,
     [](AtsBench& b) {
       b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 0}});
     }},
    {"S1DSS=10 and substream 0", F_STREAM_DISABLED,
     [](AtsBench& b) {
       b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 2}});
     },
     1, 0},
    {"CD fetch", F_CD_FETCH, [](AtsBench& b) { b.bench.memory.abort_at(Stage2Bench::cd_pa, 64); }},
    {"CD", C_BAD_CD,
     [](AtsBench& b) {
       b.edit_cd({{cd::V, 0}});
     }},
    {"walk of stage 1", F_WALK_EABT, [](AtsBench& b) { b.bench.memory.abort_at(b.place(b.s1.entry(va, 3)), 8); }},
    {"walk of stage 2", F_WALK_EABT, [](AtsBench& b) { b.bench.memory.abort_at(b.s2.entry(ipa, 3), 8); }}};

TEST(SpecAtsRequest, ConfigurationErrors) {
  RecordProperty("rule", "SM-PC-020 SM-PC-021 SM-ATS-001 SM-TRN-002");
  for (const BadConfiguration& bad : bad_configurations) {
    for (const std::uint32_t cr2 : {0u, cr2::RECINVSID, cr2::REC_CFG_ATS, cr2::RECINVSID | cr2::REC_CFG_ATS}) {
      SCOPED_TRACE(testing::Message() << bad.what << " CR2 " << cr2);
      AtsBench b;
      b.set_cr2(cr2);
      bad.spoil(b);
      EXPECT_EQ(describe(b.request(bad.sid, va, {.pasid = bad.pasid})), "CA");
      const bool hidden = bad.event == C_BAD_STREAMID && (cr2 & cr2::RECINVSID) == 0;
      const bool recorded = (cr2 & cr2::REC_CFG_ATS) != 0 && !hidden;
      EXPECT_EQ(b.bench.take_event().get(Type), recorded ? bad.event : 0);
    }
  }
}

TEST(SpecAtsRequest, VmsThatCannotBeRead) {
  RecordProperty("rule", "SM-PC-020 SM-PC-021");
  constexpr std::uint64_t vms = 0x4048'0000;
  SmmuConfig config = ats_config();
  config.features.mpam = true;
  config.features.partid_max = 0xff;
  config.features.pmg_max = 3;
  for (const std::uint32_t cr2 : {0u, cr2::REC_CFG_ATS}) {
    AtsBench b(config);
    b.set_cr2(cr2);
    b.edit_ste({{ste::S1MPAM, 1}, {ste::VMSPtr, vms >> 12}});
    b.bench.memory.abort_at(vms, 64);
    EXPECT_EQ(describe(b.request()), "CA");
    EXPECT_EQ(b.bench.take_event().get(Type), cr2 != 0 ? 0x25u : 0u) << "F_VMS_FETCH";
  }
}

TEST(SpecAtsRequest, SizeOperationAndGuessingDoNotMatter) {
  RecordProperty("rule", "SM-PC-003");
  AtsBench b;
  Transaction t = b.request_of(1, va + 0xffc);
  t.size = 64;
  EXPECT_EQ(describe(b.bench.go(t)), "success R W") << "it crosses no page";
  t.speculative = true;
  t.operation = Operation::clean_invalidate;
  EXPECT_EQ(describe(b.bench.go(t)), "success R W");
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecAtsRequest, SubstreamTerminationIsCompleterAbort) {
  RecordProperty("rule", "SM-PC-042");
  for (const std::uint64_t dss : {0u, 2u, 3u}) {
    AtsBench b;
    b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, dss}});
    EXPECT_EQ(describe(b.request(1, va, {.pasid = dss == 2 ? 0 : -1})), "CA");
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

/// Where stage 2 or stage 1 may fault.
enum class Place { stage1, stage2_of_cd, stage2_of_table, stage2 };

void make_fault(AtsBench& b, Place place, std::uint64_t event) {
  const std::uint64_t beyond = std::uint64_t{1} << 44;  // the OAS is 44 bits
  if (place == Place::stage1) {
    if (event == F_TRANSLATION) b.s1.set(va, 3, 0);
    if (event == F_ADDR_SIZE) b.s1.map(va, beyond, raw::af | raw::ap_unprivileged);
    if (event == F_ACCESS) b.s1.map(va, ipa, raw::ap_unprivileged);
    if (event == F_PERMISSION) b.s1.map(va, ipa, raw::af);  // privileged only
    return;
  }
  const std::uint64_t at = place == Place::stage2_of_cd      ? Stage2Bench::cd_ipa
                           : place == Place::stage2_of_table ? b.s1.entry(va, 2)
                                                             : ipa;
  if (event == F_TRANSLATION) b.s2.set(at, 3, 0);
  if (event == F_ADDR_SIZE) b.s2.map(at, beyond, s2_rw);
  if (event == F_ACCESS) b.s2.map(at, pa, s2_rw & ~raw::af);
  if (event == F_PERMISSION) b.s2.map(at, pa, s2_rw & ~s2_read & ~s2_write);
}

SmmuConfig config_44() {
  SmmuConfig config = ats_config();
  config.features.oas = 44;
  return config;
}

TEST(SpecAtsRequest, TranslationFaultsAreSuccessWithoutAccess) {
  RecordProperty("rule", "SM-PC-016 SM-PC-017 SM-PC-019 SM-ATS-012");
  for (const Place place : {Place::stage1, Place::stage2_of_cd, Place::stage2_of_table, Place::stage2}) {
    for (const std::uint64_t event : {F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(place) << " event " << event);
      AtsBench b(config_44());
      b.set_cr2(cr2::RECINVSID | cr2::REC_CFG_ATS);
      make_fault(b, place, event);
      const Response response = b.request();
      EXPECT_EQ(describe(response), "success");
      EXPECT_EQ(response.page_bits, 12u) << "one STU";
      EXPECT_EQ(response.address.value, 0u);
      EXPECT_TRUE(b.bench.take_events().empty());
    }
  }
}

TEST(SpecAtsRequest, PrivIsEchoedByAFault) {
  RecordProperty("rule", "SM-ATS-012 SM-PC-017");
  AtsBench b;
  b.plain_stream({{ste::S1CDMax, 1}, {ste::S1DSS, 2}});
  b.bench.put_cd(AtsBench::plain_sid + 1, b.bench.stage1_cd(3));  // CD 1: empty tables
  EXPECT_EQ(describe(b.request(2, va, {.execute = true, .privileged = true, .pasid = 1})), "success P");
  EXPECT_EQ(describe(b.request(2, va, {.execute = true, .privileged = false, .pasid = 1})), "success");
}

TEST(SpecAtsRequest, TheSmallestUnitIsTheSmallestGranule) {
  RecordProperty("rule", "SM-PC-007 SM-PC-017");
  struct Row {
    bool gran4k, gran16k;
    unsigned bits;
  };
  for (const Row& row : {Row{true, true, 12}, Row{false, true, 14}, Row{false, false, 16}}) {
    SmmuConfig config = ats_config();
    config.features.gran4k = row.gran4k;
    config.features.gran16k = row.gran16k;
    SmmuBench bench(config);
    const raw::Cd context = bench.stage1_cd(1).with({{cd::TG0, 1}, {cd::EPD1, 1}});  // 64 KiB, empty tables
    bench.put_cd(1, context);
    bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::EATS, 1}}));
    Transaction t = SmmuBench::transaction(1, va);
    t.ats = AtsType::translation_request;
    const Response response = bench.go(t);
    EXPECT_EQ(describe(response), "success");
    EXPECT_EQ(response.page_bits, row.bits);
  }
}

TEST(SpecAtsRequest, FaultModelDoesNotMatter) {
  RecordProperty("rule", "SM-PC-049 SM-PC-003");
  for (unsigned ars = 0; ars < 8; ++ars) {
    SCOPED_TRACE(ars);
    SmmuConfig config = ats_config();
    config.features.stall_model = spec::StallModel::stall_and_terminate;
    AtsBench b(config);
    b.edit_cd({{cd::A, ars & 1}, {cd::R, ars >> 1 & 1}, {cd::S, ars >> 2}});
    b.s1.set(va, 3, 0);
    EXPECT_EQ(describe(b.request()), "success") << "whatever A, R and S are";
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecAtsRequest, StageTwoIsNotAskedInVain) {
  RecordProperty("rule", "SM-PC-018");
  AtsBench b;
  b.s1.map(va, ipa, raw::af | raw::ng);  // privileged only; the request is not
  b.bench.memory.abort_at(b.s2.entry(ipa, 3), 8);
  EXPECT_EQ(describe(b.request()), "success") << "stage 2 of the final IPA would have aborted";
  const auto read = b.bench.memory.addresses(Purpose::TTD);
  EXPECT_EQ(std::count(read.begin(), read.end(), b.s2.entry(ipa, 3)), 0);
  // Only execution is left to this privilege: no access for a request either.
  b.s1.map(va, ipa, raw::af | raw::ng | raw::ap_read_only);
  b.command({raw::command(raw::cmd::TLBI_NSNH_ALL)});
  EXPECT_EQ(describe(b.request()), "success");
}

TEST(SpecAtsRequest, OtherSecurityStates) {
  RecordProperty("rule", "SM-ATS-001");
  for (const std::uint32_t cr0 : {0x1fu, 0x0fu, 0x1eu, 0x0eu}) {
    for (const SecurityState state : {SecurityState::secure, SecurityState::realm}) {
      AtsBench b;
      b.cr0(cr0);
      Transaction t = b.request_of(1, va);
      t.security = state;
      EXPECT_EQ(describe(b.bench.go(t)), "UR");
      t.ats = AtsType::translated;
      EXPECT_EQ(describe(b.bench.go(t)), "abort");
      EXPECT_TRUE(b.bench.take_events().empty()) << "the Event queue is Non-secure";
    }
  }
}

TEST(SpecAtsRequest, TheSpanIsNotCut) {
  RecordProperty("rule", "SM-EVR-005");
  AtsBench b;
  b.edit_ste({{ste::EATS, 0}});
  for (const unsigned stus : {15u, 16u, 32u, 255u}) {
    Transaction t = b.request_of(1, va);
    t.stus = static_cast<std::uint8_t>(stus);
    EXPECT_EQ(describe(b.bench.go(t)), "UR");
    EXPECT_EQ(b.bench.take_event().get(raw::ats::Span), 15u) << stus;
  }
}

TEST(SpecAtsRequest, WithoutAtsItIsAnUnsupportedTransaction) {
  RecordProperty("rule", "SM-EVR-001");
  SmmuBench bench;
  Transaction t = SmmuBench::transaction(1, va);
  for (const AtsType type : {AtsType::translation_request, AtsType::translated}) {
    t.ats = type;
    EXPECT_EQ(bench.go(t).outcome, Outcome::abort);
    EXPECT_EQ(bench.take_event().get(Type), F_UUT);
  }
  bench.enable(0xc);  // SMMUEN=0
  for (const AtsType type : {AtsType::translation_request, AtsType::translated}) {
    t.ats = type;
    EXPECT_EQ(describe(bench.go(t)), type == AtsType::translated ? "abort" : "UR") << "no bypass";
    EXPECT_TRUE(bench.take_events().empty());
  }
}

TEST(SpecAtsRequest, EatsIsIgnoredWhereItDoesNotCount) {
  RecordProperty("rule", "SM-PC-047");
  AtsBench bypass;
  bypass.edit_ste({{ste::Config, 4}, {ste::EATS, 2}});
  EXPECT_EQ(bypass.read(pa).address.value, pa) << "Config=100";
  bypass.edit_ste({{ste::Config, 0}, {ste::EATS, 2}});
  bypass.reload();
  EXPECT_EQ(describe(bypass.request()), "UR") << "Config=000: UR, not CA";
  SmmuConfig config = ats_config();
  spec::Features& f = config.features;
  f.ats = f.split_stage_ats = f.pri = f.atsrecerr = false;
  AtsBench without(config);
  without.edit_ste({{ste::EATS, 2}});
  EXPECT_EQ(without.read(va).address.value, pa) << "IDR0.ATS=0";
}

TEST(SpecAtsRequest, EatsDoesNotKeepUntranslatedTrafficFromStalling) {
  RecordProperty("rule", "SM-PC-048");
  SmmuConfig config = ats_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 4;
  AtsBench b(config);
  const raw::Cd context = b.plain_stream();
  b.bench.put_cd(AtsBench::plain_sid, context.with({{cd::S, 1}}));
  EXPECT_EQ(describe(b.bench.read(AtsBench::plain_sid, va + 0x1000)), "stalled");
  EXPECT_EQ(b.bench.take_event().get(Stall), 1u);
  EXPECT_EQ(describe(b.request(AtsBench::plain_sid, va + 0x2000)), "success") << "a request does not stall";
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecAtsRequest, PasidsWiderThanTheSmmuKnows) {
  RecordProperty("rule", "SM-PC-001");
  AtsBench b;
  b.set_cr2(cr2::REC_CFG_ATS);
  b.edit_ste({{ste::S1CDMax, 12}, {ste::S1DSS, 2}});  // IDR1.SSIDSIZE
  for (const int pasid : {0x1000, 0xfffff}) {
    EXPECT_EQ(describe(b.request(1, va, {.pasid = pasid})), "CA") << "not truncated";
    EXPECT_EQ(b.bench.take_event(),
              raw::Record{}.with(
                  {{Type, C_BAD_SUBSTREAMID}, {StreamID, 1}, {SubstreamID, static_cast<std::uint64_t>(pasid)}}));
  }
}

TEST(SpecAtsRequest, UntranslatedTrafficDoesNotMindEats) {
  RecordProperty("rule", "SM-PC-050");
  for (const std::uint64_t eats : {0u, 1u, 2u, 3u}) {
    for (const std::uint32_t cr0 : {0x0fu, 0x1fu}) {
      AtsBench b;
      b.edit_ste({{ste::EATS, eats}});
      b.cr0(cr0);
      EXPECT_EQ(b.read(va).address.value, pa);
    }
  }
}

}  // namespace
}  // namespace smmusim

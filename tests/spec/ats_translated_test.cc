// SPDX-License-Identifier: MIT
// ATS Translated transactions: when they pass, what CR0.ATSCHK checks, the second stage 2 of split-stage ATS, and what
// is recorded (IHI 0070 sections 3.9.1.1, 3.9.1.3, 7.3.8, 7.3.22, 13.6.3 and 13.7).
#include <gtest/gtest.h>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
using namespace raw::ev;
using raw::ats::F_TRANSL_FORBIDDEN;
constexpr std::uint64_t va = AtsBench::va, ipa = AtsBench::ipa, pa = AtsBench::pa;
constexpr std::uint32_t no_atschk = 0x0f;

raw::Record forbidden(std::uint64_t address, bool read) {
  return raw::Record{}.with({{Type, F_TRANSL_FORBIDDEN}, {StreamID, 1}, {RnW, read}, {InputAddr, address}});
}

TEST(SpecAtsTranslated, ForbiddenWhileDisabled) {
  RecordProperty("rule", "SM-PC-023 SM-EVR-008 SM-EVR-024 SM-RU-009");
  for (const std::uint32_t cr0 : {0x1eu, 0x0eu}) {
    for (const AccessType access : {AccessType::read, AccessType::write}) {
      AtsBench b;
      b.cr0(cr0);
      EXPECT_EQ(describe(b.translated(1, pa + 0x123, access, 7)), "abort");
      EXPECT_EQ(b.bench.take_event(), forbidden(pa + 0x123, access == AccessType::read)) << "without SubstreamID";
      EXPECT_EQ(b.bench.memory.count(Purpose::STE), 0u);
    }
  }
}

TEST(SpecAtsTranslated, UncheckedTrafficPasses) {
  RecordProperty("rule", "SM-PC-025 SM-ATS-005");
  AtsBench b;
  b.edit_ste({{ste::V, 0}});
  b.cr0(no_atschk);
  for (const std::uint32_t sid : {1u, 9u, 0x1000u}) {
    const Response response = b.translated(sid, pa + 0x123, AccessType::write);
    EXPECT_EQ(describe(response), "proceed");
    EXPECT_EQ(response.address.value, pa + 0x123);
  }
  EXPECT_EQ(b.bench.memory.count(Purpose::STE), 0u);
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecAtsTranslated, AtschkTakesEffectAtOnce) {
  RecordProperty("rule", "SM-RU-005 SM-PC-024");
  AtsBench b;
  b.edit_ste({{ste::EATS, 0}});
  b.read(va);  // the configuration is cached
  b.cr0(no_atschk);
  EXPECT_EQ(describe(b.translated(pa)), "proceed");
  b.cr0(AtsBench::all_on);
  EXPECT_EQ(describe(b.translated(pa)), "abort");
  EXPECT_EQ(b.bench.take_event().get(Type), F_TRANSL_FORBIDDEN);
}

TEST(SpecAtsTranslated, AddressesBeyondTheOas) {
  RecordProperty("rule", "SM-PC-012");
  SmmuConfig config = ats_config();
  config.features.oas = 44;
  for (const std::uint32_t cr0 : {no_atschk, AtsBench::all_on}) {
    AtsBench b(config);
    b.cr0(cr0);
    EXPECT_EQ(describe(b.translated((std::uint64_t{1} << 44) - 8)), "proceed");
    EXPECT_EQ(describe(b.translated(std::uint64_t{1} << 44)), "abort");
    EXPECT_EQ(describe(b.translated(std::uint64_t{1} << 63 | pa)), "abort");
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecAtsTranslated, EatsAndConfig) {
  RecordProperty("rule", "SM-PC-024 SM-EVR-008 SM-EVR-024 SM-ATS-005");
  struct Row {
    std::uint64_t config, eats;
    const char* answer;
    std::uint64_t event;
  };
  for (const Row& row :
       {Row{0, 1, "abort", 0}, Row{0, 0, "abort", 0}, Row{3, 1, "abort", 0}, Row{4, 1, "abort", F_TRANSL_FORBIDDEN},
        Row{7, 0, "abort", F_TRANSL_FORBIDDEN}, Row{7, 3, "abort", F_TRANSL_FORBIDDEN}, Row{7, 1, "proceed", 0},
        Row{6, 1, "proceed", 0}, Row{6, 0, "abort", F_TRANSL_FORBIDDEN}}) {
    for (int turn = 0; turn < 2; ++turn) {
      SCOPED_TRACE(testing::Message() << "Config " << row.config << " EATS " << row.eats << " turn " << turn);
      AtsBench b;
      b.edit_ste({{ste::Config, row.config}, {ste::EATS, row.eats}});
      b.edit_cd({{cd::V, 0}});  // nobody looks
      if (turn == 1) b.translated(pa);
      b.bench.take_events();
      EXPECT_EQ(describe(b.translated(pa + 0x10)), row.answer);
      EXPECT_EQ(b.bench.take_event(), row.event == 0 ? raw::Record{} : forbidden(pa + 0x10, true));
      EXPECT_EQ(b.bench.memory.count(Purpose::CD), 0u);
    }
  }
}

TEST(SpecAtsTranslated, ConfigurationErrors) {
  RecordProperty("rule", "SM-PC-026 SM-ATS-002 SM-PC-030");
  struct Row {
    std::uint64_t event;
    void (*spoil)(AtsBench&);
    std::uint32_t sid;
  };
  const Row rows[] = {{C_BAD_STREAMID, [](AtsBench&) {}, 0x1000},
                      {F_STE_FETCH, [](AtsBench& b) { b.bench.memory.abort_at(SmmuBench::strtab + 64, 64); }, 1},
                      {C_BAD_STE,
                       [](AtsBench& b) {
                         b.edit_ste({{ste::V, 0}});
                       },
                       1},
                      {C_BAD_STE,
                       [](AtsBench& b) {
                         b.edit_ste({{ste::EATS, 0}, {raw::s2::S2TG, 3}});
                       },
                       1}};
  for (const Row& row : rows) {
    for (const std::uint32_t cr2 : {0u, cr2::RECINVSID, cr2::REC_CFG_ATS}) {
      SCOPED_TRACE(testing::Message() << row.event << " CR2 " << cr2);
      AtsBench b;
      b.set_cr2(cr2);
      row.spoil(b);
      EXPECT_EQ(describe(b.translated(row.sid, pa)), "abort");
      EXPECT_EQ(b.bench.take_event().get(Type), cr2 == cr2::REC_CFG_ATS ? row.event : 0) << "RECINVSID is not asked";
    }
  }
}

TEST(SpecAtsTranslated, UnsupportedTransactionsLeaveNoRecord) {
  RecordProperty("rule", "SM-PC-027");
  AtsBench b;
  Transaction t = SmmuBench::transaction(1, pa + 0xffc);
  t.ats = AtsType::translated;
  t.size = 8;
  for (const std::uint32_t cr0 : {no_atschk, AtsBench::all_on}) {
    b.cr0(cr0);
    EXPECT_EQ(describe(b.bench.go(t)), "abort");
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

struct Split : AtsBench {
  explicit Split(const SmmuConfig& config = ats_config(), Time latency_ps = 0) : AtsBench(config, latency_ps) {
    edit_ste({{ste::EATS, 2}});
  }
};

TEST(SpecAtsTranslated, SplitStageGoesThroughStageTwo) {
  RecordProperty("rule", "SM-PC-008 SM-ATS-005 SM-PC-030 SM-ATS-015");
  for (const bool is_timed : {false, true}) {
    Split b(is_timed ? timed(ats_config()) : ats_config(), is_timed ? 50'000 : 0);
    EXPECT_EQ(b.request().address.value, ipa);
    for (const AccessType access : {AccessType::read, AccessType::write}) {
      const Response response = b.translated(ipa + 0x128, access);
      EXPECT_EQ(describe(response), "proceed");
      EXPECT_EQ(response.address.value, pa + 0x128);
    }
    EXPECT_EQ(b.read(va + 8).address.value, pa + 8) << "untranslated traffic goes through both";
    b.s2.map(ipa, pa + 0x7000, s2_rw);
    b.command({raw::command(raw::cmd2::TLBI_S12_VMALL, {{raw::cmd::VMID, 5}})});
    EXPECT_EQ(b.translated(ipa).address.value, pa + 0x7000);
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecAtsTranslated, SplitStageFaultsAreOrdinaryFaults) {
  RecordProperty("rule", "SM-PC-028 SM-ATS-002 SM-PC-029");
  struct Row {
    std::uint64_t event;
    std::uint64_t descriptor;
    AccessType access;
  };
  const Row rows[] = {{F_TRANSLATION, 0, AccessType::read},
                      {F_ACCESS, (pa | 3 | s2_rw) & ~raw::af, AccessType::read},
                      {F_PERMISSION, (pa | 3 | s2_rw) & ~s2_write, AccessType::write}};
  for (const Row& row : rows) {
    for (const bool s2r : {true, false}) {
      SCOPED_TRACE(testing::Message() << row.event << " S2R " << s2r);
      Split b;
      b.set_cr2(0);
      b.edit_ste({{raw::s2::S2R, s2r}});
      b.s2.set(ipa, 3, row.descriptor);
      Transaction t = SmmuBench::transaction(1, ipa + 0x128, row.access);
      t.ats = AtsType::translated;
      t.substream_valid = t.privileged = t.instruction = true;  // ignored without PASIDTT
      t.substream_id = SubstreamId(3);
      EXPECT_EQ(describe(b.bench.go(t)), "abort");
      EXPECT_EQ(b.bench.take_event(), s2r ? raw::Record{}.with({{Type, row.event},
                                                                {StreamID, 1},
                                                                {RnW, row.access == AccessType::read},
                                                                {S2, 1},
                                                                {CLASS, 2},
                                                                {InputAddr, ipa + 0x128},
                                                                {IPA, ipa >> 12}})
                                          : raw::Record{});
    }
  }
  Split b;
  b.bench.memory.abort_at(b.s2.entry(ipa, 3), 8);
  EXPECT_EQ(describe(b.translated(ipa)), "abort");
  EXPECT_EQ(b.bench.take_event().get(Type), F_WALK_EABT);
}

TEST(SpecAtsTranslated, SplitStageInputIsCheckedAgainstTheIas) {
  RecordProperty("rule", "SM-PC-030 SM-ATS-002");
  Split b;
  b.set_cr2(0);
  b.edit_ste({{raw::s2::S2R, 0}});
  EXPECT_EQ(describe(b.translated(std::uint64_t{1} << 48 | 8)), "abort");
  EXPECT_EQ(b.bench.take_event(),
            raw::Record{}.with(
                {{Type, F_ADDR_SIZE}, {StreamID, 1}, {RnW, 1}, {CLASS, 2}, {InputAddr, std::uint64_t{1} << 48 | 8}}));
}

TEST(SpecAtsTranslated, OverridesComeBeforeTheSecondStageTwo) {
  RecordProperty("rule", "SM-ATS-014 SM-ATR-009 SM-PC-029");
  // XN[54:53] = 01: only unprivileged code may execute; 11: only privileged.
  struct Row {
    std::uint64_t xn, privcfg, instcfg;
    const char* answer;
  };
  for (const Row& row : {Row{2, 0, 0, "proceed"}, Row{2, 0, 3, "abort"}, Row{1, 0, 3, "proceed"}, Row{3, 0, 3, "abort"},
                         Row{3, 3, 3, "proceed"}, Row{1, 3, 3, "abort"}}) {
    SCOPED_TRACE(testing::Message() << row.xn << row.privcfg << row.instcfg);
    Split b;
    b.edit_ste({{ste::PRIVCFG, row.privcfg}, {ste::INSTCFG, row.instcfg}});
    b.s2.map(ipa, pa, s2_rw | row.xn << 53);
    EXPECT_EQ(describe(b.translated(ipa)), row.answer);
    const raw::Record record = b.bench.take_event();
    if (row.answer[0] == 'p') continue;
    EXPECT_EQ(record.get(Type), F_PERMISSION);
    EXPECT_EQ(record.get(PnU), row.privcfg == 3 ? 1u : 0u);
    EXPECT_EQ(record.get(InD), 1u);
  }
  for (const std::uint64_t instcfg : {0u, 3u}) {
    AtsBench full;
    full.edit_ste({{ste::INSTCFG, instcfg}});
    EXPECT_EQ(describe(full.translated(pa)), "proceed") << "no effect on EATS=01";
  }
}

TEST(SpecAtsTranslated, TypesAreNotOverridden) {
  RecordProperty("rule", "SM-ATR-010");
  for (const std::uint64_t eats : {1u, 2u}) {
    AtsBench b;
    b.edit_ste({{ste::EATS, eats}, {ste::MTCFG, 1}, {ste::MemAttr, 5}, {ste::SHCFG, 2}, {ste::ALLOCCFG, 8}});
    Transaction t = SmmuBench::transaction(1, eats == 2 ? ipa : pa);
    t.ats = AtsType::translated;
    t.attributes = {0x44, 2};  // Normal Non-cacheable: what no override and no default gives
    EXPECT_EQ(b.bench.go(t).attributes.type, 0x44);
    t.attributes = {0xff, 3};
    EXPECT_EQ(b.bench.go(t).attributes, (MemoryAttributes{0xff, 3}));
  }
}

TEST(SpecAtsTranslated, PasidWithoutPasidttIsIgnored) {
  RecordProperty("rule", "SM-ID-009 SM-PC-029 SM-PC-030");
  AtsBench b;
  b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 0}});
  b.edit_cd({{cd::V, 0}});
  for (const int pasid : {-1, 0, 3, 0xfff})
    EXPECT_EQ(describe(b.translated(1, pa, AccessType::read, pasid)), "proceed");
  EXPECT_TRUE(b.bench.take_events().empty());
  EXPECT_EQ(b.bench.memory.count(Purpose::CD), 0u);
}

TEST(SpecAtsTranslated, Pasidtt) {
  RecordProperty("rule", "SM-PC-030 SM-PC-026");
  struct Row {
    const char* what;
    std::uint64_t event;
    int pasid;
    void (*spoil)(AtsBench&);
    bool configuration = true;
  };
  const Row rows[] = {
      {"good", 0, 1, [](AtsBench&) {}},
      {"good without PASID, no CD is read", 0, -1,
       [](AtsBench& b) {
         b.edit_ste({{ste::S1DSS, 1}});
       }},
      {"disabled without PASID", F_STREAM_DISABLED, -1,
       [](AtsBench& b) {
         b.edit_ste({{ste::S1DSS, 0}});
       }},
      {"disabled PASID 0", F_STREAM_DISABLED, 0,
       [](AtsBench& b) {
         b.edit_ste({{ste::S1DSS, 2}});
       }},
      {"PASID too large", C_BAD_SUBSTREAMID, 2, [](AtsBench&) {}},
      {"no substreams", C_BAD_SUBSTREAMID, 1,
       [](AtsBench& b) {
         b.edit_ste({{ste::S1CDMax, 0}});
       }},
      {"no stage 1", C_BAD_SUBSTREAMID, 1,
       [](AtsBench& b) {
         b.edit_ste({{ste::Config, 6}});
       }},
      {"CD", C_BAD_CD, 1, [](AtsBench& b) { b.bench.memory.write64(Stage2Bench::cd_pa + 64, 0); }},
      {"CD fetch", F_CD_FETCH, 1, [](AtsBench& b) { b.bench.memory.abort_at(Stage2Bench::cd_pa + 64, 64); }},
      {"stage 2 of the CD", F_TRANSLATION, 1, [](AtsBench& b) { b.s2.set(Stage2Bench::cd_ipa, 3, 0); }, false},
      {"EATS=00 before the substream", F_TRANSL_FORBIDDEN, 2,
       [](AtsBench& b) {
         b.edit_ste({{ste::EATS, 0}});
       },
       false}};
  for (const Row& row : rows) {
    for (const bool rec : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << rec);
      AtsBench b(pasidtt_config());
      b.set_cr2(rec ? cr2::REC_CFG_ATS : 0);
      b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 2}});
      b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
      row.spoil(b);
      EXPECT_EQ(describe(b.translated(1, pa, AccessType::read, row.pasid)), row.event == 0 ? "proceed" : "abort");
      EXPECT_EQ(b.bench.take_event().get(Type), rec || !row.configuration ? row.event : 0);
      EXPECT_EQ(describe(b.translated(1, pa, AccessType::read, row.pasid)), row.event == 0 ? "proceed" : "abort");
    }
  }
}

TEST(SpecAtsTranslated, PasidttSplitStageTakesPrivAndExe) {
  RecordProperty("rule", "SM-PC-029 SM-ATS-008");
  for (const bool pasid : {true, false}) {
    Split b(pasidtt_config());
    b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 1}});
    b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
    b.s2.map(ipa, pa, s2_rw | std::uint64_t{2} << 53);  // nobody executes
    Transaction t = SmmuBench::transaction(1, ipa);
    t.ats = AtsType::translated;
    t.privileged = t.instruction = true;
    t.substream_valid = pasid;
    t.substream_id = SubstreamId(1);
    EXPECT_EQ(describe(b.bench.go(t)), pasid ? "abort" : "proceed") << "Data without PASID";
    const raw::Record record = b.bench.take_event();
    EXPECT_EQ(record.get(SSV), pasid ? 1u : 0u);
    EXPECT_EQ(record.get(PnU), pasid ? 1u : 0u);
    EXPECT_EQ(record.get(InD), pasid ? 1u : 0u);
  }
}

TEST(SpecAtsTranslated, PasidttTranslationsAreNotThoseOfTheStream) {
  RecordProperty("rule", "SM-ATS-005 SM-PC-008");
  Split b(pasidtt_config());
  b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 2}});
  b.edit_cd({{cd::ASID, 0}});  // what an entry without an ASID has, too
  b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
  b.s1.map(ipa, ipa + 0x5000, raw::af | raw::ng | raw::ap_unprivileged);  // the VA that equals the IPA
  b.s2.map(ipa + 0x5000, pa + 0x9000, s2_rw);
  Transaction t = SmmuBench::transaction(1, ipa);
  t.substream_valid = true;
  t.substream_id = SubstreamId(1);
  EXPECT_EQ(b.bench.go(t).address.value, pa + 0x9000);
  for (int turn = 0; turn < 2; ++turn) EXPECT_EQ(b.translated(1, ipa, AccessType::read, 1).address.value, pa);
  EXPECT_EQ(b.bench.go(t).address.value, pa + 0x9000);
}

TEST(SpecAtsTranslated, CachedConfigurationGoesWithItsCommands) {
  RecordProperty("rule", "SM-PC-033 SM-TL-019");
  for (const std::uint64_t opcode : {raw::cmd::CFGI_STE, raw::cmd::CFGI_CD, raw::cmd::CFGI_CD_ALL}) {
    SCOPED_TRACE(opcode);
    AtsBench b(pasidtt_config());
    b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 2}});
    b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
    EXPECT_EQ(describe(b.translated(1, pa, AccessType::read, 1)), "proceed");
    if (opcode == raw::cmd::CFGI_STE) b.edit_ste({{ste::EATS, 0}});
    b.bench.memory.write64(Stage2Bench::cd_pa + 64, 0);
    EXPECT_TRUE(
        b.command({raw::command(opcode, {{raw::cmd::StreamID, 1}, {raw::cmd::SubstreamID, 1}, {raw::cmd::Leaf, 1}})}));
    EXPECT_EQ(describe(b.translated(1, pa, AccessType::read, 1)), "abort");
  }
}

TEST(SpecAtsTranslated, MpamIds) {
  RecordProperty("rule", "SM-MPM-005");
  constexpr MpamIds of_bypass{0x22, 0x4}, of_ste{0x11, 0x1}, of_cd{0x12, 0x2};
  SmmuConfig config = ats_config();
  config.features.mpam = true;
  config.features.partid_max = 0x2a;
  config.features.pmg_max = 0x0f;
  AtsBench b(config);
  const raw::Cd plain =
      b.plain_stream({{raw::ste::S1MPAM, 1}, {raw::ste::PARTID, of_ste.partid}, {raw::ste::PMG, of_ste.pmg}});
  b.bench.put_cd(AtsBench::plain_sid, plain.with({{raw::cd::PARTID, of_cd.partid}, {raw::cd::PMG, of_cd.pmg}}));
  b.bench.w32(off::GBPMPAM, 0x8000'0000 | of_bypass.partid | of_bypass.pmg << 16);
  b.request(AtsBench::plain_sid, AtsBench::va);
  EXPECT_EQ(b.bench.memory.last(Purpose::TTD).mpam, of_cd);  // as an untranslated access
  EXPECT_EQ(b.translated(AtsBench::plain_sid, AtsBench::pa).mpam, of_ste);
  b.cr0(AtsBench::all_on & ~cr0::ATSCHK);
  EXPECT_EQ(b.translated(AtsBench::plain_sid, AtsBench::pa).mpam, of_bypass);
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// What a Translation Completion grants: permissions, address and size, stage by stage (IHI 0070 sections 3.9.1, 3.9.3,
// 3.13.7.2, 13.6 and 13.7).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint64_t va = AtsBench::va, ipa = AtsBench::ipa, pa = AtsBench::pa;
constexpr std::uint64_t rw = raw::af | raw::ng | raw::ap_unprivileged;
constexpr std::uint64_t ro = rw | raw::ap_read_only;

/// A stage-1 stream with a CD for PASID 1 (CD 1) and for requests without (CD 0), both with the page.
struct Plain : AtsBench {
  explicit Plain(std::uint64_t flags, std::initializer_list<raw::Edit> ste_edits = {},
                 const SmmuConfig& config = ats_config())
      : AtsBench(config) {
    const raw::Cd context = plain_stream({{ste::S1CDMax, 1}, {ste::S1DSS, 2}}, flags);
    bench.put_cd(plain_sid + 1, context);
    bench.put_ste(plain_sid, SmmuBench::stage1_ste(SmmuBench::cd_address(plain_sid))
                                 .with({{ste::S1CDMax, 1}, {ste::S1DSS, 2}, {ste::EATS, 1}})
                                 .with(ste_edits));
  }
  std::string ask(const Ask& asked) { return describe(request(plain_sid, va, asked)); }
};

struct PermissionRow {
  const char* what;
  std::uint64_t flags;
  Ask ask;
  const char* answer;
};

TEST(SpecAtsCompletion, PermissionsOfAPage) {
  RecordProperty("rule", "SM-ATS-013 SM-ATS-011 SM-PC-011 SM-ATS-008");
  constexpr std::uint64_t execute_only = raw::af | raw::ng;  // unprivileged: X; privileged: RW, PXN free
  const PermissionRow rows[] = {
      {"NW, RW page", rw | raw::uxn | raw::pxn, {.no_write = true, .execute = true, .pasid = 1}, "success R W"},
      {"RW, XN", rw | raw::uxn | raw::pxn, {.execute = true, .pasid = 1}, "success R W"},
      {"RW, executable, not asked", rw, {.pasid = 1}, "success R W"},
      {"RW, executable", rw, {.execute = true, .pasid = 1}, "success R W X"},
      {"RO, executable", ro, {.execute = true, .pasid = 1}, "success R X"},
      {"RO", ro, {}, "success R"},
      {"RO, NW", ro, {.no_write = true}, "success R"},
      {"execute-only", execute_only, {.execute = true, .pasid = 1}, "success"},
      {"execute-only, data", execute_only, {}, "success"},
      {"privileged of a privileged page",
       execute_only,
       {.execute = true, .privileged = true, .pasid = 1},
       "success R W X P"},
      {"privileged of a user page: WXN-like PXN",
       rw,
       {.execute = true, .privileged = true, .pasid = 1},
       "success R W P"},
      {"Priv and Exe without PASID do not count", rw, {.execute = true, .privileged = true}, "success R W"},
      {"unprivileged without PASID", execute_only, {.privileged = true}, "success"}};
  for (const PermissionRow& row : rows) {
    SCOPED_TRACE(row.what);
    Plain b(row.flags);
    EXPECT_EQ(b.ask(row.ask), row.answer);
    EXPECT_EQ(b.ask(row.ask), row.answer) << "from the TLB";
    EXPECT_TRUE(b.bench.take_events().empty());
  }
}

TEST(SpecAtsCompletion, InstcfgAndPrivcfg) {
  RecordProperty("rule", "SM-ATS-013 SM-ATR-009 SM-ATS-011");
  struct Row {
    const char* what;
    std::uint64_t flags, privcfg, instcfg;
    Ask ask;
    const char* answer;
    const char* without_overrides;
  };
  constexpr std::uint64_t private_page = raw::af | raw::ng;  // user X, privileged RWX
  const Row rows[] = {
      {"privileged, so RW", private_page, 3, 0, {}, "success R W", "success"},
      {"unprivileged, Priv echoed", private_page, 2, 0, {.privileged = true, .pasid = 1}, "success P", "success R W P"},
      {"1 keeps what came", private_page, 1, 1, {.privileged = true, .pasid = 1}, "success R W P", "success R W P"},
      {"INST: R is X", private_page, 0, 3, {.execute = true, .pasid = 1}, "success R X", "success"},
      {"INST: Exe only if asked", private_page, 0, 3, {}, "success R", "success"},
      {"INST: a page that is not executable",
       ro | raw::uxn,
       0,
       3,
       {.execute = true, .pasid = 1},
       "success",
       "success R"},
      {"DATA: Exe is R", ro | raw::uxn, 0, 2, {.execute = true, .pasid = 1}, "success R X", "success R"},
      {"DATA: not asked", ro | raw::uxn, 0, 2, {}, "success R", "success R"}};
  for (const Row& row : rows) {
    for (const bool supported : {true, false}) {
      SCOPED_TRACE(testing::Message() << row.what << supported);
      SmmuConfig config = ats_config();
      config.features.attr_perms_ovr = supported;
      Plain b(row.flags, {{ste::PRIVCFG, row.privcfg}, {ste::INSTCFG, row.instcfg}}, config);
      EXPECT_EQ(b.ask(row.ask), supported ? row.answer : row.without_overrides);
    }
  }
}

TEST(SpecAtsCompletion, FixedBits) {
  RecordProperty("rule", "SM-PC-010 SM-ATS-003");  // the N field; address bits: NoAddressBitsAboveTheOas
  Plain b(raw::af | raw::ap_unprivileged);         // a global page
  for (const int pasid : {-1, 1}) {
    const Response response = b.request(AtsBench::plain_sid, va, {.pasid = pasid});
    EXPECT_EQ(describe(response), "success R W");
    EXPECT_FALSE(response.ats.global);
    EXPECT_FALSE(response.ats.no_snoop);
    EXPECT_FALSE(response.ats.untranslated_only);
  }
}

/// Whatever has such bits: what was asked, a descriptor, an IPA.
TEST(SpecAtsCompletion, NoAddressBitsAboveTheOas) {
  RecordProperty("rule", "SM-ATS-003");
  constexpr unsigned oas = 36;
  constexpr std::uint64_t beyond = std::uint64_t{0x5} << oas, upper = 0xffff'8000'1234'5000;
  SmmuConfig config = ats_config();
  config.features.oas = oas;
  struct Row {
    const char* what;
    std::uint32_t stream;
    std::uint64_t address;
    const char* answer;
    std::uint64_t output;
  };
  for (const Row& row :
       {Row{"page", 2, va, "success R W", pa}, Row{"upper half", 2, upper, "success R W", pa},
        Row{"page beyond", 2, va + 0x1000, "success", 0}, Row{"block beyond", 2, va + 0x20'0000, "success", 0},
        Row{"nothing there", 2, upper + 0x1000, "success", 0}, Row{"identity", 3, beyond | va, "success", 0},
        Row{"identity, all bits", 3, ~0ull, "success", 0}, Row{"IPA", 1, va, "success R W", ipa},
        Row{"IPA beyond", 1, va + 0x1000, "success", 0}}) {
    SCOPED_TRACE(row.what);
    AtsBench b(config);
    const raw::Cd context = b.plain_stream();
    b.bench.map(SmmuBench::ttb0(context), va + 0x1000, raw::page(beyond | pa));
    b.bench.map(SmmuBench::ttb0(context), va + 0x20'0000, raw::block(beyond | 0x6020'0000), 2);
    b.bench.map(SmmuBench::ttb1(context), upper, raw::page(pa));
    b.bench.put_ste(
        3, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::S1CDMax, 1}, {ste::S1DSS, 1}, {ste::EATS, 1}}));
    b.edit_ste({{ste::EATS, 2}});
    b.s1.map(va + 0x1000, beyond | ipa, rw);
    for (unsigned turn = 0; turn != 2; ++turn) {
      const Response response = b.request(row.stream, row.address);
      EXPECT_EQ(describe(response), row.answer);
      EXPECT_EQ(response.address.value >> oas, 0u) << std::hex << response.address.value;
      EXPECT_EQ(response.address.value, row.output);
    }
  }
}

TEST(SpecAtsCompletion, NoIpaBeyondTheOas) {
  RecordProperty("rule", "SM-PC-017");
  SmmuConfig config = ats_config();
  config.features.oas = 36;
  AtsBench b(config);
  constexpr std::uint64_t high = std::uint64_t{0x80} << 32;
  b.edit_ste({{ste::EATS, 2}, {ste::S1CDMax, 1}, {ste::S1DSS, 1}});  // what comes is the IPA
  b.s2.map(high | ipa, pa, s2_rw);
  const Response response = b.request(high | ipa);
  EXPECT_EQ(describe(response), "success") << "neither the IAS nor stage 2 has so much";
  EXPECT_EQ(response.address.value, 0u);
  EXPECT_EQ(response.page_bits, 12u);
}

TEST(SpecAtsCompletion, SizesOfOneStage) {
  RecordProperty("rule", "SM-PC-017");
  AtsBench b;
  const raw::Cd context = b.plain_stream();
  const std::uint64_t ttb = SmmuBench::ttb0(context);
  b.bench.map(ttb, 0x4000'0000, raw::block(0x1'4000'0000), 1);
  b.bench.map(ttb, 0x8020'0000, raw::block(0x6020'0000), 2);
  struct Row {
    std::uint64_t address, output;
    unsigned bits;
  };
  for (const Row& row : {Row{va, pa, 12}, Row{0x4765'4000, 0x1'4000'0000, 30}, Row{0x8034'5000, 0x6020'0000, 21}}) {
    const Response response = b.request(AtsBench::plain_sid, row.address);
    EXPECT_EQ(response.page_bits, row.bits);
    EXPECT_EQ(response.address.value, row.output) << "the base of the region";
  }
}

/// Rows for full and split-stage ATS of a nested stream: sizes and permissions of both stages meet.
struct NestedRow {
  const char* what;
  int level1, level2;
  std::uint64_t flags1, flags2;
  unsigned bits;
  const char* answer;
};
const NestedRow nested_rows[] = {{"pages", 3, 3, rw, s2_rw, 12, "success R W"},
                                 {"block over pages", 2, 3, rw, s2_rw, 12, "success R W"},
                                 {"pages over a block", 3, 2, rw, s2_rw, 12, "success R W"},
                                 {"blocks", 2, 2, rw, s2_rw, 21, "success R W"},
                                 {"large over small block", 1, 2, rw, s2_rw, 21, "success R W"},
                                 {"stage 1 read-only", 3, 3, ro, s2_rw, 12, "success R"},
                                 {"stage 2 read-only", 2, 2, rw, s2_rw & ~s2_write, 21, "success R"},
                                 {"stage 2 write-only", 3, 3, rw, s2_rw & ~s2_read, 12, "success W"},
                                 {"nothing in common", 3, 3, ro, s2_rw & ~s2_read, 12, "success"}};

TEST(SpecAtsCompletion, NestedFullAndSplit) {
  RecordProperty("rule", "SM-ATS-004 SM-PC-008 SM-PC-019");
  constexpr std::uint64_t input = 0x40'4765'4000, middle = 0x80'4765'4000, output = 0xc0'4765'4000;
  for (const NestedRow& row : nested_rows) {
    for (const bool split : {false, true}) {
      SCOPED_TRACE(testing::Message() << row.what << split);
      AtsBench b;
      b.edit_ste({{ste::EATS, split ? 2u : 1u}});
      const auto base = [](std::uint64_t address, int level) {
        return address & ~low_mask(12 + 9 * static_cast<unsigned>(3 - level));
      };
      b.s1.map(base(input, row.level1), base(middle, row.level1), row.flags1, row.level1);
      b.s2.map(base(middle, row.level2), base(output, row.level2), row.flags2, row.level2);
      for (const char* source : {"walk", "TLB"}) {
        const Response response = b.request(input);
        EXPECT_EQ(describe(response), row.answer) << source;
        if (!response.read_allowed && !response.write_allowed) continue;
        EXPECT_EQ(response.page_bits, row.bits) << source;
        EXPECT_EQ(response.address.value, (split ? middle : output) & ~low_mask(row.bits)) << source;
      }
    }
  }
}

TEST(SpecAtsCompletion, ExecutionImpliesReading) {
  RecordProperty("rule", "SM-ATS-011 SM-ATS-013");
  AtsBench b;
  b.edit_ste({{ste::S1CDMax, 1}, {ste::S1DSS, 2}});
  b.bench.memory.store(Stage2Bench::cd_pa + 64, b.cd);
  EXPECT_EQ(describe(b.request(1, va, {.execute = true, .pasid = 1})), "success R W X");
  b.s2.map(ipa, pa, s2_rw & ~s2_read);  // written and executed, not read
  b.command({raw::command(raw::cmd::TLBI_NSNH_ALL)});
  EXPECT_EQ(describe(b.request(1, va, {.execute = true, .pasid = 1})), "success W");
}

TEST(SpecAtsCompletion, StageOneSkipped) {
  RecordProperty("rule", "SM-ATS-006 SM-ATS-007 SM-PC-022");
  AtsBench b;
  b.plain_stream({{ste::S1CDMax, 1}, {ste::S1DSS, 1}});
  const Response identity = b.request(AtsBench::plain_sid, va, {.execute = true, .privileged = true});
  EXPECT_EQ(describe(identity), "success R W") << "no PASID: neither Exe nor Priv";
  EXPECT_FALSE(identity.ats.untranslated_only);
  EXPECT_EQ(identity.page_bits, 48u) << "the whole of the output space";
  EXPECT_EQ(identity.address.value, 0u);
  EXPECT_EQ(describe(b.request(AtsBench::plain_sid, std::uint64_t{1} << 48)), "success") << "F_ADDR_SIZE";
  for (const bool split : {false, true}) {
    AtsBench n;
    n.edit_ste({{ste::EATS, split ? 2u : 1u}, {ste::S1CDMax, 1}, {ste::S1DSS, 1}});
    n.s2.map(ipa + 0x1000, pa + 0x5000, s2_rw & ~s2_write);
    n.bench.memory.log.clear();
    const Response response = n.request(ipa);
    EXPECT_EQ(describe(response), "success R W");
    EXPECT_EQ(response.page_bits, 12u);
    EXPECT_EQ(response.address.value, split ? ipa : pa);
    EXPECT_EQ(n.bench.memory.count(Purpose::CD), 0u);
    const Response read_only = n.request(ipa + 0x1000);
    EXPECT_EQ(describe(read_only), "success R");
    EXPECT_EQ(read_only.address.value, split ? ipa + 0x1000 : pa + 0x5000);
    EXPECT_EQ(describe(n.request(std::uint64_t{1} << 48)), "success") << "beyond the IAS: F_ADDR_SIZE of stage 1";
    EXPECT_TRUE(n.bench.take_events().empty());
  }
}

TEST(SpecAtsCompletion, NoIdentityBeyondTheOas) {
  RecordProperty("rule", "SM-ATS-006");
  SmmuConfig config = ats_config();
  config.features.oas = 36;
  SmmuBench bench(config);
  bench.put_ste(
      2, SmmuBench::stage1_ste(SmmuBench::cd_address(2)).with({{ste::S1CDMax, 1}, {ste::S1DSS, 1}, {ste::EATS, 1}}));
  Transaction t = SmmuBench::transaction(2, (std::uint64_t{1} << 36) - 0x1000);
  t.ats = AtsType::translation_request;
  EXPECT_EQ(describe(bench.go(t)), "success R W");
  t.address = Va(std::uint64_t{1} << 36);
  const Response beyond = bench.go(t);
  EXPECT_EQ(describe(beyond), "success");
  EXPECT_EQ(beyond.page_bits, 12u);
}

TEST(SpecAtsCompletion, ResetIsCompleterAbort) {
  RecordProperty("rule", "SM-RS-001");
  for (const AtsType type : {AtsType::translation_request, AtsType::translated}) {
    AtsBench b(timed(ats_config()), 50'000);
    TranslationRequest request;
    request.transaction = b.request_of(1, va);
    request.transaction.ats = type;
    request.fire = [](EventNode&) {};
    ASSERT_FALSE(b.bench.smmu.submit(0, request));
    b.bench.smmu.reset();
    b.bench.run();
    EXPECT_EQ(describe(request.response), type == AtsType::translated ? "abort" : "CA");
  }
}

TEST(SpecAtsCompletion, StageTwoAlone) {
  RecordProperty("rule", "SM-ATS-006 SM-PC-002");
  AtsBench b;
  b.edit_ste({{ste::Config, 6}});
  const Response response = b.request(ipa);
  EXPECT_EQ(describe(response), "success R W");
  EXPECT_EQ(response.address.value, pa);
  // XNX: executable by privileged code only. PRIV does not come without a PASID.
  EXPECT_EQ(describe(b.request(1, ipa, {.execute = true, .privileged = true})), "success R W");
}

TEST(SpecAtsCompletion, AccessFlagWithoutHardwareUpdate) {
  RecordProperty("rule", "SM-HT-014");
  for (const bool affd : {false, true}) {
    AtsBench b;
    const raw::Cd context = b.plain_stream({}, rw & ~raw::af);
    b.bench.put_cd(AtsBench::plain_sid, context.with({{cd::AFFD, affd}}));
    EXPECT_EQ(describe(b.request(AtsBench::plain_sid, va)), affd ? "success R W" : "success");
  }
  AtsBench b;
  constexpr std::uint64_t dbm = std::uint64_t{1} << 51;
  b.plain_stream({}, ro | dbm);
  EXPECT_EQ(describe(b.request(AtsBench::plain_sid, va)), "success R") << "writable-clean is not writable";
}

TEST(SpecAtsCompletion, CxlIo) {
  RecordProperty("rule", "SM-PC-035");
  struct Row {
    const char* what;
    std::uint64_t index, sh, eats;
    bool source_cxl, io;
  };
  // MAIR0: 0 iWB-oWB, 1 NC, 2 Device-nGnRE, 3 Device-nGnRnE.
  const Row rows[] = {{"iWB-oWB ISH", 0, 3, 1, true, false}, {"iWB-oWB OSH", 0, 2, 1, true, false},
                      {"iWB-oWB NSH", 0, 0, 1, true, true},  {"NC", 1, 3, 1, true, true},
                      {"Device", 2, 3, 1, true, true},       {"not from CXL", 2, 3, 1, false, false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    AtsBench b;
    b.plain_stream({}, rw | row.index << 2 | row.sh << 8);
    Transaction t = b.request_of(AtsBench::plain_sid, va);
    t.source_cxl = row.source_cxl;
    EXPECT_EQ(b.bench.go(t).ats.cxl_io, row.io);
  }
  for (const std::uint64_t eats : {1u, 2u}) {
    AtsBench b;
    b.edit_ste({{ste::EATS, eats}});
    b.s1.map(va, ipa, rw | 3u << 8);
    Transaction t = b.request_of(1, va);
    t.source_cxl = true;
    EXPECT_EQ(b.bench.go(t).ats.cxl_io, eats == 2) << "an IPA is no use to CXL.cache";
    t.address = Va(va + 0x1000);
    const Response fault = b.bench.go(t);
    EXPECT_EQ(describe(fault), "success");
    EXPECT_EQ(fault.ats.cxl_io, eats == 2) << "without access, too";
    b.s2.set(Stage2Bench::cd_ipa, 3, 0);  // the CD has no PA
    b.reload();
    EXPECT_EQ(b.bench.go(t).ats.cxl_io, eats == 2);
    t.source_cxl = false;
    EXPECT_FALSE(b.bench.go(t).ats.cxl_io);
  }
  AtsBench b;
  b.plain_stream({{ste::S1CDMax, 1}, {ste::S1DSS, 1}});
  Transaction t = b.request_of(AtsBench::plain_sid, va);
  t.source_cxl = true;
  EXPECT_FALSE(b.bench.go(t).ats.cxl_io) << "unknown attributes count as iWB-oWB shareable";
}

TEST(SpecAtsCompletion, ATimedMachineAnswersTheSame) {
  RecordProperty("rule", "SM-PC-016");
  AtsBench b(timed(ats_config()), 50'000);
  EXPECT_EQ(b.request().address.value, pa);
  const Response again = b.request();
  EXPECT_EQ(describe(again), "success R W");
  EXPECT_EQ(again.address.value, pa);
  EXPECT_EQ(describe(b.request(va + 0x1000)), "success");
  EXPECT_TRUE(b.bench.smmu.idle());
  b.edit_ste({{ste::EATS, 0}});
  b.reload();
  EXPECT_EQ(describe(b.request()), "UR");
  EXPECT_EQ(b.bench.take_event().get(raw::ev::Type), raw::ats::F_BAD_ATS_TREQ);
}

TEST(SpecAtsCompletion, InvalidationsOfTheSmmuComeFirst) {
  RecordProperty("rule", "SM-PC-004 SM-PC-003");
  for (const bool is_timed : {false, true}) {
    AtsBench b(is_timed ? timed(ats_config()) : ats_config(), is_timed ? 50'000 : 0);
    b.answers = true;
    EXPECT_EQ(b.request().address.value, pa);
    b.s2.map(ipa, pa + 0x7000, s2_rw);
    EXPECT_TRUE(b.command({raw::command(raw::cmd::TLBI_NSNH_ALL)}));
    EXPECT_TRUE(b.invalidations.empty()) << "no TLBI goes to a device by itself";
    EXPECT_TRUE(b.command({atc_inv(1)}));
    EXPECT_EQ(b.invalidations.size(), 1u);
    EXPECT_EQ(b.request().address.value, pa + 0x7000);
  }
}

TEST(SpecAtsCompletion, RequestsFillTheTlb) {
  RecordProperty("rule", "SM-PC-004");
  AtsBench b;
  b.request();
  EXPECT_EQ(b.bench.smmu.cache_counters(CacheId::micro_tlb).fills, 1u);
  EXPECT_EQ(b.read(va).address.value, pa);
  EXPECT_EQ(b.bench.smmu.counters().walks, 1u);
  EXPECT_EQ(b.request(1, va, {.no_write = true}).address.value, pa);
  EXPECT_EQ(b.bench.smmu.counters().walks, 1u);
}

}  // namespace
}  // namespace smmusim

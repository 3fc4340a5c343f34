// SPDX-License-Identifier: MIT
// Permissions of stage 2, alone and behind stage 1 (IHI 0070 sections 3.3.2, 7.3.16, 13.4; Arm ARM D8.4).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target;

struct Access {
  AccessType type;
  bool instruction, privileged;
};
constexpr Access accesses[] = {{AccessType::read, false, false},  {AccessType::read, false, true},
                               {AccessType::read, true, false},   {AccessType::read, true, true},
                               {AccessType::write, false, false}, {AccessType::write, false, true},
                               {AccessType::write, true, true},   {AccessType::atomic, false, false}};

/// What S2AP and XN say, from the tables of the Arm ARM. XN: with XNX 00 all, 01 unprivileged, 10 none, 11 privileged.
bool stage2_allows(std::uint64_t s2ap, std::uint64_t xn, bool xnx, const Access& access) {
  if (access.type == AccessType::atomic) return s2ap == 3;
  if (access.type == AccessType::write) return (s2ap & 2) != 0;
  if (!access.instruction) return (s2ap & 1) != 0;
  if (!xnx) return (xn & 2) == 0;
  return xn == 0 || (xn == 1 && !access.privileged) || (xn == 3 && access.privileged);
}

SmmuConfig config_with(bool xnx) {
  SmmuConfig config = stage2_config();
  if (xnx) return config;
  spec::Features& f = config.features;
  f.version_minor = 0;
  f.xnx = f.ril = f.fwb = f.hyp = false;
  f.bbml = 0;
  return config;
}

TEST(SpecStage2Permissions, StageTwoAlone) {
  RecordProperty("rule", "SM-AT-023 SM-ATR-020 SM-EVR-027 SM-ATR-001");
  for (const bool xnx : {false, true}) {
    Stage2Bench::Options options;
    options.config = config_with(xnx);
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, 6}});
    for (std::uint64_t s2ap = 0; s2ap < 4; ++s2ap) {
      for (std::uint64_t xn = 0; xn < 4; ++xn) {
        const std::uint64_t ipa = 0x10'0000 + (s2ap * 4 + xn) * 0x1000;
        b.s2.map(ipa, target + ipa, (s2_rw & ~std::uint64_t{0xc0}) | s2ap << 6 | xn << 53);
        for (int round = 0; round < 2; ++round) {
          for (const Access& access : accesses) {
            SCOPED_TRACE(testing::Message()
                         << "XNX " << xnx << " S2AP " << s2ap << " XN " << xn << " access "
                         << static_cast<int>(access.type) << access.instruction << access.privileged);
            const Response response = b.go(ipa, access.type, access.instruction, access.privileged);
            if (stage2_allows(s2ap, xn, xnx, access)) {
              EXPECT_EQ(response.address.value, target + ipa);
              EXPECT_TRUE(b.bench.take_events().empty());
              continue;
            }
            EXPECT_EQ(response.outcome, Outcome::abort);
            raw::Record record = b.bench.take_event();
            record.put(raw::wide::TTRnW, 0);  // UNKNOWN for CLASS=IN
            const bool reads = access.type == AccessType::read;
            // An atomic that may write lacks the read permission alone.
            const bool read_fails = reads || (access.type == AccessType::atomic && (s2ap & 2) != 0);
            EXPECT_EQ(record, raw::Record{}.with({{Type, F_PERMISSION},
                                                  {StreamID, Stage2Bench::sid},
                                                  {PnU, access.privileged},
                                                  {InD, access.instruction && reads},
                                                  {RnW, read_fails},
                                                  {S2, 1},
                                                  {CLASS, 2},
                                                  {InputAddr, ipa},
                                                  {IPA, ipa >> 12}}));
          }
        }
      }
    }
  }
}

bool stage1_allows(std::uint64_t ap, bool uxn, bool pxn, const Access& access) {
  const bool unprivileged = (ap & 1) != 0, writable = (ap & 2) == 0;
  const bool reachable = access.privileged || unprivileged;
  if (access.type != AccessType::read) return reachable && writable;
  if (!access.instruction) return reachable;
  if (!access.privileged) return !uxn;
  return !pxn && !(unprivileged && writable);
}

TEST(SpecStage2Permissions, BothStages) {
  RecordProperty("rule", "SM-AT-023 SM-EVP-003 SM-EVR-017");
  Stage2Bench b;
  std::uint64_t page = 0;
  for (std::uint64_t bits = 0; bits < 256; ++bits, ++page) {
    const std::uint64_t ap = bits & 3, xn1 = (bits >> 2) & 3, s2ap = (bits >> 4) & 3, xn2 = bits >> 6;
    const std::uint64_t va = 0x10'0000 + page * 0x1000, ipa = 0x2000'0000 + page * 0x1000;
    b.s1.map(va, ipa, raw::af | raw::ng | ap << 6 | xn1 << 53);
    b.s2.map(ipa, target + va, (s2_rw & ~std::uint64_t{0xc0}) | s2ap << 6 | xn2 << 53);
    for (const Access& access : accesses) {
      SCOPED_TRACE(testing::Message() << "AP " << ap << " UXN/PXN " << xn1 << " S2AP " << s2ap << " XN " << xn2
                                      << " access " << static_cast<int>(access.type) << access.instruction
                                      << access.privileged);
      const bool first = stage1_allows(ap, (xn1 & 2) != 0, (xn1 & 1) != 0, access);
      const bool second = stage2_allows(s2ap, xn2, true, access);
      const Response response = b.go(va, access.type, access.instruction, access.privileged);
      EXPECT_EQ(response.outcome, first && second ? Outcome::proceed : Outcome::abort);
      const auto records = b.bench.take_events();
      EXPECT_EQ(records.size(), first && second ? 0u : 1u);
      if (first && second) {
        EXPECT_EQ(response.address.value, target + va);
      } else if (records.size() == 1) {
        EXPECT_EQ(records[0].get(Type), F_PERMISSION);
        EXPECT_EQ(records[0].get(S2), first ? 1u : 0u) << "stage 1 is checked first";
        EXPECT_EQ(records[0].get(CLASS), 2u);
        if (first) {
          EXPECT_EQ(records[0].get(IPA), ipa >> 12);
        }
      }
    }
  }
}

TEST(SpecStage2Permissions, TablesAndCdsAreDataReads) {
  RecordProperty("rule", "SM-EVR-017 SM-SS-004 SM-ATR-020");
  // S2AP=01 and no execution: enough for a CD and for tables, whatever the client does.
  for (const std::uint64_t xn : {0u, 2u, 3u}) {
    Stage2Bench b;
    b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
    b.cover(Stage2Bench::cd_ipa, 0x1000, (s2_rw & ~s2_write) | xn << 53);
    b.cover(0xb000'0000, 0x10000, (s2_rw & ~s2_write) | xn << 53);
    b.s2.map(0x8000, target, s2_rw);
    EXPECT_EQ(b.go(0x1000, AccessType::write).address.value, target);
    EXPECT_EQ(b.go(0x1000, AccessType::read, true, false).address.value, target);
  }
}

TEST(SpecStage2Permissions, UnreadableTablesAndCds) {
  RecordProperty("rule", "SM-EVR-017 SM-EVR-027 SM-EVP-001 SM-EVP-003");
  for (const bool cd : {true, false}) {
    SCOPED_TRACE(cd ? "CD" : "table");
    Stage2Bench b;
    b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
    const std::uint64_t at = cd ? Stage2Bench::cd_ipa : b.s1.entry(0x1000, 2);
    b.cover(at, 8, s2_rw & ~s2_read);  // write only
    EXPECT_EQ(b.go(0x1000, AccessType::write, false, true).outcome, Outcome::abort);
    raw::Record record = b.bench.take_event();
    if (cd) record.put(raw::wide::TTRnW, 0);  // UNKNOWN
    EXPECT_EQ(record, raw::Record{}.with({{Type, F_PERMISSION},
                                          {StreamID, Stage2Bench::sid},
                                          {PnU, 1},
                                          {RnW, 0},
                                          {S2, 1},
                                          {CLASS, cd ? 0u : 1u},
                                          {raw::wide::TTRnW, cd ? 0u : 1u},
                                          {InputAddr, 0x1000},
                                          {IPA, at >> 12}}));
  }
}

TEST(SpecStage2Permissions, S2FaultsOfDevicePagesUnderS2ptw) {
  RecordProperty("rule", "SM-FA-032 SM-EVR-017");
  for (const bool ptwnnc : {false, true}) {
    for (const bool ptw : {false, true}) {
      for (const bool cd : {false, true}) {
        for (const std::uint64_t device : {0u, 1u, 2u, 3u}) {
          SCOPED_TRACE(testing::Message()
                       << "PTWNNC " << ptwnnc << " S2PTW " << ptw << (cd ? " CD" : " table") << " MemAttr " << device);
          Stage2Bench::Options options;
          options.config.features.version_minor = ptwnnc ? 3 : 2;
          options.config.features.ptwnnc = options.config.features.e0pd = ptwnnc;
          Stage2Bench b(options);
          b.edit_ste({{raw::s2::S2PTW, ptw}});
          b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
          b.s2.map(0x8000, target, s2_rw);
          const std::uint64_t at = cd ? Stage2Bench::cd_ipa : b.s1.entry(0x1000, 3);
          b.cover(at, 8, (s2_rw & ~s2_wb) | device << 2);
          const Response response = b.read(0x1000);
          EXPECT_EQ(response.outcome, ptw ? Outcome::abort : Outcome::proceed);
          if (ptw) {
            const raw::Record record = b.bench.take_event();
            EXPECT_EQ(record.get(Type), F_PERMISSION);
            EXPECT_EQ(record.get(S2), 1u);
            EXPECT_EQ(record.get(CLASS), cd ? 0u : 1u);
            EXPECT_EQ(record.get(IPA), at >> 12);
            if (!cd) {
              EXPECT_EQ(record.get(raw::wide::TTRnW), 1u);
            }
            continue;
          }
          const std::uint64_t pa = b.place(at);
          for (const BenchAccess& access : b.bench.memory.log) {
            if (access.address != pa) continue;
            if (ptwnnc) {
              EXPECT_EQ(access.attributes.type, 0x44) << "Normal Non-cacheable";
            } else {
              EXPECT_EQ(access.attributes.type, device * 4) << "the Device type itself";
            }
          }
        }
      }
    }
  }
}

TEST(SpecStage2Permissions, S2ptwIsOfNestedStreamsOnly) {
  RecordProperty("rule", "SM-FA-032");
  Stage2Bench b;
  b.edit_ste({{ste::Config, 6}, {raw::s2::S2PTW, 1}});
  b.s2.map(0x1000, target, s2_rw & ~s2_wb);
  EXPECT_EQ(b.read(0x1000).address.value, target) << "an access is no table walk";
  Stage2Bench nested;
  nested.edit_ste({{raw::s2::S2PTW, 1}});
  nested.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
  nested.s2.map(0x8000, target, s2_rw & ~s2_wb);
  EXPECT_EQ(nested.read(0x1000).address.value, target) << "nor is a nested one; the tables are in Normal memory";
}

TEST(SpecStage2Permissions, S2ptwGoesByTheTypeUnderS2fwb) {
  RecordProperty("rule", "SM-FA-032 SM-ATR-013 SM-AT-012");
  // With S2FWB bit 4 of the descriptor decides: 0dd is Device, the rest is not.
  for (std::uint64_t mem_attr = 0; mem_attr < 8; ++mem_attr) {
    if (mem_attr == 4) continue;  // reserved
    for (const bool cd : {false, true}) {
      SCOPED_TRACE(testing::Message() << "MemAttr " << mem_attr << (cd ? " CD" : " table"));
      Stage2Bench b;
      b.edit_ste({{raw::s2::S2PTW, 1}, {raw::s2::S2FWB, 1}});
      b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
      b.s2.map(0x8000, target, (s2_rw & ~s2_wb) | 7u << 2);
      for (const std::uint64_t at : {Stage2Bench::cd_ipa, b.s1.root(), b.s1.entry(0x1000, 1), b.s1.entry(0x1000, 2)}) {
        b.cover(at, 8, (s2_rw & ~s2_wb) | 7u << 2);
      }
      const std::uint64_t at = cd ? Stage2Bench::cd_ipa : b.s1.entry(0x1000, 3);
      b.cover(at, 8, (s2_rw & ~s2_wb) | mem_attr << 2);
      EXPECT_EQ(event_number(b.read(0x1000)), mem_attr < 4 ? F_PERMISSION : 0u);
    }
  }
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// 52-bit addresses in the reference walker: where a descriptor of either stage holds OA[51:48], which sizes clamp it
// and which bits are ignored (DDI 0487 D8.3.1, IHI 0070 3.4, CD.IPS, CD.DS, STE.S2PS, STE.S2DS). These tests say
// nothing about model/ and therefore name the architecture's sections, not the house's rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr uint64_t kOut = 0x7ABCD0000;

TEST_F(RefwalkWide, OutputBitsAbove48) {
  const uint64_t high = 0xFull << 48;
  // `field` is the descriptor's bits that hold OA[51:48] = 1111, or that are RES0 there; event 0 means `pa` comes out.
  const struct {
    const char* name;
    unsigned granule;
    bool ds;
    unsigned oas_code, size_code;
    uint64_t field, pa;
    unsigned event;
  } rows[] = {{"64K, bits 15:12", 16, false, 6, 6, 0xF000, kOut | high, 0},
              {"64K, size code 7 is OAS", 16, false, 6, 7, 0xF000, kOut | high, 0},
              {"64K, size 48", 16, false, 6, 5, 0xF000, 0, 0x11},
              {"64K, OAS 48 has no such field", 16, false, 5, 6, 0xF000, kOut, 0},
              {"64K, bits 49:48 and 9:8 are none", 16, true, 6, 6, (3ull << 48) | 0x300, kOut, 0},
              {"4K DS, bits 9:8 and 49:48", 12, true, 6, 6, (3ull << 48) | 0x300, kOut | high, 0},
              {"4K DS, size 48, bit 48", 12, true, 6, 5, 1ull << 48, 0, 0x11},
              {"4K DS, size 48, bit 8", 12, true, 6, 5, 1ull << 8, 0, 0x11},
              {"4K DS, OAS 48, bit 9", 12, true, 5, 6, 1ull << 9, 0, 0x11},
              {"4K without DS ignores them", 12, false, 6, 6, (3ull << 48) | 0x300, kOut, 0},
              {"16K DS, bits 9:8 and 49:48", 14, true, 6, 6, (3ull << 48) | 0x300, kOut | high, 0},
              {"16K DS, size 44", 14, true, 6, 4, 1ull << 9, 0, 0x11},
              {"16K without DS ignores them", 14, false, 6, 6, (3ull << 48) | 0x300, kOut, 0}};
  for (const auto& row : rows) {
    set_oas(row.oas_code);
    m.set(kCd, 34, 32, row.size_code);
    a.address = 0x20001234;
    // Start level 1 for 64K and 16K, level 0 for 4K.
    const Chain chain{0x100000000, row.granule, 44, row.granule == 12 ? 0 : 1};
    m.set(kSte, 3, 1, 5);
    use_stage1(chain, row.ds);
    chain.write(&m, a.address, 3, kOut | kPlain | row.field);
    const uint64_t pa = row.pa | (a.address & mask(row.granule));
    row.event == 0 ? expect_pa(pa, row.name) : expect_event(Outcome::Abort, row.event, row.name);

    use_stage2(chain, 6, 2, row.ds);
    m.set(kSte, 178, 176, row.size_code);
    chain.write(&m, a.address, 3, kOut | kPlain2 | row.field);
    row.event == 0 ? expect_pa(pa, row.name) : expect_event(Outcome::Abort, row.event, row.name);
  }
}

TEST_F(RefwalkWide, TablesAbove48) {
  // The next table and the first table lie above 2^48.
  const uint64_t high = 0x3ull << 50;
  for (const unsigned granule : {12u, 14u, 16u}) {
    const std::string name = "granule " + std::to_string(granule);
    const Chain chain{0x100000000, granule, 44, granule == 12 ? 0 : 1};
    const Chain far{high | 0x100000000, granule, 44, chain.start};
    const uint64_t field = granule == 16 ? 0xC000 : 0x300;
    a.address = 0x20001234;
    for (const unsigned stage : {1u, 2u}) {
      m.set(kSte, 3, 1, 5);
      if (stage == 1) use_stage1(far, granule != 16);
      if (stage == 2) use_stage2(far, 6, 2, granule != 16);
      for (int level = chain.start; level < 3; ++level) {
        m.words[far.entry(level, a.address)] = chain.table(level + 1) | 3 | field;
      }
      m.words[far.entry(3, a.address)] = kOut | (stage == 1 ? kPlain : kPlain2);
      expect_pa(kOut | (a.address & mask(granule)), name + " stage " + std::to_string(stage));
      EXPECT_EQ(run().fetch_list.back().address, far.entry(3, a.address)) << name;
    }
    // Without DS the first table must fit in 48 bits; with the 64 KB granule it need not.
    if (granule == 16) continue;
    m.set(kSte, 3, 1, 5);
    use_stage1(far, false);
    expect_event(Outcome::Abort, 0x0A, name + ", CD.TTB0 above 48 bits");
    use_stage2(far, 6, 2, false);
    expect_event(Outcome::Abort, 0x04, name + ", STE.S2TTB above 48 bits");
  }
}

TEST_F(RefwalkWide, FieldsThatIdrTakesAway) {
  // CD.DS and STE.S2DS are RES0 if IDR5.DS is 0: neither 52 bits of input nor level-0 blocks.
  const Chain chain{0x100000000, 12, 52, -1};
  a.address = 0x1234;
  use_stage1(chain, true);
  chain.write(&m, a.address, 3, kOut | kPlain);
  expect_pa(kOut | 0x234, "DS");
  r.idr5 &= ~(1u << 7);
  expect_event(Outcome::Abort, 0x0A, "TxSZ 12 without IDR5.DS");
  r.idr5 = (r.idr5 | (1u << 7)) & ~(3u << 10);
  expect_event(Outcome::Abort, 0x0A, "TxSZ 12 without IDR5.VAX");
  use_stage2(chain, 6, 4, true);
  chain.write(&m, a.address, 3, kOut | kPlain2);
  expect_pa(kOut | 0x234, "S2DS; VAX says nothing about stage 2");
  r.idr5 &= ~(1u << 7);
  expect_event(Outcome::Abort, 0x04, "S2T0SZ 12 without IDR5.DS");
}

TEST_F(RefwalkWide, ShareabilityWithDs) {
  const Chain chain{0x100000000, 12, 44, 0};
  use_stage1(chain, true);
  m.set(kCd, 13, 12, 2);
  chain.write(&m, kVa, 3, kOut | kPlain);
  EXPECT_EQ(run().sh, 2) << "CD.SH0";
  use_stage1(chain, false);
  chain.write(&m, kVa, 3, kOut | kPlain | 0x300);
  EXPECT_EQ(run().sh, 3) << "descriptor";
  const Chain large{0x100000000, 16, 44, 1};
  use_stage1(large, true);
  large.write(&m, kVa, 3, kOut | kPlain | 0x300);
  EXPECT_EQ(run().sh, 3) << "descriptor: DS says nothing about the 64 KB granule";
}

TEST_F(RefwalkWide, SizeCodesInV30) {
  // CD.IPS and STE.S2PS: 6 and 7 behave as 5 in v3.0, where addresses have 48 bits.
  r.aidr = 0;
  r.idr5 = 5 | (7u << 4);
  const Chain chain{0x100000000, 12, 44, 0};
  use_stage1(chain, false);
  for (const unsigned code : {5u, 6u, 7u}) {
    m.set(kCd, 34, 32, code);
    chain.write(&m, kVa, 3, (uint64_t{1} << 47) | kPlain);
    expect_pa((uint64_t{1} << 47) | 0xABC, std::to_string(code));
  }
  // TTBx[51:48] does not exist.
  m.set(kCd, 115, 112, 0xF);
  expect_pa((uint64_t{1} << 47) | 0xABC, "TTB0 bits above 47 are RES0");
}

}  // namespace
}  // namespace refwalk

// SPDX-License-Identifier: MIT
// ILLEGAL STEs in the reference walker, one row a condition of IHI 0070 5.2.2 (SteIllegal) and the fields' texts
// in 5.2, and next to it the nearest legal setting. These tests say nothing about model/ and name sections, not the
// house's rules.
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

struct SteField {
  unsigned high, low;
  uint64_t value;
};

// Bits of an ID register that a row sets (`on`) or clears (`off`).
struct Idr {
  uint32_t Registers::*which;
  uint32_t on, off;
};

constexpr uint32_t kS1P = 1u << 1, kS2P = 1u << 0, kHyp = 1u << 9, kAts = 1u << 10, kNs1Ats = 1u << 11,
                   kVmid16 = 1u << 18, kCd2l = 1u << 19;
constexpr uint32_t stall(uint32_t model) {
  return model << 24;
}
constexpr uint32_t httu(uint32_t code) {
  return code << 6;
}
constexpr uint32_t ttendian(uint32_t code) {
  return code << 21;
}

struct Row {
  const char* name;
  unsigned config;
  std::vector<SteField> fields;
  std::vector<Idr> idr;
  bool illegal;
};

constexpr auto kIdr0 = &Registers::idr0;
constexpr auto kIdr1 = &Registers::idr1;
constexpr auto kIdr3 = &Registers::idr3;
constexpr auto kIdr5 = &Registers::idr5;
constexpr auto kAidr = &Registers::aidr;

// A legal nested stream of stage 1 (48 bits) and stage 2 (4 KB, 40 bits, level 1); a row changes what it names.
class RefwalkSte : public RefwalkWide {
 protected:
  void check(const std::vector<Row>& rows) {
    const auto words = m.words;
    const Registers registers = r;
    for (const Row& row : rows) {
      m.words = words;
      r = registers;
      use_stage2(Chain{0x2000000000, 12, 40, 1}, row.config, 1, false);
      m.set(kSte, 3, 1, row.config);
      for (const SteField& field : row.fields) m.set(kSte, field.high, field.low, field.value);
      for (const Idr& idr : row.idr) r.*idr.which = (r.*idr.which | idr.on) & ~idr.off;
      const Result result = run();
      EXPECT_EQ(number(result) == 0x04, row.illegal) << row.name << ", event " << number(result);
      if (!row.illegal) continue;
      EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(Outcome::Abort)) << row.name;
      EXPECT_EQ(result.fetches, 1u) << row.name;
      EXPECT_EQ(result.event.dw[0], 0x0000000300000004u) << row.name;
      EXPECT_EQ(result.event.dw[1] | result.event.dw[2] | result.event.dw[3], 0u) << row.name;
    }
    m.words = words;
    r = registers;
  }
};

TEST_F(RefwalkSte, ValidAndConfig) {
  check({{"V", 7, {{0, 0, 0}}, {}, true},
         {"V with Config 0", 0, {{0, 0, 0}}, {}, true},
         {"Config 0xx is never ILLEGAL", 3, {{178, 174, 31}, {165, 160, 63}, {94, 94, 1}}, {{kIdr0, kHyp, 0}}, false},
         {"Config 101 without S1P", 5, {}, {{kIdr0, 0, kS1P}}, true},
         {"Config 111 without S1P", 7, {}, {{kIdr0, 0, kS1P}}, true},
         {"Config 110 without S1P", 6, {}, {{kIdr0, 0, kS1P}}, false},
         {"Config 110 without S2P", 6, {}, {{kIdr0, 0, kS2P}}, true},
         {"Config 111 without S2P", 7, {}, {{kIdr0, 0, kS2P}}, true},
         {"Config 101 without S2P", 5, {}, {{kIdr0, 0, kS2P}}, false},
         {"Config 100 without both", 4, {}, {{kIdr0, 0, kS1P | kS2P}}, false}});
}

TEST_F(RefwalkSte, Eats) {
  const SteField s2s{185, 185, 1};
  check({{"split-stage", 7, {{93, 92, 2}}, {{kIdr0, kAts, 0}}, false},
         {"split-stage, Config 101", 5, {{93, 92, 2}}, {{kIdr0, kAts, 0}}, true},
         {"split-stage, Config 110", 6, {{93, 92, 2}}, {{kIdr0, kAts, 0}}, true},
         {"split-stage, Config 100 ignores it", 4, {{93, 92, 2}}, {{kIdr0, kAts, 0}}, false},
         {"split-stage with S2S", 7, {{93, 92, 2}, s2s}, {{kIdr0, kAts, 0}}, true},
         {"split-stage with NS1ATS", 7, {{93, 92, 2}}, {{kIdr0, kAts | kNs1Ats, 0}}, true},
         {"split-stage without ATS", 5, {{93, 92, 2}}, {}, false},
         {"full ATS with S2S", 7, {{93, 92, 1}, s2s}, {{kIdr0, kAts, 0}}, true},
         {"full ATS with S2S, Config 110", 6, {{93, 92, 1}, s2s}, {{kIdr0, kAts, 0}}, true},
         {"full ATS with S2S, Config 101", 5, {{93, 92, 1}, s2s}, {{kIdr0, kAts, 0}}, false},
         {"full ATS with S2S, Config 101, v3.0", 5, {{93, 92, 1}, s2s}, {{kIdr0, kAts, 0}, {kAidr, 0, 15}}, true},
         {"full ATS without S2S", 7, {{93, 92, 1}}, {{kIdr0, kAts, 0}}, false},
         {"EATS 11 without DPT", 7, {{93, 92, 3}, s2s}, {{kIdr0, kAts, 0}}, false},
         {"DPT with S2S", 7, {{93, 92, 3}, s2s}, {{kIdr0, kAts, 0}, {kIdr3, 1u << 15, 0}}, true},
         {"DPT, EL2", 5, {{93, 92, 3}, {95, 94, 2}}, {{kIdr0, kAts | kHyp, 0}, {kIdr3, 1u << 15, 0}}, true},
         {"DPT, EL1", 5, {{93, 92, 3}}, {{kIdr0, kAts | kHyp, 0}, {kIdr3, 1u << 15, 0}}, false}});
}

TEST_F(RefwalkSte, StreamWorldAndVmid) {
  check({{"STRW 01", 5, {{95, 94, 1}}, {{kIdr0, kHyp, 0}}, true},
         {"STRW 11", 5, {{95, 94, 3}}, {{kIdr0, kHyp, 0}}, true},
         {"STRW 10", 5, {{95, 94, 2}}, {{kIdr0, kHyp, 0}}, false},
         {"STRW 01 without HYP", 5, {{95, 94, 1}}, {}, false},
         {"STRW 01 with stage 2", 7, {{95, 94, 1}}, {{kIdr0, kHyp, 0}}, false},
         {"STRW 01, stage 2 only", 6, {{95, 94, 1}}, {{kIdr0, kHyp, 0}}, false},
         {"STRW 01, bypass", 4, {{95, 94, 1}}, {{kIdr0, kHyp, 0}}, false},
         {"S2VMID of 16 bits", 7, {{143, 128, 0x100}}, {}, true},
         {"S2VMID of 8 bits", 7, {{143, 128, 0xFF}}, {}, false},
         {"S2VMID with VMID16", 7, {{143, 128, 0xFFFF}}, {{kIdr0, kVmid16, 0}}, false},
         {"S2VMID, stage 1 only", 5, {{143, 128, 0x100}}, {}, true},
         {"S2VMID, stage 2 only", 6, {{143, 128, 0x100}}, {}, true},
         {"S2VMID, bypass", 4, {{143, 128, 0x100}}, {}, false},
         {"S2VMID without S2P", 5, {{143, 128, 0x100}}, {{kIdr0, 0, kS2P}}, false},
         {"S2VMID, EL2", 5, {{143, 128, 0x100}, {95, 94, 2}}, {{kIdr0, kHyp, 0}}, false},
         {"S2VMID, STRW 10 without HYP", 5, {{143, 128, 0x100}, {95, 94, 2}}, {}, true}});
}

TEST_F(RefwalkSte, Stage1Fields) {
  check({{"S1STALLD, model 0", 5, {{91, 91, 1}}, {}, false},
         {"S1STALLD, model 1", 5, {{91, 91, 1}}, {{kIdr0, stall(1), 0}}, true},
         {"S1STALLD, model 2", 5, {{91, 91, 1}}, {{kIdr0, stall(2), 0}}, true},
         {"S1STALLD, stage 2 only", 6, {{91, 91, 1}}, {{kIdr0, stall(1), 0}}, false},
         {"S1CDMax 8 of 8", 5, {{63, 59, 8}}, {}, false},
         {"S1CDMax 9 of 8", 5, {{63, 59, 9}}, {}, true},
         {"S1CDMax 9, stage 2 only", 6, {{63, 59, 9}}, {}, false},
         {"S1CDMax 9 without substreams", 5, {{63, 59, 9}}, {{kIdr1, 0, 31u << 6}}, false},
         {"S1Fmt 1 without CD2L", 5, {{63, 59, 1}, {5, 4, 1}}, {{kIdr0, 0, kCd2l}}, true},
         {"S1Fmt 2 without CD2L", 5, {{63, 59, 1}, {5, 4, 2}}, {{kIdr0, 0, kCd2l}}, true},
         {"S1Fmt 3 without CD2L", 5, {{63, 59, 1}, {5, 4, 3}}, {{kIdr0, 0, kCd2l}}, false},
         {"S1Fmt 1, S1CDMax 0", 5, {{5, 4, 1}}, {{kIdr0, 0, kCd2l}}, false},
         {"S1Fmt 1 without substreams", 5, {{63, 59, 1}, {5, 4, 1}}, {{kIdr0, 0, kCd2l}, {kIdr1, 0, 31u << 6}}, false},
         {"S1ContextPtr, stage 2 only", 6, {{55, 52, 15}}, {}, false},
         {"S1ContextPtr", 5, {{52, 52, 1}}, {}, true}});
}

TEST_F(RefwalkSte, Stage2Fields) {
  check(
      {{"S2AA64", 7, {{179, 179, 0}}, {}, true},
       {"S2AA64, stage 1 only", 5, {{179, 179, 0}}, {}, false},
       {"S2S, model 1", 7, {{185, 185, 1}}, {{kIdr0, stall(1), 0}}, true},
       {"S2S, model 1, stage 1 only", 5, {{185, 185, 1}}, {{kIdr0, stall(1), 0}}, false},
       {"no S2S, model 2", 6, {}, {{kIdr0, stall(2), 0}}, true},
       {"S2S, model 2", 6, {{185, 185, 1}}, {{kIdr0, stall(2), 0}}, false},
       {"S2HA without HTTU", 6, {{184, 184, 1}}, {}, true},
       {"S2HD without HTTU", 6, {{183, 183, 1}}, {}, true},
       {"S2HA without HTTU, stage 1 only", 5, {{184, 184, 1}}, {}, false},
       {"S2HAFT without HTTU", 6, {{187, 187, 1}}, {}, false},
       {"S2HA, HTTU 1", 6, {{184, 184, 1}}, {{kIdr0, httu(1), 0}}, false},
       {"S2HD, HTTU 1", 6, {{183, 183, 1}}, {{kIdr0, httu(1), 0}}, true},
       {"S2HA and S2HD, HTTU 1", 7, {{184, 183, 3}}, {{kIdr0, httu(1), 0}}, true},
       {"S2HD alone, HTTU 2", 6, {{183, 183, 1}}, {{kIdr0, httu(2), 0}}, false},
       {"S2HA and S2HD, HTTU 2", 7, {{184, 183, 3}}, {{kIdr0, httu(2), 0}}, false},
       {"S2HAFT alone, HTTU 2", 6, {{187, 187, 1}}, {{kIdr0, httu(2), 0}}, false},
       {"S2HAFT alone, HTTU 3", 6, {{187, 187, 1}}, {{kIdr0, httu(3), 0}}, true},
       {"S2HAFT and S2HA, HTTU 3", 6, {{187, 187, 1}, {184, 184, 1}}, {{kIdr0, httu(3), 0}}, false},
       {"S2ENDI, little only", 6, {{180, 180, 1}}, {{kIdr0, ttendian(2), 0}}, true},
       {"no S2ENDI, big only", 6, {}, {{kIdr0, ttendian(3), 0}}, true},
       {"S2TG reserved", 6, {{175, 174, 3}}, {}, true},
       {"S2TG 4K not there", 6, {}, {{kIdr5, 0, 1u << 4}}, true},
       {"S2TG 16K not there", 6, {{175, 174, 2}, {165, 160, 24}}, {{kIdr5, 0, 1u << 5}}, true},
       {"S2TG 16K", 6, {{175, 174, 2}, {165, 160, 24}}, {}, false},
       {"S2TG 64K not there", 6, {{175, 174, 1}, {165, 160, 24}}, {{kIdr5, 0, 1u << 6}}, true},
       {"S2TG 64K", 6, {{175, 174, 1}, {165, 160, 24}}, {}, false},
       {"S2TTB above S2PS", 6, {{178, 176, 0}}, {}, true},
       {"all of it wrong, stage 1 only", 5, {{184, 183, 3}, {175, 174, 3}, {178, 176, 0}, {165, 160, 63}}, {}, false}});
}

TEST_F(RefwalkSte, StageTwoInputSize) {
  // S2T0SZ: at most 39, or 48 (64 KB: 47) with STT; at least 64 - IAS and 16, or 12 with 64 KB or S2DS.
  const uint32_t stt = 1u << 9;
  const SteField k64{175, 174, 1};
  const SteField ds{195, 195, 1};
  check({{"39 without STT", 6, {{165, 160, 39}, {167, 166, 0}}, {{kIdr3, 0, stt}}, false},
         {"40 without STT", 6, {{165, 160, 40}, {167, 166, 0}}, {{kIdr3, 0, stt}}, true},
         {"40 with STT", 6, {{165, 160, 40}, {167, 166, 0}}, {}, false},
         {"48 with STT", 6, {{165, 160, 48}, {167, 166, 3}}, {}, false},
         {"49 with STT", 6, {{165, 160, 49}, {167, 166, 3}}, {}, true},
         {"64K, 47", 6, {{165, 160, 47}, {167, 166, 0}, k64}, {}, false},
         {"64K, 48", 6, {{165, 160, 48}, {167, 166, 0}, k64}, {}, true},
         {"4K, 16", 6, {{165, 160, 16}, {167, 166, 2}}, {}, false},
         {"4K, 15", 6, {{165, 160, 15}, {167, 166, 2}}, {}, true},
         {"4K, 15 with S2DS", 6, {{165, 160, 15}, {167, 166, 2}, ds}, {}, false},
         {"4K, 12 with S2DS and OAS 48",
          6,
          {{165, 160, 12}, {167, 166, 2}, ds, {239, 196, 0x4000}},
          {{kIdr5, 0, 3}},
          true},
         {"64K, 12", 6, {{165, 160, 12}, {167, 166, 2}, k64}, {}, false},
         {"64K, 11", 6, {{165, 160, 11}, {167, 166, 2}, k64}, {}, true}});
}

}  // namespace
}  // namespace refwalk

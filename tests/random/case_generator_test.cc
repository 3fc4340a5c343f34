// SPDX-License-Identifier: MIT
// Properties that the comparer relies on of the case generator: same seed same case, outcomes mixed, events spread, and
// cacheable cases that a TLB tagged as the architecture says cannot answer differently (IHI 0070 3.17, 5.4).
#include "tests/random/case_generator.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "tests/random/reference/structures.h"

namespace refwalk {
namespace {

// Remembers what one translation read.
struct Recorder : Memory {
  explicit Recorder(const SparseImage& image) : memory(image) {}
  bool read(uint64_t pa, void* data, size_t n) const override {
    const bool good = memory.read(pa, data, n);
    const auto* bytes = static_cast<const unsigned char*>(data);
    if (n == 8) last_word = word_of(bytes, false);
    if (n == 8) last_word_swapped = word_of(bytes, true);
    if (n != 64) return good;
    Structure words{};
    for (unsigned i = 0; i < 8; ++i) words[i] = word_of(bytes + 8 * i, false);
    structures.push_back(words);
    return good;
  }
  const SparseImage& memory;
  mutable std::vector<Structure> structures;
  mutable uint64_t last_word = 0;
  mutable uint64_t last_word_swapped = 0;
};

// What a TLB entry of a proceeding stage-1 translation would be found by.
struct Tags {
  bool stage1 = false;
  unsigned world = 0, vmid = 0, asid = 0;
  bool aset = false, global = false;
};

Tags tags_of(const Case& one, const Recorder& recorder, bool stage2) {
  Tags tags;
  if (recorder.structures.size() != 2) return tags;
  const Features features = features_of(one.registers);
  const Ste ste = ste_of(features, recorder.structures[0]);
  const Cd cd = cd_of(features, recorder.structures[1]);
  const StreamWorld world = stream_world(features, ste, bit(one.registers.cr2, 0));
  tags.stage1 = true;
  tags.world = static_cast<unsigned>(world);
  tags.vmid = world == StreamWorld::EL1 && features.s2p ? ste.S2VMID : 0;
  tags.asid = world == StreamWorld::EL2 ? 0 : cd.ASID;
  tags.aset = flag(recorder.structures[1], 47);
  tags.global =
      !stage2 && world != StreamWorld::EL2 && !bit(cd.ENDI ? recorder.last_word_swapped : recorder.last_word, 11);
  return tags;
}

CaseOptions options_of(bool stage2) {
  CaseOptions options;
  options.stage2 = stage2;
  return options;
}

class CaseGenerator : public testing::TestWithParam<bool> {};

TEST_P(CaseGenerator, SameSeedSameCase) {
  const CaseOptions options = options_of(GetParam());
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Case first = generate_case(seed, options);
    const Case second = generate_case(seed, options);
    EXPECT_EQ(first.memory.words, second.memory.words) << seed;
    EXPECT_EQ(first.memory.aborting, second.memory.aborting) << seed;
    ASSERT_EQ(first.accesses.size(), second.accesses.size()) << seed;
    for (size_t i = 0; i < first.accesses.size(); ++i) EXPECT_EQ(first.accesses[i].address, second.accesses[i].address);
  }
}

TEST_P(CaseGenerator, AboutHalfProceedAndEveryEventOccurs) {
  unsigned proceeds = 0;
  unsigned total = 0;
  std::set<uint64_t> events;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Case one = generate_case(seed, options_of(GetParam()));
    for (const Access& access : one.accesses) {
      const Result result = translate(one.registers, one.memory, access);
      ++total;
      if (result.outcome == Outcome::Proceed) ++proceeds;
      if (result.event.recorded) events.insert(result.event.dw[0] & 0xFF);
    }
  }
  EXPECT_GT(proceeds, total * 2 / 5);
  EXPECT_LT(proceeds, total * 3 / 5);
  EXPECT_EQ(events, (std::set<uint64_t>{2, 3, 4, 6, 8, 9, 10, 11, 16, 17, 18, 19}));
}

TEST_P(CaseGenerator, WordsLieBelowOas) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Case one = generate_case(seed, options_of(GetParam()));
    const unsigned oas = features_of(one.registers).oas;
    EXPECT_FALSE(exceeds(one.memory.words.rbegin()->first, oas)) << seed;
    for (const auto& [address, word] : one.memory.words) EXPECT_EQ(address & 7, 0u);
  }
}

TEST_P(CaseGenerator, TlbTagsNeverMeetTwoAnswers) {
  using Key = std::tuple<unsigned, unsigned, unsigned, uint64_t>;
  unsigned compared = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const Case one = generate_case(seed, options_of(GetParam()));
    ASSERT_TRUE(one.cacheable);
    std::set<std::tuple<uint32_t, bool, uint32_t>> streams;
    for (const Access& access : one.accesses) streams.insert({access.sid, access.ssv, access.ssid});
    std::map<Key, uint64_t> by_asid;
    std::map<Key, uint64_t> global_pages;     // by ASET
    std::map<Key, std::set<uint64_t>> pages;  // by ASET, whatever the ASID
    for (const Access& original : one.accesses) {
      for (const auto& [sid, ssv, ssid] : streams) {
        Access access = original;
        access.sid = sid;
        access.ssv = ssv;
        access.ssid = ssid;
        const Recorder recorder(one.memory);
        const Result result = translate(one.registers, recorder, access);
        const Tags tags = tags_of(one, recorder, GetParam());
        if (result.outcome != Outcome::Proceed || !tags.stage1) continue;
        const uint64_t page = bits(access.address, 55, 12);
        const auto entry = by_asid.emplace(Key{tags.world, tags.vmid, tags.asid, page}, result.pa >> 12);
        EXPECT_EQ(entry.first->second, result.pa >> 12) << "seed " << seed;
        compared += entry.second ? 0 : 1;
        const Key any_asid{tags.world, tags.vmid, tags.aset ? 1u : 0u, page};
        pages[any_asid].insert(result.pa >> 12);
        if (tags.global) global_pages[any_asid] = result.pa >> 12;
      }
    }
    for (const auto& [key, page] : global_pages) EXPECT_EQ(pages[key], std::set<uint64_t>{page}) << "seed " << seed;
  }
  EXPECT_GT(compared, 1000u);
}

TEST_P(CaseGenerator, CorruptionIsMarkedAndSurvived) {
  CaseOptions options = options_of(GetParam());
  options.corruption = 1.0;
  for (uint64_t seed = 1; seed <= 200; ++seed) EXPECT_FALSE(generate_case(seed, options).cacheable) << seed;
}

TEST_P(CaseGenerator, NarrowOptionsAreKept) {
  CaseOptions options = options_of(GetParam());
  options.granule16 = options.granule64 = options.substreams = options.two_level = false;
  options.stall = options.big_endian = options.el2 = options.address52 = options.small_tables = options.aborts = false;
  options.bypass = false;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Case one = generate_case(seed, options);
    const Features features = features_of(one.registers);
    EXPECT_FALSE(features.gran16k || features.gran64k || features.cd2l || features.stt) << seed;
    EXPECT_EQ(features.ssidsize + features.st_level, 0u) << seed;
    EXPECT_EQ(features.stall_model, 1u) << seed;
    EXPECT_EQ(features.ttendian, 2u) << seed;
    EXPECT_TRUE(one.memory.aborting.empty()) << seed;
    EXPECT_EQ(one.registers.cr0, 1u) << seed;
    for (const Access& access : one.accesses) EXPECT_FALSE(access.ssv) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Stage2, CaseGenerator, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& row) { return row.param ? "On" : "Off"; });

}  // namespace
}  // namespace refwalk

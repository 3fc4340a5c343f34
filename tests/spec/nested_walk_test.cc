// SPDX-License-Identifier: MIT
// What a nested translation fetches, and in which order (IHI 0070 sections 3.3.2, 5.2, 7.3.22): every address that
// stage 1 uses goes through stage 2. All caches are off, so the counts are exact.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
constexpr std::uint64_t target = SmmuBench::target;

constexpr std::uint64_t two_to(unsigned bits) {
  return std::uint64_t{1} << bits;
}

struct ShapeRow {
  unsigned granule, bits;
  int start;
};
// Four, three, two and one levels.
constexpr ShapeRow stage1_rows[] = {{12, 48, 0}, {12, 39, 1}, {12, 30, 2}, {16, 48, 1}, {16, 42, 2},
                                    {16, 29, 3}, {14, 47, 1}, {14, 36, 2}, {14, 25, 3}};
constexpr ShapeRow stage2_rows[] = {{12, 48, 0}, {12, 40, 1}, {12, 34, 2}, {16, 48, 1},
                                    {16, 42, 2}, {16, 33, 3}, {14, 44, 1}, {14, 40, 2}};

TableShape shape_of(const ShapeRow& row) {
  TableShape shape;
  shape.granule = row.granule;
  shape.input_bits = row.bits;
  shape.start_level = row.start;
  return shape;
}

/// The fetches of stage 2 for one IPA, then the access itself.
void expect_access(std::vector<std::uint64_t>& list, Stage2Bench& b, std::uint64_t ipa) {
  for (int level = b.s2.shape().start_level; level <= 3; ++level) list.push_back(b.s2.entry(ipa, level));
  const std::uint64_t page = two_to(b.s2.shape().granule) - 1;
  list.push_back((b.place(ipa & ~page)) | (ipa & page));
}

TEST(SpecNestedWalk, FetchesInOrder) {
  RecordProperty("rule", "SM-SS-004 SM-EVP-003 SM-TR-014");
  for (const ShapeRow& first : stage1_rows) {
    for (const ShapeRow& second : stage2_rows) {
      SCOPED_TRACE(testing::Message() << "stage 1 2^" << first.granule << " level " << first.start << ", stage 2 2^"
                                      << second.granule << " level " << second.start);
      Stage2Bench::Options options;
      options.config = without_caches(stage2_config());
      options.stage1 = shape_of(first);
      options.stage2 = shape_of(second);
      Stage2Bench b(options);
      const std::uint64_t va = two_to(first.bits) - two_to(first.granule), ipa = 0x1'7fff'0000;
      b.s1.map(va, ipa, raw::af | raw::ap_unprivileged);
      b.cover(ipa, two_to(first.granule));
      b.bench.memory.log.clear();
      EXPECT_EQ(b.read(va + 0x120).address.value, b.place(ipa) + 0x120);
      std::vector<std::uint64_t> expected{SmmuBench::strtab + 64 * Stage2Bench::sid};
      expect_access(expected, b, Stage2Bench::cd_ipa);
      for (int level = first.start; level <= 3; ++level) expect_access(expected, b, b.s1.entry(va, level));
      expect_access(expected, b, ipa + 0x120);
      expected.pop_back();  // the client's access is not ours
      std::vector<std::uint64_t> seen;
      for (const BenchAccess& access : b.bench.memory.log) seen.push_back(access.address);
      EXPECT_EQ(seen, expected);
      // (n + 1)(m + 1) - 1 descriptors; the CD costs m more.
      const auto n = static_cast<std::size_t>(4 - first.start), m = static_cast<std::size_t>(4 - second.start);
      EXPECT_EQ(b.bench.memory.count(Purpose::TTD), (n + 1) * (m + 1) - 1 + m);
      EXPECT_EQ(b.bench.memory.count(Purpose::CD), 1u);
      EXPECT_EQ(b.bench.memory.count(Purpose::STE), 1u);
    }
  }
}

TEST(SpecNestedWalk, TwoLevelCdTablesGoThroughStageTwoTwice) {
  RecordProperty("rule", "SM-SS-004 SM-SS-005");
  Stage2Bench::Options options;
  options.config = without_caches(stage2_config());
  Stage2Bench b(options);
  const std::uint64_t l1 = 0xd000'0000, leaf = 0xe000'0000;
  b.cover(l1, 0x1000);
  b.cover(leaf + 64 * 5, 64);
  b.edit_ste({{ste::S1CDMax, 12}, {ste::S1Fmt, 1}, {ste::S1ContextPtr, l1 >> 6}});
  b.bench.memory.write64(b.place(l1) + 8 * 3, leaf | 1);
  b.bench.memory.store(b.place(leaf) + 64 * 5, b.cd);
  b.s1.map(0x1000, 0x8000, raw::af | raw::ap_unprivileged);
  b.s2.map(0x8000, target, s2_rw);
  b.bench.memory.log.clear();
  Transaction t = SmmuBench::transaction(Stage2Bench::sid, 0x1000);
  t.substream_valid = true;
  t.substream_id = SubstreamId(3 * 64 + 5);
  EXPECT_EQ(b.bench.go(t).address.value, target);
  std::vector<std::uint64_t> expected{SmmuBench::strtab + 64 * Stage2Bench::sid};
  expect_access(expected, b, l1 + 8 * 3);
  expect_access(expected, b, leaf + 64 * 5);
  ASSERT_GE(b.bench.memory.log.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(b.bench.memory.log[i].address, expected[i]) << i;
}

/// IPA pages scattered over memory: neighbours at stage 2's granule are not neighbours in memory.
std::uint64_t scatter(std::uint64_t ipa, unsigned granule) {
  const std::uint64_t number = ipa >> granule, pages = two_to(36 - granule);
  return ((number * 5 + 3) & (pages - 1)) << granule | 0x20'0000'0000 | (ipa & (two_to(granule) - 1));
}

TEST(SpecNestedWalk, TablesLargerThanAStageTwoPageAreFetchedPieceByPiece) {
  RecordProperty("rule", "SM-SS-004");
  for (const unsigned granule : {14u, 16u}) {
    for (const bool caches : {false, true}) {
      SCOPED_TRACE(testing::Message() << "stage 1 2^" << granule << " over 4 KiB, caches " << caches);
      Stage2Bench::Options options;
      options.config = caches ? stage2_config() : without_caches(stage2_config());
      options.stage1 = shape_of({granule, granule == 14 ? 47u : 48u, 1});
      options.place = [](std::uint64_t ipa) { return scatter(ipa, 12); };
      Stage2Bench b(options);
      // One entry in each 4 KiB piece of a leaf table, and entries in every piece of a table of level 2.
      const std::uint64_t page = two_to(granule);
      const unsigned pieces = 1u << (granule - 12);
      for (unsigned i = 0; i < pieces; ++i) {
        const std::uint64_t leaf_va = (std::uint64_t{i} * 512 + 7) << granule;
        const std::uint64_t table_va = (std::uint64_t{i} * 512 + 9) << options.stage1.shift(2);
        std::uint64_t n = i;
        for (const std::uint64_t va : {leaf_va, table_va}) {
          const std::uint64_t ipa = 0x1'0000'0000 + n * 2 * page;
          n += 64;
          b.s1.map(va, ipa, raw::af | raw::ap_unprivileged);
          b.cover(ipa, page);
          EXPECT_EQ(b.read(va + page - 8).address.value, scatter(ipa + page - 8, 12)) << "piece " << i;
          EXPECT_EQ(b.read(va).address.value, scatter(ipa, 12)) << "piece " << i;
        }
      }
      EXPECT_TRUE(b.bench.take_events().empty());
    }
  }
}

TEST(SpecNestedWalk, OneMissingPieceFaultsAlone) {
  RecordProperty("rule", "SM-EVR-014 SM-EVR-027");
  Stage2Bench::Options options;
  options.stage1 = shape_of({16, 48, 1});
  Stage2Bench b(options);
  for (const std::uint64_t index : {7u, 519u}) b.s1.map(index << 16, 0x1'0000'0000, raw::af | raw::ap_unprivileged);
  b.cover(0x1'0000'0000, 0x1'0000);
  const std::uint64_t missing = b.s1.entry(519u << 16, 3);
  b.s2.set(missing, 3, 0);
  EXPECT_EQ(b.read(7u << 16).outcome, Outcome::proceed);
  EXPECT_EQ(b.read(519u << 16).outcome, Outcome::abort);
  const raw::Record record = b.bench.take_event();
  EXPECT_EQ(record.get(raw::ev::Type), raw::ev::F_TRANSLATION);
  EXPECT_EQ(record.get(raw::ev::CLASS), 1u);
  EXPECT_EQ(record.get(raw::ev::IPA), missing >> 12);
}

TEST(SpecNestedWalk, CachesDoNotChangeTheAnswer) {
  RecordProperty("rule", "SM-TR-001 SM-TL-004");
  Stage2Bench cached;
  Stage2Bench::Options options;
  options.config = without_caches(stage2_config());
  Stage2Bench plain(options);
  for (Stage2Bench* b : {&cached, &plain}) {
    for (std::uint64_t i = 0; i < 64; ++i) {
      const std::uint64_t va = (i * 0x2492'4925'1000) & 0xffff'ffff'f000,
                          ipa = (i * 0x1234'5671'1000) & 0xffff'ffff'f000;
      b->s1.map(va, ipa, raw::af | raw::ap_unprivileged);
      if (i % 3 != 0) b->s2.map(ipa, (i * 0x1b6d'b6d1'3000) & 0xffff'ffff'f000, s2_rw);
    }
  }
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 64; ++i) {
      const std::uint64_t va = (i * 0x2492'4925'1000) & 0xffff'ffff'f000;
      const Response a = cached.read(va), b = plain.read(va);
      EXPECT_EQ(event_number(a), event_number(b)) << i;
      EXPECT_EQ(a.address.value, b.address.value) << i;
      EXPECT_EQ(cached.bench.take_events(), plain.bench.take_events()) << i;
    }
  }
}

}  // namespace
}  // namespace smmusim

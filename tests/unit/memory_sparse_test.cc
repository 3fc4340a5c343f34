// SPDX-License-Identifier: MIT
// SparseMemory: what exists, what aborts (IHI 0070 section 3.13), what stays unallocated, where the fast path and the
// slow path meet (chunk edges, range ends, injected aborts), what is counted.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "platform/memory/sparse_memory.h"

namespace smmusim {
namespace {

constexpr std::uint64_t base = 0x4000'0000;
constexpr std::uint64_t chunk = SparseMemory::chunk_bytes;
constexpr std::uint64_t word = 0x1122'3344'5566'7788;

SparseMemoryConfig with_ranges(std::vector<MemoryRange> ranges) {
  SparseMemoryConfig config;
  config.ranges = std::move(ranges);
  config.huge_pages = false;
  return config;
}
/// Four chunks from `base` on.
SparseMemoryConfig small() {
  return with_ranges({{Pa(base), 4 * chunk}});
}

std::string refusal(std::vector<MemoryRange> ranges) {
  try {
    SparseMemory memory(with_ranges(std::move(ranges)));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

// Ranges.

TEST(SparseRanges, RefusesWhatIsNoMemory) {
  EXPECT_NE(refusal({}).find("give at least one range"), std::string::npos);
  EXPECT_NE(refusal({{Pa(base), 0}}).find("is empty"), std::string::npos);
  EXPECT_NE(refusal({{Pa(base), 0x2000}, {Pa(base + 0x1000), 0x2000}}).find("overlaps"), std::string::npos);
  EXPECT_NE(refusal({{Pa(std::uint64_t{1} << 56), 1}}).find("leaves the address space"), std::string::npos);
  EXPECT_NE(refusal({{Pa((std::uint64_t{1} << 56) - 8), 9}}).find("leaves the address space"), std::string::npos);
  EXPECT_NE(refusal({{Pa(base), ~std::uint64_t{0}}}).find("leaves the address space"), std::string::npos);
}

TEST(SparseRanges, ReachTheLastByteOfTheAddressSpace) {
  constexpr std::uint64_t end = std::uint64_t{1} << SparseMemory::address_bits_max;
  SparseMemory memory(with_ranges({{Pa(end - 16), 16}}));
  EXPECT_TRUE(memory.write64(Pa(end - 8), word));
  EXPECT_EQ(memory.load64(Pa(end - 8)), word);
  std::uint64_t value = 0;
  EXPECT_FALSE(memory.read64(Pa(end), value));
  EXPECT_FALSE(memory.read64(Pa(~std::uint64_t{0} - 7), value));
}

TEST(SparseRanges, ContainsIsExactAtBothEnds) {
  SparseMemory memory(with_ranges({{Pa(base + 0x100), 0x100}}));
  EXPECT_TRUE(memory.contains(Pa(base + 0x100), 0x100));
  EXPECT_FALSE(memory.contains(Pa(base + 0xff), 1));
  EXPECT_FALSE(memory.contains(Pa(base + 0x100), 0x101));
  EXPECT_FALSE(memory.contains(Pa(base + 0x200), 1));
  EXPECT_FALSE(memory.contains(Pa(base + 0x1ff), ~std::size_t{0}));
}

TEST(SparseRanges, AccessAcrossAnEndIsAnAbortAndCopiesNothing) {
  SparseMemory memory(with_ranges({{Pa(base), 0x1000}}));
  ASSERT_TRUE(memory.write64(Pa(base + 0xff8), word));
  std::array<std::uint8_t, 16> bytes{};
  bytes.fill(0xee);
  const auto before = bytes;
  EXPECT_FALSE(memory.read(Pa(base + 0xff8), bytes.data(), 16));
  EXPECT_EQ(bytes, before);
  EXPECT_FALSE(memory.write(Pa(base + 0xff8), bytes.data(), 16));
  EXPECT_FALSE(memory.write64(Pa(base + 0xffc), 0));  // not aligned, and half outside
  EXPECT_EQ(memory.load64(Pa(base + 0xff8)), word);
}

TEST(SparseRanges, RangesThatTouchAreOneAndAGapIsAGap) {
  SparseMemory memory(with_ranges({{Pa(base + 0x1000), 0x1000}, {Pa(base), 0x1000}, {Pa(base + 0x3000), 0x1000}}));
  std::array<std::uint8_t, 0x1002> bytes{};
  EXPECT_TRUE(memory.write(Pa(base + 0xfff), bytes.data(), 2));
  EXPECT_FALSE(memory.write(Pa(base + 0x1fff), bytes.data(), 0x1002)) << "both ends exist, the middle does not";
}

// Contents.

TEST(SparseContents, NeverWrittenReadsAsZeroAndStaysUnallocated) {
  SparseMemory memory(small());
  std::array<std::uint8_t, 64> bytes{};
  bytes.fill(0xee);
  EXPECT_TRUE(memory.read(Pa(base + chunk - 32), bytes.data(), bytes.size()));
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 64>{}));
  std::uint64_t value = 1;
  EXPECT_TRUE(memory.read64(Pa(base), value));
  EXPECT_EQ(value, 0u);
  EXPECT_TRUE(memory.peek(Pa(base), bytes.data(), 64));
  EXPECT_EQ(memory.resident_bytes(), 0u);
}

TEST(SparseContents, WriteAllocatesItsChunksOnly) {
  SparseMemory memory(small());
  ASSERT_TRUE(memory.write64(Pa(base + chunk), word));
  EXPECT_EQ(memory.resident_bytes(), chunk);
  ASSERT_TRUE(memory.write64(Pa(base + 2 * chunk - 8), word));
  EXPECT_EQ(memory.resident_bytes(), chunk);
}

TEST(SparseContents, AccessAcrossAChunkEdgeIsWhole) {
  SparseMemory memory(small());
  std::array<std::uint8_t, 24> out{}, in{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i + 1);
  for (const std::uint64_t offset : {chunk - 1, chunk - 12, chunk - 23}) {
    ASSERT_TRUE(memory.write(Pa(base + offset), out.data(), out.size()));
    in.fill(0);
    ASSERT_TRUE(memory.read(Pa(base + offset), in.data(), in.size()));
    EXPECT_EQ(in, out) << offset;
  }
  EXPECT_EQ(memory.resident_bytes(), 2 * chunk);
}

TEST(SparseContents, ReadAcrossAnEdgeIntoAnUnallocatedChunkEndsInZeros) {
  SparseMemory memory(small());
  ASSERT_TRUE(memory.write64(Pa(base + chunk - 8), word));
  std::array<std::uint64_t, 2> words{1, 1};
  ASSERT_TRUE(memory.read(Pa(base + chunk - 8), words.data(), 16));
  EXPECT_EQ(words, (std::array<std::uint64_t, 2>{word, 0}));
  EXPECT_EQ(memory.resident_bytes(), chunk);
}

TEST(SparseContents, UnalignedDoublewordAcrossAnEdge) {
  SparseMemory memory(small());
  ASSERT_TRUE(memory.write64(Pa(base + chunk - 3), word));
  EXPECT_EQ(memory.load64(Pa(base + chunk - 3)), word);
}

TEST(SparseContents, DoublewordsAreLittleEndian) {
  SparseMemory memory(small());
  memory.store64(Pa(base), word);
  std::uint8_t first = 0;
  ASSERT_TRUE(memory.read(Pa(base), &first, 1));
  EXPECT_EQ(first, 0x88);
}

TEST(SparseContents, FarApartAddressesDoNotAlias) {
  SparseMemory memory;
  std::vector<std::uint64_t> addresses;
  for (unsigned bit = 21; bit < 40; ++bit) addresses.push_back(base + (std::uint64_t{1} << bit));
  for (const std::uint64_t address : addresses) memory.store64(Pa(address), address);
  for (const std::uint64_t address : addresses) EXPECT_EQ(memory.load64(Pa(address)), address);
}

// Limit.

TEST(SparseLimit, WriteBeyondItThrowsAndMemoryStaysUsable) {
  SparseMemoryConfig config = small();
  config.resident_bytes_max = 2 * chunk;
  SparseMemory memory(config);
  ASSERT_TRUE(memory.write64(Pa(base), 1));
  ASSERT_TRUE(memory.write64(Pa(base + chunk), 2));
  EXPECT_THROW(memory.write64(Pa(base + 2 * chunk), 3), MemoryLimitError);
  EXPECT_THROW(memory.poke(Pa(base + 3 * chunk), &word, 8), MemoryLimitError);
  EXPECT_EQ(memory.load64(Pa(base + 2 * chunk)), 0u);
  EXPECT_TRUE(memory.write64(Pa(base + 8), 4));
  EXPECT_EQ(memory.load64(Pa(base + chunk)), 2u);
}

TEST(SparseLimit, MessageSaysWhatWouldBeRight) {
  SparseMemoryConfig config = small();
  config.resident_bytes_max = 0;
  SparseMemory memory(config);
  try {
    memory.write64(Pa(base), 1);
    FAIL() << "no limit";
  } catch (const MemoryLimitError& error) {
    EXPECT_NE(std::string(error.what()).find("0x40000000"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("raise resident_bytes_max"), std::string::npos) << error.what();
  }
}

// Injected aborts.

struct AbortRow {
  const char* what;
  bool reads;
  bool writes;
};

TEST(SparseAborts, HitReadsAndWritesAsAsked) {
  for (const AbortRow& row : {AbortRow{"reads", true, false}, {"writes", false, true}, {"both", true, true}}) {
    SCOPED_TRACE(row.what);
    SparseMemory memory(small());
    memory.store64(Pa(base), word);
    memory.inject_abort(Pa(base), 8, row.reads, row.writes);
    std::uint64_t value = 0;
    EXPECT_EQ(memory.read64(Pa(base), value), !row.reads);
    EXPECT_EQ(memory.write64(Pa(base), 5), !row.writes);
    memory.clear_aborts();
    EXPECT_EQ(memory.load64(Pa(base)), row.writes ? word : 5u);
  }
}

TEST(SparseAborts, HitEveryAccessThatTouchesThemAndNoOther) {
  SparseMemory memory(small());
  memory.store64(Pa(base), 1);
  memory.inject_abort(Pa(base + 0x100), 0x10, true, true);
  std::array<std::uint8_t, 64> bytes{};
  EXPECT_TRUE(memory.read(Pa(base + 0xf8), bytes.data(), 8));
  EXPECT_FALSE(memory.read(Pa(base + 0xf9), bytes.data(), 8));
  EXPECT_FALSE(memory.read(Pa(base + 0x10f), bytes.data(), 1));
  EXPECT_FALSE(memory.write(Pa(base + 0xe0), bytes.data(), 64));
  EXPECT_TRUE(memory.write(Pa(base + 0x110), bytes.data(), 64));
}

TEST(SparseAborts, HoldForChunksThatComeLaterAndAcrossEdges) {
  SparseMemory memory(small());
  memory.inject_abort(Pa(base + chunk - 8), 16, false, true);
  EXPECT_FALSE(memory.write64(Pa(base + chunk - 8), word));
  EXPECT_FALSE(memory.write64(Pa(base + chunk), word));
  EXPECT_EQ(memory.resident_bytes(), 0u) << "a write that aborts allocates nothing";
  EXPECT_TRUE(memory.write64(Pa(base + chunk + 8), word));
  EXPECT_FALSE(memory.write64(Pa(base + chunk), word));
}

TEST(SparseAborts, ClearGivesEverythingBack) {
  SparseMemory memory(small());
  memory.store64(Pa(base), word);
  memory.inject_abort(Pa(base), 8, true, true);
  memory.inject_abort(Pa(base), ~std::uint64_t{0}, true, true);  // to the end of the address space
  memory.clear_aborts();
  EXPECT_EQ(memory.load64(Pa(base)), word);
  EXPECT_TRUE(memory.write64(Pa(base + 3 * chunk), word));
}

TEST(SparseAborts, EmptyRangeInjectsNothing) {
  SparseMemory memory(small());
  memory.inject_abort(Pa(base), 0, true, true);
  EXPECT_TRUE(memory.write64(Pa(base), word));
}

// Compare and swap.

TEST(SparseSwap, WritesOnAMatchOnly) {
  SparseMemory memory(small());
  memory.store64(Pa(base), 7);
  std::uint64_t expected = 6;
  EXPECT_TRUE(memory.compare_and_swap64(Pa(base), expected, 9));
  EXPECT_EQ(expected, 7u);
  EXPECT_EQ(memory.load64(Pa(base)), 7u);
  EXPECT_TRUE(memory.compare_and_swap64(Pa(base), expected, 9));
  EXPECT_EQ(expected, 7u);
  EXPECT_EQ(memory.load64(Pa(base)), 9u);
}

TEST(SparseSwap, MismatchOnUnallocatedMemoryAllocatesNothing) {
  SparseMemory memory(small());
  std::uint64_t expected = 1;
  EXPECT_TRUE(memory.compare_and_swap64(Pa(base), expected, 9));
  EXPECT_EQ(expected, 0u);
  EXPECT_EQ(memory.resident_bytes(), 0u);
}

TEST(SparseSwap, AbortsWhereReadOrWriteWouldAndWhereItIsNotAligned) {
  SparseMemory memory(small());
  memory.inject_abort(Pa(base), 8, true, false);
  memory.inject_abort(Pa(base + 8), 8, false, true);
  for (const std::uint64_t address : {base, base + 8, base + 20, base + 4 * chunk}) {
    std::uint64_t expected = 0;
    EXPECT_FALSE(memory.compare_and_swap64(Pa(address), expected, 9)) << std::hex << address;
    EXPECT_EQ(expected, 0u);
  }
  EXPECT_EQ(memory.counters().aborts, 4u);
}

// Counters.

TEST(SparseCounters, CountAccessesAndAborts) {
  SparseMemory memory(small());
  std::uint64_t value = 0;
  memory.write64(Pa(base), 1);  // slow path: the chunk is new
  memory.write64(Pa(base), 1);  // fast path
  memory.write(Pa(base + 8), &value, 4);
  memory.compare_and_swap64(Pa(base), value, 2);
  memory.read64(Pa(base), value);
  memory.read(Pa(base + chunk - 4), &value, 8);
  memory.read64(Pa(base - 8), value);
  memory.write64(Pa(base - 8), value);
  EXPECT_EQ(memory.counters().writes, 5u);
  EXPECT_EQ(memory.counters().reads, 3u);
  EXPECT_EQ(memory.counters().aborts, 2u);
  memory.reset_counters();
  EXPECT_EQ(memory.counters().writes + memory.counters().reads + memory.counters().aborts, 0u);
}

TEST(SparseCounters, PeekAndPokeCountNothingAndKeepTheRules) {
  SparseMemory memory(small());
  std::uint64_t value = word;
  EXPECT_TRUE(memory.poke(Pa(base + chunk - 4), &value, 8));
  value = 0;
  EXPECT_TRUE(memory.peek(Pa(base + chunk - 4), &value, 8));
  EXPECT_EQ(value, word);
  EXPECT_FALSE(memory.peek(Pa(base - 8), &value, 8));
  EXPECT_FALSE(memory.poke(Pa(base + 4 * chunk - 4), &value, 8));
  EXPECT_EQ(memory.counters().writes + memory.counters().reads + memory.counters().aborts, 0u);
}

}  // namespace
}  // namespace smmusim

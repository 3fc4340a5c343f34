// SPDX-License-Identifier: MIT
// PageTable: descriptor words computed by hand from the Arm ARM (D8.3), and a walk that is a plain loop over words.
// It must not use lookup() to judge map(), except where lookup() itself is the subject.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "platform/driver/page_table.h"

namespace smmusim {
namespace {

constexpr std::uint64_t region = 0x50000000;
constexpr std::uint64_t region_bytes = 64 << 20;

struct PageTableTest : ::testing::Test {
  SparseMemory memory;
  PageAllocator pages{Pa(region), region_bytes};

  /// The descriptor that four table reads of a 4 KiB, 48-bit table end at, written out.
  std::uint64_t walk(const PageTable& table, std::uint64_t va) {
    std::uint64_t base = table.root().value;
    std::uint64_t word = 0;
    for (int shift = 39; shift >= 12; shift -= 9) {
      word = memory.load64(Pa(base + ((va >> shift) & 511) * 8));
      if (shift == 12 || (word & 3) != 3) break;
      base = word & 0x0000fffffffff000;
    }
    return word;
  }
};

TEST_F(PageTableTest, PageIsWrittenWithTheAttributesOfLinux) {
  PageTable table(memory, pages, Geometry{});
  table.map(0xffffd000, Pa(0x41387000), 4096, {});
  // Valid, page, AttrIndx 1, AP[1] (unprivileged), SH inner, AF, nG.
  EXPECT_EQ(walk(table, 0xffffd000), 0x41387000U | 0x3 | 1 << 2 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11);
}

TEST_F(PageTableTest, BitsAbove47OfA64KLeafStandAt12To15) {
  const Geometry geometry{.granule_bits = 16, .input_bits = 52, .output_bits = 52};
  PageTable table(memory, pages, geometry, TableStage::two);
  const std::uint64_t page = 0xa'1234'5678'0000, block = 0xf'0000'2000'0000;
  table.map(0x8'0000'0001'0000, Pa(page), 0x10000, {});
  table.map(0x9'0000'2000'0000, Pa(block), 0x2000'0000, {.blocks = true});
  const auto leaf = table.lookup(0x8'0000'0001'1111);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->descriptor & 0x0000'ffff'ffff'f000, 0x1234'5678'a000U);
  EXPECT_EQ(leaf->address.value, page + 0x1111);
  // A part of the block, once it is split.
  table.unmap(0x9'0000'2000'0000, 0x10000);
  const auto part = table.lookup(0x9'0000'2001'0000);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->descriptor & 0x0000'ffff'ffff'f000, 0x2001'f000U);
  EXPECT_EQ(part->address.value, block + 0x10000);
  EXPECT_THROW(table.map(0, Pa(std::uint64_t{1} << 52), 0x10000, {}), std::invalid_argument);
}

struct AttributeRow {
  const char* what;
  MapOptions options;
  std::uint64_t expected;  // bits other than the address
};
class PageTableAttributes : public PageTableTest, public ::testing::WithParamInterface<AttributeRow> {};

TEST_P(PageTableAttributes, BitsOfALeaf) {
  PageTable table(memory, pages, Geometry{});
  table.map(0x1000, Pa(0x80000000), 4096, GetParam().options);
  EXPECT_EQ(walk(table, 0x1000) ^ 0x80000000U, GetParam().expected) << GetParam().what;
}
INSTANTIATE_TEST_SUITE_P(
    Rows, PageTableAttributes,
    ::testing::Values(AttributeRow{"default", {}, 0xf47}, AttributeRow{"read only", {.write = false}, 0xfc7},
                      AttributeRow{"privileged", {.privileged = true}, 0xf07},
                      AttributeRow{"no execution", {.execute = false}, 0xf47 | std::uint64_t{3} << 53},
                      AttributeRow{"device", {.device = true}, 0xe4b},
                      AttributeRow{"global", {.global = true}, 0x747}));

TEST_F(PageTableTest, TableDescriptorsAreValidTables) {
  PageTable table(memory, pages, Geometry{});
  table.map(0, Pa(0x80000000), 4096, {});
  EXPECT_EQ(table.root(), Pa(region));
  EXPECT_EQ(memory.load64(Pa(region)), region + 0x1000 + 3);
  EXPECT_EQ(memory.load64(Pa(region + 0x1000)), region + 0x2000 + 3);
  EXPECT_EQ(memory.load64(Pa(region + 0x2000)), region + 0x3000 + 3);
}

TEST_F(PageTableTest, BlocksAreUsedOnlyWhenAskedFor) {
  PageTable table(memory, pages, Geometry{});
  table.map(0x40000000, Pa(0x80000000), 0x40200000, {.blocks = true});
  EXPECT_EQ(walk(table, 0x40000000), 0x80000000U | 0xf45);  // level 1: 1 GiB
  EXPECT_EQ(walk(table, 0x80000000), 0xc0000000U | 0xf45);  // level 2: 2 MiB
  table.map(0x200000, Pa(0x80200000), 0x200000, {});
  EXPECT_EQ(walk(table, 0x200000), 0x80200000U | 0xf47);
}

TEST_F(PageTableTest, ContiguousBitStandsInWholeGroupsOnly) {
  PageTable table(memory, pages, Geometry{});
  table.map(0xf000, Pa(0x8000f000), 18 * 4096, {.contiguous = true});
  const std::uint64_t bit = std::uint64_t{1} << 52;
  EXPECT_EQ(walk(table, 0xf000) & bit, 0U);
  for (std::uint64_t va = 0x10000; va != 0x20000; va += 0x1000) EXPECT_EQ(walk(table, va) & bit, bit) << va;
  EXPECT_EQ(walk(table, 0x20000) & bit, 0U);
}

TEST_F(PageTableTest, ChangingOnePageOfAContiguousGroupEndsTheGroup) {
  PageTable table(memory, pages, Geometry{});
  table.map(0x10000, Pa(0x80010000), 0x10000, {.contiguous = true});
  table.unmap(0x13000, 4096);
  EXPECT_EQ(walk(table, 0x13000), 0U);
  for (std::uint64_t va = 0x10000; va != 0x20000; va += 0x1000) {
    const std::uint64_t expected = va == 0x13000 ? 0 : (va | 0x80000000U) | 0xf47;
    EXPECT_EQ(walk(table, va), expected) << va;
  }
}

TEST_F(PageTableTest, UnmapOfPartOfABlockSplitsIt) {
  PageTable table(memory, pages, Geometry{});
  table.map(0x40000000, Pa(0x80000000), 0x40000000, {.blocks = true});
  table.unmap(0x40001000, 0x1000);
  EXPECT_EQ(walk(table, 0x40000000), 0x80000000U | 0xf47);
  EXPECT_EQ(walk(table, 0x40001000), 0U);
  EXPECT_EQ(walk(table, 0x401ff000), 0x801ff000U | 0xf47);
  EXPECT_EQ(walk(table, 0x40200000), 0x80200000U | 0xf45);
  EXPECT_EQ(walk(table, 0x7fe00000), 0xbfe00000U | 0xf45);
}

TEST_F(PageTableTest, UnmapOfEverythingLeavesNoLeaf) {
  PageTable table(memory, pages, Geometry{});
  table.map(0, Pa(0x80000000), 0x5000, {});
  table.map(0xfffffffff000, Pa(0x90000000), 0x1000, {});
  table.unmap(0, ~std::uint64_t{0});
  EXPECT_FALSE(table.lookup(0).has_value());
  EXPECT_FALSE(table.lookup(0xfffffffff000).has_value());
}

TEST_F(PageTableTest, WhatCannotBeMappedIsRefused) {
  PageTable table(memory, pages, Geometry{.output_bits = 32});
  EXPECT_THROW(table.map(0x1000, Pa(0x100000000), 4096, {}), std::invalid_argument);
  EXPECT_THROW(table.map(std::uint64_t{1} << 48, Pa(0x1000), 4096, {}), std::invalid_argument);
  EXPECT_THROW(table.map(0x1000, Pa(0x1800), 4096, {}), std::invalid_argument);
  EXPECT_THROW(table.map(0xfffffffff000, Pa(0x1000), 0x2000, {}), std::invalid_argument);
  EXPECT_THROW(table.map(0x1000, Pa(0x1000), 0, {}), std::invalid_argument);
}

TEST_F(PageTableTest, RunningOutOfTableMemoryIsAClearError) {
  PageAllocator few(Pa(region), 3 * 4096);
  PageTable table(memory, few, Geometry{});
  try {
    table.map(0, Pa(0x80000000), 4096, {});
    FAIL() << "four tables do not fit in three pages";
  } catch (const AllocationError& error) {
    EXPECT_NE(std::string(error.what()).find("12288 bytes"), std::string::npos) << error.what();
  }
}

struct GeometryRow {
  Geometry geometry;
  int start_level;
  std::uint64_t start_entries;
  std::uint64_t level2_bytes;
};
class GeometryTest : public ::testing::TestWithParam<GeometryRow> {};
TEST_P(GeometryTest, FollowsFromGranuleAndInputSize) {
  const GeometryRow& row = GetParam();
  EXPECT_EQ(row.geometry.start_level(), row.start_level);
  EXPECT_EQ(row.geometry.start_entries(), row.start_entries);
  EXPECT_EQ(row.geometry.span_bytes(2), row.level2_bytes);
}
INSTANTIATE_TEST_SUITE_P(
    Rows, GeometryTest,
    ::testing::Values(GeometryRow{{12, 48, 48}, 0, 512, 2 << 20}, GeometryRow{{12, 39, 48}, 1, 512, 2 << 20},
                      GeometryRow{{12, 32, 48}, 1, 4, 2 << 20}, GeometryRow{{14, 48, 48}, 0, 2, 32 << 20},
                      GeometryRow{{14, 47, 48}, 1, 2048, 32 << 20}, GeometryRow{{16, 48, 48}, 1, 64, 512 << 20},
                      GeometryRow{{16, 42, 48}, 2, 8192, 512 << 20}));

/// Random maps and unmaps against a dictionary of pages, for each granule.
TEST(PageTableModel, AgreesWithADictionary) {
  for (const unsigned granule_bits : {12U, 14U, 16U}) {
    SparseMemory memory;
    PageAllocator pages(Pa(region), region_bytes * 8);
    PageTable table(memory, pages, Geometry{.granule_bits = granule_bits});
    std::map<std::uint64_t, std::uint64_t> dictionary;  // granule number -> PA
    std::mt19937_64 random(granule_bits);
    const std::uint64_t granule = std::uint64_t{1} << granule_bits;
    const std::uint64_t window = 3 * (granule / 8);  // granules: three last-level tables
    for (int step = 0; step != 400; ++step) {
      const std::uint64_t first = random() % window;
      const std::uint64_t count = 1 + random() % (window - first);
      const std::uint64_t va = (window << granule_bits) * 8 + first * granule;
      if (random() % 3 != 0) {
        const std::uint64_t pa = 0x4000000000 + (random() % 4 != 0 ? first * granule : random() % 64 * granule);
        table.map(va, Pa(pa), count * granule, {.blocks = random() % 2 == 0, .contiguous = random() % 2 == 0});
        for (std::uint64_t i = 0; i != count; ++i) dictionary[va + i * granule] = pa + i * granule;
      } else {
        table.unmap(va, count * granule);
        for (std::uint64_t i = 0; i != count; ++i) dictionary.erase(va + i * granule);
      }
      const std::uint64_t probe = (window << granule_bits) * 8 + random() % window * granule;
      const auto leaf = table.lookup(probe + 5);
      const auto expected = dictionary.find(probe);
      ASSERT_EQ(leaf.has_value(), expected != dictionary.end()) << granule_bits << " step " << step;
      if (!leaf) continue;
      ASSERT_EQ(leaf->address.value, expected->second + 5) << granule_bits << " step " << step;
    }
  }
}

}  // namespace
}  // namespace smmusim

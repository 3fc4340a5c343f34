// SPDX-License-Identifier: MIT
// What an invalidation makes a side forget: the rule by which a cache hit is judged (IHI 0070 sections 4.3 and 4.4).
#include "tests/oracle/seen.h"

#include <gtest/gtest.h>

namespace smmusim::oracle {
namespace {

using trace::Record;

constexpr std::uint64_t iova = 0xffffc000;
constexpr std::uint64_t table = 0x413f1003, leaf = 0x4112df47, global_leaf = leaf & ~(std::uint64_t{1} << 11);

Record range(std::uint64_t address, std::uint64_t pages, std::uint16_t asid, bool leaf_only, std::uint8_t ttl) {
  Record command = trace::make_range_invalidation(0, asid, address, pages);
  command.leaf = leaf_only;
  command.ttl = ttl;
  return command;
}
Record everything() {
  Record command;
  command.kind = trace::Kind::invalidate;
  command.invalidate_scope = trace::InvalidateScope::all;
  return command;
}

struct Row {
  const char* name;
  Record command;
  bool keeps_leaf, keeps_global_leaf, keeps_table;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class SeenDescriptorsAfter : public testing::TestWithParam<Row> {};

TEST_P(SeenDescriptorsAfter, Invalidation) {
  const auto kept = [](int level, std::uint64_t value) {
    SeenDescriptors seen;
    seen.note(level, iova, {0x1000, value, 2});
    seen.invalidate(GetParam().command);
    return seen.find(level, iova) != nullptr;
  };
  EXPECT_EQ(kept(3, leaf), GetParam().keeps_leaf);
  EXPECT_EQ(kept(3, global_leaf), GetParam().keeps_global_leaf);
  EXPECT_EQ(kept(2, table), GetParam().keeps_table);
}

INSTANTIATE_TEST_SUITE_P(Rows, SeenDescriptorsAfter,
                         testing::Values(Row{"LeafOfThePage", range(iova, 1, 2, true, 3), false, false, true},
                                         Row{"AllLevelsOfThePage", range(iova, 1, 2, false, 0), false, false, false},
                                         Row{"NextPage", range(iova + 0x1000, 1, 2, true, 3), true, true, true},
                                         Row{"PageBefore", range(iova - 0x1000, 1, 2, true, 3), true, true, true},
                                         Row{"RangeThatEndsWithIt", range(iova - 0x3000, 4, 2, true, 3), false, false,
                                             true},
                                         Row{"OtherLevel", range(iova, 1, 2, true, 2), true, true, true},
                                         Row{"OtherAsid", range(iova, 1, 3, true, 3), true, false, true},
                                         Row{"Everything", everything(), false, false, false}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SeenStructuresAfter, CfgiCdForgetsTheCdOfThatStreamOnly) {
  SeenStructures seen;
  for (const std::uint32_t stream : {8u, 9u}) {
    seen.note(stream, Purpose::STE, {});
    seen.note(stream, Purpose::CD, {});
  }
  Record command;
  command.kind = trace::Kind::config;
  command.config_scope = trace::ConfigScope::cd;
  command.stream = 8;
  seen.invalidate(command);
  EXPECT_NE(seen.find(8, Purpose::STE), nullptr);
  EXPECT_EQ(seen.find(8, Purpose::CD), nullptr);
  EXPECT_NE(seen.find(9, Purpose::CD), nullptr);
}

TEST(SeenStructuresAfter, CfgiSteForgetsAllOfThatStream) {
  SeenStructures seen;
  for (const Purpose purpose : {Purpose::L1STD, Purpose::STE, Purpose::CD}) seen.note(8, purpose, {});
  Record command;
  command.kind = trace::Kind::config;
  command.config_scope = trace::ConfigScope::ste;
  command.stream = 8;
  seen.invalidate(command);
  for (const Purpose purpose : {Purpose::L1STD, Purpose::STE, Purpose::CD}) EXPECT_EQ(seen.find(8, purpose), nullptr);
}

}  // namespace
}  // namespace smmusim::oracle

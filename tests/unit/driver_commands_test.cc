// SPDX-License-Identifier: MIT
// Command encodings: words by hand from IHI 0070 chapter 4, and what range invalidation covers, expanded by a plain
// reading of NUM, SCALE and TG.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "platform/driver/commands.h"

namespace smmusim {
namespace {

using spec::Command;

struct EncodingRow {
  const char* name;
  Command command;
  std::uint64_t dw0;
  std::uint64_t dw1;
};
class DriverCommands : public ::testing::TestWithParam<EncodingRow> {};
TEST_P(DriverCommands, Words) {
  EXPECT_EQ(GetParam().command.dw[0], GetParam().dw0) << GetParam().name;
  EXPECT_EQ(GetParam().command.dw[1], GetParam().dw1) << GetParam().name;
}
INSTANTIATE_TEST_SUITE_P(
    Rows, DriverCommands,
    ::testing::Values(EncodingRow{"CFGI_STE", make_cfgi_ste(StreamId(8)), 0x0000000800000003, 1},
                      EncodingRow{"CFGI_ALL", make_cfgi_all(), 0x04, 31},
                      EncodingRow{"CFGI_CD", make_cfgi_cd(StreamId(8), SubstreamId(0x12345)), 0x0000000812345005, 1},
                      EncodingRow{"CFGI_CD_ALL", make_cfgi_cd_all(StreamId(9)), 0x0000000900000006, 0},
                      EncodingRow{"TLBI_NH_ALL", make_tlbi_nh_all(Vmid(3)), 0x0000000300000010, 0},
                      EncodingRow{"TLBI_NH_ASID", make_tlbi_nh_asid(Vmid(3), Asid(5)), 0x0005000300000011, 0},
                      EncodingRow{"TLBI_NSNH_ALL", make_tlbi_nsnh_all(), 0x30, 0},
                      EncodingRow{"SYNC", make_sync(), 0x0fc02046, 0}),
    [](const auto& row) { return row.param.name; });

/// What the commands cover, in granules from 0; the whole ASID is reported as the one number ~0.
std::set<std::uint64_t> covered(const std::vector<Command>& commands, unsigned granule_bits) {
  std::set<std::uint64_t> granules;
  for (const Command& command : commands) {
    if (command.get<Command::OP>() != spec::Opcode::CMD_TLBI_NH_VA) {
      granules.insert(~std::uint64_t{0});
      continue;
    }
    const bool is_range = command.get<Command::TG>() != spec::TlbiTg::any;
    const std::uint64_t count =
        is_range ? std::uint64_t{command.get<Command::NUM>() + 1} << command.get<Command::SCALE>() : 1;
    for (std::uint64_t i = 0; i != count; ++i) granules.insert((command.get<Command::Address>() >> granule_bits) + i);
  }
  return granules;
}

TlbiRange range_of(std::uint64_t first, std::uint64_t granules, unsigned ttl = 3) {
  TlbiRange range;
  range.asid = Asid(2);
  range.address = first << 12;
  range.granules = granules;
  range.ttl = ttl;
  return range;
}

TEST(DriverRangeInvalidation, OnePageIsTheCommandThatLinuxIssues) {
  std::vector<Command> commands;
  append_tlbi_range(commands, range_of(0xffffc, 1), true);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].dw[0], 0x0002000000000012U);
  EXPECT_EQ(commands[0].dw[1], 0xffffc000U | 1U | 3U << 8 | 1U << 10);  // Leaf, TTL 3, TG 4 KiB
}

TEST(DriverRangeInvalidation, OnePageWithoutLevelIsNotEncodedAsARange) {
  std::vector<Command> commands;
  append_tlbi_range(commands, range_of(7, 1, 0), true);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].get<Command::TG>(), spec::TlbiTg::any);
}

TEST(DriverRangeInvalidation, CoversExactlyTheRange) {
  std::mt19937_64 random(1);
  for (int i = 0; i != 200; ++i) {
    const std::uint64_t first = random() % 1000;
    const std::uint64_t count = 1 + random() % 5000;
    std::vector<Command> commands;
    append_tlbi_range(commands, range_of(first, count), true);
    std::set<std::uint64_t> expected;
    for (std::uint64_t granule = first; granule != first + count; ++granule) expected.insert(granule);
    ASSERT_EQ(covered(commands, 12), expected) << first << " + " << count;
    ASSERT_LE(commands.size(), 3U);
  }
}

TEST(DriverRangeInvalidation, WithoutTheFeatureEachPageHasItsCommand) {
  std::vector<Command> commands;
  append_tlbi_range(commands, range_of(10, 32), false);
  EXPECT_EQ(commands.size(), 32U);
  EXPECT_EQ(covered(commands, 12).size(), 32U);
  EXPECT_EQ(commands[5].dw[1], std::uint64_t{15} << 12 | 1U);  // TG = TTL = NUM = SCALE = 0
}

TEST(DriverRangeInvalidation, WhatTakesTooManyCommandsBecomesTheWholeAsid) {
  std::vector<Command> commands;
  append_tlbi_range(commands, range_of(0, tlbi_commands_max + 1), false);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0], make_tlbi_nh_asid(Vmid(0), Asid(2)));
}

TEST(DriverRangeInvalidation, TheLargestRangeEnds) {
  std::vector<Command> commands;
  append_tlbi_range(commands, range_of(0, std::uint64_t{1} << 36), true);
  EXPECT_FALSE(commands.empty());
  EXPECT_LE(commands.size(), tlbi_commands_max);
}

}  // namespace
}  // namespace smmusim

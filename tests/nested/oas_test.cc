// SPDX-License-Identifier: MIT
// Every architected output size against hosts of 4 and 64 KiB pages: which are possible by which limit, what each costs
// in levels of stage 2, and what lies between the two limits.
#include "platform/nested/oas.h"

#include <gtest/gtest.h>

#include "model/spec/codes.h"

namespace smmusim::nested {
namespace {

HostReport host(unsigned oas, unsigned aperture_bits) {
  HostReport report;
  report.idr[5] = static_cast<std::uint32_t>(spec::address_size_code(oas));
  report.aperture_last = aperture_bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << aperture_bits) - 1;
  return report;
}

TEST(NestedOas, BothLimitsAreReported) {
  const OasLimits limits = oas_limits(host(52, 48));
  EXPECT_EQ(limits.aperture, 48u);
  EXPECT_EQ(limits.idr5, 52u);
  EXPECT_EQ(limits.of(OasCheck::aperture), 48u);
  EXPECT_EQ(limits.of(OasCheck::idr5), 52u);
  EXPECT_EQ(oas_limits(host(48, 64)).aperture, 64u);
  HostReport odd = host(48, 48);
  odd.aperture_last = (std::uint64_t{1} << 47) + 5;
  EXPECT_EQ(oas_limits(odd).aperture, 47u) << "not every address of 48 bits lies in the aperture";
}

/// A host, the limit, whether the guest has the 64 KiB granule, and the sizes that are possible.
struct Row {
  const char* name;
  unsigned oas, aperture;
  OasCheck check;
  bool granule64;
  std::vector<unsigned> possible;
};

TEST(NestedOas, WhatEachHostAllows) {
  const Row rows[] = {
      {"4K pages, 48 bits", 48, 48, OasCheck::aperture, true, {32, 36, 40, 42, 44, 48}},
      {"4K pages, 52-bit SMMU", 52, 48, OasCheck::aperture, true, {32, 36, 40, 42, 44, 48}},
      {"4K pages, 52-bit SMMU, as QEMU", 52, 48, OasCheck::idr5, true, {32, 36, 40, 42, 44, 48, 52}},
      {"64K pages, 52-bit SMMU", 52, 52, OasCheck::aperture, true, {32, 36, 40, 42, 44, 48, 52}},
      {"64K pages, guest of 4K", 52, 52, OasCheck::aperture, false, {32, 36, 40, 42, 44, 48}},
      {"44-bit SMMU", 44, 44, OasCheck::aperture, true, {32, 36, 40, 42, 44}},
      {"aperture cut to 40 bits", 48, 40, OasCheck::aperture, true, {32, 36, 40}},
      {"aperture cut to 40 bits, as QEMU", 48, 40, OasCheck::idr5, true, {32, 36, 40, 42, 44, 48}},
      {"32-bit SMMU", 32, 32, OasCheck::idr5, true, {32}},
      {"56-bit SMMU", 56, 56, OasCheck::aperture, true, {32, 36, 40, 42, 44, 48, 52}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const HostReport report = host(row.oas, row.aperture);
    std::vector<unsigned> possible;
    for (const OasChoice& choice : oas_choices(report, row.check, row.granule64)) {
      if (choice.possible) possible.push_back(choice.bits);
      EXPECT_FALSE(choice.reason.empty());
      EXPECT_EQ(choice.unreachable_part, choice.bits > row.aperture);
    }
    EXPECT_EQ(possible, row.possible);
    EXPECT_EQ(largest_oas(report, row.check, row.granule64), row.possible.back());
  }
}

TEST(NestedOas, ARefusalNamesBothValuesAndBothLimits) {
  const OasChoice choice = oas_choice(52, host(44, 40), OasCheck::aperture, true);
  EXPECT_FALSE(choice.possible);
  for (const char* value : {"52", "40", "44"}) EXPECT_NE(choice.reason.find(value), std::string::npos) << choice.reason;
}

TEST(NestedOas, BetweenTheLimitsStageTwoRefusesUnseen) {
  const OasChoice choice = oas_choice(52, host(52, 48), OasCheck::idr5, true);
  EXPECT_TRUE(choice.possible);
  EXPECT_TRUE(choice.unreachable_part);
  EXPECT_NE(choice.reason.find("48"), std::string::npos);
}

TEST(NestedOas, LevelsAndFetches) {
  struct Cost {
    unsigned bits, levels_4k, levels_64k;
  };
  // D8.2: 9 (13) bits a level above 12 (16); up to 16 first tables side by side save one.
  constexpr Cost costs[] = {{32, 2, 1}, {36, 3, 2}, {40, 3, 2}, {42, 3, 2},
                            {44, 4, 2}, {48, 4, 3}, {52, 4, 3}, {56, 0, 0}};
  const HostReport report = host(52, 52);
  for (const Cost& cost : costs) {
    SCOPED_TRACE(cost.bits);
    const OasChoice choice = oas_choice(cost.bits, report, OasCheck::aperture, true);
    EXPECT_EQ(choice.levels_4k, cost.levels_4k);
    EXPECT_EQ(choice.levels_64k, cost.levels_64k);
    const auto fetches = [](unsigned levels) { return levels == 0 ? 0 : 4 * (levels + 1) + levels; };
    EXPECT_EQ(choice.fetches_4k, fetches(cost.levels_4k));
    EXPECT_EQ(choice.fetches_64k, fetches(cost.levels_64k));
  }
}

}  // namespace
}  // namespace smmusim::nested

// SPDX-License-Identifier: MIT
// Rates of links, exact time on them, and the limits of Acks against the base specification's tables.
#include <gtest/gtest.h>

#include "platform/pcie/link_rate.h"

namespace smmusim::platform {
namespace {

struct RateRow {
  unsigned generation;
  unsigned lanes;
  double gigabits;  ///< a second, line coding taken off
};

TEST(LinkRate, EveryGenerationAndWidth) {
  constexpr RateRow rows[] = {{1, 1, 2.0},     {1, 12, 24.0},      {2, 4, 16.0},       {3, 8, 63.015},
                              {3, 12, 94.523}, {4, 16, 252.06154}, {5, 16, 504.12308}, {6, 16, 968.0}};
  for (const RateRow& row : rows) {
    SCOPED_TRACE(testing::Message() << "generation " << row.generation << " x" << row.lanes);
    const LinkRate rate = link_rate(row.generation, row.lanes);
    constexpr std::uint64_t bytes = 1'000'000'000;
    EXPECT_NEAR(8e3 * bytes / static_cast<double>(rate.serialisation(bytes)), row.gigabits, row.gigabits * 1e-5);
  }
}

TEST(LinkRate, SumsOfPacketsDoNotDrift) {
  for (const unsigned lanes : {1U, 8U, 12U, 16U, 32U}) {
    for (unsigned generation = 1; generation != 7; ++generation) {
      const LinkRate rate = link_rate(generation, lanes);
      LinkTime time(5);
      constexpr unsigned packets = 10'007;
      for (unsigned i = 0; i != packets; ++i) time.add(88, rate);
      EXPECT_EQ(time.ceil(), 5 + rate.serialisation(88 * packets)) << generation << " x" << lanes;
    }
  }
}

TEST(LinkRate, SerialisationRoundsUp) {
  EXPECT_EQ(link_rate(3, 8).serialisation(64), 8125U);
  EXPECT_EQ(link_rate(3, 8).serialisation(1), 127U);
}

struct LimitRow {
  unsigned generation;
  unsigned lanes;
  unsigned symbols[6];  ///< of Max_Payload_Size 128, 256, … 4096
};

// The tables "Ack Transmission Latency Limit and AckFactor" at 2.5, 5.0 and 8.0 GT/s.
TEST(LinkRate, AckLimitsOfTheSpecificationsTables) {
  constexpr LimitRow rows[] = {
      {1, 1, {237, 416, 559, 1071, 2095, 4143}}, {1, 2, {128, 217, 289, 545, 1057, 2081}},
      {1, 4, {73, 118, 154, 282, 538, 1050}},    {1, 8, {67, 107, 86, 150, 278, 534}},
      {1, 12, {58, 90, 109, 194, 365, 706}},     {1, 16, {48, 72, 86, 150, 278, 534}},
      {1, 32, {33, 45, 52, 84, 148, 276}},       {2, 1, {288, 467, 610, 1122, 2146, 4194}},
      {2, 8, {118, 158, 137, 201, 329, 585}},    {2, 32, {84, 96, 103, 135, 199, 327}},
      {3, 1, {333, 512, 655, 1167, 2191, 4239}}, {3, 4, {169, 214, 250, 378, 634, 1146}},
      {3, 8, {163, 203, 182, 246, 374, 630}},    {4, 16, {144, 168, 182, 246, 374, 630}},
      {5, 16, {144, 168, 182, 246, 374, 630}},   {6, 32, {129, 141, 148, 180, 244, 372}},
  };
  for (const LimitRow& row : rows) {
    for (unsigned i = 0; i != 6; ++i) {
      EXPECT_EQ(ack_limit_symbols(row.generation, row.lanes, 128U << i), row.symbols[i])
          << "generation " << row.generation << " x" << row.lanes << " payload " << (128U << i);
    }
  }
}

}  // namespace
}  // namespace smmusim::platform

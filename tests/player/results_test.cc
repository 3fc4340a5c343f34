// SPDX-License-Identifier: MIT
// LatencyHistogram, ResultsTable and trace_identity(): the numbers of a run as they are reported.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "platform/system/latency_histogram.h"
#include "platform/system/result_identity.h"
#include "platform/system/results_table.h"
#include "platform/trace/crc.h"
#include "platform/trace/error.h"

namespace smmusim {
namespace {

TEST(LatencyHistogram, EmptyOneHasZeros) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.percentile(500), 0U);
  EXPECT_TRUE(histogram.bars(10).empty());
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (Time value = 1; value <= 50; ++value) histogram.add(value);
  EXPECT_EQ(histogram.percentile(500), 25U);
  EXPECT_EQ(histogram.percentile(1000), 50U);
  EXPECT_EQ(histogram.min(), 1U);
  EXPECT_EQ(histogram.mean(), 25.5);
}

TEST(LatencyHistogram, PercentilesAreWithinTheirError) {
  std::mt19937_64 random(1);
  LatencyHistogram histogram;
  std::vector<Time> values;
  for (int i = 0; i != 20'000; ++i) {
    values.push_back(random() >> (random() % 64));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const unsigned per_mille : {1U, 100U, 500U, 900U, 990U, 999U, 1000U}) {
    const std::size_t rank = (values.size() * per_mille + 999) / 1000;
    const double exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(per_mille)), exact, exact * 0.016) << per_mille;
  }
}

TEST(LatencyHistogram, LargestTimeHasABucket) {
  LatencyHistogram histogram;
  histogram.add(time_never);
  EXPECT_EQ(histogram.max(), time_never);
  EXPECT_EQ(histogram.percentile(500), time_never);
}

TEST(LatencyHistogram, BarsHoldEverything) {
  LatencyHistogram histogram;
  for (Time value = 1000; value != 9000; ++value) histogram.add(value);
  const auto bars = histogram.bars(12);
  EXPECT_LE(bars.size(), 12U);
  std::uint64_t sum = 0;
  for (const auto& bar : bars) sum += bar.count;
  EXPECT_EQ(sum, histogram.count());
}

TEST(ResultsTable, HasAColumnForEachNumberAndNoneOfTheHost) {
  ResultsTable table;
  table.add_axis("a");
  table.add_row({"1,2"},
                {{"seed", 1}, {"host_seconds", 1.5}, {"x", {{"y", 3}}}, {"config", {{"seed", 1}}}, {"z", 0.5}});
  EXPECT_EQ(table.to_csv(), "a,x.y,z\n\"1,2\",3,0.5\n");
}

TEST(ResultsTable, NumbersThatARowLacksAreEmpty) {
  ResultsTable table;
  table.add_axis("a");
  table.add_row({"1"}, {{"x", 1}});
  table.add_row({"2"}, {{"y", 2}});
  EXPECT_EQ(table.to_csv(), "a,x,y\n1,1,\n2,,2\n");
}

TEST(ResultsTable, WhichTraceItWasIsNoResult) {
  ResultsTable table;
  table.add_axis("a");
  table.add_row({"1"}, {{"x", 1}, {"trace", {{"bytes", 10}, {"crc32c", "0x00000000"}}}});
  EXPECT_EQ(table.to_csv(), "a,x\n1,1\n");
}

TEST(TraceIdentity, IsTheSizeAndTheCrcOfTheWholeFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / ("trace_identity_" + std::to_string(getpid()));
  std::string text(1'000'003, '\0');  // several reads, the last one odd
  std::mt19937 random(1);
  for (char& c : text) c = static_cast<char>(random());
  std::ofstream(path, std::ios::binary) << text;
  const nlohmann::ordered_json identity = trace_identity(path.string());
  std::filesystem::remove(path);
  char crc[16];
  std::snprintf(crc, sizeof crc, "0x%08x", trace::crc32c(text.data(), text.size()));
  EXPECT_EQ(identity["bytes"], text.size());
  EXPECT_EQ(identity["crc32c"], crc);
}

TEST(TraceIdentity, OfNoFileIsAnError) {
  EXPECT_THROW(trace_identity("no/such.trace"), trace::TraceError);
  EXPECT_THROW(trace_identity(testing::TempDir()), trace::TraceError);
}

}  // namespace
}  // namespace smmusim

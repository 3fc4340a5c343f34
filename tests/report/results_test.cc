// SPDX-License-Identifier: MIT
// Reading what runs and sweeps have left: numbers from good files, a place and a reason from all others.
#include <gtest/gtest.h>

#include <cmath>

#include "platform/config/load.h"
#include "platform/report/document.h"
#include "tests/report/sample.h"

namespace smmusim::report {
namespace {

using nlohmann::ordered_json;

/// What is said against the text; empty: nothing.
std::string against_statistics(const std::string& text) {
  try {
    Document::parse("d/stats.json", text);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string against_results(const std::string& text) {
  try {
    parse_results("r.csv", text);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Document, FindsMembersByTheirPath) {
  const Document document("d", sample_statistics());
  EXPECT_EQ(document.number("latency_ns.mean"), 510);
  EXPECT_EQ(document.text("config.trace.file"), "traces/sample.trace");
  EXPECT_EQ(document.numbers("timeline.bytes"), (std::vector<double>{2560, 1920, 1280, 640}));
  EXPECT_EQ(document.find("latency_ns.no"), nullptr);
  EXPECT_EQ(document.find("latency_ns.mean.no"), nullptr);
  EXPECT_EQ(document.number_or_zero("atc.hits"), 0);
}

TEST(Document, MemberOfAnotherTypeIsRefusedByItsPath) {
  const Document document("d", sample_statistics());
  EXPECT_THROW(document.number("mode"), InputError);
  EXPECT_THROW(document.text("seed"), InputError);
  EXPECT_THROW(document.numbers("streams"), InputError);
  EXPECT_THROW(document.object("seed"), InputError);
}

TEST(Document, CutOffFileIsRefusedWithThePlace) {
  const std::string text = sample_statistics().dump(2);
  const std::string half = text.substr(0, text.find("\"seed\"") + 3);
  EXPECT_TRUE(against_statistics(half).starts_with("d/stats.json:3:")) << against_statistics(half);
  EXPECT_EQ(against_statistics(text), "");
}

TEST(Document, WhatIsNoStatisticsIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"), std::string("12"),
        std::string(100'000, '['), std::string("\xff\xfe"), std::string("{\"a\":1e999}")}) {
    const std::string said = against_statistics(text);
    EXPECT_TRUE(said.starts_with("d/stats.json:")) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
}

TEST(Document, EveryMemberThatRunsAlwaysWriteIsNeeded) {
  for (const char* member : {"version", "mode", "config", "trace", "memory", "seed", "transactions", "bytes", "faults",
                             "simulated_ns", "throughput_gbps", "check", "latency_ns"}) {
    ordered_json json = sample_statistics();
    json.erase(member);
    EXPECT_NE(against_statistics(json.dump()).find(member), std::string::npos) << member;
    json[member] = ordered_json::array();
    EXPECT_NE(against_statistics(json.dump()), "") << member;
  }
}

TEST(Results, KeysStandInFrontOfTheStatistics) {
  const Results results = parse_results("r.csv", sample_results());
  ASSERT_EQ(results.axes.size(), 2u);
  EXPECT_EQ(results.axes[0].key, "smmu.oas");
  EXPECT_EQ(results.axes[0].values, (std::vector<std::string>{"40", "44"}));
  EXPECT_EQ(results.axes[1].values, (std::vector<std::string>{"off", "auto"}));
  ASSERT_EQ(results.rows.size(), 4u);
  EXPECT_EQ(results.rows[3].point, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(results.values("throughput_gbps"), (std::vector<double>{6.4, 7.5, 6.5, 8}));
}

TEST(Results, SeedCanBeOneOfTheKeys) {
  const Results results =
      parse_results("r.csv", "seed," + sample_columns() + "1," + sample_row(1) + "2," + sample_row(2));
  ASSERT_EQ(results.axes.size(), 1u);
  EXPECT_EQ(results.axes[0].key, "seed");
  EXPECT_EQ(results.axes[0].values, (std::vector<std::string>{"1", "2"}));
}

TEST(Results, QuotedValueHoldsCommasQuotesAndLines) {
  const Results results = parse_results(
      "r.csv", "smmu.granules," + sample_columns() + "\"4,16\"," + sample_row(1) + "\"a\"\"b\nc\"," + sample_row(2));
  EXPECT_EQ(results.axes[0].values, (std::vector<std::string>{"4,16", "a\"b\nc"}));
}

TEST(Results, EmptyFieldIsNoNumber) {
  const Results results = parse_results("r.csv", "seed,simulated_ns,faults\n1,2,\n");
  EXPECT_TRUE(std::isnan(results.values("faults").front()));
  EXPECT_TRUE(std::isnan(results.values("no.such").front()));
}

struct Bad {
  std::string text;
  const char* expect;
};

TEST(Results, WhatIsNoTableIsRefusedWithTheLine) {
  const std::string head = "smmu.oas," + sample_columns(), good = "40," + sample_row(1);
  const Bad rows[] = {
      {"", "r.csv:1: it is empty"},
      {"a,b,c\n1,2,3\n", "r.csv:1: it is not the first line"},
      {"<script>," + sample_columns() + good, "r.csv:1: \"<script>\" is no key"},
      {head, "r.csv:1: no point"},
      {head + good + "40,1\n", "r.csv:3: it has 2 fields"},
      {head + good + good.substr(0, good.size() - 5), "r.csv:3: "},
      {head + "\"4\n4\"," + sample_row(1) + "40,1\n", "r.csv:4: it has 2 fields"},
      {head + "\"40," + sample_row(1), "r.csv:2: a quoted field does not end"},
      {head + "\"40\"x," + sample_row(1), "r.csv:2: text stands behind"},
      {head + "40,2,x" + good.substr(good.find(",100") + 4), "r.csv:2: transactions is \"x\""},
      {head + "40,2,inf" + good.substr(good.find(",100") + 4), "r.csv:2: transactions is \"inf\""},
      {head + "40,2,1e999" + good.substr(good.find(",100") + 4), "r.csv:2: transactions is \"1e999\""},
  };
  for (const Bad& row : rows) {
    EXPECT_TRUE(against_results(row.text).starts_with(row.expect)) << row.expect << "\n" << against_results(row.text);
  }
}

}  // namespace
}  // namespace smmusim::report

// SPDX-License-Identifier: MIT
// `smmusim conformance` from outside: columns, totals that add up, results of a test run, wrong files.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using nlohmann::json;

json features() {
  return json::parse(run_program({"conformance", "--json"}).out);
}

TEST(Conformance, JsonHasEveryColumn) {
  const Finished finished = run_program({"conformance", "--json"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  const json rows = json::parse(finished.out)["features"];
  ASSERT_GT(rows.size(), 80u);
  for (const json& row : rows) {
    for (const char* column : {"name", "about", "field", "since", "mandatory_from", "status", "missing", "keys"}) {
      EXPECT_TRUE(row.contains(column)) << row;
    }
    EXPECT_EQ(row["status"] == "implemented", row["missing"].is_null()) << row;
  }
}

TEST(Conformance, TotalsAddUp) {
  const json all = features();
  std::map<std::string, std::size_t> count;
  for (const json& row : all["features"]) ++count[row["status"]];
  const json& totals = all["totals"];
  EXPECT_EQ(totals["features"], all["features"].size());
  std::size_t of_versions = 0;
  for (const char* status : {"implemented", "partly", "not"}) EXPECT_EQ(totals[status], count[status]);
  for (const json& version : totals["by_version"]) of_versions += version["features"].get<std::size_t>();
  EXPECT_EQ(of_versions, all["features"].size());
}

TEST(Conformance, TextHasTheSameRowsInAlignedColumns) {
  const Finished finished = run_program({"conformance"});
  EXPECT_EQ(finished.exit_code, 0);
  std::size_t rows = 0;
  std::size_t column = std::string::npos;
  for (const std::string& line : lines_of(finished.out)) {
    if (!line.starts_with("  ")) continue;
    ++rows;
    const std::size_t version = line.find("  v3.");
    ASSERT_NE(version, std::string::npos) << line;
    if (column == std::string::npos) column = version;
    EXPECT_EQ(version, column) << line;
  }
  EXPECT_EQ(rows, features()["features"].size());
  EXPECT_NE(finished.out.find("\nIDR0\n"), std::string::npos);
  EXPECT_EQ(lines_of(finished.out).back().rfind("all: ", 0), 0u) << lines_of(finished.out).back();
}

TEST(Conformance, AnImplementedFeatureCanBeSwitchedAndAnAbsentOneIsRefused) {
  const json all = features();
  for (const json& row : all["features"]) {
    if (row["name"] == "S2P") {
      EXPECT_EQ(row["status"], "implemented");
      EXPECT_EQ(run_program({"config", "show", "--set", "smmu.stages=nested"}).exit_code, 0);
    }
    if (row["name"] == "D128") {
      EXPECT_EQ(row["status"], "not");
      EXPECT_EQ(run_program({"config", "show", "--set", "smmu.d128=true"}).exit_code, 2);
    }
  }
}

constexpr const char* results = R"({"SM-ST-001": {"status": "pass", "tests": ["A.b"]},
 "SM-ST-002": {"status": "fail", "tests": ["A.c"]}, "SM-PC-001": {"status": "skip", "tests": ["A.d"]}})";

TEST(Conformance, ResultsAddTheRulesOfEachArea) {
  const TemporaryFolder folder;
  const std::string file = folder.write("conformance.json", results);
  folder.write("rules-not-applicable.md",
               "| rule | reason | until |\n|---|---|---|\n| SM-PC-002 | no PCIe | later |\n");
  const Finished finished = run_program({"conformance", "--json", "--results", file});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const json totals = json::parse(finished.out)["rules"]["totals"];
  EXPECT_EQ(totals, json::parse(R"({"rules": 813, "pass": 1, "fail": 1, "skip": 1, "not_applicable": 1,
                                    "untested": 809})"));
  const std::string text = run_program({"conformance", "--results", file}).out;
  EXPECT_NE(text.find("\nST        30     1     1     0               0        28  Stream table"), std::string::npos)
      << text;
  EXPECT_NE(text.find("\nall      813     1     1     1               1       809"), std::string::npos) << text;
}

TEST(Conformance, TheListOfRulesLeftOutCanLieElsewhere) {
  const TemporaryFolder folder;
  const std::string file = folder.write("conformance.json", results);
  const std::string list =
      folder.write("list.md", "| SM-PC-002 | no PCIe | later |\n| SM-PC-003 | no PCIe | later |\n");
  const Finished finished = run_program({"conformance", "--json", "--results", file, "--not-applicable", list});
  EXPECT_EQ(json::parse(finished.out)["rules"]["totals"]["not_applicable"], 2);
}

TEST(Conformance, WrongFilesAreExitTwoInOneLine) {
  const TemporaryFolder folder;
  const std::string bad = folder.write("bad.json", "{\"SM-ST-001\": ");
  const std::string good = folder.write("good.json", "{}");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--results", bad},
                                                    {"--results", folder.path("none")},
                                                    {"--results", folder.path("")},
                                                    {"--not-applicable", good},
                                                    {"--results", good, "--not-applicable", folder.path("none")}}) {
    std::vector<std::string> all = {"conformance"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Finished finished = run_program(all);
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
    EXPECT_NE(finished.err.find("; give "), std::string::npos) << finished.err;
  }
}

}  // namespace
}  // namespace smmusim::test

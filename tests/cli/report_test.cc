// SPDX-License-Identifier: MIT
// report.html on the command line: run --out, sweep and report make it, with the same bytes, or nothing at all.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

class Report : public testing::Test {
 protected:
  Report() {
    const Finished made = run_program({"trace", "gen", "random", "--count", "200", "-o", trace()});
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }
  std::string trace() const { return folder_.path("t.trace"); }
  std::string dir() const { return folder_.path("d"); }
  std::string page() const { return read_text(folder_.path("d/report.html")); }
  bool has_page() const { return fs::exists(folder_.path("d/report.html")); }

  Finished run(const Arguments& more = {}, const Arguments& environment = {}) {
    return with({"run", "--trace", trace(), "--out", dir()}, more, environment);
  }
  Finished sweep(const Arguments& more = {}, const Arguments& environment = {}) {
    return with(
        {"sweep", "--trace", trace(), "--vary", "smmu.oas=40,44", "--vary", "memory.latency_ns=60,120", "--out", dir()},
        more, environment);
  }
  Finished report() { return run_program({"report", dir()}); }

  /// Exit 2 with one line that begins with the path and `place`; no page appears.
  void expect_refused(const std::string& place) {
    fs::remove(folder_.path("d/report.html"));
    const Finished finished = report();
    EXPECT_EQ(finished.exit_code, 2) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_TRUE(finished.err.starts_with("smmusim: " + dir() + place)) << finished.err;
    EXPECT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
    EXPECT_FALSE(has_page());
  }

  TemporaryFolder folder_;

 private:
  static Finished with(Arguments arguments, const Arguments& more, const Arguments& environment) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, environment);
  }
};

TEST_F(Report, OfARunIsMadeAgainWithTheSameBytes) {
  ASSERT_EQ(run().exit_code, 0);
  const std::string before = page();
  EXPECT_TRUE(before.starts_with("<!DOCTYPE html>"));
  fs::remove(folder_.path("d/report.html"));
  const Finished finished = report();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.out, dir() + "/report.html\n");
  EXPECT_EQ(page(), before);
}

TEST_F(Report, OfASweepIsMadeAgainWithTheSameBytes) {
  const Finished swept = sweep();
  ASSERT_EQ(swept.exit_code, 0) << swept.err;
  EXPECT_EQ(lines_of(swept.out).back(), dir() + "/report.html");
  const std::string before = page();
  fs::remove(folder_.path("d/report.html"));
  EXPECT_EQ(report().exit_code, 0);
  EXPECT_EQ(page(), before);
}

TEST_F(Report, EqualRunsGiveEqualPages) {
  ASSERT_EQ(run().exit_code, 0);
  const std::string before = page();
  fs::remove_all(dir());
  ASSERT_EQ(run().exit_code, 0);
  EXPECT_EQ(page(), before);
}

TEST_F(Report, NamesOfTheConfigurationStayText) {
  const std::string config =
      folder_.write("c.toml",
                    "[smmu]\nname = \"<script>a</script>\"\n[[endpoint]]\nname = \"<script>b</script>\"\n"
                    "bdf = \"00:01.0\"\n");
  const std::string evil_trace = folder_.path("<script>c");
  fs::copy(trace(), evil_trace);
  const Finished finished = run_program({"run", config, "--trace", evil_trace, "--out", dir()});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(page().find("<script"), std::string::npos);
  for (const char* name : {"&lt;script&gt;a", "&lt;script&gt;b", "&lt;script&gt;c"}) {
    EXPECT_NE(page().find(name), std::string::npos) << name;
  }
}

TEST_F(Report, WithoutGnuplotNothingIsBegun) {
  const Arguments environment{"PATH=/nonexistent"};
  for (const Finished& finished : {run({}, environment), sweep({}, environment)}) {
    EXPECT_EQ(finished.exit_code, 3);
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find("gnuplot-nox"), std::string::npos) << finished.err;
    EXPECT_FALSE(fs::exists(dir()));
  }
}

TEST_F(Report, WithoutGnuplotTheOldPageStays) {
  ASSERT_EQ(run().exit_code, 0);
  const std::string before = page();
  EXPECT_EQ(run_program({"report", dir()}, {"PATH=/nonexistent"}).exit_code, 3);
  EXPECT_EQ(page(), before);
}

TEST_F(Report, RunWithoutFolderNeedsNoGnuplot) {
  EXPECT_EQ(run_program({"run", "--trace", trace()}, {"PATH=/nonexistent"}).exit_code, 0);
}

TEST_F(Report, FolderThatIsNoneOfOursIsRefused) {
  expect_refused(": there is no such folder");
  fs::create_directory(dir());
  expect_refused(": neither stats.json nor results.csv is there");
}

TEST_F(Report, DamagedStatisticsAreRefused) {
  ASSERT_EQ(run().exit_code, 0);
  const std::string whole = read_text(folder_.path("d/stats.json"));
  folder_.write("d/stats.json", whole.substr(0, whole.size() / 2));
  expect_refused("/stats.json:");
  folder_.write("d/stats.json", "");
  expect_refused("/stats.json:1:1: ");
  folder_.write("d/stats.json", "{\"version\": \"0.1.0\"}");
  expect_refused("/stats.json: mode is missing");
  fs::remove(folder_.path("d/stats.json"));
  fs::create_symlink("/dev/zero", folder_.path("d/stats.json"));
  expect_refused("/stats.json: there is no such file");
}

TEST_F(Report, DamagedResultsAreRefused) {
  ASSERT_EQ(sweep().exit_code, 0);
  const std::string whole = read_text(folder_.path("d/results.csv"));
  folder_.write("d/results.csv", whole.substr(0, whole.size() - 10));
  expect_refused("/results.csv:5: ");
  folder_.write("d/results.csv", "<script>\n");
  expect_refused("/results.csv:1: ");
  folder_.write("d/results.csv", whole);
  fs::remove(folder_.path("d/points/000000.json"));
  expect_refused("/points/000000.json: there is no such file");
}

TEST_F(Report, FolderOfTwoKindsIsRefused) {
  ASSERT_EQ(sweep().exit_code, 0);
  folder_.write("d/stats.json", "{}");
  expect_refused(": it holds a run (stats.json) and a sweep (results.csv)");
}

TEST_F(Report, PlaceThatCannotBeWrittenIsFoundBeforeTheRun) {
  fs::create_directories(folder_.path("d/report.html"));
  const Finished finished = run();
  EXPECT_EQ(finished.exit_code, 2) << finished.err;
  EXPECT_FALSE(fs::exists(folder_.path("d/stats.json")));
}

TEST_F(Report, MayNotReplaceTheTrace) {
  fs::create_directory(dir());
  fs::rename(trace(), folder_.path("d/report.html"));
  const std::string before = page();
  for (const char* command : {"run", "sweep"}) {
    Arguments arguments{command, "--trace", folder_.path("d/report.html"), "--out", dir()};
    if (std::string(command) == "sweep") arguments.insert(arguments.end(), {"--vary", "seed=1"});
    EXPECT_EQ(run_program(arguments).exit_code, 2) << command;
    EXPECT_EQ(page(), before) << command;
  }
}

/// Each class of the statistics is a part of all accesses, and so are their times.
TEST_F(Report, ClassesOfTheStatisticsAddUp) {
  ASSERT_EQ(run().exit_code, 0);
  const auto json = nlohmann::json::parse(read_text(folder_.path("d/stats.json")));
  double count = 0, bars = 0, time = 0, parts = 0;
  for (const auto& [name, one] : json["latency_by_class"].items()) {
    const double of_class = one["count"];
    count += of_class;
    for (const double bar : one["bars"]["count"]) bars += bar;
    time += of_class * one["mean"].get<double>();
    for (const double part : one["mean_time_ns"]) parts += of_class * part;
  }
  EXPECT_EQ(count, json["latency_ns"]["count"].get<double>());
  EXPECT_EQ(bars, count);
  EXPECT_NEAR(time / count, json["latency_ns"]["mean"].get<double>(), 0.001);
  EXPECT_NEAR(parts / count, json["latency_ns"]["mean"].get<double>(), 0.001);
  double bytes = 0;
  for (const double interval : json["timeline"]["bytes"]) bytes += interval;
  EXPECT_EQ(bytes, json["bytes"].get<double>());
}

}  // namespace
}  // namespace smmusim::test

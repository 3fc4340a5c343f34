// SPDX-License-Identifier: MIT
// What the program leaves on the disk: all of its results or none, standard output that fails, sweeps that go on in a
// folder where something else stands.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// A folder with the trace t.trace.
class Files : public testing::Test {
 protected:
  Files() { generate("1"); }

  void generate(const std::string& seed) {
    const Finished made =
        run_program({"trace", "gen", "random", "--count", "50", "--seed", seed, "-o", folder_.path("t.trace")});
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }
  Finished run(Arguments arguments, const std::string& out = "") {
    arguments.insert(arguments.begin(), {"run", "--trace", folder_.path("t.trace")});
    return run_program(arguments, {}, out);
  }
  Finished sweep(const std::string& vary, const Arguments& more = {}) {
    Arguments arguments{"sweep", "--trace", folder_.path("t.trace"), "--vary", vary, "--out", folder_.path("d")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  std::string point(const char* name = "000000.json") { return folder_.path(std::string("d/points/") + name); }
  std::string table() { return read_text(folder_.path("d/results.csv")); }
  void expect_only_the_trace() { EXPECT_EQ(folder_.list(), Arguments{"t.trace"}); }

  TemporaryFolder folder_;
};

void expect_refused(const Finished& finished) {
  EXPECT_EQ(finished.exit_code, 2) << finished.err;
  EXPECT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
  EXPECT_EQ(finished.out, "");
}

using RunOutput = Files;

TEST_F(RunOutput, SummaryThatCannotBeWrittenIsExitTwo) {
  expect_refused(run({}, "/dev/full"));
}

TEST_F(RunOutput, JsonOnStandardOutputThatCannotBeWrittenIsExitTwo) {
  expect_refused(run({"--json", "-"}, "/dev/full"));
}

TEST_F(RunOutput, WithoutStandardOutputThereIsNoFileEither) {
  expect_refused(run({"--json", folder_.path("a.json"), "--out", folder_.path("o")}, "/dev/full"));
  expect_only_the_trace();
}

TEST_F(RunOutput, JsonIsNotWrittenIfTheFolderCannotBeMade) {
  expect_refused(run({"--json", folder_.path("a.json"), "--out", "/proc/none/such"}));
  expect_only_the_trace();
}

TEST_F(RunOutput, FolderIsNotLeftIfTheJsonCannotBeWritten) {
  expect_refused(run({"--json", "/proc/none/a.json", "--out", folder_.path("o/p")}));
  expect_only_the_trace();
}

TEST_F(RunOutput, FolderIsNoJsonFile) {
  expect_refused(run({"--json", folder_.path("")}));
}

TEST_F(RunOutput, IsWrittenToAllPlacesAsked) {
  const Finished finished = run({"--json", folder_.path("a.json"), "--out", folder_.path("o/p")});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(folder_.list(), (Arguments{"a.json", "o", "t.trace"}));
  EXPECT_NE(read_text(folder_.path("a.json")), "");
  EXPECT_EQ(read_text(folder_.path("a.json")), read_text(folder_.path("o/p/stats.json")));
}

TEST_F(RunOutput, OnePlaceGivenTwiceIsWrittenOnce) {
  const Finished finished = run({"--json", folder_.path("o/stats.json"), "--out", folder_.path("o")});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(nlohmann::json::accept(read_text(folder_.path("o/stats.json"))));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path("o")), {}), 2) << "with report.html";
}

TEST_F(RunOutput, LinkStaysALink) {
  folder_.write("target.json", "old");
  fs::create_symlink("target.json", folder_.path("link.json"));
  EXPECT_EQ(run({"--json", folder_.path("link.json")}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_.path("link.json")));
  EXPECT_TRUE(nlohmann::json::accept(read_text(folder_.path("target.json"))));
}

TEST_F(RunOutput, TellsTheTraceItIsOf) {
  const auto json = nlohmann::json::parse(run({"--json", "-"}).out);
  EXPECT_EQ(json["trace"]["bytes"], fs::file_size(folder_.path("t.trace")));
}

TEST_F(RunOutput, TwoResultsInOnePlaceAreRefused) {
  const std::string j = folder_.path("j");
  expect_refused(run({"--json", j, "--ladder", folder_.path("./j")}));
  expect_refused(run({"--json", folder_.path("o/report.html"), "--out", folder_.path("o")}));
  expect_refused(run({"--ladder", folder_.path("o/stats.json"), "--out", folder_.path("o")}));
  expect_only_the_trace();
  EXPECT_EQ(run({"--json", "/dev/null", "--ladder", "/dev/null"}).exit_code, 0);
}

TEST_F(RunOutput, AnEmptyValueIsRefused) {
  for (const char* option : {"--seed", "--mode", "--json", "--out", "--ladder"}) {
    const Finished finished = run({option, ""});
    expect_refused(finished);
    EXPECT_NE(finished.err.find(std::string(option) + " is empty"), std::string::npos) << finished.err;
  }
  expect_refused(run({""}));
  expect_only_the_trace();
}

TEST_F(RunOutput, NameThatIsNoUtf8) {
  const std::string odd = folder_.path("n\xff.trace");
  fs::copy_file(folder_.path("t.trace"), odd);
  const Finished finished = run_program({"run", "--trace", odd, "--out", folder_.path("o")});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(nlohmann::json::accept(read_text(folder_.path("o/stats.json"))));
  for (int again = 0; again != 2; ++again) {
    const Finished swept = run_program({"sweep", "--trace", odd, "--vary", "seed=1,2", "--out", folder_.path("d")});
    EXPECT_EQ(swept.exit_code, 0) << swept.err;
  }
}

TEST_F(RunOutput, PipeIsNoTrace) {
  ASSERT_EQ(mkfifo(folder_.path("p.trace").c_str(), 0600), 0);
  const Finished finished = run_program({"run", "--trace", folder_.path("p.trace")});
  expect_refused(finished);
  EXPECT_NE(finished.err.find("it is no regular file"), std::string::npos) << finished.err;
}

using SweepFolder = Files;

TEST_F(SweepFolder, DoesNotOverwriteATraceWhereverItIsNamed) {
  fs::create_directories(folder_.path("d/points"));
  for (const char* place : {"d/results.csv", "d/report.html", "d/points/000000.json"}) {
    const std::string trace = folder_.path(place);
    fs::copy_file(folder_.path("t.trace"), trace);
    const std::string config = folder_.write("c.toml", "[trace]\nfile = \"" + trace + "\"\n");
    for (const Arguments& arguments :
         {Arguments{"sweep", "--vary", "trace.file=" + trace, "--out", folder_.path("d")},
          Arguments{"sweep", config, "--vary", "seed=1", "--out", folder_.path("d")},
          Arguments{"sweep", "--trace", trace, "--vary", "seed=1", "--out", folder_.path("d")}}) {
      const Finished finished = run_program(arguments);
      expect_refused(finished);
      EXPECT_NE(finished.err.find("the sweep would write its results there"), std::string::npos) << finished.err;
    }
    EXPECT_EQ(read_text(trace), read_text(folder_.path("t.trace")));
    fs::remove(trace);
  }
}

TEST_F(SweepFolder, ValuesThatAreTheSameAreRefused) {
  for (const char* vary : {"smmu.oas=44,44", "seed=1,0x1", "smmu.oas=40,44,0x28"}) {
    const Finished finished = sweep(vary);
    expect_refused(finished);
    EXPECT_NE(finished.err.find("are the same; give each value once"), std::string::npos) << finished.err;
  }
  expect_only_the_trace();
}

TEST_F(SweepFolder, BrokenTraceIsToldInOneLine) {
  std::string trace = read_text(folder_.path("t.trace"));
  folder_.write("t.trace", trace.substr(0, trace.size() - 5));
  expect_refused(sweep("seed=1,2"));
}

TEST_F(SweepFolder, AnotherTraceUnderTheSameNameIsRunAgain) {
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  const auto before = nlohmann::json::parse(read_text(point()));
  generate("2");
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  const auto after = nlohmann::json::parse(read_text(point()));
  EXPECT_NE(before["trace"], after["trace"]);
  EXPECT_NE(before["simulated_ns"], after["simulated_ns"]);
}

TEST_F(SweepFolder, SameTraceIsNotRunAgain) {
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  const std::string before = read_text(point());
  generate("1");
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  EXPECT_EQ(read_text(point()), before);  // with the same host_seconds
}

TEST_F(SweepFolder, AnEditedPointIsRunAgain) {
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  const std::string csv = table();
  auto json = nlohmann::ordered_json::parse(read_text(point()));
  json["transactions"] = json["transactions"].get<std::uint64_t>() + 1;
  folder_.write("d/points/000000.json", json.dump());
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  EXPECT_EQ(table(), csv);
}

TEST_F(SweepFolder, WhatAHostMakesOfAConfigurationIsThatPointsResult) {
  const Finished finished = sweep("host.mode=none,simulated");
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const std::string before = read_text(point());
  ASSERT_EQ(sweep("host.mode=none,simulated").exit_code, 0);
  EXPECT_EQ(read_text(point()), before);  // with the same host_seconds
}

TEST_F(SweepFolder, DamagedPointsAreRunAgain) {
  ASSERT_EQ(sweep("seed=1").exit_code, 0);
  const std::string whole = read_text(point());
  const std::string csv = table();
  std::vector<std::string> damaged{"",
                                   "{",
                                   "[]",
                                   "{}",
                                   "null",
                                   R"({"version": 1})",
                                   R"({"version": "0.1.0"})",
                                   R"({"version": "0.1.0", "config": null})",
                                   whole.substr(0, whole.size() / 2),
                                   std::string(1'000'000, '['),
                                   std::string("\x00\xff", 2)};
  for (const char* key : {"version", "config", "trace", "check", "transactions"}) {
    auto json = nlohmann::ordered_json::parse(whole);
    for (const nlohmann::ordered_json& wrong :
         {nlohmann::ordered_json(nullptr), nlohmann::ordered_json("text"), nlohmann::ordered_json::object()}) {
      json[key] = wrong;
      damaged.push_back(json.dump());
    }
    json.erase(key);
    damaged.push_back(json.dump());
  }
  for (const std::string& text : damaged) {
    folder_.write("d/points/000000.json", text);
    const Finished finished = sweep("seed=1");
    EXPECT_EQ(finished.exit_code, 0) << text.substr(0, 200) << "\n" << finished.err;
    EXPECT_EQ(table(), csv) << text.substr(0, 200);
  }
}

TEST_F(SweepFolder, PointsOfAWiderSweepStayOutOfTheTable) {
  ASSERT_EQ(sweep("seed=1,2,3").exit_code, 0);
  ASSERT_EQ(sweep("seed=2").exit_code, 0);
  const std::vector<std::string> lines = lines_of(table());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].find("2,"), 0u) << lines[1];
}

TEST_F(SweepFolder, IsNotLeftIfNoPointCanBeRun) {
  // The trace's stream is 8, 00:01.0; nothing but the run can find that the platform lacks it.
  const std::string config = folder_.write("c.toml", "[[endpoint]]\nname = \"x\"\nbdf = \"00:1f.0\"\n");
  const Finished finished = sweep("seed=1,2", {config});
  EXPECT_EQ(finished.exit_code, 2) << finished.err;
  EXPECT_EQ(folder_.list(), (Arguments{"c.toml", "t.trace"}));
}

TEST_F(SweepFolder, PointsThatTheDriverCannotUseAreFoundBeforeAnyRuns) {
  const Finished finished = sweep("smmu.ttendian=little,big", {"--vary", "smmu.granules=4,16,64"});
  EXPECT_EQ(finished.exit_code, 2);
  const std::vector<std::string> lines = lines_of(finished.err);
  ASSERT_EQ(lines.size(), 3u) << finished.err;
  EXPECT_TRUE(lines[0].starts_with("smmusim: --vary smmu.granules=16: smmu.granules: ")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("smmusim: --vary smmu.granules=64: smmu.granules: ")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("smmusim: --vary smmu.ttendian=big: smmu.ttendian: ")) << lines[2];
  expect_only_the_trace();
}

TEST_F(SweepFolder, IsNotLeftIfTheTableCannotBeWritten) {
  fs::create_directories(folder_.path("d/results.csv"));
  expect_refused(sweep("seed=1"));
  EXPECT_FALSE(fs::exists(folder_.path("d/points")));
}

TEST_F(SweepFolder, WithoutStandardOutputThereIsNoTable) {
  expect_refused(run_program(
      {"sweep", "--trace", folder_.path("t.trace"), "--vary", "seed=1", "--out", folder_.path("d")}, {}, "/dev/full"));
  EXPECT_FALSE(fs::exists(folder_.path("d/results.csv")));
}

TEST_F(SweepFolder, LocalExecutorIsTheDefault) {
  ASSERT_EQ(sweep("seed=1,2").exit_code, 0);
  const std::string before = table();
  fs::remove_all(folder_.path("d"));
  EXPECT_EQ(sweep("seed=1,2", {"--executor", "local"}).exit_code, 0);
  EXPECT_EQ(table(), before);
}

TEST_F(SweepFolder, SlurmIsLackingWithExitThree) {
  const Finished finished = sweep("seed=1", {"--executor", "slurm"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
  expect_only_the_trace();
}

using TraceOutput = Files;

TEST_F(TraceOutput, ExportGoesToStandardOutputByDefault) {
  const std::string trace = folder_.path("t.trace");
  ASSERT_EQ(run_program({"trace", "export", "--to", "text", trace, "-o", folder_.path("t.txt")}).exit_code, 0);
  for (const Arguments& more : {Arguments{}, {"-o", "-"}, {"-o", "/dev/stdout"}}) {
    Arguments arguments{"trace", "export", "--to", "text", trace};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished finished = run_program(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.out, read_text(folder_.path("t.txt")));
    EXPECT_EQ(finished.err, "standard output: 50 records\n");
  }
}

TEST_F(TraceOutput, HelpIntoAFullDeviceIsExitTwo) {
  expect_refused(run_program({"--help"}, {}, "/dev/full"));
  expect_refused(run_program({"trace", "gen", "--help"}, {}, "/dev/full"));
  expect_refused(run_program({"--version"}, {}, "/dev/full"));
}

TEST_F(TraceOutput, ExportOfABrokenTraceLeavesStandardOutputEmpty) {
  std::string trace = read_text(folder_.path("t.trace"));
  folder_.write("t.trace", trace.substr(0, trace.size() - 5));
  expect_refused(run_program({"trace", "export", "--to", "text", folder_.path("t.trace")}));
}

TEST_F(TraceOutput, ExportIntoAFullDeviceIsExitTwo) {
  expect_refused(run_program({"trace", "export", "--to", "text", folder_.path("t.trace")}, {}, "/dev/full"));
  expect_refused(run_program({"trace", "export", "--to", "text", folder_.path("t.trace"), "-o", "/dev/full"}));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(TraceOutput, WhatALogCannotSayIsRefusedWithItsPlace) {
  struct Row {
    const char* record;
    const char* says;
  };
  for (const Row& row : {Row{"0 config cd sid=0x3 ssid=0x5", "an invalidation with a SubstreamID"},
                         Row{"0 config cd-all sid=0x3", "an invalidation of all CDs"},
                         Row{"0 read sid=3 addr=0x1000 size=8192", "more than a page"}}) {
    const std::string trace = folder_.write(
        "text.trace", std::string("smmusim-trace text 1\n0 config ste sid=3\n") + row.record + "\nend 2\n");
    const Finished finished = run_program({"trace", "export", "--to", "qemu-log", trace});
    expect_refused(finished);
    EXPECT_NE(finished.err.find(trace + ":3: record 2: it is "), std::string::npos) << finished.err;
    EXPECT_NE(finished.err.find(row.says), std::string::npos) << finished.err;
  }
}

TEST_F(TraceOutput, IntoTheInputIsRefused) {
  const std::string trace = folder_.path("t.trace");
  const std::string before = read_text(trace);
  fs::create_symlink("t.trace", folder_.path("soft"));
  fs::create_hard_link(trace, folder_.path("hard"));
  for (const std::string& out : {trace, folder_.path("soft"), folder_.path("hard"), folder_.path("./t.trace")}) {
    expect_refused(run_program({"trace", "import", "--from", "binary", trace, "-o", out}));
    expect_refused(run_program({"trace", "export", "--to", "text", trace, "-o", out}));
  }
  expect_refused(run_program({"trace", "import", "--from", "binary", folder_.path("soft"), "-o", trace}));
  EXPECT_EQ(read_text(trace), before);
}

}  // namespace
}  // namespace smmusim::test

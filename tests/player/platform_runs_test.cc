// SPDX-License-Identifier: MIT
// The whole platform (endpoint, root complex, SMMU, interconnect, memory under SystemC) on the shipped traces, through
// run_sweep(): each point is a process of its own, which is what the SystemC kernel wants.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "platform/config/load.h"
#include "platform/system/run_options.h"
#include "platform/trace/error.h"
#include "tests/player/direct_machine.h"

namespace smmusim::player_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string shipped(const std::string& name) {
  return std::string(SMMUSIM_SOURCE_DIR) + "/traces/linux72-nvme-" + name + ".trace";
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PlatformRuns : public ::testing::Test {
 protected:
  PlatformRuns() : dir_(fs::path(::testing::TempDir()) / ("platform_runs_" + std::to_string(getpid()))) {
    fs::remove_all(dir_);
  }
  ~PlatformRuns() override { fs::remove_all(dir_); }

  SweepOptions options(const std::string& trace, const std::string& folder = "sweep") {
    SweepOptions sweep;
    sweep.base.assignments.push_back({"trace.file", trace, "test"});
    sweep.out_dir = (dir_ / folder).string();
    sweep.jobs = 2;
    return sweep;
  }
  json point(unsigned number, const std::string& folder = "sweep") {
    char name[32];
    std::snprintf(name, sizeof name, "%06u.json", number);
    return json::parse(contents(dir_ / folder / "points" / name));
  }
  std::string csv(const std::string& folder = "sweep") { return contents(dir_ / folder / "results.csv"); }

  fs::path dir_;
};

struct ShippedRow {
  const char* name;
  unsigned accesses;
};

TEST_F(PlatformRuns, ShippedTracesAgreeWithTheirSourceInBothModes) {
  for (const ShippedRow row : {ShippedRow{"randread", 50256}, {"seqwrite", 8185}, {"mixed", 23728}}) {
    SweepOptions sweep = options(shipped(row.name), row.name);
    sweep.axes = {{"mode", {"timed", "untimed"}}};
    EXPECT_EQ(run_sweep(sweep), 0);
    for (const unsigned number : {0U, 1U}) {
      const json result = point(number, row.name);
      EXPECT_EQ(result["check"]["checked"], row.accesses) << row.name;
      EXPECT_EQ(result["check"]["mismatches"], 0) << row.name;
      EXPECT_EQ(result["faults"], 0) << row.name;
      EXPECT_EQ(result["transactions"], row.accesses) << row.name;
    }
    EXPECT_GT(point(0, row.name)["simulated_ns"], 0) << row.name;
    EXPECT_EQ(point(1, row.name)["simulated_ns"], 0) << row.name;
  }
}

TEST_F(PlatformRuns, RecordedReplayAgreesToo) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"trace.replay", {"recorded"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  EXPECT_EQ(point(0)["check"]["checked"], 8185);
}

TEST_F(PlatformRuns, EqualRunsGiveEqualBytes) {
  for (const char* folder : {"a", "b"}) {
    SweepOptions sweep = options(shipped("seqwrite"), folder);
    sweep.axes = {{"smmu.tcu.tlb_entries", {"64", "2048"}}, {"memory.latency_ns", {"60", "200"}}};
    EXPECT_EQ(run_sweep(sweep), 0);
  }
  const std::string table = csv("a");
  EXPECT_EQ(table, csv("b"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 5);
  json a = point(3, "a");
  json b = point(3, "b");
  for (json* statistics : {&a, &b}) {
    statistics->erase("host_seconds");
    statistics->erase("transactions_per_host_second");
  }
  EXPECT_EQ(a, b);
}

TEST_F(PlatformRuns, SweepGoesOnWhereItStopped) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"memory.latency_ns", {"60", "200"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  const fs::path kept = dir_ / "sweep" / "points" / "000000.json";
  const auto time = fs::last_write_time(kept);
  const std::string before = csv();
  fs::remove(dir_ / "sweep" / "points" / "000001.json");
  EXPECT_EQ(run_sweep(sweep), 0);
  EXPECT_EQ(fs::last_write_time(kept), time);
  EXPECT_EQ(csv(), before);
}

TEST_F(PlatformRuns, ColumnsOfTheTableDoNotDependOnTheHost) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"memory.latency_ns", {"60"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  const std::string header = csv().substr(0, csv().find('\n'));
  EXPECT_EQ(header.find("host"), std::string::npos);
  EXPECT_EQ(header.rfind("memory.latency_ns,", 0), 0U) << header;
  EXPECT_NE(header.find("latency_ns.p99"), std::string::npos);
}

TEST_F(PlatformRuns, SlowerMemoryMakesSlowerWalks) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"memory.latency_ns", {"60", "500"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  EXPECT_LT(point(0)["walks"]["mean_ns"], point(1)["walks"]["mean_ns"]);
}

TEST_F(PlatformRuns, TraceWithoutInvalidationsFailsTheCheck) {
  std::vector<trace::Record> records = read_trace(shipped("seqwrite"));
  std::erase_if(records, [](const trace::Record& record) { return record.kind == trace::Kind::invalidate; });
  const TraceFile file(records);
  SweepOptions sweep = options(file.path());
  sweep.axes = {{"mode", {"timed", "untimed"}}};
  EXPECT_EQ(run_sweep(sweep), 1);
  EXPECT_GT(point(0)["check"]["mismatches"], 0);
  EXPECT_GT(point(1)["check"]["mismatches"], 0);
}

TEST_F(PlatformRuns, AddressBeyondMemoryIsAnAbortThatIsCounted) {
  const TraceFile file({trace::make_access(0, trace::Op::read, 8, 0x1000, 64, 0x20000000, 3)});
  SweepOptions sweep = options(file.path());
  sweep.axes = {{"mode", {"timed", "untimed"}}};
  EXPECT_EQ(run_sweep(sweep), 0);  // the translation is right; the access fails
  for (const unsigned number : {0U, 1U}) {
    EXPECT_EQ(point(number)["faults"], 1);
    EXPECT_EQ(point(number)["memory"]["decode_errors"], 1);
  }
}

TEST_F(PlatformRuns, StreamWithoutAnEndpointIsRefusedByItsRecord) {
  RunOptions run;
  ConfigSource source;
  source.path = "test.toml";
  source.text = "[[endpoint]]\nname = \"nvme0\"\nbdf = \"00:02.0\"\n";
  source.assignments.push_back({"trace.file", shipped("seqwrite"), "test"});
  run.config = load_config(source);
  try {
    run_simulation(run);
    FAIL() << "stream 8 has no endpoint";
  } catch (const trace::TraceError& error) {
    EXPECT_NE(std::string(error.what()).find("stream 0x8 has no endpoint"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("record "), std::string::npos) << error.what();
  }
}

TEST_F(PlatformRuns, ImpossiblePointStopsTheSweepBeforeItWritesAnything) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"smmu.oas", {"48", "33"}}};
  EXPECT_THROW(run_sweep(sweep), InputError);
  EXPECT_FALSE(fs::exists(sweep.out_dir));
}

}  // namespace
}  // namespace smmusim::player_test

// SPDX-License-Identifier: MIT
// The whole platform (endpoint, root complex, SMMU, interconnect, memory under SystemC) on the shipped traces, through
// run_sweep(): each point is a process of its own, which is what the SystemC kernel wants.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "platform/config/keys.h"
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
  /// A text trace, its header and end added.
  std::string text_trace(const std::string& records) {
    fs::create_directories(dir_);
    const fs::path path = dir_ / "test.trace";
    std::ofstream(path) << "smmusim-trace text 1\n" << records << "end\n";
    return path.string();
  }
  /// What a run of this trace says when it is refused; empty: it is not. The run is a process of its own.
  std::string refusal(const std::string& trace, const std::string& key, const std::string& value) {
    SweepOptions sweep = options(trace, "refusal");
    sweep.axes = {{key, {value}}};
    testing::internal::CaptureStderr();
    bool refused = false;
    try {
      refused = run_sweep(sweep) == 2;  // a point's run has said why
    } catch (const InputError& error) {
      refused = true;
      std::fprintf(stderr, "%s\n", error.what());
    }
    const std::string said = testing::internal::GetCapturedStderr();
    return refused ? said : std::string();
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

TEST_F(PlatformRuns, AtsTrafficFaultsWhereThereIsNoAts) {
  SweepOptions sweep =
      options(text_trace("0 map sid=8 addr=0x1000 pa=0x41000000 perm=rw granule=4K pages=1\n"
                         "1 read sid=8 addr=0x1000 size=64\n"
                         "2 read sid=8 addr=0x1000 size=64 ats=request\n"
                         "3 write sid=8 addr=0x1000 size=64 ats=translated\n"));
  sweep.axes = {{"mode", {"timed", "untimed"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  for (const unsigned number : {0U, 1U}) {
    EXPECT_EQ(point(number)["transactions"], 3);
    EXPECT_EQ(point(number)["faults"], 2);
    EXPECT_EQ(point(number)["events"]["F_UUT"], 2);
  }
}

struct AtomicRow {
  const char* perm;
  unsigned faults;
};

TEST_F(PlatformRuns, AtomicsNeedReadAndWritePermission) {
  // Read only: the write is refused. Stage 1 has no write-only page, so "w" lets both through.
  for (const AtomicRow row : {AtomicRow{"rw", 0}, {"r", 1}, {"w", 0}}) {
    SweepOptions sweep =
        options(text_trace(std::string("0 map sid=8 addr=0x1000 pa=0x41000000 granule=4K pages=1 perm=") + row.perm +
                           "\n1 atomic sid=8 addr=0x1000 size=8\n"),
                row.perm);
    sweep.axes = {{"mode", {"timed", "untimed"}}};
    EXPECT_EQ(run_sweep(sweep), 0);
    for (const unsigned number : {0U, 1U}) EXPECT_EQ(point(number, row.perm)["faults"], row.faults) << row.perm;
  }
}

TEST_F(PlatformRuns, AtomicsWaitForTheirAnswerOnTheLink) {
  const std::string map = "0 map sid=8 addr=0x1000 pa=0x41000000 perm=rw granule=4K pages=1\n";
  double mean[2] = {};
  for (const unsigned atomic : {0U, 1U}) {
    const std::string folder = std::to_string(atomic);
    SweepOptions sweep =
        options(text_trace(map + (atomic != 0 ? "1 atomic" : "1 write") + " sid=8 addr=0x1000 size=8\n"), folder);
    sweep.axes = {{"mode", {"timed"}}};
    EXPECT_EQ(run_sweep(sweep), 0);
    mean[atomic] = point(0, folder)["latency_ns"]["mean"];
  }
  EXPECT_GT(mean[1], mean[0]);
}

/// A value that the key table and the checks let through must be one that a platform can be built of.
TEST_F(PlatformRuns, EveryKeyRunsAtItsSmallestAndItsLargestValue) {
  const std::string trace =
      text_trace("0 read sid=0 addr=0x1000 size=64 pa=0x41000000 perm=rw\n1 invalidate all\n2 config all\n");
  unsigned runs = 0;
  for (const Key& key : all_keys()) {
    if (key.type != KeyType::integer || key.identity) continue;
    const std::uint64_t smallest = key.legal.empty() ? key.min : key.legal.front();
    const std::uint64_t largest = key.legal.empty() ? key.max : key.legal.back();
    SweepOptions sweep = options(trace, "key_" + std::string(key.name));
    std::vector<std::string> values;
    for (const std::uint64_t value : {smallest, largest}) {
      ConfigSource source = sweep.base;
      source.assignments.push_back({std::string(key.name), std::to_string(value), "test"});
      try {
        load_config(source);
        values.push_back(std::to_string(value));
      } catch (const InputError&) {  // it doesn't go with the other defaults
      }
    }
    if (values.empty()) continue;
    sweep.axes = {{std::string(key.name), values}};
    EXPECT_NO_THROW(EXPECT_EQ(run_sweep(sweep), 0) << key.name) << key.name;
    runs += static_cast<unsigned>(values.size());
  }
  EXPECT_GT(runs, 80U);
}

TEST_F(PlatformRuns, EveryPcieWidthAndNoDoorbellsRun) {
  SweepOptions sweep = options(text_trace("0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n"));
  sweep.axes = {{"pcie.lanes", {"1", "2", "4", "8", "12", "16", "32"}}, {"msi.size", {"0", "0x1000"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
}

struct RegionRow {
  const char* output;  // of two pages
  bool refused;        // with the region at its default, [0xc0000000, 0x100000000)
};

TEST_F(PlatformRuns, TracePagesInTheDriversTablesAreRefused) {
  for (const RegionRow row : {RegionRow{"0xbfffe000", false},
                              {"0xbffff000", true},
                              {"0xc0000000", true},
                              {"0xfffff000", true},
                              {"0x100000000", false}}) {
    const std::string trace = text_trace(
        std::string("# a comment\n0 map sid=8 addr=0x1000 perm=rw granule=4K pages=2 pa=") + row.output + "\n");
    const std::string said = refusal(trace, "mode", "untimed");
    EXPECT_EQ(!said.empty(), row.refused) << row.output << " " << said;
    if (!row.refused) fs::remove_all(dir_ / "refusal");
    if (!row.refused) continue;
    EXPECT_NE(said.find("test.trace:3: record 1: "), std::string::npos) << said;
    EXPECT_NE(said.find("driver.tables_base"), std::string::npos) << said;
  }
}

TEST_F(PlatformRuns, TheAdviceOfARefusedRegionIsGood) {
  const std::string trace = text_trace(
      "0 read sid=8 addr=0x1000 size=64 pa=0xc0000000 perm=rw\n"
      "1 read sid=8 addr=0x2000 size=64 pa=0x1c0000000 perm=rw\n");
  EXPECT_NE(refusal(trace, "mode", "untimed").find("driver.tables_base = 0x1c0010000"), std::string::npos);
  EXPECT_EQ(refusal(trace, "driver.tables_base", "0x1c0010000"), "");
}

TEST_F(PlatformRuns, ErrorsAboutARecordNameItsLineOrOffset) {
  const std::string trace = text_trace(
      "# a comment\n0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n"
      "1 map sid=8 addr=0x1000000000000 pa=0x41002000 perm=r granule=4K pages=1\n");
  EXPECT_NE(refusal(trace, "mode", "untimed").find("test.trace:4: record 2: "), std::string::npos);
  std::vector<trace::Record> records = read_trace(trace);
  const TraceFile binary(records);
  // The file header, the block's header, and the two slots of the first record come before.
  EXPECT_NE(refusal(binary.path(), "mode", "untimed").find(": byte 128: record 2: "), std::string::npos);
}

TEST_F(PlatformRuns, StreamBeyondSidsizeNamesTraceAndKey) {
  const std::string trace = text_trace("0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n");
  const std::string said = refusal(trace, "smmu.sidsize", "3");
  EXPECT_NE(said.find("test.trace:2: record 1: stream 0x8 "), std::string::npos) << said;
  EXPECT_NE(said.find("smmu.sidsize"), std::string::npos) << said;
}

TEST_F(PlatformRuns, RegionWithoutRoomNamesItsKey) {
  const std::string trace = text_trace("0 read sid=8 addr=0x1000 size=64 pa=0x41000000 perm=rw\n");
  const std::string said = refusal(trace, "memory.size", "0x80001000");
  EXPECT_NE(said.find("driver.tables_base"), std::string::npos) << said;
  EXPECT_NE(said.find("memory.size"), std::string::npos) << said;
}

TEST_F(PlatformRuns, ImpossiblePointStopsTheSweepBeforeItWritesAnything) {
  SweepOptions sweep = options(shipped("seqwrite"));
  sweep.axes = {{"smmu.oas", {"48", "33"}}};
  EXPECT_THROW(run_sweep(sweep), InputError);
  EXPECT_FALSE(fs::exists(sweep.out_dir));
}

/// A device with ATS in front of an SMMU that has it.
SweepOptions with_ats(SweepOptions sweep) {
  for (const auto& [key, value] : {std::pair{"smmu.ats", "on"}, {"endpoint.ats_capability", "true"}}) {
    sweep.base.assignments.push_back({key, value, "test"});
  }
  return sweep;
}

void expect_balanced(const json& result) {
  const json& atc = result["atc"];
  EXPECT_EQ(atc["lookups"], atc["hits"].get<unsigned>() + atc["misses"].get<unsigned>());
  EXPECT_EQ(atc["misses"], atc["requests"].get<unsigned>() + atc["merged"].get<unsigned>());
  EXPECT_EQ(result["ats"]["requests"], atc["requests"].get<unsigned>() + atc["prefetches"].get<unsigned>());
  EXPECT_EQ(result["ats"]["completions"], result["ats"]["requests"]);
  EXPECT_EQ(result["ats"]["invalidations"], result["pcie"]["invalidate_requests"]);
  EXPECT_EQ(result["pcie"]["invalidate_completions"], result["pcie"]["invalidate_requests"]);
  EXPECT_EQ(result["ats"]["timeouts"], 0);
}

TEST_F(PlatformRuns, AtsOffOnAndAutoGoToTheSameAddresses) {
  for (const ShippedRow row : {ShippedRow{"randread", 50256}, {"seqwrite", 8185}, {"mixed", 23728}}) {
    SweepOptions sweep = with_ats(options(shipped(row.name), row.name));
    sweep.base.assignments.push_back({"endpoint.atc_entries", "64", "test"});
    sweep.axes = {{"mode", {"timed", "untimed"}}, {"endpoint.ats", {"off", "on", "auto"}}};
    EXPECT_EQ(run_sweep(sweep), 0);
    for (unsigned number = 0; number != 6; ++number) {
      const json result = point(number, row.name);
      EXPECT_EQ(result["check"]["checked"], row.accesses) << row.name;
      EXPECT_EQ(result["check"]["mismatches"], 0) << row.name;
      EXPECT_EQ(result["faults"], 0) << row.name;
      expect_balanced(result);
      const bool off = number % 3 == 0;
      EXPECT_EQ(result["atc"]["lookups"] == 0, off) << row.name << number;
      EXPECT_EQ(result["ats"]["invalidations"] == 0, off) << row.name << number;
    }
    EXPECT_EQ(point(1, row.name)["atc"], point(2, row.name)["atc"]);
  }
}

TEST_F(PlatformRuns, EveryAtcGoesToTheSameAddresses) {
  SweepOptions sweep = with_ats(options(shipped("mixed")));
  sweep.axes = {{"endpoint.atc_entries", {"0", "8", "1024"}},
                {"endpoint.atc_page_bits", {"12", "63"}},
                {"endpoint.atc_prefetch", {"0", "2"}},
                {"endpoint.atc_requests", {"1", "32"}}};
  EXPECT_EQ(run_sweep(sweep), 0);
  for (unsigned number = 0; number != 24; ++number) {
    const json result = point(number);
    EXPECT_EQ(result["check"]["mismatches"], 0) << number;
    EXPECT_EQ(result["faults"], 0) << number;
    expect_balanced(result);
    EXPECT_EQ(result["atc"]["hits"] == 0, number < 8) << number;
  }
  EXPECT_GT(point(16)["atc"]["hits"], point(8)["atc"]["hits"]) << "more entries, more hits";
}

/// Table: what stands in the way of ATS, one at a time.
TEST_F(PlatformRuns, AtsNeedsSmmuRootComplexAndCapability) {
  struct Row {
    const char* key;
    const char* value;
  };
  for (const Row& row : {Row{"smmu.ats", "off"},
                         {"pcie.ats_supported", "false"},
                         {"endpoint.ats_capability", "false"},
                         {"endpoint.host_ats", "not-supported"},
                         {"endpoint.ats", "off"}}) {
    SweepOptions sweep = with_ats(options(shipped("seqwrite"), row.key));
    sweep.axes = {{row.key, {row.value}}};
    EXPECT_EQ(run_sweep(sweep), 0);
    EXPECT_EQ(point(0, row.key)["ats"]["requests"], 0) << row.key;
    EXPECT_EQ(point(0, row.key)["check"]["mismatches"], 0) << row.key;
  }
}

TEST_F(PlatformRuns, AtsThatTheHostRefusesIsNoDevice) {
  SweepOptions sweep = with_ats(options(shipped("seqwrite")));
  sweep.axes = {{"endpoint.ats", {"on"}}, {"endpoint.host_ats", {"not-supported"}}};
  EXPECT_THROW(run_sweep(sweep), InputError);
}

}  // namespace
}  // namespace smmusim::player_test

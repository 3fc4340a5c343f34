// SPDX-License-Identifier: MIT
// Files that must not be overwritten, logs without content, and hostile bytes on their way to the terminal.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

TEST(Refusals, StatisticsDoNotOverwriteTheTrace) {
  const TemporaryFolder folder;
  const std::string trace = folder.path("copy.trace");
  std::filesystem::copy_file(std::string(SMMUSIM_SOURCE_DIR) + "/traces/linux72-nvme-seqwrite.trace", trace);
  const std::string before = read_text(trace);
  const Finished result = run_program({"run", "--trace", trace, "--json", trace});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("input and output are the same file"), std::string::npos) << result.err;
  EXPECT_EQ(read_text(trace), before);
}

TEST(Refusals, ALogWithoutAnSmmuLineMakesNoTrace) {
  const TemporaryFolder folder;
  const std::string log = folder.write("empty.log", "");
  const std::string out = folder.path("out.trace");
  const Finished result = run_program({"trace", "import", "--from", "qemu-log", log, "-o", out});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Refusals, ControlBytesOfAFileDoNotReachTheTerminal) {
  const TemporaryFolder folder;
  const std::string file = folder.write("bad.toml", "\"a\x1b[31mb\" = 1\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"config", "show", file}, {"run", "--trace", folder.path("no\x1b[31mfile")}}) {
    const Finished result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err.find('\x1b'), std::string::npos) << result.err;
  }
}

struct RefusedRecords {
  const char* records;
  const char* says;  // after the trace's name
};

TEST(Refusals, RecordsThatNoDriverHereCanPlay) {
  const TemporaryFolder folder;
  const RefusedRecords rows[] = {
      {"0 read sid=8 addr=0x1000 size=4 pa=0x41000000 perm=r\n"
       "1 map sid=8 ssid=0x5 addr=0x2000 pa=0x42000000 perm=rw granule=4K pages=1\n",
       ":3: record 2: substream 0x5 has more bits than smmu.ssidsize = 0; raise smmu.ssidsize to at least 3, or set "
       "endpoint.pasid_bits to what the device is to have"},
      {"0 read sid=8 addr=0x1000 size=4 pa=0x41000000 perm=r\n"
       "1 unmap sid=8 ssid=0x0 addr=0x2000 granule=4K pages=1\n",
       ":3: record 2: unmap of substream 0x0, which has no address space here: none of its pages was mapped or "
       "accessed, or the driver uses stage 2 alone; leave ssid out"},
      {"0 read sid=8 addr=0x1000 size=4 pa=0x41000000 perm=r\n1 config ste sid=8\n2 config ste sid=0x10000\n",
       ":4: record 3: stream 0x10000 has more bits than smmu.sidsize = 16; raise smmu.sidsize to at least 17"},
      {"0 config ste-range sid=0x20000 last=0x20007\n",
       ":2: record 1: stream 0x20000 has more bits than smmu.sidsize = 16; raise smmu.sidsize to at least 18"},
  };
  for (const RefusedRecords& row : rows) {
    const std::string trace = folder.write("t.txt", std::string("smmusim-trace text 1\n") + row.records + "end\n");
    for (const char* mode : {"timed", "untimed"}) {
      const Finished run = run_program({"run", "--trace", trace, "--mode", mode, "--json", folder.path("a.json")});
      EXPECT_EQ(run.exit_code, 2) << row.says;
      EXPECT_EQ(run.out, "");
      EXPECT_EQ(run.err, "smmusim: " + trace + row.says + "\n");
      EXPECT_EQ(folder.list(), std::vector<std::string>{"t.txt"});
    }
  }
}

TEST(Refusals, RecordedTimesNearTheEndOfTime) {
  const TemporaryFolder folder;
  const std::string head = "smmusim-trace text 1\n0 read sid=8 addr=0x1000 size=4 pa=0x41000000 perm=r\n";
  const std::string tail = " read sid=8 addr=0x2000 size=4 pa=0x42000000 perm=r\nend\n";
  const std::string most = folder.write("most.txt", head + "4611686018427387904" + tail);
  for (const char* time : {"4611686018427387905", "18446744073709551615"}) {
    const std::string late = folder.write("late.txt", head + time + tail);
    for (const char* mode : {"timed", "untimed"}) {
      const Finished refused = run_program({"run", "--trace", late, "--mode", mode, "--replay", "recorded"});
      EXPECT_EQ(refused.exit_code, 2);
      EXPECT_EQ(refused.err, "smmusim: " + late + ":3: record 2: its time is " + time +
                                 " ps, and recorded times up to 4611686018427387904 ps, 53 days, can be played; use "
                                 "trace.replay = closed, which ignores them\n");
      EXPECT_EQ(run_program({"run", "--trace", late, "--mode", mode}).exit_code, 0);
      const Finished played =
          run_program({"run", "--trace", most, "--mode", mode, "--replay", "recorded", "--json", "-"});
      ASSERT_EQ(played.exit_code, 0) << played.err;
      const auto json = nlohmann::json::parse(played.out);
      EXPECT_EQ(json["transactions"], 2);
      EXPECT_GE(json["simulated_ns"].get<double>(), 4611686018427387.0) << mode;
      EXPECT_LT(json["simulated_ns"].get<double>(), 4611686018528000.0) << mode;
    }
  }
}

/// Its fault and its mismatch say that the device has no PASIDs; the stream's own table must not get the page.
TEST(Refusals, AnAccessOfASubstreamMapsNothingForItsStream) {
  const TemporaryFolder folder;
  const std::string trace =
      folder.write("t.txt",
                   "smmusim-trace text 1\n0 read sid=8 ssid=0x1 addr=0x1000 size=4 pa=0x41000000 perm=r\n"
                   "1 read sid=8 addr=0x1000 size=4\nend\n");
  for (const char* mode : {"timed", "untimed"}) {
    const Finished run =
        run_program({"run", "--trace", trace, "--mode", mode, "--json", "-", "--set", "endpoint.pasid_bits=0"});
    EXPECT_EQ(run.exit_code, 1) << run.err;
    const auto json = nlohmann::json::parse(run.out);
    EXPECT_EQ(json["faults"], 2) << mode;  // one that the device refuses, one without a mapping
    EXPECT_EQ(json["check"]["mismatches"], 1) << mode;
  }
  const Finished told = run_program({"explain", "--trace", trace, "--sid", "8", "--address", "0x1000", "--record", "2",
                                     "--json", "--set", "endpoint.pasid_bits=0"});
  EXPECT_EQ(nlohmann::json::parse(told.out)["event"]["name"], "F_TRANSLATION");
}

TEST(Refusals, AConfigChangeOfAStreamWithoutAnEndpointIsPlayed) {
  const TemporaryFolder folder;
  const std::string trace = folder.write("t.txt",
                                         "smmusim-trace text 1\n0 config ste sid=0xffff\n"
                                         "1 config ste-range sid=0x100 last=0xffffffff\n2 config all\n"
                                         "3 read sid=8 ssid=0x1 addr=0x1000 size=4\nend\n");
  const Finished run = run_program({"run", "--trace", trace, "--mode", "untimed", "--set", "endpoint.pasid_bits=0"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const Finished wide = run_program({"run", "--trace",
                                     folder.write("u.txt",
                                                  "smmusim-trace text 1\n"
                                                  "0 config ste sid=0x1ffff\nend\n"),
                                     "--mode", "untimed", "--set", "smmu.sidsize=17"});
  EXPECT_EQ(wide.exit_code, 0) << wide.err;
}

}  // namespace
}  // namespace smmusim::test

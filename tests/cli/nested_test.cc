// SPDX-License-Identifier: MIT
// `smmusim nested run`: a shipped trace over a simulated host gives the addresses that the trace expects, after stage
// 2; what the statistics and the log of calls then hold; and what is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using nlohmann::json;
using Arguments = std::vector<std::string>;

const std::string shipped = SMMUSIM_SOURCE_DIR "/traces/linux72-nvme-mixed.trace";

Finished nested_run(const Arguments& more) {
  Arguments arguments{"nested", "run", "--trace", shipped};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

class NestedRun : public testing::TestWithParam<std::pair<const char*, Arguments>> {};
INSTANTIATE_TEST_SUITE_P(
    Rows, NestedRun,
    testing::Values(std::pair{"untimed", Arguments{"--mode", "untimed"}},
                    std::pair{"timed", Arguments{"--mode", "timed"}},
                    std::pair{"pages_of_64K", Arguments{"--mode", "untimed", "--set", "host.page_size=64"}},
                    std::pair{"host_of_52_bits",
                              Arguments{"--mode", "untimed", "--set", "host.page_size=64", "--set", "host.oas=52"}},
                    std::pair{"oldest_kernel", Arguments{"--mode", "untimed", "--set", "host.kernel=6.13"}},
                    std::pair{"newest_kernel", Arguments{"--mode", "untimed", "--set", "host.kernel=7.4"}},
                    std::pair{"oas_of_44_bits", Arguments{"--mode", "untimed", "--set", "smmu.oas=44"}},
                    std::pair{"timed_with_ats", Arguments{"--mode", "timed", "--set", "endpoint.ats_capability=true",
                                                          "--set", "endpoint.atc_entries=64"}}),
    [](const auto& made) { return made.param.first; });

TEST_P(NestedRun, EveryAddressIsTheTracesAfterStageTwo) {
  Arguments arguments = GetParam().second;
  arguments.insert(arguments.end(), {"--json", "-"});
  const Finished finished = nested_run(arguments);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const json result = json::parse(finished.out);
  EXPECT_GT(result["check"]["checked"].get<int>(), 1000);
  EXPECT_EQ(result["check"]["mismatches"], 0);
  EXPECT_EQ(result["faults"], 0);
  EXPECT_EQ(result["smmus"][0]["role"], "guest");
  EXPECT_EQ(result["smmus"][0]["transactions"], 0) << "no DMA passes the emulated SMMU";
  EXPECT_EQ(result["smmus"][1]["role"], "host");
  EXPECT_GT(result["smmus"][1]["transactions"].get<int>(), 1000);
  const json& host = result["host"];
  EXPECT_GT(host["ioctls"]["IOMMU_HWPT_INVALIDATE"]["count"].get<int>(), 100);
  EXPECT_EQ(host["ioctls"]["IOMMU_HWPT_INVALIDATE"]["count"], host["batches"]);
  EXPECT_EQ(host["hwpts"], 1);
  EXPECT_GE(host["attaches"].get<int>(), 2);
  EXPECT_EQ(host["veventq"]["lost"], 0);
}

TEST(NestedRunLog, HasALineForEachCall) {
  const TemporaryFolder folder;
  const std::string path = folder.path("calls.txt");
  const Finished finished = nested_run({"--mode", "untimed", "--ioctl-log", path});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.out.find("mismatches 0"), std::string::npos);
  EXPECT_NE(finished.out.find("accelerated by the host"), std::string::npos);
  const std::string log = read_text(path);
  for (const char* call : {"IOMMU_IOAS_ALLOC", "IOMMU_VIOMMU_ALLOC", "IOMMU_HWPT_ALLOC", "IOMMU_HWPT_INVALIDATE"}) {
    EXPECT_NE(log.find(call), std::string::npos) << call;
  }
}

TEST(NestedRunRefusals, WhatIsNotThereOrDoesNotFit) {
  struct Row {
    Arguments arguments;
    int exit_code;
    const char* words;
  };
  const Row rows[] = {
      {{"--set", "host.mode=hardware"}, 3, "host.mode = hardware: "},
      {{"--set", "host.kernel=6.1"}, 3, "accelerated nested mode"},
      {{"--set", "host.kernel=6.12"}, 3, "endpoint"},
      {{"--set", "smmu.oas=52", "--set", "smmu.granules=4,64"}, 2, "52"},
      {{"--set", "smmu.ssidsize=20", "--set", "host.ssidsize=8"}, 2, "IDR1.SSIDSIZE"},
      {{"--set", "smmu.httu=access"}, 2, "never offered"},
      {{"--set", "smmu.compat=qemu", "--set", "smmu.oas=40"}, 2, "QEMU knows 44 and 48"},
      {{"--set", "endpoint.ats=on", "--set", "endpoint.ats_capability=true", "--set",
        "endpoint.host_ats=not-supported"},
       2,
       "ATS is asked for"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.words);
    const Finished finished = nested_run(row.arguments);
    EXPECT_EQ(finished.exit_code, row.exit_code) << finished.err;
    EXPECT_NE(finished.err.find(row.words), std::string::npos) << finished.err;
  }
  const Finished without = run_program({"run", "--trace", shipped, "--ioctl-log", "/tmp/never-written"});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_NE(without.err.find("--ioctl-log"), std::string::npos) << without.err;
}

}  // namespace
}  // namespace smmusim::test

// SPDX-License-Identifier: MIT
// `smmusim run` with an iommu-testdev: the result of its driver's writes, and what it refuses.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using Arguments = std::vector<std::string>;

Arguments with(const Arguments& more) {
  Arguments all{"run", "--set", "endpoint.model=iommu-testdev", "--set", "endpoint.testdev_writes=64"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class TestdevRun : public testing::TestWithParam<Arguments> {};

TEST_P(TestdevRun, WritesArriveAndNoneAfterUnmapping) {
  Arguments more = GetParam();
  more.insert(more.end(), {"--json", "-"});
  const Finished json = run_program(with(more));
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const auto found = nlohmann::json::parse(json.out);
  const auto& device = found["iommu_testdev"].at(0);
  EXPECT_EQ(device["writes"], 64);
  EXPECT_EQ(device["failed"], 0);
  EXPECT_EQ(device["mismatches"], 0);
  EXPECT_EQ(device["after_unmap"], 4);
  EXPECT_EQ(device["after_unmap_reached"], 0);
}

INSTANTIATE_TEST_SUITE_P(Machines, TestdevRun,
                         testing::Values(Arguments{}, Arguments{"--mode", "untimed"},
                                         Arguments{"--set", "endpoint.testdev_bytes=100000"},
                                         Arguments{"--set", "smmu.stages=2"},
                                         Arguments{"--set", "smmu.stages=nested", "--set", "driver.stages=nested"},
                                         Arguments{"--set", "smmu.ats=on", "--set", "endpoint.ats_capability=true",
                                                   "--set", "endpoint.atc_entries=64"}));

TEST(TestdevRunText, SaysWhatWasChecked) {
  const Finished text = run_program(with({}));
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("checked 64 buffers, mismatches 0\n"), std::string::npos) << text.out;
}

TEST(TestdevRunText, RefusesWhatCanNotBe) {
  const TemporaryFolder folder;
  const std::string mixed = folder.write("mixed.toml",
                                         "[[endpoint]]\nmodel = \"nvme\"\nbdf = \"00:01.0\"\n"
                                         "[[endpoint]]\nmodel = \"iommu-testdev\"\nbdf = \"00:02.0\"\n");
  const std::pair<Arguments, std::string> rows[] = {
      {with({"--trace", "any"}), "leave the trace out"},
      {with({"--ladder", "ladder"}), "--ladder"},
      {with({"--set", "endpoint.testdev_bytes=0"}), "endpoint.testdev_bytes"},
      {with({"--set", "host.mode=simulated", "--set", "smmu.accel=true"}), "\"iommu-testdev\" is not possible"},
      {{"run", mixed}, "is not possible beside"},
      {with({"--set", "endpoint.bar_bytes=4096"}), "with endpoint.bar_bytes"},
  };
  for (const auto& [arguments, sentence] : rows) {
    const Finished result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2) << sentence;
    EXPECT_NE(result.err.find(sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

}  // namespace
}  // namespace smmusim::test

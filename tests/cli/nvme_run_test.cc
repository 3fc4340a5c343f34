// SPDX-License-Identifier: MIT
// `smmusim run` with an NVMe controller: the load's result, and what it refuses.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using Arguments = std::vector<std::string>;

Arguments load(Arguments more) {
  Arguments all{"run", "--set", "endpoint.model=nvme", "--set", "endpoint.nvme_commands=500"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(NvmeRun, PrintsWhatWasCheckedAndWritesJson) {
  const Finished text = run_program(load({}));
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("mismatches 0\n"), std::string::npos) << text.out;
  const Finished json = run_program(load({"--json", "-"}));
  EXPECT_EQ(json.exit_code, 0);
  const auto found = nlohmann::json::parse(json.out);
  const auto& device = found["nvme"].at(0);
  EXPECT_EQ(device["reads"].get<unsigned>() + device["writes"].get<unsigned>(), 500U);
  EXPECT_EQ(device["failed"], 0);
  EXPECT_EQ(device["unmaps"], 500);
  EXPECT_GT(device["checked"].get<unsigned>(), 0U);
  EXPECT_GT(device["latency_ns"]["p50"].get<double>(), 10'000.0);
  EXPECT_EQ(found["smmus"].size(), 1U);
}

TEST(NvmeRun, ANamespaceInAFileIsWrittenThere) {
  const TemporaryFolder folder;
  const std::string path = folder.write("namespace", std::string(1 << 20, '\0'));
  const Finished result =
      run_program(load({"--set", "endpoint.nvme_file=" + path, "--set", "endpoint.nvme_read_percent=0"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string bytes = read_text(path);
  EXPECT_EQ(bytes.size(), std::size_t{1} << 20);
  EXPECT_NE(bytes.find_first_not_of('\0'), std::string::npos);
  const Finished both = run_program(load({"--set", "endpoint.nvme_file=" + path, "--json", path}));
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_NE(both.err.find("input and output are the same file"), std::string::npos) << both.err;
  EXPECT_EQ(read_text(path), bytes);
}

TEST(NvmeRun, RefusesWhatCanNotBe) {
  const std::pair<Arguments, std::string> rows[] = {
      {{"--trace", "any"}, "leave the trace out"},
      {{"--ladder", "ladder"}, "--ladder"},
      {{"--set", "endpoint.nvme_bytes_min=8192"}, "above nvme_bytes_max"},
      {{"--set", "endpoint.nvme_bytes_max=4608", "--set", "endpoint.nvme_block=4096"}, "whole number of blocks"},
      {{"--set", "endpoint.nvme_file=/no/such/file"}, "/no/such/file"},
      {{"--set", "host.mode=simulated"}, "not possible with a host"},
      {{"--set", "endpoint.bar_bytes=4096"}, "with endpoint.bar_bytes"},
      {{"--set", "endpoint.nvme_block=1000"}, "endpoint.nvme_block"},
      {{"--set", "endpoint.nvme_mib=1", "--set", "endpoint.nvme_bytes_max=2097152"}, "namespace"},
  };
  for (const auto& [more, sentence] : rows) {
    const Finished result = run_program(load(more));
    EXPECT_EQ(result.exit_code, 2) << sentence;
    EXPECT_NE(result.err.find(sentence), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

}  // namespace
}  // namespace smmusim::test

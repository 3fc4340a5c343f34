// SPDX-License-Identifier: MIT
// Files that must not be overwritten, logs without content, and hostile bytes on their way to the terminal.
#include <gtest/gtest.h>

#include <filesystem>

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

}  // namespace
}  // namespace smmusim::test

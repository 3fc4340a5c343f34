// SPDX-License-Identifier: MIT
// Traces that turn out to be impossible while they are played, in both modes: exit code 2 and one sentence, never an
// abort. In timed mode the error starts in a coroutine whose caller has been suspended meanwhile.
#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

struct BadTrace {
  const char* what;
  const char* records;
};
constexpr BadTrace bad_traces[] = {
    {"a mapping beyond the input range",
     "0 read sid=8 addr=0x1000 size=4 pa=0x41000000 perm=r\n"
     "0 invalidate asid asid=1\n"
     "1 map sid=8 addr=0xfffffffff000 pa=0x41000000 perm=r granule=4K pages=2\n"},
    {"an expected address beyond the output range", "0 read sid=8 addr=0x1000 size=4 pa=0xffff000000001000 perm=r\n"},
    {"an access with an expected address, beyond the input range",
     "0 read sid=8 addr=0xffff000000001000 size=4 pa=0x41001000 perm=r\n"},
    {"an atomic of three bytes", "0 atomic sid=8 addr=0x1000 size=3 pa=0x41000000 perm=rw\n"},
    {"an atomic across its alignment", "0 atomic sid=8 addr=0x1004 size=8 pa=0x41000004 perm=rw\n"},
    {"a mapping of 16 TiB",
     "0 map sid=8 addr=0x0 pa=0x41000000 perm=r granule=4K pages=0x100000000\n"
     "1 read sid=8 addr=0x1800 size=64\n"},
};

TEST(TimedErrors, ImpossibleMappingsAreExitTwoInBothModes) {
  TemporaryFolder folder;
  for (const BadTrace& bad : bad_traces) {
    for (const char* mode : {"untimed", "timed"}) {
      SCOPED_TRACE(std::string(bad.what) + ", " + mode);
      const std::string trace = folder.write("bad.txt", std::string("smmusim-trace text 1\n") + bad.records + "end\n");
      const Finished run = run_program({"run", "--trace", trace, "--mode", mode});
      EXPECT_EQ(run.exit_code, 2) << run.err;
      EXPECT_EQ(lines_of(run.err).size(), 1u) << run.err;
      EXPECT_TRUE(run.err.starts_with("smmusim: ")) << run.err;
    }
  }
}

/// Devices can write the SMMU's registers; a driver whose SMMU is off then waits in vain.
TEST(TimedErrors, ADeviceThatTurnsTheSmmuOffIsExitTwoInBothModes) {
  TemporaryFolder folder;
  const std::string trace = folder.write(
      "off.txt",
      "smmusim-trace text 1\n0 write sid=8 addr=0x10020 size=4 pa=0x9050020 perm=rw\n1 invalidate all\nend\n");
  for (const char* mode : {"untimed", "timed"}) {
    SCOPED_TRACE(mode);
    const Finished run = run_program({"run", "--trace", trace, "--mode", mode, "--json", folder.path("a.json")});
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(lines_of(run.err).size(), 1u) << run.err;
    EXPECT_TRUE(run.err.starts_with("smmusim: " + trace + ":3: record 2: ")) << run.err;
    EXPECT_NE(run.err.find("a device that writes the SMMU's registers or queues can stop it"), std::string::npos)
        << run.err;
    EXPECT_EQ(folder.list(), std::vector<std::string>{"off.txt"});
  }
}

TEST(TimedErrors, AnSmmuThatIsTooSlowForItsDriverIsExitTwo) {
  TemporaryFolder folder;
  const std::string trace = folder.write("t.txt",
                                         "smmusim-trace text 1\n0 read sid=8 addr=0x1000 size=4\n"
                                         "1 invalidate range asid=1 addr=0x0 granule=4K pages=20\nend\n");
  const auto run = [&](const std::string& clock) {
    return run_program({"run", "--trace", trace, "--set", "smmu.version=3.0", "--set",
                        "smmu.tcu.command_cycles=1000000", "--set", clock});
  };
  const Finished never = run("smmu.tcu.clock_mhz=1");
  EXPECT_EQ(never.exit_code, 2);
  EXPECT_TRUE(never.err.starts_with("smmusim: the SMMU did not answer the driver in time when it was enabled; "))
      << never.err;
  const Finished later = run("smmu.tcu.clock_mhz=10");
  EXPECT_EQ(later.exit_code, 2);
  EXPECT_TRUE(later.err.starts_with("smmusim: " + trace + ":3: record 2: ")) << later.err;
  EXPECT_NE(later.err.find("smmu.tcu.command_cycles or clock_mhz make it too slow"), std::string::npos) << later.err;
  EXPECT_EQ(run("smmu.tcu.clock_mhz=1000").exit_code, 0);
}

TEST(TimedErrors, RunningOutOfTableMemoryIsExitTwoInBothModes) {
  TemporaryFolder folder;
  std::string text = "smmusim-trace text 1\n";
  for (unsigned i = 0; i < 2000; ++i) {  // each page needs a last-level table of its own
    text += std::to_string(i) + " read sid=8 addr=" + std::to_string(std::uint64_t{i} << 30) +
            " size=4 pa=0x41000000 perm=r\n";
  }
  const std::string trace = folder.write("scattered.txt", text + "end\n");
  for (const char* mode : {"untimed", "timed"}) {
    const Finished run = run_program({"run", "--trace", trace, "--mode", mode, "--set", "memory.size=0x80200000"});
    EXPECT_EQ(run.exit_code, 2) << mode << ": " << run.err;
    EXPECT_EQ(lines_of(run.err).size(), 1u) << run.err;
  }
}

}  // namespace
}  // namespace smmusim::test

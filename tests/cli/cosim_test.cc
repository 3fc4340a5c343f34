// SPDX-License-Identifier: MIT
// `cosim linux`: what it refuses before anything is fetched or started. That guests boot is the matter of
// tests/peer/linux.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

struct Refused {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;  // part of it
};

std::string refused_name(const testing::TestParamInfo<Refused>& info) {
  return info.param.name;
}

class CosimRefuses : public testing::TestWithParam<Refused> {};

TEST_P(CosimRefuses, WithOneLineAndExitCodeTwo) {
  const TemporaryFolder cache;
  std::vector<std::string> arguments{"cosim", "linux"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Finished result = run_program(arguments, {"XDG_CACHE_HOME=" + cache.path("cache")});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
  EXPECT_EQ(result.err.rfind("smmusim: ", 0), 0u) << result.err;
  EXPECT_NE(result.err.find(GetParam().message), std::string::npos) << result.err;
  EXPECT_TRUE(cache.list().empty());
}

const Refused refused[] = {
    {"UnknownDevice", {"--device", "floppy"}, "known are nvme, virtio-blk, virtio-net, e1000e"},
    {"DeviceTwice", {"--device", "nvme", "--device", "nvme"}, "is given twice"},
    {"UnknownIommu", {"--iommu", "amd"}, "give smmusim, qemu or none"},
    {"UnknownInjection", {"--inject", "fire"}, "illegal-command:N"},
    {"InjectionWithoutNumber", {"--inject", "defect:"}, "illegal-command:N or defect:N, N from 1"},
    {"InjectionZero", {"--inject", "illegal-command:0"}, "N from 1"},
    {"InjectionIntoAnother", {"--iommu", "qemu", "--inject", "defect:1"}, "--inject: only smmusim's own SMMU"},
    {"RecordOfAnother", {"--iommu", "none", "--record", "x.trace"}, "--record: only smmusim's own SMMU"},
    {"NoCpus", {"--cpus", "0"}, "write 1 to 8"},
    {"NoMemory", {"--memory", "x"}, "write 256 to"},
    {"NoTime", {"--timeout", "0"}, "write 1 to"},
    {"NoTimeToFetch", {"--fetch-timeout", "0"}, "write 1 to"},
    {"ModulesOfDebian", {"--modules", "/"}, "Debian's kernel 6.1 has its own"},
    {"UnknownKernel", {"--kernel", "2.4"}, "give 6.1, 6.12 or the file"},
    {"NoScript", {"--run", "/nonexistent/script"}, "/nonexistent/script: can't be read"},
    {"ScriptIsAFolder", {"--run", "/"}, "/: is a folder"},
    {"UnknownKey", {"--set", "smmu.oaz=40"}, "smmu.oas"},
    {"FrameInTheUart", {"--set", "smmu.frame_base=0x9000000"}, "QEMU's virt machine"},
    {"FrameInMemory", {"--set", "smmu.frame_base=0x80000000"}, "main memory"},
    {"UnknownOption", {"--kvm"}, "see smmusim cosim linux --help"},
    {"ConsoleNowhere", {"--console", "/nonexistent/console"}, "/nonexistent/console: can't be written"},
    {"JsonNowhere", {"--json", "/nonexistent/json"}, "/nonexistent/json: can't be written"},
    {"RecordNowhere", {"--record", "/nonexistent/trace"}, "/nonexistent/trace"},
};
INSTANTIATE_TEST_SUITE_P(Input, CosimRefuses, testing::ValuesIn(refused), refused_name);

TEST(Cosim, TwoSmmusAreOneTooMany) {
  const TemporaryFolder folder;
  const std::string config =
      folder.write("two.toml", "[[smmu]]\nname = \"a\"\n[[smmu]]\nname = \"b\"\nframe_base = 0xb000000\n");
  const Finished result = run_program({"cosim", "linux", config});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("has 2 SMMUs"), std::string::npos) << result.err;
}

TEST(Cosim, AFileThatIsNoKernelIsRefused) {
  const TemporaryFolder folder;
  const std::string file = folder.write("vmlinuz", std::string(1000, 'x'));
  const Finished result = run_program({"cosim", "linux", "--iommu", "none", "--kernel", file, "--qemu", "/bin/true"});
  // Its program is wrong too; the input comes first.
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find("byte 56: it is no arm64 Image"), std::string::npos) << result.err;
}

/// What the launcher takes for an arm64 Image.
std::string fake_image(const TemporaryFolder& folder) {
  return folder.write("Image", std::string(0x38, 'x') + "ARM\x64" + std::string(100, 'x'));
}

TEST(Cosim, ModulesThatAreNowhereAreRefused) {
  const TemporaryFolder folder;
  const std::string image = fake_image(folder);
  for (const std::string& modules : {folder.path("nowhere"), image}) {
    const Finished result = run_program({"cosim", "linux", "--kernel", image, "--modules", modules});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find("there is no such folder; give the one that `make modules_install`"), std::string::npos)
        << result.err;
  }
}

TEST(Cosim, OutputsOverwriteNoInput) {
  const TemporaryFolder folder;
  const std::string script = folder.write("script", "exit 0\n");
  for (const char* option : {"--json", "--console", "--record"}) {
    const Finished result = run_program({"cosim", "linux", "--run", script, option, script});
    EXPECT_EQ(result.exit_code, 2) << option;
    EXPECT_EQ(read_text(script), "exit 0\n") << option;
  }
}

TEST(Cosim, OutputsAreLeftAsTheyAreIfNothingStarts) {
  const TemporaryFolder folder;
  for (const char* option : {"--json", "--console", "--record"}) {
    const std::string file = folder.write("file", "kept\n");
    EXPECT_EQ(run_program({"cosim", "linux", "--qemu", "no-such-qemu", option, file}).exit_code, 3);
    EXPECT_EQ(read_text(file), "kept\n") << option;
  }
  EXPECT_EQ(folder.list(), std::vector<std::string>{"file"});
}

TEST(Cosim, TwoOutputsAreTwoFiles) {
  const TemporaryFolder folder;
  const Finished result = run_program(
      {"cosim", "linux", "--json", folder.path("file"), "--console", folder.path(".") + "/nowhere/../file"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("two outputs can't have one file"), std::string::npos) << result.err;
}

TEST(Cosim, TheConfigurationIsNamedInEitherWay) {
  const TemporaryFolder folder;
  const std::string config = folder.write("wrong.toml", "[[smmu]]\noaz = 40\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{config}, {"--config", config}}) {
    std::vector<std::string> arguments{"cosim", "linux"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Finished result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find("wrong.toml:2:"), std::string::npos) << result.err;
  }
}

TEST(Cosim, WithoutQemuItSaysWhichPackageHasIt) {
  for (const char* qemu : {"/nonexistent/qemu", "no-such-qemu"}) {
    const Finished result = run_program({"cosim", "linux", "--iommu", "none", "--qemu", qemu});
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_NE(result.err.find("install qemu-system-arm"), std::string::npos) << result.err;
  }
}

TEST(Cosim, EverythingThatIsMissingIsNamedAtOnceBeforeAnythingIsFetched) {
  const TemporaryFolder folder;
  const Finished result =
      run_program({"cosim", "linux"}, {"XDG_CACHE_HOME=" + folder.path("cache"), "PATH=/nonexistent"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("install qemu-system-arm"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("install device-tree-compiler"), std::string::npos) << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 2u) << result.err;
  EXPECT_TRUE(folder.list().empty());
}

TEST(Cosim, AProgramThatIsNoQemuIsNotUsed) {
  const Finished result = run_program({"cosim", "linux", "--iommu", "none", "--qemu", "/bin/true"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("does not tell the version of QEMU"), std::string::npos) << result.err;
}

/// A shell script in the place of QEMU.
std::string fake_qemu(const TemporaryFolder& folder, const std::string& body) {
  const std::string path = folder.write(
      "qemu", "#!/bin/sh\n[ \"$1\" = -version ] && echo 'QEMU emulator version 7.2.22' && exit 0\n" + body);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(Cosim, WithoutAptItSaysWhyThereIsNoKernel) {
  const TemporaryFolder folder;
  const std::string qemu = fake_qemu(folder, "exit 1\n");
  const Finished result = run_program({"cosim", "linux", "--iommu", "none", "--qemu", qemu},
                                      {"XDG_CACHE_HOME=" + folder.path("cache"), "PATH=/nonexistent"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("there is no apt-get"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("cache") + "/smmusim/cosim"));
}

/// A cache as the launcher makes it, with a kernel that only the fake QEMU takes.
void fill_cache(const TemporaryFolder& folder, const std::string& config) {
  namespace fs = std::filesystem;
  const std::string root = folder.path("cache") + "/smmusim/cosim";
  fs::create_directories(root + "/linux-6.1/modules/kernel");
  fs::create_directories(root + "/busybox");
  folder.write("cache/smmusim/cosim/linux-6.1/image", "x");
  folder.write("cache/smmusim/cosim/linux-6.1/config", config);
  folder.write("cache/smmusim/cosim/busybox/busybox", "x");
}

const std::string with_driver = "#\nCONFIG_ARM_SMMU_V3=y\n";

Finished run_fake(const TemporaryFolder& folder, const std::string& body, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"cosim", "linux", "--iommu", "none", "--qemu", fake_qemu(folder, body)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments, {"XDG_CACHE_HOME=" + folder.path("cache")});
}

TEST(Cosim, AKernelWithoutTheDriverIsRefused) {
  const TemporaryFolder folder;
  fill_cache(folder, "#\nCONFIG_ARM_SMMU_V3=m\n");
  const Finished result = run_fake(folder, "exit 0\n");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("configured without CONFIG_ARM_SMMU_V3=y"), std::string::npos) << result.err;
}

TEST(Cosim, WhatQemuSaysInPlaceOfAGuestIsPassedOn) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result = run_fake(folder, "echo 'qemu: no such device' >&2; exit 1\n");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("qemu: no such device"), std::string::npos) << result.err;
}

TEST(Cosim, AWordForQemuThatStopsItIsWrongInput) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result =
      run_fake(folder, "for last; do :; done\necho \"qemu: no option $last\" >&2; exit 1\n", {"--qemu-arg=-bogus"});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find("--qemu-arg: QEMU did not start the guest"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("qemu: no option -bogus"), std::string::npos) << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
}

/// Writes its device tree when asked for it, if its processor is not one of `refused` (a pattern of the shell).
std::string with_cpus(const std::string& unknown) {
  return "case \"$*\" in " + unknown +
         ") echo 'qemu: unknown processor' >&2; exit 1;; esac\n"
         "for word; do case $word in *dumpdtb=*) echo x > ${word##*dumpdtb=}; exit 0;; esac; done\n"
         "echo 'smmusim-guest: user space 1'; echo 'smmusim-guest: exit 0'\n";
}

TEST(Cosim, AProcessorThatQemuDoesNotHaveIsWrongInput) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const std::string qemu = with_cpus("*cpu[\\ ]z80*|*cpu[\\ ]arm7*,aarch64=on*");
  for (const char* cpu : {"z80", "arm7"}) {
    const Finished result = run_fake(folder, qemu, {"--cpu", cpu});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1u) << result.err;
    EXPECT_NE(result.err.find("no such processor of 64 bits (qemu: unknown processor)"), std::string::npos);
    EXPECT_NE(result.err.find("-cpu help"), std::string::npos) << result.err;
  }
  EXPECT_EQ(run_fake(folder, qemu, {"--cpu", "cortex-a53"}).exit_code, 0);
}

TEST(Cosim, AMachineThatWorksWithNoProcessorIsLacking) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result = run_fake(folder, with_cpus("*"), {"--cpu", "cortex-a53"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.err.find("--cpu"), std::string::npos) << result.err;
}

TEST(Cosim, AFileIsAKernelWithModulesOfItsOwn) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  std::filesystem::create_directories(folder.path("modules"));
  const std::string body = "for word; do [ \"$before\" = -kernel ] && echo \"kernel is $word\"; before=$word; done\n";
  const std::string ends = "echo 'smmusim-guest: user space 1'; echo 'smmusim-guest: exit 0'\n";
  const std::string fails = "echo 'smmusim-guest: error nvme: no /dev/nvme0n1'; echo 'smmusim-guest: exit 1'\n";
  const std::string image = fake_image(folder), console = folder.path("console"), modules = folder.path("modules");
  const Finished with = run_fake(folder, body + ends, {"--kernel", image, "--modules", modules, "--console", console});
  EXPECT_EQ(with.exit_code, 0) << with.err;
  EXPECT_NE(read_text(console).find("kernel is " + image + "\n"), std::string::npos) << read_text(console);
  const Finished failed = run_fake(folder, body + fails, {"--kernel", image, "--modules", modules});
  EXPECT_EQ(failed.exit_code, 1) << failed.err;
  EXPECT_EQ(failed.err.find("--modules"), std::string::npos) << failed.err;
  const Finished without = run_fake(folder, body + fails, {"--kernel", image});
  EXPECT_EQ(without.exit_code, 1) << without.err;
  EXPECT_NE(without.err.find("what is not built into it comes from --modules"), std::string::npos) << without.err;
}

TEST(Cosim, AGuestThatDiesBeforeItsScriptEndsIsAFailure) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result = run_fake(folder, "echo 'Kernel panic'; exit 0\n");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("the guest ended before its script did"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("| Kernel panic"), std::string::npos) << result.err;
}

TEST(Cosim, AScriptThatFailsIsAFailure) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const std::string json = folder.path("json");
  const Finished result = run_fake(
      folder, "echo 'smmusim-guest: error the disk differs'; echo 'smmusim-guest: exit 1'\n", {"--json", json});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("the disk differs"), std::string::npos) << result.err;
  EXPECT_NE(read_text(json).find("\"guest_exit\": 1"), std::string::npos) << read_text(json);
}

/// A process that was killed ends when the host gets to it. A zombie whose parent has not looked at it yet is none.
bool ends_soon(const std::string& pid) {
  for (int look = 0; look != 100; ++look) {
    const std::string state = read_text("/proc/" + pid + "/stat");
    if (state.empty() || state.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

TEST(Cosim, AHangEndsWithTheLastLinesAndNoProcess) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const std::string pids = folder.path("pids");
  const Finished result = run_fake(folder,
                                   "trap '' TERM\nsleep 600 & echo $$ $! > " + pids +
                                       "\ni=0\nwhile [ $i -lt 60 ]; do i=$((i+1)); echo line $i; "
                                       "done\nwait\nwhile :; do sleep 1; done\n",
                                   {"--timeout", "1"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("did not end within 1 s"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("the last 50 lines"), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("| line 10\n"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("| line 11\n"), std::string::npos) << result.err;
  std::istringstream numbers(read_text(pids));
  for (std::string pid; numbers >> pid;) {
    EXPECT_TRUE(ends_soon(pid)) << read_text("/proc/" + pid + "/stat");
  }
}

TEST(Cosim, TheTimeLimitHoldsUntilThePowerIsOff) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const std::string boots = "echo 'smmusim-guest: user space 1'\n", ends = "echo 'smmusim-guest: exit 0'\n";
  for (const std::string& reached : {boots, boots + ends}) {
    const Finished result = run_fake(folder, reached + "echo the last line\nexec sleep 600\n", {"--timeout", "1"});
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_NE(result.err.find("did not end within 1 s"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("| the last line\n"), std::string::npos) << result.err;
  }
}

TEST(Cosim, ADefectInsideQemuIsOurs) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result = run_fake(folder, "echo line; echo 'smmusim: a defect of smmusim: x' >&2; exit 70\n");
  EXPECT_EQ(result.exit_code, 70) << result.err;
  EXPECT_EQ(result.err, "smmusim: a defect of smmusim: x\n");
}

TEST(Cosim, WhatTheSharedObjectLacksIsPassedOn) {
  const TemporaryFolder folder;
  fill_cache(folder, with_driver);
  const Finished result = run_fake(folder, "echo 'smmusim: QEMU 5.0 has no x' >&2; exit 3\n");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.err, "smmusim: QEMU 5.0 has no x\n");
}

}  // namespace
}  // namespace smmusim::test

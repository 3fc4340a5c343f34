// SPDX-License-Identifier: MIT
// How `cosim linux` fetches kernel and busybox, with an apt and a dpkg-deb made here: what is kept, what is not kept
// when something fails, and what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

namespace fs = std::filesystem;

/// A folder of programs that stand before the real ones in PATH.
class CosimFetch : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/share/keyrings/debian-archive-keyring.gpg")) GTEST_SKIP() << "this is no Debian system";
    program("qemu",
            "[ \"$1\" = -version ] && echo 'QEMU emulator version 7.2.22' && exit 0\n"
            "echo 'smmusim-guest: user space 1'; echo 'smmusim-guest: exit 0'\n");
    program("apt-cache", "echo '  Depends: linux-image-6.1.0-9-arm64'\n");
    set_apt("");
    program("dpkg-deb",
            "case $2 in\n*linux*) mkdir -p $3/boot $3/lib/modules/6.1.0-9-arm64/kernel && echo x > "
            "$3/boot/vmlinuz-6.1.0-9-arm64 && printf '#\\nCONFIG_ARM_SMMU_V3=y\\n' > "
            "$3/boot/config-6.1.0-9-arm64;;\n*busybox*) mkdir -p $3/bin && echo x > $3/bin/busybox;;\nesac\n");
  }

  void program(const std::string& name, const std::string& body) {
    fs::create_directories(folder_.path("bin"));
    fs::permissions(folder_.write("bin/" + name, "#!/bin/sh\n" + body), fs::perms::owner_all);
  }

  /// `refusal`: what is to be done before anything else.
  void set_apt(const std::string& refusal) {
    program("apt-get", "echo \"$@\" >> " + folder_.path("calls") + "\n" + refusal +
                           "case \"$*\" in\n*indextargets*) echo 'http://mirror.test/debian/ Debian Debian';;\n"
                           "*download*) for last; do :; done; echo x > $last.deb;;\nesac\n");
  }

  Finished run(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"cosim", "linux", "--iommu", "none", "--qemu", folder_.path("bin") + "/qemu"});
    return run_program(more,
                       {"XDG_CACHE_HOME=" + folder_.path("cache"), "PATH=" + folder_.path("bin") + ":/usr/bin:/bin"});
  }

  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_.path("cache") + "/smmusim/cosim", ignored)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(CosimFetch, KeepsWhatItFetchedAndFetchesNothingAgain) {
  const Finished first = run();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.err.find("fetching Linux 6.1"), std::string::npos) << first.err;
  EXPECT_EQ(kept(), (std::vector<std::string>{"busybox", "linux-6.1"}));
  const std::string calls = read_text(folder_.path("calls"));
  EXPECT_NE(calls.find("linux-image-6.1.0-9-arm64"), std::string::npos) << calls;
  EXPECT_NE(calls.find("busybox-static"), std::string::npos) << calls;

  set_apt("exit 100\n");
  const Finished second = run();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.err, "");
}

TEST_F(CosimFetch, WhatIsThereInPartIsFetchedAgain) {
  ASSERT_EQ(run().exit_code, 0);
  const fs::path cache = folder_.path("cache") + "/smmusim/cosim";
  for (const char* part : {"linux-6.1/image", "linux-6.1/config", "linux-6.1/modules", "linux-6.1/modules/kernel",
                           "busybox/busybox", "linux-6.1", "busybox"}) {
    fs::remove_all(cache / part);
    const Finished result = run();
    EXPECT_EQ(result.exit_code, 0) << part << ": " << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1u) << part << ": " << result.err;
    EXPECT_NE(result.err.find("fetching"), std::string::npos) << part << ": " << result.err;
    EXPECT_TRUE(fs::exists(cache / part)) << part;
    EXPECT_EQ(kept(), (std::vector<std::string>{"busybox", "linux-6.1"})) << part;
  }
  fs::resize_file(cache / "linux-6.1/image", 0);  // as after a crash of the machine
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(fs::file_size(cache / "linux-6.1/image"), 2u);
}

TEST_F(CosimFetch, FetchingHasATimeLimitOfItsOwn) {
  for (const char* command : {"update", "download"}) {
    set_apt("case \"$*\" in *" + std::string(command) + "*) exec sleep 600;; esac\n");
    const Finished result = run({"--fetch-timeout", "1"});
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_NE(result.err.find("apt-get did not end within 1 s; look at the network, or give it more with "
                              "--fetch-timeout"),
              std::string::npos)
        << result.err;
    EXPECT_TRUE(kept().empty());
  }
}

TEST_F(CosimFetch, WithoutNetworkItSaysSoAndKeepsNothing) {
  set_apt("case \"$*\" in *update*) echo 'E: Could not resolve mirror' >&2; exit 100;; esac\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("E: Could not resolve mirror"), std::string::npos) << result.err;
  EXPECT_TRUE(kept().empty());
}

TEST_F(CosimFetch, ADownloadThatFailsKeepsNothing) {
  set_apt("case \"$*\" in *download*) echo 'E: 404 not found' >&2; exit 100;; esac\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("E: 404 not found"), std::string::npos) << result.err;
  EXPECT_TRUE(kept().empty());
}

TEST_F(CosimFetch, ABrokenPackageKeepsNothing) {
  program("dpkg-deb", "echo 'not a Debian archive' >&2; exit 2\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("not a Debian archive"), std::string::npos) << result.err;
  EXPECT_TRUE(kept().empty());
}

TEST_F(CosimFetch, APackageWithoutKernelKeepsNothing) {
  program("dpkg-deb", "mkdir -p $3/boot $3/lib/modules/x\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("holds no vmlinuz-*"), std::string::npos) << result.err;
  EXPECT_TRUE(kept().empty());
}

TEST_F(CosimFetch, WithoutAMirrorItSaysWhatToDo) {
  program("apt-get", "exit 0\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("run apt-get update"), std::string::npos) << result.err;
  EXPECT_TRUE(kept().empty());
}

TEST_F(CosimFetch, ASuiteWithoutThePackageIsNamed) {
  program("apt-cache", "exit 0\n");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("suite bookworm has no package linux-image-arm64"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace smmusim::test

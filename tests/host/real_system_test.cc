// SPDX-License-Identifier: MIT
// The client through the real system calls, against paths that are there and refuse: no iommufd, no permission, other
// files, and `smmusim host probe` of this machine.
#include "platform/host/real_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "platform/host/iommufd.h"

namespace smmusim::host {
namespace {

struct RealSystemTest : ::testing::Test {
  RealSystemTest() {
    char path[] = "/tmp/smmusim-host-XXXXXX";
    directory = ::mkdtemp(path);
    std::filesystem::permissions(directory, std::filesystem::perms::all);
    std::ofstream(file()) << "not a device";
  }
  ~RealSystemTest() override { std::filesystem::remove_all(directory); }
  std::string file() const { return directory + "/iommu"; }

  RealSystem system;
  std::shared_ptr<IoctlLog> log = std::make_shared<IoctlLog>();
  std::string directory;
};

TEST_F(RealSystemTest, PathsThatCannotBeOpened) {
  EXPECT_EQ(Iommufd::open(system, log, directory + "/absent").error().error, ENOENT);
  EXPECT_EQ(Iommufd::open(system, log, directory).error().error, EISDIR);
  EXPECT_EQ(Iommufd::open(system, log, file() + "/below").error().error, ENOTDIR);
  EXPECT_EQ(Iommufd::open(system, log, directory + "/absent").error().call, "open");
}

TEST_F(RealSystemTest, WithoutPermission) {
  ASSERT_EQ(::chmod(file().c_str(), 0), 0);
  const uid_t before = ::geteuid();
  constexpr uid_t nobody = 65534;
  ASSERT_TRUE(before != 0 || ::seteuid(nobody) == 0);
  const int error = Iommufd::open(system, log, file()).error().error;
  ASSERT_TRUE(before != 0 || ::seteuid(before) == 0);
  EXPECT_EQ(error, EACCES);
}

TEST_F(RealSystemTest, FilesThatKnowNoIommufdRefuseEveryCall) {
  for (const std::string& path : {file(), std::string("/dev/null")}) {
    const Result<IommufdPtr> iommufd = Iommufd::open(system, log, path);
    ASSERT_TRUE(iommufd.ok()) << path;
    EXPECT_EQ((*iommufd)->alloc_ioas().error().error, ENOTTY) << path;
    EXPECT_EQ((*iommufd)->alloc_fault_queue().error().error, ENOTTY) << path;
    const Result<VfioDevicePtr> device = VfioDevice::open(*iommufd, path);
    EXPECT_EQ(device.error().error, ENOTTY) << path;
    EXPECT_EQ(device.error().call, "VFIO_DEVICE_BIND_IOMMUFD");
  }
  EXPECT_EQ(log->count(abi::ioas_alloc).by_errno.at(ENOTTY), 2u);
  EXPECT_EQ(log->objects_allocated(), 0u);
  EXPECT_EQ(system.call_time(abi::ioas_alloc).count, 2u);
}

TEST_F(RealSystemTest, ClosedDescriptorsAreErrors) {
  char byte = 0;
  EXPECT_EQ(system.read(-1, &byte, 1).error, EBADF);
  EXPECT_EQ(system.write(-1, &byte, 1).error, EBADF);
  EXPECT_EQ(system.ioctl(-1, abi::ioas_alloc, &byte).error, EBADF);
  EXPECT_EQ(system.close(-1).error, EBADF);
  EXPECT_EQ(system.mmap(-1, 0, 4096).error, EBADF);
  EXPECT_EQ(system.munmap(1, 4096).error, EINVAL);
}

TEST_F(RealSystemTest, ReadsPollsAndMaps) {
  const int fd = static_cast<int>(system.open(file()).value);
  char text[64];
  EXPECT_EQ(system.poll(fd).value, 1);
  EXPECT_EQ(system.read(fd, text, sizeof text).value, 12);
  EXPECT_EQ(system.read(fd, text, sizeof text).value, 0);
  EXPECT_EQ(system.write(fd, "!", 1).value, 1);
  const SysResult mapped = system.mmap(fd, 0, 4096);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(reinterpret_cast<const char*>(mapped.value)[0], 'n');
  EXPECT_TRUE(system.munmap(static_cast<std::uint64_t>(mapped.value), 4096).ok());
  EXPECT_TRUE(system.close(fd).ok());
}

TEST_F(RealSystemTest, DirectoriesAndLinks) {
  std::vector<std::string> names = {"old"};
  EXPECT_EQ(system.list(directory + "/absent", names).error, ENOENT);
  EXPECT_EQ(system.list(file(), names).error, ENOTDIR);
  std::ofstream(directory + "/another") << "";
  EXPECT_EQ(system.list(directory, names).value, 2);
  EXPECT_EQ(names, (std::vector<std::string>{"another", "iommu"}));
  std::filesystem::create_symlink("../0000:01:00.0", directory + "/device");
  std::string target;
  EXPECT_TRUE(system.read_link(directory + "/device", target).ok());
  EXPECT_EQ(target, "../0000:01:00.0");
  EXPECT_EQ(system.read_link(file(), target).error, EINVAL);
}

struct Output {
  std::string text;
  int code;
};

Output run(const std::string& arguments) {
  FILE* pipe = ::popen((std::string(SMMUSIM_BINARY) + " " + arguments + " 2>&1").c_str(), "r");
  Output output{"", -1};
  char buffer[4096];
  while (const std::size_t bytes = std::fread(buffer, 1, sizeof buffer, pipe)) output.text.append(buffer, bytes);
  const int status = ::pclose(pipe);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

TEST(HostProbeCommand, SaysThatNothingIsThereAndEndsWell) {
  if (std::filesystem::exists("/dev/iommu")) GTEST_SKIP() << "this machine has iommufd";
  const Output text = run("host probe");
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.text.find("iommufd           missing"), std::string::npos) << text.text;
  EXPECT_NE(text.text.find("/dev/iommu is not there"), std::string::npos) << text.text;
  EXPECT_NE(text.text.find("has met no hardware yet"), std::string::npos) << text.text;
  const Output json = run("host probe --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(nlohmann::json::parse(json.text)["nested_possible"], false);
  const Output required = run("host probe --require");
  EXPECT_EQ(required.code, 3);
  EXPECT_NE(required.text.find("smmusim: host probe: nested mode is not possible here"), std::string::npos);
}

TEST(HostProbeCommand, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run("host").code, 2);
  EXPECT_EQ(run("host probe --nonsense").code, 2);
  EXPECT_EQ(run("host prob").code, 2);
  EXPECT_EQ(run("host probe --help").code, 0);
}

}  // namespace
}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// What the launcher makes of a guest's console, whatever the guest prints; and the data that it gives the guest.
#include <gtest/gtest.h>

#include <sstream>

#include "platform/cosim/linux/disk_image.h"
#include "platform/cosim/linux/guest_console.h"
#include "platform/cosim/linux/md5.h"

namespace smmusim::cosim {
namespace {

TEST(CosimConsole, FindsOurLinesAmongTheKernels) {
  GuestConsole console;
  console.take("[    0.000000] Linux version 6.1.0-50-arm64 (debian) (gcc)\r\n");
  console.take("[    0.9] arm-smmu-v3 9050000.iommu: ias 48-bit, oas 40-bit (features 0x000083c5)\r\n");
  console.take("[    1.2] smmusim-guest: user sp");
  EXPECT_FALSE(console.user_space);
  console.take("ace 1.17\r\n[    1.3] smmusim-guest: group 2 0000:00:01.0 DMA-FQ\r\n");
  console.take("half a line[    2.0] smmusim-guest: measure nvme.read_4k 4096 1510\r\n");
  console.take("[    3.0] smmusim-guest: error /dev/vda: the contents differ\r\n[  3.1] smmusim-guest: exit 1\r\n");
  EXPECT_EQ(console.kernel, "6.1.0-50-arm64");
  ASSERT_EQ(console.driver.size(), 1u);
  EXPECT_EQ(console.driver[0], "arm-smmu-v3 9050000.iommu: ias 48-bit, oas 40-bit (features 0x000083c5)");
  EXPECT_TRUE(console.user_space);
  EXPECT_DOUBLE_EQ(console.guest_seconds, 1.17);
  ASSERT_EQ(console.groups.size(), 1u);
  EXPECT_EQ(console.groups[0].number, 2u);
  EXPECT_EQ(console.groups[0].device, "0000:00:01.0");
  EXPECT_EQ(console.groups[0].type, "DMA-FQ");
  ASSERT_EQ(console.measures.size(), 1u);
  EXPECT_EQ(console.measures[0].count, 4096u);
  EXPECT_EQ(console.measures[0].milliseconds, 1510u);
  EXPECT_EQ(console.errors, std::vector<std::string>{"/dev/vda: the contents differ"});
  EXPECT_EQ(console.exit_status, 1u);
}

TEST(CosimConsole, OurLinesWithoutSenseAreNoLines) {
  GuestConsole console;
  for (const char* text : {"exit", "exit x", "exit -1", "exit 99999999999999999999", "group", "group x y z",
                           "measure a", "measure a 1", "measure a 1 x", "user", "", "xyz"}) {
    console.take(std::string("smmusim-guest: ") + text + "\n");
  }
  EXPECT_FALSE(console.user_space);
  EXPECT_FALSE(console.exit_status.has_value());
  EXPECT_TRUE(console.groups.empty());
  EXPECT_TRUE(console.measures.empty());
}

TEST(CosimConsole, KeepsTheLastLinesAndNoControlBytes) {
  GuestConsole console;
  for (unsigned i = 0; i != 2000; ++i) console.take("line " + std::to_string(i) + "\n");
  console.take("\x1b[31mred\tline\x7f");
  console.finish();
  ASSERT_EQ(console.last_lines().size(), GuestConsole::kept_lines);
  EXPECT_EQ(console.last_lines().front(), "line 1951");
  EXPECT_EQ(console.last_lines().back(), "?[31mred line?");
  EXPECT_EQ(console.lines(), 2001u);
}

TEST(CosimConsole, AGuestThatPrintsForEverFillsNoMemory) {
  GuestConsole console;
  for (unsigned i = 0; i != 3000; ++i) console.take("smmusim-guest: error x\n");
  for (unsigned i = 0; i != 3000; ++i) console.take(std::string(100, 'x'));
  console.finish();
  EXPECT_EQ(console.errors.size(), GuestConsole::most_lines_of_a_kind);
  EXPECT_EQ(console.error_count, 3000u);
  EXPECT_EQ(console.last_lines().back().size(), GuestConsole::line_bytes_max);
}

TEST(CosimMd5, IsThatOfRfc1321) {
  EXPECT_EQ(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(CosimMd5, PadsAtEveryLength) {
  // The MD5 of the MD5s of "", "a", "aa" ... up to 130 letters, as md5sum gives it.
  std::string all;
  for (std::size_t length = 0; length != 131; ++length) all += md5(std::string(length, 'a'));
  EXPECT_EQ(md5(all), "dc15a7096e621b7f0679b8ac9d383e7f");
}

TEST(CosimDisk, ReadListsTellTheMd5OfTheirBlocks) {
  const DiskPlan plan = plan_disk(1);
  EXPECT_EQ(plan.contents.size(), DiskPlan::known_bytes);
  EXPECT_EQ(plan.md5, md5(plan.contents));
  std::istringstream lines(plan.read_lists);
  unsigned groups = 0;
  for (std::string line; std::getline(lines, line); ++groups) {
    if (groups % 50 != 0) continue;
    std::istringstream words(line);
    std::string sum, read;
    words >> sum;
    unsigned reads = 0;
    for (std::uint64_t block = 0; words >> block; ++reads) {
      read += plan.contents.substr(block * DiskPlan::block_bytes, DiskPlan::block_bytes);
    }
    EXPECT_EQ(reads, DiskPlan::reads_of_group);
    EXPECT_EQ(sum, md5(read));
  }
  EXPECT_EQ(groups, DiskPlan::groups);
}

TEST(CosimDisk, FollowsFromTheSeed) {
  EXPECT_EQ(plan_disk(7).read_lists, plan_disk(7).read_lists);
  EXPECT_NE(plan_disk(7).md5, plan_disk(8).md5);
}

}  // namespace
}  // namespace smmusim::cosim

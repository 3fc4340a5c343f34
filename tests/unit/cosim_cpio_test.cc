// SPDX-License-Identifier: MIT
// The initramfs archive: what cpio reads back is what was put in, and paths that would end elsewhere are refused.
#include <gtest/gtest.h>

#include <stdexcept>

#include "platform/cosim/linux/cpio.h"

namespace smmusim::cosim {
namespace {

struct Member {
  std::string name;
  unsigned long mode = 0, major = 0, minor = 0;
  std::string contents;
};

/// Reads an archive by the field table of the format; the last member is the trailer.
std::vector<Member> members(const std::string& archive) {
  constexpr std::size_t header = 110, field = 8;
  std::vector<Member> found;
  for (std::size_t at = 0; at < archive.size();) {
    EXPECT_EQ(archive.compare(at, 6, "070701"), 0) << "at " << at;
    const auto number = [&](std::size_t index) {
      return std::stoul(archive.substr(at + 6 + index * field, field), nullptr, 16);
    };
    const auto round_up = [](std::size_t offset) { return (offset + 3) / 4 * 4; };
    Member member;
    member.mode = number(1);
    member.major = number(9);
    member.minor = number(10);
    const std::size_t size = number(6), name_size = number(11);
    member.name = archive.substr(at + header, name_size - 1);
    EXPECT_EQ(archive[at + header + name_size - 1], '\0');
    const std::size_t data = round_up(at + header + name_size);
    member.contents = archive.substr(data, size);
    at = round_up(data + size);
    found.push_back(member);
    if (member.name == "TRAILER!!!") {
      EXPECT_EQ(at, archive.size());
      break;
    }
  }
  return found;
}

TEST(CosimCpio, HoldsWhatWasAddedInOrder) {
  CpioWriter cpio;
  cpio.add_file("bin/tool", "12345", CpioWriter::executable);
  cpio.add_file("empty", "");
  cpio.add_link("bin/sh", "tool");
  cpio.add_character_device("dev/console", 5, 1);
  const std::vector<Member> found = members(cpio.archive());
  const std::vector<std::string> names{"bin", "bin/tool", "empty", "bin/sh", "dev", "dev/console", "TRAILER!!!"};
  ASSERT_EQ(found.size(), names.size());
  for (std::size_t i = 0; i != names.size(); ++i) EXPECT_EQ(found[i].name, names[i]);
  EXPECT_EQ(found[0].mode, 0040755u);
  EXPECT_EQ(found[1].mode, 0100755u);
  EXPECT_EQ(found[1].contents, "12345");
  EXPECT_EQ(found[2].contents, "");
  EXPECT_EQ(found[3].mode, 0120777u);
  EXPECT_EQ(found[3].contents, "tool");
  EXPECT_EQ(found[5].mode, 0020600u);
  EXPECT_EQ(found[5].major, 5u);
  EXPECT_EQ(found[5].minor, 1u);
}

TEST(CosimCpio, KeepsContentsOfEveryLength) {
  for (std::size_t length = 0; length != 9; ++length) {
    CpioWriter cpio;
    const std::string contents(length, 'x');
    cpio.add_file("f" + std::string(length, 'n'), contents);
    cpio.add_file("next", "y");
    const std::vector<Member> found = members(cpio.archive());
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].contents, contents);
    EXPECT_EQ(found[1].contents, "y");
  }
}

TEST(CosimCpio, RefusesPathsThatAreNotPlain) {
  for (const std::string path : {"", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "./a", "a/.", "TRAILER!!!"}) {
    CpioWriter cpio;
    EXPECT_THROW(cpio.add_file(path, ""), std::invalid_argument) << path;
    EXPECT_EQ(members(cpio.archive()).size(), 1u) << path;
  }
  CpioWriter cpio;
  EXPECT_THROW(cpio.add_file(std::string("a\0b", 3), ""), std::invalid_argument);
  EXPECT_THROW(cpio.add_file(std::string(5000, 'a'), ""), std::invalid_argument);
}

TEST(CosimCpio, RefusesTheSameNameTwiceAndFilesInFiles) {
  CpioWriter cpio;
  cpio.add_file("a", "");
  EXPECT_THROW(cpio.add_file("a", ""), std::invalid_argument);
  EXPECT_THROW(cpio.add_folder("a"), std::invalid_argument);
  EXPECT_THROW(cpio.add_file("a/b", ""), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::cosim

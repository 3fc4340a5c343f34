// SPDX-License-Identifier: MIT
// The launcher's temporary folders: those of killed processes go, those of others stay.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/programs/temporary_folder.h"

namespace smmusim::programs {
namespace {

namespace fs = std::filesystem;

TEST(ProgramsTemporaryFolder, GoesWithTheObjectAndAllThatIsInIt) {
  fs::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    fs::create_directories(path / "a" / "b");
    write_file(path / "a" / "b" / "c", "text");
    EXPECT_EQ(read_file(path / "a" / "b" / "c"), "text");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ProgramsTemporaryFolder, OfAKilledProcessGoesWhenTheNextOneIsMade) {
  const TemporaryFolder parent;
  const pid_t killed = ::fork();
  ASSERT_GE(killed, 0);
  if (killed == 0) {
    const TemporaryFolder folder(parent.path());
    write_file(folder.path("file"), "text");
    ::_exit(0);  // without destructors, as by SIGKILL
  }
  ::waitpid(killed, nullptr, 0);
  ASSERT_FALSE(fs::is_empty(parent.path()));
  const fs::path left = fs::directory_iterator(parent.path())->path();
  const TemporaryFolder next(parent.path());
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(next.path()));
}

TEST(ProgramsTemporaryFolder, OfOthersStays) {
  const TemporaryFolder parent;
  fs::create_directories(parent.path() / "smmusim-else");
  write_file(parent.path("smmusim-cosim-file"), "text");
  const TemporaryFolder alive(parent.path());
  const TemporaryFolder next(parent.path());
  EXPECT_TRUE(fs::exists(alive.path()));
  EXPECT_TRUE(fs::exists(parent.path("smmusim-cosim-file")));
  EXPECT_TRUE(fs::exists(parent.path("smmusim-else")));
}

}  // namespace
}  // namespace smmusim::programs

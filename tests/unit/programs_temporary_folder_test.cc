// SPDX-License-Identifier: MIT
// The launcher's temporary folders: those of killed processes go, those of others stay.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "platform/config/load.h"
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

/// Sets TMPDIR while it lives.
class TemporaryPlace {
 public:
  explicit TemporaryPlace(const std::string& place) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", place.c_str(), 1);
  }
  ~TemporaryPlace() {
    if (before_) {
      ::setenv("TMPDIR", before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;

 private:
  std::optional<std::string> before_;
};

TEST(ProgramsTemporaryFolder, IsMadeWhereTheEnvironmentSays) {
  const TemporaryFolder parent;
  const TemporaryPlace place(parent.path().string());
  EXPECT_EQ(TemporaryFolder().path().parent_path(), parent.path());
}

TEST(ProgramsTemporaryFolder, NamesThePlaceThatIsMissingOrNoFolder) {
  const TemporaryFolder parent;
  write_file(parent.path("file"), "text");
  for (const auto& [name, reason] : {std::pair("missing", "No such file or directory"), {"file", "Not a directory"}}) {
    const std::string where = parent.path(name);
    const TemporaryPlace place(where);
    try {
      const TemporaryFolder folder;
      ADD_FAILURE() << "made in " << where;
    } catch (const InputError& error) {
      EXPECT_EQ(error.what(), where + ": no folder can be made there (" + reason + "); give it room, or set TMPDIR");
    }
  }
}

}  // namespace
}  // namespace smmusim::programs

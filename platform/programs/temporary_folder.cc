// SPDX-License-Identifier: MIT
// TemporaryFolder and whole files; see the header.
#include "platform/programs/temporary_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "platform/config/load.h"

namespace smmusim::programs {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::generic_category().message(errno);
}

constexpr std::string_view prefix = "smmusim-cosim-";

int open_folder(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Whether the open folder is ours, and still the one of that name.
bool is_ours(int folder, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(folder, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_uid == ::geteuid() &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/// Where the host keeps temporary files. The library's own function forgets the name of a folder that is not there.
fs::path usual_parent() {
  const char* named = std::getenv("TMPDIR");
  return named == nullptr || *named == '\0' ? "/tmp" : named;
}

/// Folders of processes that were killed.
void remove_abandoned(const fs::path& where) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(where, ignored)) {
    const std::string path = entry.path().string();
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const int folder = open_folder(path);
    if (folder < 0) continue;
    if (::flock(folder, LOCK_EX | LOCK_NB) == 0 && is_ours(folder, path)) fs::remove_all(path, ignored);
    ::close(folder);
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder(const fs::path& parent) {
  const fs::path where = parent.empty() ? usual_parent() : parent;
  remove_abandoned(where);
  // Until it is locked, another process may take it for abandoned: then again.
  for (;;) {
    std::string pattern = (where / (std::string(prefix) + "XXXXXX")).string();
    const bool made = ::mkdtemp(pattern.data()) != nullptr;
    if (made) lock_ = open_folder(pattern);
    if (!made || (lock_ < 0 && errno != ENOENT)) {
      throw InputError(
          fmt::format("{}: no folder can be made there ({}); give it room, or set TMPDIR", where.string(), reason()));
    }
    path_ = pattern;
    if (lock_ >= 0 && ::flock(lock_, LOCK_EX) == 0 && is_ours(lock_, path_)) return;
    if (lock_ >= 0) ::close(lock_);
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

std::string read_file(const fs::path& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (fs::is_directory(path, ignored)) throw InputError(path.string() + ": is a folder; give a file");
  if (file) text << file.rdbuf();
  if (!file || file.bad())
    throw InputError(fmt::format("{}: can't be read ({}); give a file that can", path.string(), reason()));
  return std::move(text).str();
}

void write_file(const fs::path& path, std::string_view contents) {
  std::ofstream file(path, std::ios::binary);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  if (!file) throw InputError(fmt::format("{}: can't be written ({}); give it room", path.string(), reason()));
}

}  // namespace smmusim::programs

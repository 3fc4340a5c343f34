// SPDX-License-Identifier: MIT
// TemporaryFolder and whole files; see the header.
#include "platform/cosim/linux/temporary_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "platform/config/load.h"

namespace smmusim::cosim {
namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::generic_category().message(errno);
}

}  // namespace

TemporaryFolder::TemporaryFolder(const fs::path& parent) {
  std::error_code error;
  const fs::path where = parent.empty() ? fs::temp_directory_path(error) : parent;
  std::string pattern = (where / "smmusim-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    throw InputError(
        fmt::format("{}: no folder can be made there ({}); give it room, or set TMPDIR", where.string(), reason()));
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
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

}  // namespace smmusim::cosim

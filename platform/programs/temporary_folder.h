// SPDX-License-Identifier: MIT
// A folder of our own that goes away with the object, with everything in it. If the process is killed before, it goes
// when the next one makes its folder in the same place: a folder whose owner lives is locked.
#pragma once

#include <filesystem>
#include <string>

namespace smmusim::programs {

class TemporaryFolder {
 public:
  /// Inside `parent`, or where the host keeps temporary files. Throws InputError if none can be made there.
  explicit TemporaryFolder(const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
  int lock_ = -1;  ///< of the folder itself
};

/// Whole files. Both throw InputError naming the file.
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace smmusim::programs

// SPDX-License-Identifier: MIT
// Where run and sweep put their results. A place that can't be written is found before anything is simulated, and what
// fails later leaves no file and no folder behind. Nothing here knows what is written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim {

/// A folder that is made, with those above it, and taken away again with the object unless keep() was called. A folder
/// that was there before, or that has files in it, stays.
class OutputFolder {
 public:
  /// Throws InputError if there is no such folder and none can be made.
  explicit OutputFolder(const std::filesystem::path& path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  void keep() { made_.clear(); }

 private:
  void remove_made();

  std::vector<std::filesystem::path> made_;  // the innermost last
};

/// A file in two steps: write() makes it complete beside its place, publish() gives it its name. A path that exists
/// and is no regular file (a device, a pipe, a link) is written in place by write().
class OutputFile {
 public:
  /// Throws InputError if the file could not be written now. Leaves nothing.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Both throw InputError.
  void write(std::string_view text);
  void publish();

 private:
  std::filesystem::path path_;
  std::filesystem::path part_;  // empty: none is there
  bool in_place_ = false;
};

/// Writes to standard output and looks whether that worked. Throws InputError if not.
void write_standard_output(std::string_view text);

}  // namespace smmusim

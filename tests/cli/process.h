// SPDX-License-Identifier: MIT
// Runs the smmusim program and keeps what it printed. For the tests of this folder only.
#pragma once

#include <string>
#include <vector>

namespace smmusim::test {

struct Finished {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// Runs smmusim with these arguments; `environment` are NAME=VALUE added to ours. Standard input is empty.
/// `out`: a file, /dev/full say, that is standard output instead; Finished::out is empty then.
Finished run_program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                     const std::string& out = "");

/// A folder of its own that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  /// Writes a file and gives its path.
  std::string write(const std::string& name, const std::string& text) const;
  /// Names of the files in it.
  std::vector<std::string> list() const;

 private:
  std::string root_;
};

std::string read_text(const std::string& path);
std::vector<std::string> lines_of(const std::string& text);

}  // namespace smmusim::test

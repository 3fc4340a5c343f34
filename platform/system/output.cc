// SPDX-License-Identifier: MIT
// OutputFolder and OutputFile; see the header.
#include "platform/system/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "platform/config/load.h"

namespace smmusim {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, int error) {
  throw InputError(fmt::format("{}: can't be written ({}); give a path that can be", path.string(),
                               std::generic_category().message(error)));
}

/// A new file beside `path`. The name holds the process number: several processes may write into one folder.
int open_part(const fs::path& path, fs::path& part) {
  for (unsigned number = 0;; ++number) {
    part = fmt::format("{}.part.{}.{}", path.string(), ::getpid(), number);
    constexpr int mode = 0666;  // less the user's mask
    const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file >= 0) return file;
    if (errno == EEXIST) continue;
    const int error = errno;
    part.clear();
    fail(path, error);
  }
}

/// 0 or the error.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(file, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return 0;
}

}  // namespace

OutputFolder::OutputFolder(const fs::path& path) {
  std::error_code error;
  fs::path at;
  for (const fs::path& part : path) {
    at /= part;
    if (fs::is_directory(at, error)) continue;
    if (!fs::create_directory(at, error)) {
      // Another process may just have made it.
      if (fs::is_directory(at, error)) continue;
      remove_made();
      throw InputError(fmt::format("{}: can't be made; give a folder that can be written", path.string()));
    }
    made_.push_back(at);
  }
}

OutputFolder::~OutputFolder() {
  remove_made();
}

void OutputFolder::remove_made() {
  std::error_code ignored;
  for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), ignored);  // refuses a folder with files
}

OutputFile::OutputFile(fs::path path) : path_(std::move(path)) {
  std::error_code ignored;
  const fs::file_status itself = fs::symlink_status(path_, ignored);
  if (fs::is_directory(fs::status(path_, ignored))) fail(path_, EISDIR);
  in_place_ = fs::exists(itself) && !fs::is_regular_file(itself);
  if (in_place_) {
    // Opening a pipe and closing it again would end what its reader sees, so it is only asked for. A link to nothing
    // has nothing to ask.
    if (::access(path_.c_str(), W_OK) != 0 && errno != ENOENT) fail(path_, errno);
    return;
  }
  ::close(open_part(path_, part_));
  fs::remove(part_, ignored);
  part_.clear();
}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (!part_.empty()) fs::remove(part_, ignored);
}

void OutputFile::write(std::string_view text) {
  constexpr int mode = 0666;
  const int file =
      in_place_ ? ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) : open_part(path_, part_);
  if (file < 0) fail(path_, errno);
  int error = write_all(file, text);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) fail(path_, error);
}

void OutputFile::publish() {
  if (in_place_) return;
  std::error_code error;
  fs::rename(part_, path_, error);
  if (error) fail(path_, error.value());
  part_.clear();
}

void write_standard_output(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw InputError("standard output can't be written; give it room");
  }
}

}  // namespace smmusim

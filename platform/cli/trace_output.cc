// SPDX-License-Identifier: MIT
// Standard output as the output of trace commands; see the header.
#include "platform/cli/trace_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "platform/cli/commands.h"
#include "platform/config/value.h"
#include "platform/trace/bytes.h"

namespace smmusim::cli {
namespace {

constexpr std::size_t chunk = std::size_t{1} << 16;

void copy_to_standard_output(std::FILE* file) {
  std::vector<char> buffer(chunk);
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file)) print({buffer.data(), n});
  if (std::ferror(file) != 0) throw InputError("the temporary file can't be read; look at the disk of /tmp");
}

}  // namespace

bool is_standard_output(const std::string& path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

void write_trace(const std::string& path, const std::function<std::string(const std::string&)>& write) {
  if (!is_standard_output(path)) {
    print(path + ": " + write(path));
    return;
  }
  // With standard output closed the temporary file would get its number, and the trace would go nowhere.
  if (::fcntl(STDOUT_FILENO, F_GETFD) < 0) throw InputError("standard output is closed; open it or give -o FILE");
  const std::unique_ptr<std::FILE, trace::FileCloser> file(std::tmpfile());
  if (!file) throw InputError("no temporary file can be made; give /tmp room");
  // The name stays good for the file after its removal from the folder; the trace writer opens it in place.
  const std::string report = write("/proc/self/fd/" + std::to_string(fileno(file.get())));
  copy_to_standard_output(file.get());
  std::fprintf(stderr, "standard output: %s", report.c_str());
}

void require_two_files(const std::string& in, const std::string& out) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(in, ignored) || !std::filesystem::equivalent(in, out, ignored)) return;
  throw InputError(printable(out) + ": input and output are the same file; give another output");
}

void require_two_outputs(const std::string& one, const std::string& other) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto place = [&](const std::string& path) {
    return fs::weakly_canonical(fs::absolute(path, ignored), ignored);
  };
  const bool special = fs::exists(other, ignored) && !fs::is_regular_file(other, ignored);  // /dev/null takes all
  if (special || one == "-" || place(one) != place(other)) return;
  throw InputError(printable(other) + ": two outputs would be this one file; give each its own");
}

}  // namespace smmusim::cli

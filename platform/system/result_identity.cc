// SPDX-License-Identifier: MIT
// trace_identity() and result_identity(); see the header.
#include "platform/system/result_identity.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "platform/config/show.h"
#include "platform/system/statistics.h"
#include "platform/trace/bytes.h"
#include "platform/trace/crc.h"
#include "platform/trace/error.h"

namespace smmusim {

nlohmann::ordered_json trace_identity(const std::string& path) {
  std::error_code none;
  if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none)) {
    throw trace::TraceError::in_file(path, "it is no regular file, and a trace is read more than once; save it first");
  }
  const std::unique_ptr<std::FILE, trace::FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    throw trace::TraceError::in_file(path, fmt::format("it can't be opened ({}); name a file that can be read",
                                                       std::generic_category().message(errno)));
  }
  std::vector<char> buffer(std::size_t{1} << 18);
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    crc = trace::crc32c(buffer.data(), n, crc);
    bytes += n;
  }
  if (std::ferror(file.get()) != 0) {
    throw trace::TraceError::at_byte(
        path, bytes,
        fmt::format("it can't be read ({}); name a readable file", std::generic_category().message(errno)));
  }
  return {{"bytes", bytes}, {"crc32c", fmt::format("0x{:08x}", crc)}};
}

std::string result_identity(const PlatformConfig& asked, nlohmann::ordered_json statistics) {
  for (const char* key : {"identity", "host_seconds", "transactions_per_host_second"}) statistics.erase(key);
  const std::string text = to_text(config_to_json(asked)) + to_text(statistics);
  return fmt::format("0x{:08x}", trace::crc32c(text.data(), text.size()));
}

}  // namespace smmusim

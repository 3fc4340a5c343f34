// SPDX-License-Identifier: MIT
// What `smmusim trace import|export|gen` do, by path. No command line here, no printing. Every function throws
// TraceError and then leaves no output file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "platform/trace/generate.h"
#include "platform/trace/import_qemu.h"
#include "platform/trace/writer.h"

namespace smmusim::trace {

struct Format {
  std::string_view name;
  bool imports = false, exports = false;
  std::string_view meaning;  ///< one line for --help
};

/// All formats, in the order of --help.
std::span<const Format> formats();

/// Reads `in` as `format` ("qemu-log", "text", "binary"; compression is found out) and writes the trace `out`.
/// The report's skipped lines are those of a log; it counts records for the other formats.
ImportReport import_file(std::string_view format, const std::string& in, const std::string& out,
                         const ImportOptions& options = {}, const WriteOptions& write = {});

/// Reads the trace `in` and writes it as `format` to `out`. Returns the number of records.
std::uint64_t export_file(std::string_view format, const std::string& in, const std::string& out);

/// Writes a synthetic trace. Returns the number of records.
std::uint64_t generate_file(const GenerateOptions& options, const std::string& out, const WriteOptions& write = {});

}  // namespace smmusim::trace

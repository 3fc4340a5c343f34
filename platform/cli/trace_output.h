// SPDX-License-Identifier: MIT
// The file that a trace command writes: a path, or standard output as `-` or one of its paths. Private to platform/cli.
#pragma once

#include <functional>
#include <string>

namespace smmusim::cli {

/// Whether the path means standard output.
bool is_standard_output(const std::string& path);

/// Calls `write` with the path of a file to make. For standard output that is a file without a name, which is copied
/// when it is complete: if `write` throws, nothing has reached standard output, and what stood there before is not cut
/// off. Then prints what `write` returns, a report for people: to standard error if standard output got the trace.
/// Throws InputError if standard output or the temporary file can't be written.
void write_trace(const std::string& path, const std::function<std::string(const std::string&)>& write);

/// Throws InputError if both are one regular file, also by way of links: writing would destroy what is to be read.
void require_two_files(const std::string& in, const std::string& out);

/// Throws InputError if both would be one file. Devices and pipes may be.
void require_two_outputs(const std::string& one, const std::string& other);

}  // namespace smmusim::cli

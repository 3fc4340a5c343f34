// SPDX-License-Identifier: MIT
// What `smmusim trace info` says of a trace: counts, streams, bytes, addresses, times.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "platform/trace/reader.h"
#include "platform/trace/record.h"

namespace smmusim::trace {

struct StreamSummary {
  std::uint64_t accesses = 0, reads = 0, writes = 0, atomics = 0, bytes = 0;
  std::uint64_t first_address = ~std::uint64_t{0}, last_address = 0;  ///< of all bytes accessed, inclusive
  std::uint64_t distinct_pages = 0;                                   ///< of 4 KiB
};

struct Summary {
  std::string path;
  TraceInfo info;
  std::uint64_t records = 0;
  std::array<std::uint64_t, kind_count> by_kind{};  ///< indexed by Kind
  std::uint64_t bytes_read = 0, bytes_written = 0;  ///< an atomic counts as written
  std::uint64_t with_expected = 0;                  ///< accesses that carry their oracle
  std::uint64_t last_time_ps = 0;
  std::map<std::uint32_t, StreamSummary> streams;  ///< streams with accesses, by StreamID
};

/// Collects a Summary record by record.
class Summarizer {
 public:
  void add(const Record& record);
  /// The summary so far; path and info are the caller's.
  Summary summary() const;

 private:
  Summary summary_;
  std::set<std::pair<std::uint32_t, std::uint64_t>> pages_;
};

/// Reads the whole trace (and so checks it). Throws TraceError.
Summary info_of(const std::string& path);

/// Lines of `name: value` for a terminal, each with its newline.
std::string to_text(const Summary& summary);
/// One JSON object with a closing newline; addresses are "0x..." strings.
std::string to_json(const Summary& summary);

}  // namespace smmusim::trace

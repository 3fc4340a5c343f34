// SPDX-License-Identifier: MIT
// What `smmusim trace info` says of a trace: see info.h.
#include "platform/trace/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

namespace smmusim::trace {

void Summarizer::add(const Record& r) {
  ++summary_.records;
  ++summary_.by_kind[static_cast<std::size_t>(r.kind)];
  summary_.last_time_ps = r.time_ps;
  if (r.kind != Kind::access) return;
  StreamSummary& s = summary_.streams[r.stream];
  ++s.accesses;
  ++(r.op == Op::read ? s.reads : r.op == Op::write ? s.writes : s.atomics);
  s.bytes += r.size;
  (r.op == Op::read ? summary_.bytes_read : summary_.bytes_written) += r.size;
  summary_.with_expected += r.has_expected ? 1 : 0;
  const std::uint64_t last = r.address + (r.size - 1);
  s.first_address = std::min(s.first_address, r.address);
  s.last_address = std::max(s.last_address, last);
  for (std::uint64_t page = r.address / page_bytes; page <= last / page_bytes; ++page) {
    if (pages_.emplace(r.stream, page).second) ++s.distinct_pages;
  }
}

Summary Summarizer::summary() const {
  return summary_;
}

Summary info_of(const std::string& path) {
  const auto reader = Reader::open(path);
  Summarizer summarizer;
  std::vector<Record> records(1024);
  while (const std::size_t n = reader->next(records)) {
    for (std::size_t i = 0; i < n; ++i) summarizer.add(records[i]);
  }
  Summary summary = summarizer.summary();
  summary.path = path;
  summary.info = reader->info();
  return summary;
}

std::string to_text(const Summary& s) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "file: {}\n", s.path);
  fmt::format_to(out, "format: {} version {}{}\n", s.info.encoding == Encoding::text ? "text" : "binary",
                 s.info.version, s.info.compressed ? ", zstd" : "");
  fmt::format_to(out, "records: {}\n", s.records);
  for (unsigned k = 0; k < kind_count; ++k) {
    fmt::format_to(out, "  {}: {}\n", to_string(static_cast<Kind>(k)), s.by_kind[k]);
  }
  fmt::format_to(out, "accesses with expected address: {}\n", s.with_expected);
  fmt::format_to(out, "bytes read: {}\nbytes written: {}\n", s.bytes_read, s.bytes_written);
  fmt::format_to(out, "time span: {} ns\n", s.last_time_ps / 1000);
  for (const auto& [sid, stream] : s.streams) {
    fmt::format_to(
        out, "stream 0x{:x}: {} accesses ({} reads, {} writes, {} atomics), {} bytes, 0x{:x} to 0x{:x}, {} pages\n",
        sid, stream.accesses, stream.reads, stream.writes, stream.atomics, stream.bytes, stream.first_address,
        stream.last_address, stream.distinct_pages);
  }
  return text;
}

std::string to_json(const Summary& s) {
  nlohmann::ordered_json json;
  json["file"] = s.path;
  json["format"] = s.info.encoding == Encoding::text ? "text" : "binary";
  json["compressed"] = s.info.compressed;
  json["version"] = s.info.version;
  json["records"] = s.records;
  for (unsigned k = 0; k < kind_count; ++k) {
    json["by_kind"][std::string(to_string(static_cast<Kind>(k)))] = s.by_kind[k];
  }
  json["with_expected"] = s.with_expected;
  json["bytes_read"] = s.bytes_read;
  json["bytes_written"] = s.bytes_written;
  json["time_ns"] = s.last_time_ps / 1000;
  json["streams"] = nlohmann::ordered_json::array();
  for (const auto& [sid, stream] : s.streams) {
    json["streams"].push_back({{"sid", sid},
                               {"accesses", stream.accesses},
                               {"reads", stream.reads},
                               {"writes", stream.writes},
                               {"atomics", stream.atomics},
                               {"bytes", stream.bytes},
                               {"first_address", fmt::format("0x{:x}", stream.first_address)},
                               {"last_address", fmt::format("0x{:x}", stream.last_address)},
                               {"distinct_pages", stream.distinct_pages}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace smmusim::trace

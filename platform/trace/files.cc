// SPDX-License-Identifier: MIT
// What `smmusim trace import|export|gen` do, by path: see files.h.
#include "platform/trace/files.h"

#include <array>
#include <vector>

#include "platform/trace/error.h"
#include "platform/trace/export_qemu.h"
#include "platform/trace/reader.h"

namespace smmusim::trace {
namespace {

constexpr std::array<Format, 5> all_formats{{
    {"qemu-log", true, true, "trace log of QEMU's arm-smmuv3 (and nvme) devices, plain or zstd"},
    {"text", true, true, "smmusim's text trace: one record a line, comments with #"},
    {"binary", true, true, "smmusim's binary trace: 32-byte slots in checked blocks"},
    {"text-zst", false, true, "text, zstd-compressed"},
    {"binary-zst", false, true, "binary, zstd-compressed: what import and gen write"},
}};

[[noreturn]] void unknown_format(const char* option, std::string_view name, bool Format::*able) {
  std::string known;
  for (const Format& f : all_formats) {
    if (f.*able) known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  throw TraceError::in_file(option, "unknown format '" + std::string(name) + "'; known are " + known);
}

bool known(std::string_view name, bool Format::*able) {
  for (const Format& f : all_formats) {
    if (f.name == name && f.*able) return true;
  }
  return false;
}

template <class Take>
std::uint64_t for_each_record(Reader& reader, const Take& take) {
  std::vector<Record> records(1024);
  std::uint64_t count = 0;
  while (const std::size_t n = reader.next(records)) {
    for (std::size_t i = 0; i < n; ++i) take(records[i]);
    count += n;
  }
  return count;
}

std::uint64_t export_log(const std::string& in, const std::string& out) {
  const auto reader = Reader::open(in);
  ByteSink sink(out, false, 0);
  std::string text;
  std::uint64_t index = 0;
  for_each_record(*reader, [&](const Record& r) {
    if (const char* wrong = append_log_lines(r, text)) {
      fail_at_record(in, index + 1, std::string("it is ") + wrong);
    }
    ++index;
    if (text.size() < 65536) return;
    sink.write(text);
    text.clear();
  });
  sink.write(text);
  sink.close();
  return index;
}

void count(const Record& r, ImportReport& report) {
  if (r.kind == Kind::access) ++report.accesses;
  if (r.kind == Kind::invalidate) ++report.invalidations;
  if (r.kind == Kind::config) ++report.configurations;
}

}  // namespace

std::span<const Format> formats() {
  return all_formats;
}

ImportReport import_file(std::string_view format, const std::string& in, const std::string& out,
                         const ImportOptions& options, const WriteOptions& write) {
  if (!known(format, &Format::imports)) unknown_format("--from", format, &Format::imports);
  ImportReport report;
  if (format == "qemu-log") {
    const std::vector<Record> records = read_qemu_log(in, options, report);
    if (records.empty()) {
      throw TraceError::in_file(in,
                                "it holds no access, invalidation or configuration change; log with -trace 'smmuv3_*'");
    }
    Writer writer(out, write);
    for (const Record& r : records) writer.write(r);
    writer.close();
    return report;
  }
  const auto reader = Reader::open(in);
  const Encoding wanted = format == "text" ? Encoding::text : Encoding::binary;
  if (reader->info().encoding != wanted) {
    throw TraceError::at_byte(in, 0, "not a " + std::string(format) + " trace; name the format that it has");
  }
  Writer writer(out, write);
  for_each_record(*reader, [&](const Record& r) {
    count(r, report);
    writer.write(r);
  });
  writer.close();
  return report;
}

std::uint64_t export_file(std::string_view format, const std::string& in, const std::string& out) {
  if (!known(format, &Format::exports)) unknown_format("--to", format, &Format::exports);
  if (format == "qemu-log") return export_log(in, out);
  WriteOptions write;
  write.encoding = format.starts_with("text") ? Encoding::text : Encoding::binary;
  write.compress = format.ends_with("-zst");
  const auto reader = Reader::open(in);
  Writer writer(out, write);
  const std::uint64_t records = for_each_record(*reader, [&](const Record& r) { writer.write(r); });
  writer.close();
  return records;
}

std::uint64_t generate_file(const GenerateOptions& options, const std::string& out, const WriteOptions& write) {
  check_options(options);
  Writer writer(out, write);
  generate(options, [&](const Record& r) { writer.write(r); });
  writer.close();
  return writer.records();
}

}  // namespace smmusim::trace

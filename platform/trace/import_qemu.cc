// SPDX-License-Identifier: MIT
// Importer of QEMU's trace log: see import_qemu.h.
#include "platform/trace/import_qemu.h"

#include "platform/trace/bytes.h"
#include "platform/trace/error.h"

namespace smmusim::trace {
namespace {

constexpr std::int64_t seconds_max = 18'000'000;  // about 2^64 ps

struct KnownOp {
  std::size_t position = 0;  // in the records
  Op op{};
};

class LogImport {
 public:
  LogImport(const std::string& path, const ImportOptions& options, ImportReport& report)
      : source_(path), lines_(source_), options_(options), report_(report) {}

  std::vector<Record> run() {
    std::string_view text;
    while (lines_.next(text)) {
      ++report_.lines;
      if (text.empty()) continue;
      if (lines_.newline_missing()) fail("the last line has no newline; the log was cut off here");
      if (!split_log_line(text, line_)) fail("this is no line of QEMU's trace log; it reads '[time] event arguments'");
      take_line();
    }
    if (has_detail_) fail("the log ends after smmusim_access; a smmuv3_translate_success line follows it");
    finish();
    return std::move(records_);
  }

 private:
  [[noreturn]] void fail(const std::string& sentence) {
    throw TraceError::at_line(source_.path(), lines_.line_number(), sentence);
  }

  void take_line() {
    LogEvent event{};
    Record record;
    NvmeCommand command;
    if (const std::string wrong = parse_log_event(line_, event, record, command); !wrong.empty()) fail(wrong);
    switch (event) {
      case LogEvent::access:
        return take_access(record);
      case LogEvent::access_detail:
        detail_ = record;
        has_detail_ = true;
        return;
      case LogEvent::command:
        ++(record.kind == Kind::config ? report_.configurations : report_.invalidations);
        return add(record, false);
      case LogEvent::nvme:
        ++report_.device_lines;
        commands_.push_back({records_.size(), command});
        return;
      case LogEvent::other:
        ++report_.skipped;
        ++report_.skipped_by_event[std::string(line_.event)];
        return;
    }
  }

  void take_access(Record record) {
    ++report_.accesses;
    if (has_detail_) {
      Record full = detail_;
      full.stream = record.stream;
      full.address = record.address;
      full.output = record.output;
      full.perm = record.perm;
      full.has_expected = true;
      record = full;
    }
    const bool size_known = record.size != 0;
    if (!size_known) {
      apply_plain_rule(record, options_.default_size);
      if (has_detail_) {
        record.op = detail_.op;
        known_ops_.push_back({records_.size(), record.op});
      }
    }
    if (const char* wrong = check_record(record)) fail(wrong);
    add(record, size_known);
    has_detail_ = false;
  }

  void add(Record record, bool exact) {
    record.time_ps = time_of_line();
    records_.push_back(record);
    exact_.push_back(exact ? 1 : 0);
  }

  /// Picoseconds since the first record. Lines that step back (several threads write a log) keep the time before.
  std::uint64_t time_of_line() {
    const LogStamp& stamp = line_.stamp;
    if (!stamp.valid) return last_time_ps_;
    if (!first_.valid) first_ = stamp;
    const std::int64_t seconds = stamp.seconds - first_.seconds;
    if (seconds > seconds_max) fail("a time more than 200 days after the first; is this one log?");
    const auto fraction = static_cast<std::int64_t>(stamp.picoseconds) - static_cast<std::int64_t>(first_.picoseconds);
    if (seconds < 0 || (seconds == 0 && fraction < 0)) return last_time_ps_;
    const std::uint64_t time_ps =
        static_cast<std::uint64_t>(seconds) * 1'000'000'000'000 + static_cast<std::uint64_t>(fraction);
    if (time_ps > last_time_ps_) last_time_ps_ = time_ps;
    return last_time_ps_;
  }

  void finish() {
    if (!options_.use_device_lines || commands_.empty()) return;
    infer_nvme(records_, commands_, exact_, options_);
    for (const KnownOp& known : known_ops_) records_[known.position].op = known.op;
  }

  ByteSource source_;
  LineSource lines_;
  const ImportOptions& options_;
  ImportReport& report_;
  LogLine line_;
  LogStamp first_;
  std::uint64_t last_time_ps_ = 0;
  std::vector<Record> records_;
  std::vector<char> exact_;
  std::vector<NvmeLine> commands_;
  std::vector<KnownOp> known_ops_;  // the log has the direction, but no size
  Record detail_;
  bool has_detail_ = false;
};

}  // namespace

std::vector<Record> read_qemu_log(const std::string& path, const ImportOptions& options, ImportReport& report) {
  if (options.default_size == 0 || options.default_size > page_bytes) {
    throw TraceError::in_file(
        "--size", "an access of " + std::to_string(options.default_size) + " bytes; a number from 1 to 4096");
  }
  return LogImport(path, options, report).run();
}

}  // namespace smmusim::trace

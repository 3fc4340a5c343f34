// SPDX-License-Identifier: MIT
// Lines of QEMU's log: the importer's parser for the events that a trace knows, patterns for the rest.
#include "tests/oracle/log_lines.h"

#include "model/spec/command_table.h"
#include "platform/trace/bytes.h"
#include "platform/trace/error.h"
#include "platform/trace/parse.h"
#include "platform/trace/qemu_line.h"

namespace smmusim::oracle {
namespace {

struct Row {
  std::string_view event;
  LineKind kind;
  std::string_view pattern;  ///< # is a number, everything else stands for itself
};

constexpr std::array<Row, 11> rows{{
    {"smmuv3_read_mmio", LineKind::register_read, "addr: # val:# size: #(#)"},
    {"smmuv3_write_mmio", LineKind::register_write, "addr: # val:# size: #(#)"},
    {"smmuv3_find_ste", LineKind::find_ste, "sid=# features:#, sid_split:#"},
    {"smmuv3_find_ste_2lvl", LineKind::find_ste_2lvl, "strtab_base:# l1ptr:# l1_off:#, l2ptr:# l2_off:# max_l2_ste:#"},
    {"smmuv3_get_ste", LineKind::get_ste, "STE addr: #"},
    {"smmuv3_get_cd", LineKind::get_cd, "CD addr: #"},
    {"smmuv3_decode_cd", LineKind::decode_cd, "oas=#"},
    {"smmuv3_decode_cd_tt", LineKind::decode_cd_tt, "TT[#]:tsz:# ttb:# granule_sz:# had:#"},
    {"smmu_get_pte", LineKind::get_pte, "baseaddr=# index=#, pteaddr=#, pte=#"},
    {"smmu_ptw_level", LineKind::ptw_level, "stage=# level=# iova=# subpage_sz=# baseaddr=# offset=# => pte=#"},
    {"smmu_ptw_page_pte", LineKind::ptw_page, "stage=# level=# iova=# base@=# pte@=# pte=# page address = #"},
}};

bool match(std::string_view pattern, std::string_view text, Line& line) {
  std::size_t count = 0;
  for (const char c : pattern) {
    if (c == '#') {
      if (!trace::take_number(text, line.values.at(count++))) return false;
    } else if (text.empty() || text[0] != c) {
      return false;
    } else {
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

/// `<--- SMMU_CMD_TLBI_NH_VA`
bool match_opcode(std::string_view text, Line& line) {
  constexpr std::string_view prefix = "<--- SMMU_";
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  for (const auto& row : spec::command_table) {
    if (row.name != text) continue;
    line.values[0] = static_cast<std::uint64_t>(row.opcode);
    return true;
  }
  return false;
}

/// "" or what is wrong.
std::string parse_line(std::string_view text, Line& line) {
  trace::LogLine parts;
  if (!trace::split_log_line(text, parts)) return "this is no line of QEMU's trace log";
  const std::string broken = "a line of " + std::string(parts.event) + " whose arguments are not understood";
  for (const Row& row : rows) {
    if (row.event != parts.event) continue;
    line.kind = row.kind;
    return match(row.pattern, parts.arguments, line) ? std::string() : broken;
  }
  if (parts.event == "smmuv3_cmdq_opcode") {
    line.kind = LineKind::opcode;
    return match_opcode(parts.arguments, line) ? std::string() : broken;
  }
  trace::LogEvent event{};
  trace::NvmeCommand nvme;
  if (!trace::parse_log_event(parts, event, line.record, nvme).empty()) return broken;
  switch (event) {
    case trace::LogEvent::access:
      line.kind = LineKind::access;
      return {};
    case trace::LogEvent::command:
      line.kind = LineKind::command_detail;
      return {};
    case trace::LogEvent::nvme:
      line.kind = LineKind::device;
      return {};
    default:
      return "the event " + std::string(parts.event) + " is not understood; the comparison may not skip it";
  }
}

}  // namespace

std::string read_contents(const std::string& path) {
  trace::ByteSource source(path);
  std::string contents;
  std::string piece(1u << 20, '\0');
  while (const std::size_t n = source.read(piece.data(), piece.size())) contents.append(piece, 0, n);
  return contents;
}

std::vector<Line> parse_lines(const std::string& name, std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    Line& line = lines.emplace_back();
    line.number = lines.size();
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      throw trace::TraceError::at_line(name, line.number, "the last line has no newline; the log was cut off here");
    }
    const std::string wrong = parse_line(text.substr(0, end), line);
    if (!wrong.empty()) throw trace::TraceError::at_line(name, line.number, wrong);
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace smmusim::oracle

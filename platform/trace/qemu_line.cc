// SPDX-License-Identifier: MIT
// One line of QEMU's trace log: see qemu_line.h.
#include "platform/trace/qemu_line.h"

#include <array>
#include <chrono>

#include "platform/trace/parse.h"

namespace smmusim::trace {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

void skip_spaces(std::string_view& text) {
  while (take_char(text, ' ')) {
  }
}

/// Consumes exactly `count` decimal digits.
bool take_digits(std::string_view& text, unsigned count, unsigned& value) {
  if (text.size() < count) return false;
  value = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

/// Consumes the digits after a decimal point; up to 12 of them count.
bool take_fraction(std::string_view& text, std::uint64_t& picoseconds) {
  picoseconds = 0;
  std::uint64_t weight = 100'000'000'000;
  if (text.empty() || !is_digit(text[0])) return false;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), weight /= 10) {
    picoseconds += weight * static_cast<unsigned>(text[0] - '0');
  }
  return true;
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction]Z `
bool take_iso_stamp(std::string_view& text, LogStamp& stamp) {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool date = take_digits(text, 4, year) && take_char(text, '-') && take_digits(text, 2, month) &&
                    take_char(text, '-') && take_digits(text, 2, day) && take_char(text, 'T');
  if (!date) return false;
  const bool time = take_digits(text, 2, hour) && take_char(text, ':') && take_digits(text, 2, minute) &&
                    take_char(text, ':') && take_digits(text, 2, second);
  const std::chrono::year_month_day calendar{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                                             std::chrono::day{day}};
  if (!time || !calendar.ok() || hour > 23 || minute > 59 || second > 60) return false;
  if (take_char(text, '.') && !take_fraction(text, stamp.picoseconds)) return false;
  if (!take_char(text, 'Z') || !take_char(text, ' ')) return false;
  const auto days = std::chrono::sys_days(calendar).time_since_epoch().count();
  stamp.seconds = static_cast<std::int64_t>(days) * 86400 + hour * 3600 + minute * 60 + second;
  stamp.valid = true;
  return true;
}

/// `PID@SECONDS.FRACTION:`
bool take_pid_stamp(std::string_view& text, LogStamp& stamp) {
  std::uint64_t pid = 0, seconds = 0;
  if (!take_number(text, pid) || !take_char(text, '@') || !take_number(text, seconds)) return false;
  if (!take_char(text, '.') || !take_fraction(text, stamp.picoseconds) || !take_char(text, ':')) return false;
  if (seconds > std::uint64_t{1} << 62) return false;
  stamp.seconds = static_cast<std::int64_t>(seconds);
  stamp.valid = true;
  return true;
}

/// Consumes `key = [-][0x]number` with optional spaces and a closing space, comma or end. Negative numbers wrap.
bool take_field(std::string_view& text, std::string_view key, std::uint64_t& value) {
  skip_spaces(text);
  if (!text.starts_with(key)) return false;
  text.remove_prefix(key.size());
  skip_spaces(text);
  if (!take_char(text, '=')) return false;
  skip_spaces(text);
  bool minus = take_char(text, '-');
  if (text.starts_with("0x-")) {  // QEMU up to 6.0 printed "0x%d"
    text.remove_prefix(3);
    minus = true;
  }
  if (!take_number(text, value)) return false;
  if (minus) value = std::uint64_t{0} - value;
  return text.empty() || text[0] == ' ' || text[0] == ',';
}

/// A field that some versions of QEMU don't print: absent is fine (and leaves `value`), broken is not.
bool take_optional(std::string_view& text, std::string_view key, std::uint64_t& value) {
  skip_spaces(text);
  return !text.starts_with(key) || take_field(text, key, value);
}

bool at_end(std::string_view text) {
  skip_spaces(text);
  return text.empty();
}

constexpr std::uint64_t minus_one = ~std::uint64_t{0};

/// QEMU prints -1 for an ASID or VMID that is not looked at.
bool set_id(std::uint64_t value, std::uint16_t& id, bool& has) {
  if (value == minus_one) return true;
  id = static_cast<std::uint16_t>(value);
  has = true;
  return value <= 0xffff;
}
bool set_asid(std::uint64_t value, Record& r) {
  bool has = false;
  const bool good = set_id(value, r.asid, has);
  r.has_asid = has;
  return good;
}
bool set_vmid(std::uint64_t value, Record& r) {
  bool has = false;
  const bool good = set_id(value, r.vmid, has);
  r.has_vmid = has;
  return good;
}
bool set_stream(std::uint64_t value, std::uint32_t& stream) {
  stream = static_cast<std::uint32_t>(value);
  return value <= 0xffffffff || value >= 0xffffffff00000000;  // int printed as %d
}

bool parse_translate(std::string_view text, Record& r) {
  const std::size_t region_end = text.find(" sid=");  // the region's name comes first and is free text
  if (region_end == std::string_view::npos) return false;
  text.remove_prefix(region_end);
  std::uint64_t sid = 0, perm = 0, stage = 1;
  if (!take_field(text, "sid", sid) || !take_field(text, "iova", r.address)) return false;
  if (!take_field(text, "translated", r.output) || !take_field(text, "perm", perm)) return false;
  if (!take_optional(text, "stage", stage) || !at_end(text)) return false;
  if (perm == 0 || perm > 3 || stage == 0 || stage > 3) return false;
  if ((r.address ^ r.output) % page_bytes != 0) return false;
  r.perm = static_cast<std::uint8_t>(perm);
  r.has_expected = true;
  return set_stream(sid, r.stream);
}

void start_invalidate(Record& r, InvalidateScope scope) {
  r.kind = Kind::invalidate;
  r.invalidate_scope = scope;
}

bool parse_range(std::string_view text, Record& r) {
  std::uint64_t vmid = 0, asid = 0, tg = 0, ttl = 0, leaf = 0, stage = 1;
  start_invalidate(r, InvalidateScope::range);
  if (!take_field(text, "vmid", vmid) || !take_field(text, "asid", asid) || !take_field(text, "addr", r.address)) {
    return false;
  }
  if (!take_field(text, "tg", tg) || !take_field(text, "num_pages", r.pages) || !take_field(text, "ttl", ttl)) {
    return false;
  }
  if (!take_field(text, "leaf", leaf) || !take_optional(text, "stage", stage) || !at_end(text)) return false;
  if (tg > 3 || ttl > 3 || leaf > 1 || stage == 0 || stage > 2) return false;
  if (stage == 2) r.invalidate_scope = InvalidateScope::ipa_range;
  r.granule_log2 = static_cast<std::uint8_t>(tg == 0 ? 0 : 10 + 2 * tg);
  r.ttl = static_cast<std::uint8_t>(ttl);
  r.leaf = leaf == 1;
  return set_vmid(vmid, r) && (stage == 2 ? asid == minus_one : set_asid(asid, r)) && check_record(r) == nullptr;
}

/// QEMU 3.0 to 5.0 printed CMD_TLBI_NH_VA and NH_VAA without range fields: one address.
bool parse_address(std::string_view text, Record& r, bool has_asid) {
  std::uint64_t vmid = 0, asid = minus_one, leaf = 0;
  start_invalidate(r, InvalidateScope::range);
  if (!take_field(text, "vmid", vmid) || (has_asid && !take_field(text, "asid", asid))) return false;
  if (!take_field(text, "addr", r.address) || !take_optional(text, "leaf", leaf)) return false;
  r.pages = 1;
  r.leaf = leaf == 1;
  return leaf <= 1 && at_end(text) && set_vmid(vmid, r) && set_asid(asid, r);
}
bool parse_nh_va(std::string_view text, Record& r) {
  return parse_address(text, r, true);
}
bool parse_nh_vaa(std::string_view text, Record& r) {
  return parse_address(text, r, false);
}

bool parse_nsnh(std::string_view text, Record& r) {
  start_invalidate(r, InvalidateScope::all);
  return at_end(text);
}

bool parse_nh(std::string_view text, Record& r) {
  std::uint64_t vmid = minus_one;
  start_invalidate(r, InvalidateScope::vmid_s1);
  return take_optional(text, "vmid", vmid) && at_end(text) && set_vmid(vmid, r);
}

bool parse_nh_asid(std::string_view text, Record& r) {
  std::uint64_t asid = 0, vmid = minus_one;  // the VMID is an addition of our own exporter
  start_invalidate(r, InvalidateScope::asid);
  if (!take_field(text, "asid", asid) || !take_optional(text, "vmid", vmid) || !at_end(text)) return false;
  return asid <= 0xffff && set_asid(asid, r) && set_vmid(vmid, r);
}

bool parse_s12_vmid(std::string_view text, Record& r) {
  std::uint64_t vmid = 0;
  start_invalidate(r, InvalidateScope::vmid);
  return take_field(text, "vmid", vmid) && at_end(text) && vmid <= 0xffff && set_vmid(vmid, r);
}

bool parse_cfgi_ste(std::string_view text, Record& r) {
  std::uint64_t sid = 0;
  r.kind = Kind::config;
  r.config_scope = ConfigScope::ste;
  return take_field(text, "streamid", sid) && at_end(text) && set_stream(sid, r.stream);
}

bool parse_cfgi_ste_range(std::string_view text, Record& r) {
  std::uint64_t first = 0, last = 0;
  r.kind = Kind::config;
  if (!take_field(text, "start", first)) return false;
  skip_spaces(text);
  if (!take_char(text, '-') || !take_field(text, "end", last) || !at_end(text)) return false;
  if (!set_stream(first, r.stream) || !set_stream(last, r.stream_last)) return false;
  r.config_scope = ConfigScope::ste_range;
  if (r.stream != 0 || r.stream_last != 0xffffffff) return r.stream <= r.stream_last;
  r.config_scope = ConfigScope::all;  // CMD_CFGI_ALL is the range of all 2^32 streams
  r.stream_last = 0;
  return true;
}

bool parse_cfgi_cd(std::string_view text, Record& r) {
  std::uint64_t sid = 0;
  r.kind = Kind::config;
  r.config_scope = ConfigScope::cd;
  const std::string_view key = text.starts_with("streamid") ? "streamid" : "sid";
  return take_field(text, key, sid) && at_end(text) && set_stream(sid, r.stream);
}

/// `cid N [opname 'X'] nsid N nlb N count BYTES lba N`
bool parse_nvme(std::string_view text, NvmeCommand& command) {
  std::uint64_t number = 0;
  bool zeroes = false, counted = false;
  if (!text.starts_with("cid ")) return false;
  while (!text.empty()) {
    const std::string_view key = take_word(text);
    const std::string_view value = take_word(text);
    if (key == "opname") {
      zeroes = value.find("WRITE_ZEROES") != std::string_view::npos;
    } else if (!parse_number(value, number)) {
      return false;
    } else if (key == "count") {
      command.bytes = number;
      counted = true;
    }
  }
  if (zeroes) command.bytes = 0;
  return counted;
}

bool parse_detail(std::string_view text, Record& r) {
  std::uint64_t op = 0, size = 0, ats = 0, tag = 0, ssid = minus_one, privileged = 0, instruction = 0;
  if (!take_field(text, "op", op)) return false;
  const bool has_size = text.find("size=") != std::string_view::npos;
  if (has_size && !take_field(text, "size", size)) return false;
  if (!take_optional(text, "ssid", ssid)) return false;
  if (!take_optional(text, "ats", ats) || !take_optional(text, "tag", tag)) return false;
  if (!take_optional(text, "priv", privileged) || !take_optional(text, "inst", instruction) || !at_end(text))
    return false;
  if (op > 2 || (has_size && size == 0) || size > page_bytes || ats > 2 || tag > 0xffff || privileged > 1 ||
      instruction > 1)
    return false;
  r.op = static_cast<Op>(op);
  r.size = static_cast<std::uint32_t>(size);
  r.ats = static_cast<Ats>(ats);
  r.tag = static_cast<std::uint16_t>(tag);
  r.privileged = privileged == 1;
  r.instruction = instruction == 1;
  r.has_substream = ssid != minus_one;
  r.substream = r.has_substream ? static_cast<std::uint32_t>(ssid) : 0;
  return !r.has_substream || ssid <= 0xfffff;
}

struct Row {
  std::string_view name;
  LogEvent event;
  bool (*parse)(std::string_view arguments, Record& record);
};

constexpr std::array<Row, 13> rows{{
    {"smmuv3_translate_success", LogEvent::access, parse_translate},
    {"smmuv3_range_inval", LogEvent::command, parse_range},
    {"smmuv3_s1_range_inval", LogEvent::command, parse_range},
    {"smmusim_access", LogEvent::access_detail, parse_detail},
    {"smmuv3_cmdq_tlbi_nh_va", LogEvent::command, parse_nh_va},
    {"smmuv3_cmdq_tlbi_nh_vaa", LogEvent::command, parse_nh_vaa},
    {"smmuv3_cmdq_tlbi_nsnh", LogEvent::command, parse_nsnh},
    {"smmuv3_cmdq_tlbi_nh", LogEvent::command, parse_nh},
    {"smmuv3_cmdq_tlbi_nh_asid", LogEvent::command, parse_nh_asid},
    {"smmuv3_cmdq_tlbi_s12_vmid", LogEvent::command, parse_s12_vmid},
    {"smmuv3_cmdq_cfgi_ste", LogEvent::command, parse_cfgi_ste},
    {"smmuv3_cmdq_cfgi_ste_range", LogEvent::command, parse_cfgi_ste_range},
    {"smmuv3_cmdq_cfgi_cd", LogEvent::command, parse_cfgi_cd},
}};

}  // namespace

bool split_log_line(std::string_view line, LogLine& out) {
  out = LogLine{};
  if (line.empty()) return false;
  if (is_digit(line[0])) {
    const bool iso = line.size() > 4 && line[4] == '-';
    if (iso ? !take_iso_stamp(line, out.stamp) : !take_pid_stamp(line, out.stamp)) return false;
  }
  out.event = take_word(line);
  out.arguments = line;
  if (out.event.empty() || !is_letter(out.event[0])) return false;
  bool underscore = false;
  for (const char c : out.event) {
    if (!is_letter(c) && !is_digit(c) && c != '_') return false;
    underscore |= c == '_';
  }
  return underscore;
}

std::string parse_log_event(const LogLine& line, LogEvent& event, Record& record, NvmeCommand& command) {
  record = Record{};
  event = LogEvent::other;
  bool good = true;
  if (line.event == "pci_nvme_read" || line.event == "pci_nvme_write") {
    event = LogEvent::nvme;
    command = NvmeCommand{line.event == "pci_nvme_read", 0};
    good = parse_nvme(line.arguments, command);
  } else {
    for (const Row& row : rows) {
      if (row.name != line.event) continue;
      event = row.event;
      good = row.parse(line.arguments, record);
      break;
    }
  }
  if (good) return {};
  return "a line of " + std::string(line.event) + " that does not parse; QEMU prints this event in another form";
}

}  // namespace smmusim::trace

// SPDX-License-Identifier: MIT
// The text trace format: see text.h.
#include "platform/trace/text.h"

#include <array>
#include <charconv>

#include "platform/trace/error.h"
#include "platform/trace/parse.h"

namespace smmusim::trace {
namespace {

void append_number(std::string& to, std::uint64_t value, int base) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  to.append(digits.data(), end);
}
void append_decimal(std::string& to, std::string_view key, std::uint64_t value) {
  to.append(key);
  append_number(to, value, 10);
}
void append_hex(std::string& to, std::string_view key, std::uint64_t value) {
  to.append(key);
  to.append("0x");
  append_number(to, value, 16);
}
void append_perm(std::string& to, std::uint8_t perm) {
  to.append(" perm=");
  if ((perm & perm_read) != 0) to.push_back('r');
  if ((perm & perm_write) != 0) to.push_back('w');
}
void append_stream(const Record& r, std::string& to) {
  append_hex(to, " sid=", r.stream);
  if (r.has_substream) append_hex(to, " ssid=", r.substream);
}
void append_pages(const Record& r, std::string& to) {
  append_hex(to, " addr=", r.address);
  if (r.granule_log2 != 0) {
    append_decimal(to, " granule=", (std::uint64_t{1} << r.granule_log2) >> 10);
    to.push_back('K');
  }
  append_decimal(to, " pages=", r.pages);
}

void append_access(const Record& r, std::string& to) {
  to.append(to_string(r.op));
  append_stream(r, to);
  append_hex(to, " addr=", r.address);
  append_decimal(to, " size=", r.size);
  if (r.has_expected) {
    append_hex(to, " pa=", r.output);
    append_perm(to, r.perm);
  }
  if (r.ats != Ats::untranslated) to.append(" ats=").append(to_string(r.ats));
  if (r.tag != 0) append_decimal(to, " tag=", r.tag);
  if (r.privileged) to.append(" priv");
  if (r.instruction) to.append(" inst");
}

void append_invalidate(const Record& r, std::string& to) {
  to.append("invalidate ").append(to_string(r.invalidate_scope));
  if (r.has_vmid) append_decimal(to, " vmid=", r.vmid);
  if (r.has_asid) append_decimal(to, " asid=", r.asid);
  if (!r.is_range()) return;
  append_pages(r, to);
  if (r.leaf) to.append(" leaf");
  if (r.ttl != 0) append_decimal(to, " ttl=", r.ttl);
}

void append_config(const Record& r, std::string& to) {
  to.append("config ").append(to_string(r.config_scope));
  if (r.config_scope != ConfigScope::all) append_stream(r, to);
  if (r.config_scope == ConfigScope::ste_range) append_hex(to, " last=", r.stream_last);
  if (r.has_asid) append_decimal(to, " asid=", r.asid);
}

template <class E>
bool parse_name(std::string_view word, E last, E& value) {
  for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
    value = static_cast<E>(i);
    if (to_string(value) == word) return true;
  }
  return false;
}

/// "read" -> access, "map", "invalidate range" ...: the words before the fields.
std::string parse_verb(std::string_view& rest, Record& r) {
  const std::string_view verb = take_word(rest);
  if (parse_name(verb, Op::atomic, r.op)) return {};
  r.op = Op::read;
  if (verb == "map" || verb == "unmap") {
    r.kind = verb == "map" ? Kind::map : Kind::unmap;
  } else if (verb == "invalidate") {
    r.kind = Kind::invalidate;
    const std::string_view scope = take_word(rest);
    if (!parse_name(scope, InvalidateScope::vmid, r.invalidate_scope)) {
      return "unknown invalidation '" + std::string(scope) + "'; it is range, asid, vmid-s1, all, ipa-range or vmid";
    }
  } else if (verb == "config") {
    r.kind = Kind::config;
    const std::string_view scope = take_word(rest);
    if (!parse_name(scope, ConfigScope::all, r.config_scope)) {
      return "unknown configuration change '" + std::string(scope) + "'; it is ste, ste-range, cd, cd-all or all";
    }
  } else {
    return "unknown record '" + std::string(verb) + "'; it is read, write, atomic, map, unmap, invalidate or config";
  }
  return {};
}

/// The fields a line has given, one bit each, to refuse repetition and notice what is missing.
enum Seen : unsigned {
  sid = 1,
  addr = 2,
  size = 4,
  pa = 8,
  perm = 16,
  pages = 32,
  granule = 64,
  last = 128,
  asid = 256,
  vmid = 512,
  ssid = 1024,
  ats = 2048,
  tag = 4096,
  ttl = 8192,
  leaf = 16384,
  priv = 32768,
  inst = 65536
};

template <class T>
bool parse_into(std::string_view text, std::uint64_t most, T& to) {
  std::uint64_t value = 0;
  if (!parse_number(text, value) || value > most) return false;
  to = static_cast<T>(value);
  return true;
}

bool parse_perm(std::string_view text, std::uint8_t& to) {
  to = text == "r" ? perm_read : text == "w" ? perm_write : text == "rw" ? std::uint8_t{3} : std::uint8_t{0};
  return to != 0;
}

bool parse_granule(std::string_view text, std::uint8_t& to) {
  to = text == "4K" ? 12 : text == "16K" ? 14 : text == "64K" ? 16 : 0;
  return to != 0;
}

/// Parses one key=value. `bit` is 0 for an unknown key; false if the value is wrong.
bool parse_field(std::string_view key, std::string_view value, Record& r, unsigned& bit) {
  constexpr std::uint64_t any = ~std::uint64_t{0};
  const auto is = [&](std::string_view name, Seen seen) {
    if (key != name) return false;
    bit = seen;
    return true;
  };
  bit = 0;
  if (is("sid", Seen::sid)) return parse_into(value, 0xffffffff, r.stream);
  if (is("addr", Seen::addr)) return parse_into(value, any, r.address);
  if (is("size", Seen::size)) return parse_into(value, 0xffffffff, r.size);
  if (is("pa", Seen::pa)) return parse_into(value, any, r.output);
  if (is("perm", Seen::perm)) return parse_perm(value, r.perm);
  if (is("pages", Seen::pages)) return parse_into(value, any, r.pages);
  if (is("granule", Seen::granule)) return parse_granule(value, r.granule_log2);
  if (is("asid", Seen::asid)) return r.has_asid = true, parse_into(value, 0xffff, r.asid);
  if (is("vmid", Seen::vmid)) return r.has_vmid = true, parse_into(value, 0xffff, r.vmid);
  if (is("ssid", Seen::ssid)) return r.has_substream = true, parse_into(value, 0xfffff, r.substream);
  if (is("last", Seen::last)) return parse_into(value, 0xffffffff, r.stream_last);
  if (is("ats", Seen::ats)) return parse_name(value, Ats::translated, r.ats);
  if (is("tag", Seen::tag)) return parse_into(value, 0xffff, r.tag);
  if (is("ttl", Seen::ttl)) return parse_into(value, 3, r.ttl);
  return true;
}

/// Parses a bare word. `bit` is 0 if it is unknown.
void parse_flag(std::string_view word, Record& r, unsigned& bit) {
  bit = word == "leaf" ? Seen::leaf : word == "priv" ? Seen::priv : word == "inst" ? Seen::inst : 0u;
  if (bit == Seen::leaf) r.leaf = true;
  if (bit == Seen::priv) r.privileged = true;
  if (bit == Seen::inst) r.instruction = true;
}

/// What a line of this kind can't do without.
unsigned required_fields(const Record& r) {
  switch (r.kind) {
    case Kind::access:
      return Seen::sid | Seen::addr | Seen::size;
    case Kind::map:
      return Seen::sid | Seen::addr | Seen::pa | Seen::perm | Seen::pages | Seen::granule;
    case Kind::unmap:
      return Seen::sid | Seen::addr | Seen::pages | Seen::granule;
    case Kind::invalidate:
      return r.is_range() ? Seen::addr | Seen::pages : 0u;
    case Kind::config:
      if (r.config_scope == ConfigScope::all) return 0;
      return r.config_scope == ConfigScope::ste_range ? Seen::sid | Seen::last : 0u + Seen::sid;
  }
  return 0;
}

const char* first_missing(unsigned missing) {
  if ((missing & Seen::sid) != 0) return "sid= is missing; every such record names its stream";
  if ((missing & Seen::addr) != 0) return "addr= is missing; every such record names its address";
  if ((missing & Seen::size) != 0) return "size= is missing; every access names its bytes";
  if ((missing & Seen::pages) != 0) return "pages= is missing; every such record names its number of pages";
  if ((missing & Seen::granule) != 0) return "granule= is missing; it is 4K, 16K or 64K";
  if ((missing & Seen::last) != 0) return "last= is missing; a stream range names its last stream";
  return "pa= or perm= is missing; they stand together";
}

}  // namespace

void append_line(const Record& record, std::string& to) {
  append_number(to, record.time_ps, 10);
  to.push_back(' ');
  switch (record.kind) {
    case Kind::access:
      return append_access(record, to);
    case Kind::map:
    case Kind::unmap:
      to.append(to_string(record.kind));
      append_stream(record, to);
      append_pages(record, to);
      if (record.kind == Kind::unmap) return;
      append_hex(to, " pa=", record.output);
      return append_perm(to, record.perm);
    case Kind::invalidate:
      return append_invalidate(record, to);
    case Kind::config:
      return append_config(record, to);
  }
}

std::string parse_line(std::string_view line, Record& record) {
  record = Record{};
  std::string_view rest = line;
  if (!parse_number(take_word(rest), record.time_ps))
    return "a line that starts with no time; start it with picoseconds";
  if (std::string wrong = parse_verb(rest, record); !wrong.empty()) return wrong;
  unsigned seen = 0;
  while (!rest.empty()) {
    const std::string_view word = take_word(rest);
    const std::size_t equals = word.find('=');
    unsigned bit = 0;
    bool good = true;
    if (equals == std::string_view::npos) {
      parse_flag(word, record, bit);
    } else {
      good = parse_field(word.substr(0, equals), word.substr(equals + 1), record, bit);
    }
    if (bit == 0) return "unknown field '" + std::string(word) + "'; traces/README.md lists the fields";
    if (!good) return "'" + std::string(word) + "' has a wrong value; traces/README.md lists the legal ones";
    if ((seen & bit) != 0) return "'" + std::string(word) + "' is given twice; give it once";
    seen |= bit;
  }
  unsigned required = required_fields(record);
  if (record.kind == Kind::access && (seen & (Seen::pa | Seen::perm)) != 0) {
    required |= Seen::pa | Seen::perm;
    record.has_expected = true;
  }
  if ((required & ~seen) != 0) return first_missing(required & ~seen);
  const char* wrong = check_record(record);
  return wrong == nullptr ? std::string{} : wrong;
}

TextDecoder::TextDecoder(ByteSource& source) : path_(source.path()), lines_(source) {
  std::string_view line;
  if (!lines_.next(line) || line != text_header) {
    throw TraceError::at_line(path_, 1, "an unknown header; the first line is '" + std::string(text_header) + "'");
  }
}

void TextDecoder::fail(const std::string& sentence) const {
  throw TraceError::at_line(path_, lines_.line_number(), sentence);
}

void TextDecoder::read_end(std::string_view line) {
  ended_ = true;
  take_word(line);
  std::uint64_t count = records_;
  if (!line.empty() && !parse_number(line, count)) fail("an end line with no number; write 'end' or 'end COUNT'");
  if (count != records_) {
    fail("the end line says " + std::to_string(count) + " records, there are " + std::to_string(records_) +
         "; lines are missing or doubled");
  }
  std::string_view more;
  while (lines_.next(more)) {
    if (!more.empty() && more[0] != '#') fail("a line after the end line; only comments may follow it");
  }
}

bool TextDecoder::next(Record& record) {
  std::string_view line;
  while (!ended_) {
    if (!lines_.next(line)) {
      throw TraceError::at_line(path_, lines_.line_number(), "the trace ends without an end line; it was cut off here");
    }
    if (line.empty() || line[0] == '#') continue;
    if (lines_.newline_missing()) fail("the last line has no newline; the trace was cut off here");
    if (line == "end" || line.substr(0, 4) == "end ") {
      read_end(line);
      break;
    }
    if (const std::string wrong = parse_line(line, record); !wrong.empty()) fail(wrong);
    if (record.time_ps < last_time_ps_) fail("a time before the record before; times never decrease");
    last_time_ps_ = record.time_ps;
    ++records_;
    record_line_ = lines_.line_number();
    return true;
  }
  return false;
}

std::size_t TextDecoder::next(std::span<Record> records) {
  std::size_t done = 0;
  while (done < records.size() && next(records[done])) ++done;
  return done;
}

TextEncoder::TextEncoder(ByteSink& sink) : sink_(&sink), buffer_(text_header) {
  buffer_.push_back('\n');
}

void TextEncoder::write(const Record& record) {
  append_line(record, buffer_);
  buffer_.push_back('\n');
  ++records_;
  if (buffer_.size() < 65536) return;
  sink_->write(buffer_);
  buffer_.clear();
}

void TextEncoder::finish() {
  append_decimal(buffer_, "end ", records_);
  buffer_.push_back('\n');
  sink_->write(buffer_);
  buffer_.clear();
}

}  // namespace smmusim::trace

// SPDX-License-Identifier: MIT
// RegisterDump; see the header.
#include "platform/explain/register_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "model/smmu/smmu.h"
#include "model/spec/register_table.h"
#include "platform/config/value.h"
#include "platform/trace/bytes.h"
#include "platform/trace/error.h"
#include "platform/trace/parse.h"

namespace smmusim::explain {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t id_offsets[] = {reg::IDR0, reg::IDR1, reg::IDR2, reg::IDR3, reg::IDR4, reg::IDR5, reg::IDR6};
/// What a translation depends on, CR0 apart, which comes last: it locks the others.
constexpr std::uint32_t translation_offsets[] = {reg::CR1, reg::CR2, reg::GBPA, reg::STRTAB_BASE, reg::STRTAB_BASE_CFG};
constexpr std::uint32_t read_only_offsets[] = {reg::CR0ACK, reg::STATUSR,   reg::IRQ_CTRLACK,
                                               reg::GERROR, reg::GATOS_PAR, reg::CMDQ_CONTROL_PAGE_STATUS};

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

bool is_read_only(const spec::RegisterRow& row) {
  const bool identification = row.offset >= reg::PIDR4 && row.offset <= reg::CIDR3;
  return identification || contains(read_only_offsets, row.offset);
}

/// A register and which half of it.
struct Place {
  const spec::RegisterRow* row;
  std::uint32_t offset;  ///< of the register
  bool upper;
};

Place place_of(std::string_view key) {
  std::uint64_t number = 0;
  if (!trace::parse_number(key, number)) {
    const spec::RegisterRow* row = spec::find_register(key);
    if (row != nullptr) return {row, row->offset, false};
    throw std::invalid_argument("unknown register " + in_quotes(key) +
                                "; write a name of the specification, such as STRTAB_BASE, or an offset, such as 0x80");
  }
  // Queue indexes of page 1 as older documents, and QEMU's log, number them.
  constexpr std::uint64_t page_1 = 0x10000;
  for (const std::uint32_t index : {reg::EVENTQ_PROD, reg::EVENTQ_CONS, reg::PRIQ_PROD, reg::PRIQ_CONS}) {
    if (number + page_1 == index) number = index;
  }
  const spec::RegisterRow* row =
      number < reg::frame_bytes ? spec::find_register(static_cast<std::uint32_t>(number)) : nullptr;
  if (row == nullptr) {
    throw std::invalid_argument(fmt::format(
        "no register lies at offset 0x{:x}; offsets are those of section 6.2.1, from the SMMU's base", number));
  }
  const auto distance = static_cast<std::uint32_t>(number) - row->offset;
  const std::uint32_t within = row->stride == 0 ? distance : distance % row->stride;
  if (within % 4 != 0) {
    throw std::invalid_argument(fmt::format("offset 0x{:x} lies inside {}; write a multiple of 4", number, row->name));
  }
  return {row, static_cast<std::uint32_t>(number) - within, within != 0};
}

/// The story is that of an SMMU without what no walk of the model has, and a note says so.
void leave_out_unwalked(spec::Features& f) {
  const bool lpae_alone = !f.ttf_vmsav8_64 && f.ttf_lpae;
  f = without_not_modelled(f);
  f.ttf_lpae = lpae_alone;       // there is no other SMMU to tell of: it is refused by name
  f.oas = std::min(f.oas, 52u);  // of D128
}

/// What the ID registers say of values that this dump holds anyway.
void leave_out_presets(spec::Features& f) {
  f.tables_preset = false;
  f.queues_preset = false;
  f.rel = false;
}

void find_version(spec::Features& f) {
  constexpr unsigned versions = 5;
  if (spec::check(f).empty()) return;
  spec::Features other = f;
  for (unsigned minor = 0; minor != versions; ++minor) {
    other.version_minor = minor;
    if (!spec::check(other).empty()) continue;
    f = other;
    return;
  }
}

}  // namespace

void RegisterDump::set(std::string_view key, std::uint64_t value) {
  const Place place = place_of(key);
  const std::string_view name = place.row->name;
  if (is_read_only(*place.row)) return;  // a dump of all registers has it, and no translation depends on it
  const unsigned width = place.upper ? 32 : place.row->width_bits;
  if (!fits(value, width)) {
    throw std::invalid_argument(
        fmt::format("{} = 0x{:x} has more than {} bits; give the register's value", name, value, width));
  }
  Value& held = values_[place.offset];
  std::optional<std::uint64_t>& part = place.upper ? held.upper : held.whole;
  if (part) throw std::invalid_argument(fmt::format("{} is there twice; give each register once", name));
  part = value;
  if (held.upper && held.whole && !fits(*held.whole, 32)) {
    throw std::invalid_argument(fmt::format("{} is there as a whole and again its upper half; give one of them", name));
  }
}

std::optional<std::uint64_t> RegisterDump::get(std::uint32_t offset) const {
  const auto at = values_.find(offset);
  if (at == values_.end()) return std::nullopt;
  return at->second.whole.value_or(0) | at->second.upper.value_or(0) << 32;
}

bool RegisterDump::has_id_registers() const {
  const auto is_id = [](std::uint32_t offset) {
    return contains(id_offsets, offset) || offset == reg::AIDR || offset == reg::IIDR;
  };
  return std::any_of(values_.begin(), values_.end(), [&](const auto& entry) { return is_id(entry.first); });
}

spec::Features RegisterDump::features(const spec::Features& configured) const {
  if (!has_id_registers()) return configured;
  spec::IdRegisters ids = spec::id_registers(configured);
  const auto take = [this](std::uint32_t offset, std::uint32_t& word) {
    if (const auto value = get(offset)) word = static_cast<std::uint32_t>(*value);
  };
  for (std::size_t i = 0; i != std::size(id_offsets); ++i) take(id_offsets[i], ids.idr[i]);
  take(reg::IIDR, ids.iidr);
  take(reg::AIDR, ids.aidr);
  take(reg::MPAMIDR, ids.mpamidr);
  spec::Features f = spec::features_from(ids);
  leave_out_presets(f);
  leave_out_unwalked(f);
  if (!get(reg::AIDR)) find_version(f);
  std::string errors;
  for (const spec::FeatureError& error : spec::check(f)) {
    errors += fmt::format("{}the ID registers contradict each other: {} (section {})", errors.empty() ? "" : "\n",
                          error.sentence, error.section);
  }
  if (!errors.empty()) throw std::invalid_argument(errors);
  return f;
}

RegisterDump RegisterDump::over(const RegisterDump& base) const {
  RegisterDump result = *this;
  result.values_.insert(base.values_.begin(), base.values_.end());
  return result;
}

void RegisterDump::write_to(Smmu& smmu) const {
  for (const std::uint32_t offset : translation_offsets) {
    const auto value = get(offset);
    if (!value) continue;
    const bool gbpa = offset == reg::GBPA;  // which takes a value only with Update
    smmu.write_register(offset, gbpa ? *value | spec::GBPA::Update::mask : *value,
                        spec::find_register(offset)->width_bits / 8);
  }
  if (const auto cr0 = get(reg::CR0)) smmu.write_register(reg::CR0, *cr0, 4);
}

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void set_line(RegisterDump& registers, std::string_view line) {
  line = trimmed(line.substr(0, line.find('#')));
  if (line.empty()) return;
  const std::size_t equals = line.find('=');
  if (equals == line.npos)
    throw std::invalid_argument("no register line: " + in_quotes(line) + "; write NAME = 0xVALUE");
  std::uint64_t value = 0;
  const std::string_view text = trimmed(line.substr(equals + 1));
  if (!trace::parse_number(text, value)) {
    throw std::invalid_argument(in_quotes(text) + " is no number of 64 bits; write NAME = 0xVALUE");
  }
  registers.set(trimmed(line.substr(0, equals)), value);
}

}  // namespace

RegisterDump read_registers(const std::string& path) {
  RegisterDump registers;
  trace::ByteSource source(path);
  trace::LineSource lines(source);
  for (std::string_view line; lines.next(line);) {
    try {
      set_line(registers, line);
    } catch (const std::invalid_argument& wrong) {
      throw trace::TraceError::at_line(path, lines.line_number(), wrong.what());
    }
  }
  return registers;
}

}  // namespace smmusim::explain

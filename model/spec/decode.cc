// SPDX-License-Identifier: MIT
// decode(): field tables applied to raw words. It chooses the table; everything else is generic.
#include "model/spec/decode.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "model/base/check.h"
#include "model/spec/cd.h"
#include "model/spec/command_table.h"
#include "model/spec/descriptors.h"
#include "model/spec/event_table.h"
#include "model/spec/id_registers.h"
#include "model/spec/l1.h"
#include "model/spec/pri.h"
#include "model/spec/rows.h"
#include "model/spec/ste.h"

namespace smmusim::spec {
namespace {

using Rows = std::span<const FieldRow>;
using RawWords = std::span<const std::uint64_t>;

constexpr std::string_view names[] = {"ste",    "cd",   "l1std", "l1cd", "command", "event", "pri",  "pte-s1",
                                      "pte-s2", "idr0", "idr1",  "idr2", "idr3",    "idr4",  "idr5", "idr6"};

/// The tables that describe one structure. With two, every row of `rows` is listed, then those rows of `also` that are
/// not the same bits under the same name, and only bits that both leave out are reserved.
struct Layout {
  std::string name;
  Rows rows;
  Rows also = {};
  bool complete = true;  ///< false: bits without a row are not reserved
};

Layout command_layout(RawWords words) {
  const auto opcode = static_cast<std::uint8_t>(Command::OP::raw(words[0]));
  if (const CommandInfo* info = find_command(opcode)) {
    const bool all = info->opcode == Opcode::CMD_CFGI_STE_RANGE && Command::Range::get(words[1]) == cfgi_all_range;
    return {all ? "CMD_CFGI_ALL" : std::string(info->name), info->fields};
  }
  static constexpr FieldRow number_only[] = {command_fields::row::OP};
  const bool impdef = opcode >= 0x80 && opcode <= 0x8F;
  return {impdef ? "IMPLEMENTATION DEFINED" : "reserved", number_only, {}, false};
}

Layout event_layout(RawWords words) {
  const auto number = static_cast<std::uint8_t>(Event::Type::raw(words[0]));
  if (const EventInfo* info = find_event(number)) return {std::string(info->name), info->fields};
  static constexpr FieldRow number_only[] = {event_fields::row::Type};
  const bool impdef = number >= 0xE0 && number <= 0xEF;
  return {impdef ? "IMPLEMENTATION DEFINED" : "reserved", number_only, {}, false};
}

Layout descriptor_layout(std::uint64_t word, bool stage1) {
  const std::string stage = stage1 ? "stage-1 " : "stage-2 ";
  const Rows leaf = stage1 ? Rows(s1_leaf_fields) : Rows(s2_leaf_fields);
  if (!S1Leaf::Valid::get(word)) return {stage + "invalid", leaf.first(1), {}, false};
  if (!S1Leaf::Type::get(word)) return {stage + "block", leaf};
  // Stage-2 tables have no attributes of their own: the page's table shows their address, the rest is not judged.
  if (!stage1) return {stage + "page or table", leaf, {}, false};
  return {stage + "page or table", leaf, s1_table_fields};
}

Layout layout_of(Kind kind, RawWords words) {
  switch (kind) {
    case Kind::ste:
      return {"STE", ste_fields};
    case Kind::cd:
      return {"CD", cd_fields};
    case Kind::l1std:
      return {"L1STD", l1std_fields};
    case Kind::l1cd:
      return {"L1CD", l1cd_fields};
    case Kind::command:
      return command_layout(words);
    case Kind::event:
      return event_layout(words);
    case Kind::pri:
      return {"PRI queue entry", pri_fields};
    case Kind::pte_s1:
      return descriptor_layout(words[0], true);
    case Kind::pte_s2:
      return descriptor_layout(words[0], false);
    case Kind::idr0:
      return {"SMMU_IDR0", idr0_fields};
    case Kind::idr1:
      return {"SMMU_IDR1", idr1_fields};
    case Kind::idr2:
      return {"SMMU_IDR2", idr2_fields};
    case Kind::idr3:
      return {"SMMU_IDR3", idr3_fields};
    case Kind::idr4:
      return {"SMMU_IDR4", idr4_fields};
    case Kind::idr5:
      return {"SMMU_IDR5", idr5_fields};
    case Kind::idr6:
      return {"SMMU_IDR6", idr6_fields};
  }
  throw std::invalid_argument("the kind is unknown; legal are the names of kind_names()");
}

bool is_id_register(Kind kind) {
  return kind >= Kind::idr0;
}

bool lists(Rows rows, const FieldRow& wanted) {
  return std::ranges::any_of(rows, [&wanted](const FieldRow& row) {
    return row.name == wanted.name && row.hi == wanted.hi && row.lo == wanted.lo;
  });
}

DecodedField decoded(const FieldRow& row, RawWords words) {
  const std::uint64_t raw = raw_value(row, words);
  return {std::string(row.name), row.hi, row.lo, raw << row.shift, meaning_of(row.meaning, raw)};
}

void check_size(Kind kind, RawWords words) {
  const std::size_t wanted = words_of(kind);
  const std::string name(names[static_cast<unsigned>(kind)]);
  if (words.size() != wanted) {
    throw std::invalid_argument(std::to_string(words.size()) + " words given for " + name + "; it has " +
                                std::to_string(wanted) + " words of 64 bits");
  }
  if (is_id_register(kind) && !fits(words[0], 32)) {
    throw std::invalid_argument("the value given for " + name + " has more than 32 bits; it is a 32-bit register");
  }
}

}  // namespace

std::span<const std::string_view> kind_names() {
  return names;
}

std::optional<Kind> kind_from(std::string_view name) {
  const auto* const found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<Kind>(found - std::begin(names));
}

std::size_t words_of(Kind kind) {
  switch (kind) {
    case Kind::ste:
      return Ste::size_dw;
    case Kind::cd:
      return Cd::size_dw;
    case Kind::command:
      return Command::size_dw;
    case Kind::event:
      return Event::size_dw;
    case Kind::pri:
      return PriEntry::size_dw;
    default:
      return 1;
  }
}

std::string meaning_of(std::string_view meanings, std::uint64_t value) {
  if (meanings.empty()) return "";
  while (!meanings.empty()) {
    const std::string_view pair = meanings.substr(0, meanings.find(' '));
    meanings.remove_prefix(std::min(pair.size() + 1, meanings.size()));
    const std::size_t equals = pair.find('=');
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + equals, number);
    SMMUSIM_CHECK(equals != pair.npos && error == std::errc() && end == pair.data() + equals);
    if (number == value) return std::string(pair.substr(equals + 1));
  }
  return "reserved";
}

Decoded decode(Kind kind, std::span<const std::uint64_t> words) {
  check_size(kind, words);
  const Layout layout = layout_of(kind, words);
  Decoded out;
  out.name = layout.name;
  for (const FieldRow& row : layout.rows) out.fields.push_back(decoded(row, words));
  for (const FieldRow& row : layout.also) {
    if (!lists(layout.rows, row)) out.fields.push_back(decoded(row, words));
  }
  if (!layout.complete) return out;
  for (unsigned word = 0; word < words.size(); ++word) {
    const std::uint64_t set = words[word] & reserved_of(layout.rows, word) & reserved_of(layout.also, word);
    for (unsigned bit = 0; bit < 64; ++bit) {
      if ((set >> bit & 1) != 0) out.reserved_bits_set.push_back(word * 64 + bit);
    }
  }
  return out;
}

}  // namespace smmusim::spec

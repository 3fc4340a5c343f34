// SPDX-License-Identifier: MIT
// Any structure of the specification, taken apart by its field table: name, value and meaning of every field, and the
// reserved bits that are set. Values as data; printing belongs to the caller (`smmusim decode`).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/field.h"

namespace smmusim::spec {

/// What decode() understands; the names of the command line are in kind_names().
enum class Kind : unsigned {
  ste,
  cd,
  l1std,
  l1cd,
  command,
  event,
  pri,
  pte_s1,
  pte_s2,
  idr0,
  idr1,
  idr2,
  idr3,
  idr4,
  idr5,
  idr6,
};

struct DecodedField {
  std::string name;
  unsigned hi;  ///< bit positions in the whole structure
  unsigned lo;
  std::uint64_t value;  ///< shifted: an address field gives the address
  std::string meaning;  ///< the word for the value, "reserved" for a value its table does not list, "" without a table
};

struct Decoded {
  std::string name;  ///< "STE", "CMD_SYNC", "F_TRANSLATION", "stage-1 block" ...
  std::vector<DecodedField> fields;
  std::vector<unsigned> reserved_bits_set;  ///< positions in the whole structure, ascending
};

/// "ste", "cd", "l1std", "l1cd", "command", "event", "pri", "pte-s1", "pte-s2", "idr0" ... "idr6", in Kind's order.
std::span<const std::string_view> kind_names();

/// The kind of that name, or nothing.
std::optional<Kind> kind_from(std::string_view name);

/// Size of the structure in 64-bit words.
std::size_t words_of(Kind kind);

/// `words` in memory order. Throws std::invalid_argument if their number is not words_of(kind), or if an ID register
/// has more than 32 bits.
/// A command or event of unknown number has only its number as a field, and nothing counts as reserved. A descriptor
/// with bits [1:0] = 3 is a table or a page depending on its level, so a stage-1 one lists the fields of both, and
/// reports only bits that are reserved in both.
Decoded decode(Kind kind, std::span<const std::uint64_t> words);

/// The word for `value` in a row's meaning text ("0=abort 4=bypass"); see DecodedField::meaning.
std::string meaning_of(std::string_view meanings, std::uint64_t value);

}  // namespace smmusim::spec

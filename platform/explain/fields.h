// SPDX-License-Identifier: MIT
// Which fields of a fetched structure matter to its reader: tables of the specification's names. Meanings and positions
// come from spec::decode(); nothing is decided here but what to leave out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/spec/decode.h"

namespace smmusim::explain {

using Words = std::span<const std::uint64_t>;

/// Of an STE: what its Config uses.
std::vector<spec::DecodedField> ste_fields(Words words);
/// Of a CD: what concerns addresses of `half` (0: TTB0, 1: TTB1).
std::vector<spec::DecodedField> cd_fields(Words words, unsigned half);
/// Of a descriptor that leads to a next table: hierarchical permissions that are set.
std::vector<spec::DecodedField> table_fields(std::uint64_t word, unsigned stage);
/// Of a block or page.
std::vector<spec::DecodedField> leaf_fields(std::uint64_t word, unsigned stage);
/// Every field that is not zero, and the first: of a structure that is ILLEGAL.
std::vector<spec::DecodedField> set_fields(spec::Kind kind, Words words);

}  // namespace smmusim::explain

// SPDX-License-Identifier: MIT
// Functions over FieldRow tables: the mask of the bits that a structure defines, its reserved bits, and a row's value.
// Pure layout; which reserved bits an implementation rejects is decided in model/smmu.
#pragma once

#include <cstdint>
#include <span>

#include "model/base/check.h"
#include "model/base/field.h"

namespace smmusim::spec {

/// Which doubleword of the structure the row lies in.
constexpr unsigned word_of(const FieldRow& row) {
  return row.lo / 64;
}

/// The row's bits within its doubleword.
constexpr std::uint64_t mask_of(const FieldRow& row) {
  return low_mask(row.hi - row.lo + 1) << (row.lo % 64);
}

/// The bits of doubleword `word` that some row defines.
constexpr std::uint64_t mask_of(std::span<const FieldRow> rows, unsigned word) {
  std::uint64_t mask = 0;
  for (const FieldRow& row : rows) {
    if (word_of(row) == word) mask |= mask_of(row);
  }
  return mask;
}

/// The bits of doubleword `word` that no row defines: RES0.
constexpr std::uint64_t reserved_of(std::span<const FieldRow> rows, unsigned word) {
  return ~mask_of(rows, word);
}

/// The row's value as stored, unshifted. `words` must reach the row's doubleword.
constexpr std::uint64_t raw_value(const FieldRow& row, std::span<const std::uint64_t> words) {
  SMMUSIM_CHECK(word_of(row) < words.size());
  return (words[word_of(row)] & mask_of(row)) >> (row.lo % 64);
}

}  // namespace smmusim::spec

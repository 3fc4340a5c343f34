// SPDX-License-Identifier: MIT
// Field<Hi, Lo, T, Shift>: where a value lives inside an in-memory structure or a register, and nothing else.
//
// Positions count from bit 0 of the whole structure (bit 64 is bit 0 of the second doubleword), as the tables of
// chapters 5, 4 and 7 of IHI 0070 do. A field never straddles two doublewords. Shift turns a stored address
// field into the address: TTB0 is bits [119:68] of a CD and holds address bits [55:4], so Shift is 4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/base/types.h"

namespace smmusim {

template <unsigned Hi, unsigned Lo, class T = std::uint64_t, unsigned Shift = 0>
struct Field {
  static_assert(Hi >= Lo && Hi / 64 == Lo / 64, "a field lies within one doubleword");
  using type = T;
  static constexpr unsigned hi = Hi;
  static constexpr unsigned lo = Lo;
  static constexpr unsigned shift = Shift;
  static constexpr std::size_t word = Lo / 64;
  static constexpr unsigned width = Hi - Lo + 1;
  static constexpr std::uint64_t mask = low_mask(width) << (Lo % 64);  ///< within its doubleword

  /// The field's value as stored, unshifted.
  static constexpr std::uint64_t raw(std::uint64_t word_value) { return (word_value & mask) >> (Lo % 64); }
  static constexpr T get(std::uint64_t word_value) { return static_cast<T>(raw(word_value) << Shift); }
  /// `word_value` with this field replaced; bits of `value` that the field can't hold are dropped.
  static constexpr std::uint64_t set(std::uint64_t word_value, T value) {
    const auto bits = static_cast<std::uint64_t>(value) >> Shift;
    return (word_value & ~mask) | ((bits << (Lo % 64)) & mask);
  }
};

/// A structure of N little-endian doublewords read and written through Fields. Derive one class per structure.
template <class Derived, std::size_t N>
struct Words {
  static constexpr std::size_t size_dw = N;
  static constexpr std::size_t size_bytes = N * 8;
  std::array<std::uint64_t, N> dw{};

  template <class F>
  constexpr typename F::type get() const {
    static_assert(F::word < N);
    return F::get(dw[F::word]);
  }
  template <class F>
  constexpr Derived& set(typename F::type value) {
    static_assert(F::word < N);
    dw[F::word] = F::set(dw[F::word], value);
    return static_cast<Derived&>(*this);
  }
  friend constexpr bool operator==(const Words& a, const Words& b) { return a.dw == b.dw; }
};

/// One row of a structure's field table: what decode, the reserved-bit mask and the round-trip tests read.
struct FieldRow {
  std::string_view name;  ///< the specification's name
  unsigned hi;            ///< position in the whole structure
  unsigned lo;
  unsigned shift;            ///< the stored value is shifted left by this to give an address
  std::string_view meaning;  ///< "" or the values, "0=abort 4=bypass ...": one `number=word` pair per value
};

template <class F>
constexpr FieldRow field_row(std::string_view name, std::string_view meaning = "") {
  return {name, F::hi, F::lo, F::shift, meaning};
}

}  // namespace smmusim

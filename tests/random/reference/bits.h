// SPDX-License-Identifier: MIT
// Bit extraction for the independent reference walker. The helpers are written bit by bit on purpose: they are the base
// of a check, so they must be obvious, not fast. This folder includes nothing of model/, tlm/ or platform/.
#ifndef TESTS_RANDOM_REFERENCE_BITS_H_
#define TESTS_RANDOM_REFERENCE_BITS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace refwalk {

/// A 64-byte structure (STE or CD) as eight 64-bit words; bit n of the structure is bit n % 64 of word n / 64.
using Structure = std::array<uint64_t, 8>;

/// Bit `position` (0..63) of `value`.
inline bool bit(uint64_t value, unsigned position) {
  return ((value >> position) & 1u) != 0;
}

/// Bits [high:low] of `value`, right-aligned; both inclusive, 0..63.
inline uint64_t bits(uint64_t value, unsigned high, unsigned low) {
  uint64_t result = 0;
  for (unsigned position = low; position <= high; ++position) {
    if (bit(value, position)) result |= uint64_t{1} << (position - low);
  }
  return result;
}

/// Bits [high:low] of a structure, counted from bit 0 of the whole structure as the specification does.
inline uint64_t field(const Structure& words, unsigned high, unsigned low) {
  uint64_t result = 0;
  for (unsigned position = low; position <= high; ++position) {
    if (bit(words[position / 64], position % 64)) result |= uint64_t{1} << (position - low);
  }
  return result;
}

/// Bit `position` of a structure.
inline bool flag(const Structure& words, unsigned position) {
  return field(words, position, position) != 0;
}

/// `value` with every bit below `count` cleared (alignment to 2^count bytes); `count` of 64 or more gives 0.
inline uint64_t align_down(uint64_t value, unsigned count) {
  return count >= 64 ? 0 : (value >> count) << count;
}

/// The low `count` bits of `value`; all of them when `count` is 64 or more.
inline uint64_t low_bits(uint64_t value, unsigned count) {
  return value - align_down(value, count);
}

/// Whether `value` needs more than `size` bits.
inline bool exceeds(uint64_t value, unsigned size) {
  return align_down(value, size) != 0;
}

/// The little-endian (or big-endian) 64-bit word in eight bytes.
inline uint64_t word_of(const unsigned char* bytes, bool big_endian) {
  uint64_t result = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned position = big_endian ? 8 * (7 - i) : 8 * i;
    result |= uint64_t{bytes[i]} << position;
  }
  return result;
}

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_BITS_H_

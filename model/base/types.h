// SPDX-License-Identifier: MIT
// The vocabulary of identifiers and addresses. Each is a distinct type, so that an IPA can't be passed for a PA
// nor a StreamID for a SubstreamID. All are plain values: trivially copyable, totally ordered.
#pragma once

#include <compare>
#include <cstdint>

namespace smmusim {

/// A number of type Rep that converts to nothing else. `.value` is the raw number.
template <class Tag, class Rep>
struct Strong {
  using rep = Rep;
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep raw) : value(raw) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

/// An address: a Strong<…, uint64_t> with the arithmetic that addresses have.
template <class Tag>
struct Address : Strong<Tag, std::uint64_t> {
  using Strong<Tag, std::uint64_t>::Strong;

  friend constexpr Address operator+(Address a, std::uint64_t offset) { return Address(a.value + offset); }
  friend constexpr std::uint64_t operator-(Address a, Address b) { return a.value - b.value; }
  friend constexpr Address operator|(Address a, std::uint64_t bits) { return Address(a.value | bits); }
  friend constexpr Address operator&(Address a, std::uint64_t mask) { return Address(a.value & mask); }
};

using StreamId = Strong<struct StreamIdTag, std::uint32_t>;
using SubstreamId = Strong<struct SubstreamIdTag, std::uint32_t>;  ///< 20 bits at most
using Asid = Strong<struct AsidTag, std::uint16_t>;
using Vmid = Strong<struct VmidTag, std::uint16_t>;

using Va = Address<struct VaTag>;    ///< input of stage 1, as presented (64 bits, tag byte included)
using Ipa = Address<struct IpaTag>;  ///< output of stage 1, input of stage 2
using Pa = Address<struct PaTag>;    ///< what memory sees

/// A mask of the low `bits` bits; bits may be 0 to 64.
constexpr std::uint64_t low_mask(unsigned bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// True if `value` needs no more than `bits` bits.
constexpr bool fits(std::uint64_t value, unsigned bits) {
  return bits >= 64 || (value >> bits) == 0;
}

}  // namespace smmusim

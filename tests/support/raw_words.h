// SPDX-License-Identifier: MIT
// Structures as raw doublewords with bit positions taken from the specification's tables (IHI 0070 chapters 4, 5, 7),
// for tests. It must not use the model's headers: a wrong position there has to make a test fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace smmusim::raw {

/// Bits [hi:lo] of a whole structure; both lie in the same doubleword.
struct Bits {
  unsigned hi;
  unsigned lo;
};

struct Edit {
  Bits bits;
  std::uint64_t value;
};

constexpr std::uint64_t mask_of(Bits bits) {
  const unsigned width = bits.hi - bits.lo + 1;
  return width == 64 ? ~std::uint64_t{0} : ((std::uint64_t{1} << width) - 1);
}

/// N little-endian doublewords.
template <std::size_t N>
struct Words {
  std::array<std::uint64_t, N> dw{};

  constexpr std::uint64_t get(Bits bits) const { return (dw[bits.lo / 64] >> (bits.lo % 64)) & mask_of(bits); }
  constexpr Words& put(Bits bits, std::uint64_t value) {
    std::uint64_t& word = dw[bits.lo / 64];
    word &= ~(mask_of(bits) << (bits.lo % 64));
    word |= (value & mask_of(bits)) << (bits.lo % 64);
    return *this;
  }
  /// A copy with these fields replaced.
  constexpr Words with(std::initializer_list<Edit> edits) const {
    Words copy = *this;
    for (const Edit& edit : edits) copy.put(edit.bits, edit.value);
    return copy;
  }
  friend constexpr bool operator==(const Words&, const Words&) = default;
};

using Ste = Words<8>;
using Cd = Words<8>;
using Command = Words<2>;
using Record = Words<4>;

namespace ste {
inline constexpr Bits V{0, 0}, Config{3, 1}, S1Fmt{5, 4}, S1ContextPtr{55, 6}, S1CDMax{63, 59};
inline constexpr Bits S1DSS{65, 64}, S1CIR{67, 66}, S1COR{69, 68}, S1CSH{71, 70}, CONT{80, 77}, MEV{83, 83};
inline constexpr Bits S1STALLD{91, 91}, EATS{93, 92}, STRW{95, 94}, MemAttr{99, 96}, MTCFG{100, 100};
inline constexpr Bits ALLOCCFG{104, 101}, SHCFG{109, 108}, NSCFG{111, 110}, PRIVCFG{113, 112}, INSTCFG{115, 114};
inline constexpr Bits S2VMID{143, 128}, DRE{76, 76}, DCP{81, 81}, S1MPAM{90, 90}, PARTID{287, 272}, PMG{327, 320};
inline constexpr Bits VMSPtr{375, 332};
}  // namespace ste

namespace cd {
inline constexpr Bits T0SZ{5, 0}, TG0{7, 6}, IR0{9, 8}, OR0{11, 10}, SH0{13, 12}, EPD0{14, 14}, ENDI{15, 15};
inline constexpr Bits T1SZ{21, 16}, TG1{23, 22}, IR1{25, 24}, OR1{27, 26}, SH1{29, 28}, EPD1{30, 30}, V{31, 31};
inline constexpr Bits IPS{34, 32}, AFFD{35, 35}, WXN{36, 36}, UWXN{37, 37}, TBI0{38, 38}, TBI1{39, 39}, PAN{40, 40};
inline constexpr Bits AA64{41, 41}, HD{42, 42}, HA{43, 43}, S{44, 44}, R{45, 45}, A{46, 46}, ASET{47, 47};
inline constexpr Bits ASID{63, 48}, HAD0{65, 65}, TTB0{119, 68}, HAD1{129, 129}, TTB1{183, 132};
inline constexpr Bits MAIR0{223, 192}, MAIR1{255, 224}, PARTID{367, 352}, PMG{375, 368};
}  // namespace cd

namespace l1 {  // L1STD and L1CD, 8 bytes each
inline constexpr Bits Span{4, 0}, StePtr{55, 6}, V{0, 0}, CdPtr{55, 12};
}  // namespace l1

namespace ev {
inline constexpr Bits Type{7, 0}, SSV{11, 11}, SubstreamID{31, 12}, StreamID{63, 32}, Reason{79, 64}, GPCF{80, 80};
inline constexpr Bits Stall{95, 95}, PnU{97, 97}, InD{98, 98}, RnW{99, 99}, S2{103, 103}, CLASS{105, 104};
inline constexpr Bits InputAddr{191, 128}, FetchAddr{247, 195}, IPA{247, 204};
inline constexpr std::uint64_t F_UUT = 0x01, C_BAD_STREAMID = 0x02, F_STE_FETCH = 0x03, C_BAD_STE = 0x04;
inline constexpr std::uint64_t F_STREAM_DISABLED = 0x06, C_BAD_SUBSTREAMID = 0x08, F_CD_FETCH = 0x09, C_BAD_CD = 0x0a;
inline constexpr std::uint64_t F_WALK_EABT = 0x0b, F_TRANSLATION = 0x10, F_ADDR_SIZE = 0x11, F_ACCESS = 0x12;
inline constexpr std::uint64_t F_PERMISSION = 0x13, F_VMS_FETCH = 0x25;
}  // namespace ev

namespace cmd {
inline constexpr Bits OP{7, 0}, SSec{10, 10}, SSV{11, 11}, SubstreamID{31, 12}, StreamID{63, 32}, VMID{47, 32};
inline constexpr Bits ASID{63, 48}, NUM{16, 12}, SCALE{24, 20}, Leaf{64, 64}, TTL{73, 72}, TG{75, 74};
inline constexpr Bits Address{127, 76}, Range{68, 64}, Size{68, 64}, Resp{77, 76};
inline constexpr Bits CS{13, 12}, MSH{23, 22}, MSIAttr{27, 24}, MSIData{63, 32}, MSIAddress{119, 66};
inline constexpr std::uint64_t PREFETCH_CONFIG = 0x01, PREFETCH_ADDR = 0x02, CFGI_STE = 0x03, CFGI_STE_RANGE = 0x04;
inline constexpr std::uint64_t CFGI_CD = 0x05, CFGI_CD_ALL = 0x06, CFGI_VMS_PIDM = 0x07, TLBI_NH_ALL = 0x10,
                               TLBI_NH_ASID = 0x11;
inline constexpr std::uint64_t TLBI_NH_VA = 0x12, TLBI_NH_VAA = 0x13, TLBI_EL2_ALL = 0x20, TLBI_EL2_ASID = 0x21;
inline constexpr std::uint64_t TLBI_EL2_VA = 0x22, TLBI_EL2_VAA = 0x23, TLBI_NSNH_ALL = 0x30, SYNC = 0x46;
}  // namespace cmd

/// A command with opcode and further fields.
constexpr Command command(std::uint64_t opcode, std::initializer_list<Edit> edits = {}) {
  return Command{}.with({{cmd::OP, opcode}}).with(edits);
}

// VMSAv8-64 leaf descriptor bits (Arm ARM D8.3).
inline constexpr std::uint64_t af = 1u << 10, ng = 1u << 11, ap_unprivileged = 1u << 6, ap_read_only = 1u << 7;
inline constexpr std::uint64_t contiguous = std::uint64_t{1} << 52, pxn = std::uint64_t{1} << 53;
inline constexpr std::uint64_t uxn = std::uint64_t{1} << 54;
inline constexpr std::uint64_t pxn_table = std::uint64_t{1} << 59, uxn_table = std::uint64_t{1} << 60;
inline constexpr std::uint64_t ap_table_no_unprivileged = std::uint64_t{1} << 61;
inline constexpr std::uint64_t ap_table_no_write = std::uint64_t{1} << 62;
/// A page readable and writable by everybody, not global.
constexpr std::uint64_t page(std::uint64_t pa, std::uint64_t flags = af | ng | ap_unprivileged) {
  return pa | 3 | flags;
}
constexpr std::uint64_t block(std::uint64_t pa, std::uint64_t flags = af | ng | ap_unprivileged) {
  return pa | 1 | flags;
}

}  // namespace smmusim::raw

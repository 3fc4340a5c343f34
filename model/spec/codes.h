// SPDX-License-Identifier: MIT
// Encodings that several structures and registers share (granules, shareability, address sizes), with the words
// that decode prints for them. Values only: which of them is legal where belongs to model/smmu.
#pragma once

#include <cstdint>
#include <string_view>

namespace smmusim::spec {

/// CD.TG0, STE.S2TG, STE.S_S2TG, GPT and DPT granule sizes.
enum class Tg0 : unsigned { kib4 = 0, kib64 = 1, kib16 = 2, reserved = 3 };

/// CD.TG1: the same sizes under other numbers.
enum class Tg1 : unsigned { reserved = 0, kib16 = 1, kib4 = 2, kib64 = 3 };

/// The TG field of range invalidations (4.4.1.1): 0 is "not a range, any granule".
enum class TlbiTg : unsigned { any = 0, kib4 = 1, kib16 = 2, kib64 = 3 };

/// Shareability of SHx, S1CSH, CR1.*_SH, *_IRQ_CFG2.SH and CMD_SYNC.MSH. 1 is reserved and acts as non-shareable.
/// SHCFG fields differ: there 1 means "use incoming".
enum class Shareability : unsigned { non = 0, reserved = 1, outer = 2, inner = 3 };

/// CMDQ_CONS.ERR and ECMDQ_CONS.ERR_REASON (section 7.1).
enum class CommandError : unsigned { CERROR_NONE = 0, CERROR_ILL = 1, CERROR_ABT = 2, CERROR_ATC_INV_SYNC = 3 };

/// Address bits named by IDR5.OAS, CD.IPS and STE.S2PS: 32, 36, 40, 42, 44, 48, 52, 56 for 0 to 7.
/// Only the low three bits of `code` count.
constexpr unsigned address_bits(unsigned code) {
  constexpr unsigned bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};
  return bits[code & 7];
}

/// The inverse of address_bits(); -1 if no code names `bits`.
constexpr int address_size_code(unsigned bits) {
  for (unsigned code = 0; code < 8; ++code) {
    if (address_bits(code) == bits) return static_cast<int>(code);
  }
  return -1;
}

namespace meaning {
inline constexpr std::string_view tg0 = "0=4KiB 1=64KiB 2=16KiB 3=reserved";
inline constexpr std::string_view tg1 = "0=reserved 1=16KiB 2=4KiB 3=64KiB";
inline constexpr std::string_view tlbi_tg = "0=any 1=4KiB 2=16KiB 3=64KiB";
inline constexpr std::string_view sh = "0=non-shareable 1=reserved 2=outer 3=inner";
inline constexpr std::string_view shcfg = "0=non-shareable 1=incoming 2=outer 3=inner";
inline constexpr std::string_view fetch_cache = "0=NC 1=WB-RA 2=WT-RA 3=WB-noRA";
inline constexpr std::string_view walk_cache = "0=NC 1=WB-RA-WA 2=WT-RA 3=WB-RA-noWA";
inline constexpr std::string_view cr1_cache = "0=NC 1=WB 2=WT 3=reserved";
inline constexpr std::string_view address_size = "0=32bit 1=36bit 2=40bit 3=42bit 4=44bit 5=48bit 6=52bit 7=56bit";
inline constexpr std::string_view endian = "0=little 1=big";
inline constexpr std::string_view privcfg = "0=incoming 1=incoming 2=unprivileged 3=privileged";
inline constexpr std::string_view instcfg = "0=incoming 1=incoming 2=data 3=instruction";
inline constexpr std::string_view cerror = "0=CERROR_NONE 1=CERROR_ILL 2=CERROR_ABT 3=CERROR_ATC_INV_SYNC";
}  // namespace meaning

}  // namespace smmusim::spec

// SPDX-License-Identifier: MIT
// Commands, 16 bytes each (IHI 0070 chapter 4): opcodes and the positions of every field. command_table.h says which
// command has which fields. What a command does, and when it is illegal, belongs to model/smmu.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"

namespace smmusim::spec {

enum class Opcode : std::uint8_t {
  CMD_PREFETCH_CONFIG = 0x01,
  CMD_PREFETCH_ADDR = 0x02,
  CMD_CFGI_STE = 0x03,
  CMD_CFGI_STE_RANGE = 0x04,
  CMD_CFGI_ALL = 0x04,  ///< CMD_CFGI_STE_RANGE with Range = 31
  CMD_CFGI_CD = 0x05,
  CMD_CFGI_CD_ALL = 0x06,
  CMD_CFGI_VMS_PIDM = 0x07,
  CMD_TLBI_NH_ALL = 0x10,
  CMD_TLBI_NH_ASID = 0x11,
  CMD_TLBI_NH_VA = 0x12,
  CMD_TLBI_NH_VAA = 0x13,
  CMD_TLBI_EL3_ALL = 0x18,
  CMD_TLBI_EL3_VA = 0x1a,
  CMD_TLBI_EL2_ALL = 0x20,
  CMD_TLBI_EL2_ASID = 0x21,
  CMD_TLBI_EL2_VA = 0x22,
  CMD_TLBI_EL2_VAA = 0x23,
  CMD_TLBI_S12_VMALL = 0x28,
  CMD_TLBI_S2_IPA = 0x2a,
  CMD_TLBI_NSNH_ALL = 0x30,
  CMD_ATC_INV = 0x40,
  CMD_PRI_RESP = 0x41,
  CMD_RESUME = 0x44,
  CMD_STALL_TERM = 0x45,
  CMD_SYNC = 0x46,
  CMD_TLBI_S_EL2_ALL = 0x50,
  CMD_TLBI_S_EL2_ASID = 0x51,
  CMD_TLBI_S_EL2_VA = 0x52,
  CMD_TLBI_S_EL2_VAA = 0x53,
  CMD_TLBI_S_S12_VMALL = 0x58,
  CMD_TLBI_S_S2_IPA = 0x5a,
  CMD_TLBI_SNH_ALL = 0x60,
  CMD_DPTI_ALL = 0x70,
  CMD_DPTI_PA = 0x73,
};

/// CMD_CFGI_STE_RANGE.Range of CMD_CFGI_ALL.
inline constexpr unsigned cfgi_all_range = 31;
/// CMD_ATC_INV.Size that covers the whole address space.
inline constexpr unsigned atc_inv_size_all = 52;

enum class PriResp : unsigned { ResponseFailure = 0, InvalidRequest = 1, Success = 2, reserved = 3 };

/// CMD_SYNC.CS; 3 is CERROR_ILL, SEV acts as none without IDR0.SEV.
enum class SyncSignal : unsigned { none = 0, irq = 1, sev = 2, reserved = 3 };

/// Fields of different commands overlap; a command has only those of its row in command_table.
struct Command : Words<Command, 2> {
  using OP = Field<7, 0, Opcode>;
  using SSec = Field<10, 10, bool>;  ///< Secure queue only, elsewhere 0 or CERROR_ILL
  using SSV = Field<11, 11, bool>;   ///< the SubstreamID is valid
  using SubstreamID = Field<31, 12, std::uint32_t>;
  using StreamID = Field<63, 32, std::uint32_t>;
  using VMID = Field<47, 32, std::uint16_t>;
  using ASID = Field<63, 48, std::uint16_t>;
  using NUM = Field<16, 12, unsigned>;       ///< range invalidation: NUM+1 steps
  using SCALE = Field<24, 20, unsigned>;     ///< of 2^SCALE granules
  using SCALE_DS = Field<25, 20, unsigned>;  ///< with IDR5.DS=1, values above 39 act as 39
  using Leaf = Field<64, 64, bool>;
  using TTL128 = Field<71, 71, bool>;   ///< levels are those of 128-bit descriptors
  using TTL = Field<73, 72, unsigned>;  ///< level of the leaf, 0 = any
  using TG = Field<75, 74, TlbiTg>;
  using Address = Field<127, 76, std::uint64_t, 12>;  ///< VA, or the device's address
  using IPA = Field<119, 76, std::uint64_t, 12>;      ///< IPA of S2_IPA commands
  using Range = Field<68, 64, unsigned>;              ///< 2^(Range+1) StreamIDs, 31 = all
  using PrefetchSize = Field<68, 64, unsigned>;       ///< 2^Size translations
  using Stride = Field<73, 69, unsigned>;  ///< 2^(12+Stride) bytes apart (position from memory, see the reference)
  using NS = Field<74, 74, bool>;
  using G = Field<9, 9, bool>;              ///< ATC_INV: global
  using AtcSize = Field<69, 64, unsigned>;  ///< ATC_INV: 4096 * 2^Size bytes, 52 = everything
  using PRGIndex = Field<72, 64, unsigned>;
  using Resp = Field<77, 76, PriResp>;
  using Ac = Field<12, 12, bool>;
  using Ab = Field<13, 13, bool>;
  using STAG = Field<79, 64, std::uint16_t>;
  using CS = Field<13, 12, SyncSignal>;
  using MSH = Field<23, 22, Shareability>;
  using MSIAttr = Field<27, 24, unsigned>;  ///< stage-2 MemAttr[3:0] encoding
  using MSIData = Field<63, 32, std::uint32_t>;
  using MSIAddress = Field<119, 66, std::uint64_t, 2>;  ///< 0 = no MSI
  using DptSize = Field<75, 72, unsigned>;
  using DptAddress = Field<119, 76, std::uint64_t, 12>;
};

}  // namespace smmusim::spec

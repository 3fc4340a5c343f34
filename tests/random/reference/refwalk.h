// SPDX-License-Identifier: MIT
// An independent reference of the non-secure SMMUv3 translation path: stream table, STE, CD, VMSAv8-64 stage 1 and
// stage 2, and the event record of what fails (IHI 0070 chapters 3, 5, 7; DDI 0487 chapter D8). It has no caches, no
// time and no state. It is the third leg of the three-way check and must include nothing of model/, tlm/ or platform/.
//
// Where the architecture is CONSTRAINED UNPREDICTABLE, UNKNOWN or IMPLEMENTATION DEFINED this reference chooses:
//  1. STRTAB_BASE, L1STD.L2Ptr or an address computed from them above OAS: F_STE_FETCH, no read is made.
//  2. STE.S1ContextPtr above OAS (PA) or IAS (IPA): C_BAD_STE. L1CD.L2Ptr above OAS or IAS: C_BAD_SUBSTREAMID. Only the
//     pointer is checked; no table that starts below 2^OAS and is aligned to its size can end above it.
//  3. Reserved and RES0 bits of an STE, CD, L1STD, L1CD or descriptor are ignored. S1ContextPtr and both L2Ptr are
//     [55:x] in every version, as sections 5.1 to 5.3 give them; STRTAB_BASE keeps bits [51:6] (no VMSAv9-128 here).
//  4. S1ContextPtr and L1CD.L2Ptr bits that are RES0 because of S1CDMax or S1Fmt are taken as zero (aligned down).
//  5. S1Fmt = 3 is linear. STRTAB_BASE_CFG: SPLIT other than 6, 8, 10 is 6; FMT other than 1 is linear.
//  6. TxSZ and S2T0SZ out of range: C_BAD_CD and C_BAD_STE in v3.0 too, never clamped.
//     EATS=01 with S2S=1 and Config=101 in v3.0: C_BAD_STE.
//  7. The Contiguous and nT bits are ignored. STE.CONT is ignored.
//  8. Fields whose IDR bit is 0 (HAD, E0PD, EPAN, FWB, XNX, DS, STRW without HYP, PRIVCFG/INSTCFG without
//     ATTR_PERMS_OVR, EATS without ATS) have no effect.
//  9. OA[51:48] comes from descriptor bits [15:12] with the 64 KB granule if OAS is 52, otherwise those bits are
//  ignored;
//     a 64 KB level-1 block is valid if OAS is 52.
// 10. Starting tables have 64-byte alignment at least whenever the effective IPS (S2PS) is 52, whatever the granule.
// 11. An instruction read needs execute permission only, at both stages.
// 12. EATS=11 with DPT and S2S=1 and Config=11x: C_BAD_STE. The VMS is never enabled (MPAMIDR.PARTID_MAX taken as 0).
// 13. Event fields that are UNKNOWN are 0: STAG, Reason, IPA of a stage-1 fault, SubstreamID when SSV=0, TTRnW when
//     CLASS is not TT, IPA and FetchAddr bits at and above OAS. F_STREAM_DISABLED carries neither SSV nor SubstreamID.
// 14. Events are never merged. MEV is ignored.
// 15. Stage-2 MemAttr with FWB: Device if MemAttr[2] is 0 (matters to S2PTW only).
#ifndef TESTS_RANDOM_REFERENCE_REFWALK_H_
#define TESTS_RANDOM_REFERENCE_REFWALK_H_

#include <cstddef>
#include <cstdint>

namespace refwalk {

/// Physical memory as the SMMU reads it.
struct Memory {
  virtual ~Memory() = default;
  /// Copies `n` bytes at physical address `pa` to `data`. False means an external abort; `data` is then unspecified.
  virtual bool read(uint64_t pa, void* data, size_t n) const = 0;
};

/// The registers that decide a translation, as software reads them (section 6.3).
struct Registers {
  uint32_t idr0 = 0;
  uint32_t idr1 = 0;
  uint32_t idr3 = 0;
  uint32_t idr5 = 0;
  uint32_t aidr = 0;
  uint32_t cr0 = 0;
  uint32_t cr1 = 0;
  uint32_t cr2 = 0;
  uint32_t gbpa = 0;
  uint64_t strtab_base = 0;
  uint32_t strtab_base_cfg = 0;
};

/// One untranslated, non-atomic access of a non-secure stream. `ssid` counts only if `ssv`.
struct Access {
  uint32_t sid = 0;
  bool ssv = false;
  uint32_t ssid = 0;
  uint64_t address = 0;
  bool write = false;
  bool instruction = false;
  bool privileged = false;
};

enum class Outcome { Proceed, Abort, RazWi, Stall };

/// Numbers of the events that this path can record (section 7.3).
enum class EventNumber : unsigned {
  C_BAD_STREAMID = 0x02,
  F_STE_FETCH = 0x03,
  C_BAD_STE = 0x04,
  F_STREAM_DISABLED = 0x06,
  C_BAD_SUBSTREAMID = 0x08,
  F_CD_FETCH = 0x09,
  C_BAD_CD = 0x0A,
  F_WALK_EABT = 0x0B,
  F_TRANSLATION = 0x10,
  F_ADDR_SIZE = 0x11,
  F_ACCESS = 0x12,
  F_PERMISSION = 0x13,
};

/// An event record of 32 bytes as four 64-bit words; all zero if nothing was recorded.
struct Event {
  bool recorded = false;
  uint64_t dw[4] = {0, 0, 0, 0};
};

/// What the client sees and what the Event queue gets. `pa`, `page_size_log2`, `mair_attr` and `sh` count only when the
/// outcome is Proceed. `page_size_log2` is that of the smallest enabled stage's leaf, the Contiguous bit ignored; 0 if
/// no stage translated. `mair_attr` is the byte of MAIR that the stage-1 leaf selects and `sh` its shareability
/// (CD.SHx with 52-bit 4K/16K descriptors), neither combined with stage 2; 0 if stage 1 did not translate.
/// `fetches` counts reads issued to memory, an aborted one included: L1STD, STE, L1CD, CD and descriptors, one each.
struct Result {
  Outcome outcome = Outcome::Abort;
  uint64_t pa = 0;
  uint64_t page_size_log2 = 0;
  Event event;
  unsigned fetches = 0;
  uint8_t mair_attr = 0;
  uint8_t sh = 0;
};

/// Translates one access from scratch. Throws std::invalid_argument if the ID registers advertise what this reference
/// does not cover: VMSAv8-32 LPAE (TTF[0]), HTTU, VMSAv9-128 (D128), stage-1/2 permission indirection or overlays,
/// THE, AIE, RME, or an OAS code of 7.
Result translate(const Registers& registers, const Memory& memory, const Access& access);

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_REFWALK_H_

// SPDX-License-Identifier: MIT
// An independent reference of the non-secure SMMUv3 translation path: stream table, STE, CD, VMSAv8-64 stage 1 and
// stage 2, and the event record of what fails (IHI 0070 chapters 3, 5, 7; DDI 0487 chapter D8). It has no caches, no
// time and no state. It is the third leg of the three-way check and must include nothing of model/, tlm/ or platform/.
//
// Where the architecture is CONSTRAINED UNPREDICTABLE, UNKNOWN or IMPLEMENTATION DEFINED this reference chooses (IHI
// 0070 sections, D8 and J1.1 of DDI 0487):
//  1. 3.4.3 (5): STRTAB_BASE, L1STD.L2Ptr or an address computed from them above OAS: F_STE_FETCH, no read is made.
//  2. 3.4.3 (1), (2): STE.S1ContextPtr above OAS (PA) or IAS (IPA): C_BAD_STE. 3.4.3 (3), (4): L1CD.L2Ptr above OAS or
//     IAS: C_BAD_SUBSTREAMID. In v3.0 too. Only the pointer is checked; no table that starts below 2^OAS and is
//     aligned to its size can end above it.
//  3. 5.1 to 5.4: reserved and RES0 bits of an STE, CD, L1STD, L1CD or descriptor are ignored. S1ContextPtr and both
//     L2Ptr are [55:x] in every version, as the fields' texts give them; STRTAB_BASE keeps bits [51:6] (no VMSAv9-128
//     here).
//  4. 5.2 S1Fmt: S1ContextPtr and L1CD.L2Ptr bits that are RES0 because of S1CDMax or S1Fmt are taken as zero.
//  5. 5.2 S1Fmt = 3 is linear, with CD2L = 0 too (5.2.2 against the field's text). 6.3.25: STRTAB_BASE_CFG.SPLIT other
//     than 6, 8, 10 is 6; FMT other than 1 is linear.
//  6. 5.2 S2T0SZ, 5.4 TxSZ out of range: C_BAD_STE and C_BAD_CD in v3.0 too, never clamped. 5.2 EATS = 01 with S2S = 1
//     and Config = 101 in v3.0: C_BAD_STE.
//  7. D8.3.1: the Contiguous and nT bits are ignored. 5.2: STE.CONT is ignored.
//  8. Fields whose IDR bit is 0 (HAD, E0PD, EPAN, FWB, XNX, DS, STRW without HYP, PRIVCFG/INSTCFG without
//     ATTR_PERMS_OVR, MTCFG/ALLOCCFG/SHCFG without ATTR_TYPES_OVR, EATS without ATS) have no effect. S1MPAM, PBHA and
//     THE fields have none.
//  9. D8.3.1, J1.1: OA[51:48] comes from descriptor bits [15:12] with the 64 KB granule if OAS is 52, otherwise those
//     bits are ignored; a 64 KB level-1 block is valid if OAS is 52, whatever IPS or S2PS.
// 10. 5.2 S2TTB, 5.4 TTBx: starting tables have 64-byte alignment at least whenever the effective IPS (S2PS) is 52,
//     whatever the granule, and not because of DS alone.
// 11. 13.4, J1.1.4.28: an instruction read needs execute permission only, at both stages. 13.1.1: none is refused
//     because the memory is Device.
// 12. 5.2 EATS = 11 with DPT and S2S = 1 and Config = 11x: C_BAD_STE. The VMS is never enabled (MPAMIDR.PARTID_MAX =
//     0).
// 13. 7.3: event fields that are UNKNOWN are 0: STAG, Reason, IPA of a stage-1 fault, SubstreamID when SSV = 0, TTRnW
//     when CLASS is not TT, IPA and FetchAddr bits at and above OAS. F_STREAM_DISABLED has neither SSV nor SubstreamID
//     (7.3.7).
// 14. 7.3.1: events are never merged. MEV is ignored.
// 15. D8.6.6: stage-2 MemAttr with FWB is Device if MemAttr[2] is 0 (for S2PTW too); MemAttr[3] is ignored;
//     the reserved 100 acts as 101. D8.6.5: without FWB, 0100, 1000 and 1100 are Normal, inner Non-cacheable, so S2PTW
//     lets them pass; 0100 is write-back at both levels with MTEPERM.
// 16. J1.1.4.40: the PA sizes that S2SL0 needs (4 KB level 0: 44, level -1: 52; 16 KB level 1: 42, level 0: 52; 64 KB
//     level 1: 44) apply although tables D8-19 to D8-39 do not print them; a start level that they forbid is
//     C_BAD_STE.
// 17. 5.2 ALLOCCFG with MTCFG = 0 has effect. The type overrides apply to every stream (PCIe ones included, 13.1.4).
// 18. D8.6.2, D8.6.7: SH = 01 is Non-shareable.
// 19. 5.2 S2PS, 5.4 IPS: reserved codes behave as the table says: 6 and 7 as 48 bits in v3.0, 7 as 52 up to v3.3; all
//     are clamped to OAS.
// 20. 3.13.2, D8.5.1: a descriptor is updated only if its stage grants the access: a permission fault leaves AF alone.
//     The stage-1 leaf is updated after stage 1's permissions and before stage 2 sees the output address, whatever
//     stage 2 says then. AF and dirty state change in one update. Table descriptors (HAFT) are updated as they are
//     read.
// 21. 3.13.5: a stage-1 descriptor is read through stage 2 as data read; if it must be updated, stage 2 is asked again
//     for a write, and a refusal is reported before any fault of the output address (D8.5.2.1).
// 22. 3.13.4: the dirty state of a stage-2 descriptor that maps a stage-1 table changes only for an update of stage 1.
// 23. 3.15, 5.2 S2IR0, 5.4 IR0: updates work with every memory type of the walk.
// 24. D8.5.3: of a contiguous run the descriptor that is used is updated, whatever the others hold.
// 25. D8.5.2.1: a descriptor that memory no longer holds when it is to be updated is read again.
#ifndef TESTS_RANDOM_REFERENCE_REFWALK_H_
#define TESTS_RANDOM_REFERENCE_REFWALK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace refwalk {

/// Physical memory as the SMMU reads and updates it.
struct Memory {
  virtual ~Memory() = default;
  /// Copies `n` bytes at physical address `pa` to `data`. False means an external abort; `data` is then unspecified.
  virtual bool read(uint64_t pa, void* data, size_t n) const = 0;
  /// Whether an atomic update of the eight bytes at `pa` is an external abort although they can be read.
  virtual bool update_aborts(uint64_t /*pa*/) const { return false; }
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

/// Cacheability and allocation hints at the inner or the outer level (section 13.1.1).
enum class Cacheability : uint8_t { NC = 0, WT = 1, WB = 2 };
struct CacheLevel {
  Cacheability type = Cacheability::WB;
  bool read_allocate = true, write_allocate = true, transient = false;

  bool operator==(const CacheLevel&) const = default;
};

/// Memory type and shareability of an access; the default is that of section 13.1.3. `device_type` is 0 nGnRnE, 1
/// nGnRE, 2 nGRE, 3 GRE and counts only if `device`; `sh` is 0 NSH, 2 OSH, 3 ISH.
struct MemoryAttributes {
  bool device = false;
  uint8_t device_type = 0;
  CacheLevel inner{}, outer{};
  uint8_t sh = 0;

  bool operator==(const MemoryAttributes&) const = default;
};

/// One untranslated, non-atomic access of a non-secure stream. `ssid` counts only if `ssv`. A speculative access (3.14;
/// the translation of a prefetch, 4.2) records nothing, never stalls and makes nothing dirty that it would have to
/// write itself; a speculative write is terminated with an abort.
struct Access {
  uint32_t sid = 0;
  bool ssv = false;
  uint32_t ssid = 0;
  uint64_t address = 0;
  bool write = false;
  bool instruction = false;
  bool privileged = false;
  MemoryAttributes attributes{};
  bool speculative = false;
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

/// What a read was for.
enum class FetchKind { L1STD, STE, L1CD, CD, TTD };

/// CLASS of a fault and reason of a stage-2 walk (section 7.3): a CD or L1CD fetch, a stage-1 descriptor fetch, or the
/// address of the transaction.
enum class FaultClass : unsigned { CD = 0, TT = 1, IN = 2 };

/// One read that was issued to memory. `address` is physical. `stage` is 1 or 2 and `level` -1..3 for a TTD; both are 0
/// for a structure. `purpose` says what a stage-2 TTD was read for; it is CD for L1CD and CD, TT for a stage-1 TTD, and
/// IN for L1STD and STE, where it means nothing. `for_update` marks the stage-2 descriptors that are read once more to
/// ask whether a stage-1 descriptor may be written; a core that remembers the first answer reads none of them.
struct Fetch {
  FetchKind kind = FetchKind::STE;
  unsigned stage = 0;
  int level = 0;
  uint64_t address = 0;
  FaultClass purpose = FaultClass::IN;
  bool for_update = false;

  bool operator==(const Fetch&) const = default;
};

/// One atomic update of a descriptor (3.13). `address` is physical; `before` and `after` are the 64-bit words as a
/// little-endian reader of memory sees them, whatever the tables' endianness. `purpose` as for a Fetch. `run` is the
/// number of descriptors in the contiguous run that the descriptor belongs to, 1 if the Contiguous bit is 0: a core may
/// update any one of a run instead (D8.5.3).
struct Update {
  unsigned stage = 0;
  int level = 0;
  uint64_t address = 0;
  uint64_t before = 0, after = 0;
  FaultClass purpose = FaultClass::IN;
  unsigned run = 1;

  bool operator==(const Update&) const = default;
};

/// What the client sees and what the Event queue gets. `pa`, `page_size_log2`, `mair_attr`, `sh` and `attributes` count
/// only when the outcome is Proceed. `page_size_log2` is that of the smallest enabled stage's leaf, the Contiguous bit
/// ignored; 0 if no stage translated. `mair_attr` is the byte of MAIR that the stage-1 leaf selects and `sh` its
/// shareability (CD.SHx with 52-bit 4K/16K descriptors), neither combined with stage 2; 0 if stage 1 did not translate.
/// `attributes` is what leaves the SMMU: overrides, both stages and the consistency rules of chapter 13 applied.
/// `fetch_list` is every read issued to memory in order, an aborted one included: L1STD, STE, L1CD, CD and descriptors,
/// one each; `fetches` is its length. `updates` is every descriptor update in order, also of a translation that faults
/// later; the caller stores them.
struct Result {
  Outcome outcome = Outcome::Abort;
  uint64_t pa = 0;
  uint64_t page_size_log2 = 0;
  Event event;
  unsigned fetches = 0;
  uint8_t mair_attr = 0;
  uint8_t sh = 0;
  MemoryAttributes attributes{};
  std::vector<Fetch> fetch_list{};
  std::vector<Update> updates{};
};

/// Translates one access from scratch. Throws std::invalid_argument if the ID registers advertise what this reference
/// does not cover: VMSAv8-32 LPAE (TTF[0]), VMSAv9-128 (D128), stage-1/2 permission indirection or overlays,
/// THE, AIE, RME, or an OAS code of 7.
Result translate(const Registers& registers, const Memory& memory, const Access& access);

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_REFWALK_H_

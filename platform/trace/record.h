// SPDX-License-Identifier: MIT
// Record: one line of a DMA trace as a plain value. A trace is what devices and the driver did, in order: accesses,
// invalidations, configuration changes, and (optionally) map and unmap.
//
// In memory a Record is one tagged struct of 64 bytes; in a binary file it is one 32-byte slot, or two if it
// carries an output address, a page count or an ASID (binary.h). A field that its kind does not use is zero
// (canonical), so records compare with ==.
//
// An access may carry its oracle: the pair (page -> expected_pa, perm) that the guest's tables held when the access
// was made. The player writes the page table when the pair differs from what is mapped, sends the access through the
// SMMU and compares afterwards; it never uses the pair to answer the access. A pair holds until an invalidation
// covers it: an invalidation makes the player clear the covered entries and issue the command and a CMD_SYNC.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace smmusim::trace {

enum class Kind : std::uint8_t {
  access,      ///< a device's DMA
  map,         ///< the driver wrote leaf entries: `pages` granules from `address` to `output`
  unmap,       ///< the driver cleared them; no invalidation is implied
  invalidate,  ///< a TLB invalidation command, followed by a CMD_SYNC
  config,      ///< a configuration invalidation command, followed by a CMD_SYNC
};
inline constexpr unsigned kind_count = 5;

enum class Op : std::uint8_t { read, write, atomic };

/// PCIe's AT field: untranslated, an ATS translation request, already translated (IHI 0070, 3.9).
enum class Ats : std::uint8_t { untranslated, request, translated };

/// What an `invalidate` covers (IHI 0070, 4.4).
enum class InvalidateScope : std::uint8_t {
  range,      ///< CMD_TLBI_NH_VA, or NH_VAA without an ASID
  asid,       ///< CMD_TLBI_NH_ASID
  vmid_s1,    ///< CMD_TLBI_NH_ALL: stage 1 of a VMID (of all if no VMID is given)
  all,        ///< CMD_TLBI_NSNH_ALL
  ipa_range,  ///< CMD_TLBI_S2_IPA
  vmid,       ///< CMD_TLBI_S12_VMALL
};

/// What a `config` covers (IHI 0070, 4.3).
enum class ConfigScope : std::uint8_t { ste, ste_range, cd, cd_all, all };

inline constexpr std::uint8_t perm_read = 1;   ///< the mapping allows reads
inline constexpr std::uint8_t perm_write = 2;  ///< the mapping allows writes
inline constexpr std::uint32_t page_bytes = 4096;
inline constexpr std::uint64_t pages_max = std::uint64_t{1}
                                           << 36;  ///< of a range, map or unmap: NUM and SCALE of 5 bits (4.4.1.1)
inline constexpr std::uint32_t access_bytes_max = 1u << 20;  ///< bounds the work that one record can ask for

struct Record {
  std::uint64_t time_ps = 0;      ///< picoseconds since the first record; never decreases within a trace
  std::uint64_t address = 0;      ///< IOVA (access, map, unmap, range) or IPA (ipa_range)
  std::uint64_t output = 0;       ///< access with has_expected: expected PA of `address`; map: PA of `address`
  std::uint64_t pages = 0;        ///< map, unmap, ranges: number of granules
  std::uint32_t size = 0;         ///< access: bytes
  std::uint32_t stream = 0;       ///< StreamID (access, map, unmap, config; first of a ste_range)
  std::uint32_t stream_last = 0;  ///< config ste_range: last StreamID, inclusive
  std::uint32_t substream = 0;    ///< 20 bits; valid if has_substream
  std::uint16_t asid = 0;         ///< ranges, asid; config cd: the ASID that the CD has; valid if has_asid
  std::uint16_t vmid = 0;         ///< invalidate; valid if has_vmid
  std::uint16_t tag = 0;          ///< access: free for the source (a queue, a request number); not interpreted
  Kind kind = Kind::access;
  Op op = Op::read;                    ///< access
  Ats ats = Ats::untranslated;         ///< access
  std::uint8_t perm = 0;               ///< access with has_expected, map: perm_read | perm_write
  InvalidateScope invalidate_scope{};  ///< invalidate
  ConfigScope config_scope{};          ///< config
  std::uint8_t granule_log2 = 0;       ///< map, unmap, ranges: 12, 14 or 16; 0 in a range is TG = 0
  std::uint8_t ttl = 0;                ///< ranges: the command's TTL, 0 to 3
  bool has_substream : 1 = false;
  bool has_expected : 1 = false;  ///< access: output and perm are the oracle
  bool has_asid : 1 = false;
  bool has_vmid : 1 = false;
  bool leaf : 1 = false;         ///< ranges: the command's Leaf bit
  bool privileged : 1 = false;   ///< access: PnU
  bool instruction : 1 = false;  ///< access: InD

  friend bool operator==(const Record&, const Record&) = default;

  std::uint64_t expected_pa() const { return output; }
  /// Bytes of a granule of a range, map or unmap. TG = 0 names one address; we read it as one 4 KiB page (as QEMU).
  std::uint64_t granule_bytes() const { return granule_log2 == 0 ? page_bytes : std::uint64_t{1} << granule_log2; }
  bool is_range() const {
    return kind == Kind::invalidate &&
           (invalidate_scope == InvalidateScope::range || invalidate_scope == InvalidateScope::ipa_range);
  }
  /// True if this invalidation removes what a TLB holds for `iova` (stage 1; ASID and VMID are not looked at: the
  /// caller knows whose address it is). Ranges wrap at 2^64.
  bool covers(std::uint64_t iova) const;
};
static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) == 64);

/// nullptr if the record is legal and canonical, else what is wrong as one sentence `what; what would be right`.
const char* check_record(const Record& record);

/// An access that carries its oracle. `size` bytes at `iova`, within one 4 KiB page.
Record make_access(std::uint64_t time_ps, Op op, std::uint32_t stream, std::uint64_t iova, std::uint32_t size,
                   std::uint64_t expected_pa, std::uint8_t perm);
/// A change of the CD of a substream, which from then on has this ASID.
Record make_context_change(std::uint64_t time_ps, std::uint32_t stream, std::uint32_t substream, std::uint16_t asid);
/// A stage-1 invalidation of `pages` granules by ASID.
Record make_range_invalidation(std::uint64_t time_ps, std::uint16_t asid, std::uint64_t iova, std::uint64_t pages,
                               std::uint8_t granule_log2 = 12);

std::string_view to_string(Kind kind);
std::string_view to_string(Op op);
std::string_view to_string(Ats ats);
std::string_view to_string(InvalidateScope scope);
std::string_view to_string(ConfigScope scope);

}  // namespace smmusim::trace

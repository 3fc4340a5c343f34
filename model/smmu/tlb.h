// SPDX-License-Identifier: MIT
// TranslationCache: what a TLB or a walk cache holds, how it is tagged and what an invalidation removes
// (IHI 0070 sections 3.17 and 4.4). Tags are the architecture's: StreamWorld, VMID, ASID, ASET, address; never a
// StreamID. Micro TLB, main TLB, walk cache and IPA cache are instances.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "model/base/types.h"
#include "model/sim/memory_port.h"
#include "model/smmu/set_associative.h"
#include "model/vmsa/permissions.h"

namespace smmusim {

/// Whose translation regime (section 3.3.3), and for entries that translate IPAs (stage 2 alone) a world of their own:
/// an address of one world means nothing in another. Bit positions in TlbInvalidation::worlds.
enum class StreamWorld : std::uint8_t { ns_el1, ns_el2, ns_el2_e2h, ns_stage2 };
constexpr unsigned world_bit(StreamWorld world) {
  return 1u << static_cast<unsigned>(world);
}

/// True if the regime's translations are tagged with the VMID of stage 2.
constexpr bool has_vmid(StreamWorld world) {
  return world == StreamWorld::ns_el1 || world == StreamWorld::ns_stage2;
}

/// What a stream's translations are tagged with, apart from the address.
struct TlbContext {
  StreamWorld world = StreamWorld::ns_el1;
  bool aset = false;
  Asid asid{};
  Vmid vmid{};
  friend bool operator==(const TlbContext&, const TlbContext&) = default;
};

/// A cached translation, or (in a walk cache) a cached table descriptor.
struct TlbEntry {
  std::uint64_t va_page = 0;   ///< canonical input address (ns_stage2: IPA), low page_bits bits clear
  Pa pa{};                     ///< output page; of a table: the next table's base (an IPA below a nested stage 1)
  std::uint64_t ipa_page = 0;  ///< of a leaf that stage 2 took part in: its IPA
  TlbContext context{};
  std::uint8_t page_bits = 12;  ///< log2 of the bytes covered
  std::uint8_t granule_bits = 12;
  std::int8_t level = 3;  ///< of the descriptor
  bool global : 1 = false;
  bool table : 1 = false;     ///< a table descriptor, not a leaf
  bool cacheable : 1 = true;  ///< false for a block with nT: it may be used once, not kept (BBML)
  bool clean : 1 = false;     ///< of a leaf: a walk for a write may mark it dirty, and gain write permissions (3.13.3)
  /// Of a leaf: bit 0 inner, bit 1 outer: the access's own allocation hints don't count.
  std::uint8_t fixed_hints : 2 = 0;
  std::uint8_t permissions = 0;                       ///< of a leaf: permission::…, what all stages grant together
  std::uint8_t stage1_permissions = permission::all;  ///< of a leaf: what stage 1 grants; all if it is not there
  std::uint8_t hierarchical = 0;                      ///< of a table: APTable, XNTable, PXNTable gathered so far (vmsa)
  std::uint8_t stage1_bits = 0;   ///< of a nested leaf: log2 of the stage-1 leaf's size, of which this may be a part
  MemoryAttributes attributes{};  ///< ns_stage2: MemAttr[3:0] as stored, and SH

  /// log2 of what a command by VA may name to remove it: all of the stage-1 leaf that it is a part of (16.2.1).
  unsigned reach_bits() const { return is_part() ? stage1_bits : page_bits; }
  bool is_part() const { return stage1_bits > page_bits; }
};

static_assert(sizeof(TlbEntry) == 40, "a hit reads one: TLBs should stay in the host's cache");

/// What a CMD_TLBI_* names. An entry goes if every part that is used matches.
struct TlbInvalidation {
  unsigned worlds = 0;  ///< of world_bit()
  bool by_vmid = false;
  bool by_asid = false;
  bool global_too = true;  ///< with by_asid: global entries match any ASID
  bool by_va = false;
  bool leaf_only = false;            ///< table descriptors may stay
  std::uint8_t ttl = 0;              ///< leaf level named by a range command; 0 = any
  std::uint8_t granule_bits = 0;     ///< 0 = any
  std::uint16_t vmid_mask = 0xffff;  ///< bits of the VMID that count (CR0.VMW)
  Vmid vmid{};
  Asid asid{};
  std::uint64_t first = 0;  ///< canonical addresses, both included
  std::uint64_t last = ~std::uint64_t{0};

  bool matches_context(const TlbContext& context, bool global) const;
  bool matches(const TlbEntry& entry) const;
};

class TranslationCache {
 public:
  TranslationCache(const CacheConfig& config, std::uint64_t seed) : cache_(config, seed) {}
  bool present() const { return cache_.present(); }

  /// The leaf that translates `va` (canonical) in `context`, or null. Counts and touches if `use`.
  const TlbEntry* find(const TlbContext& context, std::uint64_t va, bool use) {
    const std::uint64_t sizes = sizes_present_;
    if (sizes == 0) return missed(use);
    const TlbEntry* hit = probe(context, va, static_cast<unsigned>(std::countr_zero(sizes)), use);
    if (hit == nullptr) [[unlikely]] {
      hit = find_larger(context, va, sizes & (sizes - 1), use);
      if (hit == nullptr) return missed(use);
    }
    counters_.hits += use ? 1 : 0;
    return hit;
  }
  /// What find() has just counted as a hit gives too little, and counts as a miss.
  void recount_as_miss() {
    --counters_.hits;
    ++counters_.missed;
  }
  /// The deepest cached table descriptor on the way to `va` for this granule, or null.
  const TlbEntry* find_table(const TlbContext& context, std::uint64_t va, unsigned granule_bits, bool use);
  void fill(const TlbEntry& entry);
  void invalidate(const TlbInvalidation& what);
  void clear();

  CacheCounters counters() const { return counters_.with_lookups(); }
  void reset_counters() { counters_ = {}; }
  void count_dropped_fill() { ++counters_.dropped_fills; }
  std::size_t size() const { return cache_.size(); }

 private:
  static std::uint64_t tag_of(StreamWorld world, unsigned page_bits, std::uint64_t va) {
    const std::uint64_t kind = SetAssociative<TlbEntry>::valid | (static_cast<std::uint64_t>(world) << 58) |
                               (static_cast<std::uint64_t>(page_bits) << 52);
    return kind | (va >> page_bits);
  }
  static std::uint64_t index_of(Vmid vmid, unsigned page_bits, std::uint64_t va) {
    return (va >> page_bits) ^ vmid.value;
  }
  const TlbEntry* probe(const TlbContext& context, std::uint64_t va, unsigned page_bits, bool use) {
    return cache_.find(index_of(context.vmid, page_bits, va), tag_of(context.world, page_bits, va), use,
                       [&context](const TlbEntry& entry) {
                         if (entry.context.vmid != context.vmid) return false;
                         return entry.global ? entry.context.aset == context.aset : entry.context.asid == context.asid;
                       });
  }
  /// find() among the page sizes in `sizes`. Counts nothing.
  const TlbEntry* find_larger(const TlbContext& context, std::uint64_t va, std::uint64_t sizes, bool use);
  const TlbEntry* missed(bool use) {
    counters_.missed += use && present() ? 1 : 0;
    return nullptr;
  }
  void count_in(const TlbEntry& entry);
  void count_out(const TlbEntry& entry);

  SetAssociative<TlbEntry> cache_;
  CacheCounters counters_;
  std::size_t parts_ = 0;            ///< entries that are smaller than their stage-1 leaf
  std::uint64_t sizes_present_ = 0;  ///< bit n: entries with page_bits n are held
  std::array<std::uint32_t, 64> entries_of_size_{};
};

}  // namespace smmusim

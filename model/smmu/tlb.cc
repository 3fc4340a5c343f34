// SPDX-License-Identifier: MIT
// Tags, lookups over the page sizes that are held, and invalidation. A lookup probes one set for each size; an
// invalidation by a short address range probes only the sets that can hold it, anything else scans.
#include "model/smmu/tlb.h"

namespace smmusim {

bool TlbInvalidation::matches_context(const TlbContext& context, bool global) const {
  if ((worlds & world_bit(context.world)) == 0) return false;
  if (by_vmid && has_vmid(context.world) && ((context.vmid.value ^ vmid.value) & vmid_mask) != 0) {
    return false;
  }
  if (!by_asid || context.world == StreamWorld::ns_el2) return true;  // NS-EL2 entries have no ASID
  return global ? global_too : context.asid == asid;
}

bool TlbInvalidation::matches(const TlbEntry& entry) const {
  if (!matches_context(entry.context, entry.global)) return false;
  const std::uint64_t reach = low_mask(entry.reach_bits());
  if (by_va && ((entry.va_page | reach) < first || (entry.va_page & ~reach) > last)) return false;
  if (granule_bits != 0 && entry.granule_bits != granule_bits) return false;
  if (entry.table) return !leaf_only;
  return ttl == 0 || entry.level == static_cast<int>(ttl);
}

const TlbEntry* TranslationCache::find_larger(const TlbContext& context, std::uint64_t va, std::uint64_t sizes,
                                              bool use) {
  for (; sizes != 0; sizes &= sizes - 1) {
    const TlbEntry* hit = probe(context, va, static_cast<unsigned>(std::countr_zero(sizes)), use);
    if (hit != nullptr) return hit;
  }
  return nullptr;
}

const TlbEntry* TranslationCache::find_table(const TlbContext& context, std::uint64_t va, unsigned granule_bits,
                                             bool use) {
  const TlbEntry* hit = find(context, va, use);  // sizes ascend, so the deepest table is found first
  return hit != nullptr && hit->granule_bits == granule_bits ? hit : nullptr;
}

void TranslationCache::fill(const TlbEntry& entry) {
  if (!present() || !entry.cacheable) return;
  const TlbContext& context = entry.context;
  cache_.insert(
      index_of(context.vmid, entry.page_bits, entry.va_page), tag_of(context.world, entry.page_bits, entry.va_page),
      entry,
      [&](const TlbEntry& old) {
        const bool same = old.context.vmid == context.vmid && old.context.asid == context.asid &&
                          old.context.aset == context.aset && old.global == entry.global;
        if (same) count_out(old);
        return same;
      },
      [&](const TlbEntry& old) {
        ++counters_.evictions;
        count_out(old);
      });
  ++counters_.fills;
  count_in(entry);
}

void TranslationCache::count_in(const TlbEntry& entry) {
  ++entries_of_size_[entry.page_bits];
  sizes_present_ |= std::uint64_t{1} << entry.page_bits;
  parts_ += entry.is_part() ? 1 : 0;
}

void TranslationCache::count_out(const TlbEntry& entry) {
  if (--entries_of_size_[entry.page_bits] == 0) sizes_present_ &= ~(std::uint64_t{1} << entry.page_bits);
  parts_ -= entry.is_part() ? 1 : 0;
}

void TranslationCache::invalidate(const TlbInvalidation& what) {
  if (!present() || cache_.size() == 0) return;
  const auto remove = [&](const TlbEntry& entry) {
    if (!what.matches(entry)) return false;
    ++counters_.invalidated;
    count_out(entry);
    return true;
  };
  const bool one_world =
      what.worlds == world_bit(StreamWorld::ns_el1) || what.worlds == world_bit(StreamWorld::ns_stage2);
  const bool one_vmid = what.by_vmid && what.vmid_mask == 0xffff && one_world;
  std::uint64_t sets_to_probe = 0;
  for (std::uint64_t sizes = sizes_present_; sizes != 0; sizes &= sizes - 1) {
    const auto bits = static_cast<unsigned>(std::countr_zero(sizes));
    sets_to_probe += (what.last >> bits) - (what.first >> bits) + 1;
  }
  if (parts_ != 0 || !what.by_va || !one_vmid || sets_to_probe == 0 || sets_to_probe > cache_.sets()) {
    cache_.remove_if(remove);
    return;
  }
  for (std::uint64_t sizes = sizes_present_; sizes != 0; sizes &= sizes - 1) {
    const auto bits = static_cast<unsigned>(std::countr_zero(sizes));
    for (std::uint64_t page = what.first >> bits; page <= what.last >> bits; ++page) {
      cache_.remove_in_set(index_of(what.vmid, bits, page << bits), remove);
    }
  }
}

void TranslationCache::clear() {
  cache_.remove_if([](const TlbEntry&) { return true; });
  entries_of_size_ = {};
  sizes_present_ = 0;
  parts_ = 0;
}

}  // namespace smmusim

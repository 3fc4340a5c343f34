// SPDX-License-Identifier: MIT
// Atc: the address translation cache of a PCIe function (PCI Express Base, chapter 10). Set-associative over pages of
// every size, tagged with the PASID. It holds what Translation Completions said and drops what Invalidate Requests
// cover; asking for translations, and what is under way, are the function's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "model/base/types.h"
#include "model/smmu/config.h"
#include "model/smmu/set_associative.h"

namespace smmusim::platform {

/// Whose translation it is. Without a PASID the other members are 0.
struct AtcContext {
  bool pasid_valid = false;
  std::uint32_t pasid = 0;
  bool privileged = false;  ///< Privileged Mode Requested, as Priv of the completion
  friend bool operator==(const AtcContext&, const AtcContext&) = default;
};

struct AtcEntry {
  AtcContext context{};
  std::uint64_t page = 0;        ///< untranslated address of its first byte
  std::uint64_t translated = 0;  ///< likewise, what goes out
  std::uint8_t page_bits = 12;   ///< log2 of its bytes
  bool read = false;
  bool write = false;
  bool execute = false;
  bool global = false;             ///< holds for every PASID; not without one
  bool untranslated_only = false;  ///< U: it may only be accessed untranslated
};

struct AtcConfig {
  CacheConfig cache{};  ///< entries, ways, replacement; 0 entries: it remembers nothing
  /// Largest page that one entry stands for, log2 of the bytes, 12 to 63: larger answers are cut to it.
  unsigned page_bits_max = 63;
};

/// What an Invalidate Request covers.
struct AtcRange {
  std::uint64_t first = 0, last = ~std::uint64_t{0};  ///< addresses, both included
  bool pasid_valid = false;
  std::uint32_t pasid = 0;
  bool global = false;  ///< Global Invalidate: whatever the PASID

  bool covers(const AtcContext& context, std::uint64_t from, std::uint64_t to) const {
    if (from > last || to < first) return false;
    return global ? context.pasid_valid : pasid_valid == context.pasid_valid && pasid == context.pasid;
  }
  /// A global entry belongs to every PASID, so what names one of them covers it too.
  bool covers(const AtcEntry& entry) const {
    AtcContext context = entry.context;
    if (entry.global && pasid_valid) context.pasid = pasid;
    return covers(context, entry.page, entry.page | low_mask(entry.page_bits));
  }
};

struct AtcCounters {
  std::uint64_t lookups = 0;  ///< hits + misses
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;  ///< wanted permissions that the entry lacks, included
  std::uint64_t fills = 0;
  std::uint64_t evictions = 0;
  std::uint64_t invalidated = 0;  ///< entries

  AtcCounters& operator+=(const AtcCounters& other);
};

class Atc {
 public:
  /// Throws std::invalid_argument.
  Atc(const AtcConfig& config, std::uint64_t seed);

  /// The entry that holds `address`, whatever it permits; a copy. Marks it as used, counts nothing.
  std::optional<AtcEntry> find(const AtcContext& context, std::uint64_t address);
  /// Counts one lookup of an access.
  void count(bool hit) {
    ++counters_.lookups;
    ++(hit ? counters_.hits : counters_.misses);
  }
  /// Takes the answer in; if its page is larger than page_bits_max, the part around `address` only.
  void fill(const AtcEntry& entry, std::uint64_t address);
  void invalidate(const AtcRange& range);
  void invalidate_all();

  std::size_t size() const { return cache_.size(); }
  const AtcCounters& counters() const { return counters_; }

 private:
  static constexpr unsigned sizes_ = 64;

  SetAssociative<AtcEntry> cache_;
  unsigned page_bits_max_;
  std::array<std::uint32_t, sizes_> entries_of_size_{};
  std::uint64_t sizes_used_ = 0;  // bit n: there is an entry of 2^n bytes
  AtcCounters counters_{};

  void note(unsigned page_bits, int change);
};

}  // namespace smmusim::platform

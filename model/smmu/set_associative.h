// SPDX-License-Identifier: MIT
// SetAssociative<Entry>: the one cache template. Micro TLB, main TLB, walk cache, IPA cache, configuration cache and
// the TBU's stream cache are instances of it. It knows sets, ways and replacement; what a tag means is the user's
// business.
//
// Tags and entries lie in separate arrays: a lookup touches one line of tags and, on a match, one entry.
// No pointer into it survives a co_await: copy the entry.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/base/check.h"
#include "model/smmu/config.h"
#include "model/smmu/counters.h"

namespace smmusim {

template <class Entry>
class SetAssociative {
 public:
  static constexpr std::uint64_t valid = std::uint64_t{1} << 63;  ///< every tag has it set

  SetAssociative(const CacheConfig& config, std::uint64_t seed)
      : ways_(config.entries == 0 ? 0 : config.ways),
        pitch_log2_(static_cast<unsigned>(std::bit_width(std::max(ways_, std::size_t{1}) - 1))),
        set_mask_(config.entries == 0 ? 0 : config.entries / config.ways - 1),
        replacement_(config.replacement),
        random_(mixed(seed)),
        tags_(slots(), 0),
        used_(slots(), 0),
        entries_(slots()),
        next_way_(sets(), 0) {}

  bool present() const { return ways_ != 0; }

  /// The entry of set `index` with this tag for which match(entry) holds, or null; the one in the highest way if there
  /// are several. A `use` marks it as just used. Counts nothing.
  template <class Match>
  [[gnu::always_inline]] const Entry* find(std::uint64_t index, std::uint64_t tag, bool use, Match match) {
    if (ways_ == usual_ways_) [[likely]]
      return among(static_cast<std::size_t>(index & set_mask_) * usual_ways_, tag, use, match);
    return search(first_slot(index), tag, use, match);
  }

  /// Puts `entry` into set `index`: over the entry with the same tag that match() accepts, else into an invalid way,
  /// else over the victim of the replacement policy. `evicted`, if a valid entry had to go, gets a copy of it.
  template <class Match, class Evicted>
  void insert(std::uint64_t index, std::uint64_t tag, const Entry& entry, Match match, Evicted evicted) {
    if (!present()) return;
    SMMUSIM_CHECK((tag & valid) != 0);
    const std::size_t base = first_slot(index);
    std::size_t place = base + ways_;
    for (std::size_t slot = base; slot != base + ways_; ++slot) {
      if (tags_[slot] == tag && match(entries_[slot])) {
        place = slot;
        break;
      }
      if (tags_[slot] == 0 && place == base + ways_) place = slot;
    }
    if (place == base + ways_) {
      place = victim(index & set_mask_);
      evicted(entries_[place]);
    } else if (tags_[place] == 0) {
      ++occupied_;
    }
    store(place, tag, entry);
  }

  /// Removes every entry for which match(entry) holds; returns how many.
  template <class Match>
  std::size_t remove_if(Match match) {
    return occupied_ == 0 ? 0 : remove_between(0, tags_.size(), match);
  }
  /// The same in set `index` only.
  template <class Match>
  std::size_t remove_in_set(std::uint64_t index, Match match) {
    const std::size_t base = first_slot(index);
    return remove_between(base, base + ways_, match);
  }

  std::size_t size() const { return occupied_; }
  std::size_t sets() const { return static_cast<std::size_t>(set_mask_) + (present() ? 1 : 0); }

 private:
  /// Neighbouring seeds must not give related choices, and xorshift needs a state that is not 0 (splitmix64's mixer).
  static std::uint64_t mixed(std::uint64_t seed) {
    seed += 0x9e3779b97f4a7c15;
    seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
    seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
    seed ^= seed >> 31;
    return seed == 0 ? 1 : seed;
  }
  /// A set begins at a power of two, so that a lookup need not multiply; slots behind its ways stay empty.
  std::size_t first_slot(std::uint64_t index) const {
    return static_cast<std::size_t>(index & set_mask_) << pitch_log2_;
  }
  std::size_t slots() const { return sets() << pitch_log2_; }

  /// find() in the `usual_ways_` slots from `base` on. The way is selected, not branched to: a host can't predict which
  /// one hits, and a wrong guess costs more than all the comparisons.
  template <class Match>
  [[gnu::always_inline]] const Entry* among(std::size_t base, std::uint64_t tag, bool use, Match match) {
    const std::uint64_t* tags = &tags_[base];
    const Entry* entries = &entries_[base];
    std::size_t way = tags[1] == tag ? 1 : 0;
    way = tags[2] == tag ? 2 : way;
    way = tags[3] == tag ? 3 : way;
    if (tags[way] != tag) return nullptr;
    if (match(entries[way])) [[likely]] {
      if (use) used_[base + way] = ++clock_;
      return entries + way;
    }
    return search(base, tag, use, match);  // the same page in several contexts
  }

  /// find() whatever the number of ways.
  template <class Match>
  [[gnu::noinline]] const Entry* search(std::size_t base, std::uint64_t tag, bool use, Match match) {
    for (std::size_t slot = base + ways_; slot != base; --slot) {
      if (tags_[slot - 1] == tag && match(entries_[slot - 1])) return found(slot - 1, use);
    }
    return nullptr;
  }

  const Entry* found(std::size_t slot, bool use) {
    if (use) used_[slot] = ++clock_;
    return &entries_[slot];
  }

  void store(std::size_t place, std::uint64_t tag, const Entry& entry) {
    tags_[place] = tag;
    entries_[place] = entry;
    used_[place] = ++clock_;
  }

  template <class Match>
  std::size_t remove_between(std::size_t from, std::size_t to, Match match) {
    std::size_t removed = 0;
    for (std::size_t slot = from; slot != to; ++slot) {
      if (tags_[slot] == 0 || !match(entries_[slot])) continue;
      tags_[slot] = 0;
      ++removed;
    }
    occupied_ -= removed;
    return removed;
  }

  std::size_t victim(std::size_t set) {
    const std::size_t base = first_slot(set);
    if (replacement_ == Replacement::round_robin) {
      const std::uint32_t way = next_way_[set];
      next_way_[set] = way + 1 == ways_ ? 0 : way + 1;
      return base + way;
    }
    if (replacement_ == Replacement::random) {
      random_ ^= random_ << 13;
      random_ ^= random_ >> 7;
      random_ ^= random_ << 17;
      return base + random_ % ways_;
    }
    std::size_t oldest = base;
    for (std::size_t slot = base + 1; slot != base + ways_; ++slot) {
      if (used_[slot] < used_[oldest]) oldest = slot;
    }
    return oldest;
  }

  static constexpr std::size_t usual_ways_ = 4;

  std::size_t ways_;
  unsigned pitch_log2_;
  std::uint64_t set_mask_;
  Replacement replacement_;
  std::uint64_t random_;
  std::uint64_t clock_ = 0;
  std::size_t occupied_ = 0;
  std::vector<std::uint64_t> tags_;
  std::vector<std::uint64_t> used_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> next_way_;
};

}  // namespace smmusim

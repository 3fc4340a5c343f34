// SPDX-License-Identifier: MIT
// Lookups ask for each page size that is there, the smallest first: an answer for less is never older than one for
// more, because either is dropped by what covers it.
#include "platform/endpoint/atc.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace smmusim::platform {
namespace {

using Cache = SetAssociative<AtcEntry>;

std::uint64_t tag_of(std::uint64_t address, unsigned page_bits) {
  return Cache::valid | address >> page_bits;
}

bool holds(const AtcEntry& entry, const AtcContext& context, unsigned page_bits) {
  if (entry.page_bits != page_bits) return false;
  if (entry.global) return context.pasid_valid && entry.context.privileged == context.privileged;
  return entry.context == context;
}

const AtcConfig& checked(const AtcConfig& config) {
  if (config.page_bits_max < 12 || config.page_bits_max > 63) {
    throw std::invalid_argument("the ATC's page_bits_max is " + std::to_string(config.page_bits_max) +
                                "; give 12 to 63");
  }
  return config;
}

}  // namespace

AtcCounters& AtcCounters::operator+=(const AtcCounters& other) {
  lookups += other.lookups;
  hits += other.hits;
  misses += other.misses;
  fills += other.fills;
  evictions += other.evictions;
  invalidated += other.invalidated;
  return *this;
}

Atc::Atc(const AtcConfig& config, std::uint64_t seed)
    : cache_(checked(config).cache, seed), page_bits_max_(config.page_bits_max) {}

void Atc::note(unsigned page_bits, int change) {
  entries_of_size_[page_bits] += static_cast<std::uint32_t>(change);
  const std::uint64_t bit = std::uint64_t{1} << page_bits;
  sizes_used_ = entries_of_size_[page_bits] == 0 ? sizes_used_ & ~bit : sizes_used_ | bit;
}

std::optional<AtcEntry> Atc::find(const AtcContext& context, std::uint64_t address) {
  for (std::uint64_t left = sizes_used_; left != 0; left &= left - 1) {
    const auto bits = static_cast<unsigned>(std::countr_zero(left));
    const AtcEntry* entry = cache_.find(address >> bits, tag_of(address, bits), true,
                                        [&](const AtcEntry& e) { return holds(e, context, bits); });
    if (entry != nullptr) return *entry;
  }
  return std::nullopt;
}

void Atc::fill(const AtcEntry& answer, std::uint64_t address) {
  if (!cache_.present()) return;
  AtcEntry entry = answer;
  if (entry.global) entry.context.pasid = 0;  // whoever asked: a newer answer for another PASID takes its place
  if (entry.page_bits > page_bits_max_) {
    entry.page_bits = static_cast<std::uint8_t>(page_bits_max_);
    const std::uint64_t inside = address & low_mask(answer.page_bits) & ~low_mask(page_bits_max_);
    entry.page += inside;
    entry.translated += inside;
  }
  const unsigned bits = entry.page_bits;
  const std::size_t before = cache_.size();
  std::optional<unsigned> evicted;
  cache_.insert(
      entry.page >> bits, tag_of(entry.page, bits), entry,
      [&](const AtcEntry& e) { return e.page_bits == bits && e.global == entry.global && e.context == entry.context; },
      [&](const AtcEntry& e) { evicted = e.page_bits; });
  ++counters_.fills;
  if (evicted) {
    ++counters_.evictions;
    note(*evicted, -1);
    note(bits, 1);
  } else if (cache_.size() != before) {
    note(bits, 1);
  }
}

void Atc::invalidate(const AtcRange& range) {
  const auto gone = [&](const AtcEntry& entry) {
    if (!range.covers(entry)) return false;
    note(entry.page_bits, -1);
    ++counters_.invalidated;
    return true;
  };
  for (std::uint64_t left = sizes_used_; left != 0; left &= left - 1) {
    const auto bits = static_cast<unsigned>(std::countr_zero(left));
    if (range.first >> bits != range.last >> bits) {  // more than one entry of this size: all sets
      cache_.remove_if(gone);
      return;
    }
    cache_.remove_in_set(range.first >> bits, gone);
  }
}

void Atc::invalidate_all() {
  counters_.invalidated += cache_.size();
  cache_.remove_if([](const AtcEntry&) { return true; });
  entries_of_size_.fill(0);
  sizes_used_ = 0;
}

}  // namespace smmusim::platform

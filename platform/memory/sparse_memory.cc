// SPDX-License-Identifier: MIT
// The slow side of SparseMemory: making chunks, checking ranges and injected aborts, accesses that cross chunks.
// Host memory comes from mmap in slabs, aligned to 2 MiB so that the host can use huge pages; a chunk costs host
// memory only where it was touched if the host gives none.
#include "platform/memory/sparse_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace smmusim {
namespace {

static_assert(std::endian::native == std::endian::little, "memory is little-endian and copied as it is");

constexpr std::size_t slab_chunks = 16;

std::string hex(std::uint64_t value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), digits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + text;
}

std::uint64_t end_of(const MemoryRange& range) {
  return range.base.value + range.size;
}

/// Sorted, with ranges that touch joined, so that an access lies in memory if and only if one range holds it.
std::vector<MemoryRange> normalised(std::vector<MemoryRange> ranges) {
  constexpr std::uint64_t limit = std::uint64_t{1} << SparseMemory::address_bits_max;
  std::sort(ranges.begin(), ranges.end(),
            [](const MemoryRange& a, const MemoryRange& b) { return a.base.value < b.base.value; });
  std::vector<MemoryRange> joined;
  for (const MemoryRange& range : ranges) {
    if (range.size == 0) {
      throw std::invalid_argument("memory range at " + hex(range.base.value) + " is empty; give a size of at least 1");
    }
    if (range.base.value >= limit || range.size > limit - range.base.value) {
      throw std::invalid_argument("memory range at " + hex(range.base.value) +
                                  " leaves the address space; it must end at or below 2^56");
    }
    if (!joined.empty() && range.base.value < end_of(joined.back())) {
      throw std::invalid_argument("memory range at " + hex(range.base.value) +
                                  " overlaps another one; ranges must be disjoint");
    }
    if (!joined.empty() && range.base.value == end_of(joined.back())) {
      joined.back().size += range.size;
    } else {
      joined.push_back(range);
    }
  }
  if (joined.empty()) throw std::invalid_argument("there is no memory; give at least one range");
  return joined;
}

}  // namespace

SparseMemory::SparseMemory(const SparseMemoryConfig& config)
    : ranges_(normalised(config.ranges)),
      resident_bytes_max_(config.resident_bytes_max),
      huge_pages_(config.huge_pages) {
  root_.resize(((end_of(ranges_.back()) - 1) >> (chunk_bits + leaf_bits_)) + 1);
}

SparseMemory::~SparseMemory() {
  for (const Mapping& mapping : mappings_) munmap(mapping.start, mapping.bytes);
}

bool SparseMemory::contains(Pa address, std::size_t size) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address.value,
                                [](std::uint64_t a, const MemoryRange& range) { return a < range.base.value; });
  if (after == ranges_.begin()) return false;
  const std::uint64_t end = end_of(*std::prev(after));
  return address.value < end && size <= end - address.value;
}

bool SparseMemory::allowed(Pa address, std::size_t size, bool writes) const {
  if (!contains(address, size)) return false;
  if (size == 0) return true;
  const std::uint64_t last = address.value + size - 1;
  return std::none_of(aborts_.begin(), aborts_.end(), [&](const InjectedAbort& abort) {
    return (writes ? abort.writes : abort.reads) && address.value <= abort.last && last >= abort.base;
  });
}

std::byte* SparseMemory::chunk_of(std::uint64_t address) const {
  const Entry* entry = find(address);
  return entry == nullptr ? nullptr : reinterpret_cast<std::byte*>(*entry & ~guarded_);
}

bool SparseMemory::copy_out(Pa address, void* data, std::size_t size) const {
  if (!allowed(address, size, false)) return false;
  auto* to = static_cast<std::byte*>(data);
  for (std::uint64_t at = address.value; size != 0;) {
    const std::uint64_t offset = at & (chunk_bytes - 1);
    const std::size_t part = std::min<std::size_t>(size, chunk_bytes - offset);
    if (const std::byte* chunk = chunk_of(at); chunk != nullptr) {
      std::memcpy(to, chunk + offset, part);
    } else {
      std::memset(to, 0, part);
    }
    at += part;
    to += part;
    size -= part;
  }
  return true;
}

bool SparseMemory::copy_in(Pa address, const void* data, std::size_t size) {
  if (!allowed(address, size, true)) return false;
  const auto* from = static_cast<const std::byte*>(data);
  for (std::uint64_t at = address.value; size != 0;) {
    const std::uint64_t offset = at & (chunk_bytes - 1);
    const std::size_t part = std::min<std::size_t>(size, chunk_bytes - offset);
    std::byte* chunk = chunk_of(at);
    if (chunk == nullptr) chunk = make_chunk(at);
    std::memcpy(chunk + offset, from, part);
    at += part;
    from += part;
    size -= part;
  }
  return true;
}

bool SparseMemory::peek(Pa address, void* data, std::size_t size) const {
  return copy_out(address, data, size);
}

bool SparseMemory::poke(Pa address, const void* data, std::size_t size) {
  return copy_in(address, data, size);
}

bool SparseMemory::compare_and_swap64(Pa address, std::uint64_t& expected, std::uint64_t desired) {
  ++counters_.writes;
  std::uint64_t found = 0;
  if ((address.value & 7) != 0 || !allowed(address, sizeof found, true) || !copy_out(address, &found, sizeof found)) {
    ++counters_.aborts;
    return false;
  }
  if (found == expected) copy_in(address, &desired, sizeof desired);
  expected = found;
  return true;
}

std::byte* SparseMemory::take_from_slab() {
  if (slab_left_ == 0) {
    const std::size_t bytes = (slab_chunks + 1) * chunk_bytes;
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
      throw MemoryLimitError("the host has no memory left for simulated memory; use smaller tables or a larger host");
    }
    mappings_.push_back({start, bytes});
    const auto raw = reinterpret_cast<std::uintptr_t>(start);
    slab_ = reinterpret_cast<std::byte*>((raw + chunk_bytes - 1) & ~std::uintptr_t{chunk_bytes - 1});
    slab_left_ = slab_chunks;
    madvise(slab_, slab_chunks * chunk_bytes, huge_pages_ ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);  // only a wish
  }
  --slab_left_;
  return std::exchange(slab_, slab_ + chunk_bytes);
}

std::byte* SparseMemory::make_chunk(std::uint64_t address) {
  if (resident_bytes() + chunk_bytes > resident_bytes_max_) {
    throw MemoryLimitError("the write to " + hex(address) + " would need more than the " +
                           std::to_string(resident_bytes_max_ >> 20) +
                           " MiB of simulated memory that may be resident; raise resident_bytes_max or touch fewer "
                           "2 MiB blocks");
  }
  auto& leaf = root_[address >> (chunk_bits + leaf_bits_)];
  if (leaf == nullptr) leaf = std::make_unique<Entry[]>(leaf_entries_);
  std::byte* chunk = take_from_slab();
  const std::uint64_t base = address & ~(chunk_bytes - 1);
  *find(address) = reinterpret_cast<Entry>(chunk) | (needs_guard(base) ? guarded_ : 0);
  chunks_.push_back(base);
  return chunk;
}

std::byte* SparseMemory::direct_chunk(Pa address) {
  const std::uint64_t base = address.value & ~(chunk_bytes - 1);
  if (needs_guard(base)) return nullptr;
  if (std::byte* chunk = chunk_of(base); chunk != nullptr) return chunk;
  if (resident_bytes() + chunk_bytes > resident_bytes_max_) return nullptr;
  return make_chunk(base);
}

bool SparseMemory::needs_guard(std::uint64_t chunk_base) const {
  if (!contains(Pa(chunk_base), chunk_bytes)) return true;
  return std::any_of(aborts_.begin(), aborts_.end(), [chunk_base](const InjectedAbort& abort) {
    return chunk_base <= abort.last && chunk_base + (chunk_bytes - 1) >= abort.base;
  });
}

void SparseMemory::refresh_guards() {
  last_chunk_ = ~std::uint64_t{0};
  for (const std::uint64_t base : chunks_) {
    Entry& entry = *find(base);
    entry = (entry & ~guarded_) | (needs_guard(base) ? guarded_ : 0);
  }
}

void SparseMemory::inject_abort(Pa address, std::uint64_t size, bool reads, bool writes) {
  if (size == 0) return;
  const std::uint64_t room = ~address.value;  // bytes after the first one
  aborts_.push_back({address.value, address.value + std::min(size - 1, room), reads, writes});
  refresh_guards();
}

void SparseMemory::clear_aborts() {
  aborts_.clear();
  refresh_guards();
}

}  // namespace smmusim

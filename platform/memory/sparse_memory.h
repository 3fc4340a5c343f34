// SPDX-License-Identifier: MIT
// SparseMemory: the physical memory of the simulated machine. It has contents and ranges, no time: ports and the
// memory module put latency in front of it. Backed by 2 MiB chunks that come into being at the first write to them,
// found through a flat two-level table. It must not know who asks, and it never fails for what a guest does: an
// access that can't be done is answered with false (an external abort, IHI 0070 section 3.13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "model/base/copy_bytes.h"
#include "model/base/types.h"

namespace smmusim {

/// [base, base + size), in bytes.
struct MemoryRange {
  Pa base{};
  std::uint64_t size = 0;
};

struct SparseMemoryConfig {
  std::vector<MemoryRange> ranges{{Pa(0x40000000), std::uint64_t{1} << 40}};  ///< what exists; no overlaps
  std::uint64_t resident_bytes_max = std::uint64_t{4} << 30;                  ///< of chunks that were written to
  bool huge_pages = true;                                                     ///< ask the host for 2 MiB pages
};

struct SparseMemoryCounters {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;  ///< compare-and-swaps included
  std::uint64_t aborts = 0;  ///< outside every range, or injected
};

/// Thrown when a write would need more host memory than resident_bytes_max.
struct MemoryLimitError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class SparseMemory {
 public:
  static constexpr unsigned chunk_bits = 21;
  static constexpr std::uint64_t chunk_bytes = std::uint64_t{1} << chunk_bits;
  static constexpr unsigned address_bits_max = 56;

  /// Throws std::invalid_argument for ranges that are empty, overlap or leave the 56-bit address space.
  explicit SparseMemory(const SparseMemoryConfig& config = {});
  ~SparseMemory();
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;

  /// Copies `size` bytes. False, and nothing is copied: a byte lies outside every range or an injected abort hits.
  /// What was never written reads as zero and stays unallocated.
  bool read(Pa address, void* data, std::size_t size);
  /// Likewise; false means that nothing was written. Throws MemoryLimitError.
  bool write(Pa address, const void* data, std::size_t size);
  /// Atomically writes `desired` if the 8 aligned bytes equal `expected`; `expected` is then the value found.
  /// False is an abort, not a mismatch.
  bool compare_and_swap64(Pa address, std::uint64_t& expected, std::uint64_t desired);

  /// Little-endian doubleword at an 8-byte-aligned address: the fast path of table walks.
  bool read64(Pa address, std::uint64_t& value);
  bool write64(Pa address, std::uint64_t value);
  /// The same for callers that know that the address exists: 0, or nothing done, if it doesn't.
  std::uint64_t load64(Pa address) {
    std::uint64_t value = 0;
    read64(address, value);
    return value;
  }
  void store64(Pa address, std::uint64_t value) { write64(address, value); }

  /// For debuggers: as read() and write(), but counts nothing.
  bool peek(Pa address, void* data, std::size_t size) const;
  bool poke(Pa address, const void* data, std::size_t size);

  /// Host address of the chunk that holds `address`, made if it is not there yet, for accesses that are neither checked
  /// nor counted; null: a range ends or an abort is injected in it, or no host memory is left for it. It stays valid
  /// as long as this memory, but aborts that are injected later are not seen through it.
  std::byte* direct_chunk(Pa address);

  /// The same for the reads of a moment, of a chunk that is there: no abort is injected and no range changes before the
  /// last of them, and each adds one to `reads`.
  const std::byte* readable_chunk(Pa address, std::uint64_t*& reads) {
    reads = &counters_.reads;
    return direct(address.value & ~(chunk_bytes - 1));
  }

  /// True if [address, address + size) lies in ranges, whatever is injected there.
  bool contains(Pa address, std::size_t size) const;

  /// From now on reads and / or writes that touch [address, address + size) abort.
  void inject_abort(Pa address, std::uint64_t size, bool reads, bool writes);
  void clear_aborts();

  const SparseMemoryCounters& counters() const { return counters_; }
  void reset_counters() { counters_ = {}; }
  std::uint64_t resident_bytes() const { return chunks_.size() * chunk_bytes; }

 private:
  struct InjectedAbort {
    std::uint64_t base;
    std::uint64_t last;
    bool reads;
    bool writes;
  };
  struct Mapping {
    void* start;
    std::size_t bytes;
  };
  // A table entry is the chunk's host address; bit 0 set: guarded, its accesses take the slow path, because a range
  // ends in it or an abort is injected there. 0: not there yet.
  using Entry = std::uintptr_t;
  static constexpr unsigned leaf_bits_ = 15;
  static constexpr std::size_t leaf_entries_ = std::size_t{1} << leaf_bits_;
  static constexpr Entry guarded_ = 1;

  Entry* find(std::uint64_t address) const {
    const std::uint64_t top = address >> (chunk_bits + leaf_bits_);
    if (top >= root_.size() || root_[top] == nullptr) return nullptr;
    return &root_[top][(address >> chunk_bits) % leaf_entries_];
  }
  /// Host address of a byte whose chunk exists and needs no checks; null: take the slow path.
  std::byte* direct(std::uint64_t address) const {
    const Entry* entry = find(address);
    if (entry == nullptr || *entry == 0 || (*entry & guarded_) != 0) return nullptr;
    return reinterpret_cast<std::byte*>(*entry) + (address & (chunk_bytes - 1));
  }
  static bool within_chunk(std::uint64_t address, std::size_t size) {
    return size <= chunk_bytes - (address & (chunk_bytes - 1));
  }

  bool allowed(Pa address, std::size_t size, bool writes) const;
  bool copy_out(Pa address, void* data, std::size_t size) const;
  bool copy_in(Pa address, const void* data, std::size_t size);
  std::byte* chunk_of(std::uint64_t address) const;
  std::byte* make_chunk(std::uint64_t address);
  std::byte* take_from_slab();
  bool needs_guard(std::uint64_t chunk_base) const;
  void refresh_guards();

  std::vector<MemoryRange> ranges_;  // sorted, not touching each other
  std::uint64_t resident_bytes_max_;
  bool huge_pages_;
  std::vector<std::unique_ptr<Entry[]>> root_;
  std::vector<std::uint64_t> chunks_;  // base addresses, in order of creation
  std::vector<InjectedAbort> aborts_;
  std::vector<Mapping> mappings_;
  std::byte* slab_ = nullptr;
  std::size_t slab_left_ = 0;
  SparseMemoryCounters counters_;
  // The chunk that read64() used last, if accesses to it need no checks: tables lie close together.
  std::uint64_t last_chunk_ = ~std::uint64_t{0};
  const std::byte* last_host_ = nullptr;
};

inline bool SparseMemory::read64(Pa address, std::uint64_t& value) {
  ++counters_.reads;
  if (address.value >> chunk_bits == last_chunk_ && (address.value & 7) == 0) [[likely]] {
    std::memcpy(&value, last_host_ + (address.value & (chunk_bytes - 1)), sizeof value);
    return true;
  }
  const std::byte* host = direct(address.value);
  if (host != nullptr && (address.value & 7) == 0) [[likely]] {
    last_chunk_ = address.value >> chunk_bits;
    last_host_ = host - (address.value & (chunk_bytes - 1));
    std::memcpy(&value, host, sizeof value);
    return true;
  }
  const bool ok = copy_out(address, &value, sizeof value);
  counters_.aborts += ok ? 0 : 1;
  return ok;
}

inline bool SparseMemory::write64(Pa address, std::uint64_t value) {
  ++counters_.writes;
  std::byte* host = direct(address.value);
  if (host != nullptr && (address.value & 7) == 0) [[likely]] {
    std::memcpy(host, &value, sizeof value);
    return true;
  }
  const bool ok = copy_in(address, &value, sizeof value);
  counters_.aborts += ok ? 0 : 1;
  return ok;
}

inline bool SparseMemory::read(Pa address, void* data, std::size_t size) {
  if (size == sizeof(std::uint64_t)) {
    std::uint64_t value;
    const bool ok = read64(address, value);
    if (ok) std::memcpy(data, &value, sizeof value);
    return ok;
  }
  ++counters_.reads;
  const std::byte* host = direct(address.value);
  if (host != nullptr && within_chunk(address.value, size)) [[likely]] {
    copy_bytes(data, host, size);
    return true;
  }
  const bool ok = copy_out(address, data, size);
  counters_.aborts += ok ? 0 : 1;
  return ok;
}

inline bool SparseMemory::write(Pa address, const void* data, std::size_t size) {
  ++counters_.writes;
  std::byte* host = direct(address.value);
  if (host != nullptr && within_chunk(address.value, size)) [[likely]] {
    copy_bytes(host, data, size);
    return true;
  }
  const bool ok = copy_in(address, data, size);
  counters_.aborts += ok ? 0 : 1;
  return ok;
}

}  // namespace smmusim

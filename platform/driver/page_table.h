// SPDX-License-Identifier: MIT
// PageTable: one VMSAv8-64 translation table, of stage 1 or 2, in simulated memory, written as an operating system's
// driver would (Arm ARM DDI 0487, section D8.3). Geometry decides granule and sizes.
//
// It writes descriptors and nothing else: telling the SMMU about them (CMD_TLBI_*) is the guest driver's business.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>

#include "model/base/types.h"
#include "platform/driver/geometry.h"
#include "platform/driver/page_allocator.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {

enum class TableStage : std::uint8_t { one, two };

/// What a mapping allows and how it is made. There is no write-only mapping: read is implied. `privileged` and `global`
/// mean nothing at stage 2.
struct MapOptions {
  bool write = true;
  bool privileged = false;  ///< unprivileged accesses may not use it
  bool execute = true;      ///< as Linux maps DMA buffers: without XN
  bool device = false;      ///< Device-nGnRE instead of Normal write-back
  bool global = false;      ///< for every ASID (nG = 0)
  /// Use the largest leaf that size and alignment allow; else only pages.
  bool blocks = false;
  unsigned leaf_bits_max = 63;  ///< with blocks: log2 of the largest leaf in bytes
  /// Set the Contiguous bit where a whole group is mapped.
  bool contiguous = false;
};

/// The attribute indices that leaves use, and the MAIR they need (index 0 Normal NC, 1 Normal WB, 2 Device-nGnRE).
enum class MairIndex : unsigned { non_cacheable = 0, write_back = 1, device = 2 };
inline constexpr std::uint64_t driver_mair = 0x04ff44;

/// A leaf entry as lookup() finds it.
struct TableLeaf {
  std::uint64_t descriptor = 0;
  int level = 0;
  Pa address{};            ///< what the looked-up address maps to
  std::uint64_t size = 0;  ///< bytes that the entry spans, its contiguous group not counted
  bool write = false;      ///< as of MapOptions
};

class PageTable {
 public:
  /// Allocates the first table. Throws AllocationError.
  PageTable(SparseMemory& memory, PageAllocator& pages, const Geometry& geometry, TableStage stage = TableStage::one);

  Pa root() const { return root_; }
  const Geometry& geometry() const { return geometry_; }
  TableStage stage() const { return stage_; }

  /// True if `size` bytes at `va` can be mapped to `pa`: within the input and the output size.
  bool mappable(std::uint64_t va, Pa pa, std::uint64_t size) const;

  /// Maps [va, va + size) to `pa`, over whatever was there. Addresses and size are multiples of the granule.
  /// Throws std::invalid_argument for what is not mappable, AllocationError when there is no room for tables.
  void map(std::uint64_t va, Pa pa, std::uint64_t size, const MapOptions& options);

  /// Clears every leaf entry within [va, va + size); blocks that reach beyond it are split first, which can throw
  /// AllocationError. What lies outside the input size holds nothing. Tables stay.
  void unmap(std::uint64_t va, std::uint64_t size);

  /// The leaf that `va` meets, found by walking the table in memory.
  std::optional<TableLeaf> lookup(std::uint64_t va) const;

 private:
  struct Table {
    Pa base;
    int level;
  };
  Pa entry_address(Table table, std::uint64_t va) const;
  Table next_table(std::uint64_t descriptor, int level) const;
  Table descend(Table table, std::uint64_t va);
  Table split_block(Table table, std::uint64_t va, std::uint64_t descriptor);
  void write_leaf(Table table, std::uint64_t va, std::uint64_t descriptor);
  void break_contiguous(Table table, std::uint64_t va);
  int leaf_level(std::uint64_t va, std::uint64_t pa, std::uint64_t size, const MapOptions& options) const;
  void clear(Table table, std::uint64_t table_va, std::uint64_t first, std::uint64_t last);
  Pa new_table();

  SparseMemory& memory_;
  PageAllocator& pages_;
  Geometry geometry_;
  TableStage stage_;
  Pa root_;
};

}  // namespace smmusim

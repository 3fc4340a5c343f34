// SPDX-License-Identifier: MIT
// TableBuilder's parts beside the page tables: the stream table (linear or two-level, IHI 0070 sections 3.3.1 and
// 5.1), CD tables, linear or two-level (sections 5.3 and 5.4), and the STEs and CDs that an operating system's driver
// writes into them. They write memory and nothing else; commands are the guest driver's business.
#pragma once

#include <cstdint>
#include <vector>

#include "model/base/types.h"
#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "platform/driver/page_allocator.h"
#include "platform/driver/page_table.h"
#include "platform/memory/sparse_memory.h"

namespace smmusim {

/// A stream table. In the two-level format the second-level tables are made at the first use of a StreamID, all
/// their STEs aborting (V=1, Config=0), and an unused first-level entry is zero: as Linux does.
class StreamTable {
 public:
  /// 2^log2_streams STEs in one array, all aborting.
  static StreamTable linear(SparseMemory& memory, PageAllocator& pages, unsigned log2_streams);
  /// `split` is STRTAB_BASE_CFG.SPLIT: 6, 8 or 10, and less than log2_streams.
  static StreamTable two_level(SparseMemory& memory, PageAllocator& pages, unsigned log2_streams, unsigned split);

  /// The values for SMMU_STRTAB_BASE and SMMU_STRTAB_BASE_CFG.
  std::uint64_t base_register() const;
  std::uint32_t base_cfg_register() const;

  /// Writes the STE, doubleword 0 (with V) last. Throws std::invalid_argument for a StreamID that the table does not
  /// reach, AllocationError.
  void write(StreamId stream, const spec::Ste& ste);
  spec::Ste read(StreamId stream) const;
  /// The address of the STE; 0 if its second-level table does not exist.
  Pa address_of(StreamId stream) const;

 private:
  StreamTable(SparseMemory& memory, PageAllocator& pages, unsigned log2_streams, unsigned split, Pa base)
      : memory_(&memory), pages_(&pages), log2_streams_(log2_streams), split_(split), base_(base) {}
  void fill_aborting(Pa first, std::uint64_t count);
  Pa make_second_level(StreamId stream);

  SparseMemory* memory_;
  PageAllocator* pages_;
  unsigned log2_streams_;
  unsigned split_;  // 0: linear
  Pa base_;
};

/// A table of 2^log2_contexts CDs; the one CD of a stream without substreams is a linear table of one. In the two-level
/// formats a second-level table is made at the first use of one of its CDs; until then its L1CD is zero.
class ContextTable {
 public:
  ContextTable(SparseMemory& memory, PageAllocator& pages, unsigned log2_contexts,
               spec::S1Format format = spec::S1Format::linear);
  Pa base() const { return base_; }
  unsigned log2_contexts() const { return log2_contexts_; }
  spec::S1Format format() const { return format_; }
  /// Writes CD number `index`, doubleword 0 (with V) last. Throws std::invalid_argument beyond the table,
  /// AllocationError.
  void write(std::uint32_t index, const spec::Cd& cd);
  spec::Cd read(std::uint32_t index) const;

 private:
  /// SubstreamID bits of a second-level table; 0: linear.
  unsigned split() const;
  /// 0 if its second-level table does not exist.
  Pa address_of(std::uint32_t index) const;
  Pa make_second_level(std::uint32_t index);

  SparseMemory* memory_;
  PageAllocator* pages_;
  unsigned log2_contexts_;
  spec::S1Format format_;
  Pa base_;
};

spec::Ste with_ats(const spec::Ste& ste, spec::Eats eats);

spec::Ste make_abort_ste();
spec::Ste make_bypass_ste();
/// Stage 1 with the CDs of `contexts`, walks cached and inner shareable, faults never stalled.
spec::Ste make_stage1_ste(const ContextTable& contexts);
/// Stage 2 alone with `table`, whose geometry gives S2T0SZ, S2SL0, S2TG and S2PS; faults recorded, never stalled.
spec::Ste make_stage2_ste(const PageTable& table, Vmid vmid);
/// Both: what stage 1 gives, and the addresses of `contexts`, are IPAs of `table`.
spec::Ste make_nested_ste(const ContextTable& contexts, const PageTable& table, Vmid vmid);
/// TTB0 = the page table, TTB1 unused (EPD1), IPS = the table's output size, faults recorded and aborted, ASET = 1.
spec::Cd make_stage1_cd(const PageTable& table, Asid asid);

}  // namespace smmusim

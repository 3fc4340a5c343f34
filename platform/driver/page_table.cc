// SPDX-License-Identifier: MIT
// PageTable; see the header. Addresses within the table are offsets into its input range; ranges are inclusive so
// that the last address of the space needs no special case.
#include "platform/driver/page_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/spec/descriptors.h"

namespace smmusim {
namespace {

using spec::S1Leaf;
using spec::S1Table;

constexpr std::uint64_t valid_bit = S1Leaf::Valid::mask;
constexpr std::uint64_t type_bit = S1Leaf::Type::mask;
constexpr std::uint64_t contiguous_bit = S1Leaf::Contiguous::mask;

bool is_valid(std::uint64_t descriptor) {
  return (descriptor & valid_bit) != 0;
}

/// At level 3 type 1 is a page, above it a table.
bool is_table(std::uint64_t descriptor, int level) {
  return level != Geometry::last_level && is_valid(descriptor) && (descriptor & type_bit) != 0;
}

/// With 64 KiB the bits in question are zero in addresses below 2^48, whatever the SMMU has.
spec::AddressLayout layout_of(const Geometry& geometry) {
  return geometry.granule_bits == 16 ? spec::AddressLayout::lpa_64k : spec::AddressLayout::direct_48;
}

std::uint64_t table_descriptor(Pa table, const Geometry& geometry) {
  return spec::descriptor_bits(table.value, layout_of(geometry)) | valid_bit | type_bit;
}

/// The attribute bits of a stage-2 leaf, likewise.
std::uint64_t stage2_attributes(const MapOptions& options) {
  constexpr unsigned write_back = 0xf, device_ngnre = 0x1, read_only = 1, read_write = 3, no_execution = 2;
  spec::S2Leaf leaf;
  leaf.set<spec::S2Leaf::Valid>(true).set<spec::S2Leaf::AF>(true);
  leaf.set<spec::S2Leaf::S2AP>(options.write ? read_write : read_only);
  leaf.set<spec::S2Leaf::SH>(options.device ? spec::Shareability::outer : spec::Shareability::inner);
  leaf.set<spec::S2Leaf::MemAttr>(options.device ? device_ngnre : write_back);
  leaf.set<spec::S2Leaf::XN>(options.execute ? 0u : no_execution);
  return leaf.dw[0];
}

/// The attribute bits of a stage-1 leaf: those that Linux's io-pgtable sets, with the Access flag always set.
std::uint64_t stage1_attributes(const MapOptions& options) {
  S1Leaf leaf;
  leaf.set<S1Leaf::Valid>(true).set<S1Leaf::AF>(true).set<S1Leaf::nG>(!options.global);
  leaf.set<S1Leaf::AP>((options.write ? 0U : 2U) | (options.privileged ? 0U : 1U));
  leaf.set<S1Leaf::SH>(options.device ? spec::Shareability::outer : spec::Shareability::inner);
  leaf.set<S1Leaf::AttrIndx>(static_cast<unsigned>(options.device ? MairIndex::device : MairIndex::write_back));
  leaf.set<S1Leaf::PXN>(!options.execute).set<S1Leaf::UXN>(!options.execute);
  return leaf.dw[0];
}

}  // namespace

PageTable::PageTable(SparseMemory& memory, PageAllocator& pages, const Geometry& geometry, TableStage stage)
    : memory_(memory), pages_(pages), geometry_(geometry), stage_(stage) {
  // A first table is aligned to its size, and to 64 bytes at least.
  const std::uint64_t bytes = std::max<std::uint64_t>(geometry.start_entries() * 8, 64);
  root_ = pages.allocate(bytes, bytes);
}

bool PageTable::mappable(std::uint64_t va, Pa pa, std::uint64_t size) const {
  const std::uint64_t in = low_mask(geometry_.input_bits);
  const std::uint64_t out = low_mask(geometry_.output_bits);
  return size != 0 && va <= in && size - 1 <= in - va && pa.value <= out && size - 1 <= out - pa.value;
}

Pa PageTable::entry_address(Table table, std::uint64_t va) const {
  const std::uint64_t index_mask =
      (table.level == geometry_.start_level() ? geometry_.start_entries() : geometry_.entries()) - 1;
  return table.base + ((va >> geometry_.span_bits(table.level)) & index_mask) * 8;
}

PageTable::Table PageTable::next_table(std::uint64_t descriptor, int level) const {
  const std::uint64_t base = spec::descriptor_address(descriptor, geometry_.granule_bits, layout_of(geometry_));
  return {Pa(base), level + 1};
}

Pa PageTable::new_table() {
  return pages_.allocate(geometry_.granule_bytes(), geometry_.granule_bytes());
}

/// The table below `va`'s entry, made if there is none; a block there becomes a table of the same mappings.
PageTable::Table PageTable::descend(Table table, std::uint64_t va) {
  const Pa entry = entry_address(table, va);
  const std::uint64_t descriptor = memory_.load64(entry);
  if (is_table(descriptor, table.level)) return next_table(descriptor, table.level);
  if (is_valid(descriptor)) return split_block(table, va, descriptor);
  const Pa below = new_table();
  memory_.store64(entry, table_descriptor(below, geometry_));
  return {below, table.level + 1};
}

PageTable::Table PageTable::split_block(Table table, std::uint64_t va, std::uint64_t descriptor) {
  break_contiguous(table, va);
  const Table below{new_table(), table.level + 1};
  const std::uint64_t type = below.level == Geometry::last_level ? type_bit : 0;
  const std::uint64_t leaf = (descriptor & ~contiguous_bit) | type;
  for (std::uint64_t i = 0; i != geometry_.entries(); ++i) {
    memory_.store64(below.base + i * 8, leaf + i * geometry_.span_bytes(below.level));
  }
  memory_.store64(entry_address(table, va), table_descriptor(below.base, geometry_));
  return below;
}

/// Takes the Contiguous bit from the group of `va`'s entry: it may stand only in groups that are alike.
void PageTable::break_contiguous(Table table, std::uint64_t va) {
  const Pa entry = entry_address(table, va);
  if ((memory_.load64(entry) & contiguous_bit) == 0) return;
  const std::uint64_t group_bytes = geometry_.contiguous_entries(table.level) * 8;
  const Pa first = entry & ~(group_bytes - 1);
  for (std::uint64_t offset = 0; offset != group_bytes; offset += 8) {
    memory_.store64(first + offset, memory_.load64(first + offset) & ~contiguous_bit);
  }
}

void PageTable::write_leaf(Table table, std::uint64_t va, std::uint64_t descriptor) {
  break_contiguous(table, va);
  memory_.store64(entry_address(table, va), descriptor);
}

int PageTable::leaf_level(std::uint64_t va, std::uint64_t pa, std::uint64_t size, const MapOptions& options) const {
  if (!options.blocks) return Geometry::last_level;
  for (int level = std::max(geometry_.start_level(), 0); level != Geometry::last_level; ++level) {
    const std::uint64_t span = geometry_.span_bytes(level);
    const bool fits_here = ((va | pa) & (span - 1)) == 0 && size >= span;
    if (geometry_.leaf_allowed(level) && geometry_.span_bits(level) <= options.leaf_bits_max && fits_here) return level;
  }
  return Geometry::last_level;
}

void PageTable::map(std::uint64_t va, Pa pa, std::uint64_t size, const MapOptions& options) {
  const std::uint64_t offset_mask = geometry_.granule_bytes() - 1;
  if (!mappable(va, pa, size) || ((va | pa.value | size) & offset_mask) != 0) {
    throw std::invalid_argument(
        fmt::format("can't map 0x{:x} bytes at 0x{:x} to 0x{:x}; they must be multiples of {} KiB, input below 2^{} "
                    "and output below 2^{}",
                    size, va, pa.value, geometry_.granule_bytes() >> 10, geometry_.input_bits, geometry_.output_bits));
  }
  const std::uint64_t attributes = stage_ == TableStage::one ? stage1_attributes(options) : stage2_attributes(options);
  std::uint64_t group_end = va;  // up to here the present leaves carry the Contiguous bit
  while (size != 0) {
    int level = leaf_level(va, pa.value, size, options);
    Table table{root_, geometry_.start_level()};
    while (table.level != level) table = descend(table, va);
    // A table that is there already stays: it may hold mappings that a walk under way needs.
    while (is_table(memory_.load64(entry_address(table, va)), table.level)) table = descend(table, va);
    level = table.level;
    const std::uint64_t span = geometry_.span_bytes(level);
    const std::uint64_t group = span * geometry_.contiguous_entries(level);
    if (options.contiguous && group != span && ((va | pa.value) & (group - 1)) == 0 && size >= group) {
      group_end = va + group;
    }
    const std::uint64_t type = level == Geometry::last_level ? type_bit : 0;
    // Within a group the neighbours still to come may be old: write_leaf clears their bit, not the new ones'.
    write_leaf(table, va,
               spec::descriptor_bits(pa.value, layout_of(geometry_)) | attributes | type |
                   (va < group_end ? contiguous_bit : 0));
    va += span;
    pa = pa + span;
    size -= span;
  }
}

void PageTable::clear(Table table, std::uint64_t table_va, std::uint64_t first, std::uint64_t last) {
  const unsigned shift = geometry_.span_bits(table.level);
  const std::uint64_t span = geometry_.span_bytes(table.level);
  for (std::uint64_t i = (first - table_va) >> shift; i <= (last - table_va) >> shift; ++i) {
    const std::uint64_t va = table_va + (i << shift);
    const std::uint64_t descriptor = memory_.load64(table.base + i * 8);
    if (!is_valid(descriptor)) continue;
    const std::uint64_t from = std::max(first, va);
    const std::uint64_t to = std::min(last, va + (span - 1));
    const bool whole = from == va && to == va + (span - 1);
    if (is_table(descriptor, table.level)) {
      clear(next_table(descriptor, table.level), va, from, to);
    } else if (whole || table.level == Geometry::last_level) {
      write_leaf(table, va, 0);
    } else {
      clear(split_block(table, va, descriptor), va, from, to);
    }
  }
}

void PageTable::unmap(std::uint64_t va, std::uint64_t size) {
  const std::uint64_t limit = low_mask(geometry_.input_bits);
  if (size == 0 || va > limit) return;
  const std::uint64_t last = size - 1 > limit - va ? limit : va + (size - 1);
  clear({root_, geometry_.start_level()}, 0, va, last);
}

std::optional<TableLeaf> PageTable::lookup(std::uint64_t va) const {
  if (va > low_mask(geometry_.input_bits)) return std::nullopt;
  Table table{root_, geometry_.start_level()};
  for (;;) {
    const std::uint64_t descriptor = memory_.load64(entry_address(table, va));
    if (!is_valid(descriptor)) return std::nullopt;
    if (is_table(descriptor, table.level)) {
      table = next_table(descriptor, table.level);
      continue;
    }
    const std::uint64_t span = geometry_.span_bytes(table.level);
    const std::uint64_t base =
        spec::descriptor_address(descriptor, geometry_.span_bits(table.level), layout_of(geometry_));
    const bool bit_7 = (descriptor >> 7 & 1) != 0;  // AP[2], read-only, of stage 1; S2AP[1], writable, of stage 2
    return TableLeaf{descriptor, table.level, Pa(base | (va & (span - 1))), span, bit_7 == (stage_ == TableStage::two)};
  }
}

}  // namespace smmusim

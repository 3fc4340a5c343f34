// SPDX-License-Identifier: MIT
// The shape of VMSAv8-64 translation tables (DDI 0487 D8.2, D8.3): which descriptor bits are an address, which
// descriptors are valid at which level, how an address indexes a table. Shared by both stages; decides no permission.
#ifndef TESTS_RANDOM_REFERENCE_TABLES_H_
#define TESTS_RANDOM_REFERENCE_TABLES_H_

#include <cstdint>

#include "tests/random/reference/bits.h"

namespace refwalk {

/// One set of tables. Levels are -1..3.
struct TableFormat {
  unsigned granule;  // log2: 12, 14 or 16
  bool ds;           // 52-bit descriptors with 4 KB and 16 KB granules
  bool lpa;          // the implementation has 52-bit addresses (OAS 52)
  bool big_endian;
  unsigned input_size;   // bits of input address
  unsigned output_size;  // bits of output address above which an Address size fault is due
  int start_level;
};

enum class DescriptorKind { Invalid, Table, Leaf };

/// log2 of the bytes that one entry at `level` maps.
inline unsigned entry_size_log2(const TableFormat& format, int level) {
  return format.granule + static_cast<unsigned>(3 - level) * (format.granule - 3);
}

inline DescriptorKind kind_of(const TableFormat& format, int level, uint64_t descriptor) {
  if (!bit(descriptor, 0)) return DescriptorKind::Invalid;
  if (level == 3) return bit(descriptor, 1) ? DescriptorKind::Leaf : DescriptorKind::Invalid;
  if (bit(descriptor, 1)) return DescriptorKind::Table;
  bool block_allowed = level == 2;
  if (format.granule == 12) block_allowed = level == 2 || level == 1 || (level == 0 && format.ds);
  if (format.granule == 14) block_allowed = level == 2 || (level == 1 && format.ds);
  if (format.granule == 16) block_allowed = level == 2 || (level == 1 && format.lpa);
  return block_allowed ? DescriptorKind::Leaf : DescriptorKind::Invalid;
}

/// The address in a table or leaf descriptor; `low` is the lowest bit that the descriptor supplies.
inline uint64_t address_of(const TableFormat& format, uint64_t descriptor, unsigned low) {
  if (format.granule == 16) {
    const uint64_t address = bits(descriptor, 47, low) << low;
    return format.lpa ? address | (bits(descriptor, 15, 12) << 48) : address;
  }
  if (format.ds) return (bits(descriptor, 49, low) << low) | (bits(descriptor, 9, 8) << 50);
  return bits(descriptor, 47, low) << low;
}

/// Descriptors of the contiguous run that the leaf belongs to; 1 if its Contiguous bit is 0 (DDI 0487 D8.7.1).
inline unsigned run_length(const TableFormat& format, int level, uint64_t leaf) {
  if (!bit(leaf, 52)) return 1;
  if (format.granule == 12) return 16;
  return format.granule == 14 && level == 3 ? 128 : 32;
}

/// First level of a stage-1 walk of `input_size` bits.
inline int stage1_start_level(unsigned granule, unsigned input_size) {
  return 3 - static_cast<int>((input_size - 1 - granule) / (granule - 3));
}

/// Number of index bits of the first table (more than granule-3 if stage-2 tables are concatenated).
inline unsigned start_index_bits(const TableFormat& format) {
  return format.input_size - entry_size_log2(format, format.start_level);
}

/// The first table's address: the base aligned to its size, and to 64 bytes if the output size is 52.
inline uint64_t start_table(const TableFormat& format, uint64_t base) {
  unsigned alignment = start_index_bits(format) + 3;
  if (format.output_size == 52 && alignment < 6) alignment = 6;
  return align_down(base, alignment);
}

/// Address of the descriptor for `input` in the table at `table`.
inline uint64_t descriptor_address(const TableFormat& format, uint64_t table, int level, uint64_t input) {
  const unsigned low = entry_size_log2(format, level);
  const unsigned count = level == format.start_level ? start_index_bits(format) : format.granule - 3;
  return table + 8 * low_bits(input >> low, count);
}

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_TABLES_H_

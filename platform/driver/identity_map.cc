// SPDX-License-Identifier: MIT
// Identity mappings; see the header.
#include "platform/driver/identity_map.h"

#include <algorithm>

namespace smmusim {

std::uint64_t identity_table_bytes(std::span<const IdentityRange> ranges, const Geometry& geometry,
                                   unsigned leaf_bits) {
  std::uint64_t tables = 0;
  for (const IdentityRange& range : ranges) {
    if (range.bytes == 0) continue;
    const std::uint64_t last = range.base + (range.bytes - 1);
    for (int level = geometry.start_level() + 1; level <= Geometry::last_level; ++level) {
      const unsigned covered_bits = geometry.span_bits(level - 1);
      const std::uint64_t touched = (last >> covered_bits) - (range.base >> covered_bits) + 1;
      // Where a leaf can take a table's place, only the two ends of a range need tables.
      const bool leaf_instead = covered_bits <= leaf_bits && geometry.leaf_allowed(level - 1);
      tables += leaf_instead ? std::min<std::uint64_t>(touched, 2) : touched;
    }
  }
  return tables * geometry.granule_bytes();
}

void map_identity(PageTable& table, std::span<const IdentityRange> ranges, unsigned leaf_bits) {
  MapOptions options;
  options.blocks = true;
  options.leaf_bits_max = leaf_bits;
  for (const IdentityRange& range : ranges) {
    options.device = range.device;
    if (range.bytes != 0) table.map(range.base, Pa(range.base), range.bytes, options);
  }
}

}  // namespace smmusim

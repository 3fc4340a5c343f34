// SPDX-License-Identifier: MIT
// Identity mappings: a stage-2 table that maps guest addresses to themselves, as a hypervisor builds it for a guest
// whose memory it does not move. How large such a table gets is known before it is built.
#pragma once

#include <cstdint>
#include <span>

#include "platform/driver/page_table.h"

namespace smmusim {

/// Addresses [base, base + bytes); both multiples of the granule, the end at most 2^64 - 1.
struct IdentityRange {
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  bool device = false;  ///< Device memory: doorbells and what is no main memory
};

/// At most so many bytes of tables below the first one hold `ranges` with leaves of up to 2^leaf_bits bytes. Ranges
/// that share a table count it twice.
std::uint64_t identity_table_bytes(std::span<const IdentityRange> ranges, const Geometry& geometry, unsigned leaf_bits);

/// Maps `ranges` readable and writable, with the largest leaves of up to 2^leaf_bits bytes that alignment allows.
/// Throws std::invalid_argument for what is not mappable, AllocationError.
void map_identity(PageTable& table, std::span<const IdentityRange> ranges, unsigned leaf_bits);

}  // namespace smmusim

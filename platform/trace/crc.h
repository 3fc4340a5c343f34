// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli, as in iSCSI, RFC 3720 B.4): polynomial 0x1EDC6F41 reflected, start and end inverted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smmusim::trace {

/// CRC-32C of `n` bytes. The check value of "123456789" is 0xE3069283. `before` is the CRC of what precedes them, so
/// that a long text can be taken in pieces; 0 is the CRC of nothing.
std::uint32_t crc32c(const void* bytes, std::size_t n, std::uint32_t before = 0);

}  // namespace smmusim::trace

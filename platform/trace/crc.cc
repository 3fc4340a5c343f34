// SPDX-License-Identifier: MIT
// CRC-32C, sixteen bytes a step with sixteen tables made at compile time; where the processor that it runs on has an
// instruction for it, with that. Builds stay portable: the choice is made at run time.
#include "platform/trace/crc.h"

#include <array>
#include <cstring>

namespace smmusim::trace {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 16>;

constexpr Tables make_tables() {
  Tables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    t[0][i] = crc;
  }
  for (std::size_t k = 1; k < 16; ++k) {
    for (std::size_t i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xff];
  }
  return t;
}

constexpr Tables tables = make_tables();

/// What eight bytes add to the CRC when `After` more bytes follow them in the step.
template <std::size_t After>
std::uint32_t fold(std::uint64_t word) {
  return tables[After + 7][word & 0xff] ^ tables[After + 6][(word >> 8) & 0xff] ^
         tables[After + 5][(word >> 16) & 0xff] ^ tables[After + 4][(word >> 24) & 0xff] ^
         tables[After + 3][(word >> 32) & 0xff] ^ tables[After + 2][(word >> 40) & 0xff] ^
         tables[After + 1][(word >> 48) & 0xff] ^ tables[After][word >> 56];
}

/// The inverted CRC of what came before and `n` more bytes.
std::uint32_t by_tables(const unsigned char* at, std::size_t n, std::uint32_t crc) {
  for (; n >= 16; n -= 16, at += 16) {
    std::uint64_t low = 0, high = 0;
    std::memcpy(&low, at, 8);
    std::memcpy(&high, at + 8, 8);
    crc = fold<8>(low ^ crc) ^ fold<0>(high);
  }
  for (; n != 0; --n, ++at) crc = (crc >> 8) ^ tables[0][(crc ^ *at) & 0xff];
  return crc;
}

#ifdef __x86_64__
[[gnu::target("sse4.2")]] std::uint32_t by_instruction(const unsigned char* at, std::size_t n, std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; n >= 8; n -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; n != 0; --n, ++at) crc = __builtin_ia32_crc32qi(crc, *at);
  return crc;
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#endif

}  // namespace

std::uint32_t crc32c(const void* bytes, std::size_t n, std::uint32_t before) {
  const auto* at = static_cast<const unsigned char*>(bytes);
#ifdef __x86_64__
  if (has_instruction()) return ~by_instruction(at, n, ~before);
#endif
  return ~by_tables(at, n, ~before);
}

}  // namespace smmusim::trace

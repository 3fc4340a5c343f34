// SPDX-License-Identifier: MIT
// md5(); see the header. Names as in RFC 1321.
#include "platform/cosim/linux/md5.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace smmusim::cosim {
namespace {

constexpr std::size_t block_bytes = 64, length_bytes = 8;
using State = std::array<std::uint32_t, 4>;

/// T[i] = floor(2^32 abs(sin(i + 1))).
const std::array<std::uint32_t, 64>& sines() {
  static const std::array<std::uint32_t, 64> table = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i != made.size(); ++i) {
      made[i] = static_cast<std::uint32_t>(std::floor(4294967296.0 * std::fabs(std::sin(static_cast<double>(i + 1)))));
    }
    return made;
  }();
  return table;
}

std::uint32_t word(std::string_view block, std::size_t index) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- != 0;) value = value << 8 | static_cast<unsigned char>(block[index * 4 + i]);
  return value;
}

void add_block(State& state, std::string_view block) {
  constexpr int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  const std::array<std::uint32_t, 64>& t = sines();
  std::array<std::uint32_t, 16> x{};
  for (std::size_t i = 0; i != x.size(); ++i) x[i] = word(block, i);
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i != t.size(); ++i) {
    std::uint32_t mixed = 0;
    std::size_t k = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d), k = i;
        break;
      case 1:
        mixed = (b & d) | (c & ~d), k = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d, k = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d), k = 7 * i % 16;
        break;
    }
    const std::uint32_t turned = b + std::rotl(a + mixed + x[k] + t[i], shifts[i / 16][i % 4]);
    a = d, d = c, c = b, b = turned;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

}  // namespace

std::string md5(std::string_view bytes) {
  State state{0x6745'2301, 0xefcd'ab89, 0x98ba'dcfe, 0x1032'5476};
  std::size_t done = 0;
  for (; bytes.size() - done >= block_bytes; done += block_bytes) add_block(state, bytes.substr(done, block_bytes));
  std::string last(bytes.substr(done));
  last += '\x80';
  while (last.size() % block_bytes != block_bytes - length_bytes) last += '\0';
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (unsigned i = 0; i != length_bytes; ++i) last += static_cast<char>(bits >> (8 * i) & 0xff);
  for (std::size_t at = 0; at != last.size(); at += block_bytes) {
    add_block(state, std::string_view(last).substr(at, block_bytes));
  }
  std::string digits;
  for (const std::uint32_t part : state) {
    for (unsigned i = 0; i != 4; ++i) digits += fmt::format("{:02x}", part >> (8 * i) & 0xff);
  }
  return digits;
}

}  // namespace smmusim::cosim

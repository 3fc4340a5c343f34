// SPDX-License-Identifier: MIT
// The six direct permissions of a translation (VMSAv8-64, Arm ARM D8.4): read, write and execute, unprivileged and
// privileged. A page's permissions are a mask of these bits.
#pragma once

#include <cstdint>

namespace smmusim::permission {

inline constexpr std::uint8_t unprivileged_read = 1;
inline constexpr std::uint8_t unprivileged_write = 2;
inline constexpr std::uint8_t unprivileged_execute = 4;
inline constexpr std::uint8_t privileged_read = 8;
inline constexpr std::uint8_t privileged_write = 16;
inline constexpr std::uint8_t privileged_execute = 32;
inline constexpr std::uint8_t all = 63;
inline constexpr std::uint8_t any_write = unprivileged_write | privileged_write;

/// The bits that one access needs: those of its privilege.
constexpr std::uint8_t read_bit(bool privileged) {
  return privileged ? privileged_read : unprivileged_read;
}
constexpr std::uint8_t write_bit(bool privileged) {
  return privileged ? privileged_write : unprivileged_write;
}
constexpr std::uint8_t execute_bit(bool privileged) {
  return privileged ? privileged_execute : unprivileged_execute;
}

/// The bits of one privilege, as unprivileged_….
constexpr unsigned of_privilege(std::uint8_t granted, bool privileged) {
  return privileged ? granted >> 3u : granted & 7u;
}

}  // namespace smmusim::permission

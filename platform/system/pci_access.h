// SPDX-License-Identifier: MIT
// Configuration space as software reaches it: reads and writes by RID, and capabilities found by walking their chains.
#pragma once

#include <cstdint>
#include <functional>

#include "platform/pcie/config_space.h"

namespace smmusim {

/// Accesses of 1, 2 or 4 bytes; what nobody answers reads as ones.
struct PciAccess {
  std::function<std::uint32_t(std::uint16_t rid, std::uint32_t offset, unsigned size)> read;
  std::function<void(std::uint16_t rid, std::uint32_t offset, std::uint32_t value, unsigned size)> write;
};

/// One function's configuration space.
class ConfigAccess {
 public:
  ConfigAccess(const PciAccess& access, std::uint16_t rid) : access_(access), rid_(rid) {}

  std::uint32_t read(std::uint32_t offset, unsigned size) const { return access_.read(rid_, offset, size); }
  void write(std::uint32_t offset, std::uint32_t value, unsigned size) const {
    access_.write(rid_, offset, value, size);
  }
  /// 0: there is none.
  std::uint32_t find(std::uint16_t id) const {
    std::uint32_t at = read(0x34, 1);
    while (at != 0 && read(at, 1) != id) at = read(at + 1, 1);
    return at;
  }
  std::uint32_t find_extended(std::uint16_t id) const {
    std::uint32_t at = platform::ConfigSpace::first_extended;
    while (at != 0 && (read(at, 4) & 0xffff) != id) at = read(at, 4) >> 20;
    return at;
  }

 private:
  const PciAccess& access_;
  std::uint16_t rid_;
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// ConfigSpace: the 4 KiB configuration space of one PCIe function, as rows of registers: header, capabilities in the
// first 256 bytes, extended capabilities from 0x100 on. It knows bits and chains; which capabilities there are and what
// their bits mean is capabilities.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace smmusim::platform {

class ConfigSpace;

/// Some bits of the space. Bits that no row makes writable are read-only.
struct ConfigRegister {
  std::uint16_t offset = 0;  ///< bytes, from the capability's (or the space's) first byte
  std::uint8_t bytes = 4;    ///< 1, 2 or 4; naturally aligned
  std::uint32_t reset = 0;
  std::uint32_t writable = 0;
  std::uint32_t cleared_by_ones = 0;  ///< RW1C
};

struct Capability {
  std::uint16_t id = 0;
  bool extended = false;
  std::uint8_t version = 1;  ///< of an extended one
  std::uint16_t bytes = 0;   ///< with its header, which no row describes
  bool hidden = false;       ///< keeps its place and is in no chain: reads as zero
  std::vector<ConfigRegister> registers{};
};

class ConfigSpace {
 public:
  static constexpr std::uint32_t bytes = 4096, first_capability = 0x40, first_extended = 0x100;

  /// `header`: the rows of the first 64 bytes.
  explicit ConfigSpace(std::span<const ConfigRegister> header);

  /// Puts the capability at the end of its chain and returns where it is. A hidden extended capability that comes first
  /// leaves a null head at 0x100 (ID 0, with the pointer to the next), because chains start there. Throws
  /// std::invalid_argument if there is no room, or if the rows leave the capability.
  std::uint16_t add(const Capability& capability);

  /// `size` 1, 2 or 4, naturally aligned; anything else reads as ones and is not written, as an access that no function
  /// answers.
  std::uint32_t read(std::uint32_t offset, unsigned size) const;
  void write(std::uint32_t offset, std::uint32_t value, unsigned size);

  /// What `filter` leaves of a write of these bytes: called with the mask of the bits that would change hands.
  using Filter = std::function<std::uint32_t(std::uint32_t writable)>;
  /// Bits of the aligned doubleword at `offset` that a write may change are asked of `filter` at each write.
  void guard(std::uint16_t offset, Filter filter);
  /// Called after a write that touched the aligned doubleword at `offset`, and after a reset.
  void on_write(std::uint16_t offset, std::function<void()> then);

  /// Not a write of software: read-only bits change too.
  void set(std::uint16_t offset, std::uint32_t value, unsigned size);
  /// All registers as they were added.
  void reset();

 private:
  struct Word {
    std::uint32_t value = 0, reset = 0, writable = 0, cleared_by_ones = 0;
    Filter filter{};
    std::function<void()> then{};
  };

  void place(const ConfigRegister& row, std::uint32_t at);
  void link(const Capability& capability, std::uint16_t at);
  void set_reset_value(std::uint32_t offset, std::uint32_t value, unsigned size);

  std::array<Word, bytes / 4> words_{};
  std::uint16_t next_free_ = first_capability;
  std::uint16_t next_free_extended_ = first_extended;
  std::uint16_t last_pointer_ = 0x34;  // where the pointer to the next capability goes
  std::uint16_t last_extended_ = 0;    // the last header in the chain; 0: none
};

}  // namespace smmusim::platform

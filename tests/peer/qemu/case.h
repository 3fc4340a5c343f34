// SPDX-License-Identifier: MIT
// One case: a memory image, the registers and one access of a device; and what
// a side made of it. Values only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace smmusim::peer {

/// Which stages the SMMU of the machine implements (IDR0.S1P and S2P; QEMU's
/// property "stage").
enum class Stages : std::uint8_t { stage1, stage2, nested };
inline constexpr const char* stages_names[] = {"1", "2", "nested"};

struct Access {
  std::uint32_t sid = 0;
  bool write = true;
  std::uint64_t address = 0;
  std::uint32_t bytes = 4;  ///< the access stays within 4 KiB
};

struct Case {
  Stages stages = Stages::nested;
  bool enabled = true;    ///< CR0.SMMUEN
  std::uint32_t cr2 = 2;  ///< RECINVSID
  std::uint32_t gbpa = 0x1000;
  std::uint64_t strtab_base = 0;
  std::uint32_t strtab_base_cfg = 0;
  std::map<std::uint64_t, std::uint64_t> words;  ///< 8-byte aligned physical address to word; absent words are zero
  Access access;
  std::vector<std::string> notes;  ///< what the generator did, for people

  bool two_level() const { return (strtab_base_cfg >> 16 & 3) == 1; }
  std::uint64_t word(std::uint64_t address) const {
    const auto found = words.find(address);
    return found == words.end() ? 0 : found->second;
  }
};

using EventRecord = std::array<std::uint64_t, 4>;

/// What came of a case. Memory is compared where it lies, apart from this.
struct Observation {
  bool died = false;          ///< the simulator itself stopped
  bool outside = false;       ///< the model met an address of the board's devices,
                              ///< which it does not have
  bool landed = false;        ///< a write reached memory
  std::uint64_t address = 0;  ///< where, if the side can tell
  bool address_known = false;
  std::vector<EventRecord> events;
  std::uint32_t gerror = 0;
  std::vector<std::uint8_t> read;  ///< what a reading device got
};

}  // namespace smmusim::peer

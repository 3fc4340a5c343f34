// SPDX-License-Identifier: MIT
// Mutation: changes a leaf of a random case as software does, break before make (Arm ARM D8.16; IHI 0070 section 3.17):
// clear the leaf, invalidate it by one of the commands that may do so, CMD_SYNC, write the new leaf. It knows which
// commands are enough; it compares nothing.
#pragma once

#include <optional>
#include <vector>

#include "tests/random/backbone_machine.h"

namespace smmusim {

/// One leaf descriptor, or the whole run of a contiguous one.
struct Leaf {
  std::vector<std::uint64_t> addresses;  ///< of the descriptors, ascending
  bool big_endian = false;
  unsigned page_bits = 0;   ///< of one descriptor
  std::uint64_t first = 0;  ///< canonical input address of the first
  std::uint64_t last = 0;   ///< canonical input address of the last byte
  bool global = false;
};

class Mutator {
 public:
  Mutator(refwalk::Case& one, CaseMachine& machine, std::uint64_t seed);

  /// A leaf that one of the accesses proceeds through; nothing if there is none.
  std::optional<Leaf> pick();
  /// Writes zeros to image and memory, and remembers what was there.
  void clear(const Leaf& leaf);
  /// Commands after which no cached copy of `leaf` may be used, CMD_SYNC at the end.
  std::vector<spec::Command> invalidation_of(const Leaf& leaf);
  /// Writes the leaf again, with another output address, permissions or Access flag.
  void make(const Leaf& leaf);

 private:
  std::optional<Leaf> leaf_of(const refwalk::Access& access) const;
  void put(std::uint64_t address, std::uint64_t word);
  void by_address(const Leaf& leaf, spec::Opcode opcode, std::uint16_t asid, std::vector<spec::Command>& commands);

  refwalk::Case& one_;
  CaseMachine& machine_;
  TestRandom random_;
  std::set<std::uint16_t> asids_;  // all that the case's accesses meet
  std::vector<std::uint64_t> cleared_;
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Mutation: changes a leaf of a random case as software does, break before make (Arm ARM D8.16; IHI 0070 section 3.17):
// clear the leaf, invalidate it by one of the commands that may do so, CMD_SYNC, write the new leaf. It knows which
// commands are enough; it compares nothing.
#pragma once

#include <optional>
#include <vector>

#include "tests/random/backbone_machine.h"
#include "tests/random/reference/structures.h"

namespace smmusim {

/// One leaf descriptor of a stage, or the whole run of a contiguous one.
struct Leaf {
  unsigned stage = 1;
  refwalk::StreamWorld world = refwalk::StreamWorld::EL1;  ///< of a stage-1 leaf
  std::uint16_t vmid = 0;
  std::vector<std::uint64_t> addresses;  ///< of the descriptors, ascending
  bool big_endian = false;
  unsigned granule = 12;  ///< log2
  int level = 3;
  unsigned page_bits = 0;   ///< of one descriptor
  std::uint64_t first = 0;  ///< canonical input address (stage 2: IPA) of the first
  std::uint64_t last = 0;   ///< of the last byte
  bool global = false;
  bool maps_cds = false;         ///< a stage-2 leaf through which a CD or L1CD was read
  bool maps_structures = false;  ///< the same, or a stage-1 descriptor
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
  std::optional<Leaf> leaf_of(const refwalk::Access& access);
  bool complete_stage1(const refwalk::Access& access, const refwalk::Fetch& fetch, Leaf& leaf) const;
  bool complete_stage2(const refwalk::Access& access, const refwalk::Fetch& fetch, Leaf& leaf) const;
  void learn_asids();
  void put(std::uint64_t address, std::uint64_t word);
  void by_address(const Leaf& leaf, spec::Command command, std::vector<spec::Command>& commands);
  void invalidate_stage1(const Leaf& leaf, std::vector<spec::Command>& commands);
  void invalidate_stage2(const Leaf& leaf, std::vector<spec::Command>& commands);

  refwalk::Case& one_;
  CaseMachine& machine_;
  TestRandom random_;
  refwalk::Features features_;
  std::set<std::uint16_t> asids_;  // all that the case's accesses have met
  std::vector<std::uint64_t> cleared_;
};

}  // namespace smmusim

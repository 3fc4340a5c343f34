// SPDX-License-Identifier: MIT
// The world of a random scenario: a stream table, two or three streams that share translation tables, some pages that
// each of them may access, and what of it a driver could change. Structures are legal and permit everything.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "tests/peer/qemu/layout.h"
#include "tests/peer/qemu/scenario.h"
#include "tests/peer/qemu/tables.h"

namespace smmusim::peer {

/// A descriptor that a change can aim at.
struct Leaf {
  std::uint64_t at = 0;  ///< physical; 0: there is none
  std::uint64_t word = 0;
  std::uint64_t elsewhere = 0;  ///< the same with another output; 0: impossible
  unsigned granule = 12;
  int level = 3;
  unsigned shift() const { return granule + static_cast<unsigned>(3 - level) * (granule - 3); }
};

struct Page {
  std::uint64_t input = 0;  ///< VA, or IPA without stage 1
  std::uint64_t ipa = 0;
  Leaf s1, s2;
  std::uint64_t s1_table_at = 0;  ///< the table descriptor above s1; 0: there is none
};

struct Stream {
  Device device{};
  unsigned config = 5;
  std::uint16_t asid = 0, vmid = 0;
  std::uint64_t ste = 0, cd = 0, l1std = 0;  ///< physical; 0: there is none
  bool stage1() const { return (config & 1) != 0; }
  bool stage2() const { return (config & 2) != 0; }
};

struct World {
  std::vector<Stream> streams;
  std::vector<Page> pages;
  std::uint64_t root_leaf = 0;  ///< stage-2 leaf that maps the stage-1 root; 0: there is none
  std::uint64_t root_ipa = 0;
  bool tbi = false;
};

/// Fills in the image, targets and queues of a scenario.
World make_world(Random& random, Scenario& scenario, Stages stages);

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// Facts about the input of a case: which structures its access leads to. They are read leniently: a walk goes on
// where either side might, whatever is illegal on the way. The predicates of divergences.cc look at nothing else.
// This is no third SMMU: it decides no outcome.
#pragma once

#include <cstdint>
#include <vector>

#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "tests/peer/qemu/case.h"

namespace smmusim::peer {

inline constexpr unsigned oas_bits = 44;  ///< what QEMU advertises

/// A descriptor that a walk met.
struct Visit {
  int level = 0;
  std::uint64_t address = 0;  ///< physical
  std::uint64_t word = 0;
  bool present = true;  ///< it lies in RAM
  bool leaf(unsigned) const { return (word & 1) != 0 && (level == 3 ? (word & 2) != 0 : (word & 2) == 0); }
  bool table() const { return level < 3 && (word & 3) == 3; }
};

/// What stage 2 made an address of.
enum class Use : std::uint8_t { cd, ttb, table, data };
struct Walk {
  Use use = Use::data;  ///< of a stage-2 walk
  std::uint64_t input = 0;
  unsigned granule = 12;
  std::vector<Visit> visits;
  bool complete = false;      ///< the last visit is a leaf
  bool concatenated = false;  ///< stage 2 starts in the second or a later one of concatenated tables
  unsigned shift = 12;        ///< log2 of the leaf's size
  std::uint64_t output = 0;   ///< valid if complete
  const Visit& last() const { return visits.back(); }
};

struct Facts {
  bool ste_found = false;  ///< the stream table leads to an STE
  std::uint64_t l1std = 0;
  std::uint64_t ste_address = 0;
  spec::Ste ste;
  bool stage1 = false;
  bool stage2 = false;
  bool cd_present = false;   ///< the CD lies in RAM
  std::uint64_t cd_ipa = 0;  ///< S1ContextPtr
  std::uint64_t cd_address = 0;
  spec::Cd cd;
  bool upper = false;        ///< VA[55]: TTB1
  Walk walk1;                ///< stage 1
  std::uint64_t root = 0;    ///< of the stage-1 table, as the CD has it
  std::vector<Walk> ttbs;    ///< stage 2 of the enabled TTBs as the CD has them, TTB0 first
  std::vector<Walk> walks2;  ///< stage 2, in the order of use
  bool split_table = false;  ///< a stage-1 table starts in a smaller stage-2 page, or a descriptor lies in another one
  unsigned ips_bits = 48;    ///< CD.IPS, not clamped
};

Facts facts_of(const Case& one);

/// Bits of an address size code; reserved ones as the largest.
unsigned address_bits_of(unsigned code);

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// The parts of a random case above the translation tables: ID registers, domains (everything with one StreamWorld and
// VMID), address spaces (the content of a CD), STEs and CD tables (IHI 0070 chapters 3, 5, 6). Private to tests/random.
#ifndef TESTS_RANDOM_CASE_STRUCTURES_H_
#define TESTS_RANDOM_CASE_STRUCTURES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/random/case_tables.h"
#include "tests/random/reference/structures.h"

namespace refwalk {

/// Writes `value` to bits [high:low] of a structure.
void set_field(Structure& words, unsigned high, unsigned low, uint64_t value);

/// Writes `value` to bits [high:low] of a register.
void set_bits(uint32_t& word, unsigned high, unsigned low, uint64_t value);

/// One CD content and the addresses worth trying in it.
struct AddressSpace {
  Structure cd{};
  std::vector<Target> targets;
  unsigned tbi = 0;  // bit 0: TBI0, bit 1: TBI1
  unsigned range_log2[2] = {48, 48};
};

/// All streams of one StreamWorld and VMID.
struct Domain {
  StreamWorld world = StreamWorld::EL1;
  unsigned vmid = 0;
  Structure stage2_fields{};  // STE words with the S2* fields; zero without stage 2
  std::unique_ptr<GuestSpace> guest;
  std::vector<AddressSpace> spaces;   // none where only stage 2 may translate
  std::vector<Target> guest_targets;  // what stage 2 alone maps for clients
};

/// A stream whose STE stands in the stream table.
struct Stream {
  uint32_t sid = 0;
  size_t domain = 0;
  unsigned cd_max = 0;          // S1CDMax
  std::vector<uint32_t> ssids;  // CD indexes that hold a CD
  std::vector<size_t> spaces;   // the address space of each
  bool stage1 = false;
};

/// What the makers below share.
struct Workshop {
  Rng& rng;
  const CaseOptions& options;
  Registers& registers;
  Features features;
  PhysicalSpace& physical;
};

/// ID registers that the options allow, and CR2, GBPA.
void make_registers(Rng& rng, const CaseOptions& options, Registers& registers);

/// Domains with their stage-2 tables, address spaces and stage-1 tables.
std::vector<Domain> make_domains(Workshop& shop);

/// Stage-2 tables and fields of a domain.
void make_stage2(Workshop& shop, Domain& domain);

/// STE of a new stream of this domain, with its CD table; the words are returned, `stream` is filled in.
Structure make_stream(Workshop& shop, const Domain& domain, Stream& stream);

}  // namespace refwalk

#endif  // TESTS_RANDOM_CASE_STRUCTURES_H_

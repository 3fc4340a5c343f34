// SPDX-License-Identifier: MIT
// Random cases for the three-way check: a memory image with stream table, CD tables and translation tables, the
// registers, and a list of accesses (IHI 0070 chapters 3 and 5, DDI 0487 D8). Same seed and options, same bytes.
// Includes nothing of model/, tlm/ or platform/.
//
// Consistency for a reader with caches (3.17, 5.2.1, 5.4.1): unless `Case::cacheable` is false,
//  - all CDs with one (StreamWorld, VMID, ASID) are copies of one address space; only A, R, S and the validity of the
//    copy differ, and a copy that differs otherwise is ILLEGAL;
//  - leaves with nG=0 exist only where every address space of that StreamWorld and VMID uses the same tables, or where
//    there are exactly two and their ASET differs;
//  - all STEs with one VMID have the same stage-2 fields, and VMIDs of streams with and without stage 2 differ;
//  - the Contiguous bit stands only on whole, aligned runs of equal descriptors;
//  - a guest page that holds CDs or stage-1 tables has one stage-2 mapping;
//  - memory changes only by hardware updates (options.httu). Whether an access faults does not depend on them: HA, HD,
//    S2HA and S2HD are part of what all users of a table share.
#ifndef TESTS_RANDOM_CASE_GENERATOR_H_
#define TESTS_RANDOM_CASE_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tests/random/reference/ats.h"
#include "tests/random/reference/refwalk.h"

namespace refwalk {

/// Physical memory of a case. Words that are absent read as zero; an access that touches an aborting range is an
/// external abort.
struct SparseImage : Memory {
  std::map<uint64_t, uint64_t> words;     // 8-byte aligned physical address -> little-endian 64-bit word
  std::map<uint64_t, uint64_t> aborting;  // base -> bytes
  uint64_t frame = 0;                     // the one of `aborting` that is the SMMU's own registers; 0: none is

  bool read(uint64_t pa, void* data, size_t n) const override;
};

struct CaseOptions {
  bool granule16 = true;    // advertise and use 16 KB tables
  bool granule64 = true;    // advertise and use 64 KB tables
  bool substreams = true;   // SSIDSIZE > 0, CD tables, accesses with a SubstreamID
  bool two_level = true;    // 2-level stream tables (ST_LEVEL) and CD tables (CD2L)
  bool stage2 = false;      // S2P: VMIDs, stage-2-only and nested streams
  bool stage1 = true;       // false: S1P=0 (only together with stage2)
  double corruption = 0.0;  // probability that a case gets 1 to 8 bit flips in structures (then not cacheable)
  unsigned accesses = 64;
  unsigned streams = 6;

  // What a model may not do yet; false keeps the feature unadvertised and unused.
  bool stall = true;         // STALL_MODEL 0 and 2 beside 1
  bool ats = false;          // IDR0.ATS, EATS, ATSCHK, and Case::requests
  unsigned httu = 0;         // largest IDR0.HTTU: HA, HD, S2HA, S2HD, DBM, leaves with AF=0 (3: HAFT too)
  bool big_endian = true;    // TTENDIAN 0 and 3 beside 2
  bool el2 = true;           // HYP, streams with STRW=2, CR2.E2H (only together with stage2)
  bool address52 = true;     // OAS 52, VAX 1 and DS
  bool small_tables = true;  // IDR3.STT
  bool aborts = true;        // tables, CDs and STEs in memory that aborts
  bool bypass = true;        // some cases with SMMUEN=0
  bool attributes = true;    // IDR1.ATTR_TYPES_OVR, and accesses with attributes of their own
  bool minor_zero = true;    // SMMUv3.0 too
};

struct Case {
  uint64_t seed = 0;
  Registers registers;
  SparseImage memory;
  std::vector<Access> accesses;
  std::vector<TranslationRequest> requests;  // half as many, with options.ats only
  bool cacheable = true;                     // false: the comparer must flush all caches before each access
};

/// Builds the case of this seed.
Case generate_case(uint64_t seed, const CaseOptions& options);

}  // namespace refwalk

#endif  // TESTS_RANDOM_CASE_GENERATOR_H_

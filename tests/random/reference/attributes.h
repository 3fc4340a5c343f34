// SPDX-License-Identifier: MIT
// Memory type, allocation hints and shareability in the reference walker (IHI 0070 chapter 13, MAIR in 5.4; DDI 0487
// D8.6): overrides, stage 1 replaces, stage 2 combines, consistency. Pure functions; nothing here reads memory.
#ifndef TESTS_RANDOM_REFERENCE_ATTRIBUTES_H_
#define TESTS_RANDOM_REFERENCE_ATTRIBUTES_H_

#include <cstdint>

#include "tests/random/reference/refwalk.h"

namespace refwalk {

/// MTCFG, MemAttr, ALLOCCFG and SHCFG of an STE or of GBPA.
struct TypeOverrides {
  bool mtcfg;
  unsigned mem_attr, alloccfg, shcfg;
};

/// MemAttr[3:0] and SH of a stage-2 leaf (STE.S2SH0 with S2DS); whether S2FWB and FEAT_MTE_PERM change their meaning.
struct Stage2Attributes {
  unsigned mem_attr, sh;
  bool forced_write_back, mte_perm;
};

/// 13.1.4: `input` with the overrides.
MemoryAttributes overridden(const MemoryAttributes& input, const TypeOverrides& overrides);

/// 13.4.2: type and shareability of the byte of MAIR and of SH; hints combined with those of a cacheable `input`.
MemoryAttributes replaced_by_stage1(const MemoryAttributes& input, uint8_t mair_attr, unsigned sh);

/// 13.4.3, 13.1.6: `input` combined with, or forced by, the stage-2 leaf.
MemoryAttributes combined_with_stage2(const MemoryAttributes& input, const Stage2Attributes& leaf);

/// 13.1.7: nothing contradictory leaves the SMMU.
MemoryAttributes consistent(MemoryAttributes attributes);

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_ATTRIBUTES_H_

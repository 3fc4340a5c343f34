// SPDX-License-Identifier: MIT
// Level-1 descriptors of two-level stream tables (IHI 0070 section 5.1) and CD tables (section 5.3), 8 bytes each.
#pragma once

#include <cstdint>

#include "model/base/field.h"

namespace smmusim::spec {

struct L1std : Words<L1std, 1> {
  using Span = Field<4, 0, unsigned>;            ///< 0 and 12 to 31 invalid; n = 2^(n-1) STEs
  using L2Ptr = Field<55, 6, std::uint64_t, 6>;  ///< physical address, aligned by hardware to the array's size
};
inline constexpr FieldRow l1std_fields[] = {
    field_row<L1std::Span>("Span"),
    field_row<L1std::L2Ptr>("L2Ptr"),
};

struct L1cd : Words<L1cd, 1> {
  using V = Field<0, 0, bool>;
  using L2Ptr = Field<55, 12, std::uint64_t, 12>;  ///< PA, or IPA when stage 2 is enabled
};
inline constexpr FieldRow l1cd_fields[] = {
    field_row<L1cd::V>("V", "0=invalid 1=valid"),
    field_row<L1cd::L2Ptr>("L2Ptr"),
};

}  // namespace smmusim::spec

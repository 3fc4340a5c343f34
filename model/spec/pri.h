// SPDX-License-Identifier: MIT
// PRI queue entry, 16 bytes (IHI 0070 section 8.1): one PCIe Page Request Message.
#pragma once

#include <cstdint>

#include "model/base/field.h"

namespace smmusim::spec {

struct PriEntry : Words<PriEntry, 2> {
  using StreamID = Field<31, 0, std::uint32_t>;
  using SubstreamID = Field<51, 32, std::uint32_t>;
  using Priv = Field<58, 58, bool>;
  using X = Field<59, 59, bool>;
  using R = Field<60, 60, bool>;
  using W = Field<61, 61, bool>;
  using Last = Field<62, 62, bool>;
  using SSV = Field<63, 63, bool>;
  using PRGIndex = Field<72, 64, unsigned>;
  using Address = Field<127, 76, std::uint64_t, 12>;
};

/// Every field of the entry; what no row covers is RES0.
inline constexpr FieldRow pri_fields[] = {
    field_row<PriEntry::StreamID>("StreamID"),
    field_row<PriEntry::SubstreamID>("SubstreamID"),
    field_row<PriEntry::Priv>("Priv"),
    field_row<PriEntry::X>("X"),
    field_row<PriEntry::R>("R"),
    field_row<PriEntry::W>("W"),
    field_row<PriEntry::Last>("Last"),
    field_row<PriEntry::SSV>("SSV"),
    field_row<PriEntry::PRGIndex>("PRGIndex"),
    field_row<PriEntry::Address>("Address"),
};

}  // namespace smmusim::spec

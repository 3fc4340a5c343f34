// SPDX-License-Identifier: MIT
// The attributes that an access leaves the SMMU with (IHI 0070 chapter 13): incoming, overridden by STE or GBPA,
// replaced by stage 1, combined with stage 2.
#pragma once

#include "model/smmu/stream_context.h"
#include "model/smmu/transaction.h"
#include "model/vmsa/attributes.h"

namespace smmusim {

/// Attributes of an access that no stage translates (sections 13.2 to 13.4). `types_overridable` is
/// IDR1.ATTR_TYPES_OVR: without it the incoming attributes stay.
MemoryAttributes bypass_attributes(const MemoryAttributes& incoming, const AttributeOverrides& overrides,
                                   bool types_overridable);

/// Attributes after stage 1: its memory type and shareability replace the input's; allocation hints combine where
/// both are cacheable (section 13.4.2), but for those of `fixed_hints` (TlbEntry).
MemoryAttributes combined_with_stage1(const MemoryAttributes& incoming, const AttributeOverrides& overrides,
                                      bool types_overridable, const MemoryAttributes& stage1, unsigned fixed_hints);
/// Which hints of a nested leaf are stage 2's alone: it has forced Write-Back (S2FWB) on what stage 1 does not cache.
unsigned hints_fixed_by_stage2(std::uint8_t stage1, std::uint8_t both);

/// Attributes of an access that stage 2 alone translates (sections 13.1.5 and 13.4.3).
MemoryAttributes combined_with_stage2(const MemoryAttributes& incoming, const StreamContext& context,
                                      const spec::Features& features, const MemoryAttributes& stage2);

/// Attributes of an access that `entry` translates. Of a nested entry they are those of both stages already.
[[gnu::always_inline]] inline MemoryAttributes translated_attributes(const MemoryAttributes& incoming,
                                                                     const StreamContext& context,
                                                                     const spec::Features& features,
                                                                     const TlbEntry& entry) {
  if (entry.context.world == StreamWorld::ns_stage2) [[unlikely]] {
    return combined_with_stage2(incoming, context, features, entry.attributes);
  }
  // What most clients send has every hint, and leaves stage 1's as they are.
  if (incoming.type == mair_normal_wb && !features.attr_types_ovr) return entry.attributes;
  return combined_with_stage1(incoming, context.overrides, features.attr_types_ovr, entry.attributes,
                              entry.fixed_hints);
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Memory types nibble by nibble (IHI 0070 sections 13.1 to 13.4). What an access is allowed is not decided here.
#include "model/smmu/attributes.h"

namespace smmusim {
namespace {

// A nibble of a Normal type: 0100 NC; else bit 3 is non-transient for WT (10rw) and, with bit 2, for WB (11rw).
constexpr bool nibble_cacheable(unsigned nibble) {
  return nibble != 0x4;
}
constexpr bool nibble_write_back(unsigned nibble) {
  return (nibble & 0x4) != 0;
}
constexpr bool nibble_transient(unsigned nibble) {
  return (nibble & 0x8) == 0;
}

constexpr unsigned make_nibble(bool write_back, bool read_allocate, bool write_allocate, bool transient) {
  const unsigned hints = (read_allocate ? 2u : 0u) | (write_allocate ? 1u : 0u);
  const bool keeps_transient = transient && hints != 0;  // RA=WA=0 has no transient hint
  return (keeps_transient ? 0u : 8u) | (write_back ? 4u : 0u) | hints;
}

unsigned combine_hints(unsigned stage1, unsigned input) {
  if (!nibble_cacheable(stage1) || !nibble_cacheable(input)) return stage1;
  return make_nibble(nibble_write_back(stage1), (stage1 & input & 2) != 0, (stage1 & input & 1) != 0,
                     nibble_transient(stage1) || nibble_transient(input));
}

/// ALLOCCFG 1rwt: replaces the hints of a cacheable nibble.
unsigned with_hints(unsigned nibble, unsigned alloccfg) {
  if (!nibble_cacheable(nibble)) return nibble;
  return make_nibble(nibble_write_back(nibble), (alloccfg & 4) != 0, (alloccfg & 2) != 0, (alloccfg & 1) != 0);
}

/// A type from MemAttr has no hints of its own: it keeps those of a cacheable input (13.1.3, 13.1.4).
unsigned with_incoming_hints(unsigned nibble, unsigned incoming) {
  if (!nibble_cacheable(nibble) || !nibble_cacheable(incoming)) return nibble;
  return make_nibble(nibble_write_back(nibble), (incoming & 2) != 0, (incoming & 1) != 0, nibble_transient(incoming));
}

/// `change(nibble, incoming nibble)` for outer and inner.
template <class OnNibble>
std::uint8_t per_nibble(std::uint8_t type, std::uint8_t incoming, OnNibble change) {
  return static_cast<std::uint8_t>(change(type >> 4, incoming >> 4) << 4 | change(type & 0xf, incoming & 0xf));
}

}  // namespace

MemoryAttributes bypass_attributes(const MemoryAttributes& incoming, const AttributeOverrides& overrides,
                                   bool types_overridable) {
  MemoryAttributes out = incoming;
  if (types_overridable) {
    if (overrides.mtcfg) out.type = memattr_to_mair(overrides.memattr);
    if (overrides.mtcfg && !is_device(out.type) && !is_device(incoming.type)) {
      out.type = per_nibble(out.type, incoming.type, with_incoming_hints);
    }
    if (overrides.shcfg != 1) out.shareability = overrides.shcfg;
    if ((overrides.alloccfg & 8) != 0 && !is_device(out.type)) {
      out.type = per_nibble(out.type, incoming.type,
                            [&](unsigned nibble, unsigned) { return with_hints(nibble, overrides.alloccfg); });
    }
  }
  out.type = resolved_mair(out.type);
  out.shareability = effective_shareability(out.type, out.shareability);
  return out;
}

MemoryAttributes combined_with_stage1(const MemoryAttributes& incoming, const AttributeOverrides& overrides,
                                      bool types_overridable, const MemoryAttributes& stage1, unsigned fixed_hints) {
  const std::uint8_t input = bypass_attributes(incoming, overrides, types_overridable).type;
  if (input == mair_normal_wb || is_device(stage1.type) || is_device(input)) return stage1;
  const unsigned inner = (fixed_hints & 1) != 0 ? stage1.type & 0xfu : combine_hints(stage1.type & 0xf, input & 0xf);
  const unsigned outer = (fixed_hints & 2) != 0 ? stage1.type >> 4u : combine_hints(stage1.type >> 4, input >> 4);
  return {static_cast<std::uint8_t>(outer << 4 | inner), stage1.shareability};
}

unsigned hints_fixed_by_stage2(std::uint8_t stage1, std::uint8_t both) {
  if (is_device(both)) return 0;
  const bool device = is_device(stage1);
  const auto forced = [device](unsigned before, unsigned after) {
    return nibble_cacheable(after) && (device || !nibble_cacheable(before));
  };
  return (forced(stage1 & 0xf, both & 0xf) ? 1u : 0u) | (forced(stage1 >> 4, both >> 4) ? 2u : 0u);
}

MemoryAttributes combined_with_stage2(const MemoryAttributes& incoming, const StreamContext& context,
                                      const spec::Features& features, const MemoryAttributes& stage2) {
  const MemoryAttributes input = bypass_attributes(incoming, context.overrides, features.attr_types_ovr);
  const S2Attributes leaf{stage2.type, stage2.shareability, context.s2.fwb, features.mteperm};
  const TypeAndShareability out = s2_combined(input.type, input.shareability, leaf);
  return {out.type, out.sh};
}

}  // namespace smmusim

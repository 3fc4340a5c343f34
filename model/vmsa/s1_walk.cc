// SPDX-License-Identifier: MIT
// Decoding of CD halves, table geometry, descriptors and permissions (Arm ARM D8.2 to D8.4). Reads no memory.
#include "model/vmsa/s1_walk.h"

#include <algorithm>

#include "model/vmsa/attributes.h"
#include "model/vmsa/permissions.h"

namespace smmusim {
namespace {

using spec::Cd;

unsigned granule_of(spec::Tg0 tg) {
  return tg == spec::Tg0::kib64 ? 16 : tg == spec::Tg0::kib16 ? 14 : 12;
}
unsigned granule_of(spec::Tg1 tg) {
  return tg == spec::Tg1::kib64 ? 16 : tg == spec::Tg1::kib16 ? 14 : 12;
}

constexpr bool bit(std::uint64_t word, unsigned n) {
  return ((word >> n) & 1) != 0;
}

/// Bits [47:granule] of a descriptor: the address of a table, block or page.
std::uint64_t address_field(std::uint64_t descriptor, unsigned low) {
  return descriptor & low_mask(48) & ~low_mask(low);
}

bool block_allowed(unsigned granule_bits, int level) {
  return level == 2 || (level == 1 && granule_bits == 12);
}

std::uint8_t hierarchical_of(std::uint64_t table) {
  unsigned gathered = 0;
  if (bit(table, 61)) gathered |= hierarchical::no_unprivileged;
  if (bit(table, 62)) gathered |= hierarchical::no_write;
  if (bit(table, 60)) gathered |= hierarchical::xn;
  if (bit(table, 59)) gathered |= hierarchical::pxn;
  return static_cast<std::uint8_t>(gathered);
}

/// Permissions of a regime with one privilege level: every bit is given to both, so that PRIV does not matter.
std::uint8_t single_privilege_permissions(const S1TTWParams& params, bool write, bool xn) {
  using namespace permission;
  unsigned granted = unprivileged_read | privileged_read;
  if (write) granted |= any_write;
  if (!xn && !(params.wxn && write)) granted |= unprivileged_execute | privileged_execute;
  return static_cast<std::uint8_t>(granted);
}

std::uint8_t two_privilege_permissions(const S1TTWParams& params, bool write, bool unprivileged, bool uxn, bool pxn) {
  using namespace permission;
  unsigned granted = privileged_read;
  if (write) granted |= privileged_write;
  if (unprivileged) granted |= unprivileged_read;
  if (unprivileged && write) granted |= unprivileged_write;
  const bool unprivileged_writes = (granted & unprivileged_write) != 0;
  if (!uxn && !(params.wxn && unprivileged_writes)) granted |= unprivileged_execute;
  if (!pxn && !unprivileged_writes && !(params.wxn && write)) granted |= privileged_execute;
  const bool unprivileged_page = unprivileged || (params.epan && (granted & unprivileged_execute) != 0);
  if (params.pan && unprivileged_page) granted &= ~unsigned{privileged_read | privileged_write};
  return static_cast<std::uint8_t>(granted);
}

/// AP, APTable, XN, PXN, XNTable, PXNTable, WXN and PAN folded into the six direct permissions.
std::uint8_t permissions_of(const S1TTWParams& params, const TTWState& state, std::uint64_t leaf) {
  const std::uint8_t above = params.had ? std::uint8_t{0} : state.hierarchical;
  const bool write = !bit(leaf, 7) && (above & hierarchical::no_write) == 0;
  const bool xn = bit(leaf, 54) || (above & hierarchical::xn) != 0;
  if (params.single_privilege) return single_privilege_permissions(params, write, xn);
  const bool unprivileged = bit(leaf, 6) && (above & hierarchical::no_unprivileged) == 0;
  const bool pxn = bit(leaf, 53) || (above & hierarchical::pxn) != 0;
  return two_privilege_permissions(params, write, unprivileged, xn, pxn);
}

/// log2 of the run that the Contiguous bit names (Arm ARM D8.6.1); 0 where the bit is RES0.
unsigned contiguous_bits(unsigned granule_bits, int level) {
  const unsigned one = descriptor_bits(granule_bits, level);
  if (granule_bits == 12) return one + 4;
  if (granule_bits == 14) return level == 3 ? one + 7 : level == 2 ? one + 5 : 0;
  return level >= 2 ? one + 5 : 0;
}

WalkStep leaf_step(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  const unsigned bits = descriptor_bits(params.granule_bits, state.level);
  state.output = address_field(descriptor, bits);
  if (!fits(state.output, params.ps_bits)) return WalkStep::address_size_fault;
  if (!bit(descriptor, 10) && !params.affd) return WalkStep::access_fault;
  state.page_bits = static_cast<std::uint8_t>(bits);
  state.contiguous_bits = bit(descriptor, 52)
                              ? static_cast<std::uint8_t>(contiguous_bits(params.granule_bits, state.level))
                              : std::uint8_t{0};
  state.permissions = permissions_of(params, state, descriptor);
  const unsigned index = (descriptor >> 2) & 7;
  state.attr = resolved_mair((params.mair[index / 4] >> (index % 4 * 8)) & 0xff);
  state.sh = effective_shareability(state.attr, (descriptor >> 8) & 3);
  state.global = !bit(descriptor, 11) || params.single_privilege;
  return WalkStep::leaf;
}

}  // namespace

S1TTWParams s1_ttw_params(const Cd& cd, unsigned half, bool two_privileges, const spec::Features& features) {
  S1TTWParams params;
  params.ttb = s1_ttb(cd, half, features);
  params.mair[0] = static_cast<std::uint32_t>(cd.dw[3]);
  params.mair[1] = static_cast<std::uint32_t>(cd.dw[3] >> 32);
  params.txsz = static_cast<std::uint8_t>(half == 0 ? cd.get<Cd::T0SZ>() : cd.get<Cd::T1SZ>());
  params.granule_bits =
      static_cast<std::uint8_t>(half == 0 ? granule_of(cd.get<Cd::TG0>()) : granule_of(cd.get<Cd::TG1>()));
  params.ps_bits = static_cast<std::uint8_t>(std::min(spec::address_bits(cd.get<Cd::IPS>()), features.oas));
  const unsigned inner = half == 0 ? cd.get<Cd::IR0>() : cd.get<Cd::IR1>();
  const unsigned outer = half == 0 ? cd.get<Cd::OR0>() : cd.get<Cd::OR1>();
  params.walk_attr = cacheability_to_mair(inner, outer);
  params.walk_sh = effective_shareability(params.walk_attr,
                                          static_cast<unsigned>(half == 0 ? cd.get<Cd::SH0>() : cd.get<Cd::SH1>()));
  params.exists = half == 0 || two_privileges;
  params.epd = two_privileges && (half == 0 ? cd.get<Cd::EPD0>() : cd.get<Cd::EPD1>());
  params.tbi = half == 0 ? cd.get<Cd::TBI0>() : cd.get<Cd::TBI1>();
  params.had = half == 0 ? cd.get<Cd::HAD0>() : cd.get<Cd::HAD1>();
  params.big_endian = cd.get<Cd::ENDI>();
  params.affd = cd.get<Cd::AFFD>();
  params.wxn = cd.get<Cd::WXN>();
  params.pan = two_privileges && cd.get<Cd::PAN>();
  params.epan = features.epan && cd.get<Cd::EPAN>();
  params.e0pd = features.e0pd && two_privileges && (half == 0 ? cd.get<Cd::E0PD0>() : cd.get<Cd::E0PD1>());
  params.single_privilege = !two_privileges;
  return params;
}

TTWState s1_walk_start(const S1TTWParams& params) {
  const unsigned input_bits = 64u - params.txsz;
  const unsigned stride = params.granule_bits - 3u;
  TTWState state;
  state.level = 3 - static_cast<int>((input_bits - 1 - params.granule_bits) / stride);
  const unsigned index_bits = input_bits - descriptor_bits(params.granule_bits, state.level);
  const unsigned alignment = std::max(index_bits + 3, params.ps_bits > 48 ? 6u : 4u);
  state.base = params.ttb & ~low_mask(alignment);
  return state;
}

std::uint64_t s1_descriptor_address(const S1TTWParams& params, const TTWState& state, std::uint64_t canonical) {
  const unsigned shift = descriptor_bits(params.granule_bits, state.level);
  const unsigned top = state.start_table ? 64u - params.txsz : shift + params.granule_bits - 3u;
  return state.base + ((canonical & low_mask(top)) >> shift) * 8;
}

WalkStep s1_walk_step(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  if (!bit(descriptor, 0)) return WalkStep::translation_fault;
  if (state.level == 3) return bit(descriptor, 1) ? leaf_step(params, state, descriptor) : WalkStep::translation_fault;
  if (!bit(descriptor, 1)) {
    return block_allowed(params.granule_bits, state.level) ? leaf_step(params, state, descriptor)
                                                           : WalkStep::translation_fault;
  }
  const std::uint64_t next = address_field(descriptor, params.granule_bits);
  if (!fits(next, params.ps_bits)) return WalkStep::address_size_fault;
  state.base = next;
  state.hierarchical |= hierarchical_of(descriptor);
  state.start_table = false;
  ++state.level;
  return WalkStep::table;
}

}  // namespace smmusim

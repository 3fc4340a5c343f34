// SPDX-License-Identifier: MIT
// Decoding of an STE's stage 2, the start-level rules, and the permissions and attributes of a stage-2 leaf (Arm ARM
// D8.2, D8.4.2, D8.6). Reads no memory.
#include "model/vmsa/s2_walk.h"

#include <algorithm>

#include "model/vmsa/attributes.h"
#include "model/vmsa/permissions.h"

namespace smmusim {
namespace {

using spec::Ste;
using ttw::bit;

/// XN[1:0] with XNX (table D8-78), else bit 54 alone (table D8-77).
unsigned execute_of(const S2TTWParams& params, std::uint64_t leaf) {
  using namespace permission;
  const bool both_alike = !params.xnx || !bit(leaf, 53);
  if (both_alike) return bit(leaf, 54) ? 0u : unsigned{unprivileged_execute} | privileged_execute;
  return bit(leaf, 54) ? privileged_execute : unprivileged_execute;
}

/// S2AP[1:0] is bits [7:6], read and write (table D8-76). It does not look at the privilege.
std::uint8_t permissions_of(const S2TTWParams& params, std::uint64_t leaf) {
  using namespace permission;
  unsigned granted = execute_of(params, leaf);
  granted |= static_cast<unsigned>(leaf >> 6 & 1) * (unsigned{unprivileged_read} | privileged_read);
  granted |= static_cast<unsigned>(leaf >> 7 & 1) * any_write;
  return static_cast<std::uint8_t>(granted);
}

}  // namespace

S2TTWParams s2_ttw_params(const Ste& ste, const spec::Features& features) {
  S2TTWParams params;
  params.ttb = s2_table_base(ste, features);
  params.txsz = static_cast<std::uint8_t>(ste.get<Ste::S2T0SZ>());
  params.granule_bits = static_cast<std::uint8_t>(granule_bits_of(ste.get<Ste::S2TG>()));
  params.ds = features.ds && ste.get<Ste::S2DS>() && params.granule_bits != 16;
  params.lpa = features.oas >= 52 && params.granule_bits == 16;
  const std::optional<int> start =
      s2_start_level(params.granule_bits, ste.get<Ste::S2SL0>(), ste.get<Ste::S2SL0_2>(), params.ds, features);
  params.start_level = static_cast<std::int8_t>(start.value_or(3));
  params.ps_bits = static_cast<std::uint8_t>(output_bits(ste.get<Ste::S2PS>(), features));
  params.walk_attr = cacheability_to_mair(ste.get<Ste::S2IR0>(), ste.get<Ste::S2OR0>());
  params.leaf_sh = static_cast<std::uint8_t>(ste.get<Ste::S2SH0>());
  params.walk_sh = effective_shareability(params.walk_attr, params.leaf_sh);
  params.big_endian = ste.get<Ste::S2ENDI>();
  params.ha = features.httu >= spec::Httu::access && ste.get<Ste::S2HA>();
  params.hd = features.httu >= spec::Httu::access_dirty && ste.get<Ste::S2HD>() && params.ha;
  params.haft = features.httu == spec::Httu::access_dirty_table && ste.get<Ste::S2HAFT>() && params.ha;
  params.affd = ste.get<Ste::S2AFFD>() && !ste.get<Ste::S2HA>();  // with S2HA, S2AFFD is IGNORED
  params.ptw = ste.get<Ste::S2PTW>();
  params.fwb = features.fwb && ste.get<Ste::S2FWB>();
  params.xnx = features.xnx;
  params.mteperm = features.mteperm;
  params.nt = features.bbml == 1;
  return params;
}

void s2_complete_leaf(const S2TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  state.permissions = permissions_of(params, descriptor);
  state.gain = params.hd && bit(descriptor, 51) && !bit(descriptor, 7) ? permission::any_write : std::uint8_t{0};
  state.memattr = static_cast<std::uint8_t>((descriptor >> 2) & 0xf);
  const unsigned sh = params.ds ? params.leaf_sh : (descriptor >> 8) & 3;
  state.sh = static_cast<std::uint8_t>(sh == 1 ? 0 : sh);
  state.attr = s2_combined(mair_normal_wb, 0, s2_attributes(params, state)).type;
}

std::optional<int> s2_start_level(unsigned granule_bits, unsigned sl0, bool sl0_2, bool ds,
                                  const spec::Features& features) {
  const auto if_allowed = [](int level, bool allowed) { return allowed ? std::optional<int>(level) : std::nullopt; };
  if (granule_bits == 12) {
    const bool sl2 = ds && sl0_2;
    if (sl0 == 0) return sl2 ? if_allowed(-1, features.oas >= 52) : 2;
    if (sl0 == 1) return if_allowed(1, !sl2);
    if (sl0 == 2) return if_allowed(0, !sl2 && features.oas >= 44);
    return if_allowed(3, !sl2 && features.stt);
  }
  if (sl0 < 2) return 3 - static_cast<int>(sl0);
  if (granule_bits == 14) return sl0 == 2 ? if_allowed(1, features.oas >= 42) : if_allowed(0, ds && features.oas >= 52);
  return if_allowed(1, sl0 == 2 && features.oas >= 44);
}

bool s2_geometry_consistent(unsigned granule_bits, unsigned t0sz, int start_level) {
  const unsigned input_bits = 64 - t0sz;
  const unsigned one = descriptor_bits(granule_bits, start_level);
  constexpr unsigned concatenated_bits = 4;
  return input_bits > one && input_bits <= one + (granule_bits - 3) + concatenated_bits;
}

}  // namespace smmusim

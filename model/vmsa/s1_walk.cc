// SPDX-License-Identifier: MIT
// Decoding of CD halves, and the permissions and attributes of a stage-1 leaf (Arm ARM D8.4, D8.6). Reads no memory.
#include "model/vmsa/s1_walk.h"

#include <algorithm>

#include "model/vmsa/attributes.h"
#include "model/vmsa/permissions.h"

namespace smmusim {
namespace {

using spec::Cd;
using ttw::bit;

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

/// Not writable only because of AP[2], and meant to be (DBM): section 3.13.3.1.
bool writable_clean(const S1TTWParams& params, std::uint64_t leaf) {
  return params.hd && bit(leaf, 7) && bit(leaf, 51);
}

/// AP, APTable, XN, PXN, XNTable, PXNTable, WXN and PAN folded into the six direct permissions. A writable-clean page
/// counts as writable, also for what that means for execution (3.13.8).
std::uint8_t permissions_of(const S1TTWParams& params, const TTWState& state, std::uint64_t leaf) {
  const std::uint8_t above = params.had ? std::uint8_t{0} : state.hierarchical;
  const bool write = (!bit(leaf, 7) || writable_clean(params, leaf)) && (above & hierarchical::no_write) == 0;
  const bool xn = bit(leaf, 54) || (above & hierarchical::xn) != 0;
  if (params.single_privilege) return single_privilege_permissions(params, write, xn);
  const bool unprivileged = bit(leaf, 6) && (above & hierarchical::no_unprivileged) == 0;
  const bool pxn = bit(leaf, 53) || (above & hierarchical::pxn) != 0;
  return two_privilege_permissions(params, write, unprivileged, xn, pxn);
}

struct HalfFields {
  unsigned txsz, granule_bits, inner, outer;
  spec::Shareability sh;
  bool epd, tbi, had, e0pd;
};
HalfFields fields_of(const Cd& cd, unsigned half) {
  if (half == 0) {
    return {cd.get<Cd::T0SZ>(), granule_bits_of(cd.get<Cd::TG0>()),
            cd.get<Cd::IR0>(),  cd.get<Cd::OR0>(),
            cd.get<Cd::SH0>(),  cd.get<Cd::EPD0>(),
            cd.get<Cd::TBI0>(), cd.get<Cd::HAD0>(),
            cd.get<Cd::E0PD0>()};
  }
  return {cd.get<Cd::T1SZ>(), granule_bits_of(cd.get<Cd::TG1>()),
          cd.get<Cd::IR1>(),  cd.get<Cd::OR1>(),
          cd.get<Cd::SH1>(),  cd.get<Cd::EPD1>(),
          cd.get<Cd::TBI1>(), cd.get<Cd::HAD1>(),
          cd.get<Cd::E0PD1>()};
}

}  // namespace

S1TTWParams s1_ttw_params(const Cd& cd, unsigned half, bool two_privileges, const spec::Features& features) {
  const HalfFields fields = fields_of(cd, half);
  S1TTWParams params;
  params.ttb = s1_ttb(cd, half, features);
  params.mair[0] = cd.get<Cd::MAIR0>();
  params.mair[1] = cd.get<Cd::MAIR1>();
  params.txsz = static_cast<std::uint8_t>(fields.txsz);
  params.granule_bits = static_cast<std::uint8_t>(fields.granule_bits);
  params.ps_bits = static_cast<std::uint8_t>(output_bits(cd.get<Cd::IPS>(), features));
  params.walk_attr = cacheability_to_mair(fields.inner, fields.outer);
  params.walk_sh = effective_shareability(params.walk_attr, static_cast<unsigned>(fields.sh));
  params.leaf_sh = static_cast<std::uint8_t>(fields.sh);
  params.ds = features.ds && cd.get<Cd::DS>() && fields.granule_bits != 16;
  params.lpa = features.oas >= 52 && fields.granule_bits == 16;
  params.nt = features.bbml == 1;
  params.exists = half == 0 || two_privileges;
  params.epd = two_privileges && fields.epd;
  params.tbi = fields.tbi;
  params.had = features.had && fields.had;
  params.big_endian = cd.get<Cd::ENDI>();
  params.ha = features.httu >= spec::Httu::access && cd.get<Cd::HA>();
  params.hd = features.httu >= spec::Httu::access_dirty && cd.get<Cd::HD>() && params.ha;
  params.haft = features.httu == spec::Httu::access_dirty_table && cd.get<Cd::HAFT>() && params.ha;
  params.affd = cd.get<Cd::AFFD>() && !cd.get<Cd::HA>();  // with HA, AFFD is IGNORED
  params.wxn = cd.get<Cd::WXN>();
  params.pan = two_privileges && cd.get<Cd::PAN>();
  params.epan = features.epan && cd.get<Cd::EPAN>();
  params.e0pd = features.e0pd && two_privileges && fields.e0pd;
  params.single_privilege = !two_privileges;
  s1_prepare(params, half);
  return params;
}

void s1_prepare(S1TTWParams& params, unsigned half) {
  const std::uint64_t copies = half == 0 ? 0 : ~std::uint64_t{0};
  params.tag = params.tbi ? ~low_mask(56) : 0;
  params.sign = copies & params.tag;
  // 1 is in no mask of 0: the comparison then fails for every address.
  params.outside = params.exists ? ~low_mask(64u - params.txsz) : 0;
  params.expected = params.exists ? copies & params.outside : 1;
}

TTWState walk_start(const S1TTWParams& params) {
  const unsigned stride = params.granule_bits - 3u;
  const int level = 3 - static_cast<int>((63u - params.txsz - params.granule_bits) / stride);
  return ttw::start(params, level);
}

std::uint8_t s1_hierarchical(std::uint64_t table) {
  unsigned gathered = 0;
  if (bit(table, 61)) gathered |= hierarchical::no_unprivileged;
  if (bit(table, 62)) gathered |= hierarchical::no_write;
  if (bit(table, 60)) gathered |= hierarchical::xn;
  if (bit(table, 59)) gathered |= hierarchical::pxn;
  return static_cast<std::uint8_t>(gathered);
}

void s1_complete_leaf(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  state.permissions = permissions_of(params, state, descriptor);
  state.gain = 0;
  if (writable_clean(params, descriptor)) {
    state.gain = state.permissions & permission::any_write;
    state.permissions &= static_cast<std::uint8_t>(~permission::any_write);
  }
  const unsigned index = (descriptor >> 2) & 7;
  state.attr = resolved_mair((params.mair[index / 4] >> (index % 4 * 8)) & 0xff);
  state.sh = effective_shareability(state.attr, params.ds ? params.leaf_sh : (descriptor >> 8) & 3);
  state.global = !bit(descriptor, 11) || params.single_privilege;
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Stage 1 of VMSAv8-64 (Arm ARM D8.2 to D8.4; IHI 0070 section 3.4) as pure steps: where a walk starts, which
// descriptor comes next, what a descriptor means. The names are those of Arm's pseudocode. Nothing here reads memory:
// model/smmu/walk.cc fetches the descriptors and knows about caches and time.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/spec/cd.h"
#include "model/spec/features.h"
#include "model/vmsa/ttw_step.h"

namespace smmusim {

/// What a CD says about one half of the input range (TTB0 or TTB1).
struct S1TTWParams : TTWParams {
  std::uint32_t mair[2] = {0, 0};
  bool exists = false;  ///< the half can be used at all (TTB1: not in NS-EL2)
  bool epd = false;     ///< walks are disabled
  bool tbi = false;
  bool had = false;  ///< hierarchical permissions are ignored
  bool wxn = false;
  bool pan = false;
  bool epan = false;              ///< PAN counts unprivileged execute permission too
  bool e0pd = false;              ///< unprivileged accesses are not translated
  bool single_privilege = false;  ///< NS-EL2: AP[1] is treated as 1, PRIV isn't checked, one XN bit
  // Prepared from the above by s1_prepare(), for the checks of every access:
  std::uint64_t outside = 0;   ///< bits of a canonical address that no address in range may differ in
  std::uint64_t expected = 1;  ///< their value; no address has it if the half does not exist
  std::uint64_t tag = 0;       ///< the tag byte, if TBI
  std::uint64_t sign = 0;      ///< what replaces it: copies of bit 55
};

/// Decodes half 0 or 1 of `cd`. `two_privileges`: the StreamWorld is EL1 or EL2-E2H.
S1TTWParams s1_ttw_params(const spec::Cd& cd, unsigned half, bool two_privileges, const spec::Features& features);
/// TTBx as an address (section 5.4, TTB0): bits [47:4] in v3.0, [55:4] for VMSAv9-128, else [51:4]. The rest is RES0
/// and ignored.
constexpr std::uint64_t s1_ttb(const spec::Cd& cd, unsigned half, const spec::Features& features) {
  const std::uint64_t field = half == 0 ? cd.get<spec::Cd::TTB0>() : cd.get<spec::Cd::TTB1>();
  return field & low_mask(ttb_width(features, cd.get<spec::Cd::AA64>()));
}

/// Fills the prepared members for half 0 or 1 from txsz, tbi and exists. s1_ttw_params() has done so; whoever builds
/// params by hand calls it last.
void s1_prepare(S1TTWParams& params, unsigned half);
/// The address with the tag byte replaced by copies of bit 55 where TBI says so. `params` are those of the half that
/// bit 55 selects.
constexpr std::uint64_t s1_canonical(const S1TTWParams& params, std::uint64_t va) {
  return (va & ~params.tag) | params.sign;
}
/// True if the half exists and `canonical` lies in the range of TxSZ (for TTB0 below 2^(64-T0SZ), for TTB1 at the top).
constexpr bool s1_in_range(const S1TTWParams& params, std::uint64_t canonical) {
  return (canonical & params.outside) == params.expected;
}

/// A leaf, or a table, with the update that hardware makes: AF set, and with `dirty` AP[2] clear (3.13.2, 3.13.3.1).
constexpr std::uint64_t marked(const S1TTWParams&, std::uint64_t descriptor, bool dirty) {
  return (descriptor | std::uint64_t{1} << 10) & ~(dirty ? std::uint64_t{1} << 7 : 0);
}
TTWState walk_start(const S1TTWParams& params);
/// APTable, XNTable and PXNTable of a table descriptor, as hierarchical::….
std::uint8_t s1_hierarchical(std::uint64_t descriptor);
/// Permissions and attributes of a leaf that ttw::step() accepted. UWXN has no effect in VMSAv8-64.
void s1_complete_leaf(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor);
/// Digests `descriptor` (in host order) found in the table of `state`: `table` moves the state to the next table,
/// `leaf` completes it; a fault leaves it at the level where it happened.
inline WalkStep walk_step(const S1TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  const WalkStep step = ttw::step(params, state, descriptor);
  if (step == WalkStep::table) {
    if ((descriptor >> 59 & 0xf) != 0) [[unlikely]]
      state.hierarchical |= s1_hierarchical(descriptor);
  } else if (step == WalkStep::leaf) {
    s1_complete_leaf(params, state, descriptor);
  }
  return step;
}

}  // namespace smmusim

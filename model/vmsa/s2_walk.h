// SPDX-License-Identifier: MIT
// Stage 2 of VMSAv8-64 (Arm ARM D8.2 to D8.4; IHI 0070 sections 3.3.2, 3.4 and 5.2) as pure steps: where a walk
// starts, which descriptor comes next, what a descriptor means. The names are those of Arm's pseudocode. Nothing here
// reads memory, and nothing decides about S2PTW: the caller does.
#pragma once

#include <cstdint>
#include <optional>

#include "model/base/types.h"
#include "model/spec/features.h"
#include "model/spec/ste.h"
#include "model/vmsa/attributes.h"
#include "model/vmsa/ttw_step.h"

namespace smmusim {

/// What an STE says about stage 2.
struct S2TTWParams : TTWParams {
  std::int8_t start_level = 0;  ///< -1 to 3
  bool ptw = false;             ///< S2PTW
  bool fwb = false;             ///< S2FWB, if IDR3.FWB
  bool xnx = false;             ///< IDR3.XNX: XN is two bits
  bool mteperm = false;         ///< IDR3.MTEPERM: two more encodings of MemAttr
};

/// Decodes an STE that passed the legality rules. From an STE that did not, the result is harmless but meaningless.
S2TTWParams s2_ttw_params(const spec::Ste& ste, const spec::Features& features);

/// S2TTB as an address (section 5.2): bits [47:4] in v3.0, [55:4] for VMSAv9-128, else [51:4]. The rest is RES0 and
/// ignored.
constexpr std::uint64_t s2_table_base(const spec::Ste& ste, const spec::Features& features) {
  return ste.get<spec::Ste::S2TTB>() & low_mask(ttb_width(features, ste.get<spec::Ste::S2AA64>()));
}

/// True if `ipa` lies below 2^(64-S2T0SZ); otherwise the access is a stage-2 F_TRANSLATION (section 3.4).
constexpr bool s2_in_range(const S2TTWParams& params, std::uint64_t ipa) {
  return fits(ipa, 64u - params.txsz);
}
/// A leaf, or a table, with the update that hardware makes: AF set, and with `dirty` S2AP[1] (3.13.2, 3.13.3.1).
constexpr std::uint64_t marked(const S2TTWParams&, std::uint64_t descriptor, bool dirty) {
  return descriptor | std::uint64_t{1} << 10 | (dirty ? std::uint64_t{1} << 7 : 0);
}
inline TTWState walk_start(const S2TTWParams& params) {
  return ttw::start(params, params.start_level);
}
/// Permissions and attributes of a leaf that ttw::step() accepted: `attr` is what a Normal WB input becomes, so that
/// is_device(attr) decides S2PTW; the real output is s2_combined() with s2_attributes(). `permissions` are those of
/// both privileges; without XNX they are equal.
void s2_complete_leaf(const S2TTWParams& params, TTWState& state, std::uint64_t descriptor);
/// Digests `descriptor` (in host order) found in the table of `state`: `table` moves the state to the next table,
/// `leaf` completes it; a fault leaves it at the level where it happened.
inline WalkStep walk_step(const S2TTWParams& params, TTWState& state, std::uint64_t descriptor) {
  const WalkStep step = ttw::step(params, state, descriptor);
  if (step == WalkStep::leaf) s2_complete_leaf(params, state, descriptor);
  return step;
}
/// The attributes of a finished leaf, for s2_combined().
constexpr S2Attributes s2_attributes(const S2TTWParams& params, const TTWState& leaf) {
  return {leaf.memattr, leaf.sh, params.fwb, params.mteperm};
}

/// The level that S2SL0 and S2SL0_2 name, or nothing if the value is reserved for this granule or needs what the SMMU
/// lacks: STT for level 3 with 4 KiB; `ds` and an OAS of 52 for level -1 with 4 KiB and level 0 with 16 KiB; an OAS of
/// 44, 42 and 44 bits for S2SL0 = 2 with 4, 16 and 64 KiB (Arm ARM tables D8-9, D8-19, D8-29, D8-38). S2SL0_2 is looked
/// at with 4 KiB and `ds` only. `ds` is the effective STE.S2DS.
std::optional<int> s2_start_level(unsigned granule_bits, unsigned sl0, bool sl0_2, bool ds,
                                  const spec::Features& features);

/// True if a walk of 64-t0sz bits can start at `start_level`: the start table has at least one bit of index, and no
/// more than 4 bits beyond a whole table, so at most 16 tables are concatenated (AArch64.S2InconsistentSL). It doesn't
/// look at the range of S2T0SZ itself.
bool s2_geometry_consistent(unsigned granule_bits, unsigned t0sz, int start_level);

}  // namespace smmusim

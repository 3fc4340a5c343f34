// SPDX-License-Identifier: MIT
// Which PARTID and PMG an access carries, and when a VMS is in use (IHI 0070 chapter 17, sections 5.2 and 5.6). A value
// above what MPAMIDR allows may become any legal one: here 0. Without MPAM everything is 0. Nothing here reads memory.
#pragma once

#include <array>
#include <cstdint>

#include "model/smmu/core.h"
#include "model/spec/features.h"
#include "model/spec/registers_optional.h"
#include "model/spec/ste.h"

namespace smmusim {

inline MpamIds mpam_ids(const spec::Features& f, unsigned partid, unsigned pmg) {
  return {static_cast<std::uint16_t>(partid <= f.partid_max ? partid : 0),
          static_cast<std::uint16_t>(pmg <= f.pmg_max ? pmg : 0)};
}

/// The Virtual Machine Structure exists at all (section 5.6.1).
inline bool supports_vms(const spec::Features& f) {
  return f.mpam && f.s1p && f.s2p && f.partid_max != 0;
}
/// STE.VMSPtr means something (section 5.2).
inline bool uses_vms(const spec::Ste& ste, const spec::Features& f) {
  return supports_vms(f) && ste.get<spec::Ste::Config>() == spec::SteConfig::nested && ste.get<spec::Ste::S1MPAM>();
}

/// VMS.PARTID_MAP: 32 little-endian halfwords.
struct PartidMap {
  std::array<std::uint64_t, 8> words{};
  /// The PARTID for a virtual one, of which five bits count.
  unsigned operator[](unsigned virtual_partid) const {
    return static_cast<unsigned>(words[virtual_partid / 4 % 8] >> (16 * (virtual_partid % 4)) & 0xffff);
  }
};

/// Core::own_mpam and bypass_mpam, after GMPAM or GBPMPAM has changed.
inline void update_mpam(Core& core) {
  const spec::Features& f = core.config.features;
  const auto own = as<spec::GMPAM>(core.regs.gmpam);
  const auto bypass = as<spec::GBPMPAM>(core.regs.gbpmpam);
  core.own_mpam = mpam_ids(f, own.get<spec::GMPAM::SO_PARTID>(), own.get<spec::GMPAM::SO_PMG>());
  core.bypass_mpam = mpam_ids(f, bypass.get<spec::GBPMPAM::GBP_PARTID>(), bypass.get<spec::GBPMPAM::GBP_PMG>());
}

}  // namespace smmusim

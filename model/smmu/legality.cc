// SPDX-License-Identifier: MIT
// Searching the tables of legality_ste.cc and legality_cd.cc, and the StreamWorld (IHI 0070 sections 3.3.3, 5.2).
// It holds no rule itself.
#include "model/smmu/legality.h"

namespace smmusim {

using spec::Ste;

const SteRule* illegal_ste(const Ste& ste, const spec::Features& features) {
  if (ste.get<Ste::V>() && spec::aborts(ste.get<Ste::Config>())) return nullptr;
  for (const SteRule& row : ste_rules()) {
    if (row.illegal(ste, features)) return &row;
  }
  return nullptr;
}

const CdRule* illegal_cd(const spec::Cd& cd, const CdSurroundings& surroundings) {
  for (const CdRule& row : cd_rules()) {
    if (row.illegal(cd, surroundings)) return &row;
  }
  return nullptr;
}

bool strw_counts(const Ste& ste, const spec::Features& features) {
  return features.s1p && features.hyp && ste.get<Ste::Config>() == spec::SteConfig::stage1;
}

StreamWorld stream_world(const Ste& ste, const spec::Features& features, bool e2h) {
  if (!strw_counts(ste, features) || ste.get<Ste::STRW>() != spec::Strw::el2) return StreamWorld::ns_el1;
  return e2h ? StreamWorld::ns_el2_e2h : StreamWorld::ns_el2;
}

}  // namespace smmusim

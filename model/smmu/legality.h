// SPDX-License-Identifier: MIT
// When an STE or a CD is ILLEGAL (IHI 0070 sections 5.2, 5.4 and 3.4.3): tables of rules, one row a rule. A row is a
// sentence with its section and a predicate that is true for an offender. The order of the rows has no meaning:
// any hit gives C_BAD_STE or C_BAD_CD.
#pragma once

#include <span>
#include <string_view>

#include "model/smmu/tlb.h"
#include "model/spec/cd.h"
#include "model/spec/features.h"
#include "model/spec/ste.h"

namespace smmusim {

struct SteRule {
  std::string_view sentence;  ///< what makes it illegal, with the section
  std::string_view rule;      ///< row of the conformance list, or ""
  bool (*illegal)(const spec::Ste&, const spec::Features&);
};
/// Rows for an STE with V=1 and a Config that does not abort; V=0 has its own row.
std::span<const SteRule> ste_rules();
/// The first row that `ste` breaks, or null. An STE with V=1 and Config=0xx is never illegal.
const SteRule* illegal_ste(const spec::Ste& ste, const spec::Features& features);

/// What a CD's legality depends on besides the CD.
struct CdSurroundings {
  const spec::Features& features;
  const spec::Ste& ste;
  StreamWorld world;
};
struct CdRule {
  std::string_view sentence;
  std::string_view rule;
  bool (*illegal)(const spec::Cd&, const CdSurroundings&);
};
std::span<const CdRule> cd_rules();
const CdRule* illegal_cd(const spec::Cd& cd, const CdSurroundings& surroundings);

/// The translation regime of a Non-secure stream (section 3.3.4).
StreamWorld stream_world(const spec::Ste& ste, const spec::Features& features, bool e2h);

}  // namespace smmusim

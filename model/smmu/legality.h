// SPDX-License-Identifier: MIT
// When an STE or a CD is ILLEGAL (IHI 0070 sections 5.2, 5.2.2, 5.4, 5.4.2, 5.5 and 3.4.3): tables of rules, one row a
// rule. A row is a sentence with its section and a predicate that is true for an offender. The order of the rows has
// no meaning: any hit gives C_BAD_STE or C_BAD_CD. The tables are in legality_ste.cc and legality_cd.cc.
//
// Streams are Non-secure; what Secure and Realm streams add has no row yet. `features` is IDR0 to IDR5 as Non-secure
// software sees them, so a STALL_MODEL that S_CR0.NSSTALLD narrows must be narrowed before the call.
//
// CONSTRAINED UNPREDICTABLE choices, always the strictest that is allowed: S2T0SZ and TxSZ out of range are ILLEGAL in
// v3.0 too; so are S1ContextPtr above the OAS in v3.0 and above the IAS in every version; EATS=01 with S2S=1 and
// Config=101 is ILLEGAL in v3.0 only, the one case where an ignored field counts. RES0 bits are ignored, except where
// the pseudocode of 5.2.2 names them (S2PIE with VMSAv8-32 LPAE).
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
  std::string_view rule;      ///< row of the conformance list
  bool (*illegal)(const spec::Ste&, const spec::Features&);
};
/// Rows for an STE with V=1 and a Config that does not abort; V=0 has its own row.
std::span<const SteRule> ste_rules();
/// The first row that `ste` breaks, or null. An STE with V=1 and Config=0xx is never illegal.
const SteRule* illegal_ste(const spec::Ste& ste, const spec::Features& features);

/// What a CD's legality depends on besides the CD. `ste` is a legal STE.
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
/// Rows for a CD with V=1; V=0 has its own row.
std::span<const CdRule> cd_rules();
/// The first row that `cd` breaks, or null.
const CdRule* illegal_cd(const spec::Cd& cd, const CdSurroundings& surroundings);

/// True if STE.STRW selects the StreamWorld of a Non-secure stream: stage 1 only, with EL2 implemented (5.2, STRW).
bool strw_counts(const spec::Ste& ste, const spec::Features& features);
/// The translation regime of a Non-secure stream (section 3.3.3); `e2h` is CR2.E2H.
StreamWorld stream_world(const spec::Ste& ste, const spec::Features& features, bool e2h);

}  // namespace smmusim

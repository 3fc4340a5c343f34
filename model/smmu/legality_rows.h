// SPDX-License-Identifier: MIT
// What the predicates of the STE and the CD table share (IHI 0070 sections 5.2, 5.4, 6.3.6): table formats, granules
// and sizes as both structures name them. Private to model/smmu/legality_*.cc; no rule is decided here.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/base/types.h"
#include "model/spec/codes.h"
#include "model/spec/features.h"
#include "model/vmsa/ttw.h"

namespace smmusim::legality {

/// What AA64 or S2AA64 selects. IDR5.D128 excludes VMSAv8-32 LPAE, so one bit names three formats.
enum class TableFormat : std::uint8_t { vmsav8_32_lpae, vmsav8_64, vmsav9_128 };
constexpr TableFormat table_format(bool aa64, const spec::Features& f) {
  if (aa64) return TableFormat::vmsav8_64;
  return f.d128 ? TableFormat::vmsav9_128 : TableFormat::vmsav8_32_lpae;
}

/// log2 of the granule; 0 for a reserved value.
constexpr unsigned granule_bits(spec::Tg0 tg) {
  constexpr unsigned bits[4] = {12, 16, 14, 0};
  return bits[static_cast<unsigned>(tg) & 3];
}
constexpr unsigned granule_bits(spec::Tg1 tg) {
  constexpr unsigned bits[4] = {0, 14, 12, 16};
  return bits[static_cast<unsigned>(tg) & 3];
}
constexpr bool granule_supported(unsigned bits, const spec::Features& f) {
  return (bits == 12 && f.gran4k) || (bits == 14 && f.gran16k) || (bits == 16 && f.gran64k);
}

/// The largest TxSZ or S2T0SZ; larger ones are small translation tables (STT).
constexpr unsigned largest_txsz(unsigned granule, const spec::Features& f) {
  if (!f.stt) return 39;
  return granule == 16 ? 47 : 48;
}

/// Effective IPS or S2PS in bits.
constexpr unsigned output_bits(unsigned code, TableFormat format, const spec::Features& f) {
  return format == TableFormat::vmsav8_32_lpae ? 40u : smmusim::output_bits(code, f);
}
/// True if a VMSAv8-64 table of this granule holds addresses of 48 bits at most.
constexpr bool limited_to_48_bits(TableFormat format, unsigned granule, bool ds, const spec::Features& f) {
  return format == TableFormat::vmsav8_64 && granule != 16 && !(f.ds && ds);
}

/// True if skipping `skl` levels of a VMSAv9-128 walk would start it below level 3 (5.4.2, CDSLInvalidD128).
constexpr bool skips_too_far(unsigned granule, unsigned txsz, unsigned skl) {
  const int bits = static_cast<int>(granule);
  const int start_level = 3 - (63 - static_cast<int>(txsz) - bits) / (bits - 4);
  return start_level + static_cast<int>(skl) > 3;
}

}  // namespace smmusim::legality

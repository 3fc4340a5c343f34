// SPDX-License-Identifier: MIT
// What makes a non-secure STE (5.2.2, C_BAD_STE) or CD (5.4.2, C_BAD_CD) ILLEGAL, one predicate per paragraph of the
// specification. Nothing here reads memory.
#include <algorithm>

#include "tests/random/reference/structures.h"

namespace refwalk {

namespace {

bool stage1_on(const Ste& ste) {
  return (ste.Config & 1) != 0;
}
bool stage2_on(const Ste& ste) {
  return (ste.Config & 2) != 0;
}

// Largest TxSZ or S2T0SZ; smaller tables are STT.
unsigned size_field_max(const Features& f, unsigned granule) {
  if (!f.stt) return 39;
  return granule == 16 ? 47 : 48;
}

// HA, HD and HAFT of a CD or STE against IDR0.HTTU; HAFT is RES0 unless HTTU is 3.
bool update_illegal(const Features& f, bool ha, bool hd, bool haft) {
  if (f.httu == 0 && (ha || hd)) return true;
  if (f.httu == 1 && hd) return true;
  return f.httu == 3 && haft && !ha;
}

bool ats_illegal(const Features& f, const Ste& ste) {
  if (!f.ats || ste.Config == 4) return false;
  if (ste.EATS == 2 && (ste.Config != 7 || ste.S2S || f.ns1ats)) return true;
  if (ste.EATS == 1 && ste.S2S && (stage2_on(ste) || f.minor == 0)) return true;
  if (ste.EATS == 3 && f.dpt) {
    const bool strw_used = f.s1p && f.hyp && ste.Config == 5;
    if (strw_used && ste.STRW != 0) return true;
    if (ste.S2S && stage2_on(ste)) return true;
  }
  return false;
}

bool strw_illegal(const Features& f, const Ste& ste) {
  const bool used = f.s1p && f.hyp && ste.Config == 5;
  return used && (ste.STRW & 1) != 0;
}

bool stage1_fields_illegal(const Features& f, const Ste& ste) {
  if (ste.S1STALLD && f.stall_model != 0) return true;
  if (f.ssidsize != 0) {
    if (ste.S1CDMax > f.ssidsize) return true;
    if (ste.S1CDMax != 0 && !f.cd2l && (ste.S1Fmt == 1 || ste.S1Fmt == 2)) return true;
  }
  // With TTF = 2 the IPA size is OAS too.
  return exceeds(ste.S1ContextPtr, f.oas);
}

bool stage2_walk_illegal(const Features& f, const Ste& ste) {
  const unsigned granule = granule_of_tg0(ste.S2TG);
  if (!granule_supported(f, granule)) return true;
  const bool ds = stage2_ds(f, ste) && granule != 16;

  const unsigned output_size = effective_output_size(f, ste.S2PS);
  if (exceeds(ste.S2TTB, output_size)) return true;
  if (granule != 16 && !ds && exceeds(ste.S2TTB, 48)) return true;

  unsigned smallest = 64 - f.oas;
  if (f.minor != 0) smallest = std::max(granule == 16 || stage2_ds(f, ste) ? 12u : 16u, smallest);
  if (ste.S2T0SZ < smallest || ste.S2T0SZ > size_field_max(f, granule)) return true;

  int start = 0;
  if (!stage2_start_level(f, ste, &start)) return true;
  // The first level must resolve at least one bit and at most a whole level and four bits of concatenated tables.
  const int input_bits = 64 - static_cast<int>(ste.S2T0SZ);
  const int stride = static_cast<int>(granule) - 3;
  const int fewest = (3 - start) * stride + static_cast<int>(granule) + 1;
  const int most = fewest + (stride - 1) + 4;
  return input_bits < fewest || input_bits > most;
}

bool stage2_fields_illegal(const Features& f, const Ste& ste) {
  // VMSAv8-32 LPAE at stage 2 is not advertised (TTF = 2), so S2AA64 must be 1.
  if (!ste.S2AA64 || (f.ttf & 2) == 0) return true;
  if (ste.S2S && f.stall_model == 1) return true;
  if (!ste.S2S && f.stall_model == 2) return true;
  if (update_illegal(f, ste.S2HA, ste.S2HD, ste.S2HAFT)) return true;
  if (f.ttendian == 2 && ste.S2ENDI) return true;
  if (f.ttendian == 3 && !ste.S2ENDI) return true;
  return stage2_walk_illegal(f, ste);
}

bool s2vmid_illegal(const Features& f, const Ste& ste) {
  if (!f.s2p || ste.Config == 4) return false;
  const bool strw_used = f.s1p && f.hyp && ste.Config == 5;
  if (strw_used && ste.STRW != 0) return false;
  return !f.vmid16 && (ste.S2VMID >> 8) != 0;
}

bool half_illegal(const Features& f, const Cd& cd, const CdHalf& half) {
  if (!granule_supported(f, half.granule_log2)) return true;
  const bool ds = f.ds && cd.DS;
  const bool large = half.granule_log2 == 16 || ds;
  const unsigned smallest = (f.vax != 0 && large) ? 12 : 16;
  if (half.TxSZ < smallest || half.TxSZ > size_field_max(f, half.granule_log2)) return true;
  if (exceeds(half.TTBx, effective_output_size(f, cd.IPS))) return true;
  return !large && exceeds(half.TTBx, 48);
}

}  // namespace

bool ste_illegal(const Features& f, const Ste& ste) {
  if (!ste.V) return true;
  if ((ste.Config & 4) == 0) return false;
  if (stage1_on(ste) && !f.s1p) return true;
  if (stage2_on(ste) && !f.s2p) return true;
  if (ats_illegal(f, ste)) return true;
  if (strw_illegal(f, ste)) return true;
  if (stage1_on(ste) && stage1_fields_illegal(f, ste)) return true;
  if (stage2_on(ste) && stage2_fields_illegal(f, ste)) return true;
  return s2vmid_illegal(f, ste);
}

bool cd_illegal(const Features& f, const Ste& ste, const Cd& cd, StreamWorld world) {
  if (!cd.V) return true;
  if (ste.S1STALLD && cd.S) return true;
  if (f.term_model && !cd.A) return true;
  if (f.stall_model == 1 && cd.S) return true;
  if (f.stall_model == 2 && !cd.S) return true;
  const bool used0 = !walk_disabled(cd, 0, world);
  const bool used1 = !walk_disabled(cd, 1, world);
  if (used0 || used1) {
    if (f.ttendian == 2 && cd.ENDI) return true;
    if (f.ttendian == 3 && !cd.ENDI) return true;
  }
  // AA64 = 0 would be VMSAv8-32 LPAE, which is not advertised.
  if (!cd.AA64 || (f.ttf & 2) == 0) return true;
  if (update_illegal(f, cd.HA, cd.HD, cd.HAFT)) return true;
  if (world != StreamWorld::EL2 && !f.asid16 && (cd.ASID >> 8) != 0) return true;
  if (used0 && half_illegal(f, cd, cd.half[0])) return true;
  return used1 && half_illegal(f, cd, cd.half[1]);
}

}  // namespace refwalk

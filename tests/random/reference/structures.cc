// SPDX-License-Identifier: MIT
// Field positions of the ID registers (6.3), STE (5.2) and CD (5.4) for the reference walker. Decoding only: what makes
// a structure ILLEGAL is in legality.cc.
#include "tests/random/reference/structures.h"

#include <algorithm>
#include <stdexcept>

namespace refwalk {

namespace {

unsigned small(uint64_t value, unsigned high, unsigned low) {
  return static_cast<unsigned>(bits(value, high, low));
}

unsigned small_field(const Structure& words, unsigned high, unsigned low) {
  return static_cast<unsigned>(field(words, high, low));
}

unsigned size_of_code(unsigned code) {
  static constexpr unsigned sizes[8] = {32, 36, 40, 42, 44, 48, 52, 56};
  return sizes[code & 7];
}

void refuse_outside_scope(const Registers& r) {
  if (bit(r.idr0, 2)) throw std::invalid_argument("IDR0.TTF advertises VMSAv8-32 LPAE; the reference covers TTF = 2");
  if (bit(r.idr0, 30)) throw std::invalid_argument("IDR0.RME_IMPL is 1; the reference covers 0");
  if (bits(r.idr3, 21, 18) != 0 || bit(r.idr3, 23)) {
    throw std::invalid_argument("IDR3 advertises S1PI, S2PI, S2PO, THE or AIE; the reference covers none of them");
  }
  if (bit(r.idr5, 8)) throw std::invalid_argument("IDR5.D128 is 1; the reference covers 0");
  if (bits(r.idr5, 2, 0) == 7) throw std::invalid_argument("IDR5.OAS is 7; the reference covers 0 to 6");
}

CdHalf cd_half(const Structure& w, unsigned index) {
  // TG1 has a coding of its own.
  static constexpr unsigned tg1[4] = {0, 14, 12, 16};
  const unsigned shift = index == 0 ? 0 : 16;
  CdHalf half;
  half.TxSZ = small_field(w, 5 + shift, 0 + shift);
  const unsigned tg = small_field(w, 7 + shift, 6 + shift);
  half.granule_log2 = index == 0 ? granule_of_tg0(tg) : tg1[tg];
  half.SHx = small_field(w, 13 + shift, 12 + shift);
  half.EPDx = flag(w, 14 + shift);
  half.TBIx = flag(w, index == 0 ? 38 : 39);
  half.HADx = flag(w, index == 0 ? 65 : 129);
  half.E0PDx = flag(w, index == 0 ? 66 : 130);
  // TTBx[51:4].
  half.TTBx = index == 0 ? field(w, 115, 68) << 4 : field(w, 179, 132) << 4;
  return half;
}

}  // namespace

Features features_of(const Registers& r) {
  refuse_outside_scope(r);
  Features f;
  f.s2p = bit(r.idr0, 0);
  f.s1p = bit(r.idr0, 1);
  f.ttf = small(r.idr0, 3, 2);
  f.httu = small(r.idr0, 7, 6);
  f.hyp = bit(r.idr0, 9);
  f.ats = bit(r.idr0, 10);
  f.ns1ats = bit(r.idr0, 11);
  f.asid16 = bit(r.idr0, 12);
  f.vmid16 = bit(r.idr0, 18);
  f.cd2l = bit(r.idr0, 19);
  f.ttendian = small(r.idr0, 22, 21);
  f.stall_model = small(r.idr0, 25, 24);
  f.term_model = bit(r.idr0, 26);
  f.st_level = small(r.idr0, 28, 27);
  f.sidsize = small(r.idr1, 5, 0);
  f.ssidsize = small(r.idr1, 10, 6);
  f.attr_perms_ovr = bit(r.idr1, 26);
  f.attr_types_ovr = bit(r.idr1, 27);
  f.had = bit(r.idr3, 2);
  f.xnx = bit(r.idr3, 4);
  f.fwb = bit(r.idr3, 8);
  f.stt = bit(r.idr3, 9);
  f.e0pd = bit(r.idr3, 13);
  f.dpt = bit(r.idr3, 15);
  f.epan = bit(r.idr3, 17);
  f.mteperm = bit(r.idr3, 22);
  f.oas = size_of_code(small(r.idr5, 2, 0));
  f.gran4k = bit(r.idr5, 4);
  f.gran16k = bit(r.idr5, 5);
  f.gran64k = bit(r.idr5, 6);
  f.ds = bit(r.idr5, 7);
  f.vax = small(r.idr5, 11, 10);
  f.minor = small(r.aidr, 3, 0);
  return f;
}

Ste ste_of(const Features& features, const Structure& w) {
  Ste s;
  s.V = flag(w, 0);
  s.Config = small_field(w, 3, 1);
  s.S1Fmt = small_field(w, 5, 4);
  s.S1ContextPtr = field(w, 55, 6) << 6;
  s.S1CDMax = small_field(w, 63, 59);
  s.S1DSS = small_field(w, 65, 64);
  s.S2FWB = flag(w, 89);
  s.S1STALLD = flag(w, 91);
  s.EATS = small_field(w, 93, 92);
  s.STRW = small_field(w, 95, 94);
  s.MemAttr = small_field(w, 99, 96);
  s.MTCFG = flag(w, 100);
  s.ALLOCCFG = small_field(w, 104, 101);
  s.SHCFG = small_field(w, 109, 108);
  s.PRIVCFG = small_field(w, 113, 112);
  s.INSTCFG = small_field(w, 115, 114);
  s.S2VMID = small_field(w, 143, 128);
  s.S2T0SZ = small_field(w, 165, 160);
  s.S2SL0 = small_field(w, 167, 166);
  s.S2SH0 = small_field(w, 173, 172);
  s.S2TG = small_field(w, 175, 174);
  s.S2PS = small_field(w, 178, 176);
  s.S2AA64 = flag(w, 179);
  s.S2ENDI = flag(w, 180);
  s.S2AFFD = flag(w, 181);
  s.S2PTW = flag(w, 182);
  s.S2HD = flag(w, 183);
  s.S2HA = flag(w, 184);
  s.S2S = flag(w, 185);
  s.S2R = flag(w, 186);
  s.S2HAFT = flag(w, 187);
  s.S2SL0_2 = flag(w, 194);
  s.S2DS = flag(w, 195);
  s.S2TTB = field(w, features.minor == 0 ? 239 : 243, 196) << 4;
  return s;
}

Cd cd_of(const Features& features, const Structure& w) {
  Cd c;
  c.half[0] = cd_half(w, 0);
  c.half[1] = cd_half(w, 1);
  if (features.minor == 0) {
    // TTBx is [47:4] in v3.0.
    for (CdHalf& half : c.half) half.TTBx = low_bits(half.TTBx, 48);
  }
  c.ENDI = flag(w, 15);
  c.V = flag(w, 31);
  c.IPS = small_field(w, 34, 32);
  c.AFFD = flag(w, 35);
  c.WXN = flag(w, 36);
  c.PAN = flag(w, 40);
  c.AA64 = flag(w, 41);
  c.HD = flag(w, 42);
  c.HA = flag(w, 43);
  c.S = flag(w, 44);
  c.R = flag(w, 45);
  c.A = flag(w, 46);
  c.ASID = small_field(w, 63, 48);
  c.HAFT = flag(w, 67);
  c.EPAN = flag(w, 123);
  c.DS = flag(w, 186);
  c.mair = w[3];
  return c;
}

StreamWorld stream_world(const Features& features, const Ste& ste, bool e2h) {
  const bool stage2 = (ste.Config & 2) != 0;
  if (stage2 || !features.hyp || ste.STRW != 2) return StreamWorld::EL1;
  return e2h ? StreamWorld::EL2_E2H : StreamWorld::EL2;
}

bool walk_disabled(const Cd& cd, unsigned half, StreamWorld world) {
  if (world == StreamWorld::EL2) return half == 1;
  return cd.half[half].EPDx;
}

unsigned effective_output_size(const Features& features, unsigned code) {
  // In v3.0 the codes 6 and 7 behave as 5. Above that only the clamp to OAS is left of the reserved code 7.
  const unsigned size = features.minor == 0 ? std::min(size_of_code(code), 48u) : size_of_code(code);
  return std::min(size, features.oas);
}

unsigned granule_of_tg0(unsigned code) {
  static constexpr unsigned tg0[4] = {12, 16, 14, 0};
  return tg0[code & 3];
}

bool granule_supported(const Features& features, unsigned granule_log2) {
  switch (granule_log2) {
    case 12:
      return features.gran4k;
    case 14:
      return features.gran16k;
    case 16:
      return features.gran64k;
    default:
      return false;
  }
}

// HD without HA is as if neither were set.
HardwareUpdate hardware_update(const Features& features, const Cd& cd) {
  return {cd.HA, cd.HA && cd.HD, features.httu == 3 && cd.HA && cd.HAFT};
}

HardwareUpdate hardware_update(const Features& features, const Ste& ste) {
  return {ste.S2HA, ste.S2HA && ste.S2HD, features.httu == 3 && ste.S2HA && ste.S2HAFT};
}

bool stage2_ds(const Features& features, const Ste& ste) {
  return features.ds && ste.S2DS;
}

bool stage2_start_level(const Features& features, const Ste& ste, int* level) {
  const unsigned granule = granule_of_tg0(ste.S2TG);
  const bool ds = stage2_ds(features, ste);
  const unsigned start = ste.S2SL0 + (granule == 12 && ds && ste.S2SL0_2 ? 4u : 0u);
  if (granule == 12) {
    static constexpr int levels[5] = {2, 1, 0, 3, -1};
    if (start > 4) return false;
    if (start == 2 && features.oas < 44) return false;
    if (start == 3 && !features.stt) return false;
    if (start == 4 && features.oas < 52) return false;
    *level = levels[start];
    return true;
  }
  static constexpr int levels[4] = {3, 2, 1, 0};
  if (start == 3 && (granule == 16 || !ds || features.oas < 52)) return false;
  if (start == 2 && features.oas < (granule == 14 ? 42u : 44u)) return false;
  *level = levels[start];
  return true;
}

}  // namespace refwalk

// SPDX-License-Identifier: MIT
// The ID registers, STE and CD of the reference walker taken apart into named fields (sections 5.2, 5.4, 6.3), and the
// rules that make an STE or CD ILLEGAL (5.2.2, 5.4.2). Only non-secure fields that decide this path are decoded.
#ifndef TESTS_RANDOM_REFERENCE_STRUCTURES_H_
#define TESTS_RANDOM_REFERENCE_STRUCTURES_H_

#include <array>
#include <cstdint>

#include "tests/random/reference/bits.h"
#include "tests/random/reference/refwalk.h"

namespace refwalk {

/// What IDR0, IDR1, IDR3, IDR5 and AIDR advertise.
struct Features {
  bool s1p, s2p, hyp, ats, ns1ats, asid16, vmid16, cd2l, term_model;
  unsigned ttf, ttendian, stall_model, st_level;
  unsigned httu;  // 0 none, 1 Access flag, 2 and dirty state, 3 and Access flag of Table descriptors
  unsigned sidsize, ssidsize;
  bool attr_perms_ovr, attr_types_ovr;
  bool had, xnx, fwb, stt, e0pd, dpt, epan, mteperm;
  unsigned vax;
  bool ds, gran64k, gran16k, gran4k;
  unsigned oas;  // bits
  unsigned minor;
};

/// Throws std::invalid_argument for features outside this reference (see translate).
Features features_of(const Registers& registers);

enum class StreamWorld { EL1, EL2, EL2_E2H };

/// STE (5.2), raw fields.
struct Ste {
  bool V;
  unsigned Config, S1Fmt;
  uint64_t S1ContextPtr;
  unsigned S1CDMax, S1DSS;
  bool S2FWB, S1STALLD;
  unsigned EATS, STRW, PRIVCFG, INSTCFG, S2VMID;
  unsigned MemAttr, ALLOCCFG, SHCFG;
  bool MTCFG;
  unsigned S2T0SZ, S2SL0, S2SH0, S2TG, S2PS;
  bool S2AA64, S2ENDI, S2AFFD, S2PTW, S2HD, S2HA, S2S, S2R, S2HAFT;
  bool S2SL0_2, S2DS;
  uint64_t S2TTB;
};

Ste ste_of(const Features& features, const Structure& words);

/// The fields of a CD that exist once for TTB0 and once for TTB1; `granule_log2` is 0 for a reserved TGx.
struct CdHalf {
  unsigned TxSZ, granule_log2, SHx;
  bool EPDx, TBIx, HADx, E0PDx;
  uint64_t TTBx;
};

/// CD (5.4), raw fields.
struct Cd {
  bool V, ENDI;
  unsigned IPS;
  bool AFFD, WXN, PAN, EPAN, AA64, HD, HA, HAFT, S, R, A, DS;
  unsigned ASID;
  uint64_t mair;
  std::array<CdHalf, 2> half;
};

Cd cd_of(const Features& features, const Structure& words);

/// Translation regime of a stream whose stage 1 is enabled (section 3.3.4; E2H is CR2.E2H).
StreamWorld stream_world(const Features& features, const Ste& ste, bool e2h);

/// Whether EPDx has its effect: it is ignored in EL2 without E2H, where TTB1 does not exist.
bool walk_disabled(const Cd& cd, unsigned half, StreamWorld world);

/// Bits of address named by an IPS/S2PS/OAS code, clamped to OAS.
unsigned effective_output_size(const Features& features, unsigned code);

/// log2 of the granule of an S2TG/TG0 code, 0 if reserved; and whether IDR5 advertises that granule.
unsigned granule_of_tg0(unsigned code);
bool granule_supported(const Features& features, unsigned granule_log2);

/// Level of the first stage-2 table; empty (false) if S2SL0 is reserved or not usable with this granule and OAS.
bool stage2_start_level(const Features& features, const Ste& ste, int* level);

/// What the SMMU updates in the descriptors of one stage (3.13): the Access flag of leaves, the dirty state, the Access
/// flag of Table descriptors.
struct HardwareUpdate {
  bool access_flag, dirty, table_flag;
};
HardwareUpdate hardware_update(const Features& features, const Cd& cd);
HardwareUpdate hardware_update(const Features& features, const Ste& ste);

/// Effective STE.S2DS: 52-bit descriptors at stage 2 with 4 KB and 16 KB granules.
bool stage2_ds(const Features& features, const Ste& ste);

/// SteIllegal() and CdIllegal() of 5.2.2 and 5.4.2 for a non-secure stream.
bool ste_illegal(const Features& features, const Ste& ste);
bool cd_illegal(const Features& features, const Ste& ste, const Cd& cd, StreamWorld world);

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_STRUCTURES_H_

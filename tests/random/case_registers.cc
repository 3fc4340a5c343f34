// SPDX-License-Identifier: MIT
// Random ID and control registers for the case generator (IHI 0070 6.3): only combinations that the architecture
// permits, with the features that a version makes mandatory.
#include <algorithm>

#include "tests/random/case_structures.h"

namespace refwalk {

void set_field(Structure& words, unsigned high, unsigned low, uint64_t value) {
  for (unsigned position = low; position <= high; ++position) {
    const uint64_t mask = uint64_t{1} << (position % 64);
    uint64_t& word = words[position / 64];
    word = bit(value, position - low) ? word | mask : word & ~mask;
  }
}

void set_bits(uint32_t& word, unsigned high, unsigned low, uint64_t value) {
  for (unsigned position = low; position <= high; ++position) {
    const uint32_t mask = uint32_t{1} << position;
    word = bit(value, position - low) ? word | mask : word & ~mask;
  }
}

namespace {

void make_idr0(Rng& rng, const CaseOptions& options, unsigned minor, Registers& r) {
  const bool both = options.stage1 && options.stage2;
  set_bits(r.idr0, 0, 0, options.stage2);
  set_bits(r.idr0, 1, 1, options.stage1);
  set_bits(r.idr0, 3, 2, 2);
  // HYP needs both stages.
  set_bits(r.idr0, 9, 9, both && (minor >= 2 || (options.el2 && rng.percent(60))));
  set_bits(r.idr0, 12, 12, rng.percent(70));
  set_bits(r.idr0, 18, 18, options.stage2 && rng.percent(70));
  set_bits(r.idr0, 19, 19, options.two_level && options.substreams && rng.percent(80));
  unsigned endian = 2;
  if (options.big_endian) endian = rng.percent(60) ? 0 : rng.between(2, 3);
  set_bits(r.idr0, 22, 21, endian);
  unsigned stall = 1;
  if (options.stall) stall = rng.percent(60) ? 0 : rng.between(1, 2);
  set_bits(r.idr0, 25, 24, stall);
  if (stall != 1) set_bits(r.idr5, 31, 16, rng.percent(50) ? 1000 : rng.between(1, 8));  // STALL_MAX
  set_bits(r.idr0, 26, 26, rng.percent(20));
  if (options.httu != 0) {
    const unsigned most = std::min(options.httu, minor >= 4 ? 3u : 2u);
    set_bits(r.idr0, 7, 6, rng.percent(80) ? most : rng.between(0, most));
  }
  set_bits(r.idr0, 28, 27, options.two_level);
}

// Mandatory from v3.`from` on, possible one version earlier (2.9).
bool optional_feature(Rng& rng, unsigned minor, unsigned from) {
  return minor >= from || (minor + 1 == from && rng.percent(50));
}

void make_idr3(Rng& rng, const CaseOptions& options, unsigned minor, Registers& r) {
  const bool stage2 = options.stage2;
  set_bits(r.idr3, 2, 2, options.stage1 && optional_feature(rng, minor, 1));          // HAD
  set_bits(r.idr3, 4, 4, stage2 && optional_feature(rng, minor, 1));                  // XNX
  set_bits(r.idr3, 8, 8, optional_feature(rng, minor, 2));                            // FWB
  set_bits(r.idr3, 9, 9, options.small_tables && minor >= 1 && rng.percent(60));      // STT
  set_bits(r.idr3, 10, 10, optional_feature(rng, minor, 2));                          // RIL
  set_bits(r.idr3, 12, 11, optional_feature(rng, minor, 2) ? rng.between(1, 2) : 0);  // BBML
  set_bits(r.idr3, 13, 13, optional_feature(rng, minor, 3));                          // E0PD
  set_bits(r.idr3, 14, 14, stage2 && optional_feature(rng, minor, 3));                // PTWNNC
  set_bits(r.idr3, 17, 17, optional_feature(rng, minor, 4));                          // EPAN
  set_bits(r.idr3, 22, 22, stage2 && optional_feature(rng, minor, 4));                // MTEPERM
}

// Granules, and addresses above 48 bits: VAX and DS go together with the granules that can use them.
void make_idr5(Rng& rng, const CaseOptions& options, unsigned minor, Registers& r) {
  const bool gran4k = !(options.granule16 || options.granule64) || rng.percent(92);
  const bool ds = options.address52 && minor >= 3 && (gran4k || options.granule16) && rng.percent(50);
  const bool can_be_wide = options.address52 && (options.granule64 || ds);
  const bool wide = can_be_wide && rng.percent(40);
  set_bits(r.idr5, 2, 0, wide ? 6 : rng.between(0, 5));
  set_bits(r.idr5, 4, 4, gran4k);
  set_bits(r.idr5, 5, 5, options.granule16);
  set_bits(r.idr5, 6, 6, options.granule64);
  set_bits(r.idr5, 7, 7, ds);
  set_bits(r.idr5, 11, 10, ds || (can_be_wide && (wide || rng.percent(40))));
}

// ATS with or without ATSCHK; split-stage only if NS1ATS is 0; REC_CFG_ATS from v3.3 on.
void make_ats(Rng& rng, unsigned minor, Registers& r) {
  set_bits(r.idr0, 10, 10, 1);
  set_bits(r.idr0, 11, 11, rng.percent(30));
  set_bits(r.idr0, 23, 23, minor >= 3 && rng.percent(70));
  set_bits(r.cr0, 4, 4, rng.percent(75));
  set_bits(r.cr2, 3, 3, bit(r.idr0, 23) && rng.percent(60));
}

}  // namespace

void make_registers(Rng& rng, const CaseOptions& options, Registers& r) {
  const unsigned minor = rng.between(options.minor_zero ? 0 : 1, 4);
  set_bits(r.aidr, 3, 0, minor);
  make_idr0(rng, options, minor, r);
  make_idr3(rng, options, minor, r);
  make_idr5(rng, options, minor, r);
  const unsigned sidsize = options.two_level ? rng.between(5, 16) : rng.between(2, 6);
  set_bits(r.idr1, 5, 0, sidsize);
  if (options.substreams) set_bits(r.idr1, 10, 6, rng.percent(85) ? rng.between(1, 16) : 0);
  set_bits(r.idr1, 26, 26, rng.percent(70));                        // ATTR_PERMS_OVR
  set_bits(r.idr1, 27, 27, options.attributes && rng.percent(60));  // ATTR_TYPES_OVR
  const bool off = options.bypass && rng.percent(4);
  set_bits(r.cr0, 0, 0, !off);
  set_bits(r.gbpa, 20, 20, rng.percent(40));
  if (options.attributes) set_bits(r.gbpa, 19, 0, rng.next());
  set_bits(r.cr2, 0, 0, bit(r.idr0, 9) && rng.percent(50));
  set_bits(r.cr2, 1, 1, rng.percent(70));
  if (options.ats) make_ats(rng, minor, r);
}

}  // namespace refwalk

// SPDX-License-Identifier: MIT
// The machines and the sound structures that the rows of illegal_ste_*.cc and illegal_cd_*.cc start from
// (IHI 0070 sections 5.2, 5.4, 6.3.1 to 6.3.8).
#include "tests/spec/illegal_rows.h"

namespace smmusim::illegal {

Features base_machine() {
  Features f;
  f.s2p = f.xnx = f.hyp = f.vmid16 = true;
  f.ssidsize = 8;
  f.cd2l = true;
  f.gran16k = f.gran64k = true;
  f.ttendian = spec::Ttendian::mixed;
  return f;
}

void newest(Features& f) {
  f.version_minor = 4;
  f.fwb = f.e0pd = f.ptwnnc = f.epan = f.mteperm = true;
  f.bbml = 1;
}
void newest_overlays(Features& f) {
  newest(f);
  f.s1pi = f.s2pi = f.s2po = f.pbha = true;
}
void newest_d128(Features& f) {
  newest_overlays(f);
  f.aie = f.d128 = true;
  f.oas = 56;
  f.vax = 56;
}
void newest_ds(Features& f) {
  newest(f);
  f.ds = f.stt = true;
  f.oas = f.vax = 52;
}
void oas40(Features& f) {
  f.oas = 40;
}
void lpae(Features& f) {
  f.ttf_lpae = true;
}
void big(Features& f) {
  f.ttendian = spec::Ttendian::big;
}
void httu_access(Features& f) {
  f.httu = spec::Httu::access;
}
void httu_dirty(Features& f) {
  f.httu = spec::Httu::access_dirty;
}
void httu_table(Features& f) {
  newest(f);
  f.httu = spec::Httu::access_dirty_table;
}
void mpam_oas40(Features& f) {
  f.mpam = true;
  f.partid_max = 7;
  f.oas = 40;
}
void lpae_oas36(Features& f) {
  f.ttf_lpae = true;
  f.oas = 36;
}
void stalls(Features& f) {
  f.stall_model = spec::StallModel::stall_and_terminate;
}
void stalls_forced(Features& f) {
  f.stall_model = spec::StallModel::stall_forced;
}

raw::Ste base_ste(unsigned config) {
  return raw::Ste{}.with({{ste::V, 1},
                          {ste::Config, config},
                          {ste::S1ContextPtr, 0x4030'0040 >> 6},
                          {ste::SHCFG, 1},
                          {ste::S2VMID, 1},
                          {ste::S2T0SZ, 24},
                          {ste::S2SL0, 1},
                          {ste::S2PS, 5},
                          {ste::S2AA64, 1},
                          {ste::S2R, 1},
                          {ste::S2TTB, 0x5000'0000 >> 4}});
}

raw::Cd base_cd() {
  return raw::Cd{}.with({{cd::T0SZ, 16},
                         {cd::T1SZ, 16},
                         {cd::TG1, 2},
                         {cd::V, 1},
                         {cd::IPS, 5},
                         {cd::AA64, 1},
                         {cd::R, 1},
                         {cd::A, 1},
                         {cd::ASID, 1},
                         {cd::TTB0, 0x5000'0000 >> 4},
                         {cd::TTB1, 0x5001'0000 >> 4}});
}

raw::Ste ste_of(Through through) {
  switch (through) {
    case Through::el1:
      return base_ste(5);
    case Through::el2:
    case Through::el2_e2h:
      return base_ste(5).with({{ste::STRW, 2}});
    case Through::nested:
      return base_ste(7);
    case Through::nested_lpae:
      return base_ste(7).with({{ste::S2AA64, 0}});
    case Through::stalls_disabled:
      return base_ste(5).with({{ste::S1STALLD, 1}});
    case Through::with_s1pie:
      return base_ste(5).with({{ste::S1PIE, 1}});
    case Through::el2_with_s1pie:
    case Through::e2h_with_s1pie:
      return base_ste(5).with({{ste::STRW, 2}, {ste::S1PIE, 1}});
  }
  return {};
}

}  // namespace smmusim::illegal

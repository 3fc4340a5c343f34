// SPDX-License-Identifier: MIT
// Rows of STEs: validity, Config, STRW, stage 1, VMID, ATS (IHI 0070 sections 5.2, 3.4.3, 3.9). For each rule the
// legal neighbour, the offender, and the offending value where the field does not count.
#include "tests/spec/illegal_rows.h"

namespace smmusim::illegal {
namespace {

void no_stage1(Features& f) {
  f.s1p = f.hyp = f.had = false;
}
void no_stage2(Features& f) {
  f.s2p = f.hyp = f.xnx = f.vmid16 = false;
}
void no_hyp(Features& f) {
  f.hyp = false;
}
void no_cd2l(Features& f) {
  f.cd2l = false;
}
void no_substreams(Features& f) {
  f.ssidsize = 0;
  f.cd2l = false;
}
void v30_oas40(Features& f) {
  f.version_minor = 0;
  f.ril = false;
  f.oas = 40;
}
void vmid8(Features& f) {
  f.vmid16 = false;
}

constexpr std::string_view v_row = "V is 0 (", s1p_row = "Config enables stage 1", s2p_row = "Config enables stage 2",
                           strw_row = "STRW is 0bx1", stalld_row = "S1STALLD is 1", cdmax_row = "S1CDMax is above",
                           fmt_row = "S1Fmt is", pa_row = "S1ContextPtr is a PA", ipa_row = "S1ContextPtr is an IPA",
                           vmid_row = "S2VMID[15:8]", vms_row = "VMSPtr is in use";

}  // namespace

const std::vector<SteCase>& ste_config_cases() {
  static const std::vector<SteCase> cases = {
      {"bypass as set up", 4, {}, nullptr, ""},
      {"stage 1 as set up", 5, {}, nullptr, ""},
      {"stage 2 as set up", 6, {}, nullptr, ""},
      {"nested as set up", 7, {}, nullptr, ""},
      {"V=0", 5, {{ste::V, 0}}, nullptr, v_row},
      {"V=0 with Config=000", 0, {{ste::V, 0}}, nullptr, v_row},
      {"V=0 with Config=111", 7, {{ste::V, 0}}, nullptr, v_row},

      {"Config=101 without S1P", 5, {}, no_stage1, s1p_row},
      {"Config=111 without S1P", 7, {}, no_stage1, s1p_row},
      {"Config=110 without S1P", 6, {}, no_stage1, ""},
      {"Config=110 without S2P", 6, {}, no_stage2, s2p_row},
      {"Config=111 without S2P", 7, {}, no_stage2, s2p_row},
      {"Config=101 without S2P", 5, {}, no_stage2, ""},
      {"Config=100 without S2P", 4, {}, no_stage2, ""},

      {"STRW=01", 5, {{ste::STRW, 1}}, nullptr, strw_row},
      {"STRW=11", 5, {{ste::STRW, 3}}, nullptr, strw_row},
      {"STRW=10", 5, {{ste::STRW, 2}}, nullptr, ""},
      {"STRW=01 without HYP", 5, {{ste::STRW, 1}}, no_hyp, ""},
      {"STRW=11 with Config=111", 7, {{ste::STRW, 3}}, nullptr, ""},
      {"STRW=11 with Config=110", 6, {{ste::STRW, 3}}, nullptr, ""},
      {"STRW=11 with Config=100", 4, {{ste::STRW, 3}}, nullptr, ""},

      {"8-bit VMID", 6, {{ste::S2VMID, 0xff}}, vmid8, ""},
      {"9-bit VMID, stage 2", 6, {{ste::S2VMID, 0x100}}, vmid8, vmid_row},
      {"9-bit VMID, nested", 7, {{ste::S2VMID, 0x8000}}, vmid8, vmid_row},
      {"9-bit VMID, stage 1", 5, {{ste::S2VMID, 0x100}}, vmid8, vmid_row},
      {"9-bit VMID with VMID16", 6, {{ste::S2VMID, 0xffff}}, nullptr, ""},
      {"9-bit VMID, nested, STRW ignored", 7, {{ste::S2VMID, 0x100}, {ste::STRW, 2}}, vmid8, vmid_row},
      {"9-bit VMID of an EL2 stream", 5, {{ste::S2VMID, 0x100}, {ste::STRW, 2}}, vmid8, ""},
      {"9-bit VMID with Config=100", 4, {{ste::S2VMID, 0x100}}, vmid8, ""},
      {"9-bit VMID without S2P", 5, {{ste::S2VMID, 0x100}}, no_stage2, ""},
  };
  return cases;
}

const std::vector<SteCase>& ste_stage1_cases() {
  static const std::vector<SteCase> cases = {
      {"S1STALLD, STALL_MODEL=01", 5, {{ste::S1STALLD, 1}}, nullptr, stalld_row},
      {"S1STALLD, STALL_MODEL=10", 5, {{ste::S1STALLD, 1}}, stalls_forced, stalld_row},
      {"S1STALLD, STALL_MODEL=00", 5, {{ste::S1STALLD, 1}}, stalls, ""},
      {"S1STALLD, nested", 7, {{ste::S1STALLD, 1}}, nullptr, stalld_row},
      {"S1STALLD with Config=110", 6, {{ste::S1STALLD, 1}}, nullptr, ""},
      {"S1STALLD with Config=100", 4, {{ste::S1STALLD, 1}}, nullptr, ""},

      {"S1CDMax = SSIDSIZE", 5, {{ste::S1CDMax, 8}}, nullptr, ""},
      {"S1CDMax = SSIDSIZE + 1", 5, {{ste::S1CDMax, 9}}, nullptr, cdmax_row},
      {"S1CDMax = 31, nested", 7, {{ste::S1CDMax, 31}}, nullptr, cdmax_row},
      {"S1CDMax = 31 without substreams", 5, {{ste::S1CDMax, 31}}, no_substreams, ""},
      {"S1CDMax = 31 with Config=110", 6, {{ste::S1CDMax, 31}}, nullptr, ""},

      {"S1Fmt=01 without CD2L", 5, {{ste::S1Fmt, 1}, {ste::S1CDMax, 4}}, no_cd2l, fmt_row},
      {"S1Fmt=10 without CD2L", 5, {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}}, no_cd2l, fmt_row},
      {"S1Fmt=10 without CD2L, nested", 7, {{ste::S1Fmt, 2}, {ste::S1CDMax, 1}}, no_cd2l, fmt_row},
      {"S1Fmt=11 without CD2L acts as linear", 5, {{ste::S1Fmt, 3}, {ste::S1CDMax, 4}}, no_cd2l, ""},
      {"S1Fmt=10 with CD2L", 5, {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}}, nullptr, ""},
      {"S1Fmt=10 with S1CDMax=0", 5, {{ste::S1Fmt, 2}}, no_cd2l, ""},
      {"S1Fmt=10 without substreams", 5, {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}}, no_substreams, ""},
      {"S1Fmt=10 with Config=110", 6, {{ste::S1Fmt, 2}, {ste::S1CDMax, 4}}, no_cd2l, ""},

      {"last CD below the OAS", 5, {{ste::S1ContextPtr, stored(40, 6) - 1}}, oas40, ""},
      {"S1ContextPtr at the OAS", 5, {{ste::S1ContextPtr, stored(40, 6)}}, oas40, pa_row},
      {"S1ContextPtr at the OAS, v3.0", 5, {{ste::S1ContextPtr, stored(40, 6)}}, v30_oas40, pa_row},
      {"highest bit of S1ContextPtr", 5, {{ste::S1ContextPtr, stored(55, 6)}}, nullptr, pa_row},
      {"a PA within an IAS above the OAS", 5, {{ste::S1ContextPtr, stored(36, 6)}}, lpae_oas36, pa_row},
      {"an IPA within an IAS above the OAS", 7, {{ste::S1ContextPtr, stored(40, 6) - 1}}, lpae_oas36, ""},
      {"S1ContextPtr at the IAS", 7, {{ste::S1ContextPtr, stored(40, 6)}}, lpae_oas36, ipa_row},
      {"S1ContextPtr at the IAS = OAS", 7, {{ste::S1ContextPtr, stored(40, 6)}}, oas40, ipa_row},
      {"S1ContextPtr beyond with Config=110", 6, {{ste::S1ContextPtr, stored(55, 6)}}, oas40, ""},
      {"S1ContextPtr beyond with Config=100", 4, {{ste::S1ContextPtr, stored(55, 6)}}, oas40, ""},

      {"VMSPtr beyond the OAS: no VMS, ignored", 7, {{ste::VMSPtr, stored(55, 12)}}, oas40, ""},
      {"VMSPtr beyond the OAS: no MPAM", 7, {{ste::S1MPAM, 1}, {ste::VMSPtr, stored(55, 12)}}, oas40, ""},
      {"VMSPtr beyond the OAS", 7, {{ste::S1MPAM, 1}, {ste::VMSPtr, stored(40, 12)}}, mpam_oas40, vms_row},
      {"VMSPtr within the OAS", 7, {{ste::S1MPAM, 1}, {ste::VMSPtr, stored(39, 12)}}, mpam_oas40, ""},
  };
  return cases;
}

namespace {

void ats(Features& f) {
  f.ats = true;
  stalls(f);
}
void ats_split(Features& f) {
  ats(f);
  f.split_stage_ats = true;
}
void ats_v30(Features& f) {
  ats(f);
  f.version_minor = 0;
  f.ril = false;
}
void ats_dpt(Features& f) {
  newest(f);
  ats(f);
  f.dpt = true;
}
constexpr std::string_view full_row = "EATS is 0b01", split_config = "EATS is 0b10 and Config",
                           split_s2s = "EATS is 0b10 and S2S", ns1ats = "EATS is 0b10 and IDR0.NS1ATS",
                           dpt_world = "EATS is 0b11 and the StreamWorld", dpt_s2s = "EATS is 0b11 and S2S";

}  // namespace

const std::vector<SteCase>& ste_ats_cases() {
  static const std::vector<SteCase> cases = {
      {"full ATS, nested", 7, {{ste::EATS, 1}}, ats, ""},
      {"full ATS and S2S, nested", 7, {{ste::EATS, 1}, {ste::S2S, 1}}, ats, full_row},
      {"full ATS and S2S, stage 2", 6, {{ste::EATS, 1}, {ste::S2S, 1}}, ats, full_row},
      {"full ATS and S2S, stage 1", 5, {{ste::EATS, 1}, {ste::S2S, 1}}, ats, ""},
      {"full ATS and S2S, stage 1, v3.0", 5, {{ste::EATS, 1}, {ste::S2S, 1}}, ats_v30, full_row},
      {"full ATS and S2S, bypass, v3.0", 4, {{ste::EATS, 1}, {ste::S2S, 1}}, ats_v30, ""},
      {"full ATS and S2S without ATS", 7, {{ste::EATS, 1}, {ste::S2S, 1}}, stalls, ""},

      {"split-stage ATS, nested", 7, {{ste::EATS, 2}}, ats_split, ""},
      {"split-stage ATS, stage 1", 5, {{ste::EATS, 2}}, ats_split, split_config},
      {"split-stage ATS, stage 2", 6, {{ste::EATS, 2}}, ats_split, split_config},
      {"split-stage ATS, bypass", 4, {{ste::EATS, 2}}, ats_split, ""},
      {"split-stage ATS and S2S", 7, {{ste::EATS, 2}, {ste::S2S, 1}}, ats_split, split_s2s},
      {"split-stage ATS with NS1ATS=1", 7, {{ste::EATS, 2}}, ats, ns1ats},
      {"split-stage ATS without ATS", 5, {{ste::EATS, 2}, {ste::S2S, 1}}, stalls, ""},

      {"ATS with DPT, nested", 7, {{ste::EATS, 3}, {ste::STRW, 2}}, ats_dpt, ""},
      {"ATS with DPT, EL1", 5, {{ste::EATS, 3}, {ste::S2S, 1}}, ats_dpt, ""},
      {"ATS with DPT, EL2", 5, {{ste::EATS, 3}, {ste::STRW, 2}}, ats_dpt, dpt_world},
      {"ATS with DPT and S2S, nested", 7, {{ste::EATS, 3}, {ste::S2S, 1}}, ats_dpt, dpt_s2s},
      {"ATS with DPT and S2S, stage 2", 6, {{ste::EATS, 3}, {ste::S2S, 1}}, ats_dpt, dpt_s2s},
      {"EATS=11 without DPT acts as 00, EL2", 5, {{ste::EATS, 3}, {ste::STRW, 2}}, ats, ""},
      {"EATS=11 without DPT acts as 00, S2S", 7, {{ste::EATS, 3}, {ste::S2S, 1}}, ats, ""},
      {"EATS=11 in bypass", 4, {{ste::EATS, 3}, {ste::S2S, 1}}, ats_dpt, ""},
  };
  return cases;
}

}  // namespace smmusim::illegal

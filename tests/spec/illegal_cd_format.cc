// SPDX-License-Identifier: MIT
// Rows of CDs: validity, fault model, format, hardware update, ASID, permission indirection (IHI 0070 sections 5.4,
// 5.4.2, 5.5). For each rule the legal neighbour, the offender, and the offending value where the field does not count.
#include "tests/spec/illegal_rows.h"

namespace smmusim::illegal {
namespace {

void term_model(Features& f) {
  f.term_model = true;
}
void little(Features& f) {
  f.ttendian = spec::Ttendian::little;
}
void lpae_only(Features& f) {
  f.ttf_lpae = true;
  f.ttf_vmsav8_64 = false;
}
void httu_table_lpae(Features& f) {
  httu_table(f);
  lpae(f);
}
void asid8(Features& f) {
  f.asid16 = false;
}
void indirect_lpae(Features& f) {
  newest_overlays(f);
  lpae(f);
}

constexpr std::string_view v_row = "V is 0 (", stalld_row = "S is 1 and STE.S1STALLD", s_row = "S is 1 and IDR0",
                           no_s_row = "S is 0 and IDR0", a_row = "A is 0", endi_row = "ENDI names",
                           no_lpae = "AA64 is 0", e2h_lpae = "AA64 selects VMSAv8-32 LPAE",
                           no_64 = "AA64 is 1 and IDR0", s2_lpae = "AA64 is 1 and stage 2",
                           d128_el2 = "AA64 selects VMSAv9-128 and the StreamWorld",
                           d128_s1pie = "AA64 selects VMSAv9-128 and STE.S1PIE", ha_row = "HA is 1", hd_row = "HD is 1",
                           haft_row = "HAFT is 1", asid_row = "ASID[15:8]", piip_row = "PIIP has",
                           piiu_row = "PIIU has", both_row = "PIIP grants";
constexpr Edit aa32{cd::AA64, 0}, pie{cd::PIE, 1};

}  // namespace

const std::vector<CdCase>& cd_fault_cases() {
  static const std::vector<CdCase> cases = {
      {"EL1 as set up", {}, Through::el1, nullptr, ""},
      {"EL2 as set up", {}, Through::el2, nullptr, ""},
      {"EL2-E2H as set up", {}, Through::el2_e2h, nullptr, ""},
      {"nested as set up", {}, Through::nested, nullptr, ""},
      {"V=0", {{cd::V, 0}}, Through::el1, nullptr, v_row},

      {"S with S1STALLD", {{cd::S, 1}}, Through::stalls_disabled, stalls, stalld_row},
      {"S=0 with S1STALLD", {}, Through::stalls_disabled, stalls, ""},
      {"S with both models", {{cd::S, 1}}, Through::el1, stalls, ""},
      {"S, terminate only", {{cd::S, 1}}, Through::el1, nullptr, s_row},
      {"S=0, stall only", {}, Through::el1, stalls_forced, no_s_row},
      {"S=1, stall only", {{cd::S, 1}}, Through::el1, stalls_forced, ""},
      {"A=0 with TERM_MODEL", {{cd::A, 0}}, Through::el1, term_model, a_row},
      {"A=1 with TERM_MODEL", {}, Through::el1, term_model, ""},
      {"A=0 without TERM_MODEL", {{cd::A, 0}}, Through::el1, nullptr, ""},

      {"big endian, little only", {{cd::ENDI, 1}}, Through::el1, little, endi_row},
      {"little endian, big only", {}, Through::el1, big, endi_row},
      {"big endian, mixed", {{cd::ENDI, 1}}, Through::el1, nullptr, ""},
      {"big endian, big only", {{cd::ENDI, 1}}, Through::el1, big, ""},
      {"big endian, EPD0", {{cd::ENDI, 1}, {cd::EPD0, 1}}, Through::el1, little, endi_row},
      {"big endian, EPD1", {{cd::ENDI, 1}, {cd::EPD1, 1}}, Through::el1, little, endi_row},
      {"ENDI is ignored with both EPD", {{cd::ENDI, 1}, {cd::EPD0, 1}, {cd::EPD1, 1}}, Through::el1, little, ""},
      {"EL2 ignores EPD", {{cd::ENDI, 1}, {cd::EPD0, 1}, {cd::EPD1, 1}}, Through::el2, little, endi_row},
  };
  return cases;
}

const std::vector<CdCase>& cd_format_cases() {
  static const std::vector<CdCase> cases = {
      {"LPAE without TTF[0]", {aa32}, Through::el1, nullptr, no_lpae},
      {"LPAE", {aa32}, Through::el1, lpae, ""},
      {"LPAE in EL2", {aa32}, Through::el2, lpae, ""},
      {"LPAE in EL2-E2H", {aa32}, Through::el2_e2h, lpae, e2h_lpae},
      {"64-bit tables without TTF[1]", {}, Through::el1, lpae_only, no_64},
      {"64-bit tables over a 64-bit stage 2", {}, Through::nested, lpae, ""},
      {"64-bit tables over LPAE", {}, Through::nested_lpae, lpae, s2_lpae},
      {"LPAE over LPAE", {aa32}, Through::nested_lpae, lpae, ""},
      {"LPAE over a 64-bit stage 2", {aa32}, Through::nested, lpae, ""},
      {"64-bit tables over 128-bit ones", {}, Through::nested_lpae, newest_d128, ""},
      {"128-bit tables", {aa32}, Through::with_s1pie, newest_d128, ""},
      {"128-bit tables in EL2-E2H", {aa32}, Through::e2h_with_s1pie, newest_d128, ""},
      {"128-bit tables in EL2", {aa32}, Through::el2_with_s1pie, newest_d128, d128_el2},
      {"128-bit tables without S1PIE", {aa32}, Through::el1, newest_d128, d128_s1pie},
  };
  return cases;
}

const std::vector<CdCase>& cd_update_cases() {
  static const std::vector<CdCase> cases = {
      {"HA without HTTU", {{cd::HA, 1}}, Through::el1, nullptr, ha_row},
      {"HA with HTTU=01", {{cd::HA, 1}}, Through::el1, httu_access, ""},
      {"HD without HTTU", {{cd::HD, 1}}, Through::el1, nullptr, hd_row},
      {"HD with HTTU=01", {{cd::HA, 1}, {cd::HD, 1}}, Through::el1, httu_access, hd_row},
      {"HD with HTTU=10", {{cd::HA, 1}, {cd::HD, 1}}, Through::el1, httu_dirty, ""},
      {"HD alone with HTTU=10", {{cd::HD, 1}}, Through::el1, httu_dirty, ""},
      {"HA and HD are ignored with LPAE", {aa32, {cd::HA, 1}, {cd::HD, 1}}, Through::el1, lpae, ""},
      {"HAFT without HA", {{cd::HAFT, 1}}, Through::el1, httu_table, haft_row},
      {"HAFT with HA", {{cd::HAFT, 1}, {cd::HA, 1}}, Through::el1, httu_table, ""},
      {"HAFT=0 with HTTU=11", {}, Through::el1, httu_table, ""},
      {"HAFT is ignored with HTTU=10", {{cd::HAFT, 1}}, Through::el1, httu_dirty, ""},
      {"HAFT with LPAE, where HA is ignored", {aa32, {cd::HAFT, 1}}, Through::el1, httu_table_lpae, ""},

      {"8-bit ASID", {{cd::ASID, 0xff}}, Through::el1, asid8, ""},
      {"9-bit ASID", {{cd::ASID, 0x100}}, Through::el1, asid8, asid_row},
      {"9-bit ASID, EL2-E2H", {{cd::ASID, 0x8000}}, Through::el2_e2h, asid8, asid_row},
      {"9-bit ASID, nested", {{cd::ASID, 0x100}}, Through::nested, asid8, asid_row},
      {"9-bit ASID is ignored in EL2", {{cd::ASID, 0xffff}}, Through::el2, asid8, ""},
      {"9-bit ASID with ASID16", {{cd::ASID, 0xffff}}, Through::el1, nullptr, ""},
  };
  return cases;
}

const std::vector<CdCase>& cd_permission_cases() {
  static const std::vector<CdCase> cases = {
      {"PIIP = 100", {pie, {cd::PIIP(3), 4}}, Through::with_s1pie, newest_overlays, piip_row},
      {"PIIP = 110", {pie, {cd::PIIP(15), 6}}, Through::with_s1pie, newest_overlays, piip_row},
      {"PIIP = 100 in EL2", {pie, {cd::PIIP(0), 4}}, Through::el2_with_s1pie, newest_overlays, piip_row},
      {"PIIP = 101", {pie, {cd::PIIP(3), 5}}, Through::with_s1pie, newest_overlays, ""},
      {"PIIP = 100 with PIE=0", {{cd::PIIP(3), 4}}, Through::with_s1pie, newest_overlays, ""},
      {"PIIP = 100 with S1PIE=0", {pie, {cd::PIIP(3), 4}}, Through::el1, newest_overlays, ""},
      {"PIIP = 100 without S1PI", {pie, {cd::PIIP(3), 4}}, Through::with_s1pie, newest, ""},
      {"PIIP = 100 with LPAE", {aa32, pie, {cd::PIIP(3), 4}}, Through::with_s1pie, indirect_lpae, ""},
      {"PIIP = 100, 128-bit, PIE=0", {aa32, {cd::PIIP(3), 4}}, Through::with_s1pie, newest_d128, piip_row},
      {"PIIU = 110", {pie, {cd::PIIU(15), 6}}, Through::with_s1pie, newest_overlays, piiu_row},
      {"PIIU = 100, EL2-E2H", {pie, {cd::PIIU(0), 4}}, Through::e2h_with_s1pie, newest_overlays, piiu_row},
      {"PIIU = 100 is ignored in EL2", {pie, {cd::PIIU(0), 4}}, Through::el2_with_s1pie, newest_overlays, ""},
      {"PIIU = 111", {pie, {cd::PIIU(0), 7}}, Through::with_s1pie, newest_overlays, ""},
      {"execution where others write",
       {pie, {cd::PIIP(2), 3}, {cd::PIIU(2), 5}},
       Through::with_s1pie,
       newest_overlays,
       both_row},
      {"execution elsewhere", {pie, {cd::PIIP(2), 3}, {cd::PIIU(3), 5}}, Through::with_s1pie, newest_overlays, ""},
      {"writing by both", {pie, {cd::PIIP(2), 5}, {cd::PIIU(2), 5}}, Through::with_s1pie, newest_overlays, ""},
      {"execution, EL2", {pie, {cd::PIIP(2), 3}, {cd::PIIU(2), 5}}, Through::el2_with_s1pie, newest_overlays, ""},
  };
  return cases;
}

}  // namespace smmusim::illegal

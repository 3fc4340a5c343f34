// SPDX-License-Identifier: MIT
// Rows of STEs that enable stage 2 (IHI 0070 section 5.2, Arm ARM D8.2 for the start levels). For each rule the legal
// neighbour, the offender, and the offending value where the field does not count.
#include "tests/spec/illegal_rows.h"

namespace smmusim::illegal {
namespace {

void oas42(Features& f) {
  f.oas = 42;
}
void oas44(Features& f) {
  f.oas = 44;
}
void oas52(Features& f) {
  f.oas = 52;
}
void stt(Features& f) {
  f.stt = true;
}
void lpae_only(Features& f) {
  f.ttf_lpae = true;
  f.ttf_vmsav8_64 = false;
}
void only_4k(Features& f) {
  f.gran16k = f.gran64k = false;
}
void only_64k(Features& f) {
  f.gran4k = f.gran16k = false;
}
constexpr std::string_view tg_row = "S2TG is", range_row = "S2T0SZ is out of range", sl0_row = "S2SL0 names",
                           agree_row = "S2T0SZ does not agree with S2SL0 and S2TG",
                           lpae_row = "S2T0SZ does not agree with S2SL0 of", skl_row = "S2SKL skips",
                           no_lpae = "S2AA64 is 0", no_64 = "S2AA64 is 1", ps_row = "S2TTB is outside",
                           ttb48_row = "S2TTB needs";

/// S2TG, S2SL0, S2T0SZ.
std::vector<Edit> walk(std::uint64_t tg, std::uint64_t sl0, std::uint64_t t0sz, std::vector<Edit> more = {}) {
  more.insert(more.end(), {{ste::S2TG, tg}, {ste::S2SL0, sl0}, {ste::S2T0SZ, t0sz}});
  return more;
}
constexpr std::uint64_t k4 = 0, k64 = 1, k16 = 2;
constexpr Edit ds{ste::S2DS, 1}, sl2{ste::S2SL0_2, 1}, aa32{ste::S2AA64, 0};

}  // namespace

const std::vector<SteCase>& ste_format_cases() {
  static const std::vector<SteCase> cases = {
      {"LPAE tables without TTF[0]", 6, {aa32}, nullptr, no_lpae},
      {"LPAE tables", 6, {aa32}, lpae, ""},
      {"64-bit tables without TTF[1]", 7, {}, lpae_only, no_64},

      {"S2TG reserved", 6, walk(3, 1, 24), nullptr, tg_row},
      {"64 KiB unsupported", 6, walk(k64, 1, 24), only_4k, tg_row},
      {"16 KiB unsupported", 7, walk(k16, 1, 24), only_4k, tg_row},
      {"4 KiB unsupported", 7, walk(k4, 1, 24), only_64k, tg_row},
      {"64 KiB", 6, walk(k64, 1, 24), nullptr, ""},
      {"16 KiB", 6, walk(k16, 1, 24), nullptr, ""},
      {"S2TG is ignored with LPAE", 6, walk(3, 1, 24, {aa32}), lpae, ""},
  };
  return cases;
}

const std::vector<SteCase>& ste_geometry_cases() {
  static const std::vector<SteCase> cases = {
      {"48 bits", 6, walk(k4, 2, 16), nullptr, ""},
      {"49 bits", 6, walk(k4, 2, 15), nullptr, range_row},
      {"41 bits with 40 bits of OAS", 6, walk(k4, 1, 23), oas40, range_row},
      {"40 bits with 40 bits of OAS", 6, walk(k4, 1, 24), oas40, ""},
      {"40 bits with 36 bits of OAS and LPAE", 6, walk(k4, 1, 24), lpae_oas36, ""},
      {"S2T0SZ 39", 6, walk(k4, 0, 39), nullptr, ""},
      {"S2T0SZ 40", 6, walk(k4, 0, 40), nullptr, range_row},
      {"S2T0SZ 40 with STT", 6, walk(k4, 0, 40), stt, ""},
      {"S2T0SZ 48 with STT", 6, walk(k4, 3, 48), stt, ""},
      {"S2T0SZ 49 with STT", 6, walk(k4, 3, 49), stt, range_row},
      {"16 KiB, S2T0SZ 48 with STT", 6, walk(k16, 0, 48), stt, ""},
      {"16 KiB, S2T0SZ 40", 6, walk(k16, 0, 40), nullptr, range_row},
      {"64 KiB, S2T0SZ 47 with STT", 6, walk(k64, 0, 47), stt, ""},
      {"64 KiB, S2T0SZ 48 with STT", 6, walk(k64, 0, 48), stt, range_row},
      {"64 KiB, 52 bits", 6, walk(k64, 2, 12), oas52, ""},
      {"64 KiB, 53 bits", 6, walk(k64, 2, 11), oas52, range_row},
      {"64 KiB, 52 bits with 48 bits of OAS", 6, walk(k64, 2, 12), nullptr, range_row},
      {"4 KiB, 49 bits with 52 bits of OAS", 6, walk(k4, 2, 15), oas52, range_row},
      {"S2DS is ignored without IDR5.DS", 6, walk(k4, 2, 15, {ds}), oas52, range_row},
      {"4 KiB, 52 bits with DS", 6, walk(k4, 0, 12, {ds, sl2}), newest_ds, ""},
      {"4 KiB, 52 bits from level 0 with DS", 6, walk(k4, 2, 12, {ds}), newest_ds, ""},
      {"4 KiB, 49 bits with IDR5.DS and S2DS=0", 6, walk(k4, 2, 15), newest_ds, range_row},
      {"16 KiB, 52 bits with DS", 6, walk(k16, 3, 12, {ds}), newest_ds, ""},
      {"4 KiB, 53 bits with DS", 6, walk(k4, 0, 11, {ds, sl2}), newest_ds, range_row},
      {"LPAE ignores S2T0SZ[5:4]", 6, walk(k4, 1, 56, {aa32}), lpae, ""},
      {"128-bit descriptors, 56 bits", 6, walk(k4, 3, 8, {aa32}), newest_d128, ""},
      {"128-bit descriptors, 57 bits", 6, walk(k4, 3, 7, {aa32}), newest_d128, range_row},

      {"4 KiB, level 3 without STT", 6, walk(k4, 3, 39), nullptr, sl0_row},
      {"4 KiB, level 3 with STT", 6, walk(k4, 3, 39), stt, ""},
      {"4 KiB, level 0 with 40 bits of OAS", 6, walk(k4, 2, 24), oas40, sl0_row},
      {"4 KiB, level 0 with 44 bits of OAS", 6, walk(k4, 2, 24), oas44, ""},
      {"16 KiB, level 1 with 40 bits of OAS", 6, walk(k16, 2, 24), oas40, sl0_row},
      {"16 KiB, level 1 with 42 bits of OAS", 6, walk(k16, 2, 24), oas42, ""},
      {"16 KiB, level 0 without DS", 6, walk(k16, 3, 17), nullptr, sl0_row},
      {"64 KiB, level 1 with 42 bits of OAS", 6, walk(k64, 2, 22), oas42, sl0_row},
      {"64 KiB, level 1 with 44 bits of OAS", 6, walk(k64, 2, 21), oas44, ""},
      {"64 KiB, S2SL0=11", 6, walk(k64, 3, 24), nullptr, sl0_row},
      {"4 KiB, S2SL0_2 with S2SL0=01 and DS", 6, walk(k4, 1, 24, {ds, sl2}), newest_ds, sl0_row},
      {"4 KiB, S2SL0_2 is ignored without S2DS", 6, walk(k4, 1, 24, {sl2}), newest_ds, ""},
      {"4 KiB, S2SL0_2 is ignored without IDR5.DS", 6, walk(k4, 1, 24, {ds, sl2}), nullptr, ""},
      {"64 KiB ignores S2SL0_2", 6, walk(k64, 1, 24, {ds, sl2}), newest_ds, ""},

      {"4 KiB, level 0, 40 bits", 6, walk(k4, 2, 24), nullptr, ""},
      {"4 KiB, level 0, 39 bits", 6, walk(k4, 2, 25), nullptr, agree_row},
      {"4 KiB, level 1, 16 tables", 6, walk(k4, 1, 21), nullptr, ""},
      {"4 KiB, level 1, 32 tables", 6, walk(k4, 1, 20), nullptr, agree_row},
      {"4 KiB, level 1, one bit", 6, walk(k4, 1, 33), nullptr, ""},
      {"4 KiB, level 1, no bit", 6, walk(k4, 1, 34), nullptr, agree_row},
      {"4 KiB, level 2, 16 tables", 6, walk(k4, 0, 30), nullptr, ""},
      {"4 KiB, level 2, 32 tables", 6, walk(k4, 0, 29), nullptr, agree_row},
      {"16 KiB, level 2, 16 tables", 6, walk(k16, 1, 24), nullptr, ""},
      {"16 KiB, level 2, 32 tables", 6, walk(k16, 1, 23), nullptr, agree_row},
      {"16 KiB, level 1, 2 tables", 6, walk(k16, 2, 16), nullptr, ""},
      {"64 KiB, level 2, 16 tables", 6, walk(k64, 1, 18), nullptr, ""},
      {"64 KiB, level 2, 32 tables", 7, walk(k64, 1, 17), nullptr, agree_row},
      {"64 KiB, level 3, 16 tables", 6, walk(k64, 0, 31), nullptr, ""},
      {"64 KiB, level 3, 32 tables", 6, walk(k64, 0, 30), nullptr, agree_row},

      {"LPAE, level 1, 40 bits", 6, walk(k4, 1, 8, {aa32}), lpae, ""},
      {"LPAE, level 1, 31 bits", 6, walk(k4, 1, 1, {aa32}), lpae, ""},
      {"LPAE, level 1, 30 bits", 6, walk(k4, 1, 2, {aa32}), lpae, lpae_row},
      {"LPAE, level 2, 34 bits", 6, walk(k4, 0, 14, {aa32}), lpae, ""},
      {"LPAE, level 2, 35 bits", 6, walk(k4, 0, 13, {aa32}), lpae, lpae_row},
      {"LPAE, level 2, 25 bits", 6, walk(k4, 0, 7, {aa32}), lpae, ""},
      {"LPAE, S2SL0=10", 6, walk(k4, 2, 8, {aa32}), lpae, lpae_row},
      {"LPAE, S2SL0=11", 6, walk(k4, 3, 8, {aa32}), lpae, lpae_row},

      {"S2SKL to level 3", 6, walk(k4, 0, 24, {aa32, {ste::S2SKL, 3}}), newest_d128, ""},
      {"S2SKL below level 3", 6, walk(k4, 0, 32, {aa32, {ste::S2SKL, 3}}), newest_d128, skl_row},
      {"S2SKL is ignored with 64-bit descriptors", 6, walk(k4, 1, 32, {{ste::S2SKL, 3}}), newest_d128, ""},
      {"S2SKL with a reserved granule", 6, walk(3, 1, 24, {aa32, {ste::S2SKL, 3}}), newest_d128, tg_row},
  };
  return cases;
}

const std::vector<SteCase>& ste_base_cases() {
  static const std::vector<SteCase> cases = {
      {"S2TTB below S2PS=32", 6, {{ste::S2PS, 0}, {ste::S2TTB, stored(32, 4) - 1}}, nullptr, ""},
      {"S2TTB at S2PS=32", 6, {{ste::S2PS, 0}, {ste::S2TTB, stored(32, 4)}}, nullptr, ps_row},
      {"S2TTB at the OAS, S2PS above", 6, {{ste::S2TTB, stored(40, 4)}}, oas40, ps_row},
      {"S2TTB below the OAS, S2PS above", 6, {{ste::S2TTB, stored(40, 4) - 1}}, oas40, ""},
      {"S2TTB at 48 bits, S2PS=7", 6, {{ste::S2PS, 7}, {ste::S2TTB, stored(48, 4)}}, nullptr, ps_row},
      {"LPAE ignores S2PS", 6, {aa32, {ste::S2PS, 0}, {ste::S2TTB, stored(39, 4)}}, lpae, ""},
      {"S2TTB at 40 bits with LPAE", 6, {aa32, {ste::S2TTB, stored(40, 4)}}, lpae, ps_row},
      {"S2TTB at 48 bits with 4 KiB", 6, {{ste::S2PS, 6}, {ste::S2TTB, stored(48, 4)}}, oas52, ttb48_row},
      {"S2TTB at 48 bits with 64 KiB", 6, walk(k64, 1, 24, {{ste::S2PS, 6}, {ste::S2TTB, stored(48, 4)}}), oas52, ""},
      {"S2TTB at 48 bits with S2DS", 6, {{ste::S2PS, 6}, ds, {ste::S2TTB, stored(48, 4)}}, newest_ds, ""},
      {"S2TTB at 48 bits, S2DS without IDR5.DS",
       6,
       {{ste::S2PS, 6}, ds, {ste::S2TTB, stored(48, 4)}},
       oas52,
       ttb48_row},
      {"S2TTB at 48 bits, S2PS=48", 6, walk(k64, 1, 24, {{ste::S2TTB, stored(48, 4)}}), oas52, ps_row},
      {"S2TTB[55:52] are RES0", 6, {{ste::S2TTB, stored(52, 4) | 0x100}}, nullptr, ""},
      {"S2TTB of 56 bits, 128-bit descriptors",
       6,
       {aa32, {ste::S2PS, 7}, {ste::S2TTB, stored(55, 4)}},
       newest_d128,
       ""},
      {"the same with S2PS=52", 6, {aa32, {ste::S2PS, 6}, {ste::S2TTB, stored(55, 4)}}, newest_d128, ps_row},
  };
  return cases;
}

namespace {

void little(Features& f) {
  f.ttendian = spec::Ttendian::little;
}
void httu_lpae(Features& f) {
  httu_dirty(f);
  lpae(f);
}
void fwb_lpae(Features& f) {
  lpae(f);
  f.fwb = true;
}
void indirect_lpae(Features& f) {
  newest_overlays(f);
  lpae(f);
}
void overlays_without_pbha(Features& f) {
  newest_overlays(f);
  f.pbha = false;
}
constexpr std::string_view endi_row = "S2ENDI names", s2s_row = "S2S is 1 and IDR0", no_s2s = "S2S is 0 and IDR0",
                           httu_lpae_row = "S2HA or S2HD", ha_row = "S2HA is 1", hd_row = "S2HD is 1",
                           haft_row = "S2HAFT is 1", fwb_row = "S2FWB is 1", pie_row = "S2PIE is 1",
                           direct_row = "S2POE is 1 with direct", hwu_row = "S2POE is 1 and an S2HWU",
                           poi_row = "S2POI has";
constexpr Edit pie{ste::S2PIE, 1}, poe{ste::S2POE, 1};

}  // namespace

const std::vector<SteCase>& ste_fault_cases() {
  static const std::vector<SteCase> cases = {
      {"big-endian tables, little only", 6, {{ste::S2ENDI, 1}}, little, endi_row},
      {"little-endian tables, big only", 7, {}, big, endi_row},
      {"big-endian tables, big only", 7, {{ste::S2ENDI, 1}}, big, ""},
      {"big-endian tables, mixed", 6, {{ste::S2ENDI, 1}}, nullptr, ""},

      {"S2S, terminate only", 6, {{ste::S2S, 1}}, nullptr, s2s_row},
      {"S2S, nested, terminate only", 7, {{ste::S2S, 1}}, nullptr, s2s_row},
      {"S2S, both models", 6, {{ste::S2S, 1}}, stalls, ""},
      {"S2S=0, stall only", 6, {}, stalls_forced, no_s2s},
      {"S2S=1, stall only", 6, {{ste::S2S, 1}}, stalls_forced, ""},

      {"S2HA without HTTU", 6, {{ste::S2HA, 1}}, nullptr, ha_row},
      {"S2HA with HTTU=01", 6, {{ste::S2HA, 1}}, httu_access, ""},
      {"S2HD without HTTU", 6, {{ste::S2HD, 1}}, nullptr, hd_row},
      {"S2HD with HTTU=01", 6, {{ste::S2HA, 1}, {ste::S2HD, 1}}, httu_access, hd_row},
      {"S2HD with HTTU=10", 6, {{ste::S2HA, 1}, {ste::S2HD, 1}}, httu_dirty, ""},
      {"S2HD alone with HTTU=10", 6, {{ste::S2HD, 1}}, httu_dirty, ""},
      {"S2HA with LPAE", 6, {aa32, {ste::S2HA, 1}}, httu_lpae, httu_lpae_row},
      {"S2HD with LPAE", 6, {aa32, {ste::S2HD, 1}}, httu_lpae, httu_lpae_row},
      {"S2HAFT without S2HA", 6, {{ste::S2HAFT, 1}}, httu_table, haft_row},
      {"S2HAFT with S2HA", 6, {{ste::S2HAFT, 1}, {ste::S2HA, 1}}, httu_table, ""},
      {"S2HAFT=0 with HTTU=11", 6, {}, httu_table, ""},
      {"S2HAFT is ignored with HTTU=10", 6, {{ste::S2HAFT, 1}}, httu_dirty, ""},
  };
  return cases;
}

const std::vector<SteCase>& ste_permission_cases() {
  static const std::vector<SteCase> cases = {
      {"S2FWB with LPAE", 6, {aa32, {ste::S2FWB, 1}}, fwb_lpae, fwb_row},
      {"S2FWB with 64-bit descriptors", 6, {{ste::S2FWB, 1}}, fwb_lpae, ""},
      {"S2FWB is ignored without IDR3.FWB", 6, {aa32, {ste::S2FWB, 1}}, lpae, ""},

      {"S2PIE with LPAE", 6, {aa32, pie}, indirect_lpae, pie_row},
      {"S2PIE with 64-bit descriptors", 6, {pie}, indirect_lpae, ""},
      {"S2PIE is ignored without S2PI", 6, {aa32, pie}, lpae, ""},

      {"S2POE with direct permissions", 6, {poe}, newest_overlays, direct_row},
      {"S2POE with indirect permissions", 6, {poe, pie}, newest_overlays, ""},
      {"S2POE with 128-bit descriptors", 6, {poe, aa32}, newest_d128, ""},
      {"S2POE with LPAE", 6, {poe, aa32}, indirect_lpae, direct_row},
      {"S2POE is ignored without S2PO", 6, {poe}, newest, ""},
      {"S2POE and S2HWU59", 6, {poe, pie, {ste::S2HWU59, 1}}, newest_overlays, hwu_row},
      {"S2POE and S2HWU60", 6, {poe, pie, {ste::S2HWU60, 1}}, newest_overlays, hwu_row},
      {"S2POE and S2HWU61", 6, {poe, pie, {ste::S2HWU61, 1}}, newest_overlays, hwu_row},
      {"S2POE and S2HWU62", 6, {poe, pie, {ste::S2HWU62, 1}}, newest_overlays, hwu_row},
      {"S2HWU59 without S2POE", 6, {pie, {ste::S2HWU59, 1}}, newest_overlays, ""},
      {"S2HWU59 is ignored without PBHA", 6, {poe, pie, {ste::S2HWU59, 1}}, overlays_without_pbha, ""},
      {"S2POI<0> = 0001", 6, {poe, pie, {ste::S2POI(0), 1}}, newest_overlays, poi_row},
      {"S2POI<15> = 0101", 6, {poe, pie, {ste::S2POI(15), 5}}, newest_overlays, poi_row},
      {"S2POI<7> = 0100", 6, {poe, pie, {ste::S2POI(7), 4}}, newest_overlays, ""},
      {"S2POI is ignored without S2POE", 6, {pie, {ste::S2POI(5), 1}}, newest_overlays, ""},
  };
  return cases;
}

}  // namespace smmusim::illegal

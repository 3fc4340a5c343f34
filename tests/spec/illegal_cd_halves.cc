// SPDX-License-Identifier: MIT
// Rows of CDs: granule, input size and table address of each half, and when a half counts (IHI 0070 sections 5.4,
// 5.4.1.1, 3.4.1, 3.4.3).
#include "tests/spec/illegal_rows.h"

namespace smmusim::illegal {
namespace {

void stt(Features& f) {
  f.stt = true;
}
void vax52(Features& f) {
  f.vax = 52;
}
void oas52(Features& f) {
  f.oas = 52;
}
void only_4k(Features& f) {
  f.gran16k = f.gran64k = false;
}
void only_16k(Features& f) {
  f.gran4k = f.gran64k = false;
}
void d128_vax52(Features& f) {
  newest_d128(f);
  f.vax = 52;
}
void d128_vax48(Features& f) {
  newest_d128(f);
  f.vax = 48;
}
constexpr std::string_view tg_row = "TGx is", size_row = "TxSZ is", skl_row = "SKLx skips", ips_row = "TTBx is outside",
                           ttb48_row = "TTBx needs";
constexpr Edit aa32{cd::AA64, 0}, epd0{cd::EPD0, 1}, epd1{cd::EPD1, 1}, ds{cd::DS, 1}, tg0_64k{cd::TG0, 1},
    tg0_16k{cd::TG0, 2}, tg1_64k{cd::TG1, 3}, tg1_16k{cd::TG1, 1};

Edit t0sz(std::uint64_t value) {
  return {cd::T0SZ, value};
}
Edit t1sz(std::uint64_t value) {
  return {cd::T1SZ, value};
}
Edit ips(std::uint64_t value) {
  return {cd::IPS, value};
}
/// TTBx at 2^power.
Edit ttb0(unsigned power) {
  return {cd::TTB0, stored(power, 4)};
}
Edit ttb1(unsigned power) {
  return {cd::TTB1, stored(power, 4)};
}

}  // namespace

const std::vector<CdCase>& cd_size_cases() {
  static const std::vector<CdCase> cases = {
      {"TG0 64 KiB", {tg0_64k}, Through::el1, nullptr, ""},
      {"TG0 16 KiB", {tg0_16k}, Through::el1, nullptr, ""},
      {"TG1 64 KiB", {tg1_64k}, Through::el1, nullptr, ""},
      {"TG1 16 KiB", {tg1_16k}, Through::el1, nullptr, ""},
      {"TG0 reserved", {{cd::TG0, 3}}, Through::el1, nullptr, tg_row},
      {"TG1 reserved", {{cd::TG1, 0}}, Through::el1, nullptr, tg_row},
      {"TG0 64 KiB unsupported", {tg0_64k}, Through::el1, only_4k, tg_row},
      {"TG0 16 KiB unsupported", {tg0_16k}, Through::el1, only_4k, tg_row},
      {"TG0 4 KiB unsupported", {tg1_16k}, Through::el1, only_16k, tg_row},
      {"TG1 64 KiB unsupported", {tg1_64k}, Through::el1, only_4k, tg_row},
      {"TG1 16 KiB unsupported", {tg1_16k}, Through::el2_e2h, only_4k, tg_row},
      {"TG0 reserved with EPD0", {{cd::TG0, 3}, epd0}, Through::el1, nullptr, ""},
      {"TG1 reserved with EPD1", {{cd::TG1, 0}, epd1}, Through::el1, nullptr, ""},
      {"TG1 reserved with EPD0", {{cd::TG1, 0}, epd0}, Through::el1, nullptr, tg_row},
      {"TG0 reserved, EL2 ignores EPD0", {{cd::TG0, 3}, epd0}, Through::el2, nullptr, tg_row},
      {"TG1 reserved in EL2", {{cd::TG1, 0}}, Through::el2, nullptr, ""},
      {"TGx reserved with LPAE", {aa32, {cd::TG0, 3}, {cd::TG1, 0}}, Through::el1, lpae, ""},

      {"T0SZ 15", {t0sz(15)}, Through::el1, nullptr, size_row},
      {"T0SZ 39", {t0sz(39)}, Through::el1, nullptr, ""},
      {"T0SZ 40", {t0sz(40)}, Through::el1, nullptr, size_row},
      {"T1SZ 15", {t1sz(15)}, Through::el1, nullptr, size_row},
      {"T1SZ 39", {t1sz(39)}, Through::el1, nullptr, ""},
      {"T1SZ 40", {t1sz(40)}, Through::el2_e2h, nullptr, size_row},
      {"T0SZ 40 with EPD0", {t0sz(40), epd0}, Through::el1, nullptr, ""},
      {"T1SZ 0 with EPD1", {t1sz(0), epd1}, Through::el2_e2h, nullptr, ""},
      {"T1SZ 0 with EPD0", {t1sz(0), epd0}, Through::el1, nullptr, size_row},
      {"T0SZ 0 with EPD1", {t0sz(0), epd1}, Through::el1, nullptr, size_row},
      {"T0SZ 15, EL2 ignores EPD0", {t0sz(15), epd0}, Through::el2, nullptr, size_row},
      {"T1SZ 0 in EL2", {t1sz(0)}, Through::el2, nullptr, ""},
      {"T0SZ 40 with STT", {t0sz(40)}, Through::el1, stt, ""},
      {"T0SZ 48 with STT", {t0sz(48)}, Through::el1, stt, ""},
      {"T0SZ 49 with STT", {t0sz(49)}, Through::el1, stt, size_row},
      {"16 KiB, T1SZ 48 with STT", {tg1_16k, t1sz(48)}, Through::el1, stt, ""},
      {"64 KiB, T0SZ 47 with STT", {tg0_64k, t0sz(47)}, Through::el1, stt, ""},
      {"64 KiB, T0SZ 48 with STT", {tg0_64k, t0sz(48)}, Through::el1, stt, size_row},
      {"64 KiB, T1SZ 48 with STT", {tg1_64k, t1sz(48)}, Through::el1, stt, size_row},
      {"64 KiB, T0SZ 12, VAX=48", {tg0_64k, t0sz(12)}, Through::el1, nullptr, size_row},
      {"64 KiB, T0SZ 12, VAX=52", {tg0_64k, t0sz(12)}, Through::el1, vax52, ""},
      {"64 KiB, T0SZ 11, VAX=52", {tg0_64k, t0sz(11)}, Through::el1, vax52, size_row},
      {"64 KiB above, 4 KiB below, T0SZ 12", {tg1_64k, t0sz(12)}, Through::el1, vax52, size_row},
      {"4 KiB, T0SZ 12 with DS", {ds, t0sz(12)}, Through::el1, newest_ds, ""},
      {"4 KiB, T0SZ 12 with DS=0", {t0sz(12)}, Through::el1, newest_ds, size_row},
      {"4 KiB, T0SZ 11 with DS", {ds, t0sz(11)}, Through::el1, newest_ds, size_row},
      {"16 KiB, T1SZ 12 with DS", {ds, tg1_16k, t1sz(12)}, Through::el1, newest_ds, ""},
      {"DS is ignored without IDR5.DS", {ds, t0sz(12)}, Through::el1, vax52, size_row},
      {"LPAE ignores TxSZ[5:3]", {aa32, t0sz(63), t1sz(56)}, Through::el1, lpae, ""},
      {"T0SZ with a reserved granule", {{cd::TG0, 3}, t0sz(63)}, Through::el1, nullptr, tg_row},
  };
  return cases;
}

const std::vector<CdCase>& cd_d128_cases() {
  static const std::vector<CdCase> cases = {
      {"128-bit, T0SZ 9, VAX=56", {aa32, t0sz(9)}, Through::with_s1pie, newest_d128, ""},
      {"128-bit, T0SZ 8, VAX=56", {aa32, t0sz(8)}, Through::with_s1pie, newest_d128, size_row},
      {"128-bit, T0SZ 12, VAX=52", {aa32, t0sz(12)}, Through::with_s1pie, d128_vax52, ""},
      {"128-bit, T0SZ 11, VAX=52", {aa32, t0sz(11)}, Through::with_s1pie, d128_vax52, size_row},
      {"128-bit, T0SZ 16, VAX=48", {aa32}, Through::with_s1pie, d128_vax48, ""},
      {"128-bit, T0SZ 15, VAX=48", {aa32, t0sz(15)}, Through::with_s1pie, d128_vax48, size_row},

      {"SKL0 to level 3", {aa32, t0sz(24), {cd::SKL0, 3}}, Through::with_s1pie, newest_d128, ""},
      {"SKL0 below level 3", {aa32, t0sz(32), {cd::SKL0, 3}}, Through::with_s1pie, newest_d128, skl_row},
      {"SKL1 below level 3", {aa32, t1sz(32), {cd::SKL1, 3}}, Through::with_s1pie, newest_d128, skl_row},
      {"SKL1 with EPD1", {aa32, t1sz(32), {cd::SKL1, 3}, epd1}, Through::with_s1pie, newest_d128, ""},
      {"SKLx with 64-bit descriptors", {t0sz(32), {cd::SKL0, 3}, {cd::SKL1, 3}}, Through::el1, newest_d128, ""},
  };
  return cases;
}

const std::vector<CdCase>& cd_base_cases() {
  static const std::vector<CdCase> cases = {
      {"TTB0 below IPS 32", {ips(0), {cd::TTB0, stored(32, 4) - 1}}, Through::el1, nullptr, ""},
      {"TTB0 at IPS 32", {ips(0), ttb0(32)}, Through::el1, nullptr, ips_row},
      {"TTB1 at IPS 36", {ips(1), ttb1(36)}, Through::el1, nullptr, ips_row},
      {"TTB0 above, nested", {ips(2), ttb0(40)}, Through::nested, nullptr, ips_row},
      {"TTB0 above with EPD0", {ips(0), ttb0(32), epd0}, Through::el1, nullptr, ""},
      {"TTB1 above with EPD1", {ips(0), ttb1(32), epd1}, Through::el1, nullptr, ""},
      {"TTB1 above in EL2", {ips(0), ttb1(32)}, Through::el2, nullptr, ""},
      {"TTB0 above, EL2 ignores EPD0", {ips(0), ttb0(32), epd0}, Through::el2, nullptr, ips_row},
      {"TTB0 at the OAS, IPS above", {ttb0(40)}, Through::el1, oas40, ips_row},
      {"TTB0 below the OAS, IPS above", {{cd::TTB0, stored(40, 4) - 1}}, Through::el1, oas40, ""},
      {"TTB0 at 48 bits, IPS=7", {ips(7), ttb0(48)}, Through::el1, nullptr, ips_row},
      {"TTB0 at 48 bits, 4 KiB", {ips(6), ttb0(48)}, Through::el1, oas52, ttb48_row},
      {"TTB1 at 48 bits, 16 KiB", {ips(6), tg1_16k, ttb1(48)}, Through::el1, oas52, ttb48_row},
      {"TTB0 at 48 bits, 64 KiB", {ips(6), tg0_64k, ttb0(48)}, Through::el1, oas52, ""},
      {"TTB0 at 48 bits, 64 KiB, IPS=48", {tg0_64k, ttb0(48)}, Through::el1, oas52, ips_row},
      {"TTB0 at 48 bits with DS", {ips(6), ds, ttb0(48)}, Through::el1, newest_ds, ""},
      {"TTB0 at 48 bits, DS without IDR5.DS", {ips(6), ds, ttb0(48)}, Through::el1, oas52, ttb48_row},
      {"TTB0 at 48 bits with EPD0", {ips(6), ttb0(48), epd0}, Through::el1, oas52, ""},
      {"TTB0[55:52] are RES0", {ttb0(52), ttb1(55)}, Through::el1, nullptr, ""},
      {"LPAE ignores IPS", {aa32, ips(0), ttb0(39)}, Through::el1, lpae, ""},
      {"TTB0 at 40 bits with LPAE", {aa32, ttb0(40)}, Through::el1, lpae, ips_row},
      {"TTB0 of 56 bits, 128-bit", {aa32, ips(7), ttb0(55)}, Through::with_s1pie, newest_d128, ""},
      {"the same with IPS=52", {aa32, ips(6), ttb0(55)}, Through::with_s1pie, newest_d128, ips_row},
  };
  return cases;
}

}  // namespace smmusim::illegal

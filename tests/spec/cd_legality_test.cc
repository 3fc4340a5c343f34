// SPDX-License-Identifier: MIT
// Which CDs are ILLEGAL and what is ignored (IHI 0070 sections 5.4, 5.4.1.1, 5.4.2). Our choice for RES0 bits: ignored.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

using raw::Edit;
namespace cd = raw::cd;

struct CdRow {
  const char* what;
  std::initializer_list<Edit> edits;
  bool illegal;
  void (*features)(spec::Features&) = nullptr;
};

/// An illegal CD is illegal for accesses to either half.
void check(const CdRow& row) {
  SCOPED_TRACE(row.what);
  for (const std::uint64_t va : {std::uint64_t{0x1000}, std::uint64_t{0xffff'ffff'ffff'1000}}) {
    SmmuConfig config = bench_config();
    if (row.features != nullptr) row.features(config.features);
    SmmuBench bench(config);
    const raw::Cd sound = bench.stage1_stream(1);
    bench.put_cd(1, sound.with(row.edits));
    const Response response = bench.read(1, va);
    if (!row.illegal) {
      EXPECT_NE(event_number(response), raw::ev::C_BAD_CD);
      continue;
    }
    EXPECT_EQ(response.outcome, Outcome::abort);
    raw::Record expected;
    expected.dw[0] = std::uint64_t{1} << 32 | raw::ev::C_BAD_CD;
    EXPECT_EQ(bench.take_event(), expected);
    EXPECT_EQ(bench.memory.count(Purpose::TTD), 0u);
  }
}

TEST(SpecCdLegality, Valid) {
  RecordProperty("rule", "SM-CD-001 SM-EVR-012");
  const CdRow rows[] = {{"as set up", {}, false},
                        {"V=0", {{cd::V, 0}}, true},
                        {"V=0 with R=0, A=0: still abort and event", {{cd::V, 0}, {cd::R, 0}, {cd::A, 0}}, true}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, InputSize) {
  RecordProperty("rule", "SM-CD-002 SM-CD-011 SM-AS-005");
  const auto stt = [](spec::Features& f) { f.stt = true; };
  const CdRow rows[] = {{"T0SZ 15", {{cd::T0SZ, 15}}, true},
                        {"T0SZ 16", {{cd::T0SZ, 16}}, false},
                        {"T0SZ 39", {{cd::T0SZ, 39}}, false},
                        {"T0SZ 40", {{cd::T0SZ, 40}}, true},
                        {"T0SZ 0", {{cd::T0SZ, 0}}, true},
                        {"T0SZ 63", {{cd::T0SZ, 63}}, true},
                        {"T1SZ 15", {{cd::T1SZ, 15}}, true},
                        {"T1SZ 16", {{cd::T1SZ, 16}}, false},
                        {"T1SZ 39", {{cd::T1SZ, 39}}, false},
                        {"T1SZ 40", {{cd::T1SZ, 40}}, true},
                        {"T0SZ 12 without VAX", {{cd::T0SZ, 12}}, true},
                        {"T0SZ 40 with EPD0", {{cd::T0SZ, 40}, {cd::EPD0, 1}}, false},
                        {"T1SZ 0 with EPD1", {{cd::T1SZ, 0}, {cd::EPD1, 1}}, false},
                        {"T1SZ 0 with EPD0", {{cd::T1SZ, 0}, {cd::EPD0, 1}}, true},
                        {"T0SZ 48 with STT", {{cd::T0SZ, 48}}, false, stt},
                        {"T0SZ 49 with STT", {{cd::T0SZ, 49}}, true, stt}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, Granule) {
  RecordProperty("rule", "SM-CD-004 SM-CD-011");
  const CdRow rows[] = {{"TG0 64 KiB unsupported", {{cd::TG0, 1}}, true},
                        {"TG0 16 KiB unsupported", {{cd::TG0, 2}}, true},
                        {"TG0 reserved", {{cd::TG0, 3}}, true},
                        {"TG1 reserved", {{cd::TG1, 0}}, true},
                        {"TG1 16 KiB unsupported", {{cd::TG1, 1}}, true},
                        {"TG1 64 KiB unsupported", {{cd::TG1, 3}}, true},
                        {"TG0 reserved with EPD0", {{cd::TG0, 3}, {cd::EPD0, 1}}, false},
                        {"TG1 reserved with EPD1", {{cd::TG1, 0}, {cd::EPD1, 1}}, false}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, FormatAndEndianness) {
  RecordProperty("rule", "SM-CD-006 SM-CD-007 SM-HT-022");
  const auto big = [](spec::Features& f) { f.ttendian = spec::Ttendian::big; };
  const auto mixed = [](spec::Features& f) { f.ttendian = spec::Ttendian::mixed; };
  const CdRow rows[] = {{"ENDI=1, little only", {{cd::ENDI, 1}}, true},
                        {"ENDI=1, EPD0", {{cd::ENDI, 1}, {cd::EPD0, 1}}, true},
                        {"ENDI=1, EPD1", {{cd::ENDI, 1}, {cd::EPD1, 1}}, true},
                        {"ENDI=1, both EPD", {{cd::ENDI, 1}, {cd::EPD0, 1}, {cd::EPD1, 1}}, false},
                        {"ENDI=0, big only", {}, true, big},
                        {"ENDI=1, mixed", {{cd::ENDI, 1}}, false, mixed},
                        {"AA64=0 without LPAE", {{cd::AA64, 0}}, true},
                        {"HA without HTTU", {{cd::HA, 1}}, true},
                        {"HD without HTTU", {{cd::HD, 1}}, true}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, Asid) {
  RecordProperty("rule", "SM-CD-008");
  const auto asid8 = [](spec::Features& f) { f.asid16 = false; };
  const CdRow rows[] = {{"16-bit ASID", {{cd::ASID, 0xffff}}, false},
                        {"8 bits of 8", {{cd::ASID, 0xff}}, false, asid8},
                        {"9 bits of 8", {{cd::ASID, 0x100}}, true, asid8}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, FaultModel) {
  RecordProperty("rule", "SM-CD-012");
  const auto term = [](spec::Features& f) { f.term_model = true; };
  const auto both = [](spec::Features& f) { f.stall_model = spec::StallModel::stall_and_terminate; };
  const auto forced = [](spec::Features& f) { f.stall_model = spec::StallModel::stall_forced; };
  const CdRow rows[] = {{"S=1, STALL_MODEL=01", {{cd::S, 1}}, true},     {"A=0, TERM_MODEL=0", {{cd::A, 0}}, false},
                        {"A=0, TERM_MODEL=1", {{cd::A, 0}}, true, term}, {"A=1, TERM_MODEL=1", {}, false, term},
                        {"S=0, STALL_MODEL=00", {}, false, both},        {"S=0, STALL_MODEL=10", {}, true, forced}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, TableBase) {
  RecordProperty("rule", "SM-AS-014 SM-AS-024 SM-AS-031 SM-ADR-003");
  const auto oas40 = [](spec::Features& f) { f.oas = 40; };
  const CdRow rows[] = {
      {"TTB0 below IPS 32", {{cd::IPS, 0}, {cd::TTB0, 0xffff'f000 >> 4}}, false},
      {"TTB0 above IPS 32", {{cd::IPS, 0}, {cd::TTB0, std::uint64_t{1} << 28}}, true},
      {"TTB1 above IPS 32", {{cd::IPS, 0}, {cd::TTB1, std::uint64_t{1} << 28}}, true},
      {"TTB0 above IPS 36", {{cd::IPS, 1}, {cd::TTB0, std::uint64_t{1} << 32}}, true},
      {"TTB0 above IPS 44", {{cd::IPS, 4}, {cd::TTB0, std::uint64_t{1} << 40}}, true},
      {"TTB0 at 2^48, IPS 48", {{cd::TTB0, std::uint64_t{1} << 44}}, true},
      {"TTB0 at 2^48, IPS 52", {{cd::IPS, 6}, {cd::TTB0, std::uint64_t{1} << 44}}, true},
      {"TTB0 at 2^51, IPS 7", {{cd::IPS, 7}, {cd::TTB0, std::uint64_t{1} << 47}}, true},
      {"IPS above the OAS acts as the OAS", {{cd::TTB0, std::uint64_t{1} << 36}}, true, oas40},
      {"TTB0 just below the OAS", {{cd::TTB0, 0xff'ffff'f000 >> 4}}, false, oas40},
      {"TTB0 above with EPD0", {{cd::IPS, 0}, {cd::TTB0, std::uint64_t{1} << 28}, {cd::EPD0, 1}}, false},
      {"TTB1 above with EPD1", {{cd::IPS, 0}, {cd::TTB1, std::uint64_t{1} << 28}, {cd::EPD1, 1}}, false}};
  for (const CdRow& row : rows) check(row);
}

TEST(SpecCdLegality, ReservedBitsAreIgnored) {
  RecordProperty("rule", "SM-ST-015");
  std::mt19937_64 random(4);
  for (int i = 0; i < 100; ++i) {
    SmmuBench bench;
    const raw::Cd sound = bench.stage1_stream(1);
    bench.map(SmmuBench::ttb0(sound), 0x1000, raw::page(SmmuBench::target));
    raw::Cd noisy = sound;
    noisy.dw[4] = random();
    noisy.dw[5] = random();
    noisy.dw[6] = random();
    noisy.dw[7] = random();
    noisy.put({64, 64}, random());    // NSCFG0: Secure streams only
    noisy.put({66, 66}, random());    // E0PD0 without IDR3.E0PD
    noisy.put({123, 120}, random());  // EPAN and others without their features
    noisy.put({186, 184}, random());  // DS without IDR5.DS
    noisy.put(cd::UWXN, random());    // LPAE only
    bench.put_cd(1, noisy);
    EXPECT_EQ(bench.read(1, 0x1000).address.value, SmmuBench::target) << i;
  }
}

TEST(SpecCdLegality, TheSameCdThroughTwoStes) {
  RecordProperty("rule", "SM-CD-010 SM-CD-012");
  SmmuConfig config = bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  SmmuBench bench(config);
  const raw::Cd sound = bench.stage1_cd(1);
  bench.put_cd(1, sound.with({{cd::S, 1}}));
  const raw::Ste through = SmmuBench::stage1_ste(SmmuBench::cd_address(1));
  bench.put_ste(1, through);
  bench.put_ste(2, through.with({{raw::ste::S1STALLD, 1}}));
  EXPECT_EQ(event_number(bench.read(2, 0x1000)), raw::ev::C_BAD_CD);
  bench.map(SmmuBench::ttb0(sound), 0x1000, raw::page(SmmuBench::target));
  EXPECT_EQ(bench.read(1, 0x1000).outcome, Outcome::proceed);
}

}  // namespace
}  // namespace smmusim

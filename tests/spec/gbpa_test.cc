// SPDX-License-Identifier: MIT
// Global bypass: the update protocol of GBPA and what its attributes do (IHI 0070 sections 6.3.14, 13.2). The same
// overrides in an STE with Config=100 (13.3) share the tables.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

constexpr std::uint32_t update = 1u << 31, abort_bit = 1u << 20;
constexpr std::uint32_t nsh = 0, osh = 2, ish = 3;

SmmuConfig overriding_config() {
  SmmuConfig config = bench_config();
  config.features.attr_types_ovr = true;
  config.features.attr_perms_ovr = true;
  return config;
}

TEST(SpecGbpa, ResetValue) {
  RecordProperty("rule", "SM-GBP-004 SM-RST-001 SM-RST-003");
  SmmuBench pass(bench_config(), 0, false);
  EXPECT_EQ(pass.r32(off::GBPA) & (update | abort_bit), 0u);
  EXPECT_EQ(pass.read(0, 0x1000).outcome, Outcome::proceed);
  SmmuConfig config = bench_config();
  config.gbpa_abort_at_reset = true;
  SmmuBench denying(config, 0, false);
  EXPECT_EQ(denying.r32(off::GBPA) & (update | abort_bit), abort_bit);
  EXPECT_EQ(denying.read(0, 0x1000).outcome, Outcome::abort);
  denying.smmu.reset();
  EXPECT_EQ(denying.r32(off::GBPA) & abort_bit, abort_bit);
}

TEST(SpecGbpa, AWriteNeedsUpdate) {
  RecordProperty("rule", "SM-GBP-001 SM-GBP-003 SM-GBP-010");
  SmmuBench bench(bench_config(), 0, false);
  bench.w32(off::GBPA, abort_bit);
  EXPECT_EQ(bench.r32(off::GBPA) & abort_bit, 0u) << "without Update the write is ignored entirely";
  EXPECT_EQ(bench.read(0, 0x1000).outcome, Outcome::proceed);
  bench.w32(off::GBPA, update | abort_bit);
  EXPECT_EQ(bench.r32(off::GBPA), abort_bit) << "Update has cleared, the value is there";
  EXPECT_EQ(bench.read(0, 0x1000).outcome, Outcome::abort);
  bench.w32(off::GBPA, 0);
  EXPECT_EQ(bench.r32(off::GBPA), abort_bit);
  bench.w32(off::GBPA, update);
  EXPECT_EQ(bench.read(0, 0x1000).outcome, Outcome::proceed);
}

/// The timed machine: an update takes as long as a message to a TBU.
TEST(SpecGbpa, NoWriteCountsDuringAnUpdate) {
  RecordProperty("rule", "SM-GBP-002 SM-GBP-001 SM-MPM-002");
  SmmuConfig config = timed_bench_config();
  config.features.mpam = true;
  config.features.partid_max = 0xff;
  struct Row {
    std::uint32_t offset, first, second;
  };
  for (const Row& row : {Row{off::GBPA, abort_bit, 0}, Row{off::GMPAM, 0x12, 0x34}, Row{off::GBPMPAM, 0x12, 0x34}}) {
    SmmuBench bench(config, 1000, false);
    const auto write = [&](std::uint32_t value) { bench.smmu.write_register(row.offset, value, 4); };
    write(update | row.first);
    EXPECT_EQ(bench.r32(row.offset), update | row.first) << "there to be read, and not complete";
    write(update | row.second);
    write(row.second);
    EXPECT_EQ(bench.r32(row.offset), update | row.first);
    bench.run();
    EXPECT_EQ(bench.r32(row.offset), row.first) << "the first value, complete";
    write(update | row.second);
    bench.run();
    EXPECT_EQ(bench.r32(row.offset), row.second) << "the next update";
    write(update | row.first);
    bench.smmu.reset();
    const std::uint32_t at_reset = bench.r32(row.offset);
    EXPECT_EQ(at_reset & (update | row.first), 0u);
    bench.run();
    EXPECT_EQ(bench.r32(row.offset), at_reset) << "a reset forgets the update";
  }
}

TEST(SpecGbpa, OnlyWhileDisabled) {
  RecordProperty("rule", "SM-GBP-005 SM-ATR-016");
  SmmuBench bench(overriding_config());
  bench.put_ste(2, raw::Ste{}.with({{raw::ste::V, 1}, {raw::ste::Config, 4}, {raw::ste::SHCFG, 1}}));
  bench.w32(off::GBPA, update | abort_bit);
  EXPECT_EQ(bench.read(2, 0x1000).outcome, Outcome::proceed) << "Config=100 does not use GBPA";
  constexpr std::uint32_t mtcfg = 1u << 4, inner_and_outer_wt = 0xa;
  bench.w32(off::GBPA, update | mtcfg | inner_and_outer_wt);  // and SHCFG 0
  Transaction t = SmmuBench::transaction(2, 0x1000);
  t.attributes = {0xff, ish};
  EXPECT_EQ(bench.go(t).attributes, (MemoryAttributes{0xff, ish}));
  bench.enable(0);
  EXPECT_EQ(bench.go(t).attributes, (MemoryAttributes{0xbb, nsh})) << "what it does while it counts";
}

struct OverrideRow {
  const char* what;
  MemoryAttributes in;
  std::uint32_t memattr, mtcfg, alloccfg, shcfg;
  MemoryAttributes out;
};
constexpr MemoryAttributes wb_nsh{0xff, nsh};
const OverrideRow override_rows[] = {
    {"all incoming", wb_nsh, 0, 0, 0, 1, {0xff, nsh}},
    {"incoming ISH", {0xff, ish}, 0, 0, 0, 1, {0xff, ish}},
    {"SHCFG 0 is NSH", {0xff, ish}, 0, 0, 0, 0, {0xff, nsh}},
    {"SHCFG 2 is OSH", wb_nsh, 0, 0, 0, 2, {0xff, osh}},
    {"SHCFG 3 is ISH", wb_nsh, 0, 0, 0, 3, {0xff, ish}},
    {"SHCFG can't change Device", {0x04, osh}, 0, 0, 0, 0, {0x04, osh}},
    {"SHCFG can't change iNC-oNC", {0x44, osh}, 0, 0, 0, 3, {0x44, osh}},
    {"SHCFG changes iNC-oWB", {0xf4, ish}, 0, 0, 0, 0, {0xf4, nsh}},
    {"incoming Device goes out OSH", {0x08, nsh}, 0, 0, 0, 1, {0x08, osh}},
    {"incoming iNC-oNC goes out OSH", {0x44, nsh}, 0, 0, 0, 1, {0x44, osh}},
    {"MemAttr ignored without MTCFG", wb_nsh, 0x5, 0, 0, 1, {0xff, nsh}},
    {"MTCFG nGnRnE", wb_nsh, 0x0, 1, 0, 1, {0x00, osh}},
    {"MTCFG nGnRE", wb_nsh, 0x1, 1, 0, 1, {0x04, osh}},
    {"MTCFG nGRE", wb_nsh, 0x2, 1, 0, 1, {0x08, osh}},
    {"MTCFG GRE", wb_nsh, 0x3, 1, 0, 1, {0x0c, osh}},
    {"MTCFG 0100 is nGnRnE", wb_nsh, 0x4, 1, 0, 1, {0x00, osh}},
    {"MTCFG 1000 is nGnRnE", wb_nsh, 0x8, 1, 0, 1, {0x00, osh}},
    {"MTCFG 1100 is nGnRnE", wb_nsh, 0xc, 1, 0, 1, {0x00, osh}},
    {"MTCFG iNC-oNC", wb_nsh, 0x5, 1, 0, 1, {0x44, osh}},
    {"MTCFG iWT-oNC", wb_nsh, 0x6, 1, 0, 1, {0x4b, nsh}},
    {"MTCFG iNC-oWB", wb_nsh, 0xd, 1, 0, 1, {0xf4, nsh}},
    {"MTCFG iWT-oWT", wb_nsh, 0xa, 1, 0, 1, {0xbb, nsh}},
    {"MTCFG iWB-oWB of Device: RA WA nTR", {0x00, osh}, 0xf, 1, 0, 0, {0xff, nsh}},
    {"MTCFG iWT-oWT of iNC-oNC: RA WA nTR", {0x44, osh}, 0xa, 1, 0, 3, {0xbb, ish}},
    {"MTCFG keeps incoming hints of a cacheable type", {0xee, nsh}, 0xa, 1, 0, 1, {0xaa, nsh}},
    {"MTCFG keeps incoming transient", {0x77, nsh}, 0xa, 1, 0, 1, {0x33, nsh}},
    {"ALLOCCFG RA WA", {0xcc, nsh}, 0, 0, 0xe, 1, {0xff, nsh}},
    {"ALLOCCFG RA", wb_nsh, 0, 0, 0xc, 1, {0xee, nsh}},
    {"ALLOCCFG WA", wb_nsh, 0, 0, 0xa, 1, {0xdd, nsh}},
    {"ALLOCCFG none", wb_nsh, 0, 0, 0x8, 1, {0xcc, nsh}},
    {"ALLOCCFG 1001 is 1000", wb_nsh, 0, 0, 0x9, 1, {0xcc, nsh}},
    {"ALLOCCFG RA WA transient", wb_nsh, 0, 0, 0xf, 1, {0x77, nsh}},
    {"ALLOCCFG RA transient of WT", {0xbb, nsh}, 0, 0, 0xd, 1, {0x22, nsh}},
    {"ALLOCCFG inner and outer alike", {0xfb, nsh}, 0, 0, 0xc, 1, {0xea, nsh}},
    {"ALLOCCFG leaves the NC half", {0xf4, nsh}, 0, 0, 0xc, 1, {0xe4, nsh}},
    {"ALLOCCFG leaves Device", {0x04, osh}, 0, 0, 0xf, 1, {0x04, osh}},
    {"ALLOCCFG leaves iNC-oNC", {0x44, osh}, 0, 0, 0xf, 1, {0x44, osh}},
    {"ALLOCCFG with MTCFG", wb_nsh, 0xf, 1, 0xd, 1, {0x66, nsh}},
    {"ALLOCCFG 0xxx is incoming", {0xee, nsh}, 0, 0, 0x7, 1, {0xee, nsh}},
};

std::uint32_t gbpa_of(const OverrideRow& row) {
  return row.memattr | row.mtcfg << 4 | row.alloccfg << 8 | row.shcfg << 12;
}
raw::Ste bypass_ste(const OverrideRow& row) {
  using namespace raw;
  return Ste{}.with({{ste::V, 1},
                     {ste::Config, 4},
                     {ste::MemAttr, row.memattr},
                     {ste::MTCFG, row.mtcfg},
                     {ste::ALLOCCFG, row.alloccfg},
                     {ste::SHCFG, row.shcfg}});
}

TEST(SpecGbpa, AttributeOverrides) {
  RecordProperty("rule", "SM-GBP-007 SM-ATR-015 SM-ATR-008 SM-ATR-014");
  for (const OverrideRow& row : override_rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench(overriding_config(), 0, false);
    bench.w32(off::GBPA, update | gbpa_of(row));
    EXPECT_EQ(bench.r32(off::GBPA), gbpa_of(row));
    Transaction t = SmmuBench::transaction(0, 0x1000);
    t.attributes = row.in;
    const Response response = bench.go(t);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.attributes.type, row.out.type);
    EXPECT_EQ(response.attributes.shareability, row.out.shareability);
  }
}

/// The choice: PCIe streams are no exception, neither here nor with an STE (model/choices.md).
TEST(SpecGbpa, OverridesApplyToPcieStreams) {
  RecordProperty("rule", "SM-GBP-009");
  for (const OverrideRow& row : override_rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench(overriding_config(), 0, false);
    bench.w32(off::GBPA, update | gbpa_of(row));
    Transaction t = SmmuBench::transaction(1, 0x1000);
    t.attributes = row.in;
    t.pcie = true;
    EXPECT_EQ(bench.go(t).attributes, row.out);
    bench.set_up();
    bench.put_ste(1, bypass_ste(row));
    EXPECT_EQ(bench.go(t).attributes, row.out);
  }
}

TEST(SpecGbpa, SteBypassOverrides) {
  RecordProperty("rule", "SM-AT-013 SM-AT-014 SM-AT-015 SM-ATR-011");
  for (const OverrideRow& row : override_rows) {
    SCOPED_TRACE(row.what);
    SmmuBench bench(overriding_config());
    bench.put_ste(1, bypass_ste(row));
    Transaction t = SmmuBench::transaction(1, 0x1000);
    t.attributes = row.in;
    const Response response = bench.go(t);
    EXPECT_EQ(response.outcome, Outcome::proceed);
    EXPECT_EQ(response.attributes.type, row.out.type);
    EXPECT_EQ(response.attributes.shareability, row.out.shareability);
  }
}

TEST(SpecGbpa, WithoutAttributeOverridesIncomingIsUsed) {
  RecordProperty("rule", "SM-GBP-008 SM-AT-002 SM-ATR-007");
  SmmuBench bench(bench_config(), 0, false);
  bench.w32(off::GBPA, update | 0x3f0f3f | 0x2000);
  bench.w32(off::GBPA, update | 0x2f1f);  // everything but ABORT
  const Response response = bench.go(SmmuBench::transaction(0, 0x1000));
  EXPECT_EQ(response.attributes.type, 0xff);
  EXPECT_EQ(response.attributes.shareability, nsh) << "the default of 13.1.3";
  SmmuBench with_ste;
  with_ste.put_ste(1, bypass_ste({"", wb_nsh, 0x5, 1, 0xf, 3, wb_nsh}));
  EXPECT_EQ(with_ste.read(1, 0x1000).attributes, wb_nsh);
}

}  // namespace
}  // namespace smmusim

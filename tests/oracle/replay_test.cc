// SPDX-License-Identifier: MIT
// The deeper real oracle: everything that QEMU's SMMU did under an unmodified Linux, done again by smmusim over the
// same memory, with three sets of caches. Data and their origin: data/README.md.
#include "tests/oracle/replay.h"

#include <gtest/gtest.h>

#include "tests/oracle/shipped.h"

namespace smmusim::oracle {
namespace {

using spec::Opcode;

enum class Caches { standard, none, tiny, boundless };

SmmuConfig config_with(Caches caches) {
  SmmuConfig config;
  config.timed = false;
  if (caches == Caches::standard) return config;
  const auto set = [&config](CacheConfig micro, CacheConfig streams, CacheConfig tlb, CacheConfig walk,
                             CacheConfig cds) {
    config.tbu.micro_tlb = micro;
    config.tbu.stream_cache = streams;
    config.tcu.tlb = tlb;
    config.tcu.walk_cache = walk;
    config.tcu.config_cache = cds;
  };
  const CacheConfig absent{0, 1};
  if (caches == Caches::none) set(absent, absent, absent, absent, absent);
  if (caches == Caches::tiny) set({4, 2}, absent, {16, 4}, {2, 2}, {1, 1});
  if (caches == Caches::boundless) set({1u << 16, 4}, {64, 4}, {1u << 16, 4}, {1u << 12, 4}, {64, 4});
  return config;
}

struct Row {
  const char* name;
  Caches caches;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class FullLog : public testing::TestWithParam<Row> {
 protected:
  static Report run() { return replay(shipped_log(), shipped_image(), {config_with(GetParam().caches), {}}); }
};

void record(const Report& report) {
  const auto property = [](const char* name, std::uint64_t value) {
    testing::Test::RecordProperty(name, std::to_string(value));
  };
  const Counts& c = report.counts;
  property("walks_both", c.walks.both_read);
  property("walks_only_smmusim", c.walks.only_we_read);
  property("walks_only_qemu", c.walks.only_qemu_read);
  property("walks_neither", c.walks.both_cached);
  property("configurations_both", c.configurations.both_read);
  property("configurations_only_smmusim", c.configurations.only_we_read);
  property("configurations_only_qemu", c.configurations.only_qemu_read);
  property("configurations_neither", c.configurations.both_cached);
  property("descriptors_compared", c.descriptors_compared);
  property("descriptors_kept_by_the_walk_cache", c.descriptors_kept);
  property("walks_again_smmusim", c.we_walked_again);
  property("walks_again_qemu", c.qemu_walked_again);
}

TEST_P(FullLog, AgreesInEverything) {
  RecordProperty("rule", "SM-TI-004");
  const Report report = run();
  record(report);
  EXPECT_EQ(report.unexplained, 0u) << report.text();
}

TEST_P(FullLog, EveryTranslationIsInOneClass) {
  const Report report = run();
  const Counts& c = report.counts;
  EXPECT_EQ(c.translations, 23752u);
  EXPECT_EQ(c.walks.total(), c.translations);
  EXPECT_EQ(c.walks.both_read + c.walks.only_qemu_read, 5978u) << "walks of the log";
  EXPECT_EQ(c.configurations.total(), c.translations);
  EXPECT_EQ(c.configurations.both_read + c.configurations.only_qemu_read, 1u) << "smmuv3_get_ste of the log";
}

TEST_P(FullLog, ClassesAreWhatTheSmmuItselfCounts) {
  const Report report = run();
  const Counts& c = report.counts;
  EXPECT_EQ(report.smmu.transactions, c.translations);
  EXPECT_EQ(report.smmu.walks, c.walks.both_read + c.walks.only_we_read);
  EXPECT_EQ(report.tlb_hits, c.walks.only_qemu_read + c.walks.both_cached);
  EXPECT_EQ(report.smmu.walk_fetches, c.descriptors_compared) << "descriptors read and not compared";
  EXPECT_EQ(report.smmu.walk_fetches + c.descriptors_kept, levels * report.smmu.walks);
}

TEST_P(FullLog, EveryCommandIsConsumedAlike) {
  const Report report = run();
  const std::map<Opcode, std::uint64_t> expected{
      {Opcode::CMD_PREFETCH_CONFIG, 2}, {Opcode::CMD_CFGI_STE, 4},      {Opcode::CMD_CFGI_STE_RANGE, 1},
      {Opcode::CMD_CFGI_CD, 4},         {Opcode::CMD_TLBI_NH_VA, 2271}, {Opcode::CMD_TLBI_NSNH_ALL, 1},
      {Opcode::CMD_SYNC, 2281},
  };
  EXPECT_EQ(report.counts.commands, expected);
  EXPECT_EQ(report.counts.register_writes, 2302u);
  EXPECT_EQ(report.counts.register_reads, 2294u);
}

/// Nothing is saved, so all that both SMMUs read is compared.
TEST(FullLogWithoutCaches, WalksForEveryTranslation) {
  const Report report = replay(shipped_log(), shipped_image(), {config_with(Caches::none), {}});
  const Counts& c = report.counts;
  EXPECT_EQ(c.walks.both_read, 5978u);
  EXPECT_EQ(c.walks.only_we_read, 17774u);
  EXPECT_EQ(c.descriptors_compared, 4u * 23752);
  EXPECT_EQ(c.configurations.both_read, 1u);
  EXPECT_EQ(c.configurations.only_we_read, 23751u);
  EXPECT_EQ(c.structures_compared, 3u * 23752);
}

/// With caches that never evict, a walk is due to an invalidation or a first use, for QEMU as for smmusim.
TEST(FullLogWithBoundlessCaches, WalksExactlyWhenQemuWalks) {
  const Report report = replay(shipped_log(), shipped_image(), {config_with(Caches::boundless), {}});
  const Counts& c = report.counts;
  EXPECT_EQ(c.walks.both_read, 5978u);
  EXPECT_EQ(c.walks.both_cached, 17774u);
  EXPECT_EQ(c.we_walked_again, 0u);
  EXPECT_EQ(c.qemu_walked_again, 0u);
}

/// The one known difference: QEMU lets a level-2 stream table have 2^Span entries instead of 2^(Span-1).
TEST(FullLogDifference, SpanBoundOfQemu) {
  const Report report = replay(shipped_log(), shipped_image(), {config_with(Caches::standard), {}});
  EXPECT_EQ(report.counts.span_bound_of_qemu, 1u);
}

/// The rebuilt page tables end as the image has them, which the log did not know.
TEST_P(FullLog, RebuiltTablesEndAsTheImage) {
  const TableCounts tables = run().counts.tables;
  EXPECT_EQ(tables.as_in_image + tables.mapped_unused, tables.descriptors);
  EXPECT_GT(tables.as_in_image, 0u);
}

INSTANTIATE_TEST_SUITE_P(Caches, FullLog,
                         testing::Values(Row{"Standard", Caches::standard}, Row{"None", Caches::none},
                                         Row{"Tiny", Caches::tiny}, Row{"Boundless", Caches::boundless}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace smmusim::oracle

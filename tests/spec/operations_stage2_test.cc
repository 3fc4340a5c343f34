// SPDX-License-Identifier: MIT
// Cache maintenance and directed prefetch through stage 2, alone and below stage 1 (IHI 0070 sections 3.22.1, 3.22.2,
// 16.7.2.1).
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
using enum Operation;
constexpr std::uint64_t target = SmmuBench::target, va = 0x12'3456'7000, ipa = 0x8'7654'3000;
constexpr std::uint64_t write_only = s2_rw & ~s2_read, no_access = s2_rw & ~s2_read & ~s2_write;
/// XN[1:0] of stage 2: 10, never executable.
constexpr std::uint64_t never_executed = std::uint64_t{1} << 54;

struct Row {
  const char* what;
  std::uint64_t config;
  Operation in;
  bool dre, dcp;
  std::uint64_t stage2;
  Outcome outcome;
  Operation out;
};

TEST(SpecOperationsStage2, BothConfigurations) {
  RecordProperty("rule", "SM-AT-007 SM-EXT-006");
  std::vector<Row> rows;
  for (const std::uint64_t config : {6u, 7u}) {
    rows.push_back({"prefetch of what may be written", config, prefetch, false, true, write_only | never_executed,
                    Outcome::proceed, prefetch});
    rows.push_back({"prefetch without any permission", config, prefetch, false, true, no_access | never_executed,
                    Outcome::raz_wi, no_op});
    rows.push_back({"invalidate", config, invalidate, true, false, s2_rw, Outcome::proceed, invalidate});
    rows.push_back({"invalidate of what may be read only", config, invalidate, true, false, s2_rw & ~s2_write,
                    Outcome::proceed, clean_invalidate});
    rows.push_back({"clean of what may not be read", config, clean, true, true, write_only, Outcome::abort, plain});
    rows.push_back(
        {"destructive read", config, destructive_read, true, false, s2_rw, Outcome::proceed, destructive_read});
    rows.push_back(
        {"destructive read without DRE", config, destructive_read, false, true, s2_rw, Outcome::proceed, plain});
  }
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.what << ", Config " << row.config);
    Stage2Bench b;
    b.s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    b.s2.map(ipa, target, row.stage2);
    b.edit_ste({{ste::Config, row.config}, {ste::DRE, row.dre}, {ste::DCP, row.dcp}});
    Transaction t = SmmuBench::transaction(Stage2Bench::sid, row.config == 6 ? ipa : va);
    t.operation = row.in;
    const Response response = b.bench.go(t);
    EXPECT_EQ(response.outcome, row.outcome);
    EXPECT_EQ(response.operation, row.out);
    EXPECT_EQ(b.bench.take_events().size(), row.outcome == Outcome::abort ? 1u : 0u);
    if (row.outcome == Outcome::proceed) {
      EXPECT_EQ(response.address, Pa(target));
    }
  }
}

TEST(SpecOperationsStage2, TheControlsCountIfS1dssLeavesStage1OutOfTwo) {
  RecordProperty("rule", "SM-EXT-005 SM-AT-006");
  Stage2Bench b;
  b.s2.map(ipa, target, s2_rw);
  b.edit_ste({{ste::S1CDMax, 4}, {ste::S1DSS, 1}, {ste::DRE, 0}});
  Transaction t = SmmuBench::transaction(Stage2Bench::sid, ipa);
  t.operation = invalidate;
  EXPECT_EQ(b.bench.go(t).operation, clean_invalidate);
}

}  // namespace
}  // namespace smmusim

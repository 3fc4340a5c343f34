// SPDX-License-Identifier: MIT
// Stalls of what is neither read nor write, and of what never stalls (IHI 0070 sections 3.14, 3.22.2, 16.7.2.2).
#include <gtest/gtest.h>

#include "tests/spec/operation_bench.h"
#include "tests/support/stall_client.h"

namespace smmusim::operations {
namespace {

using enum Operation;
constexpr raw::Bits STAG{79, 64}, cmd_Ac{12, 12}, cmd_STAG{79, 64};
constexpr std::uint64_t RESUME = 0x44;

SmmuConfig stall_config(bool timed) {
  SmmuConfig config = timed ? timed_bench_config() : bench_config();
  config.features.stall_model = spec::StallModel::stall_and_terminate;
  config.features.stall_max = 4;
  return config;
}

/// Faults of stage 1 stall; nothing is mapped.
struct Stalling : OperationBench {
  explicit Stalling(bool timed) : OperationBench(0, true, true, stall_config(timed)), client(*this) {
    put_cd(1, context.with({{cd::S, 1}}));
  }
  StallClient client;
};

class SpecOperationsStall : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, SpecOperationsStall, testing::Bool(),
                         [](const auto& timed) { return timed.param ? "Timed" : "Untimed"; });

TEST_P(SpecOperationsStall, RetriedAsTheSameOperation) {
  RecordProperty("rule", "SM-AT-008 SM-EXT-007");
  for (const Operation operation : {read_clean_invalidate, destructive_read, write_prefetch, clean, invalidate}) {
    SCOPED_TRACE(static_cast<unsigned>(operation));
    Stalling bench(GetParam());
    auto& sent = bench.client.send(of(operation));
    EXPECT_FALSE(sent.answered);
    const raw::Record record = bench.take_event();
    EXPECT_EQ(record.get(raw::ev::Stall), 1u);
    EXPECT_EQ(record.get(raw::ev::RnW), operation != write_prefetch);
    bench.map(SmmuBench::ttb0(bench.context), va, raw::page(target));
    bench.issue(raw::command(RESUME, {{raw::cmd::StreamID, 1}, {cmd_STAG, record.get(STAG)}, {cmd_Ac, 1}}));
    EXPECT_TRUE(sent.answered);
    EXPECT_EQ(sent.response.outcome, Outcome::proceed);
    EXPECT_EQ(sent.response.operation, operation);
  }
}

TEST_P(SpecOperationsStall, HintsAndSpeculativeReadsNever) {
  RecordProperty("rule", "SM-FA-021 SM-AT-007 SM-EXT-008");
  Stalling bench(GetParam());
  Transaction speculative = of(plain);
  speculative.speculative = true;
  EXPECT_EQ(bench.client.send(speculative).response.outcome, Outcome::abort);
  EXPECT_EQ(bench.client.send(of(prefetch)).response.outcome, Outcome::raz_wi);
  EXPECT_EQ(bench.client.send(of(destructive_hint)).response.outcome, Outcome::raz_wi);
  EXPECT_TRUE(bench.take_events().empty());
}

}  // namespace
}  // namespace smmusim::operations

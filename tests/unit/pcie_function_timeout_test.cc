// SPDX-License-Identifier: MIT
// Completion Timeout of a PCIe function: what never comes is given up, its tag rests, and what comes late is dropped.
#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

constexpr Time timeout = 1'000'000;

PcieFunctionConfig with_timeout(unsigned tags = 256) {
  PcieFunctionConfig config;
  config.completion_timeout_ps = timeout;
  config.tags = tags;
  return config;
}

struct Bench : FunctionBench {
  explicit Bench(const PcieFunctionConfig& config = with_timeout()) : FunctionBench(config) {
    root.holds = [this](const Tlp&) { return silent; };
  }
  void run_until(Time when) { engine.run_until(when); }
  std::uint64_t timeouts() const { return function.tlp_counters().completion_timeouts; }
  std::uint64_t unexpected() const { return function.tlp_counters().unexpected; }
  bool silent = true;
};

TEST(CompletionTimeout, EndsTheAccessAtItsTimeAndNotBefore) {
  Bench bench;
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(timeout - 1);
  EXPECT_TRUE(bench.done.empty());
  bench.run_until(timeout);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  EXPECT_EQ(bench.timeouts(), 1U);
  bench.run();
  bench.expect_quiet();
}

TEST(CompletionTimeout, OfEachRequestCountsFromItsOwnStart) {
  Bench bench;
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(timeout / 2);
  bench.push(Bench::read_of(0x2000, 64, 2));
  bench.run_until(timeout);
  EXPECT_EQ(bench.done.size(), 1U);
  bench.run_until(timeout + timeout / 2 - 1);
  EXPECT_EQ(bench.done.size(), 1U);
  bench.run_until(timeout + timeout / 2);
  EXPECT_EQ(bench.done.size(), 2U);
}

TEST(CompletionTimeout, WhatIsAnsweredInTimeNeverTimesOut) {
  Bench bench;
  bench.silent = false;
  for (unsigned i = 0; i != 10; ++i) bench.push(Bench::read_of(0x1000, 64, i));
  bench.run();
  EXPECT_EQ(bench.timeouts(), 0U);
  EXPECT_EQ(bench.statuses(), std::vector(10, DmaStatus::ok));
}

/// The answer comes after the access: dropped. It must not become another request's data.
TEST(CompletionTimeout, ALateCompletionIsUnexpectedAndItsTagIsNotUsedMeanwhile) {
  Bench bench(with_timeout(1));
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(timeout);
  bench.push(Bench::read_of(0x2000, 64, 2));
  bench.run_until(timeout + timeout / 2);
  EXPECT_EQ(bench.root.reads().size(), 1U);  // the only tag rests
  bench.root.answer_held();
  bench.run_until(timeout + timeout / 2);
  EXPECT_EQ(bench.unexpected(), 1U);
  bench.silent = false;
  bench.run_until(2 * timeout);
  EXPECT_EQ(bench.root.reads().size(), 2U);
  ASSERT_EQ(bench.done.size(), 2U);
  EXPECT_EQ(bench.done[1].status, DmaStatus::ok);
  EXPECT_EQ(bench.done[1].data, bytes_from(0x2000, 64));
  bench.run();
  bench.expect_quiet();
}

/// What the SMMU says of a request that was given up is not the result of the access that came after it.
TEST(CompletionTimeout, ALateResultIsNobodys) {
  PcieFunctionConfig config = with_timeout();
  config.outstanding = 1;
  Bench bench(config);
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(timeout);
  bench.push(Bench::read_of(0x2000, 64, 2));
  bench.run_until(timeout + 1);
  ASSERT_EQ(bench.root.held.size(), 2U);
  for (const Tlp& tlp : bench.root.held) {
    ASSERT_NE(tlp.watcher, nullptr);
    const bool first = tlp.address == 0x1000;
    tlp.watcher->resolved(tlp.cookie, {.status = first ? DmaStatus::address_error : DmaStatus::ok});
  }
  bench.root.complete(bench.root.held[1]);
  bench.run_until(timeout + 2);
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::aborted, DmaStatus::ok}));
}

TEST(CompletionTimeout, AnAccessInPartsFailsOnceAllPartsHaveEnded) {
  Bench bench;
  bench.set_device_control(0, 0, true);
  bench.push(Bench::read_of(0x1000, 256, 1));
  bench.run_until(1);
  ASSERT_EQ(bench.root.held.size(), 2U);
  bench.root.complete(bench.root.held[0]);
  bench.run_until(timeout - 1);
  EXPECT_TRUE(bench.done.empty());
  bench.run_until(timeout);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  EXPECT_EQ(bench.timeouts(), 1U);
}

TEST(CompletionTimeout, OfATranslationRequestFailsWhatWaitsForIt) {
  Bench bench;
  bench.enable_ats();
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.push(Bench::write_of(0x1040, 64, 2));
  bench.run_until(timeout);
  EXPECT_EQ(bench.timeouts(), bench.root.translation_requests().size());
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::aborted, DmaStatus::aborted}));
  bench.root.answer_held();
  bench.run_until(timeout + 1);
  EXPECT_EQ(bench.unexpected(), bench.timeouts());
  EXPECT_EQ(bench.function.atc().size(), 0U);
  bench.silent = false;
  bench.run();
  bench.push_and_run(Bench::read_of(0x1000, 64, 3));
  EXPECT_EQ(bench.done.back().status, DmaStatus::ok);
  bench.expect_quiet();
}

/// An invalidation waits for reads that went out translated; one that was given up holds it no longer.
TEST(CompletionTimeout, LetsAnInvalidationGo) {
  Bench bench;
  bench.enable_ats();
  bench.root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd && !tlp.is_translation_request(); };
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(timeout / 2);
  ASSERT_EQ(bench.root.held.size(), 1U);
  bench.invalidate(0x1000);
  bench.run_until(timeout - 1);
  EXPECT_TRUE(bench.root.messages(MessageCode::Invalidate_Completion).empty());
  bench.run_until(timeout);
  EXPECT_EQ(bench.root.messages(MessageCode::Invalidate_Completion).size(), 1U);
}

TEST(CompletionTimeout, WithoutOneRequestsWaitForever) {
  Bench bench{PcieFunctionConfig{}};
  bench.push(Bench::read_of(0x1000, 64, 1));
  bench.run_until(1000 * timeout);
  EXPECT_TRUE(bench.done.empty());
  bench.root.answer_held();
  bench.run();
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
}

/// With 32 tags and no Extended Tags, those that rest count.
TEST(CompletionTimeout, RestingTagsCountWithoutExtendedTags) {
  PcieFunctionConfig config = with_timeout();
  config.outstanding = 100;
  Bench bench(config);
  bench.set_device_control(0, 0, false);
  for (unsigned i = 0; i != 40; ++i) bench.push(Bench::read_of(0x1000 * i, 64, i));
  bench.run_until(timeout);
  EXPECT_EQ(bench.timeouts(), 32U);
  EXPECT_EQ(bench.root.reads().size(), 32U);
  bench.run_until(2 * timeout);
  EXPECT_EQ(bench.root.reads().size(), 40U);
  for (const Tlp& tlp : bench.root.reads()) EXPECT_LT(tlp.tag, 32U);
  bench.run();
  bench.expect_quiet();
}

}  // namespace
}  // namespace smmusim::platform

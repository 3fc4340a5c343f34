// SPDX-License-Identifier: MIT
// Backbone, untimed leg: each access of a random case through the core and through refwalk, cold and warm, and as a
// debug access, must give the same response and the same event record (IHI 0070 chapters 3, 5 and 7).
#include <gtest/gtest.h>

#include <cstring>

#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_memory.h"

namespace smmusim {
namespace {

using refwalk::Access;
using refwalk::Case;
using refwalk::Result;

/// A case, a machine that runs it, and the memory that it must end with.
struct Bench {
  Bench(std::uint64_t seed, bool caches) : one(backbone_case(seed)), machine(one, {false, caches, seed}), memory(one) {}

  /// Response, record and updated descriptors of access `number`; stalls are ended.
  std::string difference(const Result& expected, const Response& got) {
    std::string text = response_difference(expected, got);
    const std::vector<EventRecord> records = machine.take_events();
    text += event_difference(expected, records);
    machine.end_stalls(records);
    memory.apply(expected);
    return text + memory.difference(machine, expected);
  }

  void check_access(std::size_t number) {
    const Access& access = one.accesses[number];
    const Result expected = refwalk::translate(one.registers, one.memory, access);
    const Response got = machine.translate(access);
    const std::string text = difference(expected, got);
    EXPECT_TRUE(text.empty()) << report(number, access, expected, got, text);
  }

  /// All accesses; every cache is emptied before each if `cold`.
  void check_all(bool cold) {
    const CaseFailures failures;
    for (std::size_t i = 0; i < one.accesses.size() && !failures.any(); ++i) {
      if (cold) machine.invalidate_all();
      check_access(i);
    }
    EXPECT_TRUE(failures.any() || memory.difference(machine).empty()) << memory.difference(machine);
  }

  Case one;
  CaseMachine machine;
  CaseMemory memory;
};

/// The counters as a whole; they are plain integers without padding.
struct Traces {
  SmmuCounters counters;
  std::array<CacheCounters, 6> caches;
  std::uint32_t event_producer = 0;
};
Traces traces_of(CaseMachine& machine) {
  Traces traces;
  traces.counters = machine.smmu.counters();
  for (unsigned i = 0; i < 6; ++i) traces.caches[i] = machine.smmu.cache_counters(static_cast<CacheId>(i));
  traces.event_producer = machine.event_producer();
  return traces;
}
std::string trace_difference(const Traces& before, const Traces& after) {
  std::string text;
  const SmmuCounters& a = before.counters;
  const SmmuCounters& b = after.counters;
  if (a.walks != b.walks) text += " walks";
  if (a.walk_fetches != b.walk_fetches) text += " walk_fetches";
  if (a.fetches_by_stage_level != b.fetches_by_stage_level) text += " fetches_by_stage_level";
  if (a.config_fetches != b.config_fetches) text += " config_fetches";
  if (a.reads_by_purpose != b.reads_by_purpose) text += " reads_by_purpose";
  if (a.external_aborts != b.external_aborts) text += " external_aborts";
  if (a.transactions != b.transactions || a.aborts != b.aborts || a.raz_wi != b.raz_wi) text += " transactions";
  if (a.events != b.events || a.events_written != b.events_written) text += " events";
  if (text.empty() && std::memcmp(&a, &b, sizeof a) != 0) text += " another counter";
  if (std::memcmp(&before.caches, &after.caches, sizeof before.caches) != 0) text += " caches";
  if (before.event_producer != after.event_producer) text += " event queue";
  return text;
}

/// A debug access answers as an ordinary one would.
void check_debug_access(Bench& bench, std::size_t number) {
  const Case& one = bench.one;
  CaseMachine& machine = bench.machine;
  const Result expected = refwalk::translate(one.registers, one.memory, one.accesses[number]);
  const Response got = machine.translate(one.accesses[number], debug_effects);
  std::string difference = response_difference(expected, got);
  if (!machine.take_events().empty()) difference += " an event was recorded";
  for (const refwalk::Update& update : expected.updates) difference += bench.memory.difference(machine, update.address);
  EXPECT_TRUE(difference.empty()) << report(number, one.accesses[number], expected, got, difference);
}

std::string traces_left(Bench& bench, const Access& access) {
  const Traces before = traces_of(bench.machine);
  bench.machine.translate(access, debug_effects);
  return trace_difference(before, traces_of(bench.machine)) + bench.memory.difference(bench.machine);
}

TEST(BackboneUntimed, ColdCachesAnswerAsRefwalk) {
  for_each_seed(300, [](std::uint64_t seed) { Bench(seed, true).check_all(true); });
}

TEST(BackboneUntimed, WarmCachesAnswerAsRefwalk) {
  for_each_seed(300, [](std::uint64_t seed) {
    Bench bench(seed, true);
    bench.check_all(!bench.one.cacheable);
    if (bench.one.cacheable) bench.check_all(false);  // with everything warm
  });
}

TEST(BackboneUntimed, WithoutCachesEveryFetchIsRefwalks) {
  for_each_seed(300, [](std::uint64_t seed) {
    Bench bench(seed, false);
    const Case& one = bench.one;
    CaseMachine& machine = bench.machine;
    const CaseFailures failures;
    for (std::size_t i = 0; i < one.accesses.size() && !failures.any(); ++i) {
      machine.recorder.fetches.clear();
      const Result expected = refwalk::translate(one.registers, one.memory, one.accesses[i]);
      const Response got = machine.translate(one.accesses[i]);
      std::string difference = fetch_difference(expected.fetch_list, machine.recorder.fetches);
      difference += bench.difference(expected, got);
      EXPECT_TRUE(difference.empty()) << report(i, one.accesses[i], expected, got, difference)
                                      << "\n  last ILLEGAL structure: " << machine.recorder.illegal_row;
    }
  });
}

TEST(BackboneUntimed, DebugAccessesAnswerAsRefwalkAndChangeNoAnswer) {
  for_each_seed(100, [](std::uint64_t seed) {
    Bench bench(seed, true);
    const CaseFailures failures;
    for (std::size_t i = 0; i < bench.one.accesses.size() && !failures.any(); ++i) {
      if (!bench.one.cacheable) bench.machine.invalidate_all();
      check_debug_access(bench, i);
      bench.check_access(i);
    }
  });
}

TEST(BackboneUntimed, DebugAccessesLeaveNoTrace) {
  for_each_seed(60, [](std::uint64_t seed) {
    Bench bench(seed, true);
    const CaseFailures failures;
    for (std::size_t i = 0; i < bench.one.accesses.size() && !failures.any(); ++i) {
      const Access& access = bench.one.accesses[i];
      if (!bench.one.cacheable) bench.machine.invalidate_all();
      EXPECT_EQ(traces_left(bench, access), "") << "cold: " << text_of(access);
      bench.check_access(i);
      EXPECT_EQ(traces_left(bench, access), "") << "warm: " << text_of(access);
    }
  });
}

}  // namespace
}  // namespace smmusim

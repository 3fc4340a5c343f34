// SPDX-License-Identifier: MIT
// Backbone, untimed leg: each access and each ATS Translation Request of a random case through the core and through
// refwalk, cold and warm, and as a debug access, must give the same response and the same event record (IHI 0070
// chapters 3, 5, 7 and 13).
#include <gtest/gtest.h>

#include <cstring>

#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_memory.h"

namespace smmusim {
namespace {

using refwalk::Case;

/// A case, a machine that runs it, and the memory that it must end with.
struct Bench {
  Bench(std::uint64_t seed, bool caches)
      : one(backbone_case(seed)), machine(one, {false, caches, seed}), memory(one), questions(questions_of(one)) {
    if (!one.requests.empty()) at_first = one;
  }

  /// Response, record and updated descriptors of a question; stalls are ended.
  std::string difference(const Answer& expected, const Question& question, const Response& got) {
    std::string text = response_difference(expected, question, machine.config, got);
    const std::vector<EventRecord> records = machine.take_events();
    text += event_difference(expected.result, records);
    machine.end_stalls(records);
    memory.apply(expected.result);
    return text + memory.difference(machine, expected.result);
  }

  /// A cache may hold a page as it was before it became dirty, which a request with NW=1 gets to see.
  bool answers_as_at_first(const Question& question, const Response& got) const {
    if (!question.request || !question.request->no_write) return false;
    return response_difference(answer_of(at_first, question), question, machine.config, got).empty();
  }

  void check(std::size_t number, bool cold) {
    const Question& question = questions[number];
    Answer expected = answer_of(one, question);
    const Response got = machine.translate(question);
    if (!cold && answers_as_at_first(question, got)) expected.completion = answer_of(at_first, question).completion;
    const std::string text = difference(expected, question, got);
    EXPECT_TRUE(text.empty()) << report(number, question, expected, got, text);
  }

  /// All questions; every cache is emptied before each if `cold`.
  void check_all(bool cold) {
    const CaseFailures failures;
    for (std::size_t i = 0; i < questions.size() && !failures.any(); ++i) {
      if (cold) machine.invalidate_all();
      check(i, cold);
    }
    EXPECT_TRUE(failures.any() || memory.difference(machine).empty()) << memory.difference(machine);
  }

  Case one;
  Case at_first;  ///< before any question; only of a case with requests
  CaseMachine machine;
  CaseMemory memory;
  std::vector<Question> questions;
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
  CaseMachine& machine = bench.machine;
  const Question& question = bench.questions[number];
  const Answer expected = answer_of(bench.one, question);
  const Response got = machine.translate(question, debug_effects);
  std::string difference = response_difference(expected, question, machine.config, got);
  if (bench.answers_as_at_first(question, got)) difference.clear();
  if (!machine.take_events().empty()) difference += " an event was recorded";
  for (const refwalk::Update& update : expected.result.updates)
    difference += bench.memory.difference(machine, update.address);
  EXPECT_TRUE(difference.empty()) << report(number, question, expected, got, difference);
}

std::string traces_left(Bench& bench, const Question& question) {
  const Traces before = traces_of(bench.machine);
  bench.machine.translate(question, debug_effects);
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
    CaseMachine& machine = bench.machine;
    const CaseFailures failures;
    for (std::size_t i = 0; i < bench.questions.size() && !failures.any(); ++i) {
      const Question& question = bench.questions[i];
      machine.recorder.fetches.clear();
      const Answer expected = answer_of(bench.one, question);
      const Response got = machine.translate(question);
      std::string difference = fetch_difference(expected.result.fetch_list, machine.recorder.fetches);
      difference += bench.difference(expected, question, got);
      EXPECT_TRUE(difference.empty()) << report(i, question, expected, got, difference)
                                      << "\n  last ILLEGAL structure: " << machine.recorder.illegal_row;
    }
  });
}

TEST(BackboneUntimed, DebugAccessesAnswerAsRefwalkAndChangeNoAnswer) {
  for_each_seed(100, [](std::uint64_t seed) {
    Bench bench(seed, true);
    const CaseFailures failures;
    for (std::size_t i = 0; i < bench.questions.size() && !failures.any(); ++i) {
      if (!bench.one.cacheable) bench.machine.invalidate_all();
      check_debug_access(bench, i);
      bench.check(i, false);
    }
  });
}

TEST(BackboneUntimed, DebugAccessesLeaveNoTrace) {
  for_each_seed(60, [](std::uint64_t seed) {
    Bench bench(seed, true);
    const CaseFailures failures;
    for (std::size_t i = 0; i < bench.questions.size() && !failures.any(); ++i) {
      const Question& question = bench.questions[i];
      if (!bench.one.cacheable) bench.machine.invalidate_all();
      EXPECT_EQ(traces_left(bench, question), "") << "cold: " << text_of(question);
      bench.check(i, false);
      EXPECT_EQ(traces_left(bench, question), "") << "warm: " << text_of(question);
    }
  });
}

}  // namespace
}  // namespace smmusim

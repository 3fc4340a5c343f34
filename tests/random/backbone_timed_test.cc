// SPDX-License-Identifier: MIT
// Backbone, timed leg: the accesses and ATS Translation Requests of a random case overlap in a timed core, with
// latencies that let answers overtake each other and with commands in between. Responses must equal refwalk's one by
// one, event records as a multiset.
#include <gtest/gtest.h>

#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_memory.h"
#include "tests/random/backbone_traffic.h"

namespace smmusim {
namespace {

using refwalk::Case;
using refwalk::Result;

/// refwalk's answer to question `number`, an ended stall settled.
Answer expected_of(const Traffic& traffic, const Case& one, std::size_t number) {
  Answer expected = answer_of(one, traffic.question(number));
  expected.result = settled(expected.result);
  return expected;
}

/// Hardware updates change no answer, so that memory before the traffic serves all of it: but for a request with NW=1,
/// which gets W of a page that somebody has made dirty before it. `after`: with the updates of all questions.
void check_responses(const Traffic& traffic, const Case& one, const Case& after, const SmmuConfig& config) {
  const CaseFailures failures;
  for (std::size_t i = 0; i < traffic.size() && !failures.any(); ++i) {
    const Question& question = traffic.question(i);
    const Answer expected = expected_of(traffic, one, i);
    std::string difference = "never answered";
    if (traffic.answered(i)) {
      difference = response_difference(expected, question, config, traffic.response(i));
      const bool either = question.request && question.request->no_write;
      if (either && response_difference(expected_of(traffic, after, i), question, config, traffic.response(i)).empty())
        difference.clear();
    }
    EXPECT_TRUE(difference.empty()) << report(i, question, expected, traffic.response(i), difference);
  }
}

void check_events(const std::vector<EventRecord>& records, const Traffic& traffic, const Case& one) {
  std::vector<EventRecord> expected;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    const Result result = answer_of(one, traffic.question(i)).result;
    if (result.event.recorded) expected.push_back(record_of(result));
  }
  EXPECT_EQ(multiset_difference(expected, records), "");
}

void check_quiet(CaseMachine& machine) {
  EXPECT_TRUE(machine.smmu.idle());
  EXPECT_TRUE(machine.commands_done());
  EXPECT_EQ(machine.engine.waiting(), 0u);
}

/// All questions `rounds` times within a short time.
void check_overlapping(CaseMachine& machine, const Case& one, std::uint64_t seed, unsigned rounds) {
  TestRandom random(seed);
  Traffic traffic(machine, seed);
  const std::vector<Question> questions = questions_of(one);
  const Time span = 20'000 + random.below(4'000'000);
  for (unsigned round = 0; round < rounds; ++round) {
    for (const Question& question : questions) traffic.add(question, span);
  }
  const std::uint64_t commands = random.below(24);
  for (std::uint64_t i = 0; i < commands; ++i) traffic.add_harmless_commands(span);
  const std::vector<EventRecord> records = machine.run_to_end();
  Case after = one;
  CaseMemory memory(after);
  memory.apply_all(questions);
  check_responses(traffic, one, after, machine.config);
  check_events(records, traffic, one);
  EXPECT_EQ(memory.difference(machine), "");
  check_quiet(machine);
}

/// Where caches may answer differently: one question after the other, with empty caches.
void check_one_by_one(CaseMachine& machine, Case one, std::uint64_t seed) {
  CaseMemory memory(one);
  const std::vector<Question> questions = questions_of(one);
  const CaseFailures failures;
  for (std::size_t i = 0; i < questions.size() && !failures.any(); ++i) {
    machine.invalidate_all();
    Traffic traffic(machine, seed + i);
    traffic.add(questions[i], 1);
    const std::vector<EventRecord> records = machine.run_to_end();
    check_responses(traffic, one, one, machine.config);
    check_events(records, traffic, one);
    memory.apply_all({questions[i]});
  }
  EXPECT_EQ(memory.difference(machine), "");
  check_quiet(machine);
}

TEST(BackboneTimed, OverlappingAccessesAnswerAsRefwalkWithTwoLatencySeeds) {
  for_each_seed(150, [](std::uint64_t seed) {
    const Case one = backbone_case(seed);
    for (const std::uint64_t latency_seed : {2 * seed, 2 * seed + 1}) {
      CaseMachine machine(one, {true, true, latency_seed});
      if (one.cacheable) {
        check_overlapping(machine, one, latency_seed, 2);
      } else {
        check_one_by_one(machine, one, latency_seed);
      }
    }
  });
}

}  // namespace
}  // namespace smmusim

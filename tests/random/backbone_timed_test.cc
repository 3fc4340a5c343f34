// SPDX-License-Identifier: MIT
// Backbone, timed leg: the accesses of a random case overlap in a timed core, with latencies that let answers overtake
// each other and with commands in between. Responses must equal refwalk's one by one, event records as a multiset.
#include <gtest/gtest.h>

#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_memory.h"
#include "tests/random/backbone_traffic.h"

namespace smmusim {
namespace {

using refwalk::Case;
using refwalk::Result;

// Hardware updates change no answer, so that memory before the traffic serves all of it.
void check_responses(const Traffic& traffic, const Case& one) {
  const CaseFailures failures;
  for (std::size_t i = 0; i < traffic.size() && !failures.any(); ++i) {
    const Result expected = settled(refwalk::translate(one.registers, one.memory, traffic.access(i)));
    const std::string difference =
        traffic.answered(i) ? response_difference(expected, traffic.response(i)) : "never answered";
    EXPECT_TRUE(difference.empty()) << report(i, traffic.access(i), expected, traffic.response(i), difference);
  }
}

void check_events(const std::vector<EventRecord>& records, const Traffic& traffic, const Case& one) {
  std::vector<EventRecord> expected;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    const Result result = refwalk::translate(one.registers, one.memory, traffic.access(i));
    if (result.event.recorded) expected.push_back(record_of(result));
  }
  EXPECT_EQ(multiset_difference(expected, records), "");
}

void check_quiet(CaseMachine& machine) {
  EXPECT_TRUE(machine.smmu.idle());
  EXPECT_TRUE(machine.commands_done());
  EXPECT_EQ(machine.engine.waiting(), 0u);
}

/// All accesses `rounds` times within a short time.
void check_overlapping(CaseMachine& machine, Case one, std::uint64_t seed, unsigned rounds) {
  TestRandom random(seed);
  Traffic traffic(machine, seed);
  const Time span = 20'000 + random.below(4'000'000);
  for (unsigned round = 0; round < rounds; ++round) {
    for (const refwalk::Access& access : one.accesses) traffic.add(access, span);
  }
  const std::uint64_t commands = random.below(24);
  for (std::uint64_t i = 0; i < commands; ++i) traffic.add_harmless_commands(span);
  const std::vector<EventRecord> records = machine.run_to_end();
  check_responses(traffic, one);
  check_events(records, traffic, one);
  CaseMemory memory(one);
  memory.apply_all(one.accesses);
  EXPECT_EQ(memory.difference(machine), "");
  check_quiet(machine);
}

/// Where caches may answer differently: one access after the other, with empty caches.
void check_one_by_one(CaseMachine& machine, Case one, std::uint64_t seed) {
  CaseMemory memory(one);
  const CaseFailures failures;
  for (std::size_t i = 0; i < one.accesses.size() && !failures.any(); ++i) {
    machine.invalidate_all();
    Traffic traffic(machine, seed + i);
    traffic.add(one.accesses[i], 1);
    const std::vector<EventRecord> records = machine.run_to_end();
    check_responses(traffic, one);
    check_events(records, traffic, one);
    memory.apply_all({one.accesses[i]});
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

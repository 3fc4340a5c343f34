// SPDX-License-Identifier: MIT
// Backbone, mutation leg: mappings change break-before-make under warm caches, and after CMD_SYNC no access may be
// answered from the old mapping (IHI 0070 sections 3.17, 4.4, 4.7), untimed and with accesses in flight.
#include "tests/random/backbone_mutation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/random/backbone_compare.h"
#include "tests/random/backbone_memory.h"
#include "tests/random/backbone_traffic.h"

namespace smmusim {
namespace {

using refwalk::Case;
using refwalk::Result;

/// Every access against refwalk on the present image.
void check_untimed(CaseMachine& machine, const Case& one, CaseMemory& memory, const char* when) {
  const CaseFailures failures;
  for (std::size_t i = 0; i < one.accesses.size() && !failures.any(); ++i) {
    const Result expected = refwalk::translate(one.registers, one.memory, one.accesses[i]);
    const Response got = machine.translate(one.accesses[i]);
    const std::vector<EventRecord> records = machine.take_events();
    machine.end_stalls(records);
    memory.apply(expected);
    const std::string difference =
        response_difference(expected, got) + event_difference(expected, records) + memory.difference(machine, expected);
    EXPECT_TRUE(difference.empty()) << when << ", " << report(i, one.accesses[i], expected, got, difference);
  }
}

std::string text_of_commands(const std::vector<spec::Command>& commands) {
  std::string text;
  for (const spec::Command& command : commands) {
    text += " " + std::to_string(command.dw[0]) + ":" + std::to_string(command.dw[1]);
  }
  return text;
}

TEST(BackboneMutation, NoStaleTranslationAfterSync) {
  for_each_seed(200, [](std::uint64_t seed) {
    Case one = backbone_case(seed);
    if (!one.cacheable) return;
    CaseMachine machine(one, {false, true, seed});
    Mutator mutator(one, machine, seed);
    CaseMemory memory(one);
    const CaseFailures failures;
    check_untimed(machine, one, memory, "before any change");
    for (unsigned round = 0; round < 6 && !failures.any(); ++round) {
      const std::optional<Leaf> leaf = mutator.pick();
      if (!leaf) break;
      mutator.clear(*leaf);
      const auto commands = mutator.invalidation_of(*leaf);
      SCOPED_TRACE("round " + std::to_string(round) + ", commands (dw0:dw1)" + text_of_commands(commands));
      machine.execute(commands);
      check_untimed(machine, one, memory, "after the break");
      mutator.make(*leaf);
      check_untimed(machine, one, memory, "after the make");
    }
    EXPECT_TRUE(failures.any() || memory.difference(machine).empty()) << memory.difference(machine);
  });
}

/// Of the accesses; requests are not in this leg.
std::vector<Question> accesses_of(const Case& one) {
  std::vector<Question> questions;
  for (const refwalk::Access& access : one.accesses) questions.push_back({access, std::nullopt});
  return questions;
}
std::vector<Result> results_of(const Case& one) {
  return smmusim::results_of(one, accesses_of(one));
}

std::string settled_difference(const Result& expected, const Response& got) {
  return response_difference(settled(expected), got);
}

/// Accesses that raced with the change: each may have seen the image before or after.
void check_racing(const Traffic& traffic, const Case& one, const std::vector<Result>& before,
                  const std::vector<Result>& after) {
  const CaseFailures failures;
  for (std::size_t i = 0; i < traffic.size() && !failures.any(); ++i) {
    const std::size_t number = i % one.accesses.size();
    const bool either = traffic.answered(i) && (settled_difference(before[number], traffic.response(i)).empty() ||
                                                settled_difference(after[number], traffic.response(i)).empty());
    EXPECT_TRUE(either) << "racing, neither before nor after, "
                        << report(i, traffic.access(i), before[number], traffic.response(i), "both");
  }
}

void check_exact(const std::vector<EventRecord>& records, const Case& one, const Traffic& traffic, const char* when) {
  const std::vector<Result> expected = results_of(one);
  std::vector<EventRecord> events;
  const CaseFailures failures;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    if (expected[i].event.recorded) events.push_back(record_of(expected[i]));
    const std::string difference =
        traffic.answered(i) ? settled_difference(expected[i], traffic.response(i)) : "never answered";
    if (failures.any()) continue;
    EXPECT_TRUE(difference.empty()) << when << ", "
                                    << report(i, traffic.access(i), expected[i], traffic.response(i), difference);
  }
  EXPECT_EQ(multiset_difference(events, records), "") << when;
}

void add_all(Traffic& traffic, const Case& one, Time span) {
  for (const refwalk::Access& access : one.accesses) traffic.add(access, span);
}

/// Runs until the commands are consumed or nothing is left to happen.
void run_until_consumed(CaseMachine& machine) {
  while (!machine.commands_done() && machine.engine.waiting() != 0) {
    machine.engine.run_until(machine.engine.next_event());
  }
}

void change_in_flight(CaseMachine& machine, Case& one, Mutator& mutator, CaseMemory& memory, const Leaf& leaf,
                      TestRandom& random) {
  const std::vector<Result> before = results_of(one);
  const Time span = 10'000 + random.below(2'000'000);
  Traffic racing(machine, random.next());
  add_all(racing, one, span);
  machine.engine.run_until(machine.engine.now() + random.below(span));
  mutator.clear(leaf);
  for (const spec::Command& command : mutator.invalidation_of(leaf)) {
    if (machine.push(command)) continue;
    machine.ring();
    run_until_consumed(machine);
    machine.push(command);
  }
  machine.ring();
  run_until_consumed(machine);
  // CONS has passed the CMD_SYNC: from now on only the present image counts.
  Traffic after(machine, random.next());
  add_all(after, one, span);
  machine.run_to_end();  // racing accesses may have recorded either event
  const std::vector<Result> expected = results_of(one);
  check_racing(racing, one, before, expected);
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::string difference = settled_difference(expected[i], after.response(i));
    EXPECT_TRUE(difference.empty()) << "after CMD_SYNC, "
                                    << report(i, after.access(i), expected[i], after.response(i), difference);
    if (!difference.empty()) break;
  }
  EXPECT_EQ(memory.adopt(machine, before, expected), "") << "after CMD_SYNC";
  mutator.make(leaf);
  Traffic made(machine, random.next());
  add_all(made, one, span);
  const std::vector<EventRecord> records = machine.run_to_end();
  check_exact(records, one, made, "after the make");
  memory.apply_all(accesses_of(one));
  EXPECT_EQ(memory.difference(machine), "") << "after the make";
}

TEST(BackboneMutation, NoStaleTranslationAfterSyncWithAccessesInFlight) {
  for_each_seed(150, [](std::uint64_t seed) {
    Case one = backbone_case(seed);
    if (!one.cacheable) return;
    CaseMachine machine(one, {true, true, seed});
    Mutator mutator(one, machine, seed);
    CaseMemory memory(one);
    TestRandom random(seed);
    const CaseFailures failures;
    for (unsigned round = 0; round < 4 && !failures.any(); ++round) {
      const std::optional<Leaf> leaf = mutator.pick();
      if (!leaf) break;
      change_in_flight(machine, one, mutator, memory, *leaf, random);
      EXPECT_TRUE(machine.smmu.idle());
      EXPECT_TRUE(machine.commands_done());
    }
  });
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// The comparison of final memory itself (DDI 0487 D8.5.3): a machine whose memory gets refwalk's updates agrees, also
// where another descriptor of a contiguous run carries them, and any other difference is found. No SMMU is asked.
#include "tests/random/backbone_memory.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/random/backbone_compare.h"

namespace smmusim {
namespace {

using refwalk::Case;
using refwalk::Result;
using refwalk::Update;

Case case_with_updates(std::uint64_t seed) {
  refwalk::CaseOptions options = backbone_options(seed);
  options.stage2 = true;
  options.httu = 2;
  options.corruption = 0;
  return refwalk::generate_case(seed, options);
}

/// The same update in the next descriptor of the run.
Update in_neighbour(const Case& one, const Update& update) {
  Update other = update;
  const std::uint64_t first = update.address & ~(std::uint64_t{update.run} * 8 - 1);
  other.address = first + (update.address - first + 8) % (std::uint64_t{update.run} * 8);
  other.before = one.memory.words.at(other.address);
  other.after = (other.before | (~update.before & update.after)) & ~(update.before & ~update.after);
  return other;
}

/// A case of this seed after all its accesses, and a machine with the memory that refwalk leaves.
struct Pair {
  explicit Pair(std::uint64_t seed, bool neighbours)
      : one(case_with_updates(seed)), machine(one, {false, true, seed}), memory(one) {
    for (const refwalk::Access& access : one.accesses) {
      const Result result = refwalk::translate(one.registers, one.memory, access);
      for (const Update& update : result.updates) {
        const Update made = neighbours && update.run > 1 ? in_neighbour(one, update) : update;
        machine.store(made.address, made.after);
        updates.push_back(made);
        runs += update.run > 1 ? 1 : 0;
      }
      memory.apply(result);
    }
  }

  Case one;
  CaseMachine machine;
  CaseMemory memory;
  std::vector<Update> updates;
  unsigned runs = 0;
};

TEST(BackboneMemory, AgreesWithRefwalksUpdates) {
  unsigned runs = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const bool neighbours : {false, true}) {
      Pair pair(seed, neighbours);
      EXPECT_EQ(pair.memory.difference(pair.machine), "") << seed;
      runs += pair.runs;
    }
  }
  EXPECT_GT(runs, 20u);
}

TEST(BackboneMemory, FindsAMissingUpdateAndAChangedWord) {
  unsigned found = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Pair pair(seed, false);
    for (const Update& update : pair.updates) {
      const std::uint64_t last = pair.one.memory.words.at(update.address);
      if (update.run > 1 || last != update.after) continue;
      pair.machine.store(update.address, update.before);
      EXPECT_NE(pair.memory.difference(pair.machine, update.address), "") << seed;
      pair.machine.store(update.address, last ^ std::uint64_t{1} << 51);
      EXPECT_NE(pair.memory.difference(pair.machine), "") << seed;
      pair.machine.store(update.address, last);
      ++found;
    }
    EXPECT_EQ(pair.memory.difference(pair.machine), "") << seed;
  }
  EXPECT_GT(found, 100u);
}

TEST(BackboneMemory, AdoptsOnlyWhatAnUpdateMayHaveChanged) {
  unsigned adopted = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Case one = case_with_updates(seed);
    CaseMachine machine(one, {false, true, seed});
    CaseMemory memory(one);
    std::vector<Result> results;
    for (const refwalk::Access& access : one.accesses) {
      results.push_back(refwalk::translate(one.registers, one.memory, access));
    }
    for (std::size_t i = 0; i < results.size(); i += 2) {
      for (const Update& update : results[i].updates) machine.store(update.address, update.after);
      adopted += results[i].updates.empty() ? 0 : 1;
    }
    EXPECT_EQ(memory.adopt(machine, results, {}), "") << seed;
    EXPECT_EQ(memory.difference(machine), "") << seed;
    // A word that can be read: no structure in memory that aborts.
    const auto word = std::find_if(one.memory.words.begin(), one.memory.words.end(), [&machine](const auto& candidate) {
      std::uint64_t read = 0;
      return machine.memory.peek(Pa(candidate.first), &read, sizeof read);
    });
    machine.store(word->first, word->second ^ std::uint64_t{1} << 60);
    EXPECT_NE(memory.adopt(machine, results, {}), "") << seed;
  }
  EXPECT_GT(adopted, 100u);
}

}  // namespace
}  // namespace smmusim

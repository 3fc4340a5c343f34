// SPDX-License-Identifier: MIT
// Random cases with hardware updates (IHI 0070 3.13): every kind of update and of refused update occurs, and neither
// the answers nor the final memory depend on the order of the accesses, so that a core may overlap them.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/random/case_generator.h"
#include "tests/random/reference/bits.h"

namespace refwalk {
namespace {

CaseOptions options_of(unsigned httu) {
  CaseOptions options;
  options.stage2 = true;
  options.httu = httu;
  options.accesses = 32;
  return options;
}

// AF and the dirty bit lie in the low half of a descriptor.
bool is_big_endian(const Update& update) {
  return ((update.before ^ update.after) >> 32) != 0;
}

uint64_t descriptor_of(const Update& update, uint64_t word) {
  return is_big_endian(update) ? __builtin_bswap64(word) : word;
}

std::string kind_of(const Update& update) {
  const uint64_t flipped = descriptor_of(update, update.before ^ update.after);
  static constexpr const char* classes[] = {"CD", "TT", "IN"};
  std::string kind = "S" + std::to_string(update.stage) + " " + classes[static_cast<unsigned>(update.purpose)];
  if (bit(flipped, 10)) kind += " AF";
  if (bit(flipped, 7)) kind += " dirty";
  return kind;
}

void store(Case* one, const Result& result) {
  for (const Update& update : result.updates) one->memory.words[update.address] = update.after;
}

TEST(CaseHttu, EveryKindOfUpdateOccurs) {
  std::map<std::string, unsigned> kinds;
  unsigned refused = 0;
  unsigned before_a_fault = 0;
  unsigned in_runs = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Case one = generate_case(seed, options_of(2));
    for (const Access& access : one.accesses) {
      const Result result = translate(one.registers, one.memory, access);
      const bool permission_of_tables = (result.event.dw[0] & 0xFF) == 0x13 && bits(result.event.dw[1], 41, 39) == 3;
      refused += permission_of_tables && !bit(result.event.dw[1], 44) ? 1 : 0;
      before_a_fault += result.outcome != Outcome::Proceed && !result.updates.empty() ? 1 : 0;
      for (const Update& update : result.updates) {
        ++kinds[kind_of(update)];
        in_runs += update.run > 1 ? 1 : 0;
      }
      store(&one, result);
    }
  }
  for (const char* kind : {"S1 TT AF", "S1 TT dirty", "S1 TT AF dirty", "S2 CD AF", "S2 TT AF", "S2 TT dirty",
                           "S2 IN AF", "S2 IN dirty", "S2 IN AF dirty"}) {
    EXPECT_GE(kinds[kind], 20u) << kind;
  }
  EXPECT_EQ(kinds.size(), 9u);
  EXPECT_GE(refused, 10u);
  EXPECT_GE(before_a_fault, 100u);
  EXPECT_GE(in_runs, 20u);
}

TEST(CaseHttu, TableDescriptorsAreUpdatedToo) {
  std::map<unsigned, unsigned> by_stage;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const Case one = generate_case(seed, options_of(3));
    for (const Access& access : one.accesses) {
      for (const Update& update : translate(one.registers, one.memory, access).updates) {
        const uint64_t before = descriptor_of(update, update.before);
        by_stage[update.stage] += update.level < 3 && bits(before, 1, 0) == 3 ? 1 : 0;
      }
    }
  }
  EXPECT_GE(by_stage[1], 20u);
  EXPECT_GE(by_stage[2], 20u);
}

TEST(CaseHttu, OneUpdateIsEnough) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Case one = generate_case(seed, options_of(3));
    for (const Access& access : one.accesses) {
      const Result first = translate(one.registers, one.memory, access);
      store(&one, first);
      const Result second = translate(one.registers, one.memory, access);
      EXPECT_TRUE(second.updates.empty()) << seed;
      EXPECT_EQ(static_cast<int>(first.outcome), static_cast<int>(second.outcome)) << seed;
      EXPECT_EQ(first.pa, second.pa) << seed;
    }
  }
}

TEST(CaseHttu, OrderOfAccessesDoesNotMatter) {
  unsigned updates = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Case forward = generate_case(seed, options_of(3));
    Case backward = forward;
    std::vector<Result> results;
    for (const Access& access : forward.accesses) {
      results.push_back(translate(forward.registers, forward.memory, access));
      updates += static_cast<unsigned>(results.back().updates.size());
      store(&forward, results.back());
    }
    for (size_t i = results.size(); i-- > 0;) {
      const Result result = translate(backward.registers, backward.memory, backward.accesses[i]);
      store(&backward, result);
      EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(results[i].outcome)) << seed;
      EXPECT_EQ(result.pa, results[i].pa) << seed;
      for (unsigned word = 0; word < 4; ++word) EXPECT_EQ(result.event.dw[word], results[i].event.dw[word]) << seed;
    }
    EXPECT_EQ(forward.memory.words, backward.memory.words) << seed;
  }
  EXPECT_GT(updates, 1500u);
}

TEST(CaseHttu, OffByDefault) {
  CaseOptions options = options_of(0);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Case one = generate_case(seed, options);
    EXPECT_EQ(bits(one.registers.idr0, 7, 6), 0u);
    for (const Access& access : one.accesses) {
      EXPECT_TRUE(translate(one.registers, one.memory, access).updates.empty()) << seed;
    }
  }
}

}  // namespace
}  // namespace refwalk

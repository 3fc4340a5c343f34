// SPDX-License-Identifier: MIT
// The backbone of tests/random with many more cases. It starts that program again, test by test, with SMMUSIM_CASES
// set; a failure's text names the seed as ever.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

struct Leg {
  const char* filter;
  const char* cases;
};

class SlowBackbone : public testing::TestWithParam<Leg> {};

TEST_P(SlowBackbone, HoldsForManyMoreCases) {
  const std::filesystem::path build = std::filesystem::path(SMMUSIM_BINARY).parent_path();
  const std::filesystem::path program = build / "tests" / "test_random";
  ASSERT_TRUE(std::filesystem::exists(program)) << program << " is missing; build the target test_random first";
  // A range of its own, unless one is given.
  setenv("SMMUSIM_SEED", "1000000", 0);
  setenv("SMMUSIM_CASES", GetParam().cases, 0);
  const std::string command = "'" + program.string() + "' --gtest_brief=1 --gtest_filter=" + GetParam().filter;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

// One ctest entry, and so one time limit of 300 s, for each of these: a busy machine takes thrice the time.
INSTANTIATE_TEST_SUITE_P(Cold, SlowBackbone, testing::Values(Leg{"BackboneUntimed.Cold*", "5000"}));
INSTANTIATE_TEST_SUITE_P(Warm, SlowBackbone, testing::Values(Leg{"BackboneUntimed.Warm*", "5000"}));
INSTANTIATE_TEST_SUITE_P(Fetches, SlowBackbone, testing::Values(Leg{"BackboneUntimed.Without*", "5000"}));
INSTANTIATE_TEST_SUITE_P(Debug, SlowBackbone, testing::Values(Leg{"BackboneUntimed.D*", "2000"}));
INSTANTIATE_TEST_SUITE_P(Timed, SlowBackbone, testing::Values(Leg{"BackboneTimed.*", "3500"}));
INSTANTIATE_TEST_SUITE_P(Mutation, SlowBackbone, testing::Values(Leg{"BackboneMutation.*", "4000"}));
// 20000 machines with 250 accesses each: five million cases of random structures; the quick form has a million.
INSTANTIATE_TEST_SUITE_P(Hostile, SlowBackbone,
                         testing::Values(Leg{"BackboneHostile.RandomStructures*", "30000"},
                                         Leg{"BackboneHostile.RandomBits*", "20000"}));

}  // namespace

// SPDX-License-Identifier: MIT
// Accesses through ATCs race with invalidations. ATS_RUN_ACCESSES and ATS_RUN_SEED in the environment make it longer
// (tests/random/ats_run).
#include "tests/random/ats_traffic.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace smmusim::random_test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 0);
}

/// In a process of its own: SystemC's kernel is elaborated once.
void expect_orderly(const AtsTraffic& traffic) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const AtsTrafficResult result = run_ats_traffic(traffic);
    std::fprintf(
        stderr, "%s\nstable %llu, of them not mapped %llu, invalidations %llu, stale %llu, ATC hits %llu\n",
        result.violation.c_str(), static_cast<unsigned long long>(result.stable),
        static_cast<unsigned long long>(result.after_unmap), static_cast<unsigned long long>(result.invalidations),
        static_cast<unsigned long long>(result.stale_completions), static_cast<unsigned long long>(result.atc_hits));
    const bool met = result.violation.empty() && result.completed == traffic.accesses &&
                     result.stable > traffic.accesses / 4 && result.after_unmap != 0 && result.invalidations != 0 &&
                     (result.atc_hits != 0) == (traffic.atc_entries != 0);
    _exit(met ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "seed " << traffic.seed << ", " << traffic.accesses << " accesses";
}

class AtsRace : public testing::TestWithParam<AtsTraffic> {};

TEST_P(AtsRace, NoTranslationIsUsedAfterItsInvalidationCompleted) {
  AtsTraffic traffic = GetParam();
  traffic.seed = from_environment("ATS_RUN_SEED", traffic.seed);
  traffic.accesses = from_environment("ATS_RUN_ACCESSES", traffic.accesses);
  expect_orderly(traffic);
}

INSTANTIATE_TEST_SUITE_P(Machines, AtsRace,
                         testing::Values(AtsTraffic{}, AtsTraffic{25'000, 2, 1, 8, 4, 0, 500},
                                         AtsTraffic{25'000, 3, 4, 200, 1024, 2, 0},
                                         AtsTraffic{25'000, 4, 1, 16, 0, 0, 20},
                                         AtsTraffic{25'000, 5, 1, 8, 64, 0, 0, 8000},
                                         AtsTraffic{25'000, 6, 2, 8, 64, 0, 0, 150, 10'000},
                                         AtsTraffic{25'000, 7, 1, 8, 64, 0, 20, 150, 60, 1}));

}  // namespace
}  // namespace smmusim::random_test

// SPDX-License-Identifier: MIT
// The points of pcie-bench that tests/validation/pcie gates.
#include <gtest/gtest.h>

#include "tests/validation/bench_points.h"

namespace smmusim::validation {
namespace {

TEST(BenchValidation, ThePresetMeetsPcieBenchWithoutIommu) {
  unsigned gated = 0;
  for (const BenchResult& result : run_bench()) {
    EXPECT_TRUE(result.holds()) << result.point->bytes << " bytes: " << result.measured << ", published "
                                << result.point->published;
    if (result.gated()) ++gated;
  }
  EXPECT_EQ(gated, 26U);
}

}  // namespace
}  // namespace smmusim::validation

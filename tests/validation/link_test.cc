// SPDX-License-Identifier: MIT
// The points of tests/validation/pcie, each measured for a short time only.
#include <gtest/gtest.h>

#include "tests/validation/link_points.h"

namespace smmusim::validation {
namespace {

constexpr Time length = 20'000'000;

void expect_gates(const std::vector<LinkPoint>& points) {
  for (const LinkPoint& point : points) {
    EXPECT_NEAR(point.measured_gbps, point.expected_gbps, point.gate * point.expected_gbps) << point.name;
  }
}

TEST(LinkValidation, SaturatedLinksFollowThePublishedFormulae) {
  expect_gates(saturated_points(length));
}

TEST(LinkValidation, WithoutCreditsOrTagsTheRoundTripDecides) {
  const std::vector<LinkPoint> points = starved_points(length);
  expect_gates(points);
  for (const LinkPoint& point : points) EXPECT_LT(point.measured_gbps, point.published_gbps / 2) << point.name;
}

TEST(LinkValidation, TheLatestDllpsLeaveMoreThanThePublishedFormulaeSay) {
  const std::vector<LinkPoint> points = latest_dllp_points(length);
  expect_gates(points);
  for (const LinkPoint& point : points) EXPECT_GT(point.measured_gbps, point.published_gbps * 1.05) << point.name;
}

}  // namespace
}  // namespace smmusim::validation

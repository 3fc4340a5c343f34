// SPDX-License-Identifier: MIT
// The truth table of the property `ats`, row by row.
#include <gtest/gtest.h>

#include "platform/pcie/ats_property.h"

namespace smmusim::platform {
namespace {

constexpr auto off = OnOffAuto::off, on = OnOffAuto::on, automatic = OnOffAuto::automatic;
constexpr auto unknown = HostAts::unknown, yes = HostAts::supported, no = HostAts::not_supported;

struct Row {
  OnOffAuto property;
  HostAts host;
  bool capability;
  bool shown;
  AtsRefusal refusal;
  AtsWarning warning;
};

constexpr AtsRefusal fine = AtsRefusal::none, refused = AtsRefusal::kernel_lacks_it;
constexpr AtsWarning silent = AtsWarning::none, lacking = AtsWarning::device_lacks_it,
                     masked = AtsWarning::masked_by_the_kernel;

constexpr Row rows[] = {
    {off, unknown, false, false, fine, silent},
    {off, unknown, true, false, fine, silent},
    {off, yes, false, false, fine, silent},
    {off, yes, true, false, fine, silent},
    {off, no, false, false, fine, silent},
    {off, no, true, false, fine, silent},
    {on, unknown, true, true, fine, silent},
    {on, unknown, false, false, fine, lacking},
    {on, yes, true, true, fine, silent},
    {on, yes, false, false, fine, lacking},
    {on, no, true, false, refused, silent},
    {on, no, false, false, refused, silent},
    {automatic, unknown, true, true, fine, silent},
    {automatic, unknown, false, false, fine, silent},
    {automatic, yes, true, true, fine, silent},
    {automatic, yes, false, false, fine, silent},
    {automatic, no, true, false, fine, masked},
    {automatic, no, false, false, fine, silent},
};

TEST(AtsProperty, EveryRowOfTheTruthTable) {
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << "ats " << static_cast<int>(row.property) << " host "
                                    << static_cast<int>(row.host) << " capability " << row.capability);
    const AtsDecision decision = decide_ats(row.property, row.host, row.capability);
    EXPECT_EQ(decision.shown, row.shown);
    EXPECT_EQ(decision.refusal, row.refusal);
    EXPECT_EQ(decision.warning, row.warning);
    EXPECT_FALSE(decision.reason.empty());
    EXPECT_EQ(describe(decision.refusal).empty(), row.refusal == fine);
    EXPECT_EQ(describe(decision.warning).empty(), row.warning == silent);
  }
}

TEST(AtsProperty, TheTableIsWhole) {
  EXPECT_EQ(std::size(rows), 3u * 3u * 2u);
}

}  // namespace
}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// Stage-1 direct permissions: every combination of AP, APTable, UXN, PXN, UXNTable, PXNTable, WXN, PAN, EPAN, HAD and
// of the two kinds of regime, against the Arm rules (Arm ARM D8.4, house reference 6.4) written as questions about one
// access at a time.
#include <gtest/gtest.h>

#include <string>

#include "model/vmsa/permissions.h"
#include "model/vmsa/s1_walk.h"

namespace smmusim {
namespace {

/// One combination, a bit each.
struct Case {
  explicit Case(unsigned n)
      : ap1(n & 1),
        ap2(n >> 1 & 1),
        ap_table0(n >> 2 & 1),
        ap_table1(n >> 3 & 1),
        uxn(n >> 4 & 1),
        pxn(n >> 5 & 1),
        uxn_table(n >> 6 & 1),
        pxn_table(n >> 7 & 1),
        wxn(n >> 8 & 1),
        pan(n >> 9 & 1),
        had(n >> 10 & 1),
        single(n >> 11 & 1),
        epan(n >> 12 & 1) {}
  bool ap1, ap2, ap_table0, ap_table1, uxn, pxn, uxn_table, pxn_table, wxn, pan, had, single, epan;
};
constexpr unsigned cases = 1u << 13;

/// The permission mask that a walk through one table descriptor and one page gives.
std::uint8_t walked(const Case& c, bool table_bits_on_the_second_table) {
  S1TTWParams params;
  params.txsz = 25;  // starts at level 1: two tables above the page
  params.wxn = c.wxn;
  params.pan = c.pan;
  params.epan = c.epan;
  params.had = c.had;
  params.single_privilege = c.single;
  const auto at = [](bool set, unsigned n) { return std::uint64_t{set} << n; };
  const std::uint64_t limits = at(c.ap_table0, 61) | at(c.ap_table1, 62) | at(c.uxn_table, 60) | at(c.pxn_table, 59);
  const std::uint64_t page = 0x8000'0403 | at(c.ap1, 6) | at(c.ap2, 7) | at(c.uxn, 54) | at(c.pxn, 53);
  TTWState state = walk_start(params);
  EXPECT_EQ(walk_step(params, state, 0x1003 | (table_bits_on_the_second_table ? 0 : limits)), WalkStep::table);
  EXPECT_EQ(walk_step(params, state, 0x2003 | (table_bits_on_the_second_table ? limits : 0)), WalkStep::table);
  EXPECT_EQ(walk_step(params, state, page), WalkStep::leaf);
  return state.permissions;
}

// The rules, access by access.

/// AP[2:1] with APTable: 00 privileged RW; 01 all RW; 10 privileged RO; 11 all RO.
bool data_by_ap(const Case& c, bool privileged, bool write) {
  const bool table_counts = !c.had;
  if (write && c.ap2) return false;
  if (write && table_counts && c.ap_table1) return false;
  if (c.single || privileged) return true;
  if (table_counts && c.ap_table0) return false;
  return c.ap1;
}
bool execute_allowed(const Case& c, bool privileged) {
  const bool writable = data_by_ap(c, privileged, true);  // PAN is about data accesses, not about WXN
  if (c.wxn && writable) return false;
  const bool uxn = c.uxn || (c.uxn_table && !c.had);
  const bool pxn = c.pxn || (c.pxn_table && !c.had);
  if (c.single || !privileged) return !uxn;  // one XN bit, number 54
  return !pxn && !data_by_ap(c, false, true);
}

bool data_allowed(const Case& c, bool privileged, bool write) {
  const bool users_may = data_by_ap(c, false, false) || (c.epan && execute_allowed(c, false));
  const bool reserved_for_users = c.pan && privileged && !c.single && users_may;
  return data_by_ap(c, privileged, write) && !reserved_for_users;
}

unsigned expected(const Case& c) {
  unsigned mask = 0;
  for (const bool privileged : {false, true}) {
    if (data_allowed(c, privileged, false)) mask |= permission::read_bit(privileged);
    if (data_allowed(c, privileged, true)) mask |= permission::write_bit(privileged);
    if (execute_allowed(c, privileged)) mask |= permission::execute_bit(privileged);
  }
  return mask;
}

std::string text(const Case& c) {
  const auto part = [](const char* name, bool set) { return set ? std::string(" ") + name : std::string(); };
  return part("AP1", c.ap1) + part("AP2", c.ap2) + part("APTable0", c.ap_table0) + part("APTable1", c.ap_table1) +
         part("UXN", c.uxn) + part("PXN", c.pxn) + part("UXNTable", c.uxn_table) + part("PXNTable", c.pxn_table) +
         part("WXN", c.wxn) + part("PAN", c.pan) + part("HAD", c.had) + part("single privilege", c.single) +
         part("EPAN", c.epan);
}

TEST(S1Permissions, EveryCombinationFollowsTheRules) {
  RecordProperty("rule", "SM-AT-017 SM-AT-018 SM-AT-019 SM-AT-024");
  unsigned wrong = 0;
  for (unsigned n = 0; n < cases; ++n) {
    const Case c(n);
    if (walked(c, false) == expected(c)) continue;
    ADD_FAILURE() << "with" << text(c) << ": mask " << unsigned{walked(c, false)} << " instead of " << expected(c);
    ASSERT_LT(++wrong, 5u) << "further differences are not shown";
  }
}

TEST(S1Permissions, LimitsOfLowerTablesCountLikeThoseOfUpperOnes) {
  for (unsigned n = 0; n < cases; ++n) {
    const Case c(n);
    ASSERT_EQ(walked(c, true), walked(c, false)) << text(c);
  }
}

TEST(S1Permissions, BitsOfOneAccessAreDistinct) {
  unsigned seen = 0;
  for (const bool privileged : {false, true}) {
    seen += permission::read_bit(privileged);
    seen += permission::write_bit(privileged);
    seen += permission::execute_bit(privileged);
  }
  EXPECT_EQ(seen, permission::all);
  EXPECT_EQ(permission::any_write, permission::write_bit(false) + permission::write_bit(true));
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// What the backbone tests have in common: which cases they run, what refwalk expects of an access, whether an answer
// of ours equals it, and how a difference is told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/random/backbone_machine.h"

namespace smmusim {

/// What the cases may use beyond the base: the largest IDR0.HTTU (0 to 3, section 3.13) and whether transactions stall
/// (STALL_MODEL 0 and 2 beside 1, section 3.12.2), and ATS. All are what the core claims to do.
inline constexpr unsigned backbone_httu = 3;
inline constexpr bool backbone_stall = true;
inline constexpr bool backbone_ats = true;

/// SMMUSIM_SEED: the first seed; SMMUSIM_CASES: how many; SMMUSIM_FAILURES: after how many cases that fail to stop.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  std::uint64_t failures = 3;
};
SeedRange seeds(std::uint64_t quick_count);

/// Calls `check` for each seed with a case name and the command that repeats it in SCOPED_TRACE; stops after
/// SeedRange::failures cases that fail. `check` uses EXPECT_ or ADD_FAILURE.
void for_each_seed(std::uint64_t quick_count, const std::function<void(std::uint64_t)>& check);

/// Whether something failed since this object was made; testing::Test::HasFailure() would include earlier cases.
class CaseFailures {
 public:
  CaseFailures();
  bool any() const;

 private:
  int before_;
};

/// The case of this seed with features mixed by the seed, in what the core claims to do. `corruption` of a quarter.
refwalk::Case backbone_case(std::uint64_t seed);
refwalk::CaseOptions backbone_options(std::uint64_t seed);

/// "" if `got` is what refwalk expects, else what differs. Events apart.
std::string response_difference(const refwalk::Result& expected, const Response& got);
/// The same for either kind of question, asked of a machine of this configuration.
std::string response_difference(const Answer& expected, const Question& asked, const SmmuConfig& config,
                                const Response& got);
/// "" if the records are the expected one (or none), STAG apart.
std::string event_difference(const refwalk::Result& expected, const std::vector<EventRecord>& got);
/// "" if both hold the same records in any order.
std::string multiset_difference(std::vector<EventRecord> expected, std::vector<EventRecord> got);

/// What is left of an access once its stall was ended by CMD_RESUME with an abort; others are as they were.
refwalk::Result settled(refwalk::Result result);

/// "" if both are the same reads in the same order, `purpose` apart; else both lists side by side. The stage-2 walks
/// that ask whether a stage-1 descriptor may be updated are all there or all missing.
std::string fetch_difference(const std::vector<refwalk::Fetch>& expected, const std::vector<refwalk::Fetch>& got);

EventRecord record_of(const refwalk::Result& result);
EventRecord without_stag(EventRecord record);
std::string text_of(const refwalk::Access& access);
std::string text_of(const refwalk::Result& result);
/// Its updates and its event, a line each.
std::string details_of(const refwalk::Result& result);
std::string text_of(const Response& response);
std::string text_of(const EventRecord& record);
std::string text_of(const refwalk::Fetch& fetch);

/// One line for a failure: access number, access, expectation and answer.
std::string report(std::size_t number, const refwalk::Access& access, const refwalk::Result& expected,
                   const Response& got, const std::string& difference);
std::string report(std::size_t number, const Question& question, const Answer& expected, const Response& got,
                   const std::string& difference);

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Random cases with ATS translation requests (IHI 0070 3.9.1.2, 13.7): every answer occurs, with one and two stages,
// and the descriptors that requests and accesses leave behind do not depend on their order.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/random/case_generator.h"

namespace refwalk {
namespace {

CaseOptions options_of() {
  CaseOptions options;
  options.stage2 = true;
  options.ats = true;
  options.httu = 2;
  options.accesses = 32;
  return options;
}

std::string answer_of(const Completion& completion) {
  const std::string event = completion.event.recorded ? std::to_string(completion.event.dw[0] & 0xFF) : "silent";
  if (completion.status == CompletionStatus::UnsupportedRequest) return "UR " + event;
  if (completion.status == CompletionStatus::CompleterAbort) return "CA " + event;
  return std::string(completion.read ? "R" : "-") + (completion.write ? "W" : "-") + (completion.execute ? "X" : "-");
}

TEST(CaseAts, EveryAnswerOccurs) {
  std::map<std::string, unsigned> answers;
  unsigned granted = 0;
  unsigned total = 0;
  unsigned nested = 0;
  std::set<std::string> updates;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    const Case one = generate_case(seed, options_of());
    for (const TranslationRequest& request : one.requests) {
      const Completion completion = request_translation(one.registers, one.memory, request);
      ++answers[answer_of(completion)];
      ++total;
      if (!completion.read && !completion.write) continue;
      ++granted;
      nested +=
          completion.fetch_list.back().purpose == FaultClass::IN && completion.fetch_list.back().stage == 2 ? 1 : 0;
      for (const Update& update : completion.updates) {
        updates.insert(std::to_string(update.stage) + (update.purpose == FaultClass::IN ? "output" : "table"));
      }
    }
  }
  for (const char* answer : {"UR 5", "UR silent", "CA silent", "CA 2", "CA 4", "CA 6", "CA 8", "CA 9", "CA 10", "CA 11",
                             "---", "R--", "RW-", "RWX", "R-X", "-W-"}) {
    EXPECT_GE(answers[answer], 3u) << answer;
  }
  // F_STE_FETCH is rare.
  EXPECT_EQ(answers.size() - answers.count("CA 3"), 16u);
  EXPECT_GT(granted, total / 4);
  EXPECT_GT(nested, 100u);
  EXPECT_EQ(updates, (std::set<std::string>{"1table", "2output", "2table"}));
}

TEST(CaseAts, FinalMemoryDoesNotDependOnTheOrder) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Case forward = generate_case(seed, options_of());
    Case backward = forward;
    const auto access = [](Case& one, const Access& what) {
      for (const Update& u : translate(one.registers, one.memory, what).updates) one.memory.words[u.address] = u.after;
    };
    const auto request = [](Case& one, const TranslationRequest& what) {
      const Completion completion = request_translation(one.registers, one.memory, what);
      for (const Update& u : completion.updates) one.memory.words[u.address] = u.after;
    };
    for (const Access& what : forward.accesses) access(forward, what);
    for (const TranslationRequest& what : forward.requests) request(forward, what);
    for (size_t i = backward.requests.size(); i-- > 0;) request(backward, backward.requests[i]);
    for (size_t i = backward.accesses.size(); i-- > 0;) access(backward, backward.accesses[i]);
    EXPECT_EQ(forward.memory.words, backward.memory.words) << seed;
  }
}

}  // namespace
}  // namespace refwalk

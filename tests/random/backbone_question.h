// SPDX-License-Identifier: MIT
// Question: what a case asks of the SMMU, an access or an ATS Translation Request, and refwalk's answer to it. The
// backbone's legs ask both kinds in turn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/smmu/transaction.h"
#include "tests/random/case_generator.h"

namespace smmusim {

struct Question {
  refwalk::Access access{};  ///< of a request: whose it is and for which address
  std::optional<refwalk::TranslationRequest> request{};
};

/// The accesses of a case in their order, with its requests among them.
std::vector<Question> questions_of(const refwalk::Case& one);
Transaction transaction_of(const Question& question);

/// refwalk's answer. `result` has event, fetches and updates of either kind; the rest of it counts for accesses only.
struct Answer {
  refwalk::Result result{};
  std::optional<refwalk::Completion> completion{};
};
Answer answer_of(const refwalk::Case& one, const Question& question);
/// The event and the updates of all these questions, each asked of the case as it is.
std::vector<refwalk::Result> results_of(const refwalk::Case& one, const std::vector<Question>& questions);

/// "" if `got` is the completion that refwalk expects for a request of `asked`'s address, else what differs.
/// `stu_bits`: the size of an entry without access.
std::string completion_difference(const refwalk::Completion& expected, const Question& asked, unsigned stu_bits,
                                  const Response& got);

std::string text_of(const Question& question);
std::string text_of(const Answer& answer);
std::string text_of_completion(const Response& response);

}  // namespace smmusim

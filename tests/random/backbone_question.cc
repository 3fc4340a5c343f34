// SPDX-License-Identifier: MIT
// Accesses and Translation Requests side by side, and the fields of a Translation Completion (IHI 0070 sections 3.9.1,
// 13.6 and 13.7). It computes no answer of its own.
#include "tests/random/backbone_question.h"

#include <fmt/format.h>

#include <utility>

#include "tests/random/backbone_compare.h"

namespace smmusim {
namespace {

Question question_of(const refwalk::TranslationRequest& request) {
  Question question;
  question.access.sid = request.sid;
  question.access.ssv = request.ssv;
  question.access.ssid = request.ssid;
  question.access.address = request.address;
  question.request = request;
  return question;
}

AtsStatus status_of(refwalk::CompletionStatus status) {
  switch (status) {
    case refwalk::CompletionStatus::Success:
      return AtsStatus::success;
    case refwalk::CompletionStatus::UnsupportedRequest:
      return AtsStatus::unsupported_request;
    case refwalk::CompletionStatus::CompleterAbort:
      break;
  }
  return AtsStatus::completer_abort;
}

std::string completion_text(unsigned status, bool read, bool write, bool execute, bool privileged,
                            std::uint64_t address, std::uint64_t size_log2) {
  constexpr const char* names[] = {"success", "UR", "CA"};
  return fmt::format("{} {}{}{}{} address {:#x} size 2^{}", names[status % 3], read ? "R" : "-", write ? "W" : "-",
                     execute ? "X" : "-", privileged ? "P" : "-", address, size_log2);
}

}  // namespace

std::vector<Question> questions_of(const refwalk::Case& one) {
  std::vector<Question> questions;
  std::size_t requests = 0;
  for (std::size_t i = 0; i < one.accesses.size(); ++i) {
    questions.push_back({one.accesses[i], std::nullopt});
    const std::size_t due = (i + 1) * one.requests.size() / one.accesses.size();
    while (requests < due) questions.push_back(question_of(one.requests[requests++]));
  }
  return questions;
}

Transaction transaction_of(const Question& question) {
  Transaction t = CaseMachine::transaction_of(question.access);
  if (!question.request) return t;
  t.ats = AtsType::translation_request;
  t.no_write = question.request->no_write;
  t.instruction = question.request->execute;
  t.privileged = question.request->privileged;
  return t;
}

Answer answer_of(const refwalk::Case& one, const Question& question) {
  if (!question.request) return {refwalk::translate(one.registers, one.memory, question.access), std::nullopt};
  Answer answer;
  answer.completion = refwalk::request_translation(one.registers, one.memory, *question.request);
  answer.result.event = answer.completion->event;
  answer.result.fetch_list = answer.completion->fetch_list;
  answer.result.updates = answer.completion->updates;
  return answer;
}

std::vector<refwalk::Result> results_of(const refwalk::Case& one, const std::vector<Question>& questions) {
  std::vector<refwalk::Result> results;
  for (const Question& question : questions) results.push_back(answer_of(one, question).result);
  return results;
}

std::string completion_difference(const refwalk::Completion& expected, const Question& asked, unsigned stu_bits,
                                  const Response& got) {
  if (got.outcome != Outcome::ats_completion) return "outcome";
  if (got.ats.status != status_of(expected.status)) return "status";
  if (got.ats.global || got.ats.no_snoop || got.ats.untranslated_only || got.ats.cxl_io)
    return "Global, N, U or CXL.io";
  if (got.ats.status != AtsStatus::success) return "";
  if (got.read_allowed != expected.read) return "R";
  if (got.write_allowed != expected.write) return "W";
  if (got.ats.execute != expected.execute) return "Exe";
  if (got.ats.privileged != expected.privileged) return "Priv";
  if (!expected.read && !expected.write) return got.page_bits == stu_bits ? "" : "size without access";
  if (got.page_bits < expected.size_log2) return "size";  // a contiguous run may count as one page
  const std::uint64_t offset = asked.access.address & low_mask(got.page_bits);
  if ((got.address.value & low_mask(got.page_bits)) != 0) return "alignment";
  return (got.address.value | offset) == expected.address ? "" : "address";
}

std::string text_of(const Question& question) {
  if (!question.request) return text_of(question.access);
  const refwalk::TranslationRequest& request = *question.request;
  return fmt::format("request{}{}{} of {}", request.no_write ? " NW" : "", request.execute ? " Exe" : "",
                     request.privileged ? " Priv" : "", text_of(question.access));
}

std::string text_of(const Answer& answer) {
  if (!answer.completion) return text_of(answer.result);
  const refwalk::Completion& c = *answer.completion;
  return completion_text(static_cast<unsigned>(status_of(c.status)), c.read, c.write, c.execute, c.privileged,
                         c.address, c.size_log2) +
         details_of(answer.result);
}

std::string text_of_completion(const Response& response) {
  return completion_text(static_cast<unsigned>(response.ats.status), response.read_allowed, response.write_allowed,
                         response.ats.execute, response.ats.privileged, response.address.value, response.page_bits);
}

}  // namespace smmusim

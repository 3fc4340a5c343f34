// SPDX-License-Identifier: MIT
// Comparison and its texts: what refwalk answers against what the core answers. It computes nothing of its own.
#include "tests/random/backbone_compare.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "model/spec/decode.h"

namespace smmusim {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

refwalk::CaseOptions options_of(std::uint64_t seed) {
  TestRandom random(seed);
  refwalk::CaseOptions options;
  options.granule16 = random.percent(80);
  options.granule64 = random.percent(80);
  options.substreams = random.percent(80);
  options.two_level = random.percent(80);
  options.stage2 = random.percent(80);
  options.stage1 = !options.stage2 || random.percent(92);
  options.stall = backbone_stall;
  options.httu = backbone_httu;
  options.big_endian = random.percent(70);
  options.small_tables = random.percent(70);
  options.aborts = random.percent(70);
  options.bypass = true;
  options.corruption = 0.25;
  options.streams = static_cast<unsigned>(1 + random.below(8));
  options.accesses = 32;
  options.ats = backbone_ats && random.percent(40);  // last: the other choices stay what they were without it
  return options;
}

Outcome outcome_of(refwalk::Outcome outcome) {
  switch (outcome) {
    case refwalk::Outcome::Proceed:
      return Outcome::proceed;
    case refwalk::Outcome::RazWi:
      return Outcome::raz_wi;
    case refwalk::Outcome::Stall:
      return Outcome::stalled;
    case refwalk::Outcome::Abort:
      break;
  }
  return Outcome::abort;
}

const char* name_of(Outcome outcome) {
  constexpr const char* names[] = {"proceed", "abort", "raz_wi", "stalled"};
  return names[static_cast<unsigned>(outcome) & 3];
}

}  // namespace

CaseFailures::CaseFailures()
    : before_(testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count()) {}

bool CaseFailures::any() const {
  return testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() != before_;
}

SeedRange seeds(std::uint64_t quick_count) {
  return {number_from_environment("SMMUSIM_SEED", 1), number_from_environment("SMMUSIM_CASES", quick_count),
          number_from_environment("SMMUSIM_FAILURES", 3)};
}

void for_each_seed(std::uint64_t quick_count, const std::function<void(std::uint64_t)>& check) {
  const SeedRange range = seeds(quick_count);
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  unsigned failed = 0;
  for (std::uint64_t i = 0; i < range.count && failed < range.failures; ++i) {
    const std::uint64_t seed = range.first + i;
    const CaseFailures failures;
    SCOPED_TRACE(fmt::format("again: SMMUSIM_SEED={} SMMUSIM_CASES=1 build/tests/test_random --gtest_filter={}.{}",
                             seed, test->test_suite_name(), test->name()));
    try {
      check(seed);
    } catch (const std::exception& error) {
      ADD_FAILURE() << "exception: " << error.what();
    }
    failed += failures.any() ? 1 : 0;
  }
}

refwalk::CaseOptions backbone_options(std::uint64_t seed) {
  return options_of(seed);
}

refwalk::Case backbone_case(std::uint64_t seed) {
  return refwalk::generate_case(seed, options_of(seed));
}

refwalk::Result settled(refwalk::Result result) {
  if (result.outcome != refwalk::Outcome::Stall) return result;
  result.outcome = refwalk::Outcome::Abort;
  result.event = {};
  return result;
}

std::string fetch_difference(const std::vector<refwalk::Fetch>& expected, const std::vector<refwalk::Fetch>& got) {
  const auto same = [](const refwalk::Fetch& a, const refwalk::Fetch& b) {
    return a.kind == b.kind && a.stage == b.stage && a.level == b.level && a.address == b.address;
  };
  if (std::equal(expected.begin(), expected.end(), got.begin(), got.end(), same)) return "";
  std::vector<refwalk::Fetch> fewer;
  std::copy_if(expected.begin(), expected.end(), std::back_inserter(fewer),
               [](const refwalk::Fetch& fetch) { return !fetch.for_update; });
  if (std::equal(fewer.begin(), fewer.end(), got.begin(), got.end(), same)) return "";
  std::string text;
  for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
    text += "\n  " + (i < expected.size() ? text_of(expected[i]) : "none");
    text += " | " + (i < got.size() ? text_of(got[i]) : "none");
  }
  return text;
}

EventRecord record_of(const refwalk::Result& result) {
  return without_stag({result.event.dw[0], result.event.dw[1], result.event.dw[2], result.event.dw[3]});
}

EventRecord without_stag(EventRecord record) {
  record[1] &= ~std::uint64_t{0xffff};
  return record;
}

std::string response_difference(const refwalk::Result& expected, const Response& got) {
  if (got.outcome != outcome_of(expected.outcome)) return "outcome";
  if (got.outcome == Outcome::proceed) {
    if (got.address.value != expected.pa) return "address";
    if (got.attributes != attributes_of(expected.attributes)) return "attributes";
    if (expected.page_size_log2 == 0) return got.page_bits == 0 ? "" : "page size";
    // A contiguous run counts as one page.
    return got.page_bits >= expected.page_size_log2 ? "" : "page size";
  }
  const auto number = static_cast<std::uint64_t>(got.event);
  return expected.event.recorded && number != (expected.event.dw[0] & 0xff) ? "event number" : "";
}

std::string response_difference(const Answer& expected, const Question& asked, const SmmuConfig& config,
                                const Response& got) {
  if (!expected.completion) return response_difference(expected.result, got);
  const spec::Features& features = config.features;
  const unsigned stu_bits = features.gran4k ? 12 : features.gran16k ? 14 : 16;
  return completion_difference(*expected.completion, asked, stu_bits, got);
}

std::string event_difference(const refwalk::Result& expected, const std::vector<EventRecord>& got) {
  std::vector<EventRecord> one;
  if (expected.event.recorded) one.push_back(record_of(expected));
  return multiset_difference(one, got);
}

std::string multiset_difference(std::vector<EventRecord> expected, std::vector<EventRecord> got) {
  for (EventRecord& record : got) record = without_stag(record);
  std::sort(expected.begin(), expected.end());
  std::sort(got.begin(), got.end());
  std::vector<EventRecord> missing;
  std::vector<EventRecord> extra;
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(), std::back_inserter(missing));
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(), std::back_inserter(extra));
  std::string text;
  for (const EventRecord& record : missing) text += "\n  event missing:  " + text_of(record);
  for (const EventRecord& record : extra) text += "\n  event too many: " + text_of(record);
  return text;
}

std::string text_of(const refwalk::Access& access) {
  const MemoryAttributes attributes = attributes_of(access.attributes);
  return fmt::format("sid {:#x} ssid {} address {:#x} type {:#04x} sh {} {}{}{}", access.sid,
                     access.ssv ? fmt::format("{:#x}", access.ssid) : "none", access.address, attributes.type,
                     attributes.shareability, access.write ? "write" : "read", access.instruction ? " instruction" : "",
                     access.privileged ? " privileged" : "");
}

std::string text_of(const refwalk::Fetch& fetch) {
  constexpr const char* names[] = {"L1STD", "STE", "L1CD", "CD", "TTD"};
  return fmt::format("{} S{} L{} {:#x}{}", names[static_cast<unsigned>(fetch.kind)], fetch.stage, fetch.level,
                     fetch.address, fetch.for_update ? " for update" : "");
}

std::string text_of(const EventRecord& record) {
  const spec::Decoded decoded = spec::decode(spec::Kind::event, record);
  std::string text =
      fmt::format("{:016x} {:016x} {:016x} {:016x} {}", record[0], record[1], record[2], record[3], decoded.name);
  for (const spec::DecodedField& field : decoded.fields) text += fmt::format(" {}={:#x}", field.name, field.value);
  return text;
}

std::string text_of(const refwalk::Result& result) {
  const MemoryAttributes attributes = attributes_of(result.attributes);
  std::string text = fmt::format("{} pa {:#x} page 2^{} type {:#04x} sh {} (mair {:#04x} sh {}) fetches {}",
                                 name_of(outcome_of(result.outcome)), result.pa, result.page_size_log2, attributes.type,
                                 attributes.shareability, result.mair_attr, result.sh, result.fetches);
  return text + details_of(result);
}

std::string details_of(const refwalk::Result& result) {
  std::string text;
  for (const refwalk::Update& update : result.updates) {
    text += fmt::format("\n    update S{} L{} {:#x}: {:016x} -> {:016x}", update.stage, update.level, update.address,
                        update.before, update.after);
  }
  if (result.event.recorded) text += "\n    " + text_of(record_of(result));
  return text;
}

std::string text_of(const Response& response) {
  return fmt::format("{} pa {:#x} page 2^{} type {:#04x} sh {} event {:#04x}", name_of(response.outcome),
                     response.address.value, response.page_bits, response.attributes.type,
                     response.attributes.shareability, static_cast<unsigned>(response.event));
}

std::string report(std::size_t number, const refwalk::Access& access, const refwalk::Result& expected,
                   const Response& got, const std::string& difference) {
  return fmt::format("access {} differs: {}\n  {}\n  refwalk: {}\n  core:    {}", number, difference, text_of(access),
                     text_of(expected), text_of(got));
}

std::string report(std::size_t number, const Question& question, const Answer& expected, const Response& got,
                   const std::string& difference) {
  return fmt::format("question {} differs: {}\n  {}\n  refwalk: {}\n  core:    {}", number, difference,
                     text_of(question), text_of(expected), question.request ? text_of_completion(got) : text_of(got));
}

}  // namespace smmusim

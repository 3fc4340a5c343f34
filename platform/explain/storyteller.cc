// SPDX-License-Identifier: MIT
// Storyteller: fetches with the way to their address, decisions with the sentences of told.cc, and the verdict.
#include "platform/explain/storyteller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "model/spec/event_table.h"
#include "model/spec/l1.h"
#include "platform/explain/fields.h"

namespace smmusim::explain {
namespace {

using spec::EventClass;
using spec::EventType;

std::uint64_t swapped(std::uint64_t word) {
  std::uint64_t result = 0;
  for (unsigned i = 0; i != 8; ++i) result = result << 8 | (word >> (8 * i) & 0xff);
  return result;
}

template <class Structure>
Structure structure_of(const Fetch& fetch) {
  Structure result;
  std::copy_n(fetch.words.begin(), std::min(fetch.words.size(), result.dw.size()), result.dw.begin());
  return result;
}

std::string plus(std::string_view what, std::uint64_t base, std::uint64_t size, std::uint64_t index) {
  return fmt::format("{} 0x{:x} + {} * 0x{:x}", what, base, size, index);
}

bool translation_related(EventType type) {
  return type >= EventType::F_TRANSLATION && type <= EventType::F_PERMISSION;
}

}  // namespace

void Storyteller::begin(const SmmuConfig& config, const Transaction& transaction) {
  story_ = Story{};
  story_.transaction = transaction;
  told_ = Told{};
  told_.transaction = transaction;
  told_.config = config;
  cause_.clear();
  in_stage2_ = false;
  stage2_told_ = false;
}

/// What later sentences need to know, before this one is said.
void Storyteller::remember(Step step, std::uint64_t a, std::uint64_t b) {
  if (step == Step::stream_table) told_.split = static_cast<unsigned>(b);
  if (step == Step::ste_decoded) told_.world = static_cast<StreamWorld>(b);
  if (step == Step::stage1_range) {
    const TTWState start = walk_start(told_.stage1());
    told_.canonical = a;
    told_.walk[0] = {told_.half() == 0 ? "TTB0" : "TTB1", start.base, start.level};
  }
  if (step == Step::stage2_begins) {
    const TTWState start = walk_start(told_.stage2());
    told_.klass = static_cast<EventClass>(b);
    told_.ipa = a;
    told_.walk[1] = {"S2TTB", start.base, start.level};
    in_stage2_ = true;
    stage2_told_ = true;
  }
}

void Storyteller::step(Step step, std::uint64_t a, std::uint64_t b) {
  remember(step, a, b);
  const Sentence& sentence = sentence_of(step);
  const Decision decision{sentence.key, sentence.text(told_, a, b), section_of(sentence, a, b)};
  if (sentence.is_cause) cause_ = decision.text;
  add(decision, sentence.of_fetch);
  describe_descriptor(step, b);
  if (step == Step::table) told_.walk[(b >> 8) - 1] = {"table", a, static_cast<int>(b & 0xff) - 1};
  if (step == Step::stage2_ends) in_stage2_ = false;
}

void Storyteller::illegal(std::string_view sentence, std::string_view) {
  cause_ = sentence;
  Fetch* fetch = story_.steps.empty() || !story_.steps.back().fetch ? nullptr : &*story_.steps.back().fetch;
  const bool cd = fetch != nullptr && fetch->structure == "CD";
  if (fetch != nullptr) fetch->fields = set_fields(cd ? spec::Kind::cd : spec::Kind::ste, fetch->words);
  add({"illegal", "it is ILLEGAL: " + std::string(sentence), cd ? "5.4, 7.3.11" : "5.2, 7.3.5"}, true);
}

void Storyteller::add(const Decision& decision, bool of_fetch) {
  if (!of_fetch || story_.steps.empty()) story_.steps.emplace_back();
  story_.steps.back().decisions.push_back(decision);
}

/// Which fields of a descriptor matter is known when it has been judged.
void Storyteller::describe_descriptor(Step step, std::uint64_t b) {
  if (step != Step::table && step != Step::leaf) return;
  Fetch& fetch = *story_.steps.back().fetch;
  const auto stage = static_cast<unsigned>(step == Step::table ? b >> 8 : b >> 16);
  fetch.fields = step == Step::table ? table_fields(told_.descriptor, stage) : leaf_fields(told_.descriptor, stage);
}

Fetch& Storyteller::open_fetch(const MemoryRequest& request) {
  StoryStep& step = story_.steps.emplace_back();
  step.depth = in_stage2_ && told_.klass != EventClass::IN ? 1 : 0;
  Fetch& fetch = step.fetch.emplace();
  fetch.address = request.address.value;
  fetch.aborted = request.status != MemoryStatus::ok;
  if (fetch.aborted) return fetch;
  fetch.words.resize(request.size / 8);
  std::memcpy(fetch.words.data(), request.data, fetch.words.size() * 8);
  return fetch;
}

void Storyteller::access(const MemoryRequest& request) {
  Fetch& fetch = open_fetch(request);
  switch (request.purpose) {
    case Purpose::L1STD:
    case Purpose::STE:
      fetched_stream(fetch, request);
      return;
    case Purpose::L1CD:
    case Purpose::CD:
      fetched_context(fetch, request);
      return;
    case Purpose::VMS:
      fetched_vms(fetch);
      return;
    default:
      fetched_descriptor(fetch, request);
      return;
  }
}

void Storyteller::fetched_stream(Fetch& fetch, const MemoryRequest& request) {
  const std::uint64_t sid = told_.transaction.stream_id.value;
  const std::uint64_t address = request.address.value;
  if (request.purpose == Purpose::L1STD) {
    fetch.structure = "L1STD";
    fetch.section = "5.1";
    const std::uint64_t index = sid >> told_.split;
    fetch.place = plus("stream table", address - 8 * index, 8, index);
    if (!fetch.aborted) fetch.fields = spec::decode(spec::Kind::l1std, fetch.words).fields;
    return;
  }
  fetch.structure = "STE";
  fetch.section = "5.2";
  const std::uint64_t index = told_.split == 0 ? sid : sid & low_mask(told_.split);
  fetch.place = plus(told_.split == 0 ? "stream table" : "level-2 stream table", address - 64 * index, 64, index);
  if (fetch.aborted) return;
  told_.ste = structure_of<spec::Ste>(fetch);
  fetch.fields = ste_fields(fetch.words);
  fetch.reserved_bits_set = spec::decode(spec::Kind::ste, fetch.words).reserved_bits_set;
}

void Storyteller::fetched_context(Fetch& fetch, const MemoryRequest& request) {
  const bool stage2 = spec::has_stage2(told_.ste.get<spec::Ste::Config>());
  if (stage2) fetch.ipa = told_.ipa;
  const std::uint64_t address = stage2 ? told_.ipa : request.address.value;
  const std::uint64_t substream = told_.transaction.substream_valid ? told_.transaction.substream_id.value : 0;
  const unsigned leaf_log2 = told_.ste.get<spec::Ste::S1Fmt>() == spec::S1Format::two_level_64k ? 10 : 6;
  if (request.purpose == Purpose::L1CD) {
    fetch.structure = "L1CD";
    fetch.section = "5.3";
    told_.l1cd_fetched = true;
    const std::uint64_t index = substream >> leaf_log2;
    fetch.place = plus("CD table", address - 8 * index, 8, index);
    if (!fetch.aborted) fetch.fields = spec::decode(spec::Kind::l1cd, fetch.words).fields;
    return;
  }
  fetch.structure = "CD";
  fetch.section = "5.4";
  const std::uint64_t index = told_.l1cd_fetched ? substream & low_mask(leaf_log2) : substream;
  fetch.place = plus(told_.l1cd_fetched ? "level-2 CD table" : "CD table", address - 64 * index, 64, index);
  if (fetch.aborted) return;
  told_.cd = structure_of<spec::Cd>(fetch);
  fetch.fields = cd_fields(fetch.words, told_.half());
  fetch.reserved_bits_set = spec::decode(spec::Kind::cd, fetch.words).reserved_bits_set;
}

void Storyteller::fetched_vms(Fetch& fetch) {
  fetch.structure = "VMS";
  fetch.section = "5.6";
  fetch.place = "STE.VMSPtr";
}

void Storyteller::fetched_descriptor(Fetch& fetch, const MemoryRequest& request) {
  const bool stage1 = request.stage == 1;
  const WalkPlace& walk = told_.walk[stage1 ? 0 : 1];
  fetch.structure = "descriptor";
  fetch.section = "Arm ARM D8.3";
  fetch.stage = request.stage;
  fetch.level = request.level;
  if (stage1 && spec::has_stage2(told_.ste.get<spec::Ste::Config>())) fetch.ipa = told_.ipa;
  const std::uint64_t address = fetch.ipa.value_or(request.address.value);
  fetch.place = plus(walk.name, walk.base, 8, (address - walk.base) / 8);
  if (fetch.aborted) return;
  fetch.big_endian = stage1 ? told_.cd.get<spec::Cd::ENDI>() : told_.ste.get<spec::Ste::S2ENDI>();
  told_.descriptor = fetch.big_endian ? swapped(fetch.words[0]) : fetch.words[0];
}

void Storyteller::fault(const spec::Event& event, bool recorded) {
  story_.event = EventStory{event, recorded};
}

/// At which stage, and for what, in the words of the event's S2 and CLASS.
std::string Storyteller::where() const {
  const spec::Event& event = story_.event->event;
  const auto type = event.get<spec::Event::Type>();
  if (!translation_related(type) && type != EventType::F_WALK_EABT) return "";
  if (!event.get<spec::Event::S2>()) {
    const bool walk = event.get<spec::Event::CLASS>() == EventClass::TT;
    return walk ? fmt::format(", stage 1, while reading the level-{} descriptor", told_.walk[0].level) : ", stage 1";
  }
  if (event.get<spec::Event::CLASS>() == EventClass::IN) {
    const std::uint64_t ipa = stage2_told_ ? told_.ipa : told_.transaction.address.value;
    return fmt::format(", stage 2, translating IPA 0x{:x} of the access", ipa);
  }
  return fmt::format(", stage 2, while reading {} at IPA 0x{:x}", told_.purpose(), told_.ipa);
}

namespace {

std::string needs(const spec::Event& event) {
  const bool instruction = event.get<spec::Event::InD>();
  const bool own = event.get<spec::Event::CLASS>() != EventClass::IN;
  if (own) return "";
  return fmt::format("; the access needs {} {}", event.get<spec::Event::PnU>() ? "privileged" : "unprivileged",
                     instruction                     ? "execute"
                     : event.get<spec::Event::RnW>() ? "read"
                                                     : "write");
}

std::string_view not_recorded_because(const spec::Event& event) {
  if (event.get<spec::Event::Type>() == EventType::C_BAD_STREAMID) return "CR2.RECINVSID is 0";
  return event.get<spec::Event::S2>() ? "STE.S2R is 0" : "CD.R is 0";
}

std::string_view fate(Outcome outcome) {
  switch (outcome) {
    case Outcome::proceed:
      return "the access proceeds";
    case Outcome::abort:
      return "the access aborts";
    case Outcome::raz_wi:
      return "the access reads zero or writes nothing";
    case Outcome::stalled:
      return "the access stalls";
    case Outcome::ats_completion:
      return "the Translation Request is answered";
  }
  return "";
}

std::string proceeds(const Story& story) {
  const Response& response = story.response;
  if (response.page_bits == 0)
    return fmt::format("the access proceeds untranslated to PA 0x{:x}", response.address.value);
  return fmt::format("the access proceeds to PA 0x{:x}, in a mapping of {}", response.address.value,
                     bytes_text(std::uint64_t{1} << response.page_bits));
}

}  // namespace

std::string Storyteller::verdict() const {
  if (story_.response.outcome == Outcome::proceed) return proceeds(story_);
  if (!story_.event) return fmt::format("{}: {}", fate(story_.response.outcome), cause_);
  const spec::Event& event = story_.event->event;
  const spec::EventInfo* info = spec::find_event(static_cast<std::uint8_t>(event.get<spec::Event::Type>()));
  const bool permission = event.get<spec::Event::Type>() == EventType::F_PERMISSION;
  std::string text = fmt::format("{}{}: {}{}; {}", info == nullptr ? "an unknown event" : info->name, where(), cause_,
                                 permission ? needs(event) : "", fate(story_.response.outcome));
  if (!story_.event->recorded) text += fmt::format(", no event is recorded because {}", not_recorded_because(event));
  return text;
}

namespace {

/// "3", and "3.1" for what is done on the way to step 4.
void number_steps(std::vector<StoryStep>& steps) {
  unsigned major = 0;
  unsigned minor = 0;
  for (StoryStep& step : steps) {
    minor = step.depth == 0 ? 0 : minor + 1;
    major += step.depth == 0 ? 1 : 0;
    step.number = minor == 0 ? std::to_string(major) : fmt::format("{}.{}", major, minor);
  }
}

}  // namespace

Story Storyteller::end(const Response& response) {
  story_.response = response;
  story_.verdict = verdict();
  number_steps(story_.steps);
  return std::move(story_);
}

}  // namespace smmusim::explain

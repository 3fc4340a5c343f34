// SPDX-License-Identifier: MIT
// A Story as JSON; the keys are listed in story.h and stay.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "platform/explain/story.h"

namespace smmusim::explain {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::uint64_t value) {
  return fmt::format("0x{:x}", value);
}

template <class Words>
Json words_json(const Words& words) {
  Json json = Json::array();
  for (const std::uint64_t word : words) json.push_back(fmt::format("0x{:016x}", word));
  return json;
}

Json fields_json(const std::vector<spec::DecodedField>& fields) {
  Json json = Json::array();
  for (const spec::DecodedField& field : fields) {
    const std::string bits = field.hi == field.lo ? std::to_string(field.lo) : fmt::format("{}:{}", field.hi, field.lo);
    json.push_back({{"name", field.name}, {"bits", bits}, {"value", hex(field.value)}, {"meaning", field.meaning}});
  }
  return json;
}

Json request_json(const Transaction& t) {
  constexpr const char* accesses[] = {"read", "write", "atomic"};
  Json json;
  json["sid"] = t.stream_id.value;
  json["ssid"] = t.substream_valid ? Json(t.substream_id.value) : Json(nullptr);
  json["address"] = hex(t.address.value);
  json["size"] = t.size;
  json["access"] = accesses[static_cast<unsigned>(t.access)];
  json["instruction"] = t.instruction;
  json["privileged"] = t.privileged;
  return json;
}

Json step_json(const StoryStep& step) {
  Json json;
  json["number"] = step.number;
  json["depth"] = step.depth;
  if (step.fetch) {
    const Fetch& fetch = *step.fetch;
    const bool descriptor = fetch.structure == "descriptor";
    json["structure"] = fetch.structure;
    json["section"] = fetch.section;
    json["address"] = hex(fetch.address);
    json["ipa"] = fetch.ipa ? Json(hex(*fetch.ipa)) : Json(nullptr);
    json["place"] = fetch.place;
    json["aborted"] = fetch.aborted;
    json["words"] = words_json(fetch.words);
    json["fields"] = fields_json(fetch.fields);
    json["reserved_bits_set"] = fetch.reserved_bits_set;
    json["stage"] = descriptor ? Json(fetch.stage) : Json(nullptr);
    json["level"] = descriptor ? Json(fetch.level) : Json(nullptr);
  }
  json["decisions"] = Json::array();
  for (const Decision& decision : step.decisions) {
    json["decisions"].push_back({{"step", decision.key}, {"text", decision.text}, {"section", decision.section}});
  }
  return json;
}

Json event_json(const EventStory& story) {
  const spec::Decoded decoded = spec::decode(spec::Kind::event, story.event.dw);
  return {{"name", decoded.name},
          {"recorded", story.recorded},
          {"words", words_json(story.event.dw)},
          {"fields", fields_json(decoded.fields)}};
}

}  // namespace

std::string to_json(const Story& story) {
  const Response& response = story.response;
  const bool proceeds = response.outcome == Outcome::proceed;
  Json json;
  json["request"] = request_json(story.transaction);
  json["notes"] = story.notes;
  json["steps"] = Json::array();
  for (const StoryStep& step : story.steps) json["steps"].push_back(step_json(step));
  json["outcome"] = name_of(response.outcome);
  json["pa"] = proceeds ? Json(hex(response.address.value)) : Json(nullptr);
  json["page_bytes"] =
      proceeds && response.page_bits != 0 ? Json(std::uint64_t{1} << response.page_bits) : Json(nullptr);
  json["read_allowed"] = response.read_allowed;
  json["write_allowed"] = response.write_allowed;
  json["attributes"] = nullptr;
  if (proceeds) {
    json["attributes"] = {{"type", hex(response.attributes.type)},
                          {"shareability", response.attributes.shareability},
                          {"meaning", describe(response.attributes)}};
  }
  json["event"] = story.event ? event_json(*story.event) : Json(nullptr);
  json["verdict"] = story.verdict;
  return json.dump(2) + "\n";
}

}  // namespace smmusim::explain

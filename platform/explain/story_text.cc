// SPDX-License-Identifier: MIT
// A Story for people: numbered steps, what stage 2 does for the SMMU's own reads indented below what it is for.
#include <fmt/format.h>

#include <algorithm>

#include "model/spec/event_table.h"
#include "platform/explain/story.h"

namespace smmusim::explain {
namespace {

constexpr std::size_t columns = 112;
constexpr std::size_t number_columns = 6;

/// Escape sequences, or nothing.
struct Paint {
  bool on;
  std::string with(const char* code, const std::string& text) const {
    return on ? std::string(code) + text + "\x1b[0m" : text;
  }
  std::string strong(const std::string& text) const { return with("\x1b[1m", text); }
  std::string faint(const std::string& text) const { return with("\x1b[2m", text); }
  std::string verdict(const std::string& text, bool good) const {
    return with(good ? "\x1b[1;32m" : "\x1b[1;31m", text);
  }
};

std::string request_line(const Transaction& t) {
  const char* access = t.access == AccessType::read    ? "read"
                       : t.access == AccessType::write ? "write"
                                                       : "atomic access";
  std::string text = fmt::format("{} of {} byte{} at 0x{:x} by StreamID 0x{:x}", access, t.size, t.size == 1 ? "" : "s",
                                 t.address.value, t.stream_id.value);
  if (t.substream_valid) text += fmt::format(", SubstreamID 0x{:x}", t.substream_id.value);
  return text +
         fmt::format(", {} {}", t.privileged ? "privileged" : "unprivileged", t.instruction ? "instruction" : "data");
}

/// `parts` one after the other, broken between them.
std::string wrapped(const std::vector<std::string>& parts, const std::string& indent) {
  std::string text;
  std::string line = indent;
  for (std::size_t i = 0; i != parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 == parts.size() ? "" : ",");
    if (line.size() > indent.size() && line.size() + 1 + part.size() > columns) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + part;
  }
  return text + line + "\n";
}

std::string fields_text(const std::vector<spec::DecodedField>& fields, const std::string& indent) {
  std::vector<std::string> parts;
  for (const spec::DecodedField& field : fields) {
    constexpr std::uint64_t decimal_max = 99;
    const std::string value =
        field.value <= decimal_max ? std::to_string(field.value) : fmt::format("0x{:x}", field.value);
    parts.push_back(
        fmt::format("{} = {}{}", field.name, value, field.meaning.empty() ? "" : " (" + field.meaning + ")"));
  }
  return parts.empty() ? "" : wrapped(parts, indent);
}

std::string words_text(const std::vector<std::uint64_t>& words, const std::string& indent) {
  constexpr std::size_t words_a_line = 4;
  std::string text;
  for (std::size_t i = 0; i != words.size(); ++i) {
    text += (i % words_a_line == 0 ? indent : std::string(" ")) + fmt::format("0x{:016x}", words[i]);
    if (i % words_a_line == words_a_line - 1 || i + 1 == words.size()) text += "\n";
  }
  return text;
}

std::string title_of(const Fetch& fetch) {
  std::string what = fetch.structure;
  if (fetch.structure == "descriptor") what = fmt::format("stage-{} level-{} descriptor", fetch.stage, fetch.level);
  if (fetch.ipa) return fmt::format("{} @0x{:x} (IPA 0x{:x} = {})", what, fetch.address, *fetch.ipa, fetch.place);
  return fmt::format("{} @0x{:x} ({})", what, fetch.address, fetch.place);
}

std::string section_text(std::string_view section, const Paint& paint) {
  return paint.faint(fmt::format("  [{}]", section));
}

std::string fetch_text(const Fetch& fetch, const std::string& indent, const Paint& paint) {
  std::string title = paint.strong(title_of(fetch));
  if (fetch.words.size() == 1)
    title += fmt::format(" = 0x{:016x}{}", fetch.words[0], fetch.big_endian ? ", big-endian" : "");
  std::string text = title + section_text(fetch.section, paint) + "\n";
  if (fetch.words.size() > 1) text += paint.faint(words_text(fetch.words, indent));
  text += fields_text(fetch.fields, indent);
  if (!fetch.reserved_bits_set.empty()) {
    text += fmt::format("{}reserved bits set: {}\n", indent, fmt::join(fetch.reserved_bits_set, ", "));
  }
  return text;
}

/// A section is not repeated where it is that of the structure.
std::string decision_text(const Decision& decision, std::string_view of_fetch, const Paint& paint) {
  return decision.text + (decision.section == of_fetch ? "" : section_text(decision.section, paint)) + "\n";
}

std::string step_text(const StoryStep& step, const Paint& paint) {
  const std::string margin(step.depth == 0 ? 0 : number_columns - 2, ' ');
  const std::string indent = margin + std::string(number_columns, ' ');
  std::string text = margin + fmt::format("{:>4}  ", step.number);
  std::size_t first = 0;
  if (step.fetch) {
    text += fetch_text(*step.fetch, indent, paint);
  } else {
    text += decision_text(step.decisions[0], "", paint);
    first = 1;
  }
  for (std::size_t i = first; i != step.decisions.size(); ++i) {
    text += indent + "-> " + decision_text(step.decisions[i], step.fetch ? step.fetch->section : "", paint);
  }
  return text;
}

std::string response_text(const Response& response) {
  if (response.outcome != Outcome::proceed)
    return std::string("response: ") + std::string(name_of(response.outcome)) + "\n";
  std::string text =
      fmt::format("response: proceed, PA 0x{:x}, {}", response.address.value, describe(response.attributes));
  if (response.page_bits != 0) {
    text += fmt::format(", mapping of {}, read {}, write {}", bytes_text(std::uint64_t{1} << response.page_bits),
                        response.read_allowed ? "allowed" : "refused", response.write_allowed ? "allowed" : "refused");
  }
  return text + "\n";
}

/// Those that say something: not the event's number again, nor what belongs to SubstreamIDs, stalls and stage 2 if
/// there is none of it.
bool event_field_matters(const spec::DecodedField& field, const spec::Event& event) {
  constexpr std::string_view also_zero[] = {"StreamID", "PnU", "InD", "RnW", "S2", "CLASS", "InputAddr", "FetchAddr"};
  if (field.name == "Type") return false;
  if (field.value != 0 || std::find(std::begin(also_zero), std::end(also_zero), field.name) != std::end(also_zero)) {
    return true;
  }
  return (field.name == "SubstreamID" && event.get<spec::Event::SSV>()) ||
         (field.name == "IPA" && event.get<spec::Event::S2>());
}

std::string event_text(const Story& story, const Paint& paint) {
  if (!story.event) return "event:    none\n";
  const spec::Event& event = story.event->event;
  const spec::Decoded decoded = spec::decode(spec::Kind::event, event.dw);
  const std::string indent(10, ' ');
  std::string text =
      fmt::format("event:    {} (0x{:02x}){}\n", decoded.name, static_cast<unsigned>(event.get<spec::Event::Type>()),
                  story.event->recorded ? "" : ", not recorded");
  text += paint.faint(words_text({event.dw.begin(), event.dw.end()}, indent));
  std::vector<spec::DecodedField> fields;
  for (const spec::DecodedField& field : decoded.fields) {
    if (event_field_matters(field, event)) fields.push_back(field);
  }
  return text + fields_text(fields, indent);
}

}  // namespace

std::string to_text(const Story& story, bool colour) {
  const Paint paint{colour};
  std::string text = paint.strong(request_line(story.transaction)) + "\n";
  for (const std::string& note : story.notes) text += "note: " + note + "\n";
  text += "\n";
  for (const StoryStep& step : story.steps) text += step_text(step, paint);
  text += "\n" + response_text(story.response) + event_text(story, paint);
  return text + "\n" + paint.verdict(story.verdict, story.response.outcome == Outcome::proceed) + "\n";
}

}  // namespace smmusim::explain

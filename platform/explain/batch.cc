// SPDX-License-Identifier: MIT
// The batch: lines, questions, answers. One SMMU serves all lines that have the same registers.
#include "platform/explain/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/explain/explain.h"
#include "platform/explain/story.h"
#include "platform/trace/bytes.h"
#include "platform/trace/error.h"
#include "platform/trace/parse.h"

namespace smmusim::explain {
namespace {

using Json = nlohmann::json;

constexpr std::size_t line_bytes_max = std::size_t{64} << 20;
/// Register sets that are kept; a file that has more pays for making SMMUs.
constexpr std::size_t machines_max = 64;

/// Lines of any length up to line_bytes_max.
class Lines {
 public:
  explicit Lines(const std::string& path) : source_(path) {}

  bool next(std::string& line) {
    line.clear();
    ++number_;
    for (;;) {
      const std::string_view have = source_.peek(1);
      if (have.empty()) return !line.empty();
      const std::size_t end = have.find('\n');
      const std::size_t length = end == have.npos ? have.size() : end;
      if (line.size() + length > line_bytes_max) {
        throw trace::TraceError::at_line(source_.path(), number_,
                                         "a line of more than 64 MiB; give each question a line");
      }
      line.append(have.substr(0, length));
      source_.consume(length + (end == have.npos ? 0 : 1));
      if (end != have.npos) return true;
    }
  }
  std::uint64_t number() const { return number_; }

 private:
  trace::ByteSource source_;
  std::uint64_t number_ = 0;
};

[[noreturn]] void refuse(const std::string& sentence) {
  throw std::invalid_argument(sentence);
}

std::uint64_t number_of(const std::string& name, const Json& json, std::uint64_t max) {
  std::uint64_t number = 0;
  const bool read =
      json.is_string() ? trace::parse_number(json.get_ref<const std::string&>(), number) : json.is_number_unsigned();
  if (read && !json.is_string()) number = json.get<std::uint64_t>();
  if (!read || number > max) {
    refuse(fmt::format("{} is {}; it is a number from 0 to 0x{:x}", in_quotes(name),
                       printable(json.dump(-1, ' ', true)), max));
  }
  return number;
}

bool flag_of(const std::string& name, const Json& json) {
  if (!json.is_boolean())
    refuse(in_quotes(name) + " is " + printable(json.dump(-1, ' ', true)) + "; it is true or false");
  return json.get<bool>();
}

const Json& object_of(const std::string& name, const Json& json) {
  if (!json.is_object()) refuse(in_quotes(name) + " is no object; write {\"0x80\": \"0x..\"}");
  return json;
}

struct Question {
  RegisterDump registers;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> words;
  Transaction transaction{};
};

constexpr std::uint64_t any = ~std::uint64_t{0};
constexpr std::uint64_t sid_max = 0xffff'ffff;
constexpr std::uint64_t ssid_max = 0xf'ffff;
constexpr std::uint64_t size_max = 4096;

void take_word(Question& question, const std::string& key, const Json& value) {
  std::uint64_t address = 0;
  if (!trace::parse_number(key, address) || address % 8 != 0) {
    refuse("words: " + in_quotes(key) + " is no address of a doubleword; write a multiple of 8");
  }
  question.words.emplace_back(address, number_of("words", value, any));
}

void take_ssid(Transaction& t, const Json& value) {
  t.substream_valid = !value.is_null();
  if (t.substream_valid) t.substream_id = SubstreamId(static_cast<std::uint32_t>(number_of("ssid", value, ssid_max)));
}

void take_member(Question& question, const std::string& key, const Json& value) {
  Transaction& t = question.transaction;
  if (key == "registers") {
    for (const auto& [name, word] : object_of(key, value).items()) {
      question.registers.set(name, number_of(name, word, any));
    }
  } else if (key == "words") {
    for (const auto& [address, word] : object_of(key, value).items()) take_word(question, address, word);
  } else if (key == "sid") {
    t.stream_id = StreamId(static_cast<std::uint32_t>(number_of(key, value, sid_max)));
  } else if (key == "ssid") {
    take_ssid(t, value);
  } else if (key == "address") {
    t.address = Va(number_of(key, value, any));
  } else if (key == "write") {
    if (flag_of(key, value)) t.access = AccessType::write;
  } else if (key == "atomic") {
    if (flag_of(key, value)) t.access = AccessType::atomic;
  } else if (key == "instruction") {
    t.instruction = flag_of(key, value);
  } else if (key == "privileged") {
    t.privileged = flag_of(key, value);
  } else if (key == "size") {
    t.size = static_cast<std::uint32_t>(number_of(key, value, size_max));
    if (t.size == 0) refuse("\"size\" is 0; it is a number from 1 to 4096");
  } else {
    refuse("unknown key " + in_quotes(key) +
           "; known are registers, words, sid, ssid, address, write, atomic, instruction, privileged, size");
  }
}

/// Refuses a key that an object has twice: the parser would drop one of the values.
class KeysOnce {
 public:
  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) objects_.emplace_back();
    if (event == Event::object_end) objects_.pop_back();
    if (event == Event::key && !objects_.back().insert(parsed.get<std::string>()).second) {
      refuse(in_quotes(parsed.get_ref<const std::string&>()) + " is there twice; give each key of an object once");
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> objects_;  // those that are open
};

/// Two keys can name one address: "0x1000" and "4096".
void require_words_once(const Question& question) {
  std::vector<std::uint64_t> addresses;
  for (const auto& [address, word] : question.words) addresses.push_back(address);
  std::sort(addresses.begin(), addresses.end());
  const auto twice = std::adjacent_find(addresses.begin(), addresses.end());
  if (twice != addresses.end()) {
    refuse(fmt::format("words: 0x{:x} is there twice; give each doubleword once", *twice));
  }
}

Question question_of(const std::string& line) {
  Json json;
  KeysOnce keys;
  try {
    json = Json::parse(line, std::ref(keys));
  } catch (const Json::parse_error& error) {
    refuse(fmt::format("column {} is no JSON; write one object a line", error.byte));
  }
  if (!json.is_object()) refuse("the line is no JSON object; write {\"sid\": 8, \"address\": \"0x1000\"}");
  for (const char* needed : {"sid", "address"}) {
    if (!json.contains(needed)) refuse(std::string("there is no \"") + needed + "\"; every line has sid and address");
  }
  Question question;
  for (const auto& [key, value] : json.items()) take_member(question, key, value);
  require_words_once(question);
  if (json.value("write", false) && json.value("atomic", false)) {
    refuse("\"write\" and \"atomic\" are both true; an access is one of them");
  }
  const Transaction& t = question.transaction;
  if ((t.address.value & low_mask(12)) + t.size > size_max) {
    refuse("the access crosses 4 KiB, where a TBU splits it; ask for each part");
  }
  return question;
}

/// Keeps the event that the present translation records.
class EventCatcher final : public Observer {
 public:
  void fault(const spec::Event& event, bool recorded) override {
    if (recorded) caught = event;
  }
  std::optional<spec::Event> caught;
};

class Batch {
 public:
  Batch(const SmmuConfig& config, const RegisterDump& registers, ImageMemory& memory)
      : config_(config), registers_(registers), memory_(memory) {}

  std::string answer(const std::string& line) {
    const Question question = question_of(line);
    Machine& machine = machine_of(question.registers.over(registers_));
    memory_.clear_words();
    for (const auto& [address, word] : question.words) memory_.put_word(address, word);
    catcher_.caught.reset();
    return text_of(machine.smmu.translate(question.transaction), machine.note);
  }

 private:
  struct Machine {
    UntimedSmmu smmu;
    std::string note;
  };

  Machine& machine_of(const RegisterDump& registers) {
    const auto known = machines_.find(registers);
    if (known != machines_.end()) return *known->second;
    const spec::Features features = registers.features(config_.features);
    std::unique_ptr<Machine> machine(new Machine{{explaining_config(config_, features), registers, memory_, &catcher_},
                                                 missing_features(features, registers)});
    if (machines_.size() == machines_max) machines_.clear();
    return *machines_.emplace(registers, std::move(machine)).first->second;
  }

  std::string text_of(const Response& response, const std::string& note) const {
    const bool proceeds = response.outcome == Outcome::proceed;
    const std::string pa = proceeds ? fmt::format("\"0x{:x}\"", response.address.value) : "null";
    std::string event = "null";
    if (catcher_.caught) {
      const auto& words = catcher_.caught->dw;
      event = fmt::format("[\"0x{:x}\",\"0x{:x}\",\"0x{:x}\",\"0x{:x}\"]", words[0], words[1], words[2], words[3]);
    }
    const std::string notes = note.empty() ? "" : ",\"note\":" + Json(note).dump();
    return fmt::format("{{\"outcome\":\"{}\",\"pa\":{},\"event\":{}{}}}\n", name_of(response.outcome), pa, event,
                       notes);
  }

  const SmmuConfig& config_;
  const RegisterDump& registers_;
  ImageMemory& memory_;
  EventCatcher catcher_;
  std::map<RegisterDump, std::unique_ptr<Machine>> machines_;
};

}  // namespace

std::string answer_batch(const std::string& path, const SmmuConfig& config, const RegisterDump& registers,
                         ImageMemory& memory) {
  Batch batch(config, registers, memory);
  Lines lines(path);
  std::string answers;
  for (std::string line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      answers += batch.answer(line);
    } catch (const std::invalid_argument& wrong) {
      const std::string sentence = wrong.what();
      throw trace::TraceError::at_line(path, lines.number(), sentence.substr(0, sentence.find('\n')));
    }
  }
  return answers;
}

}  // namespace smmusim::explain

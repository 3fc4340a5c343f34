// SPDX-License-Identifier: MIT
// `smmusim decode KIND HEX...`: a structure of the specification, field by field.
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "model/spec/decode.h"
#include "platform/cli/commands.h"
#include "platform/config/value.h"

namespace smmusim::cli {
namespace {

struct Arguments {
  std::string kind;
  std::vector<std::string> words;
  bool json = false;
};

std::string kinds() {
  std::string list;
  for (const std::string_view name : spec::kind_names()) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

/// Hexadecimal with or without 0x.
std::uint64_t parse_word(const std::string& text) {
  std::string_view digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  std::uint64_t word = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), word, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    throw InputError("decode: " + in_quotes(text) + " is no hexadecimal number of 64 bits; write words as 0x41387000");
  }
  return word;
}

/// The structure as 64-bit words in memory order; twice as many 32-bit words, lower halves first, are joined.
std::vector<std::uint64_t> parse_words(spec::Kind kind, const Arguments& arguments) {
  std::vector<std::uint64_t> words;
  for (const std::string& text : arguments.words) words.push_back(parse_word(text));
  const std::size_t wanted = spec::words_of(kind);
  const bool halves = words.size() == 2 * wanted && kind < spec::Kind::idr0;
  if (words.size() != wanted && !halves) {
    throw InputError(fmt::format("decode: {} words are given; {} is {} word{} of 64 bits, lowest address first",
                                 words.size(), arguments.kind, wanted, wanted == 1 ? "" : "s"));
  }
  if (!halves) return words;
  std::vector<std::uint64_t> joined;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (((words[i] | words[i + 1]) >> 32) != 0) {
      throw InputError(fmt::format("decode: a word has more than 32 bits; {} is {} words of 64 bits or {} of 32",
                                   arguments.kind, wanted, 2 * wanted));
    }
    joined.push_back(words[i] | words[i + 1] << 32);
  }
  return joined;
}

std::string bits(const spec::DecodedField& field) {
  return field.hi == field.lo ? std::to_string(field.lo) : fmt::format("{}:{}", field.hi, field.lo);
}

std::string to_text(const spec::Decoded& decoded) {
  std::string out = decoded.name + "\n";
  for (const spec::DecodedField& field : decoded.fields) {
    out += fmt::format("  {} = {:#x}{}  [{}]\n", field.name, field.value,
                       field.meaning.empty() ? "" : " (" + field.meaning + ")", bits(field));
  }
  if (!decoded.reserved_bits_set.empty()) {
    out += fmt::format("  reserved bits set: {}\n", fmt::join(decoded.reserved_bits_set, ", "));
  }
  return out;
}

std::string to_json(const std::string& kind, const spec::Decoded& decoded) {
  nlohmann::ordered_json json;
  json["kind"] = kind;
  json["name"] = decoded.name;
  json["fields"] = nlohmann::ordered_json::array();
  for (const spec::DecodedField& field : decoded.fields) {
    json["fields"].push_back({{"name", field.name},
                              {"bits", bits(field)},
                              {"value", fmt::format("{:#x}", field.value)},
                              {"meaning", field.meaning}});
  }
  json["reserved_bits_set"] = decoded.reserved_bits_set;
  return json.dump(2) + "\n";
}

int decode(const Arguments& arguments) {
  const auto kind = spec::kind_from(arguments.kind);
  if (!kind) throw InputError("decode: unknown kind " + in_quotes(arguments.kind) + "; known are " + kinds());
  const std::vector<std::uint64_t> words = parse_words(*kind, arguments);
  spec::Decoded decoded;
  try {
    decoded = spec::decode(*kind, words);
  } catch (const std::invalid_argument& wrong) {
    throw InputError(std::string("decode: ") + wrong.what());
  }
  print(arguments.json ? to_json(arguments.kind, decoded) : to_text(decoded));
  return 0;
}

}  // namespace

void add_decode(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(app, "decode", "one structure of the specification, field by field",
                                  "smmusim decode command 0x2000000000012 0xffffd001\n\nWords are hexadecimal, with or "
                                  "without 0x, lowest address first: 64 bits each, or twice as many of 32 bits.");
  command.add_option("kind", arguments->kind, kinds())->type_name("KIND")->required();
  command.add_option("words", arguments->words, "the structure's words")->type_name("HEX")->required();
  command.add_flag("--json", arguments->json, "as JSON; values are hexadecimal strings");
  command.callback([arguments, &action] { action = [arguments] { return decode(*arguments); }; });
}

}  // namespace smmusim::cli

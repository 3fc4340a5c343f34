// SPDX-License-Identifier: MIT
// GuestConsole; see the header.
#include "platform/cosim/linux/guest_console.h"

#include <charconv>

#include "platform/cosim/linux/guest_scripts.h"

namespace smmusim::cosim {
namespace {

constexpr std::string_view driver_name = "arm-smmu-v3 ", version_line = "Linux version ";

/// Takes the next word off `text`.
std::string_view next_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = std::min(text.find(' ', begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

template <class Number>
bool next_number(std::string_view& text, Number& number) {
  const std::string_view word = next_word(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() && !word.empty();
}

template <class Item>
void keep(std::vector<Item>& items, Item item) {
  if (items.size() < GuestConsole::most_lines_of_a_kind) items.push_back(std::move(item));
}

}  // namespace

void GuestConsole::take(std::string_view piece) {
  for (const char c : piece) {
    if (c == '\n') {
      line(std::move(partial_));
      partial_.clear();
    } else if (c != '\r' && partial_.size() < line_bytes_max) {
      // ASCII alone: the rest may control a terminal, or be no text.
      const auto byte = static_cast<unsigned char>(c);
      partial_ += byte < 0x20 || byte >= 0x7f ? (c == '\t' ? ' ' : '?') : c;
    }
  }
}

void GuestConsole::finish() {
  if (!partial_.empty()) line(std::move(partial_));
  partial_.clear();
}

void GuestConsole::line(std::string text) {
  ++lines_;
  const std::string_view all = text;
  if (const std::size_t at = all.find(guest_mark); at != all.npos) mark(all.substr(at + guest_mark.size()));
  if (const std::size_t at = all.find(driver_name); at != all.npos) keep(driver, text.substr(at));
  if (const std::size_t at = all.find(version_line); at != all.npos && kernel.empty()) {
    std::string_view rest = all.substr(at + version_line.size());
    kernel = next_word(rest);
  }
  if (on_line) on_line(text);
  last_.push_back(std::move(text));
  if (last_.size() > kept_lines) last_.pop_front();
}

void GuestConsole::mark(std::string_view text) {
  const std::string_view kind = next_word(text);
  if (kind == "user" && next_word(text) == "space") {
    user_space = true;
    if (!next_number(text, guest_seconds)) guest_seconds = 0;
  } else if (kind == "group") {
    IommuGroup group;
    if (!next_number(text, group.number)) return;
    group.device = next_word(text);
    group.type = next_word(text);
    keep(groups, std::move(group));
  } else if (kind == "measure") {
    Measure measure;
    measure.name = next_word(text);
    if (next_number(text, measure.count) && next_number(text, measure.milliseconds)) keep(measures, std::move(measure));
  } else if (kind == "error") {
    ++error_count;
    keep(errors, std::string(text.substr(std::min<std::size_t>(1, text.size()))));
  } else if (kind == "exit") {
    unsigned status = 0;
    if (next_number(text, status)) exit_status = status;
  }
}

}  // namespace smmusim::cosim

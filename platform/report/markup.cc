// SPDX-License-Identifier: MIT
// HTML; see the header. The style is in style.cc.
#include "platform/report/markup.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "platform/report/style.h"

namespace smmusim::report {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> entities{
    std::pair{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

/// How many bytes the character at the front takes; 0: they are none in UTF-8.
std::size_t character_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i != bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  // Written longer than it must be, a surrogate, or beyond U+10FFFF.
  const bool wrong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f) ||
                     (first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f);
  return wrong ? 0 : bytes;
}

std::string anchor(std::size_t section) {
  return fmt::format("s{}", section + 1);
}

}  // namespace

std::string escaped(std::string_view text) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (bytes == 0 || first < 0x20 || first == 0x7f) {
      out += replacement;
      text.remove_prefix(1);
      continue;
    }
    std::string_view character = text.substr(0, bytes);
    for (const auto& [plain, entity] : entities) {
      if (text.front() == plain) character = entity;
    }
    out += character;
    text.remove_prefix(bytes);
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t bytes = 1;
    char c = text.front();
    for (const auto& [plain, entity] : entities) {
      if (!text.starts_with(entity)) continue;
      bytes = entity.size();
      c = plain;
    }
    out += c;
    text.remove_prefix(bytes);
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string fixed(double number, unsigned digits) {
  constexpr double most = 1e15;  // beyond that, no double has a fraction worth printing
  if (!std::isfinite(number)) return "-";
  if (std::abs(number) >= most) return fmt::format("{:.3e}", number);
  std::string text = fmt::format("{:.{}f}", std::abs(number), digits);
  const std::size_t point = std::min(text.find('.'), text.size());
  for (std::size_t at = point; at > 3; at -= 3) text.insert(at - 3, ",");
  return (number < 0 ? "-" : "") + text;
}

std::string short_number(double number) {
  constexpr double smallest = 1e-4;
  if (number == 0 || !std::isfinite(number)) return number == 0 ? "0" : "-";
  const double size = std::abs(number);
  if (number == std::floor(number) || size >= 1000) return fixed(number, 0);
  if (size < smallest) return fmt::format("{:.3e}", number);
  return fixed(number, static_cast<unsigned>(std::max(0.0, 3 - std::floor(std::log10(size)))));
}

std::string Table::markup() const {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const Column& column : columns_) {
    out += fmt::format("<th{}>{}</th>", column.number ? " class=\"n\"" : "", escaped(column.title));
  }
  out += "</tr></thead><tbody>\n";
  for (const Row& row : rows_) {
    out += row.strong ? "<tr class=\"strong\">" : "<tr>";
    for (std::size_t i = 0; i != row.cells.size(); ++i) {
      out += fmt::format("<td{}>{}</td>", columns_[i].number ? " class=\"n\"" : "", escaped(row.cells[i]));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

void Page::add_figure(std::string label, std::string value, std::string unit) {
  figures_ += fmt::format("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>\n", escaped(label), escaped(value),
                          escaped(unit));
}

void Page::add_warning(std::string_view sentence) {
  warnings_ += fmt::format("<p class=\"warning\">{}</p>\n", escaped(sentence));
}

void Page::add_section(std::string heading, std::string markup) {
  sections_.push_back({std::move(heading), std::move(markup)});
}

std::string Page::markup() const {
  // The policy keeps the page from asking anybody for anything, whatever it holds.
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n<header><h1>{0}</h1><p>{2}</p></header>\n",
      escaped(title_), style_sheet(), escaped(subtitle_));
  out += "<nav aria-label=\"Contents\"><ul>\n";
  for (std::size_t i = 0; i != sections_.size(); ++i) {
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", anchor(i), escaped(sections_[i].heading));
  }
  out += fmt::format("</ul></nav>\n<main>\n{}<dl class=\"figures\">\n{}</dl>\n", warnings_, figures_);
  for (std::size_t i = 0; i != sections_.size(); ++i) {
    out += fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", anchor(i), escaped(sections_[i].heading),
                       sections_[i].markup);
  }
  return out + "</main>\n</body>\n</html>\n";
}

std::string beside(const std::vector<std::string>& blocks) {
  std::string out = "<div class=\"beside\">\n";
  for (const std::string& block : blocks) out += "<div>" + block + "</div>\n";
  return out + "</div>\n";
}

std::string paragraph(std::string_view text) {
  return fmt::format("<p>{}</p>\n", escaped(text));
}

std::string subheading(std::string_view text) {
  return fmt::format("<h3>{}</h3>\n", escaped(text));
}

std::string figure(std::string_view svg, std::string_view caption) {
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, escaped(caption));
}

}  // namespace smmusim::report

// SPDX-License-Identifier: MIT
// clean_svg(): one pass over the tags. Nothing that is not listed here gets into a page, whatever wrote the SVG.
#include "platform/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "model/base/check.h"
#include "platform/report/markup.h"

namespace smmusim::report {
namespace {

constexpr std::array<std::string_view, 7> elements{"g", "path", "rect", "polygon", "polyline", "text", "use"};
/// With everything in them.
constexpr std::array<std::string_view, 3> left_out{"title", "desc", "defs"};
constexpr std::array<std::string_view, 17> attributes{
    "d",
    "points",
    "x",
    "y",
    "width",
    "height",
    "transform",
    "fill",
    "stroke",
    "stroke-width",
    "color",
    "text-anchor",
    "fill-opacity",
    "font-weight",
    "font-size",
    "stroke-dasharray",
    "shape-rendering",
};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

struct Attribute {
  std::string_view name, value;
};

struct Tag {
  std::string_view name;
  std::vector<Attribute> attributes;
  bool closes = false;  ///< </name>
  bool empty = false;   ///< <name/>
  std::string_view value(std::string_view attribute) const {
    for (const Attribute& one : attributes) {
      if (one.name == attribute) return one.value;
    }
    return {};
  }
};

[[noreturn]] void refuse() {
  throw InternalError("gnuplot wrote an SVG that is none");
}

/// Reads the text of one file from front to back.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// The text up to the next tag; the tag follows.
  std::string_view text() {
    const std::string_view found = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(found.size());
    return found;
  }

  /// The tag that begins here; a comment or an instruction is one without a name. Empty: the end.
  std::optional<Tag> tag() {
    if (rest_.empty()) return std::nullopt;
    const bool comment = rest_.starts_with("<!--");
    if (comment || rest_.starts_with("<!") || rest_.starts_with("<?")) {
      skip_past(comment ? "-->" : ">");
      return Tag{};
    }
    rest_.remove_prefix(1);
    Tag tag;
    tag.closes = take('/');
    tag.name = word();
    while (!take('>')) {
      if (take('/')) {
        tag.empty = true;
        continue;
      }
      Attribute attribute;
      attribute.name = word();
      if (attribute.name.empty() || !take('=')) refuse();
      attribute.value = quoted();
      tag.attributes.push_back(attribute);
    }
    return tag;
  }

 private:
  void skip_past(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) refuse();
    rest_.remove_prefix(at + end.size());
  }
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty()) refuse();
    if (rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    skip_space();
    const std::string_view found = rest_.substr(0, rest_.find_first_of(" \n\t\r=/>"));
    rest_.remove_prefix(found.size());
    return found;
  }
  std::string_view quoted() {
    skip_space();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) refuse();
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) refuse();
    const std::string_view found = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return found;
  }

  std::string_view rest_;
};

/// gnuplot's colours as the page has them.
std::string colour(std::string_view text) {
  std::string name;
  std::copy_if(text.begin(), text.end(), std::back_inserter(name), [](char c) { return c != ' '; });
  if (name == "black" || name == "rgb(0,0,0)") return "currentColor";
  if (name == "gray" || name == "rgb(190,190,190)") return "var(--grid)";
  for (unsigned series = 0; series != series_colours; ++series) {
    if (name == fmt::format("rgb(1,0,{})", series)) return fmt::format("var(--c{})", series);
  }
  return name;
}

/// The value of an attribute that is kept; empty: it says nothing.
std::string value_of(const Attribute& attribute) {
  if (attribute.name == "fill" || attribute.name == "stroke") return colour(attribute.value);
  if (attribute.name == "color") return attribute.value == "black" ? "" : colour(attribute.value);
  std::string value;
  for (const char c : attribute.value) {
    if (!is_space(c)) {
      value += c;
    } else if (!value.empty() && value.back() != ' ') {
      value += ' ';
    }
  }
  while (!value.empty() && value.back() == ' ') value.pop_back();
  return value;
}

/// A mark is a use of a symbol that stood in <defs>; all are drawn as discs.
std::string disc(const Tag& use) {
  const std::string_view transform = use.value("transform");
  const std::size_t open = transform.find('('), comma = transform.find(','), close = transform.find(')');
  if (open == std::string_view::npos || comma == std::string_view::npos || close == std::string_view::npos) refuse();
  return fmt::format(R"(<circle cx="{}" cy="{}" r="3" fill="{}" stroke="none"/>)",
                     escaped(transform.substr(open + 1, comma - open - 1)),
                     escaped(transform.substr(comma + 1, close - comma - 1)), escaped(colour(use.value("color"))));
}

std::string written(const Tag& tag) {
  std::string text = fmt::format("<{}", tag.name);
  for (const Attribute& attribute : tag.attributes) {
    const std::string value = holds(attributes, attribute.name) ? value_of(attribute) : "";
    if (!value.empty()) text += fmt::format(R"( {}="{}")", attribute.name, escaped(unescaped(value)));
  }
  return text + (tag.empty ? "/>" : ">");
}

/// Leaves out <title> and its like.
class Cleaner {
 public:
  void add_text(std::string_view text) {
    if (hidden_ == 0 && in_text_) out_ += escaped(unescaped(text));
  }

  void add(const Tag& tag) {
    if (holds(left_out, tag.name)) {
      if (!tag.empty) hidden_ += tag.closes ? -1 : 1;
    } else if (hidden_ == 0 && holds(elements, tag.name)) {
      if (tag.closes) {
        close(tag.name);
      } else {
        open(tag);
      }
    }
  }

  std::string take() {
    if (!open_.empty() || hidden_ != 0) refuse();
    return std::move(out_);
  }

 private:
  struct Open {
    std::string_view name;
    std::size_t at, inside;  ///< where in the output it begins, and where what it holds does
  };

  void open(const Tag& tag) {
    if (tag.name == "use") {
      out_ += disc(tag);
      return;
    }
    // The background.
    if (tag.name == "rect" && tag.value("fill") == "none") return;
    const std::size_t at = out_.size();
    out_ += written(tag);
    if (tag.empty) return;
    open_.push_back({tag.name, at, out_.size()});
    in_text_ = tag.name == "text";
  }

  void close(std::string_view name) {
    if (open_.empty() || open_.back().name != name) refuse();
    const Open begun = open_.back();
    open_.pop_back();
    in_text_ = false;
    if (out_.size() == begun.inside) {
      out_.resize(begun.at);
    } else {
      out_ += fmt::format("</{}>", name);
    }
  }

  std::string out_;
  std::vector<Open> open_;
  int hidden_ = 0;
  bool in_text_ = false;
};

}  // namespace

std::string series_colour(unsigned series) {
  return fmt::format("#0100{:02x}", series);
}

std::string clean_svg(std::string_view svg, unsigned width, unsigned height, std::string_view title) {
  Scanner scanner(svg);
  Cleaner cleaner;
  bool begun = false, ended = false;
  for (;;) {
    const std::string_view text = scanner.text();
    if (begun && !ended) cleaner.add_text(text);
    const std::optional<Tag> tag = scanner.tag();
    if (!tag) break;
    if (tag->name == "svg") {
      (tag->closes ? ended : begun) = true;
    } else if (begun && !ended && !tag->name.empty()) {
      cleaner.add(*tag);
    }
  }
  if (!ended) refuse();
  return fmt::format(R"(<svg role="img" aria-label="{0}" width="{1}" height="{2}" viewBox="0 0 {1} {2}">{3}</svg>)",
                     escaped(title), width, height, cleaner.take());
}

}  // namespace smmusim::report

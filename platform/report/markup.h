// SPDX-License-Identifier: MIT
// HTML from text and numbers. Text becomes markup only by escaped(): a name that a user chose stays a name. Knows
// nothing of what the pages say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::report {

/// The text as it stands in HTML, in attributes too. What is no UTF-8, and control characters, become U+FFFD.
std::string escaped(std::string_view text);
/// The text with the five entities of XML resolved, which gnuplot writes.
std::string unescaped(std::string_view text);

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number);
/// With so many digits behind the point: "1,234.5". Not a number and infinite: "-".
std::string fixed(double number, unsigned digits);
/// With four significant digits, or all digits of a whole number: "28.89", "0.01234", "1,234,567".
std::string short_number(double number);

/// A table. Columns of numbers are set to the right, the rest to the left.
class Table {
 public:
  struct Column {
    std::string title;  ///< text
    bool number = true;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Cells as text, one for each column. `strong`: a row of totals.
  void add(std::vector<std::string> cells, bool strong = false) { rows_.push_back({std::move(cells), strong}); }
  bool empty() const { return rows_.empty(); }
  std::string markup() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool strong;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// A page: its heading, a table of contents and the sections.
class Page {
 public:
  /// `title` and `subtitle` are text.
  Page(std::string title, std::string subtitle) : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

  /// One of the numbers at the top; all are text.
  void add_figure(std::string label, std::string value, std::string unit);
  /// A sentence that nobody may miss, as text, above everything else.
  void add_warning(std::string_view sentence);
  void add_section(std::string heading, std::string markup);
  std::string markup() const;

 private:
  struct Section {
    std::string heading, markup;
  };
  std::string title_, subtitle_;
  std::string figures_, warnings_;
  std::vector<Section> sections_;
};

/// Blocks next to each other where there is room. All are markup.
std::string beside(const std::vector<std::string>& blocks);
std::string paragraph(std::string_view text);
std::string subheading(std::string_view text);
/// An <svg> with what it shows.
std::string figure(std::string_view svg, std::string_view caption);

}  // namespace smmusim::report

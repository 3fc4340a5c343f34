// SPDX-License-Identifier: MIT
// Text and numbers as HTML: nothing that a user wrote becomes markup.
#include "platform/report/markup.h"

#include <gtest/gtest.h>

#include <limits>

namespace smmusim::report {
namespace {

TEST(Escaped, MarkupBecomesText) {
  EXPECT_EQ(escaped("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
}

TEST(Escaped, TextOfAllLanguagesStays) {
  EXPECT_EQ(escaped("µs – Ä 漢 🙂"), "µs – Ä 漢 🙂");
}

TEST(Escaped, ControlCharactersAndBrokenUtf8AreReplaced) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(escaped(std::string("a\0b\n\x1b\x7f", 6)), "a" + r + "b" + r + r + r);
  EXPECT_EQ(escaped("\xff"), r);
  EXPECT_EQ(escaped("\xc3"), r) << "its second byte is missing";
  EXPECT_EQ(escaped("\xc0\xbc"), r + r) << "a < written longer than it must be";
  EXPECT_EQ(escaped("\xed\xa0\x80"), r + r + r) << "a surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), r + r + r + r) << "beyond U+10FFFF";
}

TEST(Escaped, IsUndoneByUnescaped) {
  const std::string text = "<a href='x'>&amp;\"</a>";
  EXPECT_EQ(unescaped(escaped(text)), text);
}

struct Row {
  double number;
  const char* expect;
};

TEST(ShortNumber, HasFourSignificantDigits) {
  constexpr Row rows[] = {
      {0, "0"},           {28.894, "28.89"},    {103.52, "103.5"},  {0.25194, "0.2519"},       {1234567, "1,234,567"},
      {1234.56, "1,235"}, {-3.14159, "-3.142"}, {9.9999, "10.000"}, {0.00001234, "1.234e-05"}, {2e15, "2.000e+15"}};
  for (const Row& row : rows) EXPECT_EQ(short_number(row.number), row.expect);
}

TEST(ShortNumber, WhatIsNoNumberIsADash) {
  EXPECT_EQ(short_number(std::numeric_limits<double>::quiet_NaN()), "-");
  EXPECT_EQ(short_number(std::numeric_limits<double>::infinity()), "-");
}

TEST(Fixed, GroupsThousands) {
  EXPECT_EQ(fixed(1234.56, 1), "1,234.6");
  EXPECT_EQ(fixed(-1234567, 0), "-1,234,567");
  EXPECT_EQ(fixed(999.999, 2), "1,000.00");
}

TEST(Table, NumbersStandToTheRightAndCellsAreText) {
  Table table({{"<b>", false}, {"n"}});
  table.add({"<i>", "1"});
  const std::string markup = table.markup();
  EXPECT_NE(markup.find("<th>&lt;b&gt;</th><th class=\"n\">n</th>"), std::string::npos) << markup;
  EXPECT_NE(markup.find("<td>&lt;i&gt;</td><td class=\"n\">1</td>"), std::string::npos) << markup;
}

TEST(Page, ContentsLeadToTheSections) {
  Page page("t", "s");
  page.add_section("First <one>", "<p>a</p>");
  page.add_section("Second", "<p>b</p>");
  const std::string markup = page.markup();
  EXPECT_NE(markup.find("<a href=\"#s1\">First &lt;one&gt;</a>"), std::string::npos);
  EXPECT_NE(markup.find("<section id=\"s2\"><h2>Second</h2>\n<p>b</p>"), std::string::npos);
}

TEST(Page, AllItsTextIsText) {
  Page page("<script>1", "<script>2");
  page.add_figure("<script>3", "<script>4", "<script>5");
  page.add_warning("<script>6");
  page.add_section("<script>7", paragraph("<script>8") + subheading("<script>9") + figure("<svg></svg>", "<script>a"));
  const std::string markup = page.markup();
  EXPECT_EQ(markup.find("<script"), std::string::npos);
  for (const char c : std::string("123456789a")) {
    EXPECT_NE(markup.find(std::string("&lt;script&gt;") + c), std::string::npos) << c;
  }
}

TEST(Page, MayAskForNothing) {
  const std::string markup = Page("t", "s").markup();
  EXPECT_NE(markup.find("default-src 'none'"), std::string::npos);
  for (const char* word : {"http:", "https:", "url(", "@import", "<link", "<img", "<script", "<iframe"}) {
    EXPECT_EQ(markup.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace smmusim::report

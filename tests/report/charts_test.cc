// SPDX-License-Identifier: MIT
// Pictures as gnuplot draws them: what was given is in the SVG, and a name is never more than a name. Without gnuplot
// these tests fail: it is among the packages that tests/run installs.
#include "platform/report/charts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "platform/config/load.h"
#include "platform/programs/errors.h"

namespace smmusim::report {
namespace {

std::string drawn(const Picture& picture) {
  return draw({picture}, "source").front();
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t n = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++n;
  return n;
}

/// An element of this text, whatever blanks stand before it.
bool has_text(const std::string& svg, const std::string& text) {
  const std::string opens = "<text>", wanted = text + "</text>";
  for (std::size_t at = svg.find(opens); at != std::string::npos; at = svg.find(opens, at + 1)) {
    const std::size_t first = svg.find_first_not_of(' ', at + opens.size());
    if (first != std::string::npos && svg.compare(first, wanted.size(), wanted) == 0) return true;
  }
  return false;
}

HeatMap heat_map_of_2_by_3() {
  HeatMap map;
  map.x_label = "lanes";
  map.y_label = "oas";
  map.label = "throughput, Gbit/s";
  map.x_names = {"x1", "x2", "x3"};
  map.y_names = {"y1", "y2"};
  map.values = {{1, 2, 3}, {4.5, 5, std::numeric_limits<double>::quiet_NaN()}};
  map.min = 1;
  map.max = 5;
  return map;
}

TEST(HeatMap, HasACellANumberAndANameForEachValue) {
  const std::string svg = drawn(heat_map("t", heat_map_of_2_by_3()));
  for (const char* text : {"1", "2", "3", "4.500", "5", "x1", "x2", "x3", "y1", "y2", "lanes", "oas"}) {
    EXPECT_TRUE(has_text(svg, text)) << text;
  }
  EXPECT_EQ(svg.find("NaN"), std::string::npos);
}

TEST(HeatMap, OfOneValueIsDrawn) {
  HeatMap map = heat_map_of_2_by_3();
  map.values = {{3, 3, 3}, {3, 3, 3}};
  map.min = 2;
  map.max = 4;
  EXPECT_EQ(count(drawn(heat_map("t", map)), ">3</text>"), 7u) << "and the middle of the scale";
}

TEST(HeatMap, ManyCellsHaveNoNumbers) {
  HeatMap map;
  map.min = 0;
  map.max = 7;
  map.y_names = {"y"};
  map.values.emplace_back();
  for (int i = 0; i != 40; ++i) {
    map.x_names.push_back("x" + std::to_string(i));
    map.values[0].push_back(i % 2 == 0 ? 1.25 : 7);
  }
  EXPECT_EQ(count(drawn(heat_map("t", map)), "1.250"), 0u);
}

TEST(LineChart, LegendNamesTheSeries) {
  const std::string svg =
      drawn(line_chart("t", {"x"}, {"y"}, {{"one", 1, {{0, 1}, {1, 2}}}, {"two", 2, {{0, 2}, {1, 3}}}}));
  EXPECT_TRUE(has_text(svg, "one"));
  EXPECT_TRUE(has_text(svg, "two"));
  EXPECT_EQ(count(svg, "var(--c1)"), 2u) << "the line and its sample";
}

TEST(LineChart, LogarithmicAxisLeavesOutWhatItCannotShow) {
  const Axis x{"x", true, true}, y{"y", true};
  const std::string svg = drawn(line_chart("t", x, y, {{"a", 1, {{0, 1}, {100, 0}, {200, 5}, {3000, 50}}}}));
  EXPECT_TRUE(has_text(svg, "200 ns"));
  EXPECT_TRUE(has_text(svg, "1 µs"));
}

TEST(LineChart, WithoutPointsIsDrawn) {
  EXPECT_NE(drawn(line_chart("t", {"x"}, {"y"}, {})).find("<svg"), std::string::npos);
  EXPECT_NE(drawn(line_chart("t", {"x", true}, {"y", true}, {{"a", 1, {{0, 0}}}})).find("<svg"), std::string::npos);
}

TEST(LineChart, PointsAreDiscs) {
  const std::string svg =
      drawn(line_chart("t", {"x"}, {"y"}, {{"", 1, {{0, 1}, {1, 2}, {2, 2}}}}, Mark::points_and_lines));
  EXPECT_EQ(count(svg, "<circle"), 3u);
}

TEST(BarChart, EachBarHasItsNameAndItsSum) {
  Bars bars;
  bars.label = "ns";
  bars.names = {"first", "second"};
  bars.parts = {{"a", 1, {}}, {"b", 2, {}}};
  bars.values = {{1, 2.25}, {4, 0}};
  const std::string svg = drawn(bar_chart("t", bars));
  for (const char* text : {"first", "second", "3.250", "4", "a", "b"}) EXPECT_TRUE(has_text(svg, text)) << text;
}

/// Commands between backquotes and in system() are gnuplot's ways to a shell.
TEST(Gnuplot, NamesAreNeverCommands) {
  const std::string victim = (std::filesystem::temp_directory_path() / "smmusim-report-victim").string();
  std::filesystem::remove(victim);
  HeatMap map = heat_map_of_2_by_3();
  const std::string touch = "touch " + victim;
  map.x_names = {"`" + touch + "`", "'; system('" + touch + "') #", "@x $d0 \\"};
  map.y_names = {"<script>alert(1)</script>", "a\nset output '" + victim + "'\n"};
  map.label = "%s^{a}_b";
  const std::string svg = drawn(heat_map("</svg><script>", map));
  EXPECT_FALSE(std::filesystem::exists(victim));
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(svg.find("’; system(’touch"), std::string::npos);
}

TEST(Gnuplot, LongNamesAreShortened) {
  EXPECT_EQ(gnuplot_string(std::string(64, 'x')), "'" + std::string(64, 'x') + "'");
  EXPECT_EQ(gnuplot_string(std::string(65, 'x')), "'" + std::string(64, 'x') + "…'");
}

TEST(Gnuplot, SamePictureIsTheSameBytes) {
  const Picture picture = heat_map("t", heat_map_of_2_by_3());
  EXPECT_EQ(drawn(picture), drawn(picture));
}

TEST(Gnuplot, TellsNothingOfItself) {
  std::string svg = drawn(heat_map("t", heat_map_of_2_by_3()));
  std::transform(svg.begin(), svg.end(), svg.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  for (const char* trace : {"gnuplot", "xmlns", "id="}) EXPECT_EQ(svg.find(trace), std::string::npos) << trace;
}

TEST(Gnuplot, WhatItCannotDrawIsBlamedOnTheFile) {
  Picture picture = heat_map("t", heat_map_of_2_by_3());
  picture.script += "plot nonsense\n";
  try {
    draw({picture}, "d/stats.json");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("d/stats.json: gnuplot can't draw")) << error.what();
  }
}

TEST(Gnuplot, WithoutItThePackageIsNamed) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  try {
    draw({heat_map("t", heat_map_of_2_by_3())}, "source");
    ADD_FAILURE();
  } catch (const programs::Lacking& lacking) {
    EXPECT_NE(std::string(lacking.what()).find("gnuplot-nox"), std::string::npos);
  }
  setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace smmusim::report

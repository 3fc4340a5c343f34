// SPDX-License-Identifier: MIT
// What is left of gnuplot's SVG, and what of one that is not gnuplot's.
#include "platform/report/svg.h"

#include <gtest/gtest.h>

#include "model/base/check.h"

namespace smmusim::report {
namespace {

std::string clean(const std::string& inside) {
  const std::string svg =
      clean_svg("<?xml version=\"1.0\"?>\n<svg width=\"1\" xmlns=\"x\">\n" + inside + "</svg>\n", 40, 30, "t");
  const std::size_t begin = svg.find('>') + 1;
  return svg.substr(begin, svg.size() - begin - std::string("</svg>").size());
}

TEST(CleanSvg, HasSizeAndTitle) {
  EXPECT_EQ(clean_svg("<svg><path d='M1,2'/></svg>", 40, 30, "a \"b\""),
            "<svg role=\"img\" aria-label=\"a &quot;b&quot;\" width=\"40\" height=\"30\" viewBox=\"0 0 40 30\">"
            "<path d=\"M1,2\"/></svg>");
}

TEST(CleanSvg, LeavesOutNamesVersionsAndDefinitions) {
  EXPECT_EQ(clean("<title>Gnuplot</title><desc>Produced by GNUPLOT 5.4</desc><!-- 5.4 --><defs><circle r='1'/></defs>"
                  "<g id=\"gnuplot_plot_1\"><title>x</title><path d='M1,2'/></g>"),
            "<g><path d=\"M1,2\"/></g>");
}

TEST(CleanSvg, LeavesOutEmptyGroups) {
  EXPECT_EQ(clean("<g fill='none'>\n<g></g>\n</g><path d='M1,2'/><g>\t</g>"), "<path d=\"M1,2\"/>");
}

TEST(CleanSvg, ColoursAreThePages) {
  EXPECT_EQ(clean("<path stroke='rgb(  1,   0,   3)' fill = 'black'/>"),
            "<path stroke=\"var(--c3)\" fill=\"currentColor\"/>");
  EXPECT_EQ(clean("<path stroke='gray'/>"), "<path stroke=\"var(--grid)\"/>");
  EXPECT_EQ(clean("<polygon fill = 'rgb( 12,  34,  56)'/>"), "<polygon fill=\"rgb(12,34,56)\"/>");
}

TEST(CleanSvg, SeriesColourComesThrough) {
  EXPECT_EQ(series_colour(7), "#010007");
}

TEST(CleanSvg, MarksBecomeDiscs) {
  EXPECT_EQ(
      clean("<use xlink:href='#gpPt6' transform='translate(59.15,185.12) scale(2.92)' color='rgb(  1,   0,   1)'/>"),
      "<circle cx=\"59.15\" cy=\"185.12\" r=\"3\" fill=\"var(--c1)\" stroke=\"none\"/>");
}

TEST(CleanSvg, TextStaysTextOnce) {
  EXPECT_EQ(clean("<text>a &lt;b&gt; &amp; c</text>"), "<text>a &lt;b&gt; &amp; c</text>");
}

TEST(CleanSvg, NothingThatActsComesThrough) {
  for (const char* hostile :
       {"<script>alert(1)</script>", "<image href='http://x'/>", "<foreignObject><p>x</p></foreignObject>",
        "<a href='javascript:1'></a>", "<style>@import 'x'</style>"}) {
    EXPECT_EQ(clean(hostile), "") << hostile;
  }
  EXPECT_EQ(clean("<path d='M1,2' onclick='alert(1)' style='fill:url(x)' href='x'/>"), "<path d=\"M1,2\"/>");
}

TEST(CleanSvg, QuotesInValuesStayInside) {
  EXPECT_EQ(clean("<path d='\" onload=\"x'/>"), "<path d=\"&quot; onload=&quot;x\"/>");
}

TEST(CleanSvg, WhatIsNoSvgIsADefect) {
  for (const char* text : {"", "plain", "<svg>", "<svg><g></svg>", "<svg><path d='M1</svg>", "<svg><path d=M1/></svg>",
                           "<svg></g></svg>", "<svg><!-- </svg>", "<"}) {
    EXPECT_THROW(clean_svg(text, 1, 1, "t"), InternalError) << text;
  }
}

}  // namespace
}  // namespace smmusim::report

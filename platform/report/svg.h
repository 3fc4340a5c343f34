// SPDX-License-Identifier: MIT
// What gnuplot's SVG becomes before it stands in a page: only elements and attributes that draw, without gnuplot's name
// and version, ids and empty groups, and with colours that the page's style decides.
#pragma once

#include <string>
#include <string_view>

namespace smmusim::report {

/// The colours that the page's style decides: series 0 is the text's own.
inline constexpr unsigned series_colours = 12;
/// The colour to draw with, for gnuplot: '#01000N' becomes var(--cN).
std::string series_colour(unsigned series);

/// `svg` is gnuplot's output for a picture of the size given. `title` is any text: what the picture shows, for those
/// who can't see it. Throws InternalError if the text is no SVG of gnuplot's.
std::string clean_svg(std::string_view svg, unsigned width, unsigned height, std::string_view title);

}  // namespace smmusim::report

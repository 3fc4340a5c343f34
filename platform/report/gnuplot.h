// SPDX-License-Identifier: MIT
// Pictures by gnuplot (Debian package gnuplot-nox): a child process that reads a script of ours and writes SVG. What a
// picture shows is charts.h's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smmusim::report {

struct Picture {
  unsigned width = 0, height = 0;  ///< pixels
  std::string title;               ///< text: what it shows, for those who can't see it
  std::string script;              ///< gnuplot's commands after those for terminal and output
};

/// Throws programs::Lacking, with the package's name, if this machine has no gnuplot.
void require_gnuplot();

/// The pictures as <svg> elements for a page, in the same order. `source`, a file, is blamed for numbers that can't be
/// drawn. Throws programs::Lacking and InputError; leaves no process and no file.
std::vector<std::string> draw(const std::vector<Picture>& pictures, const std::string& source);

/// Text as a string of gnuplot's, in which nothing has a meaning of its own: at most 64 characters of it,
/// its quotes as the typographic ones.
std::string gnuplot_string(std::string_view text);

}  // namespace smmusim::report

// SPDX-License-Identifier: MIT
// gnuplot as a child; see the header. One process draws all pictures of a page, from a script file into files beside
// it.
#include "platform/report/gnuplot.h"

#include <fmt/format.h>

#include "platform/config/load.h"
#include "platform/programs/errors.h"
#include "platform/programs/process.h"
#include "platform/programs/temporary_folder.h"
#include "platform/report/markup.h"
#include "platform/report/svg.h"

namespace smmusim::report {
namespace {

constexpr const char* program = "gnuplot";

std::string file_name(std::size_t picture) {
  return fmt::format("{}.svg", picture);
}

std::string script_of(const std::vector<Picture>& pictures) {
  std::string script = "set encoding utf8\n";
  for (std::size_t i = 0; i != pictures.size(); ++i) {
    const Picture& picture = pictures[i];
    script += fmt::format(
        "reset\nset terminal svg size {},{} fixed noenhanced font 'sans-serif,12' linewidth 1\nset output '{}'\n{}",
        picture.width, picture.height, file_name(i), picture.script);
  }
  return script + "set output\n";
}

std::vector<std::string> draw_in(const programs::SignalGuard& guard, const std::vector<Picture>& pictures,
                                 const std::string& source) {
  const programs::TemporaryFolder folder;
  programs::write_file(folder.path("script"), script_of(pictures));
  // -d: no initialisation files of the user's.
  const programs::ToolResult result =
      programs::run_tool(guard, {program, "-d", "script"}, programs::TimeLimit(), {folder.path().string()});
  if (result.exit_code != 0) {
    throw InputError(
        fmt::format("{}: gnuplot can't draw its numbers ({}); make the results again", source, result.last_line()));
  }
  std::vector<std::string> svgs;
  for (std::size_t i = 0; i != pictures.size(); ++i) {
    const Picture& picture = pictures[i];
    svgs.push_back(
        clean_svg(programs::read_file(folder.path(file_name(i))), picture.width, picture.height, picture.title));
  }
  return svgs;
}

}  // namespace

void require_gnuplot() {
  if (!programs::find_program(program).empty()) return;
  throw programs::Lacking(
      "gnuplot, which draws the report's pictures, is not installed; install the package gnuplot-nox");
}

std::vector<std::string> draw(const std::vector<Picture>& pictures, const std::string& source) {
  if (pictures.empty()) return {};
  require_gnuplot();
  const programs::SignalGuard guard;
  try {
    return draw_in(guard, pictures, source);
  } catch (const programs::Interrupted&) {
    // Only for a signal whose effect was changed meanwhile: else it has ended us.
    throw InputError(source + ": the report was interrupted; make it again with smmusim report");
  }
}

std::string gnuplot_string(std::string_view text) {
  constexpr std::size_t characters_max = 64;
  const std::string valid = unescaped(escaped(text));  // no control characters, UTF-8 throughout
  std::string out;
  std::size_t characters = 0;
  for (const char c : valid) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && characters++ == characters_max) {
      out += "…";
      break;
    }
    // gnuplot 5.4 does not read a doubled quote at the front of a string as one.
    out += c == '\'' ? std::string("’") : std::string(1, c);
  }
  return "'" + out + "'";
}

}  // namespace smmusim::report

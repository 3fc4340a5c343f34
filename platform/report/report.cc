// SPDX-License-Identifier: MIT
// page_of_folder(): what a folder is, by the files in it.
#include "platform/report/report.h"

#include <fmt/format.h>

#include "platform/config/load.h"
#include "platform/config/value.h"

namespace smmusim::report {

namespace fs = std::filesystem;

fs::path point_file(const fs::path& folder, std::size_t number) {
  return folder / "points" / fmt::format("{:06}.json", number);
}

std::string page_of_folder(const fs::path& folder) {
  std::error_code ignored;
  const std::string name = printable(folder.string());
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(name + ": there is no such folder; give one that smmusim run --out or smmusim sweep wrote");
  }
  const fs::path statistics = folder / statistics_file, results = folder / results_file;
  const bool is_run = fs::exists(statistics, ignored), is_sweep = fs::exists(results, ignored);
  if (is_run && is_sweep) {
    throw InputError(fmt::format("{}: it holds a run ({}) and a sweep ({}); give each a folder of its own", name,
                                 statistics_file, results_file));
  }
  if (!is_run && !is_sweep) {
    throw InputError(
        fmt::format("{}: neither {} nor {} is there; give a folder that smmusim run --out or smmusim sweep "
                    "wrote",
                    name, statistics_file, results_file));
  }
  if (is_run) return run_page(Document::parse(statistics.string(), read_results(statistics)));
  const fs::path first = point_file(folder, 0);
  return sweep_page(parse_results(results.string(), read_results(results)),
                    Document::parse(first.string(), read_results(first)));
}

}  // namespace smmusim::report

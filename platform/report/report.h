// SPDX-License-Identifier: MIT
// report.html: one page for a run or for a sweep, complete in itself, the same bytes for the same results. It asks for
// nothing from outside and says nothing of the machine or of the day.
//
// All functions throw InputError (with the file and the place) for results that are none, and programs::Lacking if this
// machine has no gnuplot.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "platform/report/document.h"

namespace smmusim::report {

/// Names of files in the folders of runs and sweeps.
inline constexpr const char* report_file = "report.html";
inline constexpr const char* statistics_file = "stats.json";
inline constexpr const char* results_file = "results.csv";
/// The statistics of a point.
std::filesystem::path point_file(const std::filesystem::path& folder, std::size_t number);

/// The page of one run.
std::string run_page(const Document& statistics);
/// The page of a sweep. `first`: the statistics of its first point, for the configuration.
std::string sweep_page(const Results& results, const Document& first);

/// The page for a folder that run --out or sweep wrote: whichever of their files is there.
std::string page_of_folder(const std::filesystem::path& folder);

}  // namespace smmusim::report

// SPDX-License-Identifier: MIT
// run_simulation(): one run from options to summary, JSON and exit code. The only file here that knows the host's
// clock. The files get their names last: a run that fails, at whatever point, leaves none.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/pcie/ladder.h"
#include "platform/report/gnuplot.h"
#include "platform/report/report.h"
#include "platform/system/input_errors.h"
#include "platform/system/output.h"
#include "platform/system/result_identity.h"
#include "platform/system/run_options.h"
#include "platform/system/simulation.h"
#include "platform/system/statistics.h"
#include "platform/system/summary.h"

namespace smmusim {
namespace {

/// Where the results go, apart from standard output. Made before the run, so that a run whose results have no place, or
/// whose report can't be drawn, does not begin.
class ResultFiles {
 public:
  explicit ResultFiles(const RunOptions& options) {
    if (!options.out_dir.empty()) {
      report::require_gnuplot();
      const std::filesystem::path out = options.out_dir;
      folder_.emplace(out);
      statistics_.emplace_back(out / report::statistics_file);
      page_.emplace(out / report::report_file);
    }
    if (!options.json_path.empty() && options.json_path != "-") statistics_.emplace_back(options.json_path);
    if (!options.ladder_path.empty()) ladder_.emplace(options.ladder_path);
    if (!options.ioctl_log_path.empty()) ioctl_log_.emplace(options.ioctl_log_path);
  }

  void write(const std::string& statistics, const std::string& source) {
    if (page_) page_->write(report::run_page(report::Document::parse(source, statistics)));
    for (OutputFile& file : statistics_) file.write(statistics);
  }
  void write_ladder(const std::string& text) { ladder_->write(text); }
  void write_ioctl_log(const std::string& text) {
    if (ioctl_log_) ioctl_log_->write(text);
  }
  void publish() {
    if (ladder_) ladder_->publish();
    if (ioctl_log_) ioctl_log_->publish();
    for (OutputFile& file : statistics_) file.publish();
    if (page_) page_->publish();
    if (folder_) folder_->keep();
  }

 private:
  std::optional<OutputFolder> folder_;
  std::list<OutputFile> statistics_;  // after the folder: they go first
  std::optional<OutputFile> page_;
  std::optional<OutputFile> ladder_;
  std::optional<OutputFile> ioctl_log_;
};

void show_progress(std::uint64_t done, std::uint64_t total) {
  std::fprintf(stderr, "\r%3u %% of %llu records", static_cast<unsigned>(total == 0 ? 100 : done * 100 / total),
               static_cast<unsigned long long>(total));
  std::fflush(stderr);
}

/// Every link of the platform in one chart; what it has written is `text`.
class RunLadder {
 public:
  explicit RunLadder(Simulation& simulation)
      : ladder_(simulation.platform().engine(), text_, columns(simulation), lines_max) {
    const std::vector<EndpointConfig>& endpoints = simulation.config().endpoints;
    for (std::size_t i = 0; i != endpoints.size(); ++i) {
      ladder_.attach(simulation.platform().link(i), root, printable(endpoints[i].name));
    }
  }
  std::string text() {
    ladder_.finish();
    return text_.str();
  }

 private:
  static constexpr const char* root = "root complex";
  static constexpr std::uint64_t lines_max = 100'000;

  static std::vector<std::string> columns(const Simulation& simulation) {
    std::vector<std::string> names{root};
    for (const EndpointConfig& endpoint : simulation.config().endpoints) names.push_back(printable(endpoint.name));
    return names;
  }

  std::ostringstream text_;
  platform::Ladder ladder_;
};

}  // namespace

int run_simulation(const RunOptions& options) {
  ResultFiles files(options);
  // Before the run: if the file is replaced meanwhile, the results must not pass for those of the new one.
  nlohmann::ordered_json trace = trace_identity(options.config.trace.file);
  const auto host_start = std::chrono::steady_clock::now();
  std::optional<Simulation> simulation;
  std::optional<RunLadder> ladder;
  as_input_errors([&] {
    simulation.emplace(options.config, SimulationOptions{!options.ioctl_log_path.empty()});
    if (!options.ladder_path.empty()) ladder.emplace(*simulation);
    if (options.progress) simulation->on_progress = &show_progress;
    simulation->run();
  });
  if (options.progress) std::fputs("\r\x1b[K", stderr);
  const std::chrono::duration<double> host = std::chrono::steady_clock::now() - host_start;
  nlohmann::ordered_json statistics = statistics_json(*simulation, host.count());
  statistics["trace"] = std::move(trace);
  statistics["identity"] = result_identity(options.config, statistics);

  const std::string json = to_text(statistics);
  files.write(json, options.config.trace.file);
  if (ladder) files.write_ladder(ladder->text());
  files.write_ioctl_log(simulation->ioctl_log());
  write_standard_output(options.json_path == "-" ? json : summary_text(*simulation, statistics, options.colour));
  files.publish();
  return simulation->player().counters().mismatches == 0 ? 0 : 1;
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// run_sweep(): the cross product of some keys' values, a child process for each point (the SystemC kernel can't be
// elaborated twice in one), a JSON file a point, results.csv and report.html. A point whose file is there, with the
// same configuration and the same contents of the trace, is not run again. Points that were done stay when another
// fails. It shares nothing between points but the folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/config/show.h"
#include "platform/config/value.h"
#include "platform/config/version.h"
#include "platform/report/gnuplot.h"
#include "platform/report/report.h"
#include "platform/system/output.h"
#include "platform/system/result_identity.h"
#include "platform/system/results_table.h"
#include "platform/system/run_options.h"
#include "platform/system/statistics.h"
#include "platform/trace/error.h"

namespace smmusim {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int exit_mismatch = 1;
constexpr int exit_input = 2;
constexpr int exit_defect = 70;
constexpr std::size_t points_max = 1'000'000;

struct Point {
  std::vector<std::string> values;  // by axis
  PlatformConfig config;
  ordered_json trace;  // trace_identity()
  fs::path file;
};

/// What is wrong with the points, each line once: most of them concern many points.
class ProblemLines {
 public:
  void add(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (seen_.insert(line).second) text_ += (text_.empty() ? "" : "\n") + line;
    }
  }
  void raise() const {
    if (!text_.empty()) throw InputError(text_);
  }

 private:
  std::set<std::string> seen_;
  std::string text_;
};

/// No output may be an input.
void require_apart(const std::string& input, const std::string& out_dir) {
  if (input.empty()) return;
  std::error_code ignored;
  const fs::path in = fs::weakly_canonical(input, ignored);
  const fs::path out = fs::weakly_canonical(out_dir, ignored);
  if (in == out / report::results_file || in == out / report::report_file || in.parent_path() == out / "points") {
    throw InputError(printable(input) + ": the sweep would write its results there; give another --out");
  }
}

/// Two values of an axis that say the same would count one result twice.
void require_different(const SweepOptions& options, const std::vector<Point>& points) {
  std::size_t stride = points.size();
  for (const auto& [key, values] : options.axes) {
    stride /= values.size();
    std::map<std::string, std::string> seen;
    for (std::size_t i = 0; i != values.size(); ++i) {
      const auto [place, fresh] = seen.emplace(to_text(config_to_json(points[i * stride].config)), values[i]);
      if (fresh) continue;
      throw InputError(fmt::format("--vary {}: {} and {} are the same; give each value once", key,
                                   in_quotes(place->second), in_quotes(values[i])));
    }
  }
}

/// All points, the last axis fastest. Every configuration is checked, and every trace read once, before anything runs
/// or is written.
std::vector<Point> points_of(const SweepOptions& options) {
  require_apart(options.base.path, options.out_dir);
  std::size_t count = 1;
  for (const auto& [key, values] : options.axes) {
    count *= values.size();
    if (count > points_max) throw InputError(fmt::format("a sweep of more than {} points; vary less", points_max));
  }
  std::vector<Point> points;
  std::map<std::string, ordered_json> traces;
  ProblemLines problems;
  for (std::size_t number = 0; number != count; ++number) {
    Point point;
    ConfigSource source = options.base;
    std::size_t stride = count;
    for (const auto& [key, values] : options.axes) {
      stride /= values.size();
      const std::string& value = values[number / stride % values.size()];
      point.values.push_back(value);
      source.assignments.push_back({key, value, fmt::format("--vary {}={}", key, value)});
    }
    try {
      point.config = load_config(source, ConfigUse::replay);
    } catch (const InputError& error) {
      problems.add(error.what());
      continue;
    }
    if (point.config.trace.file.empty()) {
      throw InputError("sweep: there is no trace to replay; give --trace FILE or set trace.file");
    }
    ordered_json& trace = traces[point.config.trace.file];
    if (trace.is_null()) {
      require_apart(point.config.trace.file, options.out_dir);
      trace = trace_identity(point.config.trace.file);
    }
    point.trace = trace;
    point.file = report::point_file(options.out_dir, number);
    points.push_back(std::move(point));
  }
  problems.raise();
  require_different(options, points);
  return points;
}

/// The file's JSON. Null if there is none, or one that no statistics can be: whatever a file of that name holds must
/// neither be taken for a result nor stop the sweep.
ordered_json read_point(const fs::path& path) {
  try {
    return report::Document::parse(path.string(), report::read_results(path)).json();
  } catch (const InputError&) {
    return nullptr;
  }
}

/// The statistics of a point that was run before with this configuration and this trace; null if there are none.
ordered_json finished(const Point& point) {
  const ordered_json json = read_point(point.file);
  if (json.is_null() || json["version"] != program_version) return nullptr;
  if (json["trace"] != point.trace || !json.contains("identity")) return nullptr;
  return json["identity"] == result_identity(point.config, json) ? json : ordered_json();
}

/// Runs in the child. The file appears complete or not at all.
[[noreturn]] void run_point(const Point& point, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) _exit(exit_defect);  // it has ended already
  int code = exit_defect;
  try {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);  // the summary
    RunOptions run;
    run.config = point.config;
    run.json_path = point.file.string();
    code = run_simulation(run);
  } catch (const InputError& error) {
    std::fprintf(stderr, "smmusim: %s\n", error.what());
    code = exit_input;
  } catch (const trace::TraceError& error) {
    std::fprintf(stderr, "smmusim: %s\n", error.what());
    code = exit_input;
  } catch (const std::exception& error) {  // as command_line.cc has it
    std::fprintf(stderr, "smmusim: a defect of smmusim: %s\n", error.what());
  }
  std::fflush(stderr);
  _exit(code);
}

class Runner {
 public:
  Runner(const SweepOptions& options, const std::vector<Point>& points) : options_(options), points_(points) {}

  /// False: the input of a point is wrong, and its run has said why. Throws what else stopped the sweep. In either case
  /// the children that run have ended.
  bool run() {
    for (std::size_t i = 0; i != points_.size() && failure_.empty(); ++i) {
      if (!finished(points_[i]).is_null()) {
        ++done_;
        continue;
      }
      while (children_.size() >= options_.jobs && failure_.empty()) reap();
      if (failure_.empty()) start(i);
    }
    while (!children_.empty()) reap();
    if (options_.progress) std::fputs("\r\x1b[K", stderr);
    if (!failure_.empty() && failure_code_ != exit_input) throw InternalError(failure_);
    return failure_.empty();
  }

 private:
  void start(std::size_t index) {
    std::fflush(stdout);
    std::fflush(stderr);
    const pid_t parent = ::getpid();
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("the host can't start another process; use fewer --jobs");
    if (child == 0) run_point(points_[index], parent);
    children_[child] = index;
  }

  void reap() {
    int status = 0;
    const pid_t child = wait(&status);
    const auto place = children_.find(child);
    if (place == children_.end()) return;
    const std::size_t index = place->second;
    children_.erase(place);
    ++done_;
    if (options_.progress) {
      std::fprintf(stderr, "\r%zu of %zu points", done_, points_.size());
      std::fflush(stderr);
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : exit_defect;
    if (code == 0 || code == exit_mismatch) return;
    if (!failure_.empty()) return;
    failure_code_ = code;
    failure_ =
        fmt::format("point {} of the sweep could not be run (exit code {}); its message stands above", index + 1, code);
  }

  const SweepOptions& options_;
  const std::vector<Point>& points_;
  std::map<pid_t, std::size_t> children_;
  std::size_t done_ = 0;
  std::string failure_;
  int failure_code_ = 0;
};

}  // namespace

int run_sweep(const SweepOptions& options) {
  const std::vector<Point> points = points_of(options);
  report::require_gnuplot();
  const fs::path out = options.out_dir;
  const fs::path csv = out / report::results_file, page = out / report::report_file;
  OutputFolder folder(out / "points");
  OutputFile results(csv), report(page);
  if (!Runner(options, points).run()) return exit_input;

  ResultsTable table;
  for (const auto& [key, values] : options.axes) table.add_axis(key);
  bool all_hold = true;
  for (const Point& point : points) {
    const ordered_json json = finished(point);
    if (json.is_null()) {
      throw InputError(point.file.string() +
                       ": the result is another than the one asked for; leave trace and folder alone during a sweep");
    }
    table.add_row(point.values, json);
    all_hold = all_hold && json["check"]["mismatches"] == 0;
  }
  const std::string rows = table.to_csv();
  report.write(report::sweep_page(report::parse_results(csv.string(), rows),
                                  report::Document(points.front().file.string(), finished(points.front()))));
  results.write(rows);
  write_standard_output(fmt::format("{} points\n{}\n{}\n", points.size(), csv.string(), page.string()));
  results.publish();
  report.publish();
  folder.keep();
  return all_hold ? 0 : exit_mismatch;
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// run_simulation(): one run from options to summary, JSON and exit code. The only file here that knows the host's
// clock, standard output and files.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "platform/config/load.h"
#include "platform/driver/page_allocator.h"
#include "platform/system/run_options.h"
#include "platform/system/simulation.h"
#include "platform/system/statistics.h"
#include "platform/system/summary.h"

namespace smmusim {
namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw InputError(fmt::format("{}: can't be written; give a path that can be", path));
}

void show_progress(std::uint64_t done, std::uint64_t total) {
  std::fprintf(stderr, "\r%3u %% of %llu records", static_cast<unsigned>(total == 0 ? 100 : done * 100 / total),
               static_cast<unsigned long long>(total));
  std::fflush(stderr);
}

/// What a part refuses at its construction is the user's configuration.
template <class Work>
void as_input_errors(Work work) {
  try {
    work();
  } catch (const std::invalid_argument& error) {
    throw InputError(error.what());
  } catch (const AllocationError& error) {
    throw InputError(error.what());
  } catch (const MemoryLimitError& error) {
    throw InputError(error.what());
  }
}

}  // namespace

int run_simulation(const RunOptions& options) {
  const auto host_start = std::chrono::steady_clock::now();
  std::optional<Simulation> simulation;
  as_input_errors([&] {
    simulation.emplace(options.config);
    if (options.progress) simulation->on_progress = &show_progress;
    simulation->run();
  });
  if (options.progress) std::fputs("\r\x1b[K", stderr);
  const std::chrono::duration<double> host = std::chrono::steady_clock::now() - host_start;
  const nlohmann::ordered_json statistics = statistics_json(*simulation, host.count());

  const bool json_on_stdout = options.json_path == "-";
  if (!options.json_path.empty() && !json_on_stdout) write_file(options.json_path, to_text(statistics));
  if (!options.out_dir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.out_dir, error);
    write_file((std::filesystem::path(options.out_dir) / "stats.json").string(), to_text(statistics));
  }
  const std::string text = json_on_stdout ? to_text(statistics) : summary_text(*simulation, statistics, options.colour);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return simulation->player().counters().mismatches == 0 ? 0 : 1;
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Summary; see the header.
#include "platform/system/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/nested/host_statistics.h"
#include "platform/report/markup.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim {
namespace {

using nlohmann::ordered_json;
using report::grouped;

constexpr unsigned bars_max = 20;
constexpr unsigned bar_width = 48;

std::string hit_line(const char* name, const ordered_json& cache) {
  const auto lookups = cache["lookups"].get<std::uint64_t>();
  if (lookups == 0) return "";
  const auto hits = cache["hits"].get<std::uint64_t>();
  return fmt::format("  {:<14}{:>12} lookups, {:6.2f} % hits, {} evictions\n", name, grouped(lookups),
                     100.0 * static_cast<double>(hits) / static_cast<double>(lookups),
                     grouped(cache["evictions"].get<std::uint64_t>()));
}

std::string counts_line(const char* name, const ordered_json& counts) {
  if (counts.empty()) return "";
  std::string line;
  for (const auto& [key, value] : counts.items()) {
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", key, grouped(value.get<std::uint64_t>()));
  }
  return fmt::format("{:<16}{}\n", name, line);
}

std::string histogram_text(const LatencyHistogram& latency, bool colour) {
  std::string text;
  std::uint64_t most = 1;
  const auto bars = latency.bars(bars_max);
  for (const auto& bar : bars) most = std::max(most, bar.count);
  for (const auto& bar : bars) {
    // At least one mark where there is anything at all.
    const auto marks = static_cast<unsigned>((bar.count * bar_width + most - 1) / most);
    text += fmt::format("  {:>10.1f} ns {}{:<48}{} {}\n", static_cast<double>(bar.from) / 1000,
                        colour ? "\x1b[36m" : "", std::string(marks, '#'), colour ? "\x1b[0m" : "", grouped(bar.count));
  }
  return text;
}

std::string latency_text(const Simulation& simulation, const ordered_json& statistics, bool colour) {
  const ordered_json& l = statistics["latency_ns"];
  if (l["max"].get<double>() == 0) return "";
  return fmt::format(
             "latency         mean {:.1f} ns, min {:.1f}, p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max "
             "{:.1f}\n",
             l["mean"].get<double>(), l["min"].get<double>(), l["p50"].get<double>(), l["p90"].get<double>(),
             l["p99"].get<double>(), l["p999"].get<double>(), l["max"].get<double>()) +
         histogram_text(simulation.accesses().total().latency, colour);
}

std::string mismatch_text(const Player& player) {
  std::string text;
  for (const PlayMismatch& mismatch : player.mismatches()) {
    const std::string got =
        mismatch.result.translated ? fmt::format("0x{:x}", mismatch.result.address.value) : "no translation";
    const std::string substream =
        mismatch.record.has_substream ? fmt::format(", substream 0x{:x},", mismatch.record.substream) : "";
    text += fmt::format("  record {}: {} of stream 0x{:x}{} at 0x{:x} went to {}, the trace says 0x{:x}\n",
                        mismatch.record_number, to_string(mismatch.record.op), mismatch.record.stream, substream,
                        mismatch.record.address, got, mismatch.record.expected_pa());
  }
  const std::uint64_t more = player.counters().mismatches - player.mismatches().size();
  if (more != 0) text += fmt::format("  and {} more\n", grouped(more));
  return text;
}

std::string endpoints_text(const PlatformConfig& config) {
  constexpr std::size_t lines_max = 8;
  const std::vector<std::string> lines = ats_lines(config);
  std::string text;
  for (std::size_t i = 0; i != std::min(lines.size(), lines_max); ++i) text += lines[i] + "\n";
  if (lines.size() > lines_max) text += fmt::format("and {} endpoints more\n", lines.size() - lines_max);
  return text;
}

}  // namespace

std::string summary_text(const Simulation& simulation, const ordered_json& statistics, bool colour) {
  const Player& player = simulation.player();
  const PlayerCounters& counters = player.counters();
  std::string text =
      fmt::format("{}, {} mode\n", simulation.config().trace.file, statistics["mode"].get<std::string>());
  text += fmt::format("transactions    {}, {} bytes, {} faults\n", grouped(counters.accesses), grouped(counters.bytes),
                      grouped(counters.failed));
  text += fmt::format("driver          {} page-table writes, {} invalidations, {} configuration changes\n",
                      grouped(counters.maps), grouped(counters.invalidations), grouped(counters.config_changes));
  if (simulation.config().mode == Mode::timed) {
    text += fmt::format("simulated       {:.3f} us, {:.2f} Gbit/s\n", statistics["simulated_ns"].get<double>() / 1000,
                        statistics["throughput_gbps"].get<double>());
  }
  text += fmt::format("host            {:.2f} s, {} transactions/s\n", statistics["host_seconds"].get<double>(),
                      grouped(static_cast<std::uint64_t>(statistics["transactions_per_host_second"].get<double>())));
  text += endpoints_text(simulation.config());
  text += "translation\n";
  text += hit_line("micro TLB", statistics["micro_tlb"]);
  text += hit_line("TLB", statistics["tlb"]);
  text += hit_line("walk cache", statistics["walk_cache"]);
  text += hit_line("IPA cache", statistics["ipa_cache"]);
  text += hit_line("configuration", statistics["config_cache"]);
  const ordered_json& walks = statistics["walks"];
  text += fmt::format("  {:<14}{:>12} walks, {} fetches, mean {:.1f} ns\n", "walks",
                      grouped(walks["count"].get<std::uint64_t>()), grouped(walks["fetches"].get<std::uint64_t>()),
                      walks["mean_ns"].get<double>());
  text += counts_line("commands", statistics["commands"]);
  text += counts_line("events", statistics["events"]);
  if (statistics.contains("host")) text += nested::host_text(statistics["host"]);
  text += latency_text(simulation, statistics, colour);
  // Ungrouped: scripts look for this line.
  text += fmt::format("checked {}, mismatches {}\n", counters.checked, counters.mismatches);
  return text + mismatch_text(player);
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// The whole platform in simulated time (endpoint, root complex, SMMU, interconnect, memory under SystemC): what one DMA
// access costs on hits, on misses of everything, and in the shipped traces. Beside each, measured in the same run, the
// least that a SystemC model can do: an SC_METHOD that does nothing but wake itself. `ratio_to_calibration` is seconds
// an access over seconds an activation. SystemC cannot be elaborated twice in a process, so every measurement is made
// in a child of its own, which times Simulation::run() alone. Run from the root: the traces' paths are relative.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <systemc>
#include <vector>

#include "platform/config/load.h"
#include "platform/system/simulation.h"
#include "platform/trace/files.h"

namespace {

using namespace smmusim;
namespace fs = std::filesystem;

/// What a child tells its parent. Plain bytes, short enough that a pipe takes them whole.
struct Measurement {
  double seconds = 0;
  std::uint64_t items = 0;  ///< DMA accesses; activations in the calibration
  std::uint64_t checked = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t walks = 0;
  std::uint64_t walk_fetches = 0;
  double resident_mb = 0;  ///< the child's peak, in 2^20 bytes
  char error[256] = {};    ///< why there is no measurement; empty if there is one
};

[[noreturn]] void fail_call(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

double peak_resident_mb() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) fail_call("getrusage");
  return static_cast<double>(usage.ru_maxrss) / 1024;  // ru_maxrss is in KiB
}

/// The child's whole life: measures, sends, and leaves without running what belongs to the parent.
template <class Work>
[[noreturn]] void measure_and_exit(int out, const Work& work) {
  Measurement measurement;
  try {
    measurement = work();
    measurement.resident_mb = peak_resident_mb();
  } catch (const std::exception& error) {
    std::strncpy(measurement.error, error.what(), sizeof measurement.error - 1);
  }
  const bool sent = write(out, &measurement, sizeof measurement) == static_cast<ssize_t>(sizeof measurement);
  _exit(sent ? 0 : 1);
}

/// Bytes read, up to `size`, until the other end is closed.
std::size_t read_all(int from, char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t step = read(from, to + got, size - got);
    if (step == 0) break;
    if (step < 0 && errno != EINTR) fail_call("read of the child's answer");
    if (step > 0) got += static_cast<std::size_t>(step);
  }
  return got;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail_call("waitpid");
  }
  return status;
}

/// Runs `work` in a process of its own. Throws std::runtime_error if there is no measurement.
template <class Work>
Measurement in_child(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) fail_call("pipe");
  const pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    fail_call("fork");
  }
  if (child == 0) {
    close(ends[0]);
    measure_and_exit(ends[1], work);
  }
  close(ends[1]);
  Measurement measurement;
  const std::size_t got = read_all(ends[0], reinterpret_cast<char*>(&measurement), sizeof measurement);
  close(ends[0]);
  const int status = wait_for(child);
  if (WIFSIGNALED(status))
    throw std::runtime_error("the child was ended by signal " + std::to_string(WTERMSIG(status)));
  if (status != 0 || got != sizeof measurement) throw std::runtime_error("the child sent no measurement");
  if (measurement.error[0] != 0) throw std::runtime_error(measurement.error);
  return measurement;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The calibration loop: one SC_METHOD that wakes itself every nanosecond.
class SelfTimed : public sc_core::sc_module {
 public:
  explicit SelfTimed(const sc_core::sc_module_name& name) : sc_core::sc_module(name), period_(1, sc_core::SC_NS) {
    SC_HAS_PROCESS(SelfTimed);
    SC_METHOD(activate);
    sensitive << wake_;
  }
  std::uint64_t activations() const { return activations_; }

 private:
  void activate() {
    ++activations_;
    wake_.notify(period_);
  }

  sc_core::sc_event wake_;
  sc_core::sc_time period_;
  std::uint64_t activations_ = 0;
};

/// A million activations; the time is that of the best twentieth.
Measurement run_calibration() {
  constexpr unsigned rounds = 20;
  SelfTimed module("self_timed");
  Measurement best;
  for (unsigned round = 0; round != rounds; ++round) {
    const std::uint64_t before = module.activations();
    const auto begin = std::chrono::steady_clock::now();
    sc_core::sc_start(50'000, sc_core::SC_NS);
    const double seconds = seconds_since(begin);
    if (round == 0 || seconds < best.seconds) {
      best.seconds = seconds;
      best.items = module.activations() - before;
    }
  }
  return best;
}

/// Seconds an activation.
double calibrate() {
  const Measurement calibration = in_child(run_calibration);
  return calibration.seconds / static_cast<double>(calibration.items);
}

Measurement simulate(const PlatformConfig& config) {
  Simulation simulation(config);
  Measurement measurement;
  const auto begin = std::chrono::steady_clock::now();
  simulation.run();
  measurement.seconds = seconds_since(begin);
  const PlayerCounters& played = simulation.player().counters();
  if (played.failed != 0) throw std::runtime_error(std::to_string(played.failed) + " accesses came back with an error");
  measurement.items = played.accesses;
  measurement.checked = played.checked;
  measurement.mismatches = played.mismatches;
  for (std::size_t i = 0; i != simulation.platform().smmus(); ++i) {
    const SmmuCounters& counters = simulation.platform().smmu(i).smmu().counters();
    measurement.walks += counters.walks;
    measurement.walk_fetches += counters.walk_fetches;
  }
  return measurement;
}

/// A new folder for temporary files, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((fs::temp_directory_path() / "smmusim_bench_XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) fail_call(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

PlatformConfig configuration(const std::string& trace, const std::vector<std::string>& settings = {}) {
  ConfigSource source;
  source.assignments.push_back({"trace.file", trace, "bench"});
  for (const std::string& setting : settings) source.assignments.push_back(parse_assignment("--set", setting));
  return load_config(source);
}

/// Iterates over simulations of `config` and reports what all of them together took.
void measure(benchmark::State& state, const PlatformConfig& config) {
  const double activation_before = calibrate();
  Measurement sum;
  for (auto _ : state) {
    const Measurement one = in_child([&config] { return simulate(config); });
    state.SetIterationTime(one.seconds);
    sum.seconds += one.seconds;
    sum.items += one.items;
    sum.checked += one.checked;
    sum.mismatches += one.mismatches;
    sum.walks += one.walks;
    sum.walk_fetches += one.walk_fetches;
    sum.resident_mb = std::max(sum.resident_mb, one.resident_mb);
  }
  const double activation = std::min(activation_before, calibrate());  // the host's speed may have changed meanwhile
  const auto items = static_cast<double>(std::max<std::uint64_t>(sum.items, 1));
  state.SetItemsProcessed(static_cast<std::int64_t>(sum.items));
  state.counters["ratio_to_calibration"] = sum.seconds / items / activation;
  state.counters["calibration_ns"] = activation * 1e9;
  state.counters["mismatches"] = static_cast<double>(sum.mismatches);
  state.counters["checked"] = static_cast<double>(sum.checked) / static_cast<double>(state.iterations());
  state.counters["resident_mb"] = sum.resident_mb;
  state.counters["walks_per_access"] = static_cast<double>(sum.walks) / items;
  if (sum.walks != 0) {
    state.counters["fetches_per_walk"] = static_cast<double>(sum.walk_fetches) / static_cast<double>(sum.walks);
  }
}

/// Runs `work`; an exception of its becomes the benchmark's error.
template <class Work>
void or_skip(benchmark::State& state, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

/// Random accesses of 64 bytes over `window_bytes`, each with its oracle.
std::string random_trace(const TemporaryFolder& folder, std::uint64_t count, std::uint64_t window_bytes) {
  trace::GenerateOptions options;
  options.pattern = trace::Pattern::random;
  options.count = count;
  options.window_bytes = window_bytes;
  const std::string path = folder.file("random.trace");
  trace::generate_file(options, path, {.encoding = trace::Encoding::binary, .compress = false});
  return path;
}

/// 16 pages: after their first walks every access hits the micro TLB.
void BM_TimedHit(benchmark::State& state) {
  or_skip(state, [&state] {
    const TemporaryFolder folder;
    measure(state, configuration(random_trace(folder, 1'000'000, std::uint64_t{16} << 12)));
  });
}
BENCHMARK(BM_TimedHit)->UseManualTime()->Unit(benchmark::kMillisecond);

/// No micro TLB, TLB or walk cache: every access walks four levels. The configuration stays cached.
void BM_TimedAllMiss(benchmark::State& state) {
  or_skip(state, [&state] {
    const TemporaryFolder folder;
    const std::vector<std::string> no_caches{"smmu.tbu.micro_tlb_entries=0", "smmu.tcu.tlb_entries=0",
                                             "smmu.tcu.walk_cache_entries=0"};
    measure(state, configuration(random_trace(folder, 1'000'000, std::uint64_t{16} << 20), no_caches));
  });
}
BENCHMARK(BM_TimedAllMiss)->UseManualTime()->Unit(benchmark::kMillisecond);

/// The device translates: every access is one TLP with AT=translated, from an ATC that holds the window's 16 pages.
void BM_AtcHit(benchmark::State& state) {
  or_skip(state, [&state] {
    const TemporaryFolder folder;
    const std::vector<std::string> ats{"smmu.ats=on", "endpoint.ats_capability=true", "endpoint.atc_entries=64"};
    measure(state, configuration(random_trace(folder, 1'000'000, std::uint64_t{16} << 12), ats));
  });
}
BENCHMARK(BM_AtcHit)->UseManualTime()->Unit(benchmark::kMillisecond);

/// An ATC that remembers nothing: a Translation Request goes before every access, and the SMMU's caches answer it.
void BM_AtcAllMiss(benchmark::State& state) {
  or_skip(state, [&state] {
    const TemporaryFolder folder;
    const std::vector<std::string> ats{"smmu.ats=on", "endpoint.ats_capability=true", "endpoint.atc_entries=0"};
    measure(state, configuration(random_trace(folder, 1'000'000, std::uint64_t{16} << 20), ats));
  });
}
BENCHMARK(BM_AtcAllMiss)->UseManualTime()->Unit(benchmark::kMillisecond);

/// Accelerated nested mode: the same through a simulated host's SMMU, stage 1 of the guest over stage 2 of the host.
void BM_NestedDma(benchmark::State& state) {
  or_skip(state, [&state] {
    const TemporaryFolder folder;
    measure(state, configuration(random_trace(folder, 1'000'000, std::uint64_t{16} << 12), {"host.mode=simulated"}));
  });
}
BENCHMARK(BM_NestedDma)->UseManualTime()->Unit(benchmark::kMillisecond);

/// A shipped trace, every translation compared with the one that its source made.
void BM_TraceReplay(benchmark::State& state, const std::string& name) {
  or_skip(state, [&] { measure(state, configuration("traces/linux72-nvme-" + name + ".trace")); });
}
BENCHMARK_CAPTURE(BM_TraceReplay, randread, "randread")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TraceReplay, seqwrite, "seqwrite")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_TraceReplay, mixed, "mixed")->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

// SPDX-License-Identifier: MIT
// The rows of pcie-bench, and the device that does what its firmware does: one access after the other for a latency,
// as many as it can for a bandwidth.
#include "tests/validation/bench_points.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "platform/config/load.h"
#include "platform/system/endpoint_setup.h"
#include "platform/system/platform.h"

namespace smmusim::validation {
namespace {

using platform::DmaCompletion;
using platform::DmaStatus;
using platform::DmaWork;

constexpr std::uint64_t window_base = std::uint64_t{1} << 32, window_bytes = 8192;  // so that headers have four words
constexpr unsigned latency_accesses = 64, bandwidth_accesses = 4000;

constexpr std::string_view not_additive = "takes more than twice what 512 B take (164.5 and 74.5 ns)";
constexpr std::string_view write_path = "the adapter's way of a write is not in the published latencies of reads";

constexpr BenchPoint points[] = {
    {BenchKind::read_latency, 4, 533, ""},
    {BenchKind::read_latency, 16, 547, ""},
    {BenchKind::read_latency, 64, 547, ""},
    {BenchKind::read_latency, 128, 573, ""},
    {BenchKind::read_latency, 256, 627, ""},
    {BenchKind::read_latency, 512, 707, ""},
    {BenchKind::read_latency, 768, 787, ""},
    {BenchKind::read_latency, 1024, 853, ""},
    {BenchKind::read_latency, 1280, 933, ""},
    {BenchKind::read_latency, 1520, 987, ""},
    {BenchKind::read_latency, 2048, 1133, ""},
    {BenchKind::write_then_read, 64, 773, write_path},
    {BenchKind::write_then_read, 2048, 1840, write_path},
    {BenchKind::read_bandwidth, 16, 8.6, ""},
    {BenchKind::read_bandwidth, 32, 16.9, ""},
    {BenchKind::read_bandwidth, 64, 32.0, ""},
    {BenchKind::read_bandwidth, 128, 43.7, ""},
    {BenchKind::read_bandwidth, 256, 47.8, ""},
    {BenchKind::read_bandwidth, 257, 40.2, ""},
    {BenchKind::read_bandwidth, 512, 55.0, ""},
    {BenchKind::read_bandwidth, 513, 44.1, ""},
    {BenchKind::read_bandwidth, 1024, 49.8, not_additive},
    {BenchKind::read_bandwidth, 2048, 55.3, ""},
    {BenchKind::write_bandwidth, 64, 24.3, ""},
    {BenchKind::write_bandwidth, 128, 42.4, ""},
    {BenchKind::write_bandwidth, 256, 50.5, ""},
    {BenchKind::write_bandwidth, 257, 37.4, ""},
    {BenchKind::write_bandwidth, 512, 53.0, ""},
    {BenchKind::write_bandwidth, 2048, 53.0, ""},
};

bool is_bandwidth(BenchKind kind) {
  return kind == BenchKind::read_bandwidth || kind == BenchKind::write_bandwidth;
}

PlatformConfig machine() {
  PlatformConfig config = load_config({"", "", {{"preset", "pcie-bench", "preset pcie-bench"}}});
  config.endpoints.push_back(config.endpoint_template);
  config.endpoints[0].name = "adapter";
  config.endpoints[0].rid = 0x0008;
  return config;
}

/// Everything happens in the handler of completions: it pushes what is next.
class Bench {
 public:
  Bench() : config_(machine()), platform_(config_), scope_(platform_.engine()) {
    platform_.endpoint(0).set_handler([this](const DmaCompletion& completion) { completed(completion); });
    start_.bench = this;
    start_.scope = &scope_;
    start_.fire = [](EventNode& node) {
      Bench& bench = *static_cast<StartNode&>(node).bench;
      enumerate(bench.platform_.cpu(), bench.config_, bench.config_.endpoints[0]);
      bench.begin_point();
    };
  }

  std::vector<BenchResult> run() {
    platform_.engine().post(start_);
    platform_.run();
    if (failed_ != 0 || results_.size() != std::size(points))
      throw std::runtime_error("an access of pcie-bench failed");
    return results_;
  }

 private:
  struct StartNode : EventNode {
    Bench* bench = nullptr;
  };

  const BenchPoint& point() const { return points[results_.size()]; }
  unsigned count() const { return is_bandwidth(point().kind) ? bandwidth_accesses : latency_accesses; }

  void begin_point() {
    pushed_ = done_ = 0;
    latencies_.clear();
    const bool many = is_bandwidth(point().kind);
    do {
      push();
    } while (many && pushed_ != count() && platform_.endpoint(0).queue_space() != 0);
  }

  /// The next access of the point; of a write that is read back, both.
  void push() {
    // Units of a power of two, none of which crosses 4 KiB.
    const std::uint64_t unit = std::bit_ceil(std::max(point().bytes, 64U));
    DmaWork work;
    work.address = Va(window_base + pushed_++ * unit % window_bytes);
    work.size = point().bytes;
    if (point().kind == BenchKind::write_then_read) {
      work.write = true;
      platform_.endpoint(0).push(work);
      work.write = false;
    }
    work.write = point().kind == BenchKind::write_bandwidth;
    platform_.endpoint(0).push(work);
  }

  void completed(const DmaCompletion& completion) {
    if (completion.status != DmaStatus::ok) ++failed_;
    const Time now = platform_.engine().now();
    if (point().kind == BenchKind::write_then_read && completion.work.write) {
      write_began_ = completion.issued_at;
      return;
    }
    latencies_.push_back(point().kind == BenchKind::write_then_read ? now - write_began_ : completion.latency());
    ++done_;
    // Not the first and the last quarter: there the queue fills and empties.
    if (done_ == count() / 4) from_ = now;
    if (done_ == count() / 4 * 3) until_ = now;
    if (pushed_ != count()) {
      push();
    } else if (done_ == count()) {
      end_point();
    }
  }

  void end_point() {
    double measured = 0;
    if (is_bandwidth(point().kind)) {
      measured = count() / 2 * point().bytes * 8e3 / static_cast<double>(until_ - from_);
    } else {
      std::sort(latencies_.begin(), latencies_.end());
      measured = static_cast<double>(latencies_[latencies_.size() / 2]) * 1e-3;
    }
    results_.push_back({&point(), measured});
    if (results_.size() != std::size(points)) begin_point();
  }

  PlatformConfig config_;
  Platform platform_;
  Scope scope_;
  StartNode start_;
  std::vector<BenchResult> results_;
  std::vector<Time> latencies_;
  unsigned pushed_ = 0, done_ = 0, failed_ = 0;
  Time write_began_ = 0, from_ = 0, until_ = 0;
};

}  // namespace

std::span<const BenchPoint> bench_points() {
  return points;
}

std::vector<BenchResult> run_bench() {
  return Bench().run();
}

}  // namespace smmusim::validation

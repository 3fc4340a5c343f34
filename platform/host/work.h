// SPDX-License-Identifier: MIT
// Worker: does in simulated time what calls to the simulated host cause, job after job: the call's cost, then its
// steps. Untimed, a job is done when push() returns. Private to platform/host.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "platform/host/host_system.h"
#include "platform/host/physical_smmu.h"

namespace smmusim::host {

struct SteWrite {
  StreamId stream{};
  spec::Ste ste{};
};

/// One thing after another: enabling, an STE, or commands and their CMD_SYNC; or (smmu is null) a function.
struct JobStep {
  PhysicalSmmu* smmu = nullptr;
  bool enable = false;
  std::optional<SteWrite> ste{};
  std::vector<spec::Command> commands{};
  std::function<void()> action{};
};

struct Job {
  std::uint32_t request = 0;  ///< 0: no call
  Time cost = 0;
  std::vector<JobStep> steps{};
};

class Worker {
 public:
  explicit Worker(Engine& engine) : scope_(engine) {}

  Scope& scope() { return scope_; }
  void push(Job job);
  std::uint64_t issued() const { return issued_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t failures() const { return failures_; }
  CallTime call_time(std::uint32_t request) const;

  std::uint64_t add_listener(std::function<void()> listener);
  void remove_listener(std::uint64_t number) { listeners_.erase(number); }
  void tell_listeners();

 private:
  struct Queued {
    Job job;
    Time since;
  };
  Task<> work();
  Task<> run(Job& job);

  Scope scope_;
  std::deque<std::unique_ptr<Queued>> jobs_;
  bool working_ = false;
  std::uint64_t issued_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t failures_ = 0;
  std::map<std::uint32_t, CallTime> times_;
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t next_listener_ = 1;
};

}  // namespace smmusim::host

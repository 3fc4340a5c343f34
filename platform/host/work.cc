// SPDX-License-Identifier: MIT
// Worker; see the header.
#include "platform/host/work.h"

#include <utility>

namespace smmusim::host {

void Worker::push(Job job) {
  ++issued_;
  jobs_.push_back(std::make_unique<Queued>(Queued{std::move(job), scope_.engine().now()}));
  if (working_) return;
  working_ = true;
  spawn(scope_, work());
}

Task<> Worker::work() {
  while (!jobs_.empty()) {
    Queued* const next = jobs_.front().get();
    co_await run(next->job);
    CallTime& time = times_[next->job.request];
    ++time.count;
    time.total += scope_.engine().now() - next->since;
    jobs_.pop_front();
    ++done_;
    tell_listeners();
  }
  working_ = false;
}

Task<> Worker::run(Job& job) {
  co_await delay(scope_, job.cost);
  for (std::size_t i = 0; i != job.steps.size(); ++i) {
    JobStep* const step = &job.steps[i];
    if (step->smmu == nullptr) {
      step->action();
      continue;
    }
    DriverStatus status = DriverStatus::ok;
    if (step->enable) status = co_await step->smmu->enable();
    if (step->ste) status = co_await step->smmu->update_ste(step->ste->stream, step->ste->ste);
    if (status == DriverStatus::ok && !step->commands.empty()) status = co_await step->smmu->execute(step->commands);
    failures_ += status == DriverStatus::ok ? 0 : 1;
  }
}

CallTime Worker::call_time(std::uint32_t request) const {
  const auto found = times_.find(request);
  return found == times_.end() ? CallTime{} : found->second;
}

std::uint64_t Worker::add_listener(std::function<void()> listener) {
  listeners_[next_listener_] = std::move(listener);
  return next_listener_++;
}

void Worker::tell_listeners() {
  for (const auto& [number, listener] : listeners_) listener();
}

}  // namespace smmusim::host

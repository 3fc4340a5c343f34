// SPDX-License-Identifier: MIT
// PageRequests; see the header.
#include "platform/driver/page_requests.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "platform/driver/commands.h"

namespace smmusim {
namespace {

using spec::PriEntry;
using spec::PriResp;

bool is_stop_marker(const PriEntry& entry) {
  return entry.get<PriEntry::SSV>() && entry.get<PriEntry::Last>() && !entry.get<PriEntry::R>() &&
         !entry.get<PriEntry::W>();
}

}  // namespace

PageRequestCounters& PageRequestCounters::operator+=(const PageRequestCounters& other) {
  taken += other.taken;
  stop_markers += other.stop_markers;
  not_last += other.not_last;
  responses += other.responses;
  service_time += other.service_time;
  return *this;
}

PageRequests::PageRequests(GuestDriver& driver, const PageRequestTimes& times,
                           std::function<PageAnswer(const PriEntry&)> resolve)
    : driver_(driver), times_(times), resolve_(std::move(resolve)) {}

void PageRequests::interrupt() {
  if (taking_) return;
  taking_ = true;
  spawn(scope(), take_all());
}

Task<> PageRequests::take_all() {
  for (;;) {
    const std::optional<PriEntry> entry = driver_.next_page_request();
    if (!entry) break;
    if (times_.request != 0) co_await delay(scope(), times_.request);
    driver_.release_page_request();
    ++counters_.taken;
    if (is_stop_marker(*entry)) {
      ++counters_.stop_markers;
    } else {
      spawn(scope(), serve(*entry));
    }
  }
  taking_ = false;
}

/// What a group is answered is decided by the worst of its pages.
PriResp PageRequests::response_of(const PriEntry& entry, PriResp answer) {
  const Group group{entry.get<PriEntry::StreamID>(), entry.get<PriEntry::SSV>(), entry.get<PriEntry::SubstreamID>(),
                    entry.get<PriEntry::PRGIndex>()};
  const auto before = refused_.find(group);
  const PriResp worst = before == refused_.end() ? answer : std::min(before->second, answer);
  if (entry.get<PriEntry::Last>()) {
    refused_.erase(group);
  } else if (worst != PriResp::Success) {
    refused_[group] = worst;
  }
  return worst;
}

Task<> PageRequests::serve(PriEntry entry) {
  const Time taken = scope().engine().now();
  if (times_.fault != 0) co_await delay(scope(), times_.fault);
  const PageAnswer answer = resolve_(entry);
  const PriResp response = response_of(entry, answer.response);
  if (!entry.get<PriEntry::Last>()) {
    ++counters_.not_last;
    co_return;
  }
  std::optional<SubstreamId> pasid;
  if (answer.with_pasid && entry.get<PriEntry::SSV>()) pasid = SubstreamId(entry.get<PriEntry::SubstreamID>());
  const spec::Command command =
      make_pri_resp(StreamId(entry.get<PriEntry::StreamID>()), pasid, entry.get<PriEntry::PRGIndex>(), response);
  ++counters_.responses;
  co_await driver_.execute(std::span<const spec::Command>(&command, 1));
  counters_.service_time += scope().engine().now() - taken;
}

std::string PageRequests::imbalance(std::uint64_t written) const {
  if (counters_.taken != written) return "entries of the PRI queue are not those that the driver took";
  if (counters_.taken != counters_.stop_markers + counters_.not_last + counters_.responses) {
    return "Page Requests are not answered + in groups without an end + Stop Markers";
  }
  return {};
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Counting and noting; the decoding of a call is in describe_call.cc.
#include "platform/host/ioctl_log.h"

#include <fmt/format.h>

namespace smmusim::host {

void IoctlLog::record(std::uint32_t request, const void* argument, const SysResult& result, std::uint32_t entries) {
  Count& count = counts_[request];
  ++count.calls;
  if (!result.ok()) {
    ++count.errors;
    ++count.by_errno[result.error];
  }
  if (sink_) sink_(describe_call(request, argument, result, entries));
}

void IoctlLog::note(std::string_view text) {
  if (sink_) sink_(fmt::format("# {}", text));
}

IoctlLog::Count IoctlLog::count(std::uint32_t request) const {
  const auto found = counts_.find(request);
  return found == counts_.end() ? Count{} : found->second;
}

void IoctlLog::destroy_failed(std::string_view kind, std::uint32_t id, int error) {
  ++destroy_failures_;
  note(fmt::format("{} {} could not be destroyed: {}", kind, id, errno_name(error)));
}

void IoctlLog::already_gone(std::string_view kind, std::uint32_t id) {
  ++gone_;
  note(fmt::format("{} {} was gone already", kind, id));
}

nlohmann::ordered_json ioctls_json(const IoctlLog& log, const HostSystem& host) {
  constexpr Time ps_per_ns = 1000;
  auto json = nlohmann::ordered_json::object();
  for (const auto& [request, count] : log.counts()) {
    const CallTime time = host.call_time(request);
    auto by_errno = nlohmann::ordered_json::object();
    for (const auto& [error, times] : count.by_errno) by_errno[errno_name(error)] = times;
    json[std::string(request_name(request))] = {{"count", count.calls},
                                                {"errors", count.errors},
                                                {"mean_ns", time.count == 0 ? 0 : time.total / time.count / ps_per_ns},
                                                {"by_errno", by_errno}};
  }
  return json;
}

}  // namespace smmusim::host

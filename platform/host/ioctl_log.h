// SPDX-License-Identifier: MIT
// IoctlLog: what was asked of the host, call by call: readable lines with decoded fields, and counts by name. One log
// serves all descriptors of one client. It decides nothing; times are the HostSystem's business (call_time).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "platform/host/host_system.h"

namespace smmusim::host {

/// "IOMMU_HWPT_ALLOC", "VFIO_DEVICE_BIND_IOMMUFD" ...; "unknown request" for what abi.h does not know.
std::string_view request_name(std::uint32_t request);

/// The symbol of an errno, as "ENOENT"; its number if it has none here.
std::string errno_name(int error);

/// One line: name, the decoded fields of `argument` as they are after the call, and what came back. Follows the
/// structure's pointers only where the call has read them: entries of HWPT_INVALIDATE, the STE of HWPT_ALLOC.
/// `entries` is how many entries a HWPT_INVALIDATE had before the call; afterwards the structure has what was handled.
std::string describe_call(std::uint32_t request, const void* argument, const SysResult& result,
                          std::uint32_t entries = 0);

class IoctlLog {
 public:
  struct Count {
    std::uint64_t calls = 0;
    std::uint64_t errors = 0;
    std::map<int, std::uint64_t> by_errno;
  };
  using Sink = std::function<void(std::string_view line)>;

  IoctlLog() = default;
  /// `sink` gets each line, without a line end; without one only counts are kept.
  explicit IoctlLog(Sink sink) : sink_(std::move(sink)) {}

  void record(std::uint32_t request, const void* argument, const SysResult& result, std::uint32_t entries = 0);
  /// Anything else that the reader of the log should see, as a line beginning with "# ".
  void note(std::string_view text);

  /// By request number.
  const std::map<std::uint32_t, Count>& counts() const { return counts_; }
  Count count(std::uint32_t request) const;

  /// Objects that the client has got from the host and has destroyed, or that the host had taken away by itself.
  void object_allocated() { ++allocated_; }
  void object_destroyed() { ++destroyed_; }
  /// An IOMMU_DESTROY (or a detach) on the way out that failed: EBUSY and others. Counted and noted, never thrown.
  void destroy_failed(std::string_view kind, std::uint32_t id, int error);
  /// ENOENT on the way out: the host had destroyed the object with its device (vDEVICE since 6.17).
  void already_gone(std::string_view kind, std::uint32_t id);
  std::uint64_t objects_allocated() const { return allocated_; }
  std::uint64_t objects_destroyed() const { return destroyed_; }
  std::uint64_t objects_already_gone() const { return gone_; }
  std::uint64_t destroy_failures() const { return destroy_failures_; }

 private:
  Sink sink_;
  std::map<std::uint32_t, Count> counts_;
  std::uint64_t allocated_ = 0;
  std::uint64_t destroyed_ = 0;
  std::uint64_t gone_ = 0;
  std::uint64_t destroy_failures_ = 0;
};

/// JSON `host.ioctls`: {name: {count, errors, mean_ns, by_errno{name: n}}}, in the order of the request numbers.
nlohmann::ordered_json ioctls_json(const IoctlLog& log, const HostSystem& host);

}  // namespace smmusim::host

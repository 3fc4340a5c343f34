// SPDX-License-Identifier: MIT
// RealSystem: HostSystem as the system calls of the Linux that this program runs on. Calls that a signal interrupts are
// made again. It has met no machine with an SMMU yet: paths and refusals are tested, nested mode on hardware is not.
#pragma once

#include <map>

#include "platform/host/host_system.h"

namespace smmusim::host {

class RealSystem final : public HostSystem {
 public:
  SysResult open(const std::string& path) override;
  SysResult close(int fd) override;
  SysResult ioctl(int fd, std::uint32_t request, void* argument) override;
  SysResult read(int fd, void* data, std::size_t bytes) override;
  SysResult write(int fd, const void* data, std::size_t bytes) override;
  SysResult poll(int fd) override;
  SysResult mmap(int fd, std::uint64_t offset, std::uint64_t bytes) override;
  SysResult munmap(std::uint64_t address, std::uint64_t bytes) override;
  SysResult list(const std::string& path, std::vector<std::string>& names) override;
  SysResult read_link(const std::string& path, std::string& target) override;
  std::uint64_t user_va(const void* host, std::uint64_t physical) const override;
  /// By the host's monotonic clock.
  CallTime call_time(std::uint32_t request) const override;

 private:
  std::map<std::uint32_t, CallTime> times_;
};

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// HostSystem: the one seam to the host kernel. Above it the iommufd client (iommufd.h); below it either the real system
// calls (real_system.h) or the simulated host (simulated_host.h). Calls mean what Linux's manual pages say; an errno is
// a value in the result, never an exception and never the global.
//
// Calls return at once, also in the middle of a timed simulation. What a call costs in simulated time, up to the
// physical SMMU's CMD_SYNC, is work that goes on after it: whoever models a thread that is blocked in the call waits
// until work_done() reaches what work_issued() was after the call. Calls of one host take effect in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/sim/engine.h"

namespace smmusim::host {

/// What a system call returned: `error` is 0 or an errno; `value` is meaningful only without error.
struct SysResult {
  std::int64_t value = 0;
  int error = 0;
  bool ok() const { return error == 0; }
};

/// How often a request was made and how long those calls took together, up to the end of their work. The simulated host
/// counts simulated time, the real one the host's clock.
struct CallTime {
  std::uint64_t count = 0;
  Time total = 0;  ///< picoseconds
};

class HostSystem {
 public:
  virtual ~HostSystem() = default;

  /// Opens for reading and writing; value is the descriptor.
  virtual SysResult open(const std::string& path) = 0;
  virtual SysResult close(int fd) = 0;
  /// `argument` is a structure of abi.h that is in place as long as its own size member says.
  virtual SysResult ioctl(int fd, std::uint32_t request, void* argument) = 0;
  /// Never waits: descriptors of iommufd don't. value is the bytes.
  virtual SysResult read(int fd, void* data, std::size_t bytes) = 0;
  virtual SysResult write(int fd, const void* data, std::size_t bytes) = 0;
  /// value is 1 if a read would give something, 0 if not; does not wait.
  virtual SysResult poll(int fd) = 0;
  /// Maps shared memory of a descriptor for reading and writing; value is the address.
  virtual SysResult mmap(int fd, std::uint64_t offset, std::uint64_t bytes) = 0;
  virtual SysResult munmap(std::uint64_t address, std::uint64_t bytes) = 0;

  /// The names in a directory, sorted, into `names`.
  virtual SysResult list(const std::string& path, std::vector<std::string>& names) = 0;
  /// What a symbolic link says, into `target`.
  virtual SysResult read_link(const std::string& path, std::string& target) = 0;

  /// The address of guest memory as `user_va` of IOAS_MAP takes it. `host` is where this process has it; the simulated
  /// host, which has the guest's memory in SparseMemory, uses `physical` instead.
  virtual std::uint64_t user_va(const void* host, std::uint64_t physical) const = 0;

  virtual CallTime call_time(std::uint32_t /*request*/) const { return {}; }

  /// Numbers of pieces of work: issued so far, and done of these, in order. Without simulated time both are equal.
  virtual std::uint64_t work_issued() const { return 0; }
  virtual std::uint64_t work_done() const { return 0; }
  /// `listener` is called, from within the Engine or a call, when work_done() has grown or a descriptor may have become
  /// readable. It may not make calls from within; let it open a Gate. Returns a number for remove_listener().
  virtual std::uint64_t add_listener(std::function<void()> /*listener*/) { return 0; }
  virtual void remove_listener(std::uint64_t /*number*/) {}
};

}  // namespace smmusim::host

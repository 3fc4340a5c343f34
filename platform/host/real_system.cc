// SPDX-License-Identifier: MIT
// The system calls; see the header.
#include "platform/host/real_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>

namespace smmusim::host {
namespace {

constexpr int interruptions_max = 100;

/// The result of `call`, which returns -1 and sets errno where it fails; made again while signals interrupt it.
template <class Call>
SysResult result_of(const Call& call) {
  for (int i = 0;; ++i) {
    const auto value = static_cast<std::int64_t>(call());
    if (value >= 0) return {value, 0};
    if (errno != EINTR || i == interruptions_max) return {-1, errno};
  }
}

}  // namespace

SysResult RealSystem::open(const std::string& path) {
  return result_of([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); });
}

SysResult RealSystem::close(int fd) {
  // Not again: after EINTR Linux has closed it.
  return ::close(fd) == 0 ? SysResult{} : SysResult{-1, errno};
}

SysResult RealSystem::ioctl(int fd, std::uint32_t request, void* argument) {
  const auto start = std::chrono::steady_clock::now();
  const SysResult result = result_of([&] { return ::ioctl(fd, static_cast<unsigned long>(request), argument); });
  const auto spent = std::chrono::steady_clock::now() - start;
  constexpr Time ps_per_ns = 1000;
  CallTime& time = times_[request];
  ++time.count;
  time.total += static_cast<Time>(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count()) * ps_per_ns;
  return result;
}

SysResult RealSystem::read(int fd, void* data, std::size_t bytes) {
  return result_of([&] { return ::read(fd, data, bytes); });
}

SysResult RealSystem::write(int fd, const void* data, std::size_t bytes) {
  return result_of([&] { return ::write(fd, data, bytes); });
}

SysResult RealSystem::poll(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  const SysResult result = result_of([&] { return ::poll(&wanted, 1, 0); });
  if (!result.ok()) return result;
  if ((wanted.revents & POLLNVAL) != 0) return {-1, EBADF};
  return {(wanted.revents & POLLIN) != 0 ? 1 : 0, 0};
}

SysResult RealSystem::mmap(int fd, std::uint64_t offset, std::uint64_t bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (address == MAP_FAILED) return {-1, errno};
  return {static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address)), 0};
}

SysResult RealSystem::munmap(std::uint64_t address, std::uint64_t bytes) {
  return result_of([&] { return ::munmap(reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), bytes); });
}

SysResult RealSystem::list(const std::string& path, std::vector<std::string>& names) {
  names.clear();
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return {-1, errno};
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int error = errno;
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return {static_cast<std::int64_t>(names.size()), error};
}

SysResult RealSystem::read_link(const std::string& path, std::string& target) {
  char text[PATH_MAX];
  const SysResult result = result_of([&] { return ::readlink(path.c_str(), text, sizeof text); });
  if (result.ok()) target.assign(text, static_cast<std::size_t>(result.value));
  return result;
}

std::uint64_t RealSystem::user_va(const void* host, std::uint64_t /*physical*/) const {
  return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(host));
}

CallTime RealSystem::call_time(std::uint32_t request) const {
  const auto found = times_.find(request);
  return found == times_.end() ? CallTime{} : found->second;
}

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// Names of errnos and what a HostError says.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "platform/host/ioctl_log.h"
#include "platform/host/result.h"

namespace smmusim::host {
namespace {

struct ErrnoName {
  int number;
  std::string_view name;
};

constexpr ErrnoName names[] = {
    {EPERM, "EPERM"},           {ENOENT, "ENOENT"},
    {EINTR, "EINTR"},           {EIO, "EIO"},
    {ENXIO, "ENXIO"},           {E2BIG, "E2BIG"},
    {EBADF, "EBADF"},           {EAGAIN, "EAGAIN"},
    {ENOMEM, "ENOMEM"},         {EACCES, "EACCES"},
    {EFAULT, "EFAULT"},         {EBUSY, "EBUSY"},
    {EEXIST, "EEXIST"},         {ENODEV, "ENODEV"},
    {ENOTDIR, "ENOTDIR"},       {EISDIR, "EISDIR"},
    {EINVAL, "EINVAL"},         {EMFILE, "EMFILE"},
    {ENOTTY, "ENOTTY"},         {ENOSPC, "ENOSPC"},
    {ESPIPE, "ESPIPE"},         {EROFS, "EROFS"},
    {EPROTO, "EPROTO"},         {EOVERFLOW, "EOVERFLOW"},
    {EOPNOTSUPP, "EOPNOTSUPP"}, {EMSGSIZE, "EMSGSIZE"},
    {EADDRINUSE, "EADDRINUSE"}, {ERANGE, "ERANGE"},
    {ELOOP, "ELOOP"},           {ENAMETOOLONG, "ENAMETOOLONG"},
};

}  // namespace

std::string errno_name(int error) {
  for (const ErrnoName& row : names) {
    if (row.number == error) return std::string(row.name);
  }
  return fmt::format("errno {}", error);
}

std::string describe(const HostError& error) {
  if (!error.detail.empty()) return fmt::format("{}: the host's answer makes no sense: {}", error.call, error.detail);
  return fmt::format("{}: {} ({})", error.call, errno_name(error.error), std::strerror(error.error));
}

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// GuestSpace; see the header.
#include "platform/nested/guest_space.h"

#include <algorithm>

namespace smmusim::nested {

host::Result<std::unique_ptr<GuestSpace>> GuestSpace::open(host::HostSystem& system,
                                                           std::shared_ptr<host::IoctlLog> log) {
  auto iommufd = host::Iommufd::open(system, std::move(log));
  if (!iommufd) return iommufd.error();
  auto ioas = (*iommufd)->alloc_ioas();
  if (!ioas) return ioas.error();
  return std::unique_ptr<GuestSpace>(new GuestSpace(*iommufd, *ioas));
}

host::Status GuestSpace::map(const GuestRam& ram) {
  host::Status status = ioas_->map(ram.base, ram.user_va, ram.bytes);
  if (status) ram_.push_back(ram);
  return status;
}

host::Status GuestSpace::map_zeroes(std::uint64_t ipa, std::uint64_t user_va, std::uint64_t bytes) {
  constexpr bool writeable = false;
  host::Status status = ioas_->map(ipa, user_va, bytes, writeable);
  if (status) zeroes_ = ipa;
  return status;
}

bool GuestSpace::holds(std::uint64_t ipa, std::uint64_t bytes) const {
  return std::any_of(ram_.begin(), ram_.end(), [&](const GuestRam& ram) {
    return ipa >= ram.base && ipa - ram.base < ram.bytes && bytes <= ram.bytes - (ipa - ram.base);
  });
}

}  // namespace smmusim::nested

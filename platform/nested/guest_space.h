// SPDX-License-Identifier: MIT
// GuestSpace: a guest's physical memory on the host, for all of its accelerated SMMUs: one IOAS into which its RAM is
// mapped at its own addresses (IPA = IOVA), and a page of zeroes beside it that belongs to the monitor. Not for
// streams: they are vsmmu.h's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/host/iommufd.h"

namespace smmusim::nested {

/// [base, base + bytes) of the guest's physical addresses is RAM, `user_va` to IOAS_MAP.
struct GuestRam {
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  std::uint64_t user_va = 0;
};

class GuestSpace {
 public:
  /// Opens /dev/iommu and makes the IOAS.
  static host::Result<std::unique_ptr<GuestSpace>> open(host::HostSystem& system, std::shared_ptr<host::IoctlLog> log);

  /// Maps RAM. The IOAS's allowed ranges, its MSI window among what they leave out, are the host's to enforce.
  host::Status map(const GuestRam& ram);
  /// Maps one page of the monitor, all zero for good, at `ipa`, read-only: what the trap of vsmmu.h needs.
  host::Status map_zeroes(std::uint64_t ipa, std::uint64_t user_va, std::uint64_t bytes);
  std::optional<std::uint64_t> zeroes() const { return zeroes_; }

  /// Whether the guest has RAM at all of these addresses.
  bool holds(std::uint64_t ipa, std::uint64_t bytes) const;

  const host::IommufdPtr& iommufd() { return iommufd_; }
  const host::IoasPtr& ioas() { return ioas_; }
  host::HostSystem& system() { return iommufd_->host(); }

 private:
  GuestSpace(host::IommufdPtr iommufd, host::IoasPtr ioas) : iommufd_(std::move(iommufd)), ioas_(std::move(ioas)) {}

  host::IommufdPtr iommufd_;
  host::IoasPtr ioas_;
  std::vector<GuestRam> ram_;
  std::optional<std::uint64_t> zeroes_;
};

}  // namespace smmusim::nested

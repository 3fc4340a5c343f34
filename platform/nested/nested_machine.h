// SPDX-License-Identifier: MIT
// NestedMachine: the monitor's side of a machine whose SMMUs are accelerated: the guest's address space on the host, a
// Vsmmu for each SMMU, and every endpoint as a bound device. Before the guest's SMMUs exist it is asked what they may
// claim; once they do, it serves them.
#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/config/platform_config.h"
#include "platform/host/iommufd.h"
#include "platform/nested/vsmmu.h"

namespace smmusim::nested {

/// The host lacks what was asked for, or refuses it.
struct HostRefusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class NestedMachine {
 public:
  /// Opens the host and binds the device of every endpoint. `config.endpoints` is complete. Throws HostRefusal naming
  /// the call and its errno.
  NestedMachine(Engine& engine, host::HostSystem& system, const PlatformConfig& config,
                std::shared_ptr<host::IoctlLog> log);

  /// `config` with the features that its SMMUs may claim on this host, and with what the host reports of each device.
  /// Throws InputError, all that does not fit at once.
  PlatformConfig resolved(const PlatformConfig& config) const;

  /// Maps RAM and the page of zeroes. Throws HostRefusal.
  void map(std::span<const GuestRam> ram, const GuestRam& zeroes);
  /// Serves SMMU `index` of a resolved configuration, with its devices behind it. Throws HostRefusal.
  void serve(std::size_t index, Smmu& guest, const PlatformConfig& config);

  Vsmmu& vsmmu(std::size_t index) { return *vsmmus_[index]; }
  std::size_t vsmmus() const { return vsmmus_.size(); }
  const host::IoctlLog& log() const { return *log_; }
  const host::HostSystem& system() const { return system_; }

 private:
  host::HostSystem& system_;
  std::shared_ptr<host::IoctlLog> log_;
  std::unique_ptr<GuestSpace> space_;
  std::vector<std::unique_ptr<Vsmmu>> vsmmus_;
  std::vector<BoundDevice> devices_;  // in the order of the endpoints
};

}  // namespace smmusim::nested

// SPDX-License-Identifier: MIT
// The archive that the guest starts from: busybox, modules, scripts, and what the scripts need to know.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "platform/cosim/linux/devices.h"
#include "platform/cosim/linux/disk_image.h"
#include "platform/cosim/linux/modules.h"

namespace smmusim::cosim {

struct InitramfsParts {
  std::string busybox;  ///< the program's bytes
  std::vector<LoadedModule> modules{};
  std::span<const Device> devices{};
  const DiskPlan* disk = nullptr;  ///< null: no device is a disk
  std::string script{};
};

std::string make_initramfs(const InitramfsParts& parts);

}  // namespace smmusim::cosim

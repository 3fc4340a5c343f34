// SPDX-License-Identifier: MIT
// What a configuration becomes on its host, before anything of the machine is built: which host it is, and what the
// accelerated SMMUs may claim on it.
#pragma once

#include <string>

#include "platform/config/platform_config.h"

namespace smmusim::nested {

/// `config`, whose endpoints are complete, with host.mode none or simulated and with features and reports of the host.
/// Without accelerated SMMUs: as it is. Throws InputError for what does not fit the host, HostRefusal if the host was
/// asked for by name (hardware) and is not there or can't be used by this version.
PlatformConfig on_its_host(const PlatformConfig& config);

}  // namespace smmusim::nested

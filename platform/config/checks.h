// SPDX-License-Identifier: MIT
// The checks that look at more than one value: does the resolved configuration fit together, do the architecture's
// rules hold, does this version support it. Private to platform/config.
#pragma once

#include <functional>

#include "platform/config/settings.h"

namespace smmusim {

/// Where a key of a part was set last; for messages.
using WhereSet = std::function<Where(const Part&, std::string_view key)>;

/// Adds every mistake of `config` to `problems`.
void check_config(const PlatformConfig& config, ConfigUse use, const WhereSet& where_set, Problems& problems);

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// What the guest of nested streams may name: the intermediate addresses that the stage 2 below them maps to
// themselves, and whether the tables for that stay small. Decides; building is MachineSetup's.
#pragma once

#include <vector>

#include "platform/config/platform_config.h"
#include "platform/driver/geometry.h"
#include "platform/driver/identity_map.h"
#include "platform/nested/guest_space.h"
#include "platform/player/play_plan.h"

namespace smmusim {

/// The shape of the driver's stage-2 tables: as Linux, input and output addresses of as many bits as the SMMUs' output
/// addresses, at most 48, and a concatenated first table where that saves a level.
Geometry stage2_geometry(const PlatformConfig& config);

/// Main memory and doorbells, in whole pages: where a trace's outputs are expected. With a host main memory alone.
std::vector<ReservedMemory::Range> usual_outputs(const PlatformConfig& config);

/// Main memory up to the end of what the trace's devices and the driver's `tables` use of it, the doorbells, and the
/// plan's unusual pages. Throws InputError if the plan has too many of these to know them all.
std::vector<IdentityRange> guest_addresses(const PlatformConfig& config, const PlayPlan& plan,
                                           const ReservedMemory& tables);

/// With a host: main memory as guest_addresses() has it, in pages of the host. Throws InputError for outputs that are
/// neither there nor doorbells, which the host's stage 2 has no memory for.
std::vector<nested::GuestRam> guest_ram(const PlatformConfig& config, const PlayPlan& plan,
                                        const ReservedMemory& tables);

/// With a host: the pages of doorbells that the plan outputs to.
std::vector<std::uint64_t> doorbell_pages(const PlatformConfig& config, const PlayPlan& plan);

/// Throws InputError naming driver.stage2_leaf if `ranges` need more than 256 MiB of tables, all SMMUs together.
void require_small_tables(const PlatformConfig& config, const std::vector<IdentityRange>& ranges);

}  // namespace smmusim

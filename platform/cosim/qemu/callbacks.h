// SPDX-License-Identifier: MIT
// What QEMU calls: C functions around Machine, the types that QEMU gets to know, and their registration.
#pragma once

#include "platform/cosim/device/cosim_smmu.h"
#include "platform/cosim/qemu/symbols.h"

namespace smmusim::cosim::qemu {

/// The type of a PCI function's memory region in QEMU's object model.
inline constexpr const char* region_type = "smmusim-iommu-region";

/// Types, and the moments at which QEMU tells us: machine complete, reset, exit.
void register_callbacks(const Symbols& qemu);

const RegionOps* frame_callbacks();
AddressSpace* address_space_of_function(PciBus* bus, void* opaque, int devfn);

/// As QEMU's devices get it. `kind` is one of the notifications that a device can ask for.
TlbEvent unmap_event(const Symbols& qemu, const Unmapped& range, int kind);

}  // namespace smmusim::cosim::qemu

// SPDX-License-Identifier: MIT
// The device-tree source of a configured platform: memory, interrupt controller, SMMUs (Linux binding
// iommu/arm,smmu-v3.yaml) and the PCIe root complex (pci/host-generic-pci.yaml, pci/pci-iommu.txt). A text and nothing
// else; which values stand in it is decided in layout.h.
#pragma once

#include <string>

#include "platform/config/platform_config.h"

namespace smmusim::emit {

/// A whole source file that dtc compiles as it is. Processors are left out: the platform has none. Throws InputError as
/// layout_of() and require_room() do.
std::string device_tree_source(const PlatformConfig& config);

/// Nodes to append to the device-tree source of QEMU's virt machine (gic-version=3, no iommu=): the SMMUs, and the map
/// from its PCIe functions to them. Memory, doorbells and PCIe windows are the machine's own, whatever the
/// configuration says. Throws InputError as layout_of() does, and for a register frame where virt has something.
std::string virt_machine_nodes(const PlatformConfig& config);

}  // namespace smmusim::emit

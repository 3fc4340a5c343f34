// SPDX-License-Identifier: MIT
// Places that `config emit` has to name and that no configuration key gives: the interrupt controller, the PCIe windows
// and interrupt numbers. They follow QEMU's virt machine where it has the same part. Of these the platform decodes the
// PCIe windows alone.
#pragma once

#include <cstdint>

namespace smmusim::emit::address_map {

/// GICv3. Its doorbells are msi.base and msi.size; the ITS is the last 128 KiB of them, as in QEMU's virt machine.
inline constexpr std::uint64_t gic_distributor_base = 0x0800'0000;
inline constexpr std::uint64_t gic_distributor_bytes = 0x1'0000;
inline constexpr std::uint64_t gic_redistributors_base = 0x080a'0000;
inline constexpr std::uint64_t gic_redistributors_bytes = 0xf6'0000;
inline constexpr std::uint64_t its_bytes = 0x2'0000;  ///< control frame and translation frame of 64 KiB each
inline constexpr std::uint32_t its_id = 0;            ///< the MADT's GIC ITS ID

/// Memory window of the root complex: bus addresses equal CPU addresses, 32 bits, not prefetchable.
inline constexpr std::uint64_t pcie_window_base = 0x1000'0000;
inline constexpr std::uint64_t pcie_window_bytes = 0x2000'0000;
/// Configuration space: 1 MiB a bus, all 256 buses, because an endpoint may have any RID.
inline constexpr std::uint64_t pcie_ecam_base = 0x3000'0000;
inline constexpr std::uint64_t pcie_ecam_bytes = 0x1000'0000;
inline constexpr std::uint32_t pcie_segment = 0;
inline constexpr unsigned pcie_address_bits = 64;  ///< of what the root complex sends

/// Shared peripheral interrupts: four for each SMMU, in this order. The INTID (and the GSIV of ACPI) of SPI n is n
/// + 32.
inline constexpr unsigned first_smmu_spi = 74;
inline constexpr unsigned spis_of_smmu = 4;
inline constexpr unsigned eventq_spi = 0;
inline constexpr unsigned priq_spi = 1;
inline constexpr unsigned cmdq_sync_spi = 2;
inline constexpr unsigned gerror_spi = 3;
inline constexpr unsigned last_spi = 987;  ///< INTID 1019
inline constexpr unsigned spi_to_intid = 32;

/// The ITS knows a PCIe function by its RID. An SMMU's own messages have DeviceIDs above all RIDs.
inline constexpr std::uint32_t first_smmu_device_id = 0x1'0000;
/// QEMU's ITS has 16 bits of DeviceID: there an SMMU takes one of a bus that virt does not fill.
inline constexpr std::uint32_t first_smmu_device_id_of_virt = 0xff00;

}  // namespace smmusim::emit::address_map

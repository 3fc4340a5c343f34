// SPDX-License-Identifier: MIT
// The machine that both sides simulate: where RAM, the SMMU, the queues and the
// DMA devices are. The QEMU side is QEMU's "virt" board with one arm-smmuv3;
// addresses follow from its memory map. Nothing here is architecture.
#pragma once

#include <array>
#include <cstdint>

namespace smmusim::peer {

inline constexpr std::uint64_t ram_base = 0x40000000;
inline constexpr std::uint64_t ram_bytes = std::uint64_t{8} << 30;
/// Below RAM lie the board's devices and flash, which the model does not have;
/// above RAM nothing answers.
inline constexpr std::uint64_t devices_end = ram_base;

inline constexpr std::uint64_t smmu_base = 0x0c000000;   ///< first slot of the platform bus
inline constexpr std::uint64_t ecam_base = 0x3f000000;   ///< PCI configuration space without highmem-ecam
inline constexpr std::uint64_t bar_base = 0x10100000;    ///< BAR 0 of device n: bar_base + n * bar_stride
inline constexpr std::uint64_t bar_stride = 0x00100000;  ///< as large as edu's BAR

/// QEMU puts a device tree at the start of RAM when it resets; nothing of ours stands in the first 4 MiB.
inline constexpr std::uint64_t command_queue = ram_base + 0x400000;
inline constexpr unsigned command_queue_log2 = 8;
inline constexpr std::uint64_t event_queue = command_queue + 0x1000;
inline constexpr unsigned event_queue_log2 = 7;
inline constexpr std::uint64_t scratch =
    command_queue + 0x2000;  ///< where a reading device is made to put what it read

/// Queues of scenarios, which have sizes of their own.
inline constexpr std::uint64_t scenario_command_queue = command_queue + 0x10000;
inline constexpr std::uint64_t scenario_event_queue = command_queue + 0x20000;
inline constexpr std::uint64_t nowhere = std::uint64_t{1} << 40;  ///< nothing answers there

/// Where a case puts its structures and data: below 4 GiB, above it, and near
/// the end of RAM.
struct Arena {
  std::uint64_t base;
  std::uint64_t bytes;
};
inline constexpr std::array<Arena, 3> arenas{
    {{0x42000000, 0x800000}, {0x140000000, 0x800000}, {0x23f000000, 0x800000}}};

/// A PCI function on bus 0 that makes DMA. Writers are QEMU's iommu-testdev,
/// which only writes; readers are its edu.
struct Device {
  std::uint32_t sid;  ///< StreamID: bus, device and function number
  bool reads;
};
inline constexpr std::array<Device, 8> devices{{{0x08, false},
                                                {0x30, false},
                                                {0x33, false},
                                                {0x98, false},
                                                {0xf0, false},
                                                {0x10, true},
                                                {0x58, true},
                                                {0xe0, true}}};

}  // namespace smmusim::peer

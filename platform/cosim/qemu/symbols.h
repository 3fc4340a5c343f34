// SPDX-License-Identifier: MIT
// The functions of QEMU that we call, found by name in the running program, and what differs between its versions.
#pragma once

#include <cstdint>
#include <string>

#include "platform/cosim/qemu/abi.h"

namespace smmusim::cosim::qemu {

/// One row a function: the type of its result, its name in QEMU, its parameters.
#define SMMUSIM_QEMU_FUNCTIONS(ROW)                                                                                   \
  ROW(void, qemu_add_machine_init_done_notifier, Notifier*)                                                           \
  ROW(void, qemu_add_exit_notifier, Notifier*)                                                                        \
  ROW(void, qemu_register_reset, void (*)(void*), void*)                                                              \
  ROW(Object*, object_resolve_path_type, const char* path, const char* type, bool* ambiguous)                         \
  ROW(void*, type_register_static, const TypeInfo*)                                                                   \
  ROW(MemoryRegion*, get_system_memory)                                                                               \
  ROW(void, memory_region_init_io, void* region, Object*, const RegionOps*, void* opaque, const char*, std::uint64_t) \
  ROW(void, memory_region_add_subregion_overlap, MemoryRegion*, std::uint64_t offset, void* region, int priority)     \
  ROW(void, memory_region_init_iommu, void* region, std::size_t, const char* type, Object*, const char*,              \
      std::uint64_t)                                                                                                  \
  ROW(RegionSection, memory_region_find, MemoryRegion*, std::uint64_t address, std::uint64_t size)                    \
  ROW(std::uint64_t, memory_region_get_ram_addr, MemoryRegion*)                                                       \
  ROW(void*, memory_region_get_ram_ptr, MemoryRegion*)                                                                \
  ROW(void, memory_region_notify_iommu, void* region, int index, TlbEvent)                                            \
  ROW(void, address_space_init, void* space, void* region, const char* name)                                          \
  ROW(void*, address_space_map, AddressSpace*, std::uint64_t, std::uint64_t* size, bool writes, TxAttributes)         \
  ROW(void, address_space_unmap, AddressSpace*, void*, std::uint64_t size, bool writes, std::uint64_t accessed)       \
  ROW(std::uint32_t, address_space_write, AddressSpace*, std::uint64_t, TxAttributes, const void*, std::uint64_t)     \
  ROW(void, address_space_stl_le, AddressSpace*, std::uint64_t, std::uint32_t, TxAttributes, std::uint32_t* result)   \
  ROW(int, pci_bus_num, PciBus*)                                                                                      \
  ROW(Irq*, qdev_get_gpio_in, Object*, int)                                                                           \
  ROW(void, qemu_set_irq, Irq*, int level)                                                                            \
  ROW(void*, qemu_bh_new_full, void (*)(void*), void* opaque, const char* name, void* guard)                          \
  ROW(void, qemu_bh_schedule, void*)                                                                                  \
  ROW(std::int64_t, qemu_clock_get_ns, int)                                                                           \
  ROW(void, error_setg_internal, Error**, const char* file, int line, const char* function, const char* format, ...)  \
  ROW(void, qemu_log, const char* format, ...)

struct Symbols {
#define SMMUSIM_MEMBER(result, name, ...) result (*name)(__VA_ARGS__) = nullptr;
  SMMUSIM_QEMU_FUNCTIONS(SMMUSIM_MEMBER)
#undef SMMUSIM_MEMBER
  VersionInfo* (*qmp_query_version)(Error**) = nullptr;
  AddressSpace* address_space_memory = nullptr;
  void* pci_setup_iommu = nullptr;  ///< set_up_pci() knows how to call it

  std::int64_t major = 0;
  std::int64_t minor = 0;

  std::string version() const;
  /// Makes QEMU ask `address_space_of` for the address space of each function behind `bus`.
  void set_up_pci(Object* bus, AddressSpace* (*address_space_of)(PciBus*, void* opaque, int devfn), void* opaque) const;
  /// Of a write by the requester with this id.
  TxAttributes requester(std::uint16_t id) const;
};

/// Of -plugin: a version that the running program's QEMU takes.
int plugin_interface_version();

/// Looks all of them up. Throws MissingSymbols if the program has not all of them, or is of a version whose structures
/// are not known.
const Symbols& find_symbols();

/// what() names QEMU's version, what is missing and what would work.
struct MissingSymbols {
  std::string text;
};

}  // namespace smmusim::cosim::qemu

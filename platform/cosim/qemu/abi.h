// SPDX-License-Identifier: MIT
// Facts about the binary interface of qemu-system-aarch64 on x86-64 and arm64 Linux hosts: what its structures look
// like from outside. Where versions differ, symbols.h says which is there. No declaration is QEMU's own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smmusim::cosim::qemu {

// Opaque: only QEMU looks inside.
struct Object;
struct AddressSpace;
struct MemoryRegion;
struct PciBus;
struct Irq;
struct Error;

/// MemTxAttrs, at most 8 bytes and passed in a register.
struct TxAttributes {
  std::uint64_t bits = 0;
};

struct Notifier {
  void (*notify)(Notifier* notifier, void* data);
  void* links[2];
};

/// MemoryRegionOps. All sizes in bytes; zero is QEMU's default.
struct RegionOps {
  std::uint64_t (*read)(void* opaque, std::uint64_t offset, unsigned size);
  void (*write)(void* opaque, std::uint64_t offset, std::uint64_t value, unsigned size);
  void* read_with_attrs;
  void* write_with_attrs;
  int endianness;
  struct {
    unsigned min, max;
    bool unaligned;
    void* accepts;
  } valid;
  struct {
    unsigned min, max;
    bool unaligned;
  } impl;
};
inline constexpr int little_endian = 2;

/// TypeInfo: a class of QEMU's object model.
struct TypeInfo {
  const char* name;
  const char* parent;
  std::size_t instance_size;  // 0: the parent's
  std::size_t instance_align;
  void (*instance_init)(Object*);
  void (*instance_post_init)(Object*);
  void (*instance_finalize)(Object*);
  bool is_abstract;
  std::size_t class_size;  // 0: the parent's
  void (*class_init)(void* type, void* data);
  void (*class_base_init)(void* type, void* data);
  void* class_data;
  void* interfaces;
};

/// IOMMUAccessFlags
inline constexpr int access_none = 0;
inline constexpr int access_read = 1;
inline constexpr int access_write = 2;

/// IOMMUTLBEntry. `pasid` exists since 10.1; before, it is padding.
struct TlbEntry {
  AddressSpace* target;
  std::uint64_t iova;
  std::uint64_t output;
  std::uint64_t mask;
  int access;
  std::uint32_t pasid;
};
static_assert(sizeof(TlbEntry) == 40);
inline constexpr std::uint32_t no_pasid = ~std::uint32_t{0};

/// IOMMUTLBEvent
struct TlbEvent {
  int kind;
  TlbEntry entry;
};
inline constexpr int notify_unmap = 1;         // IOMMU_NOTIFIER_UNMAP, also a TlbEvent's kind
inline constexpr int notify_device_unmap = 4;  // IOMMU_NOTIFIER_DEVIOTLB_UNMAP: the same, for who has ATS switched on

/// The members that we fill of IOMMUMemoryRegionClass, which begins with its parent's 96 bytes.
struct IommuRegionClass {
  std::byte parent[96];
  TlbEntry (*translate)(void* region, std::uint64_t address, int access, int index);
  std::uint64_t (*get_min_page_size)(void* region);
  int (*notify_flag_changed)(void* region, int before, int after, Error** error);
};

/// PCIIOMMUOps since 9.0, longer than any version's; what is not filled is an absent callback. get_address_space is the
/// first, since 11.0 the second.
struct PciIommuOps {
  AddressSpace* (*callbacks[32])(PciBus* bus, void* opaque, int devfn);
};

/// MemoryRegionSection, as memory_region_find returns it; longer than any version's.
struct alignas(16) RegionSection {
  std::uint64_t size_low, size_high;
  MemoryRegion* region;
  void* view;
  std::uint64_t offset_in_region;
  std::uint64_t offset_in_space;
  bool readonly;
  std::byte rest[71];
};

/// qemu_info_t of the plugin interface: we look at nothing in it.
struct PluginInfo;

/// VersionInfo of qmp_query_version.
struct VersionInfo {
  struct Triple {
    std::int64_t major, minor, micro;
  } * version;
  const char* package;
};

// Room for objects of QEMU that we allocate: more than any version needs. QEMU checks the first against its own size.
inline constexpr std::size_t region_bytes = 2048;
inline constexpr std::size_t address_space_bytes = 1024;

/// QEMU_CLOCK_VIRTUAL
inline constexpr int virtual_clock = 1;

}  // namespace smmusim::cosim::qemu

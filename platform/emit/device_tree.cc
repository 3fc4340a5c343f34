// SPDX-License-Identifier: MIT
// The device-tree source; see the header. Nodes of the SMMUs and the root complex can be copied into the tree of
// another machine: they refer to it by the labels gic and its only.
#include "platform/emit/device_tree.h"

#include <fmt/format.h>

#include "platform/config/load.h"
#include "platform/config/version.h"
#include "platform/emit/address_map.h"
#include "platform/emit/layout.h"

namespace smmusim::emit {
namespace {

constexpr unsigned spi = 0;          // first cell of a GIC interrupt specifier
constexpr unsigned edge_rising = 1;  // its third cell

/// A 64-bit number as two cells.
std::string cells(std::uint64_t value) {
  return fmt::format("0x{:x} 0x{:x}", value >> 32, value & 0xffff'ffff);
}

std::string cells(const Region& region) {
  return cells(region.base) + " " + cells(region.bytes);
}

std::string header() {
  return fmt::format(
      "// Written by smmusim {} (config emit --dts). The platform has no processors: add them, or copy the nodes\n"
      "// smmu* and pcie into the tree of a machine whose GICv3 has the labels gic and its.\n"
      "/dts-v1/;\n"
      "\n"
      "/ {{\n"
      "\tmodel = \"smmusim\";\n"
      "\tcompatible = \"smmusim,platform\";\n"
      "\t#address-cells = <2>;\n"
      "\t#size-cells = <2>;\n"
      "\tinterrupt-parent = <&gic>;\n",
      program_version);
}

std::string memory_node(const Region& memory) {
  return fmt::format(
      "\n"
      "\tmemory@{:x} {{\n"
      "\t\tdevice_type = \"memory\";\n"
      "\t\treg = <{}>;\n"
      "\t}};\n",
      memory.base, cells(memory));
}

std::string its_node(const Region& its) {
  return fmt::format(
      "\n"
      "\t\tits: msi-controller@{:x} {{\n"
      "\t\t\tcompatible = \"arm,gic-v3-its\";\n"
      "\t\t\treg = <{}>;\n"
      "\t\t\tmsi-controller;\n"
      "\t\t\t#msi-cells = <1>;\n"
      "\t\t}};\n",
      its.base, cells(its));
}

std::string gic_node(const Layout& layout) {
  const Region distributor{address_map::gic_distributor_base, address_map::gic_distributor_bytes};
  const Region redistributors{address_map::gic_redistributors_base, address_map::gic_redistributors_bytes};
  return fmt::format(
             "\n"
             "\tgic: interrupt-controller@{:x} {{\n"
             "\t\tcompatible = \"arm,gic-v3\";\n"
             "\t\treg = <{}>,\n"
             "\t\t      <{}>;\n"
             "\t\tinterrupt-controller;\n"
             "\t\t#interrupt-cells = <3>;\n"
             "\t\t#address-cells = <2>;\n"
             "\t\t#size-cells = <2>;\n"
             "\t\tranges;\n",
             distributor.base, cells(distributor), cells(redistributors)) +
         (layout.its ? its_node(*layout.its) : "") + "\t};\n";
}

/// `interrupts` and `interrupt-names` in the binding's order; the PRI queue has one only if it exists.
std::string interrupts_of(const SmmuPlace& smmu) {
  struct Wire {
    const char* name;
    unsigned which;
    bool present;
  };
  const Wire wires[] = {
      {"eventq", address_map::eventq_spi, true},
      {"gerror", address_map::gerror_spi, true},
      {"priq", address_map::priq_spi, smmu.pri},
      {"cmdq-sync", address_map::cmdq_sync_spi, true},
  };
  std::string specifiers, names;
  for (const Wire& wire : wires) {
    if (!wire.present) continue;
    const char* separator = names.empty() ? "" : ", ";
    specifiers += fmt::format("{}<{} {} {}>", separator, spi, smmu.spi(wire.which), edge_rising);
    names += fmt::format("{}\"{}\"", separator, wire.name);
  }
  return "\t\tinterrupts = " + specifiers + ";\n\t\tinterrupt-names = " + names + ";\n";
}

std::string smmu_node(const SmmuPlace& smmu, std::size_t index) {
  std::string node = fmt::format(
      "\n"
      "\tsmmu{}: iommu@{:x} {{\n"
      "\t\tcompatible = \"arm,smmu-v3\";\n"
      "\t\treg = <{}>;\n",
      index, smmu.frame.base, cells(smmu.frame));
  node += interrupts_of(smmu);
  if (smmu.coherent) node += "\t\tdma-coherent;\n";
  if (smmu.msi) node += fmt::format("\t\tmsi-parent = <&its 0x{:x}>;\n", smmu.device_id);
  return node + "\t\t#iommu-cells = <1>;\n\t};\n";
}

std::string iommu_map(const Layout& layout) {
  std::string rows;
  for (const RidRange& range : layout.rids) {
    rows += fmt::format("{}<0x{:x} &smmu{} 0x{:x} 0x{:x}>", rows.empty() ? "" : ",\n\t\t\t    ", range.rid_base,
                        range.smmu, range.stream_base, range.count);
  }
  return "\t\tiommu-map = " + rows + ";\n";
}

std::string pcie_node(const Layout& layout) {
  constexpr std::uint32_t memory_32 = 0x0200'0000;  // phys.hi of PCI: 32-bit memory, not prefetchable
  const Region ecam{address_map::pcie_ecam_base, address_map::pcie_ecam_bytes};
  const Region window{address_map::pcie_window_base, address_map::pcie_window_bytes};
  std::string node = fmt::format(
      "\n"
      "\tpcie: pcie@{:x} {{\n"
      "\t\tcompatible = \"pci-host-ecam-generic\";\n"
      "\t\tdevice_type = \"pci\";\n"
      "\t\treg = <{}>;\n"
      "\t\tbus-range = <0x0 0x{:x}>;\n"
      "\t\tlinux,pci-domain = <{}>;\n"
      "\t\t#address-cells = <3>;\n"
      "\t\t#size-cells = <2>;\n"
      "\t\tranges = <0x{:x} {} {}>;\n"
      "\t\tdma-coherent;\n",
      ecam.base, cells(ecam), (ecam.bytes >> 20) - 1, address_map::pcie_segment, memory_32, cells(window.base),
      cells(window));
  node += iommu_map(layout);
  if (layout.its) node += "\t\tmsi-map = <0x0 &its 0x0 0x10000>;\n";
  if (layout.ats) node += "\t\tats-supported;\n";
  return node + "\t};\n";
}

/// What QEMU's virt machine has below its main memory; an SMMU's frame must keep away from it. The gaps that are left
/// are those that virt fills with an SMMU, or not at all.
constexpr Region virt_parts[] = {
    {0x0000'0000, 0x0905'0000},  // flash, GIC, UART, clock, GPIO
    {0x0907'0000, 0x0199'0000},  // hot-plug, PVTIME, virtio-mmio
    {0x0c00'0000, 0x3400'0000},  // platform bus, secure memory, PCIe
};

/// The configuration as it is in that machine: its doorbells and main memory are not the platform's.
Layout virt_layout(const PlatformConfig& config) {
  PlatformConfig here = config;
  here.msi = {};
  here.memory = {};
  Layout layout = layout_of(here);
  std::string problems;
  for (std::size_t i = 0; i != layout.smmus.size(); ++i) {
    SmmuPlace& smmu = layout.smmus[i];
    smmu.device_id = address_map::first_smmu_device_id_of_virt + static_cast<std::uint32_t>(i);
    bool free = smmu.frame.base < layout.memory.base && smmu.frame.bytes <= layout.memory.base - smmu.frame.base;
    for (const Region& part : virt_parts) free = free && !overlap(part, smmu.frame);
    if (free) continue;
    problems += fmt::format(
        "{}an SMMU's registers at 0x{:x} (0x{:x} bytes) overlap something of QEMU's virt machine; set smmu.frame_base "
        "to 0x9050000, or further ones from 0xb000000 on",
        problems.empty() ? "" : "\n", smmu.frame.base, smmu.frame.bytes);
  }
  if (!problems.empty()) throw InputError(problems);
  return layout;
}

}  // namespace

std::string virt_machine_nodes(const PlatformConfig& config) {
  const Layout layout = virt_layout(config);
  std::string text = fmt::format(
      "\n"
      "// Written by smmusim {} (config emit --dts --qemu-virt): append this to the source of QEMU's virt machine "
      "with\n"
      "// gic-version=3 (-machine dumpdtb=FILE, dtc -I dtb -O dts).\n"
      "its: &{{/intc@8000000/its@8080000}} {{}};\n"
      "\n"
      "/ {{",
      program_version);
  for (std::size_t i = 0; i != layout.smmus.size(); ++i) text += smmu_node(layout.smmus[i], i);
  text += "};\n\n&{/pcie@10000000} {\n" + iommu_map(layout);
  if (layout.ats) text += "\t\tats-supported;\n";
  return text + "};\n";
}

std::string device_tree_source(const PlatformConfig& config) {
  const Layout layout = layout_of(config);
  require_room(layout);
  std::string text = header() + memory_node(layout.memory) + gic_node(layout);
  for (std::size_t i = 0; i != layout.smmus.size(); ++i) text += smmu_node(layout.smmus[i], i);
  return text + pcie_node(layout) + "};\n";
}

}  // namespace smmusim::emit

// SPDX-License-Identifier: MIT
// QEMU's callbacks; see the header.
#include "platform/cosim/qemu/callbacks.h"

#include "platform/cosim/qemu/boundary.h"
#include "platform/cosim/qemu/machine.h"

namespace smmusim::cosim::qemu {
namespace {

Machine::FunctionSpace& function_of(void* region) {
  return *static_cast<Machine::FunctionSpace*>(region);
}

TlbEntry translate(void* region, std::uint64_t address, int access, int) {
  return guarded([&] { return Machine::instance().translate(function_of(region), address, access); });
}

int notify_flag_changed(void* region, int, int after, Error** error) {
  return guarded([&] { return Machine::instance().change_notifications(function_of(region), after, error); });
}

void init_region_class(void* type, void*) {
  auto* region_class = static_cast<IommuRegionClass*>(type);
  region_class->translate = translate;
  region_class->notify_flag_changed = notify_flag_changed;
}

void init_device(Object*) {
  guarded([] { Machine::instance().take_pci_bus(); });
}

std::uint64_t read_frame(void*, std::uint64_t offset, unsigned size) {
  return guarded([&] { return Machine::instance().read(offset, size); });
}

void write_frame(void*, std::uint64_t offset, std::uint64_t value, unsigned size) {
  guarded([&] { Machine::instance().write(offset, value, size); });
}

void machine_complete(Notifier*, void*) {
  guarded([] { Machine::instance().complete(); });
}

void reset(void*) {
  guarded([] { Machine::instance().reset(); });
}

void process_ends(Notifier*, void*) {
  guarded([] { Machine::instance().write_statistics(); });
}

}  // namespace

void register_callbacks(const Symbols& qemu) {
  static TypeInfo region{};
  region.name = region_type;
  region.parent = "iommu-memory-region";
  region.class_init = init_region_class;
  qemu.type_register_static(&region);
  static TypeInfo device{};
  device.name = device_type;
  device.parent = "device";
  device.instance_init = init_device;
  qemu.type_register_static(&device);
  static Notifier complete{machine_complete, {}};
  qemu.qemu_add_machine_init_done_notifier(&complete);
  static Notifier ends{process_ends, {}};
  qemu.qemu_add_exit_notifier(&ends);
  qemu.qemu_register_reset(reset, nullptr);
}

const RegionOps* frame_callbacks() {
  static const RegionOps callbacks = [] {
    RegionOps ops{};
    ops.read = read_frame;
    ops.write = write_frame;
    ops.endianness = little_endian;
    ops.valid.min = ops.impl.min = 4;
    ops.valid.max = ops.impl.max = 8;
    return ops;
  }();
  return &callbacks;
}

AddressSpace* address_space_of_function(PciBus* bus, void*, int devfn) {
  return guarded([&] { return Machine::instance().space_of(bus, devfn); });
}

TlbEvent unmap_event(const Symbols& qemu, const Unmapped& range, int kind) {
  return {kind, {qemu.address_space_memory, range.first, 0, range.mask, access_none, no_pasid}};
}

}  // namespace smmusim::cosim::qemu

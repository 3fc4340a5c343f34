// SPDX-License-Identifier: MIT
// The SMMU in QEMU's machine; see the header.
#include "platform/cosim/qemu/machine.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include "platform/config/load.h"
#include "platform/config/version.h"
#include "platform/cosim/qemu/boundary.h"
#include "platform/cosim/qemu/callbacks.h"
#include "platform/emit/address_map.h"
#include "platform/system/output.h"

namespace smmusim::cosim::qemu {
namespace {

// Never destroyed: at exit, threads of QEMU may still be in it, and its statistics are written last.
Machine* the_machine = nullptr;

constexpr std::uint64_t page_mask = 4095;

PlatformConfig load(const std::string& path) {
  ConfigSource source = read_config(path);
  return load_config(source);
}

/// Where Wire n is, counted from the SMMU's first SPI; SEV is none.
constexpr unsigned spi_of(Wire wire) {
  switch (wire) {
    case Wire::event_queue:
      return emit::address_map::eventq_spi;
    case Wire::pri_queue:
      return emit::address_map::priq_spi;
    case Wire::command_sync:
      return emit::address_map::cmdq_sync_spi;
    default:
      return emit::address_map::gerror_spi;
  }
}

CosimOptions cosim_options(const Options& options, const Symbols& qemu) {
  CosimOptions result;
  result.injection = options.injection;
  if (!options.record) return result;
  result.log = [&qemu](const std::string& lines) { qemu.qemu_log("%s", lines.c_str()); };
  result.time_ps = [&qemu] { return static_cast<std::uint64_t>(qemu.qemu_clock_get_ns(virtual_clock)) * 1000; };
  return result;
}

}  // namespace

Machine::Machine(const Options& options, const Symbols& qemu)
    : qemu_(qemu), options_(options), config_(load(options.config)) {
  if (config_.smmus.size() != 1) {
    throw InputError(
        fmt::format("{}: {} SMMUs; QEMU's machine has room for one", options.config, config_.smmus.size()));
  }
  smmu_ = std::make_unique<CosimSmmu>(config_.smmus.front().config, ram_, cosim_options(options, qemu));
}

void Machine::create(const Options& options) {
  const Symbols& qemu = find_symbols();
  if (the_machine != nullptr) {
    throw InputError(fmt::format("the SMMU is there already; give -plugin or the environment variable {}, not both",
                                 options_variable));
  }
  the_machine = new Machine(options, qemu);
  register_callbacks(qemu);
}

void Machine::create_preloaded(const Options& options) {
  const Symbols& qemu = find_symbols();
  if (qemu.major != 7) {
    throw MissingSymbols{fmt::format("{} can't take an SMMU by LD_PRELOAD; use -plugin", qemu.version())};
  }
  create(options);
}

Machine& Machine::instance() {
  return *the_machine;
}

void Machine::take_pci_bus() {
  // Asking QEMU for the properties of our device makes one more, at any time.
  if (pci_taken_ || bottom_half_ != nullptr) return;
  bool several = false;
  const Object* only = qemu_.object_resolve_path_type("", "pci-device", &several);
  if (only == nullptr && several) {
    end_process(exit_wrong_input,
                fmt::format("-device {} comes after a PCI device, which has its address space already; it must be the "
                            "first -device",
                            device_type));
  }
  Object* bus = qemu_.object_resolve_path_type("", "PCIE", nullptr);
  if (bus == nullptr) {
    end_process(exit_wrong_input, fmt::format("-device {}: the machine has no PCI Express bus, or already several; use "
                                              "-machine virt, and this as the first -device",
                                              device_type));
  }
  qemu_.set_up_pci(bus, address_space_of_function, nullptr);
  pci_taken_ = true;
}

void Machine::complete() {
  if (!pci_taken_) {
    end_process(exit_wrong_input, fmt::format("no PCI device would be behind the SMMU; give -device {} as the first "
                                              "-device",
                                              device_type));
  }
  ram_.discover(qemu_);
  const SmmuConfig& smmu = config_.smmus.front().config;
  qemu_.memory_region_init_io(frame_.data(), nullptr, frame_callbacks(), nullptr, device_type, smmu.frame_bytes);
  qemu_.memory_region_add_subregion_overlap(qemu_.get_system_memory(), smmu.frame_base.value, frame_.data(), 1);
  Object* gic = qemu_.object_resolve_path_type("", "arm-gicv3-common", nullptr);
  if (gic == nullptr) gic = qemu_.object_resolve_path_type("", "arm_gic_common", nullptr);
  if (gic == nullptr) {
    end_process(exit_wrong_input, "the machine has no GIC; use -machine virt,gic-version=3");
  }
  for (unsigned wire = 0; wire != wires; ++wire) {
    if (static_cast<Wire>(wire) == Wire::sev) continue;  // an event of processors, which QEMU's wait for as no-ops
    wires_[wire] = qemu_.qdev_get_gpio_in(
        gic, static_cast<int>(emit::address_map::first_smmu_spi + spi_of(static_cast<Wire>(wire))));
  }
  bottom_half_ = qemu_.qemu_bh_new_full([](void*) { guarded([] { instance().deliver_later_ones(); }); }, nullptr,
                                        device_type, nullptr);
}

AddressSpace* Machine::space_of(PciBus* bus, int devfn) {
  std::unique_ptr<FunctionSpace>& slot = functions_[{bus, devfn}];
  if (!slot) {
    slot = std::make_unique<FunctionSpace>();
    slot->bus = bus;
    slot->devfn = devfn;
    slot->name = fmt::format("{}-{}-{:02x}", device_type, functions_.size(), devfn);
    qemu_.memory_region_init_iommu(slot->region.data(), slot->region.size(), region_type, nullptr, slot->name.c_str(),
                                   ~std::uint64_t{0});
    qemu_.address_space_init(slot->space.data(), slot->region.data(), slot->name.c_str());
  }
  return reinterpret_cast<AddressSpace*>(slot->space.data());
}

TlbEntry Machine::translate(FunctionSpace& function, std::uint64_t address, int access) {
  // The bus number is the guest's to set, at any time.
  const StreamId stream(static_cast<std::uint32_t>((qemu_.pci_bus_num(function.bus) & 0xff) << 8 | function.devfn));
  const DeviceAccess kind = (access & access_write) != 0  ? DeviceAccess::write
                            : (access & access_read) != 0 ? DeviceAccess::read
                                                          : DeviceAccess::look;
  Consequences consequences;
  const Translation translation = smmu_->translate(stream, address, kind, consequences);
  if (!consequences.empty()) leave_to_main_loop(std::move(consequences));
  const int permitted = !translation.allowed
                            ? access_none
                            : (translation.readable ? access_read : 0) | (translation.writable ? access_write : 0);
  return {qemu_.address_space_memory, address & ~page_mask, translation.page, page_mask, permitted, no_pasid};
}

int Machine::change_notifications(FunctionSpace& function, int wanted, Error** error) {
  if ((wanted & ~(notify_unmap | notify_device_unmap)) != 0) {
    qemu_.error_setg_internal(
        error, __FILE__, __LINE__, __func__,
        "smmusim: a device behind this SMMU asks to be told of mappings; only unmap notifications "
        "exist");
    return -EINVAL;
  }
  function.notifications = wanted;
  return 0;
}

std::uint64_t Machine::read(std::uint64_t offset, unsigned size) {
  return smmu_->read_register(static_cast<std::uint32_t>(offset), size);
}

void Machine::write(std::uint64_t offset, std::uint64_t value, unsigned size) {
  const Consequences consequences = smmu_->write_register(static_cast<std::uint32_t>(offset), value, size);
  if (!consequences.empty()) deliver(consequences);
}

void Machine::deliver(const Consequences& consequences) {
  // First, because a message or an interrupt may say that an invalidation is complete.
  for (const Unmapped& range : consequences.unmapped) {
    for (auto& [place, function] : functions_) {
      // A device with ATS hears of it here too, before its CMD_ATC_INV: what it asks for in between is what is mapped
      // now.
      for (const int kind : {notify_unmap, notify_device_unmap}) {
        if ((function->notifications & kind) == 0) continue;
        qemu_.memory_region_notify_iommu(function->region.data(), 0, unmap_event(qemu_, range, kind));
      }
    }
  }
  for (const MsiWrite& message : consequences.messages) {
    qemu_.address_space_stl_le(qemu_.address_space_memory, message.address, message.data,
                               qemu_.requester(own_requester_id), nullptr);
  }
  for (unsigned wire = 0; wire != wires; ++wire) {
    if ((consequences.wires >> wire & 1) == 0 || wires_[wire] == nullptr) continue;
    qemu_.qemu_set_irq(wires_[wire], 1);
    qemu_.qemu_set_irq(wires_[wire], 0);
  }
}

void Machine::leave_to_main_loop(Consequences&& consequences) {
  {
    const std::lock_guard lock(later_mutex_);
    later_.push_back(std::move(consequences));
  }
  qemu_.qemu_bh_schedule(bottom_half_);
}

void Machine::deliver_later_ones() {
  std::vector<Consequences> now;
  {
    const std::lock_guard lock(later_mutex_);
    now.swap(later_);
  }
  for (const Consequences& consequences : now) deliver(consequences);
}

void Machine::reset() {
  smmu_->reset();
  const std::lock_guard lock(later_mutex_);
  later_.clear();
}

void Machine::write_statistics() {
  if (options_.statistics.empty()) return;
  nlohmann::ordered_json json = {{"version", std::string(program_version)}, {"qemu", qemu_.version()}};
  json.update(smmu_->statistics(config_.smmus.front().name));
  OutputFile file(options_.statistics);
  file.write(json.dump(2) + "\n");
  file.publish();
}

}  // namespace smmusim::cosim::qemu

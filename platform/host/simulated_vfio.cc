// SPDX-License-Identifier: MIT
// VFIO devices of the simulated host: binding to an iommufd, attaching, and what that writes into the physical stream
// table: the guest's stage 1 over the parent's stage 2, stage 2 alone, or abort; and the device's ATS.
#include <algorithm>
#include <cerrno>
#include <limits>

#include "platform/driver/commands.h"
#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

using spec::Ste;

/// A guest's STE that makes use of stage 1.
bool translates(const SimHwptNested& hwpt) {
  return hwpt.ste.get<Ste::V>() && hwpt.ste.get<Ste::Config>() == spec::SteConfig::stage1;
}

}  // namespace

int SimulatedHost::State::vfio_bind(Descriptor& descriptor, abi::VfioBind& a) {
  if (a.flags != 0 || a.iommufd < 0) return EINVAL;
  Descriptor* iommufd = find(a.iommufd);
  if (iommufd == nullptr) return EBADF;
  if (iommufd->kind != Descriptor::Kind::iommufd || bound[descriptor.device] != nullptr) return EINVAL;
  const HostDevice& physical = config.devices[descriptor.device];
  if (!physical.coherent) return EINVAL;
  if (!physical.isolated_msi) return EPERM;
  add_cost(config.timing.object);
  auto device = std::make_unique<SimDevice>();
  device->index = descriptor.device;
  descriptor.context = iommufd->context;
  SimDevice& added = descriptor.context->add(std::move(device));
  descriptor.object = &added;
  bound[added.index] = &added;
  update_stream(added);
  a.out_devid = added.id;
  return 0;
}

int SimulatedHost::State::check_nested(const SimDevice& device, const SimHwptNested& hwpt) const {
  if (!device.pasids.empty()) return EBUSY;
  const bool known = device.vdevice != nullptr && device.vdevice->viommu == hwpt.viommu;
  if (!known && (translates(hwpt) || !profile.bare_attach)) return ENOENT;
  return 0;
}

int SimulatedHost::State::hwpt_for(Context& context, SimDevice& device, SimIoas& ioas, SimHwptPaging*& out) {
  const auto found = std::find_if(ioas.hwpts.begin(), ioas.hwpts.end(), [&](const SimHwptPaging* hwpt) {
    return hwpt->made_by_attach && hwpt->smmu == &smmu_of(device.index);
  });
  if (found != ioas.hwpts.end()) {
    out = *found;
    return 0;
  }
  const int error = make_paging(context, device, ioas, out);
  if (error == 0) out->made_by_attach = true;
  return error;
}

/// Attaches to `hwpt` (null: to nothing). The stream changes first: what the device is taken from may go with it, and
/// with that its VMID, whose TLB entries must not come back.
void SimulatedHost::State::replace(Context& context, SimDevice& device, SimHwpt* hwpt) {
  SimHwpt* const old = device.attached;
  device.attached = hwpt;
  if (hwpt != nullptr) ++hwpt->users;
  update_stream(device);
  if (old == nullptr) return;
  if (old->kind == ObjectKind::hwpt_nested && static_cast<SimHwptNested&>(*old).faults != nullptr) {
    drop_faults(device, *static_cast<SimHwptNested&>(*old).faults);
  }
  SimHwptPaging& paging = old->parent();
  auto& devices = paging.ioas->devices;
  devices.erase(std::find(devices.begin(), devices.end(), &device));
  --old->users;
  if (paging.made_by_attach && paging.users == 0) destroy_paging(context, paging);
}

int SimulatedHost::State::attach(Context& context, SimDevice& device, SimHwpt& hwpt) {
  if (hwpt.smmu != &smmu_of(device.index)) return EINVAL;
  if (hwpt.kind == ObjectKind::hwpt_nested) {
    const int error = check_nested(device, static_cast<SimHwptNested&>(hwpt));
    if (error != 0) return error;
  }
  SimIoas& ioas = *hwpt.parent().ioas;
  ioas.devices.push_back(&device);
  for (const abi::IovaRange& range : reserved_of(ioas)) {
    if (!has_area(ioas, range.start, range.last)) continue;
    ioas.devices.pop_back();
    return EADDRINUSE;
  }
  replace(context, device, &hwpt);
  return 0;
}

int SimulatedHost::State::attach_pasid(Context& context, SimDevice& device, const abi::VfioAttach& a) {
  if (!profile.veventq_and_pasid) return EINVAL;
  auto* hwpt = dynamic_cast<SimHwpt*>(context.find_any(a.pt_id));
  if (hwpt == nullptr) return ENOENT;
  if (hwpt->kind == ObjectKind::hwpt_nested) return EOPNOTSUPP;
  auto& paging = static_cast<SimHwptPaging&>(*hwpt);
  const unsigned bits = std::min(config.devices[device.index].pasid_bits, smmu_of(device.index).features().ssidsize);
  if (!paging.pasid || a.pasid == 0 || !fits(a.pasid, bits)) return EINVAL;
  if (device.attached != nullptr && device.attached->kind == ObjectKind::hwpt_nested) return EBUSY;
  SimHwptPaging*& slot = device.pasids[a.pasid];
  if (slot != nullptr) --slot->users;
  slot = &paging;
  ++paging.users;
  return 0;
}

int SimulatedHost::State::vfio_attach(Descriptor& descriptor, abi::VfioAttach& a) {
  if ((a.flags & ~abi::vfio_pasid) != 0) return EINVAL;
  const bool with_pasid = (a.flags & abi::vfio_pasid) != 0;
  if (with_pasid && a.argsz < sizeof a) return EINVAL;
  if (descriptor.object == nullptr) return EINVAL;
  Context& context = *descriptor.context;
  auto& device = static_cast<SimDevice&>(*descriptor.object);
  add_cost(config.timing.attach);
  if (with_pasid) return attach_pasid(context, device, a);
  SimObject* object = context.find_any(a.pt_id);
  if (object == nullptr) return ENOENT;
  SimHwpt* hwpt = nullptr;
  if (object->kind == ObjectKind::ioas) {
    SimHwptPaging* paging = nullptr;
    const int error = hwpt_for(context, device, static_cast<SimIoas&>(*object), paging);
    if (error != 0) return error;
    hwpt = paging;
  } else {
    hwpt = dynamic_cast<SimHwpt*>(object);
  }
  if (hwpt == nullptr) return EINVAL;
  const int error = attach(context, device, *hwpt);
  SimHwptPaging& paging = hwpt->parent();
  if (error == 0) {
    a.pt_id = hwpt->id;
  } else if (paging.made_by_attach && paging.users == 0) {
    destroy_paging(context, paging);
  }
  return error;
}

int SimulatedHost::State::vfio_detach(Descriptor& descriptor, abi::VfioDetach& a) {
  if ((a.flags & ~abi::vfio_pasid) != 0) return EINVAL;
  const bool with_pasid = (a.flags & abi::vfio_pasid) != 0;
  if (with_pasid && a.argsz < sizeof a) return EINVAL;
  if (descriptor.object == nullptr) return EINVAL;
  auto& device = static_cast<SimDevice&>(*descriptor.object);
  add_cost(config.timing.attach);
  if (with_pasid) {
    const auto found = device.pasids.find(a.pasid);
    if (found == device.pasids.end()) return 0;
    --found->second->users;
    device.pasids.erase(found);
    return 0;
  }
  replace(*descriptor.context, device, nullptr);
  return 0;
}

/// Closing the device's descriptor: its DMA is blocked, and its vDEVICE goes, leaving a tombstone, or stays without it.
void SimulatedHost::State::unbind(Context& context, SimDevice& device) {
  for (auto& entry : device.pasids) --entry.second->users;
  replace(context, device, nullptr);
  if (device.vdevice != nullptr) {
    const std::uint32_t id = device.vdevice->id;
    drop_vdevice(*device.vdevice);
    context.objects.erase(id);
    if (profile.vdevice_goes_with_device) {
      auto tombstone = std::make_unique<SimObject>(ObjectKind::tombstone);
      tombstone->id = id;
      context.objects[id] = std::move(tombstone);
    }
  }
  bound[device.index] = nullptr;
  context.objects.erase(device.id);
}

bool SimulatedHost::State::ats_possible(std::size_t device) const {
  const HostDevice& physical = config.devices[device];
  return smmu_of(device).features().ats && physical.ats_capability && !physical.firmware_forbids_ats;
}

bool SimulatedHost::State::ats_with(const SimDevice& device, const SimHwpt& hwpt) const {
  if (!ats_possible(device.index)) return false;
  if (hwpt.kind == ObjectKind::hwpt_paging) return true;
  const Ste& ste = static_cast<const SimHwptNested&>(hwpt).ste;
  if (!ste.get<Ste::V>() || ste.get<Ste::Config>() == spec::SteConfig::abort) return false;
  if (profile.ats_always_on && config.devices[device.index].requires_ats) return true;
  if (ste.get<Ste::Config>() == spec::SteConfig::bypass) return profile.reports_ats;
  return ste.get<Ste::EATS>() == spec::Eats::full;
}

Ste SimulatedHost::State::physical_ste(const SimHwpt& hwpt, bool ats) const {
  const auto stage2 = [&](const SimHwptPaging& parent) {
    return with_ats(make_stage2_ste(*parent.table, parent.vmid), ats ? spec::Eats::full : spec::Eats::none);
  };
  if (hwpt.kind == ObjectKind::hwpt_paging) return stage2(static_cast<const SimHwptPaging&>(hwpt));
  const auto& nested = static_cast<const SimHwptNested&>(hwpt);
  if (!nested.ste.get<Ste::V>() || nested.ste.get<Ste::Config>() == spec::SteConfig::abort) return make_abort_ste();
  Ste ste = stage2(*nested.viommu->hwpt);
  if (!translates(nested)) return ste;
  Ste user = nested.ste;
  user.set<Ste::V>(false).set<Ste::Config>(spec::SteConfig::abort).set<Ste::EATS>(spec::Eats::none);
  ste.set<Ste::Config>(spec::SteConfig::nested).set<Ste::MEV>(true);
  ste.dw[0] |= user.dw[0];
  ste.dw[1] |= user.dw[1];
  return ste;
}

void SimulatedHost::State::update_stream(const SimDevice& device) {
  const std::size_t index = device.index;
  PhysicalSmmu* smmu = &smmu_of(index);
  const StreamId stream = config.devices[index].stream;
  const SimHwpt* hwpt = device.attached;
  const bool ats = hwpt != nullptr && ats_with(device, *hwpt);
  const bool had_ats = ats_enabled[index] != 0;
  ats_enabled[index] = ats ? 1 : 0;
  const auto tell = [this, index](bool enabled) {
    return JobStep{.action = [this, index, enabled] {
      if (ats_receiver) ats_receiver(index, enabled);
    }};
  };
  // As Linux: ATS goes off before the STE forbids it, and on only when the STE allows it and the ATC is empty.
  if (had_ats && !ats) current.steps.push_back(tell(false));
  current.steps.push_back(
      {.smmu = smmu, .ste = SteWrite{stream, hwpt == nullptr ? make_abort_ste() : physical_ste(*hwpt, ats)}});
  if (had_ats || ats) add_commands(*smmu, {make_atc_inv(stream, 0, std::numeric_limits<std::uint64_t>::max())});
  if (ats && !had_ats) current.steps.push_back(tell(true));
  ++counters.ste_updates;
}

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// Hardware page tables of the simulated iommufd: what a device's IOMMU says of itself, stage-2 tables, guests' STEs
// over them, and the end of objects of every kind.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/spec/register_offsets.h"
#include "platform/driver/commands.h"
#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

using spec::Ste;

/// What HWPT_ALLOC takes of a guest's STE; anything else is EIO.
constexpr std::uint64_t allowed_dw0 =
    Ste::V::mask | Ste::Config::mask | Ste::S1Fmt::mask | Ste::S1CDMax::mask | (Ste::S1ContextPtr::mask & low_mask(52));
constexpr std::uint64_t allowed_dw1 =
    Ste::S1DSS::mask | Ste::S1CIR::mask | Ste::S1COR::mask | Ste::S1CSH::mask | Ste::S1STALLD::mask | Ste::EATS::mask;

/// 0, and `ste` as the kernel keeps it: V = 0 is an aborting STE whatever else is set.
int accept_ste(Ste& ste) {
  if (!ste.get<Ste::V>()) {
    ste = {};
    return 0;
  }
  if ((ste.dw[0] & ~allowed_dw0) != 0 || (ste.dw[1] & ~allowed_dw1) != 0) return EIO;
  const auto config = ste.get<Ste::Config>();
  if (config != spec::SteConfig::abort && config != spec::SteConfig::bypass && config != spec::SteConfig::stage1) {
    return EIO;
  }
  const auto eats = ste.get<Ste::EATS>();
  return eats == spec::Eats::none || eats == spec::Eats::full ? 0 : EIO;
}

void* pointer(std::uint64_t address) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}

}  // namespace

int SimulatedHost::State::get_hw_info(Context& context, abi::HwInfo& a) {
  const std::uint32_t known = profile.hw_info_input_type ? abi::hw_info_input_type : 0;
  if ((a.flags & ~known) != 0) return EOPNOTSUPP;
  if (a.rsv[0] != 0 || a.rsv[1] != 0 || a.rsv[2] != 0) return EOPNOTSUPP;
  const SimDevice* device = context.find<SimDevice>(a.dev_id);
  if (device == nullptr) return ENOENT;
  const std::uint32_t type = (a.flags & abi::hw_info_input_type) != 0 ? a.data_type : abi::hw_info_none;
  if (type != abi::hw_info_none && type != abi::hw_info_arm_smmuv3) return EOPNOTSUPP;
  const HostDevice& physical = config.devices[device->index];
  PhysicalSmmu& smmu = smmu_of(device->index);
  abi::HwInfoArmSmmuv3 info{};
  for (std::uint32_t i = 0; i != 6; ++i) info.idr[i] = smmu.id_register(spec::reg::IDR0 + 4 * i);
  info.iidr = smmu.id_register(spec::reg::IIDR);
  info.aidr = smmu.id_register(spec::reg::AIDR);
  const std::uint32_t length = profile.arm_nesting ? sizeof info : 0;
  if (a.data_len != 0) {
    if (a.data_uptr == 0) return EFAULT;
    std::memset(pointer(a.data_uptr), 0, a.data_len);
    std::memcpy(pointer(a.data_uptr), &info, std::min(a.data_len, length));
  }
  a.data_len = length;
  a.data_type = profile.arm_nesting ? abi::hw_info_arm_smmuv3 : abi::hw_info_none;
  a.out_capabilities = smmu.features().httu >= spec::Httu::access_dirty ? abi::cap_dirty_tracking : 0;
  a.out_max_pasid_log2 = 0;
  if (profile.veventq_and_pasid) {
    const unsigned pasid_bits = std::min(physical.pasid_bits, smmu.features().ssidsize);
    a.out_max_pasid_log2 = static_cast<std::uint8_t>(pasid_bits);
    if (pasid_bits != 0 && physical.pasid_exec) a.out_capabilities |= abi::cap_pci_pasid_exec;
    if (pasid_bits != 0 && physical.pasid_priv) a.out_capabilities |= abi::cap_pci_pasid_priv;
  }
  if (profile.reports_ats && !ats_possible(device->index)) a.out_capabilities |= abi::cap_pci_ats_not_supported;
  return 0;
}

int SimulatedHost::State::hwpt_alloc(Context& context, abi::HwptAlloc& a) {
  if (a.rsv != 0 || a.rsv2 != 0) return EOPNOTSUPP;
  if ((a.data_type == abi::hwpt_data_none) != (a.data_len == 0)) return EINVAL;
  SimDevice* device = context.find<SimDevice>(a.dev_id);
  if (device == nullptr) return ENOENT;
  SimObject* on = context.find_any(a.pt_id);
  if (on == nullptr) return EINVAL;
  add_cost(config.timing.object);
  switch (on->kind) {
    case ObjectKind::ioas:
      return alloc_paging(context, a, *device, static_cast<SimIoas&>(*on));
    case ObjectKind::viommu: {
      auto& viommu = static_cast<SimViommu&>(*on);
      if (viommu.hwpt->smmu != &smmu_of(device->index)) return EINVAL;
      return alloc_nested(context, a, viommu);
    }
    case ObjectKind::hwpt_paging:
      return EOPNOTSUPP;  // nesting on a HWPT is VT-d's way
    default:
      return EINVAL;
  }
}

int SimulatedHost::State::alloc_paging(Context& context, abi::HwptAlloc& a, SimDevice& device, SimIoas& ioas) {
  const PhysicalSmmu& smmu = smmu_of(device.index);
  const bool parent = a.flags == abi::hwpt_nest_parent;
  const bool pasid = a.flags == abi::hwpt_pasid && profile.veventq_and_pasid;
  if (a.flags != 0 && !parent && !pasid) return EOPNOTSUPP;
  if (parent && !(profile.arm_nesting && smmu.nesting())) return EOPNOTSUPP;
  if (pasid && smmu.features().ssidsize == 0) return EOPNOTSUPP;
  if (a.data_type != abi::hwpt_data_none) return EOPNOTSUPP;
  SimHwptPaging* hwpt = nullptr;
  const int error = make_paging(context, device, ioas, hwpt);
  if (error != 0) return error;
  hwpt->nest_parent = parent;
  hwpt->pasid = pasid;
  a.out_hwpt_id = hwpt->id;
  return 0;
}

int SimulatedHost::State::make_paging(Context& context, SimDevice& device, SimIoas& ioas, SimHwptPaging*& out) {
  PhysicalSmmu& smmu = smmu_of(device.index);
  if (!smmu.features().s2p) return EOPNOTSUPP;
  const std::uint64_t last = smmu.aperture_last();
  const std::uint64_t mask = smmu.stage2_geometry().granule_bytes() - 1;
  for (const auto& [first, area] : ioas.areas) {
    if (area.last > last || ((first | (area.last + 1)) & mask) != 0) return EADDRINUSE;
  }
  const auto vmid = smmu.take_vmid();
  if (!vmid) return ENOSPC;
  auto hwpt = std::make_unique<SimHwptPaging>();
  hwpt->smmu = &smmu;
  hwpt->ioas = &ioas;
  hwpt->vmid = *vmid;
  int error = 0;
  try {
    hwpt->table = smmu.make_stage2();
  } catch (const AllocationError&) {
    error = ENOMEM;
  }
  for (const auto& [first, area] : ioas.areas) {
    if (error == 0) error = map_area(*hwpt, first, area);
  }
  if (error != 0) {
    smmu.return_vmid(*vmid);
    return error;
  }
  ioas.hwpts.push_back(hwpt.get());
  ++ioas.users;
  out = &context.add(std::move(hwpt));
  return 0;
}

int SimulatedHost::State::alloc_nested(Context& context, abi::HwptAlloc& a, SimViommu& viommu) {
  if ((a.flags & ~abi::hwpt_fault_id_valid) != 0 || a.data_len == 0) return EOPNOTSUPP;
  if (a.data_type != abi::hwpt_data_arm_smmuv3 || a.data_len != sizeof(abi::HwptArmSmmuv3)) return EINVAL;
  if (a.data_uptr == 0) return EFAULT;
  abi::HwptArmSmmuv3 data;
  std::memcpy(&data, pointer(a.data_uptr), sizeof data);
  auto hwpt = std::make_unique<SimHwptNested>();
  hwpt->ste.dw[0] = data.ste[0];
  hwpt->ste.dw[1] = data.ste[1];
  const int error = accept_ste(hwpt->ste);
  if (error != 0) return error;
  if ((a.flags & abi::hwpt_fault_id_valid) != 0) {
    hwpt->faults = context.find<SimFaultQueue>(a.fault_id);
    if (hwpt->faults == nullptr) return ENOENT;
    ++hwpt->faults->users;
  }
  hwpt->smmu = viommu.hwpt->smmu;
  hwpt->viommu = &viommu;
  ++viommu.users;
  a.out_hwpt_id = context.add(std::move(hwpt)).id;
  return 0;
}

void SimulatedHost::State::destroy_paging(Context& context, SimHwptPaging& hwpt) {
  add_commands(*hwpt.smmu, {make_tlbi_s12_vmall(hwpt.vmid)});
  hwpt.smmu->return_vmid(hwpt.vmid);
  std::erase(hwpt.ioas->hwpts, &hwpt);
  --hwpt.ioas->users;
  context.objects.erase(hwpt.id);
}

void SimulatedHost::State::end(Context& context) {
  for (const auto& [id, object] : context.objects) {
    if (object->kind != ObjectKind::hwpt_paging) continue;
    const auto& hwpt = static_cast<const SimHwptPaging&>(*object);
    add_commands(*hwpt.smmu, {make_tlbi_s12_vmall(hwpt.vmid)});
    hwpt.smmu->return_vmid(hwpt.vmid);
  }
  context.objects.clear();
}

int SimulatedHost::State::destroy(Context& context, abi::Destroy& a) {
  const auto found = context.objects.find(a.id);
  if (found == context.objects.end()) return ENOENT;
  SimObject& object = *found->second;
  if (object.kind == ObjectKind::tombstone) {
    context.objects.erase(found);
    return ENOENT;
  }
  if (object.users != 0 || object.kind == ObjectKind::device) return EBUSY;
  add_cost(config.timing.object);
  switch (object.kind) {
    case ObjectKind::hwpt_paging:
      destroy_paging(context, static_cast<SimHwptPaging&>(object));
      return 0;
    case ObjectKind::hwpt_nested: {
      auto& hwpt = static_cast<SimHwptNested&>(object);
      --hwpt.viommu->users;
      if (hwpt.faults != nullptr) --hwpt.faults->users;
      break;
    }
    case ObjectKind::viommu:
      --static_cast<SimViommu&>(object).hwpt->users;
      break;
    case ObjectKind::vdevice:
      drop_vdevice(static_cast<SimVdevice&>(object));
      break;
    case ObjectKind::veventq:
      drop_veventq(static_cast<SimVeventq&>(object));
      break;
    default:
      break;
  }
  for (auto& [fd, descriptor] : descriptors) {
    if (descriptor.object == &object) descriptor.object = nullptr;
  }
  context.objects.erase(found);
  return 0;
}

}  // namespace smmusim::host

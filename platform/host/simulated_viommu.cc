// SPDX-License-Identifier: MIT
// vIOMMUs of the simulated iommufd: their devices, and the guest's invalidations, which the kernel rewrites (VMID,
// StreamID) and issues in batches of 63 commands and a CMD_SYNC.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

using spec::Command;
using spec::Opcode;

/// One entry of the caller's array as a command: what it lacks is zero, what it has too much must be.
int copy_entry(const abi::HwptInvalidate& a, std::uint32_t index, Command& command) {
  const auto* entry =
      reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(a.data_uptr)) + std::size_t{index} * a.entry_len;
  const std::size_t known = std::min<std::size_t>(a.entry_len, sizeof command.dw);
  if (std::any_of(entry + known, entry + a.entry_len, [](std::byte b) { return b != std::byte{0}; })) return E2BIG;
  command = {};
  std::memcpy(command.dw.data(), entry, known);
  return 0;
}

}  // namespace

int SimulatedHost::State::viommu_alloc(Context& context, abi::ViommuAlloc& a) {
  if (a.flags != 0 || a.type == abi::viommu_default) return EOPNOTSUPP;
  const SimDevice* device = context.find<SimDevice>(a.dev_id);
  if (device == nullptr) return ENOENT;
  PhysicalSmmu& smmu = smmu_of(device->index);
  const bool coherent = smmu.features().fwb || config.devices[device->index].canwbs;
  if (a.type != abi::viommu_arm_smmuv3 || !smmu.nesting() || !coherent) return EOPNOTSUPP;
  auto* hwpt = context.find<SimHwptPaging>(a.hwpt_id);
  if (hwpt == nullptr) return ENOENT;
  if (!hwpt->nest_parent || hwpt->smmu != &smmu) return EINVAL;
  add_cost(config.timing.object);
  auto viommu = std::make_unique<SimViommu>();
  viommu->hwpt = hwpt;
  ++hwpt->users;
  a.out_viommu_id = context.add(std::move(viommu)).id;
  return 0;
}

int SimulatedHost::State::vdevice_alloc(Context& context, abi::VdeviceAlloc& a) {
  auto* viommu = context.find<SimViommu>(a.viommu_id);
  auto* device = context.find<SimDevice>(a.dev_id);
  if (viommu == nullptr || device == nullptr) return ENOENT;
  if (viommu->hwpt->smmu != &smmu_of(device->index)) return EINVAL;
  if (device->vdevice != nullptr || viommu->vdevices.count(a.virt_id) != 0) return EEXIST;
  add_cost(config.timing.object);
  auto vdevice = std::make_unique<SimVdevice>();
  vdevice->viommu = viommu;
  vdevice->device = device;
  vdevice->virt_id = a.virt_id;
  ++viommu->users;
  device->vdevice = vdevice.get();
  viommu->vdevices[a.virt_id] = vdevice.get();
  a.out_vdevice_id = context.add(std::move(vdevice)).id;
  return 0;
}

/// Takes the vDEVICE out of what refers to it; the object stays.
void SimulatedHost::State::drop_vdevice(SimVdevice& vdevice) {
  --vdevice.viommu->users;
  vdevice.viommu->vdevices.erase(vdevice.virt_id);
  vdevice.device->vdevice = nullptr;
}

/// The command as it goes to the physical SMMU; EIO: not one that a guest may send.
int SimulatedHost::State::rewrite(const SimViommu& viommu, Command& command) const {
  const std::uint16_t vmid = viommu.hwpt->vmid.value;
  switch (command.get<Command::OP>()) {
    case Opcode::CMD_TLBI_NSNH_ALL:
      command = Command{}.set<Command::OP>(Opcode::CMD_TLBI_NH_ALL).set<Command::VMID>(vmid);
      return 0;
    case Opcode::CMD_TLBI_NH_ALL:
    case Opcode::CMD_TLBI_NH_ASID:
    case Opcode::CMD_TLBI_NH_VA:
    case Opcode::CMD_TLBI_NH_VAA:
      command.set<Command::VMID>(vmid);
      return 0;
    case Opcode::CMD_ATC_INV:
    case Opcode::CMD_CFGI_CD:
    case Opcode::CMD_CFGI_CD_ALL: {
      const auto found = viommu.vdevices.find(command.get<Command::StreamID>());
      if (found == viommu.vdevices.end()) return EIO;
      command.set<Command::StreamID>(config.devices[found->second->device->index].stream.value);
      return 0;
    }
    default:
      return EIO;
  }
}

/// `handled` counts as the kernel version does. Before 7.4 a bad command ends the call at its index, and those between
/// the last whole batch and it were rewritten and never issued; from 7.4 on only whole batches count.
int SimulatedHost::State::invalidate_viommu(SimViommu& viommu, abi::HwptInvalidate& a, std::uint32_t& handled) {
  if (a.data_type != abi::invalidate_data_arm_smmuv3) return EINVAL;
  if (a.entry_num == 0) return profile.invalidates_nothing_ok ? 0 : EINVAL;
  if (profile.bounded && (a.entry_num > invalidate_entries_max || a.entry_len > page_bytes())) return EINVAL;
  if (a.entry_num > invalidate_allocation_max) return ENOMEM;
  add_cost(config.timing.invalidate_entry * a.entry_num);
  // All are copied first: a bad entry anywhere leaves everything undone.
  std::vector<Command> commands(a.entry_num);
  for (std::uint32_t i = 0; i != a.entry_num; ++i) {
    const int error = copy_entry(a, i, commands[i]);
    if (error != 0) return error;
  }
  std::vector<Command> batch;
  for (std::uint32_t i = 0; i != a.entry_num; ++i) {
    const int error = rewrite(viommu, commands[i]);
    if (error != 0) {
      handled = profile.whole_batches ? i - static_cast<std::uint32_t>(batch.size()) : i;
      return error;
    }
    batch.push_back(commands[i]);
    if (batch.size() != invalidate_batch && i + 1 != a.entry_num) continue;
    ++counters.batches;
    counters.invalidations += batch.size();
    add_commands(*viommu.hwpt->smmu, std::move(batch));
    batch.clear();
  }
  handled = a.entry_num;
  return 0;
}

int SimulatedHost::State::hwpt_invalidate(Context& context, abi::HwptInvalidate& a) {
  std::uint32_t handled = 0;
  int error = 0;
  SimObject* object = nullptr;
  if (a.rsv != 0) {
    error = EOPNOTSUPP;
  } else if (a.entry_num != 0 && (a.data_uptr == 0 || a.entry_len == 0)) {
    error = EINVAL;
  } else if ((object = context.find_any(a.hwpt_id)) == nullptr) {
    error = ENOENT;
  } else if (object->kind == ObjectKind::hwpt_nested) {
    error = EOPNOTSUPP;  // on Arm the vIOMMU takes them
  } else if (object->kind != ObjectKind::viommu) {
    error = EINVAL;
  } else {
    error = invalidate_viommu(static_cast<SimViommu&>(*object), a, handled);
  }
  a.entry_num = handled;
  return error;
}

}  // namespace smmusim::host

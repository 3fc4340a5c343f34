// SPDX-License-Identifier: MIT
// Address spaces of the simulated iommufd: which IOVAs may be mapped, mapping, unmapping. Every HWPT over an IOAS has
// all of its areas in a stage-2 table.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "platform/driver/commands.h"
#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();

bool overlap(std::uint64_t first, std::uint64_t last, const abi::IovaRange& range) {
  return first <= range.last && last >= range.start;
}

}  // namespace

int SimulatedHost::State::ioas_alloc(Context& context, abi::IoasAlloc& a) {
  if (a.flags != 0) return EOPNOTSUPP;
  add_cost(config.timing.object);
  a.out_ioas_id = context.add(std::make_unique<SimIoas>()).id;
  return 0;
}

/// What no area may touch: beyond the apertures of its HWPTs, and with devices the windows of MSIs and of PCI.
std::vector<abi::IovaRange> SimulatedHost::State::reserved_of(const SimIoas& ioas) const {
  std::vector<abi::IovaRange> reserved;
  for (const SimHwptPaging* hwpt : ioas.hwpts) {
    const std::uint64_t last = hwpt->smmu->aperture_last();
    if (last != u64_max) reserved.push_back({last + 1, u64_max});
  }
  if (!ioas.devices.empty()) {
    reserved.push_back({abi::msi_window_first, abi::msi_window_last});
    reserved.insert(reserved.end(), config.reserved.begin(), config.reserved.end());
  }
  std::sort(reserved.begin(), reserved.end(), [](const auto& x, const auto& y) { return x.start < y.start; });
  return reserved;
}

std::vector<abi::IovaRange> SimulatedHost::State::allowed_in(const SimIoas& ioas) const {
  std::vector<abi::IovaRange> allowed;
  std::uint64_t next = 0;
  for (const abi::IovaRange& range : reserved_of(ioas)) {
    if (range.start > next) allowed.push_back({next, range.start - 1});
    if (range.last == u64_max) return allowed;
    next = std::max(next, range.last + 1);
  }
  allowed.push_back({next, u64_max});
  return allowed;
}

std::uint64_t SimulatedHost::State::alignment_of(const SimIoas& ioas) const {
  std::uint64_t alignment = page_bytes();
  for (const SimHwptPaging* hwpt : ioas.hwpts) {
    alignment = std::max(alignment, hwpt->smmu->stage2_geometry().granule_bytes());
  }
  return alignment;
}

int SimulatedHost::State::ioas_iova_ranges(Context& context, abi::IoasIovaRanges& a) {
  if (a.rsv != 0) return EOPNOTSUPP;
  const SimIoas* ioas = context.find<SimIoas>(a.ioas_id);
  if (ioas == nullptr) return ENOENT;
  const std::vector<abi::IovaRange> allowed = allowed_in(*ioas);
  const auto room = a.num_iovas;
  a.num_iovas = static_cast<std::uint32_t>(allowed.size());
  a.out_iova_alignment = alignment_of(*ioas);
  if (room != 0 && a.allowed_iovas == 0) return EFAULT;
  const std::size_t copied = std::min<std::size_t>(room, allowed.size());
  if (copied != 0) {
    std::memcpy(reinterpret_cast<void*>(static_cast<std::uintptr_t>(a.allowed_iovas)), allowed.data(),
                copied * sizeof(abi::IovaRange));
  }
  return allowed.size() > room ? EMSGSIZE : 0;
}

bool SimulatedHost::State::has_area(const SimIoas& ioas, std::uint64_t first, std::uint64_t last) {
  const auto after = ioas.areas.upper_bound(last);
  return after != ioas.areas.begin() && std::prev(after)->second.last >= first;
}

std::optional<UserWindow> SimulatedHost::State::window_at(std::uint64_t user_va) const {
  for (const UserWindow& window : config.windows) {
    if (user_va - window.user_va >= window.bytes) continue;
    const std::uint64_t offset = user_va - window.user_va;
    return UserWindow{user_va, window.physical + offset, window.bytes - offset};
  }
  return std::nullopt;
}

/// Maps what one window has of an area: 0 or an errno.
int SimulatedHost::State::map_part(PageTable& table, std::uint64_t iova, const UserWindow& part, bool writeable) {
  if (!table.mappable(iova, part.physical, part.bytes)) return ERANGE;  // beyond the SMMU's output size
  if (((part.physical.value | part.bytes) & (table.geometry().granule_bytes() - 1)) != 0) return EINVAL;
  try {
    table.map(iova, part.physical, part.bytes, {.write = writeable, .blocks = true});
  } catch (const std::runtime_error&) {  // no memory for tables: AllocationError, MemoryLimitError
    return ENOMEM;
  }
  return 0;
}

int SimulatedHost::State::map_area(SimHwptPaging& hwpt, std::uint64_t first, const Area& area) {
  const std::uint64_t bytes = area.last - first + 1;
  int error = 0;
  for (std::uint64_t done = 0; done != bytes && error == 0;) {
    auto window = window_at(area.user_va + done);
    if (!window) {
      error = EFAULT;
      break;
    }
    window->bytes = std::min(window->bytes, bytes - done);
    error = map_part(*hwpt.table, first + done, *window, area.writeable);
    done += window->bytes;
  }
  if (error != 0) hwpt.table->unmap(first, bytes);
  return error;
}

/// Clears the area from the table and, as Linux does for a nesting parent, everything that may hold a copy of it:
/// stage-2 entries, the combined entries of the VMID, and the ATCs of its devices.
void SimulatedHost::State::unmap_area(SimHwptPaging& hwpt, std::uint64_t first, const Area& area) {
  const std::uint64_t bytes = area.last - first + 1;
  hwpt.table->unmap(first, bytes);
  PhysicalSmmu& smmu = *hwpt.smmu;
  const unsigned granule_bits = smmu.stage2_geometry().granule_bits;
  std::vector<spec::Command> commands;
  append_tlbi_range(commands,
                    {.opcode = spec::Opcode::CMD_TLBI_S2_IPA,
                     .vmid = hwpt.vmid,
                     .address = first,
                     .granules = bytes >> granule_bits,
                     .granule_bits = granule_bits,
                     .leaf = false},
                    smmu.range_invalidation());
  add_commands(smmu, std::move(commands));
  if (hwpt.nest_parent && smmu.nesting()) add_commands(smmu, {make_tlbi_nh_all(hwpt.vmid)});
  std::vector<spec::Command> atc;
  for (const SimDevice* device : hwpt.ioas->devices) {
    const bool affected = device->attached != nullptr && &device->attached->parent() == &hwpt;
    if (affected && ats_enabled[device->index] != 0) {
      atc.push_back(make_atc_inv(config.devices[device->index].stream, 0, u64_max));
    }
  }
  if (!atc.empty()) add_commands(smmu, std::move(atc));
}

/// The lowest aligned address, but 0, where `bytes` are free; 0: there is none.
std::uint64_t SimulatedHost::State::free_place(const SimIoas& ioas, std::uint64_t bytes) const {
  const std::uint64_t mask = alignment_of(ioas) - 1;
  const std::vector<abi::IovaRange> reserved = reserved_of(ioas);
  std::uint64_t place = mask + 1;
  while (place != 0 && bytes - 1 <= u64_max - place) {
    const std::uint64_t last = place + (bytes - 1);
    const auto hit = std::find_if(reserved.begin(), reserved.end(),
                                  [&](const abi::IovaRange& range) { return overlap(place, last, range); });
    if (hit != reserved.end()) {
      place = (hit->last | mask) + 1;
    } else if (has_area(ioas, place, last)) {
      place = (std::prev(ioas.areas.upper_bound(last))->second.last | mask) + 1;
    } else {
      return place;
    }
  }
  return 0;
}

/// Whether an area may lie at [first, last]: 0 or an errno.
int SimulatedHost::State::check_place(const SimIoas& ioas, std::uint64_t first, std::uint64_t last) const {
  for (const abi::IovaRange& range : reserved_of(ioas)) {
    if (overlap(first, last, range)) return EINVAL;
  }
  return has_area(ioas, first, last) ? EEXIST : 0;
}

bool SimulatedHost::State::user_memory(std::uint64_t user_va, std::uint64_t bytes) const {
  for (std::uint64_t done = 0; done < bytes;) {
    const auto window = window_at(user_va + done);
    if (!window) return false;
    done += window->bytes;
  }
  return true;
}

int SimulatedHost::State::ioas_map(Context& context, abi::IoasMap& a) {
  constexpr std::uint32_t known = abi::map_fixed_iova | abi::map_writeable | abi::map_readable;
  if ((a.flags & ~known) != 0 || a.rsv != 0) return EOPNOTSUPP;
  if ((a.flags & (abi::map_writeable | abi::map_readable)) == 0) return EINVAL;
  if (a.length == 0) return EINVAL;
  if (a.user_va > u64_max - a.length) return EOVERFLOW;
  SimIoas* ioas = context.find<SimIoas>(a.ioas_id);
  if (ioas == nullptr) return ENOENT;
  if ((a.flags & abi::map_fixed_iova) == 0) {
    a.iova = free_place(*ioas, a.length);
    if (a.iova == 0) return ENOSPC;
  }
  if (((a.iova | a.length | a.user_va) & (alignment_of(*ioas) - 1)) != 0) return EINVAL;
  if (a.length - 1 > u64_max - a.iova) return EOVERFLOW;
  const Area area{a.iova + (a.length - 1), a.user_va, (a.flags & abi::map_writeable) != 0};
  int error = check_place(*ioas, a.iova, area.last);
  if (error != 0) return error;
  if (!user_memory(a.user_va, a.length)) return EFAULT;
  add_cost(config.timing.map_page * (a.length >> config.page_bits));
  for (std::size_t i = 0; i != ioas->hwpts.size(); ++i) {
    error = map_area(*ioas->hwpts[i], a.iova, area);
    if (error == 0) continue;
    for (std::size_t undo = 0; undo != i; ++undo) unmap_area(*ioas->hwpts[undo], a.iova, area);
    return error;
  }
  ioas->areas[a.iova] = area;
  return 0;
}

int SimulatedHost::State::ioas_map_file(Context& context, abi::IoasMapFile& a) {
  return context.find<SimIoas>(a.ioas_id) == nullptr ? ENOENT : EOPNOTSUPP;  // there are no files here
}

int SimulatedHost::State::ioas_unmap(Context& context, abi::IoasUnmap& a) {
  SimIoas* ioas = context.find<SimIoas>(a.ioas_id);
  if (ioas == nullptr) return ENOENT;
  const bool all = a.iova == 0 && a.length == u64_max;
  if (a.length == 0) return EINVAL;
  if (!all && a.length - 1 > u64_max - a.iova) return EOVERFLOW;
  const std::uint64_t last = all ? u64_max : a.iova + (a.length - 1);
  // Areas are unmapped whole or not at all.
  const auto from = ioas->areas.lower_bound(a.iova);
  const auto to = ioas->areas.upper_bound(last);
  if (from != ioas->areas.begin() && std::prev(from)->second.last >= a.iova) return ENOENT;
  if (from != to && std::prev(to)->second.last > last) return ENOENT;
  if (from == to && !all) return ENOENT;
  std::uint64_t bytes = 0;
  for (auto area = from; area != to; ++area) {
    bytes += area->second.last - area->first + 1;
    for (SimHwptPaging* hwpt : ioas->hwpts) unmap_area(*hwpt, area->first, area->second);
  }
  ioas->areas.erase(from, to);
  add_cost(config.timing.map_page * (bytes >> config.page_bits));
  a.length = bytes;
  return 0;
}

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// Routing of software's accesses. Where bus numbers or windows of two root ports overlap, the lower device number wins.
#include "platform/pcie/fabric_route.h"

#include <stdexcept>

namespace smmusim::platform {

std::optional<BarPlace> FunctionTarget::bar_at(std::uint64_t address, std::uint32_t bytes) {
  const std::optional<BarOffset> place = handler_ == nullptr ? std::nullopt : function_.bar_at(address, bytes);
  if (!place) return std::nullopt;
  return BarPlace{handler_, place->bar, place->offset};
}

ConfigSpace* BridgedTarget::find(std::uint16_t rid) const {
  const unsigned bus = rid >> 8;
  if (below == nullptr || !bridge->below(bus)) return nullptr;
  return bus == bridge->secondary() ? below->type0(rid & 0xff) : below->type1(rid);
}

std::optional<BarPlace> BridgedTarget::bar_at(std::uint64_t address, std::uint32_t bytes) const {
  return below == nullptr || !bridge->claims(address) ? std::nullopt : below->bar_at(address, bytes);
}

void RootBus::attach(unsigned device_function, const BridgedTarget& root_port) {
  if (device_function > 0xff || !ports_.emplace(device_function, root_port).second) {
    throw std::invalid_argument("two root ports have one device number, or one above 255");
  }
}

ConfigSpace* RootBus::find(std::uint16_t rid) const {
  if (rid >> 8 == 0) {
    const auto found = ports_.find(rid & 0xff);
    return found == ports_.end() ? nullptr : &found->second.bridge->space();
  }
  for (const auto& [number, port] : ports_) {
    if (port.bridge->below(rid >> 8)) return port.find(rid);
  }
  return nullptr;
}

std::optional<BarPlace> RootBus::bar_at(std::uint64_t address, std::uint32_t bytes) const {
  for (const auto& [number, port] : ports_) {
    if (port.bridge->claims(address)) return port.bar_at(address, bytes);
  }
  return std::nullopt;
}

}  // namespace smmusim::platform

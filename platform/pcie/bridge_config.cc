// SPDX-License-Identifier: MIT
// The registers of a type 1 header, and reading them.
#include "platform/pcie/bridge_config.h"

#include <stdexcept>
#include <vector>

namespace smmusim::platform {
namespace {

namespace at = bridge_register;

constexpr std::uint32_t upper_twelve = 0xfff0;  // of a base or limit: address bits 31 to 20
constexpr std::uint32_t addresses_of_64_bits = 1;
constexpr unsigned window_bits = 20;  // windows are made of 1 MiB

std::vector<ConfigRegister> header_rows(const BridgeDescription& bridge) {
  constexpr std::uint32_t memory_space = 1U << 1, bus_master = 1U << 2, parity = 1U << 6, serr = 1U << 8;
  constexpr std::uint32_t no_intx = 1U << 10, pci_to_pci = 0x060400, status_errors = 0xf900;
  constexpr std::uint32_t bridge_parity = 1U << 0, bridge_serr = 1U << 1;
  return {
      {0x00, 2, bridge.vendor},
      {0x02, 2, bridge.device},
      {at::command, 2, 0, memory_space | bus_master | parity | serr | no_intx},
      {0x06, 2, 0, 0, status_errors},
      {0x08, 4, bridge.revision | pci_to_pci << 8},
      {0x0c, 1, 0, 0xff},
      {0x0e, 1, 1},  // Header Type
      {at::primary_bus, 1, 0, 0xff},
      {at::secondary_bus, 1, 0, 0xff},
      {at::subordinate_bus, 1, 0, 0xff},
      {0x1e, 2, 0, 0, status_errors},
      {at::memory_base, 2, 0, upper_twelve},
      {at::memory_limit, 2, 0, upper_twelve},
      {at::prefetchable_base, 2, addresses_of_64_bits, upper_twelve},
      {at::prefetchable_limit, 2, addresses_of_64_bits, upper_twelve},
      {at::prefetchable_base_upper, 4, 0, ~std::uint32_t{0}},
      {at::prefetchable_limit_upper, 4, 0, ~std::uint32_t{0}},
      {0x3c, 1, 0, 0xff},
      {at::bridge_control, 2, 0, bridge_parity | bridge_serr},
  };
}

std::optional<BridgeWindow> window(std::uint64_t base, std::uint64_t limit) {
  if (base > limit) return std::nullopt;
  return BridgeWindow{base, limit | ((std::uint64_t{1} << window_bits) - 1)};
}

const BridgeDescription& checked(const BridgeDescription& bridge) {
  constexpr unsigned known = 0x5f;
  if ((bridge.acs_controls & ~known) != 0) throw std::invalid_argument("acs_controls has bits that no control has");
  if (bridge.acs_controls != 0 && bridge.pcie.port == PortType::upstream_port) {
    throw std::invalid_argument("an upstream port has no ACS capability");
  }
  return bridge;
}

}  // namespace

BridgeConfig::BridgeConfig(const BridgeDescription& description) : space_(header_rows(checked(description))) {
  space_.add(pcie_capability(description.pcie));
  if (description.acs_controls != 0) acs_at_ = space_.add(acs_capability({description.acs_controls}));
  for (const std::uint16_t offset : {at::command, at::primary_bus, at::memory_base, at::prefetchable_base,
                                     at::prefetchable_base_upper, at::prefetchable_limit_upper}) {
    space_.on_write(offset, [this] { update(); });
  }
  if (acs_at_) space_.on_write(static_cast<std::uint16_t>(*acs_at_ + 4), [this] { update(); });
  update();
}

void BridgeConfig::update() {
  const auto address_of = [this](std::uint16_t offset) {
    return std::uint64_t{space_.read(offset, 2) & upper_twelve} << (window_bits - 4);
  };
  const auto upper = [this](std::uint16_t offset) { return std::uint64_t{space_.read(offset, 4)} << 32; };
  command_ = space_.read(at::command, 2);
  primary_ = space_.read(at::primary_bus, 1);
  secondary_ = space_.read(at::secondary_bus, 1);
  subordinate_ = space_.read(at::subordinate_bus, 1);
  memory_ = window(address_of(at::memory_base), address_of(at::memory_limit));
  prefetchable_ = window(address_of(at::prefetchable_base) | upper(at::prefetchable_base_upper),
                         address_of(at::prefetchable_limit) | upper(at::prefetchable_limit_upper));
  acs_ = acs_at_ ? space_.read(*acs_at_ + std::uint32_t{cap::acs_control}, 2) : 0;
}

}  // namespace smmusim::platform

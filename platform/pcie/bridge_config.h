// SPDX-License-Identifier: MIT
// BridgeConfig: the configuration space of a root port or of a port of a switch (type 1 header, PCI Express Base
// section 7.5.1.3; ACS: 6.12 and 7.7.7), and what software has written there: bus numbers, windows, what may pass.
// No I/O window, no expansion ROM, no BARs. How TLPs are routed by it is the switch's and the root complex's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "platform/pcie/capabilities.h"
#include "platform/pcie/config_space.h"

namespace smmusim::platform {

/// Bits of the ACS Control register (section 7.7.7.3).
enum class Acs : std::uint16_t {
  source_validation = 1U << 0,
  translation_blocking = 1U << 1,
  p2p_request_redirect = 1U << 2,
  p2p_completion_redirect = 1U << 3,
  upstream_forwarding = 1U << 4,
  direct_translated_p2p = 1U << 6,
};

struct BridgeDescription {
  std::uint16_t vendor = 0x1b36, device = 0x000c;
  std::uint8_t revision = 0;
  PcieCapability pcie{};  ///< `port` says which kind of bridge it is
  /// What the ACS capability offers, bits of Acs; 0: it has none, as upstream ports never do.
  unsigned acs_controls = 0;
};

/// Addresses [first, last].
struct BridgeWindow {
  std::uint64_t first = 0, last = 0;
  bool holds(std::uint64_t address) const { return address >= first && address <= last; }
  bool operator==(const BridgeWindow&) const = default;
};

class BridgeConfig {
 public:
  /// Throws std::invalid_argument for ACS controls that do not exist, or at an upstream port.
  explicit BridgeConfig(const BridgeDescription& description);
  BridgeConfig(const BridgeConfig&) = delete;
  BridgeConfig& operator=(const BridgeConfig&) = delete;

  ConfigSpace& space() { return space_; }
  /// Of the bridge itself and by its Secondary Bus Reset: registers as they were at the start.
  void reset() { space_.reset(); }

  bool memory_space() const { return (command_ & 2) != 0; }  ///< memory requests may pass down
  bool bus_master() const { return (command_ & 4) != 0; }    ///< memory requests may pass up
  unsigned primary() const { return primary_; }
  unsigned secondary() const { return secondary_; }
  unsigned subordinate() const { return subordinate_; }
  /// The bus is below it. No bus is until software has given it a secondary bus above the primary one.
  bool below(unsigned bus) const { return secondary_ > primary_ && bus >= secondary_ && bus <= subordinate_; }
  /// A window whose base is above its limit is closed.
  std::optional<BridgeWindow> memory_window() const { return memory_; }
  std::optional<BridgeWindow> prefetchable_window() const { return prefetchable_; }
  /// One of the windows holds it; without memory_space() there are none.
  bool claims(std::uint64_t address) const {
    return memory_space() && ((memory_ && memory_->holds(address)) || (prefetchable_ && prefetchable_->holds(address)));
  }
  /// Software has switched this control on.
  bool acs(Acs control) const { return (acs_ & static_cast<unsigned>(control)) != 0; }

 private:
  /// Takes over what software has written: TLPs ask far more often than it writes.
  void update();

  ConfigSpace space_;
  std::optional<std::uint16_t> acs_at_;
  unsigned command_ = 0, primary_ = 0, secondary_ = 0, subordinate_ = 0, acs_ = 0;
  std::optional<BridgeWindow> memory_, prefetchable_;
};

/// Offsets of the registers of a type 1 header.
namespace bridge_register {
inline constexpr std::uint16_t command = 0x04, primary_bus = 0x18, secondary_bus = 0x19, subordinate_bus = 0x1a;
inline constexpr std::uint16_t memory_base = 0x20, memory_limit = 0x22;
inline constexpr std::uint16_t prefetchable_base = 0x24, prefetchable_limit = 0x26;
inline constexpr std::uint16_t prefetchable_base_upper = 0x28, prefetchable_limit_upper = 0x2c;
inline constexpr std::uint16_t bridge_control = 0x3e;
}  // namespace bridge_register

}  // namespace smmusim::platform

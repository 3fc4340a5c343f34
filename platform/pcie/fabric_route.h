// SPDX-License-Identifier: MIT
// The fabric as software's own accesses see it: who answers a configuration request (PCI Express Base section 7.3.3: on
// the root's bus by device and function number; below a bridge by its bus numbers as Type 1, until the bus is the
// bridge's secondary one, where it becomes Type 0), and in whose BAR an address is. Accesses that take time travel as
// TLPs instead and use none of this.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "platform/pcie/bar_handler.h"
#include "platform/pcie/bridge_config.h"
#include "platform/pcie/function_config.h"

namespace smmusim::platform {

/// A place in a function's BAR.
struct BarPlace {
  BarHandler* handler = nullptr;
  unsigned bar = 0;
  std::uint64_t offset = 0;
};

/// What is at the far end of a link.
class FabricTarget {
 public:
  virtual ~FabricTarget() = default;
  /// A Type 0 request for this device and function number (bits 7 to 0 of a RID); null: nobody answers.
  virtual ConfigSpace* type0(unsigned device_function) = 0;
  /// A Type 1 request: the bus is below what is here.
  virtual ConfigSpace* type1(std::uint16_t rid) = 0;
  /// Where a memory access ends that has passed the link; nothing: nobody claims it.
  virtual std::optional<BarPlace> bar_at(std::uint64_t address, std::uint32_t bytes) = 0;
};

/// A device of one function: its number is 0, and nothing is below it.
class FunctionTarget final : public FabricTarget {
 public:
  /// `handler`: null if it answers in no BAR.
  FunctionTarget(FunctionConfig& function, BarHandler* handler) : function_(function), handler_(handler) {}
  ConfigSpace* type0(unsigned device_function) override { return device_function == 0 ? &function_.space() : nullptr; }
  ConfigSpace* type1(std::uint16_t) override { return nullptr; }
  std::optional<BarPlace> bar_at(std::uint64_t address, std::uint32_t bytes) override;

 private:
  FunctionConfig& function_;
  BarHandler* handler_;
};

/// A bridge and what is at the other end of its link; null: nothing is.
struct BridgedTarget {
  BridgeConfig* bridge = nullptr;
  FabricTarget* below = nullptr;

  ConfigSpace* find(std::uint16_t rid) const;
  std::optional<BarPlace> bar_at(std::uint64_t address, std::uint32_t bytes) const;
};

/// Bus 0, where the root ports are.
class RootBus {
 public:
  /// Throws std::invalid_argument if the number, 0 to 255, is taken.
  void attach(unsigned device_function, const BridgedTarget& root_port);
  /// Null: nobody answers.
  ConfigSpace* find(std::uint16_t rid) const;
  std::optional<BarPlace> bar_at(std::uint64_t address, std::uint32_t bytes) const;

 private:
  std::map<unsigned, BridgedTarget> ports_;  // by device and function number
};

}  // namespace smmusim::platform

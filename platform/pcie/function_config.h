// SPDX-License-Identifier: MIT
// FunctionConfig: the configuration space of an endpoint's function, and what software has switched on in it. Where the
// specification calls a change undefined (STU or PASID while ATS is enabled, the PRI allocation while PRI is), the
// write is ignored: the strictest of what may happen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "platform/pcie/capabilities.h"
#include "platform/pcie/config_space.h"

namespace smmusim::platform {

struct Bar {
  std::uint64_t bytes = 0;  ///< a power of two of at least 16; 0: none
  bool is_64_bit = false;   ///< takes the next BAR's register too
  bool prefetchable = false;
};

/// A place in a BAR.
struct BarOffset {
  unsigned bar = 0;
  std::uint64_t offset = 0;
};

struct FunctionDescription {
  std::uint16_t vendor = 0x1b36, device = 0x0005;
  std::uint32_t class_code = 0x088000;  ///< base class, subclass, interface
  std::uint8_t revision = 0;
  std::array<Bar, 6> bars{};
  PcieCapability pcie{};
  std::optional<MsiCapability> msi{};
  std::optional<MsixCapability> msix{};
  std::optional<AtsCapability> ats{};
  bool ats_hidden = false;  ///< the device has it and the guest is not shown it (ats_property.h)
  std::optional<PriCapability> pri{};
  std::optional<PasidCapability> pasid{};
};

/// What a function reports of PRG Responses (section 10.5.2.3).
enum class PriStatus : std::uint32_t { response_failure = 1, unexpected_index = 2 };

class FunctionConfig {
 public:
  /// Throws std::invalid_argument for a BAR or a capability that can't be.
  explicit FunctionConfig(const FunctionDescription& description);
  FunctionConfig(const FunctionConfig&) = delete;
  FunctionConfig& operator=(const FunctionConfig&) = delete;

  ConfigSpace& space() { return space_; }
  const FunctionDescription& description() const { return description_; }
  /// A function-level or conventional reset.
  void reset() { space_.reset(); }

  bool bus_master() const;            ///< may send requests
  bool memory_space() const;          ///< answers in its BARs
  unsigned max_payload() const;       ///< bytes
  unsigned max_read_request() const;  ///< bytes
  bool extended_tags() const;
  bool atomic_requester() const;  ///< may send AtomicOps
  bool relaxed_ordering() const;  ///< may set that attribute in its requests
  bool id_ordering() const;       ///< likewise ID-based ordering

  bool ats_enabled() const;
  /// log2 of the smallest translation unit's bytes: 12 and up.
  unsigned stu_bits() const;
  bool pri_enabled() const;
  std::uint32_t pri_allocation() const;
  /// Its PRG Responses have to have the PASID of the request.
  bool pri_response_pasid() const { return description_.pri && description_.pri->response_pasid_required; }
  /// Response Failure: it must not send Page Requests until software has cleared it.
  bool pri_failed() const;
  /// Sets a flag of Page Request Status; software clears it.
  void report(PriStatus flag);
  unsigned invalidate_queue_depth() const;  ///< Invalidate Requests that it takes at a time; 0: it has no ATS
  bool pasid_enabled() const;
  unsigned pasid_bits() const;  ///< width of its PASIDs
  bool pasid_execute() const;
  bool pasid_privileged() const;
  bool msi_enabled() const;
  bool msix_enabled() const;

  /// Where a BAR is now; nothing if there is no such BAR.
  std::optional<std::uint64_t> bar_address(unsigned index) const;
  std::uint64_t bar_bytes(unsigned index) const { return description_.bars[index].bytes; }
  /// The BAR that holds all of these bytes; nothing if none does, or while memory_space() is off.
  std::optional<BarOffset> bar_at(std::uint64_t address, std::uint32_t bytes) const;
  /// Where the capability is; nothing if the device has none, or it is hidden.
  std::optional<std::uint16_t> capability(std::uint16_t id, bool extended) const;

 private:
  std::uint32_t control(std::optional<std::uint16_t> at, std::uint16_t offset) const;
  void set_rules();

  FunctionDescription description_;
  ConfigSpace space_;
  std::uint16_t pcie_ = 0;
  std::optional<std::uint16_t> msi_, msix_, ats_, pri_, pasid_;
};

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// The capabilities of a PCIe function as rows of registers (PCI Express Base, chapter 7; ATS, PRI and PASID: chapter 10
// there). Structs say what a device has; the functions make the rows. Rules between capabilities are function_config.h.
#pragma once

#include <cstdint>

#include "platform/pcie/config_space.h"

namespace smmusim::platform {

/// Offsets of the registers that software controls, from the capability's first byte.
namespace cap {
inline constexpr std::uint16_t pcie_device_control = 0x08, pcie_device_control_2 = 0x28;
inline constexpr std::uint16_t msi_control = 0x02, msix_control = 0x02;
inline constexpr std::uint16_t ats_control = 0x06, pri_control = 0x04, pri_status = 0x06, pri_allocation = 0x0c;
inline constexpr std::uint16_t pasid_control = 0x06, acs_control = 0x06;
}  // namespace cap

enum class PortType : std::uint8_t { endpoint = 0, root_port = 4, upstream_port = 5, downstream_port = 6 };

struct PcieCapability {
  PortType port = PortType::endpoint;
  unsigned mps_log2 = 8;      ///< largest Max_Payload_Size supported: 128 to 4096 bytes
  bool extended_tags = true;  ///< 8-bit tags
  bool tags_10_bit = false;
  bool atomic_completer = false;
  bool pasid_prefix = true;  ///< End-End TLP prefixes
  unsigned generation = 3;   ///< 1 to 6
  unsigned lanes = 4;
};
Capability pcie_capability(const PcieCapability& has);

struct MsiCapability {
  unsigned vectors_log2 = 0;  ///< 0 to 5
  bool masking = true;        ///< per vector
};
Capability msi_capability(const MsiCapability& has);

struct MsixCapability {
  unsigned vectors = 1;            ///< 1 to 2048
  unsigned bar = 0;                ///< of table and pending bits
  std::uint32_t table_offset = 0;  ///< in the BAR, multiples of 8
  std::uint32_t pba_offset = 0x1000;
};
Capability msix_capability(const MsixCapability& has);

struct AtsCapability {
  unsigned invalidate_queue_depth = 32;  ///< 1 to 32
  bool page_aligned_request = true;
  bool global_invalidate = false;
  bool relaxed_ordering = false;
};
Capability ats_capability(const AtsCapability& has, bool hidden);

struct PriCapability {
  std::uint32_t outstanding_capacity = 64;  ///< Page Requests at a time
  bool response_pasid_required = false;
};
Capability pri_capability(const PriCapability& has);

struct PasidCapability {
  unsigned width = 16;  ///< Max PASID Width, 0 to 20 bits
  bool execute = false;
  bool privileged = false;
};
Capability pasid_capability(const PasidCapability& has);

/// Access Control Services: which of V, B, R, C, U, E and T (bits 0 to 6) a port offers. No egress control vector.
struct AcsCapability {
  unsigned controls = 0x1f;
};
Capability acs_capability(const AcsCapability& has);

}  // namespace smmusim::platform

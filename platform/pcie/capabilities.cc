// SPDX-License-Identifier: MIT
// Rows of the capabilities; see the header.
#include "platform/pcie/capabilities.h"

#include <algorithm>

namespace smmusim::platform {
namespace {

constexpr std::uint32_t bit(unsigned n) {
  return std::uint32_t{1} << n;
}
constexpr std::uint32_t bits(unsigned high, unsigned low) {
  return (bit(high - low) * 2 - 1) << low;
}
constexpr std::uint32_t flag(bool set, unsigned n) {
  return set ? bit(n) : 0;
}

}  // namespace

Capability pcie_capability(const PcieCapability& has) {
  constexpr std::uint32_t version_2 = 2, role_based_errors = bit(15);
  const std::uint32_t link = has.generation | has.lanes << 4;
  Capability capability{.id = 0x10, .bytes = 0x3c};
  capability.registers = {
      {0x02, 2, version_2 | static_cast<std::uint32_t>(has.port) << 4},
      {0x04, 4,
       (std::min(has.mps_log2, 12u) - 7) | flag(has.extended_tags, 5) | role_based_errors},  // no Function Level Reset
      // Error reporting enables, relaxed ordering (on after reset), MPS, extended tags, no snoop (on), MRRS (512
      // bytes).
      {0x08, 2, bit(4) | bit(11) | 2u << 12,
       bits(4, 0) | bits(7, 5) | flag(has.extended_tags, 8) | bit(11) | bits(14, 12)},
      {0x0a, 2, 0, 0, bits(3, 0)},
      {0x0c, 4, link},
      {0x10, 2, 0, bits(1, 0) | bit(3) | bits(7, 6)},
      {0x12, 2, link},
      {0x24, 4,
       flag(has.atomic_completer, 7) | flag(has.atomic_completer, 8) | flag(has.tags_10_bit, 16) |
           flag(has.tags_10_bit, 17) | flag(has.pasid_prefix, 21)},
      // AtomicOp requester, IDO request and completion, 10-bit tag requester.
      {0x28, 2, 0, bit(6) | bit(8) | bit(9) | flag(has.tags_10_bit, 12)},
      {0x2c, 4, (bit(has.generation) - 1) << 1},
      {0x30, 2, has.generation, bits(3, 0)},
  };
  return capability;
}

Capability msi_capability(const MsiCapability& has) {
  constexpr std::uint32_t addresses_of_64_bits = bit(7);
  Capability capability{.id = 0x05, .bytes = static_cast<std::uint16_t>(has.masking ? 0x18 : 0x0e)};
  capability.registers = {
      {0x02, 2, has.vectors_log2 << 1 | addresses_of_64_bits | flag(has.masking, 8), bit(0) | bits(6, 4)},
      {0x04, 4, 0, ~std::uint32_t{3}},
      {0x08, 4, 0, ~std::uint32_t{0}},
      {0x0c, 2, 0, 0xffff},
  };
  if (has.masking) capability.registers.push_back({0x10, 4, 0, bits((1u << has.vectors_log2) - 1, 0)});
  return capability;
}

Capability msix_capability(const MsixCapability& has) {
  Capability capability{.id = 0x11, .bytes = 0x0c};
  capability.registers = {
      {0x02, 2, has.vectors - 1, bit(14) | bit(15)},
      {0x04, 4, (has.table_offset & ~7u) | has.bar},
      {0x08, 4, (has.pba_offset & ~7u) | has.bar},
  };
  return capability;
}

Capability ats_capability(const AtsCapability& has, bool hidden) {
  Capability capability{.id = 0x0f, .extended = true, .bytes = 8, .hidden = hidden};
  // A depth of 32 reads as 0.
  capability.registers = {
      {0x04, 2,
       (has.invalidate_queue_depth & 31) | flag(has.page_aligned_request, 5) | flag(has.global_invalidate, 6) |
           flag(has.relaxed_ordering, 7)},
      {cap::ats_control, 2, 0, bits(4, 0) | bit(15)},
  };
  return capability;
}

Capability pri_capability(const PriCapability& has) {
  constexpr std::uint32_t stopped = bit(8);
  Capability capability{.id = 0x13, .extended = true, .bytes = 0x10};
  capability.registers = {
      {cap::pri_control, 2, 0, bits(1, 0)},
      {cap::pri_status, 2, stopped | flag(has.response_pasid_required, 15), 0, bits(1, 0)},
      {0x08, 4, has.outstanding_capacity},
      {cap::pri_allocation, 4, 0, ~std::uint32_t{0}},
  };
  return capability;
}

Capability pasid_capability(const PasidCapability& has) {
  Capability capability{.id = 0x1b, .extended = true, .bytes = 8};
  capability.registers = {
      {0x04, 2, flag(has.execute, 1) | flag(has.privileged, 2) | has.width << 8},
      {cap::pasid_control, 2, 0, bit(0) | flag(has.execute, 1) | flag(has.privileged, 2)},
  };
  return capability;
}

Capability acs_capability(const AcsCapability& has) {
  constexpr unsigned egress_control = bit(5);
  const std::uint32_t controls = has.controls & bits(6, 0) & ~egress_control;
  Capability capability{.id = 0x0d, .extended = true, .bytes = 8};
  capability.registers = {{0x04, 2, controls}, {cap::acs_control, 2, 0, controls}};
  return capability;
}

}  // namespace smmusim::platform

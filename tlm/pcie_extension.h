// SPDX-License-Identifier: MIT
// What a payload can carry on its way to or from a PCIe function beside the TLM generic payload: the fields of its TLPs
// that an initiator may choose, and what its completions said. Ignorable: a plain initiator's accesses are untranslated
// requests without PASID and attributes.
#pragma once

#include <cstdint>
#include <tlm>

#include "model/base/types.h"
#include "model/smmu/transaction.h"

namespace smmusim::systemc {

/// Fields of a memory request (PCI Express Base section 2.2.7; AT and No Write: 10.2; PASID: 6.20).
struct PcieAttributes {
  AtsType at = AtsType::untranslated;  ///< of a translation request the payload is a read of 8 bytes for each entry
  bool no_write = false;               ///< NW, of a translation request
  bool atomic = false;                 ///< the payload is a write of the operand, which becomes what was there: Swap
  bool pasid_valid = false;
  SubstreamId pasid{};      ///< 20 bits
  bool privileged = false;  ///< Privileged Mode Requested; needs a PASID, as execute does
  bool execute = false;     ///< Execute Requested
  bool relaxed_ordering = false;
  bool id_ordering = false;
  bool no_snoop = false;
  friend bool operator==(const PcieAttributes&, const PcieAttributes&) = default;
};

/// Completion Status of the access: that of the first TLP that did not succeed.
enum class PcieStatus : std::uint8_t {
  success,
  unsupported_request,
  completer_abort,
  timeout,  ///< no completion came in time, or one that could not be
  refused,  ///< the function may not send it: bus mastering is off, or its PASID is not enabled
};

struct PcieExtension final : tlm::tlm_extension<PcieExtension> {
  PcieAttributes request{};
  PcieStatus status = PcieStatus::success;  ///< filled by the function

  tlm::tlm_extension_base* clone() const override { return new PcieExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const PcieExtension&>(other); }
};

}  // namespace smmusim::systemc

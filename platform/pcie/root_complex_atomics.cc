// SPDX-License-Identifier: MIT
// AtomicOps at the RootComplex (PCI Express Base section 6.15): their operands as a payload, what was found as data.
#include <cstring>

#include "platform/pcie/root_complex.h"
#include "tlm/atomic_extension.h"

namespace smmusim::platform {

/// Of CAS the value to compare with comes first and does not travel as data.
ByteRange RootComplex::carry_atomic(const Tlp& tlp, tlm::tlm_generic_payload& payload) {
  systemc::AtomicExtension& extension = systemc::AtomicExtension::of(payload);
  const bool compares = tlp.type == TlpType::CAS;
  const auto size = static_cast<std::uint32_t>(tlp.data.size()) / (compares ? 2 : 1);
  extension.operation = compares                        ? systemc::AtomicOperation::compare_and_swap
                        : tlp.type == TlpType::FetchAdd ? systemc::AtomicOperation::fetch_add
                                                        : systemc::AtomicOperation::swap;
  extension.done = false;
  if (compares) std::memcpy(extension.expected.data(), tlp.data.data(), size);
  return {tlp.address, size};
}

/// What was found is the answer. A completer that does no AtomicOps refuses them (section 6.15).
void RootComplex::finish_atomic(Slot& slot, Outcome outcome) {
  systemc::AtomicExtension& extension = systemc::AtomicExtension::of(*slot.out.payload());
  if (!extension.done) extension.found.fill(0);
  slot.buffer.assign(extension.found.begin(), extension.found.end());
  if (slot.error == CplStatus::SC && !extension.done && outcome != Outcome::raz_wi) slot.error = CplStatus::UR;
  extension.operation = systemc::AtomicOperation::none;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// Direct memory access through a Tbu (IEEE 1666-2011 section 11.2): what the Smmu grants of one mapping, cut to what
// downstream gives of its output range, told in the client's addresses. Whatever ends one grant ends all of them,
// with one call for the whole address space: nothing has to be remembered but that there are some.
#include <algorithm>

#include "model/smmu/grants.h"
#include "tlm/tbu.h"

namespace smmusim::systemc {
namespace {

constexpr sc_dt::uint64 all_addresses = ~sc_dt::uint64{0};

/// No direct access of the kind asked for: nowhere, or not in the 4 KiB around the address.
bool deny(tlm::tlm_dmi& dmi, const tlm::tlm_generic_payload& payload, bool nowhere) {
  const sc_dt::uint64 offsets = nowhere ? all_addresses : 4095;
  dmi.init();
  dmi.set_start_address(payload.get_address() & ~offsets);
  dmi.set_end_address(payload.get_address() | offsets);
  dmi.set_granted_access(payload.is_write() ? tlm::tlm_dmi::DMI_ACCESS_WRITE : tlm::tlm_dmi::DMI_ACCESS_READ);
  return false;
}

/// What both permit; DMI_ACCESS_NONE is 0, read and write are bits.
tlm::tlm_dmi::dmi_access_e common_access(const Grant& grant, const tlm::tlm_dmi& memory) {
  const bool read = grant.read && memory.is_read_allowed();
  const bool write = grant.write && memory.is_write_allowed();
  if (read && write) return tlm::tlm_dmi::DMI_ACCESS_READ_WRITE;
  if (read) return tlm::tlm_dmi::DMI_ACCESS_READ;
  return write ? tlm::tlm_dmi::DMI_ACCESS_WRITE : tlm::tlm_dmi::DMI_ACCESS_NONE;
}

}  // namespace

void Tbu::set_defaults(const ClientAttributes& defaults) {
  if (!(defaults == defaults_)) revoke_dmi();
  defaults_ = defaults;
}

void Tbu::revoke_dmi() {
  if (!dmi_given_) return;
  dmi_given_ = false;
  client_->invalidate_direct_mem_ptr(0, all_addresses);
}

/// Whether downstream's hint that direct access is possible may go to the client.
bool Tbu::hints_dmi(const tlm::tlm_generic_payload& payload) const {
  return gives_dmi_ && payload.is_dmi_allowed() && attributes_of(payload) == defaults_;
}

bool Tbu::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  if (!gives_dmi_) return deny(dmi, payload, true);
  const bool known = payload.is_read() || payload.is_write();
  // A pointer can't tell the accesses of one stream from another's.
  if (!known || !(attributes_of(payload) == defaults_)) return deny(dmi, payload, false);
  const auto grant = smmu_.grant(index_, transaction_of(attributes_of(payload), payload, payload.get_address(), 1));
  if (!grant || !direct_from_memory(payload, *grant, dmi)) return deny(dmi, payload, false);
  dmi_given_ = true;
  return true;
}

/// Asks downstream; dmi then is what both give.
bool Tbu::direct_from_memory(const tlm::tlm_generic_payload& payload, const Grant& grant, tlm::tlm_dmi& dmi) {
  const std::uint64_t output = grant.address.value + (payload.get_address() - grant.first);
  tlm::tlm_generic_payload inner;
  inner.set_command(payload.get_command());
  inner.set_address(output);
  dmi.init();
  if (!downstream_->get_direct_mem_ptr(inner, dmi)) return false;
  const std::uint64_t memory_first = dmi.get_start_address();
  const std::uint64_t first = std::max(memory_first, grant.address.value);
  const std::uint64_t last =
      std::min<std::uint64_t>(dmi.get_end_address(), grant.address.value + (grant.last - grant.first));
  dmi.set_granted_access(common_access(grant, dmi));
  if (output < first || output > last || !(payload.is_write() ? dmi.is_write_allowed() : dmi.is_read_allowed())) {
    return false;
  }
  dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (first - memory_first));  // its latencies stay
  dmi.set_start_address(grant.first + (first - grant.address.value));
  dmi.set_end_address(grant.first + (last - grant.address.value));
  return true;
}

}  // namespace smmusim::systemc

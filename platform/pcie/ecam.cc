// SPDX-License-Identifier: MIT
// Accesses of 1, 2 and 4 bytes, naturally aligned; 8 bytes are two of 4. Anything else is no configuration request.
#include "platform/pcie/ecam.h"

#include <algorithm>
#include <cstring>

#include "tlm/sim_time.h"

namespace smmusim::platform {
namespace {

constexpr std::uint32_t register_mask = 0xfff;
constexpr unsigned doubleword = 4;

bool is_configuration_access(const tlm::tlm_generic_payload& payload) {
  const unsigned size = payload.get_data_length();
  const bool sized = size == 1 || size == 2 || size == doubleword || size == 2 * doubleword;
  return sized && payload.get_data_ptr() != nullptr && payload.get_byte_enable_ptr() == nullptr &&
         payload.get_address() % size == 0 && payload.get_address() < Ecam::bytes;
}

}  // namespace

Ecam::Ecam(const sc_core::sc_module_name& name, Time latency_ps)
    : sc_core::sc_module(name), in("in"), latency_(latency_ps) {
  in.bind(*this);
}

ConfigSpace* Ecam::find(std::uint16_t rid) const {
  if (const auto found = spaces_.find(rid); found != spaces_.end()) return found->second;
  return bus_ == nullptr ? nullptr : bus_->find(rid);
}

void Ecam::access(tlm::tlm_generic_payload& payload) {
  if (!is_configuration_access(payload)) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return;
  ConfigSpace* space = find(static_cast<std::uint16_t>(payload.get_address() >> 12));
  const unsigned size = payload.get_data_length();
  for (unsigned at = 0; at < size; at += doubleword) {
    const auto offset = static_cast<std::uint32_t>(payload.get_address() & register_mask) + at;
    const unsigned step = std::min(size, doubleword);
    unsigned char* data = payload.get_data_ptr() + at;
    std::uint32_t value = 0;
    if (payload.is_write()) {
      std::memcpy(&value, data, step);
      if (space != nullptr) space->write(offset, value, step);
    } else {
      value = space == nullptr ? ~std::uint32_t{0} : space->read(offset, step);
      std::memcpy(data, &value, step);
    }
  }
}

void Ecam::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  access(payload);
  delay += systemc::from_ps(latency_);
}

tlm::tlm_sync_enum Ecam::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                         sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  b_transport(payload, delay);
  return tlm::TLM_COMPLETED;
}

unsigned Ecam::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read()) return 0;
  access(payload);
  return payload.is_response_ok() ? payload.get_data_length() : 0;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// The transports of the Doorbell: a write is counted and kept, a read gives zeros. Nothing here raises an interrupt but
// who listens.
#include "platform/memory/doorbell.h"

#include <algorithm>
#include <cstring>

#include "model/base/check.h"

namespace smmusim::platform {

Doorbell::Doorbell(const sc_core::sc_module_name& name, systemc::Pump& pump, Time latency_ps, std::size_t kept_max)
    : sc_core::sc_module(name), in("in"), pump_(pump), latency_(latency_ps), rings_(kept_max) {
  SMMUSIM_CHECK(kept_max > 0);
  in.bind(*this);
}

const Doorbell::Ring& Doorbell::last(std::size_t back) const {
  SMMUSIM_CHECK(back < kept());
  return rings_[static_cast<std::size_t>((count_ - 1 - back) % rings_.size())];
}

void Doorbell::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const unsigned size = payload.get_data_length();
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (payload.get_data_ptr() == nullptr || size == 0) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.is_read()) std::memset(payload.get_data_ptr(), 0, size);
  if (payload.is_write()) {
    Ring& ring = rings_[static_cast<std::size_t>(count_++ % rings_.size())];
    ring = {payload.get_address(), 0, size, pump_.now() + systemc::to_ps(delay)};
    std::memcpy(&ring.data, payload.get_data_ptr(), std::min<std::size_t>(size, sizeof ring.data));
    if (on_ring) on_ring(ring);
  }
  delay += systemc::from_ps(latency_);
}

tlm::tlm_sync_enum Doorbell::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  b_transport(payload, delay);
  return tlm::TLM_COMPLETED;
}

unsigned Doorbell::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read() || payload.get_data_ptr() == nullptr) return 0;
  std::memset(payload.get_data_ptr(), 0, payload.get_data_length());
  return payload.get_data_length();
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// The phases of AtInitiator. A response finds its access by the payload's path; one that nobody waits for is completed
// and forgotten.
#include "tlm/at_initiator.h"

#include <utility>

#include "model/base/check.h"

namespace smmusim::systemc {

AtInitiator::AtInitiator(Pump& pump, tlm::tlm_initiator_socket<>& socket, Accepted accepted, Invalidated invalidated)
    : pump_(pump), socket_(socket), accepted_(std::move(accepted)), invalidated_(std::move(invalidated)) {
  socket_.bind(*this);
}

void AtInitiator::add(Access& access) {
  SMMUSIM_CHECK(accesses_.size() < 0xffff);
  access.index_ = static_cast<std::uint16_t>(accesses_.size());
  accesses_.push_back(&access);
}

bool AtInitiator::begin(Access& access, Time delay_ps) {
  access.path_->push({access.index_, 0});
  access.on_path_ = true;
  access.end_response_ = false;
  access.expects_response_ = false;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = delay_ps == 0 ? sc_core::SC_ZERO_TIME : from_ps(delay_ps);
  const tlm::tlm_sync_enum answer = socket_->nb_transport_fw(*access.payload_, phase, delay);
  const bool completed = answer == tlm::TLM_COMPLETED;
  if (completed || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) {
    access.end_response_ = !completed;
    pump_.schedule_in(to_ps(delay) + access.own_time, *access.done);
    if (completed) leave_path(access);
    return completed;
  }
  access.expects_response_ = true;
  if (answer == tlm::TLM_ACCEPTED) requesting_ = &access;
  return false;
}

void AtInitiator::end(Access& access) {
  if (!access.on_path_) return;
  if (access.end_response_) {
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket_->nb_transport_fw(*access.payload_, phase, delay);
  }
  leave_path(access);
}

void AtInitiator::leave_path(Access& access) {
  access.path_->pop();
  access.on_path_ = false;
}

/// The access whose response this payload is, or null.
AtInitiator::Access* AtInitiator::waiting_for(const tlm::tlm_generic_payload& payload) {
  const auto* path = payload.get_extension<PathExtension>();
  if (path == nullptr || path->depth == 0 || path->top().from >= accesses_.size()) return nullptr;
  Access* access = accesses_[path->top().from];
  return access->payload_ == &payload && access->expects_response_ ? access : nullptr;
}

tlm::tlm_sync_enum AtInitiator::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                sc_core::sc_time& delay) {
  Pump::Arrival guard(pump_);
  if (requesting_ != nullptr && requesting_->payload_ == &payload &&
      (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)) {  // BEGIN_RESP implies END_REQ
    requesting_ = nullptr;
    accepted_();
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
  Access* access = waiting_for(payload);
  if (access == nullptr) return tlm::TLM_COMPLETED;
  access->expects_response_ = false;
  pump_.schedule_in(to_ps(delay) + access->own_time, *access->done);
  return tlm::TLM_COMPLETED;
}

void AtInitiator::invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) {
  if (invalidated_) invalidated_(first, last);
}

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// The transports of PayloadTarget.
#include "platform/pcie/payload_target.h"

namespace smmusim::platform {

using systemc::to_ps;
using tlm::tlm_generic_payload;

PayloadTarget::PayloadTarget(systemc::Pump& pump, tlm::tlm_target_socket<>& socket, Owner& owner, Time latency_ps)
    : pump_(pump), socket_(socket), owner_(owner), latency_(latency_ps), scope_(pump.engine()) {
  chores_.target = this;
  chores_.scope = &scope_;
  chores_.fire = &do_chores;
  socket_.bind(*this);
}

PayloadTarget::~PayloadTarget() = default;

PayloadTarget::Access& PayloadTarget::take(tlm_generic_payload& payload) {
  if (free_.empty()) {
    Access& made = *all_.emplace_back(std::make_unique<Access>());
    made.target = this;
    made.scope = &scope_;
    made.fire = &arrived;
    free_.push_back(&made);
  }
  Access& access = *free_.back();
  free_.pop_back();
  access.payload = &payload;
  access.blocking = false;
  if (payload.has_mm()) payload.acquire();
  return access;
}

void PayloadTarget::give(Access& access) {
  tlm_generic_payload& payload = *access.payload;
  access.payload = nullptr;
  free_.push_back(&access);
  if (payload.has_mm()) payload.release();
}

tlm::tlm_sync_enum PayloadTarget::nb_transport_fw(tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                  sc_core::sc_time& delay) {
  const systemc::Pump::Arrival guard(pump_);
  if (phase == tlm::END_RESP && responding_ != nullptr && responding_->payload == &payload) {
    give(*responding_);
    responding_ = nullptr;
    if (first_response_ != nullptr && !chores_.posted) {
      chores_.posted = true;
      pump_.schedule_in(0, chores_);
    }
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  payload.set_dmi_allowed(false);
  if (owner_.refuses(payload)) return tlm::TLM_COMPLETED;
  pump_.schedule_in(to_ps(delay) + latency_, take(payload));
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void PayloadTarget::arrived(EventNode& node) {
  auto& access = static_cast<Access&>(node);
  access.target->owner_.payload_arrived(access);
}

void PayloadTarget::respond(Access& access) {
  if (access.blocking) {
    pump_.notify(*access.answered);
    return;
  }
  if (responding_ == nullptr && first_response_ == nullptr) {
    send_response(access);
    return;
  }
  access.next_response = nullptr;
  (first_response_ == nullptr ? first_response_ : last_response_->next_response) = &access;
  last_response_ = &access;
}

void PayloadTarget::send_response(Access& access) {
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  responding_ = &access;
  if (socket_->nb_transport_bw(*access.payload, phase, delay) == tlm::TLM_ACCEPTED) return;
  responding_ = nullptr;
  give(access);
}

void PayloadTarget::do_chores(EventNode& node) {
  auto& self = static_cast<ChoresNode&>(node);
  PayloadTarget& target = *self.target;
  self.posted = false;
  while (target.first_response_ != nullptr && target.responding_ == nullptr) {
    Access& access = *target.first_response_;
    target.first_response_ = access.next_response;
    target.send_response(access);
  }
}

void PayloadTarget::b_transport(tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  if (owner_.refuses(payload)) return;
  const auto kind = sc_core::sc_get_current_process_handle().proc_kind();
  const bool waits = kind == sc_core::SC_THREAD_PROC_ || kind == sc_core::SC_CTHREAD_PROC_;
  if (!waits || pump_.engine().running()) {
    if (owner_.serve_at_once(payload)) return;
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    SC_REPORT_ERROR("/smmusim/pcie", "b_transport has to wait here; call it from an SC_THREAD or use nb_transport");
    return;
  }
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  Access& access = take(payload);
  access.blocking = true;
  if (access.answered == nullptr) access.answered = std::make_unique<sc_core::sc_event>();
  {
    const systemc::Pump::Arrival guard(pump_);
    pump_.schedule_in(latency_, access);
  }
  sc_core::wait(*access.answered);
  give(access);
}

unsigned PayloadTarget::transport_dbg(tlm_generic_payload& payload) {
  if (!payload.is_read() || owner_.refuses(payload) || !owner_.serve_at_once(payload)) return 0;
  return payload.is_response_ok() ? payload.get_data_length() : 0;
}

}  // namespace smmusim::platform

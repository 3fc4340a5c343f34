// SPDX-License-Identifier: MIT
// The transports of RegisterTarget: checks of the payload, then one register access of the core.
#include "tlm/register_target.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace smmusim::systemc {
namespace {

bool all_enabled(const tlm::tlm_generic_payload& payload) {
  const unsigned char* enable = payload.get_byte_enable_ptr();
  return enable == nullptr || std::all_of(enable, enable + payload.get_byte_enable_length(),
                                          [](unsigned char byte) { return byte == TLM_BYTE_ENABLED; });
}

bool may_wait() {
  const auto kind = sc_core::sc_get_current_process_handle().proc_kind();
  return kind == sc_core::SC_THREAD_PROC_ || kind == sc_core::SC_CTHREAD_PROC_;
}

}  // namespace

RegisterTarget::RegisterTarget(Pump& pump, Smmu& smmu, RegisterSocket& socket)
    : pump_(pump), smmu_(smmu), socket_(socket), scope_(pump.engine()) {
  step_.target = this;
  step_.scope = &scope_;
  step_.fire = &step;
  socket_.bind(*this);
}

RegisterTarget::~RegisterTarget() {
  scope_.cancel();
}

tlm::tlm_response_status RegisterTarget::check(const tlm::tlm_generic_payload& payload) const {
  const unsigned size = payload.get_data_length();
  const std::uint64_t frame = smmu_.config().frame_bytes;
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (payload.get_data_ptr() == nullptr || (size != 4 && size != 8) || payload.get_streaming_width() < size) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  if (payload.get_address() >= frame || size > frame - payload.get_address()) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (!all_enabled(payload)) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void RegisterTarget::access(tlm::tlm_generic_payload& payload) {
  const tlm::tlm_response_status status = check(payload);
  payload.set_dmi_allowed(false);
  payload.set_response_status(status);
  if (status != tlm::TLM_OK_RESPONSE) return;
  const auto offset = static_cast<std::uint32_t>(payload.get_address());
  const unsigned size = payload.get_data_length();
  std::uint64_t value = 0;
  if (payload.is_read()) {
    value = smmu_.read_register(offset, size);
    std::memcpy(payload.get_data_ptr(), &value, size);
  } else {
    std::memcpy(&value, payload.get_data_ptr(), size);
    smmu_.write_register(offset, value, size);
  }
}

void RegisterTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (smmu_.config().timed && delay != sc_core::SC_ZERO_TIME && may_wait()) {
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }
  Pump::Entry entry(pump_);
  access(payload);
}

tlm::tlm_sync_enum RegisterTarget::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                   sc_core::sc_time& delay) {
  Pump::Arrival guard(pump_);
  if (phase == tlm::BEGIN_REQ) return begin_request(payload, delay);
  if (phase == tlm::END_RESP && responding_ == &payload) {
    end_response(payload);
    return tlm::TLM_COMPLETED;
  }
  return tlm::TLM_ACCEPTED;
}

tlm::tlm_sync_enum RegisterTarget::begin_request(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  if (requesting_ != nullptr) {
    SC_REPORT_ERROR("/smmusim/registers", "a second BEGIN_REQ came before END_REQ; the base protocol forbids it");
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  if (payload.has_mm()) payload.acquire();
  requesting_ = &payload;
  accessed_ = false;
  pump_.schedule_in(to_ps(delay), step_);
  return tlm::TLM_ACCEPTED;  // BEGIN_RESP stands for END_REQ too
}

void RegisterTarget::step(EventNode& node) {
  static_cast<Step&>(node).target->proceed();
}

void RegisterTarget::proceed() {
  if (!accessed_) access(*requesting_);
  accessed_ = true;
  if (responding_ != nullptr) return;  // its END_RESP brings us here again
  responding_ = std::exchange(requesting_, nullptr);
  tlm::tlm_generic_payload& payload = *responding_;
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  if (socket_->nb_transport_bw(payload, phase, delay) != tlm::TLM_ACCEPTED) end_response(payload);
}

void RegisterTarget::end_response(tlm::tlm_generic_payload& payload) {
  responding_ = nullptr;
  if (payload.has_mm()) payload.release();
  if (requesting_ != nullptr && accessed_) pump_.schedule_in(0, step_);
}

unsigned RegisterTarget::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (payload.is_write()) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return 0;
  }
  access(payload);
  return payload.is_response_ok() ? payload.get_data_length() : 0;
}

}  // namespace smmusim::systemc

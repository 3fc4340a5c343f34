// SPDX-License-Identifier: MIT
// The two sides of a TlmFunction: its initiator and its link.
#include "platform/pcie/tlm_function.h"

#include "platform/pcie/completion.h"
#include "platform/pcie/tlp_rules.h"

namespace smmusim::platform {

using systemc::PcieAttributes;
using systemc::PcieExtension;
using systemc::PcieStatus;

namespace {

PcieAttributes attributes_of(const tlm::tlm_generic_payload& payload) {
  const auto* extension = payload.get_extension<PcieExtension>();
  return extension == nullptr ? PcieAttributes{} : extension->request;
}

}  // namespace

TlmFunction::TlmFunction(const sc_core::sc_module_name& name, systemc::Pump& pump, TlpPool& pool,
                         const PayloadRequesterConfig& config, const FunctionDescription& description)
    : sc_core::sc_module(name),
      in("in"),
      pool_(pool),
      requester_id_(config.requester_id),
      function_(description),
      requester_(
          pump.engine(), pool, config,
          [this](void* cookie, PcieStatus status) { ended(*static_cast<PayloadTarget::Access*>(cookie), status); }),
      target_(pump, in, *this, 0) {}

void TlmFunction::connect(TlpLink& link) {
  link_ = &link;
  link.connect(TlpLink::downstream, *this);
  requester_.connect(link, TlpLink::downstream);
}

bool TlmFunction::refuses(tlm::tlm_generic_payload& payload) {
  const auto status = PayloadRequester::refusal(payload, attributes_of(payload));
  if (!status) return false;
  ++counters_.refused;
  payload.set_response_status(*status);
  return true;
}

/// What software has not switched on, the function does not send.
bool TlmFunction::may_send(const PcieAttributes& attributes) const {
  if (!function_.bus_master() || link_ == nullptr) return false;
  if (attributes.at != AtsType::untranslated && !function_.ats_enabled()) return false;
  if (!attributes.pasid_valid) return true;
  return function_.pasid_enabled() && fits(attributes.pasid.value, function_.pasid_bits()) &&
         (!attributes.execute || function_.pasid_execute()) && (!attributes.privileged || function_.pasid_privileged());
}

void TlmFunction::payload_arrived(PayloadTarget::Access& access) {
  const PcieAttributes attributes = attributes_of(*access.payload);
  if (may_send(attributes)) {
    requester_.begin(*access.payload, attributes, {function_.max_payload(), function_.max_read_request()}, &access);
    return;
  }
  ++counters_.refused;
  access.payload->set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  ended(access, PcieStatus::refused);
}

void TlmFunction::ended(PayloadTarget::Access& access, PcieStatus status) {
  if (auto* extension = access.payload->get_extension<PcieExtension>()) extension->status = status;
  target_.respond(access);
}

void TlmFunction::tlp_arrived(Tlp& tlp, TlpLink&) {
  if (!tlp.is_completion()) {
    request_arrived(tlp);
  } else if (!requester_.completion(tlp)) {
    ++counters_.unexpected;
  }
  link_->release(TlpLink::downstream, tlp);
  pool_.give(tlp);
  send_waiting();
}

void TlmFunction::request_arrived(const Tlp& tlp) {
  const TlpFault fault = judge(tlp, {});
  DmaStatus status = DmaStatus::address_error;
  if (fault != TlpFault::none && rule_of(fault).handling == TlpHandling::malformed) {
    ++counters_.malformed;
    status = DmaStatus::refused;
  } else if (tlp.is_message() && tlp.message == MessageCode::Invalidate_Request && function_.ats_enabled()) {
    ++counters_.invalidations;
    const InvalidateRequest request = invalidate_request(tlp);
    if (on_invalidate) {
      on_invalidate(request);
    } else {
      complete_invalidation(request);
    }
    return;
  } else {
    ++counters_.unsupported;
    if (tlp.flow_class() == FlowClass::non_posted) {
      answers_.push(error_completion(pool_, tlp, requester_id_, CplStatus::UR));
    }
  }
  if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.status = status});
}

void TlmFunction::complete_invalidation(const InvalidateRequest& request) {
  Tlp& tlp = pool_.take();
  put(tlp, InvalidateCompletion{requester_id_, request.requester_id, 1U << request.itag, 1});
  messages_.push(tlp);
  send_waiting();
}

void TlmFunction::room_again(FlowClass, TlpLink&) {
  send_waiting();
  requester_.room_again();
}

void TlmFunction::send_waiting() {
  const auto send = [this](TlpQueue& queue, FlowClass flow_class) {
    while (!queue.empty() && link_->room(TlpLink::downstream, flow_class)) {
      link_->send(TlpLink::downstream, queue.pop());
    }
  };
  send(messages_, FlowClass::posted);
  send(answers_, FlowClass::completion);
}

}  // namespace smmusim::platform

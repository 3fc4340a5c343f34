// SPDX-License-Identifier: MIT
// The DmaEndpoint at work: queueing work, issuing it as free slots allow, collecting the answers. Every access is one
// TLM transaction; what happens to it on the way is not known here.
#include "platform/endpoint/dma_endpoint.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace smmusim::platform {

using systemc::SmmuExtension;

namespace {

DmaStatus status_of(tlm::tlm_response_status status) {
  switch (status) {
    case tlm::TLM_OK_RESPONSE:
      return DmaStatus::ok;
    case tlm::TLM_ADDRESS_ERROR_RESPONSE:
      return DmaStatus::address_error;
    case tlm::TLM_GENERIC_ERROR_RESPONSE:
    case tlm::TLM_INCOMPLETE_RESPONSE:
      return DmaStatus::aborted;
    default:
      return DmaStatus::refused;
  }
}

const DmaEndpointConfig& checked(const DmaEndpointConfig& config) {
  if (config.outstanding == 0 || config.outstanding > 0xffff) {
    throw std::invalid_argument("endpoint.outstanding is " + std::to_string(config.outstanding) + "; give 1 to 65535");
  }
  if (config.queue_max == 0) throw std::invalid_argument("endpoint.queue_max is 0; give at least 1");
  if (config.transfer_bytes_max == 0) throw std::invalid_argument("endpoint.transfer_bytes_max is 0; give at least 1");
  return config;
}

}  // namespace

void fill_pattern(std::uint64_t tag, std::span<unsigned char> data) {
  constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
  std::uint64_t word = (tag + 1) * step;
  std::size_t at = 0;
  for (; at + sizeof word <= data.size(); at += sizeof word, word += step) {
    std::memcpy(data.data() + at, &word, sizeof word);
  }
  if (at != data.size()) std::memcpy(data.data() + at, &word, data.size() - at);
}

DmaEndpoint::DmaEndpoint(const sc_core::sc_module_name& name, systemc::Pump& pump, const DmaEndpointConfig& config)
    : sc_core::sc_module(name),
      out("out"),
      pump_(pump),
      config_(checked(config)),
      initiator_(pump, out, [this] { request_accepted(); }),
      scope_(pump.engine()) {
  queue_.resize(config.queue_max);
  for (unsigned i = 0; i < config.outstanding; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    Slot& slot = *slots_.back();
    slot.endpoint = this;
    slot.scope = &scope_;
    slot.fire = &completed;
    slot.out.done = &slot;
    initiator_.add(slot.out);
    free_.push_back(&slot);
  }
  issue_node_.endpoint = this;
  issue_node_.scope = &scope_;
  issue_node_.fire = &issue_due;
}

DmaEndpoint::~DmaEndpoint() = default;

void DmaEndpoint::require_size(const DmaWork& work) const {
  if (work.size == 0 || work.size > config_.transfer_bytes_max) {
    throw std::invalid_argument("a DMA access of " + std::to_string(work.size) + " bytes; give 1 to " +
                                std::to_string(config_.transfer_bytes_max));
  }
}

bool DmaEndpoint::push(const DmaWork& work) {
  require_size(work);
  if (queued_ == queue_.size()) return false;
  systemc::Pump::Arrival guard(pump_);
  const std::size_t place = head_ + queued_++;
  queue_[place < queue_.size() ? place : place - queue_.size()] = work;
  if (!in_handler_ && !initiator_.busy() && !free_.empty()) issue_later(pump_.now());
  return true;
}

void DmaEndpoint::transfer(const DmaWork& work, const Handler& handler) {
  require_size(work);
  Slot& slot = blocking_slot_;
  if (slot.out.payload() != nullptr) throw std::logic_error("a blocking transfer is under way; one at a time");
  prepare(slot, work);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  out->b_transport(*slot.out.payload(), delay);
  complete(slot, handler);
}

void DmaEndpoint::prepare(Slot& slot, const DmaWork& work) {
  slot.work = work;
  slot.issued_at = pump_.now();
  if (slot.buffer.size() < work.size) slot.buffer.resize(work.size);
  if (work.write) fill_pattern(work.tag, std::span(slot.buffer.data(), work.size));
  tlm::tlm_generic_payload& payload = pool_.take();
  slot.out.carry(payload);
  slot.subject = &payload;
  payload.set_command(work.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(work.address.value);
  payload.set_data_ptr(slot.buffer.data());
  payload.set_data_length(work.size);
  payload.set_streaming_width(work.size);
  auto& extension = *payload.get_extension<SmmuExtension>();
  extension.requester_id = config_.requester_id;
  extension.client.substream_id = work.substream_id;
  extension.client.substream_valid = work.substream_valid;
  extension.client.instruction = work.instruction;
  extension.client.privileged = work.privileged;
  extension.client.atomic = work.atomic;
  extension.client.ats = work.ats;
  ++counters_.issued;
}

/// Counts, reports and gives the payload back.
void DmaEndpoint::complete(Slot& slot, const Handler& handler) {
  tlm::tlm_generic_payload& payload = *slot.out.payload();
  const DmaStatus status = status_of(payload.get_response_status());
  ++counters_.completed;
  if (status == DmaStatus::ok) {
    counters_.bytes += slot.work.size;
  } else {
    ++counters_.failed;
  }
  const std::size_t read_bytes = !slot.work.write && status == DmaStatus::ok ? slot.work.size : 0;
  if (handler) {
    handler({slot.work, status, slot.issued_at, pump_.now(), *payload.get_extension<SmmuExtension>(),
             std::span<const unsigned char>(slot.buffer.data(), read_bytes)});
  }
  slot.out.carry_nothing();
  payload.release();
}

void DmaEndpoint::issue_later(Time when) {
  if (issue_node_.waiting) return;
  issue_node_.waiting = true;
  pump_.engine().schedule_at(std::max(when, pump_.now()), issue_node_);
}

void DmaEndpoint::issue_due(EventNode& node) {
  auto& self = static_cast<IssueNode&>(node);
  self.waiting = false;
  self.endpoint->issue();
}

/// Issues what may be issued now; called on the wheel only.
void DmaEndpoint::issue() {
  const Time now = pump_.now();
  while (queued_ != 0 && !initiator_.busy() && !free_.empty()) {
    if (now < next_issue_) {
      issue_later(next_issue_);
      return;
    }
    next_issue_ = now + config_.issue_interval_ps;
    Slot& slot = *free_.back();
    free_.pop_back();
    ++in_flight_;
    prepare(slot, queue_[head_]);
    if (++head_ == queue_.size()) head_ = 0;
    --queued_;
    initiator_.begin(slot.out);
  }
}

void DmaEndpoint::request_accepted() {
  if (queued_ != 0) issue_later(pump_.now());  // not from here: no request inside a response call
}

void DmaEndpoint::completed(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  DmaEndpoint& endpoint = *slot.endpoint;
  endpoint.initiator_.end(slot.out);
  endpoint.in_handler_ = true;  // what the handler pushes is issued below, without an event of its own
  endpoint.complete(slot, endpoint.handler_);
  endpoint.in_handler_ = false;
  endpoint.free_.push_back(&slot);
  --endpoint.in_flight_;
  endpoint.issue();
}

}  // namespace smmusim::platform

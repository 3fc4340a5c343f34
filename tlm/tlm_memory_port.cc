// SPDX-License-Identifier: MIT
// MemoryRequests as payloads on the TCU's socket: through nb_transport and the Engine's wheel if timed, else through
// b_transport. Requests beyond the limit wait in order.
#include "tlm/tlm_memory_port.h"

#include <utility>

#include "model/base/check.h"
#include "model/base/copy_bytes.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

TlmMemoryPort::TlmMemoryPort(Pump& pump, tlm::tlm_initiator_socket<>& socket, bool timed, unsigned outstanding)
    : pump_(pump),
      socket_(socket),
      timed_(timed),
      initiator_(pump, socket, [this] { request_accepted(); }),
      scope_(pump.engine()) {
  SMMUSIM_CHECK(outstanding > 0 && outstanding <= 0xffff);
  channels_.reserve(outstanding);
  for (unsigned i = 0; i < outstanding; ++i) {
    channels_.push_back(std::make_unique<Channel>());
    Channel& channel = *channels_.back();
    channel.port = this;
    channel.scope = &scope_;
    free_.push_back(&channel);
  }
  queue_node_.port = this;
  queue_node_.scope = &scope_;
  queue_node_.fire = &continue_queue;
}

TlmMemoryPort::~TlmMemoryPort() {
  scope_.cancel();
  queue_.clear();
}

void TlmMemoryPort::give_payload(Carrier& carrier) {
  tlm::tlm_generic_payload& payload = pool_.take();
  payload.set_data_ptr(carrier.buffer.data());
  carrier.out.carry(payload);
  carrier.access = payload.get_extension<SmmuAccessExtension>();
  if (carrier.access == nullptr) {
    carrier.access = new SmmuAccessExtension;
    payload.set_extension(carrier.access);
  }
}

TlmMemoryPort::Carrier& TlmMemoryPort::take_carrier() {
  if (free_carrier_ == nullptr) {
    carriers_.push_back(std::make_unique<Carrier>());
    initiator_.add(carriers_.back()->out);
    give_payload(*carriers_.back());
    release(*carriers_.back());
  }
  return *std::exchange(free_carrier_, free_carrier_->next_free);
}

void TlmMemoryPort::release(Carrier& carrier) {
  if (carrier.out.payload()->get_ref_count() > 1) {  // somebody downstream still looks at it
    carrier.out.payload()->release();
    give_payload(carrier);
  }
  carrier.next_free = free_carrier_;
  free_carrier_ = &carrier;
}

void TlmMemoryPort::fill(Carrier& carrier, const MemoryRequest& request) {
  SMMUSIM_CHECK(request.size > 0 && request.size <= size_max_);
  tlm::tlm_generic_payload& payload = *carrier.out.payload();
  carrier.out.own_time = request.own_time;
  if (request.op != MemoryOp::read) copy_bytes(carrier.buffer.data(), request.data, request.size);
  const bool swaps = request.op == MemoryOp::compare_and_swap;
  payload.set_command(swaps                          ? tlm::TLM_IGNORE_COMMAND
                      : request.op == MemoryOp::read ? tlm::TLM_READ_COMMAND
                                                     : tlm::TLM_WRITE_COMMAND);
  payload.set_address(request.address.value);
  payload.set_data_length(request.size);
  payload.set_streaming_width(request.size);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_dmi_allowed(false);
  SmmuAccessExtension& access = *carrier.access;
  access.purpose = request.purpose;
  access.stage = request.stage;
  access.level = request.level;
  access.attributes = request.attributes;
  access.mpam = request.mpam;
  access.compare_and_swap = swaps;
  access.swap_done = false;
  access.expected = request.expected;
}

void TlmMemoryPort::collect(const Carrier& carrier, MemoryRequest& request) {
  const bool understood = request.op != MemoryOp::compare_and_swap || carrier.access->swap_done;
  const bool ok = carrier.out.payload()->is_response_ok() && understood;
  request.status = ok ? MemoryStatus::ok : MemoryStatus::external_abort;
  if (!ok) return;
  if (request.op == MemoryOp::read) copy_bytes(request.data, carrier.buffer.data(), request.size);
  if (request.op == MemoryOp::compare_and_swap) request.expected = carrier.access->expected;
}

void TlmMemoryPort::answer_at_once(MemoryRequest& request) {
  Carrier& carrier = take_carrier();
  fill(carrier, request);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket_->b_transport(*carrier.out.payload(), delay);
  collect(carrier, request);
  release(carrier);
}

bool TlmMemoryPort::start(MemoryRequest& request) {
  if (!timed_) {
    answer_at_once(request);
    return true;
  }
  ++counters_.started;
  if (initiator_.busy() || free_.empty() || !queue_.empty()) {
    ++counters_.queued;
    queue_.push_back(request);
    return false;
  }
  send(request);
  return false;
}

/// Takes a free channel for `request`.
void TlmMemoryPort::send(MemoryRequest& request) {
  Channel& channel = *free_.back();
  free_.pop_back();
  Carrier& carrier = take_carrier();
  fill(carrier, request);
  channel.subject = &request;
  carrier.out.done = &channel;
  if (initiator_.begin(carrier.out)) {
    channel.fire = &completed_in_call;
    collect(carrier, request);
    release(carrier);
  } else {
    channel.fire = &completed;
    channel.carrier = &carrier;
  }
}

void TlmMemoryPort::serve_queue() {
  while (!queue_.empty() && !initiator_.busy() && !free_.empty()) {
    auto& request = static_cast<MemoryRequest&>(queue_.front());
    queue_.pop_front();
    send(request);
  }
}

void TlmMemoryPort::completed(EventNode& node) {
  auto& channel = static_cast<Channel&>(node);
  TlmMemoryPort& port = *channel.port;
  Carrier& carrier = *std::exchange(channel.carrier, nullptr);
  port.initiator_.end(carrier.out);
  if (channel.request() != nullptr) collect(carrier, *channel.request());
  port.release(carrier);
  port.leave(channel);
}

void TlmMemoryPort::completed_in_call(EventNode& node) {
  auto& channel = static_cast<Channel&>(node);
  channel.port->leave(channel);
}

/// The request has its answer. Gives the channel back and lets the requester go on.
void TlmMemoryPort::leave(Channel& channel) {
  MemoryRequest* request = channel.request();
  channel.subject = nullptr;
  free_.push_back(&channel);
  serve_queue();
  if (request != nullptr) request->fire(*request);  // last: it may start, abandon or reset
}

void TlmMemoryPort::request_accepted() {
  if (queue_.empty() || queue_node_.posted) return;
  queue_node_.posted = true;  // not from here: a request inside a response call would be a nested transport call
  pump_.schedule_in(0, queue_node_);
}

void TlmMemoryPort::continue_queue(EventNode& node) {
  auto& self = static_cast<QueueNode&>(node);
  self.posted = false;
  self.port->serve_queue();
}

void TlmMemoryPort::abandon(const Scope& scope) {
  for (auto it = queue_.begin(); it != queue_.end();) {
    it = it->scope == &scope ? queue_.erase(it) : std::next(it);
  }
  for (const auto& channel : channels_) {
    if (channel->request() == nullptr || channel->request()->scope != &scope) continue;
    channel->subject = nullptr;
    if (channel->carrier != nullptr) channel->carrier->out.own_time = 0;
  }
}

}  // namespace smmusim::systemc

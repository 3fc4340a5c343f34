// SPDX-License-Identifier: MIT
// MemoryRequests as payloads on the TCU's socket: through nb_transport and the Engine's wheel if timed, else through
// b_transport. Requests beyond the limit wait in order.
#include "tlm/tlm_memory_port.h"

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
    channel.fire = &completed;
    channel.out.done = &channel;
    initiator_.add(channel.out);
    give_payload(channel);
    release(channel);
  }
  queue_node_.port = this;
  queue_node_.scope = &scope_;
  queue_node_.fire = &continue_queue;
}

TlmMemoryPort::~TlmMemoryPort() {
  scope_.cancel();
  queue_.clear();
}

void TlmMemoryPort::give_payload(Channel& channel) {
  channel.out.carry(pool_.take());
  channel.out.payload()->set_data_ptr(channel.buffer.data());
  channel.access = channel.out.payload()->get_extension<SmmuAccessExtension>();
  if (channel.access == nullptr) {
    channel.access = new SmmuAccessExtension;
    channel.out.payload()->set_extension(channel.access);
  }
}

TlmMemoryPort::Channel* TlmMemoryPort::take_channel() {
  Channel* channel = free_;
  if (channel != nullptr) free_ = channel->next_free;
  return channel;
}

void TlmMemoryPort::release(Channel& channel) {
  if (channel.out.payload()->get_ref_count() > 1) {  // somebody downstream still looks at it
    channel.out.payload()->release();
    give_payload(channel);
  }
  channel.request = nullptr;
  channel.out.own_time = 0;
  channel.next_free = free_;
  free_ = &channel;
}

void TlmMemoryPort::fill(Channel& channel, MemoryRequest& request) {
  SMMUSIM_CHECK(request.size > 0 && request.size <= size_max_);
  tlm::tlm_generic_payload& payload = *channel.out.payload();
  channel.request = &request;
  channel.out.own_time = request.own_time;
  if (request.op != MemoryOp::read) copy_bytes(channel.buffer.data(), request.data, request.size);
  const bool swaps = request.op == MemoryOp::compare_and_swap;
  payload.set_command(swaps                          ? tlm::TLM_IGNORE_COMMAND
                      : request.op == MemoryOp::read ? tlm::TLM_READ_COMMAND
                                                     : tlm::TLM_WRITE_COMMAND);
  payload.set_address(request.address.value);
  payload.set_data_length(request.size);
  payload.set_streaming_width(request.size);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_dmi_allowed(false);
  SmmuAccessExtension& access = *channel.access;
  access.purpose = request.purpose;
  access.stage = request.stage;
  access.level = request.level;
  access.attributes = request.attributes;
  access.mpam = request.mpam;
  access.compare_and_swap = swaps;
  access.swap_done = false;
  access.expected = request.expected;
}

void TlmMemoryPort::collect(const Channel& channel, MemoryRequest& request) {
  const bool understood = request.op != MemoryOp::compare_and_swap || channel.access->swap_done;
  const bool ok = channel.out.payload()->is_response_ok() && understood;
  request.status = ok ? MemoryStatus::ok : MemoryStatus::external_abort;
  if (!ok) return;
  if (request.op == MemoryOp::read) copy_bytes(request.data, channel.buffer.data(), request.size);
  if (request.op == MemoryOp::compare_and_swap) request.expected = channel.access->expected;
}

void TlmMemoryPort::answer_at_once(MemoryRequest& request) {
  SMMUSIM_CHECK(free_ != nullptr);  // an untimed SMMU makes one access at a time
  Channel& channel = *take_channel();
  fill(channel, request);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket_->b_transport(*channel.out.payload(), delay);
  collect(channel, request);
  release(channel);
}

bool TlmMemoryPort::start(MemoryRequest& request) {
  if (!timed_) {
    answer_at_once(request);
    return true;
  }
  ++counters_.started;
  if (initiator_.busy() || free_ == nullptr || !queue_.empty()) {
    ++counters_.queued;
    queue_.push_back(request);
    return false;
  }
  Channel& channel = *take_channel();
  fill(channel, request);
  initiator_.begin(channel.out);
  return false;
}

void TlmMemoryPort::serve_queue() {
  while (!queue_.empty() && !initiator_.busy() && free_ != nullptr) {
    auto& request = static_cast<MemoryRequest&>(queue_.front());
    queue_.pop_front();
    Channel& channel = *take_channel();
    fill(channel, request);
    initiator_.begin(channel.out);
  }
}

void TlmMemoryPort::completed(EventNode& node) {
  auto& channel = static_cast<Channel&>(node);
  TlmMemoryPort& port = *channel.port;
  port.initiator_.end(channel.out);
  MemoryRequest* request = channel.request;
  if (request != nullptr) collect(channel, *request);
  port.release(channel);
  port.serve_queue();
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
    if (channel->request == nullptr || channel->request->scope != &scope) continue;
    channel->request = nullptr;
    channel->out.own_time = 0;
  }
}

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// Memory requests at the RootComplex: from a port's queues through a TBU and back as completions.
#include "platform/pcie/root_complex.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "platform/pcie/root_complex_parts.h"

namespace smmusim::platform {
namespace {

void require_valid_rows(const RootComplexConfig& config, unsigned outputs) {
  const auto& rows = config.rid_map;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string row = "rid_map row " + std::to_string(i);
    const std::uint32_t end = rows[i].rid_base + rows[i].rid_count;
    if (rows[i].rid_count == 0 || rows[i].rid_count > 0x10000 || end > 0x10000) {
      throw std::invalid_argument(row + " leaves the 65536 RequesterIDs; rid_base + rid_count must be 1 to 65536");
    }
    if (rows[i].stream_base.value > ~std::uint32_t{0} - (rows[i].rid_count - 1)) {
      throw std::invalid_argument(row + " passes the last StreamID; lower stream_base");
    }
    if (rows[i].output >= outputs) throw std::invalid_argument(row + " names no TBU; there are fewer");
    for (std::size_t j = 0; j < i; ++j) {
      if (rows[i].rid_base < rows[j].rid_base + rows[j].rid_count && rows[j].rid_base < end) {
        throw std::invalid_argument(row + " overlaps row " + std::to_string(j) + "; rows must be disjoint");
      }
    }
  }
}

const RootComplexConfig& checked(const RootComplexConfig& config, unsigned outputs) {
  require_valid_rows(config, outputs);
  if (config.outstanding <= config.posted_reserve || config.outstanding > 0xffff) {
    throw std::invalid_argument("pcie.outstanding is " + std::to_string(config.outstanding) + "; give " +
                                std::to_string(config.posted_reserve + 1) + " to 65535");
  }
  return config;
}

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

}  // namespace

void RootComplex::Port::tlp_arrived(Tlp& tlp, TlpLink&) {
  tlp.ready_at = root->engine_.now() + root->config_.request_processing_ps;
  tlp.arrival = arrivals++;
  (tlp.flow_class() == FlowClass::non_posted ? non_posted : posted).push(tlp);
  root->serve(*this);
}

void RootComplex::Port::room_again(FlowClass flow_class, TlpLink&) {
  if (flow_class == FlowClass::completion) {
    root->serve_completions(*this);
  } else if (flow_class == FlowClass::posted) {
    root->serve_messages(*this);
  }
  if (requester && flow_class != FlowClass::completion) requester->room_again();
}

RootComplex::RootComplex(const sc_core::sc_module_name& name, systemc::Pump& pump, TlpPool& pool, unsigned outputs,
                         const RootComplexConfig& config)
    : sc_core::sc_module(name),
      out("out", outputs),
      pump_(pump),
      engine_(pump.engine()),
      pool_(pool),
      config_(checked(config, outputs)),
      scope_(pump.engine()) {
  for (const RootPort& port : config.ports) {
    Port& made = *ports_.emplace_back(std::make_unique<Port>());
    made.root = this;
    made.config = port;
    made.waker.port = &made;
    made.waker.scope = &scope_;
    made.waker.fire = &wake;
    if (port.bridge == nullptr) continue;
    made.requester = std::make_unique<PayloadRequester>(
        engine_, pool_, PayloadRequesterConfig{config_.own_id, requester_tags, config_.completion_timeout_ps},
        [this](void* cookie, systemc::PcieStatus) { request_ended_(cookie); });
  }
  for (unsigned i = 0; i != outputs; ++i) {
    outputs_.push_back(std::make_unique<Output>(*this, out[i], config_.outstanding));
  }
}

RootComplex::~RootComplex() {
  scope_.cancel();
}

RootComplex::Output::Output(RootComplex& complex, tlm::tlm_initiator_socket<>& socket, unsigned outstanding)
    : root(complex), initiator(complex.pump_, socket, [this] { accepted(); }) {
  chores.output = this;
  chores.scope = &complex.scope_;
  chores.fire = &do_chores;
  for (unsigned i = 0; i != outstanding; ++i) {
    Slot& slot = *slots.emplace_back(std::make_unique<Slot>());
    slot.root = &complex;
    slot.output = this;
    slot.scope = &complex.scope_;
    slot.fire = &RootComplex::answered;
    slot.out.done = &slot;
    initiator.add(slot.out);
    slot.next = free;
    free = &slot;
  }
}

/// No request may be sent inside a response call, so this leaves it to an event.
void RootComplex::Output::accepted() {
  if (waiting.empty() || chores.posted) return;
  chores.posted = true;
  root.pump_.schedule_in(0, chores);
}

void RootComplex::Output::do_chores(EventNode& node) {
  auto& self = static_cast<ChoresNode&>(node);
  self.posted = false;
  Output& output = *self.output;
  while (!output.waiting.empty() && !output.initiator.busy()) {
    Slot& slot = *output.waiting.front();
    output.waiting.pop_front();
    output.root.send(slot);
  }
}

void RootComplex::connect(unsigned port, TlpLink& link) {
  ports_[port]->link = &link;
  link.connect(TlpLink::upstream, *ports_[port]);
  if (ports_[port]->requester) ports_[port]->requester->connect(link, TlpLink::upstream);
}

const RidMapRow* RootComplex::row_of(std::uint16_t rid) const {
  const unsigned masked = rid & config_.rid_mask;
  for (const RidMapRow& row : config_.rid_map) {
    if (masked >= row.rid_base && masked - row.rid_base < row.rid_count) return &row;
  }
  return nullptr;
}

std::optional<StreamId> RootComplex::stream_of(std::uint16_t rid) const {
  const RidMapRow* row = row_of(rid);
  if (row == nullptr) return std::nullopt;
  return StreamId(row->stream_base.value + ((rid & config_.rid_mask) - row->rid_base));
}

/// What goes to a TBU is sent at once and arrives there when the processing is over, which costs no event. All the rest
/// waits for that here.
bool RootComplex::is_due(Port& port, const Tlp& tlp) {
  if (engine_.now() >= tlp.ready_at) return true;
  wake_at(port, tlp.ready_at);
  return false;
}

void RootComplex::send(Slot& slot) {
  const Time now = engine_.now();
  slot.output->initiator.begin(slot.out, slot.tlp->ready_at > now ? slot.tlp->ready_at - now : 0);
}

/// Everything that can go on, in order; a non-posted request waits for the posted ones that came before it.
void RootComplex::serve(Port& port) {
  while (true) {
    const bool posted = !port.posted.empty() && !port.posted_blocked;
    const bool non_posted = !port.non_posted.empty() && !port.non_posted_blocked &&
                            (port.posted.empty() || port.posted.front().arrival > port.non_posted.front().arrival);
    TlpQueue* queue = non_posted ? &port.non_posted : posted ? &port.posted : nullptr;
    if (queue == nullptr) return;
    Tlp& tlp = queue->pop();
    if (handle(port, tlp)) continue;
    queue->push_front(tlp);
    (non_posted ? port.non_posted_blocked : port.posted_blocked) = true;
  }
}

/// False: it has to wait, in front of its queue.
bool RootComplex::handle(Port& port, Tlp& tlp) {
  if (tlp.is_completion()) {
    if (!is_due(port, tlp)) return false;
    return completion(port, tlp);
  }
  if (violates_acs(port, tlp)) {
    if (!is_due(port, tlp)) return false;
    ++counters_.acs_violations;
    refuse(port, tlp, CplStatus::CA);
    return true;
  }
  const TlpFault fault = judge(tlp, {});
  if (fault != TlpFault::none) {
    if (!is_due(port, tlp)) return false;
    refuse_fault(port, tlp, fault);
    return true;
  }
  return tlp.is_message() ? handle_message(port, tlp) : handle_memory(port, tlp);
}

bool RootComplex::handle_memory(Port& port, Tlp& tlp) {
  const RidMapRow* row = row_of(tlp.requester_id);
  const bool memory = tlp.type == TlpType::MRd || tlp.type == TlpType::MWr || tlp.is_atomic();
  const bool ats = tlp.at != AddressType::untranslated;
  const bool passes = port.config.bridge == nullptr || port.config.bridge->bus_master();
  if (row == nullptr || !memory || !passes || (ats && !config_.ats_supported)) {
    if (!is_due(port, tlp)) return false;
    ++counters_.unsupported_requests;
    refuse(port, tlp, CplStatus::UR);
    return true;
  }
  if (tlp.type == TlpType::MWr && enables_nothing(tlp)) {  // a write of no byte goes nowhere
    if (!is_due(port, tlp)) return false;
    if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.outcome = Outcome::proceed});
    drop(port, tlp);
    return true;
  }
  Output& output = *outputs_[row->output];
  const bool posted = tlp.flow_class() == FlowClass::posted;
  if (output.free == nullptr || (!posted && output.non_posted + config_.posted_reserve >= config_.outstanding)) {
    output.blocked.push_back(&port);
    return false;
  }
  start(port, tlp, *row);
  return true;
}

/// Malformed TLPs have no answer, not even those that ask for one.
void RootComplex::refuse_fault(Port& port, Tlp& tlp, TlpFault fault) {
  if (rule_of(fault).handling == TlpHandling::unsupported) {
    ++counters_.unsupported_requests;
    refuse(port, tlp, CplStatus::UR);
    return;
  }
  ++counters_.malformed;
  if (tlp.watcher != nullptr && !tlp.is_translation_request()) {
    tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::refused});
  }
  drop(port, tlp);
}

void RootComplex::refuse(Port& port, Tlp& tlp, CplStatus status) {
  if (tlp.watcher != nullptr && !tlp.is_translation_request()) {
    tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::aborted});
  }
  if (tlp.flow_class() == FlowClass::non_posted) {
    port.errors.push(error_completion(pool_, tlp, config_.own_id, status));
  }
  drop(port, tlp);
  serve_completions(port);
}

void RootComplex::drop(Port& port, Tlp& tlp) {
  port.link->release(TlpLink::upstream, tlp);
  pool_.give(tlp);
}

void RootComplex::start(Port& port, Tlp& tlp, const RidMapRow& row) {
  Output& output = *outputs_[row.output];
  Slot& slot = *output.free;
  output.free = slot.next;
  ++output.in_flight;
  slot.port = &port;
  slot.tlp = &tlp;
  slot.out.carry(payload_of(slot, row));
  slot.out.own_time = 0;
  port.link->release(TlpLink::upstream, tlp);
  if (tlp.flow_class() == FlowClass::posted) {
    slot.epoch = port.begin_write();
  } else {
    ++output.non_posted;
    slot.out.own_time = config_.response_processing_ps;
    if (!tlp.is_translation_request()) slot.splitter = CompletionSplitter(tlp, config_.own_id, config_.completions);
  }
  ++(tlp.is_translation_request() ? counters_.translation_requests : counters_.memory_requests);
  if (output.initiator.busy() || !output.waiting.empty()) {
    output.waiting.push_back(&slot);
  } else {
    send(slot);
  }
}

/// Bytes that the request leaves out between its first and its last.
void RootComplex::set_byte_enables(Slot& slot, tlm::tlm_generic_payload& payload, const ByteRange& bytes) {
  const Tlp& tlp = *slot.tlp;
  constexpr unsigned all = 0xf;
  const unsigned first = tlp.first_be >> bytes.address % 4;
  const bool holes =
      (first & (first + 1)) != 0 || (tlp.length_dw > 1 && (tlp.last_be & (tlp.last_be + 1U)) != 0) ||
      (tlp.length_dw > 1 && (tlp.first_be | (bytes.address % 4 ? all >> (4 - bytes.address % 4) : 0)) != all);
  if (!holes || enables_nothing(tlp)) return;
  slot.enables.assign(bytes.size, TLM_BYTE_ENABLED);
  for (std::uint32_t i = 0; i != bytes.size; ++i) {
    const std::uint64_t at = bytes.address % 4 + i;
    const unsigned enables = at < 4 ? tlp.first_be : at / 4 + 1 == tlp.length_dw ? tlp.last_be : all;
    if ((enables >> at % 4 & 1) == 0) slot.enables[i] = TLM_BYTE_DISABLED;
  }
  payload.set_byte_enable_ptr(slot.enables.data());
  payload.set_byte_enable_length(bytes.size);
}

tlm::tlm_generic_payload& RootComplex::payload_of(Slot& slot, const RidMapRow& row) {
  Tlp& tlp = *slot.tlp;
  tlm::tlm_generic_payload& payload = payloads_.take();
  auto& extension = *payload.get_extension<systemc::SmmuExtension>();
  ByteRange bytes = bytes_of(tlp);
  const bool write = tlp.has_data();
  if (tlp.is_translation_request()) bytes = {tlp.address, tlp.length_dw * 4U};
  if (tlp.is_atomic()) bytes = carry_atomic(tlp, payload);
  payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(bytes.address);
  payload.set_data_length(bytes.size);
  payload.set_streaming_width(bytes.size);
  if (write) {
    payload.set_data_ptr(tlp.data.data() + (tlp.is_atomic() ? tlp.data.size() - bytes.size : bytes.address % 4));
  } else {
    if (slot.buffer.size() < bytes.size) slot.buffer.resize(bytes.size);
    payload.set_data_ptr(slot.buffer.data());
  }
  if (tlp.type == TlpType::MRd || tlp.type == TlpType::MWr) set_byte_enables(slot, payload, bytes);
  extension.requester_id = tlp.requester_id;
  systemc::ClientAttributes& client = extension.client;
  client.stream_id = StreamId(row.stream_base.value + ((tlp.requester_id & config_.rid_mask) - row.rid_base));
  client.substream_valid = tlp.pasid.present;
  client.substream_id = SubstreamId(tlp.pasid.pasid);
  client.instruction = tlp.pasid.execute;
  client.privileged = tlp.pasid.privileged;
  client.atomic = tlp.is_atomic();
  client.ats = static_cast<AtsType>(tlp.at);
  client.no_write = tlp.no_write;
  client.no_snoop = tlp.no_snoop;
  client.pcie = true;
  return payload;
}

void RootComplex::answered(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  slot.root->finish(slot);
}

/// The SMMU, and memory if it came to that, have answered.
void RootComplex::finish(Slot& slot) {
  slot.output->initiator.end(slot.out);
  tlm::tlm_generic_payload& payload = *slot.out.payload();
  const auto& extension = *payload.get_extension<systemc::SmmuExtension>();
  Tlp& tlp = *slot.tlp;
  Port& port = *slot.port;
  const DmaStatus status = status_of(payload.get_response_status());
  if (tlp.is_translation_request()) {
    answer_translation(slot, extension, status);
  } else {
    if (tlp.watcher != nullptr) {
      tlp.watcher->resolved(
          tlp.cookie, {status, extension.translated, extension.translated_address, extension.outcome, extension.event,
                       extension.reach, extension.translation_time, extension.memory_time});
    }
    if (tlp.flow_class() == FlowClass::posted) {
      const std::uint64_t epoch = slot.epoch;
      release(slot);
      end_write(port, epoch);
      return;
    }
    slot.error = status == DmaStatus::ok              ? CplStatus::SC
                 : status == DmaStatus::address_error ? CplStatus::UR
                                                      : CplStatus::CA;
    if (tlp.is_atomic()) finish_atomic(slot, extension.outcome);
  }
  port.completing.push_back(&slot);
  serve_completions(port);
}

void RootComplex::answer_translation(Slot& slot, const systemc::SmmuExtension& extension, DmaStatus status) {
  const bool answered = status == DmaStatus::ok && extension.outcome == Outcome::ats_completion;
  const AtsStatus said = answered ? extension.completion.status : AtsStatus::unsupported_request;
  slot.error = said == AtsStatus::success           ? CplStatus::SC
               : said == AtsStatus::completer_abort ? CplStatus::CA
                                                    : CplStatus::UR;
  slot.entry = {};
  if (said != AtsStatus::success) return;
  TranslationEntry& entry = slot.entry;
  const unsigned bits = std::max<unsigned>(extension.page_bits, smallest_translation_bits);
  entry.range = {extension.translated_address.value & ~low_mask(bits), bits};
  entry.non_snooped = extension.completion.no_snoop;
  entry.cxl_io = extension.completion.cxl_io;
  entry.global = extension.completion.global;
  entry.privileged = extension.completion.privileged;
  entry.execute = extension.completion.execute;
  entry.untranslated_only = extension.completion.untranslated_only;
  entry.read = extension.read_allowed;
  entry.write = extension.write_allowed;
}

/// Sends what there is room for: refusals, then answers in the order in which they came.
void RootComplex::serve_completions(Port& port) {
  TlpLink& link = *port.link;
  while (!port.errors.empty() && link.room(TlpLink::upstream, FlowClass::completion)) {
    ++counters_.completions;
    link.send(TlpLink::upstream, port.errors.pop());
  }
  while (!port.completing.empty() && link.room(TlpLink::upstream, FlowClass::completion)) {
    Slot& slot = *port.completing.front();
    Tlp& tlp = next_completion(slot);
    const bool last = slot.error != CplStatus::SC || slot.tlp->is_translation_request() || slot.splitter.done();
    ++counters_.completions;
    link.send(TlpLink::upstream, tlp);  // first: what goes on once the slot is free may take the room
    if (last) {
      port.completing.pop_front();
      release(slot);
    }
  }
}

Tlp& RootComplex::next_completion(Slot& slot) {
  const Tlp& request = *slot.tlp;
  if (slot.error != CplStatus::SC) return error_completion(pool_, request, config_.own_id, slot.error);
  if (!request.is_translation_request()) return slot.splitter.next(pool_, slot.buffer);
  Tlp& tlp = pool_.take();
  put(tlp, std::span<const TranslationEntry>(&slot.entry, 1));
  tlp.requester_id = request.requester_id;
  tlp.tag = request.tag;
  tlp.completer_id = config_.own_id;
  tlp.byte_count = static_cast<std::uint16_t>(tlp.payload_bytes());
  return tlp;
}

void RootComplex::release(Slot& slot) {
  tlm::tlm_generic_payload& payload = *slot.out.payload();
  slot.out.carry_nothing();
  payload.release();
  Output& output = *slot.output;
  if (slot.tlp->flow_class() != FlowClass::posted) --output.non_posted;
  pool_.give(*slot.tlp);
  slot.tlp = nullptr;
  slot.next = output.free;
  output.free = &slot;
  --output.in_flight;
  // Who is first may want what is reserved; then others have their turn.
  for (std::size_t n = output.blocked.size(); n != 0 && output.free != nullptr; --n) {
    Port& port = *output.blocked.front();
    output.blocked.pop_front();
    port.posted_blocked = port.non_posted_blocked = false;
    serve(port);
  }
}

std::uint64_t RootComplex::Port::begin_write() {
  ++epochs.back().writes;
  return first_epoch + epochs.size() - 1;
}

/// What waited for this write, and for all before it, happens now.
void RootComplex::end_write(Port& port, std::uint64_t epoch) {
  --port.epochs[static_cast<std::size_t>(epoch - port.first_epoch)].writes;
  settle(port);
}

void RootComplex::settle(Port& port) {
  while (port.epochs.front().writes == 0 && port.epochs.front().closed) {
    const Tlp& tlp = *port.epochs.front().completion;
    const InvalidateCompletion message = invalidate_completion(tlp);
    pool_.give(*port.epochs.front().completion);
    port.epochs.pop_front();
    ++port.first_epoch;
    for (unsigned itag = 0; itag != itags; ++itag) {
      if ((message.itags >> itag & 1) != 0) invalidation_answered(message.requester_id, itag, message.count);
    }
  }
}

bool RootComplex::idle() const {
  return std::all_of(outputs_.begin(), outputs_.end(), [](const auto& output) { return output->in_flight == 0; }) &&
         invalidations_.empty() && std::all_of(ports_.begin(), ports_.end(), [](const auto& port) {
           return port->posted.empty() && port->non_posted.empty() && port->errors.empty() && port->messages.empty() &&
                  (!port->requester || port->requester->idle());
         });
}

std::string RootComplex::imbalance() const {
  if (counters_.invalidate_requests !=
      counters_.invalidate_completions + counters_.invalidations_lost + invalidations_.size()) {
    return "Invalidate Requests are not answered + lost + outstanding";
  }
  for (const auto& port : ports_) {
    if (!port->requester) continue;
    if (std::string sentence = port->requester->imbalance(); !sentence.empty()) return sentence;
  }
  return {};
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// The non-blocking transport of a Tbu. An access passes through: arrived -> (Smmu) -> answered -> send ->
// memory_done -> respond; each waits on the Engine's wheel, none on the SystemC kernel. Calls in the opposite
// direction of the one under way are left to the chores event, because the base protocol forbids nesting them.
#include "tlm/tbu.h"

#include <algorithm>
#include <cstring>

#include "model/base/check.h"

namespace smmusim::systemc {
namespace {

/// Reads of RAZ/WI: zeros, in the bytes that are enabled.
void clear_enabled(tlm::tlm_generic_payload& payload, std::uint32_t offset, std::uint32_t size) {
  unsigned char* data = payload.get_data_ptr();
  const unsigned char* enables = payload.get_byte_enable_ptr();
  if (enables == nullptr) {
    std::memset(data + offset, 0, size);
    return;
  }
  const std::uint32_t length = payload.get_byte_enable_length();
  for (std::uint32_t i = offset; i < offset + size; ++i) {
    if (enables[i % length] == TLM_BYTE_ENABLED) data[i] = 0;
  }
}

}  // namespace

void Tbu::SlotQueue::push(Slot& slot) {
  slot.next = nullptr;
  (first == nullptr ? first : last->next) = &slot;
  last = &slot;
}

Tbu::Slot& Tbu::SlotQueue::pop() {
  Slot& slot = *first;
  first = slot.next;
  return slot;
}

Tbu::Tbu(Pump& pump, Smmu& smmu, unsigned index, tlm::tlm_target_socket<>& client,
         tlm::tlm_initiator_socket<>& downstream)
    : pump_(pump),
      smmu_(smmu),
      index_(index),
      // With stalls even an untimed SMMU may answer later.
      waits_(smmu.config().timed || smmu.config().features.stall_model != spec::StallModel::terminate),
      split_(smmu.config().tbu.cross_4k == Cross4k::split),
      observed_(smmu.observed()),
      client_(client),
      downstream_(downstream),
      initiator_(
          pump, downstream,
          [this] {
            if (requests_.first != nullptr) post_chores();
          },
          [this](sc_dt::uint64, sc_dt::uint64) { revoke_dmi(); }),
      gives_dmi_(smmu.grants_possible()),
      scope_(pump.engine()) {
  const unsigned outstanding = smmu.config().tbu.outstanding;
  SMMUSIM_CHECK(outstanding > 0 && outstanding <= 0xffff);
  for (unsigned i = 0; i < outstanding; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    Slot& slot = *slots_.back();
    slot.tbu = this;
    slot.scope = &scope_;
    slot.out.done = &slot;
    initiator_.add(slot.out);
    free_.push(slot);
  }
  chores_.tbu = this;
  chores_.scope = &scope_;
  chores_.fire = &chores;
  client_.bind(*this);
}

Tbu::~Tbu() {
  scope_.cancel();
}

Tbu::Slot* Tbu::take_slot() {
  if (free_.first == nullptr) return nullptr;
  ++in_flight_;
  return &free_.pop();
}

void Tbu::release(Slot& slot) {
  slot.payload = nullptr;
  --in_flight_;
  free_.push(slot);
  if (pending_ != nullptr) post_chores();
  if (blocked_threads_ != 0) pump_.notify(slot_freed_);
}

void Tbu::begin(Slot& slot, tlm::tlm_generic_payload& payload, Time arrival) {
  slot.payload = &payload;
  slot.extension = payload.get_extension<SmmuExtension>();
  slot.since = arrival;
  slot.address = payload.get_address();
  slot.part = {};
  slot.status = tlm::TLM_OK_RESPONSE;
}

/// Books what the access has waited since the last time.
void Tbu::charge(Slot& slot, Time SmmuExtension::*account) {
  const Time now = pump_.now();
  if (slot.extension != nullptr) slot.extension->*account += now - slot.since;
  slot.since = now;
}

const ClientAttributes& Tbu::attributes_of(const tlm::tlm_generic_payload& payload) const {
  const auto* extension = payload.get_extension<SmmuExtension>();
  return extension != nullptr ? extension->client : defaults_;
}

Transaction Tbu::transaction_of(const tlm::tlm_generic_payload& payload, std::uint64_t address,
                                std::uint32_t size) const {
  const ClientAttributes& client = attributes_of(payload);
  Transaction transaction;
  transaction.stream_id = client.stream_id;
  transaction.substream_id = client.substream_id;
  transaction.substream_valid = client.substream_valid;
  transaction.security = client.security;
  transaction.access = client.atomic ? AccessType::atomic : payload.is_write() ? AccessType::write : AccessType::read;
  transaction.instruction = client.instruction;
  transaction.privileged = client.privileged;
  transaction.ats = client.ats;
  transaction.operation = client.operation;
  transaction.speculative = client.speculative;
  transaction.no_snoop = client.no_snoop;
  transaction.pcie = client.pcie;
  transaction.address = Va(address);
  transaction.size = size;
  transaction.attributes = client.attributes;
  return transaction;
}

std::uint32_t Tbu::part_size(std::uint64_t address, std::uint32_t left) const {
  constexpr std::uint32_t page = 4096;
  if (!split_) return left;
  return std::min(left, page - static_cast<std::uint32_t>(address & (page - 1)));
}

/// True if the payload asks for what no memory access is; its response status says why.
bool Tbu::refuse(tlm::tlm_generic_payload& payload) const {
  const std::uint32_t length = payload.get_data_length();
  const std::uint64_t address = payload.get_address();
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND ||
      attributes_of(payload).ats == AtsType::translation_request) {  // no memory access, and marks pages dirty
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
  } else if (length == 0 || payload.get_data_ptr() == nullptr || payload.get_streaming_width() < length ||
             address + (length - 1) < address) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  } else if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  } else if (attributes_of(payload).operation != Operation::plain &&
             as_it_counts(transaction_of(payload, address, length)).writes() != payload.is_write()) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);  // it would do what was not checked
  } else {
    return false;
  }
  return true;
}

tlm::tlm_response_status Tbu::status_of(const Response& response) {
  const bool fine = response.outcome == Outcome::proceed || response.outcome == Outcome::raz_wi;
  return fine ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE;
}

void Tbu::report(tlm::tlm_generic_payload& payload, const Response& response, bool first) {
  auto* extension = payload.get_extension<SmmuExtension>();
  if (extension == nullptr) return;
  if (first) {
    extension->translated = response.outcome == Outcome::proceed;
    extension->translated_address = response.address;
    extension->translated_attributes = response.attributes;
    extension->operation = response.operation;
    extension->instruction = response.instruction;
    extension->privileged = response.privileged;
    extension->mpam = response.mpam;
    extension->reach = response.reach;
    extension->translation_time = 0;
    extension->memory_time = 0;
  }
  extension->reach = std::max(extension->reach, Reach{response.reach});
  if (first || extension->outcome == Outcome::proceed) {
    extension->outcome = response.outcome;
    extension->event = response.event;
  }
}

/// Sets up the translation of the part after the present one.
void Tbu::prepare(Slot& slot) {
  slot.part.offset += slot.part.size;
  const std::uint64_t address = slot.address + slot.part.offset;
  slot.part.size = part_size(address, slot.payload->get_data_length() - slot.part.offset);
  slot.transaction = transaction_of(*slot.payload, address, slot.part.size);
}

/// Records what the Smmu said about a part.
void Tbu::note_answer(tlm::tlm_generic_payload& payload, const Response& response, Part part,
                      tlm::tlm_response_status& status) {
  report(payload, response, part.offset == 0);
  if (status == tlm::TLM_OK_RESPONSE) status = status_of(response);
  if (response.outcome == Outcome::raz_wi && payload.is_read()) clear_enabled(payload, part.offset, part.size);
}

/// What goes downstream for a part that proceeds: the payload itself if it is the whole access. `byte_enables` holds
/// the part's own as long as it is under way.
tlm::tlm_generic_payload& Tbu::part_of(tlm::tlm_generic_payload& payload, const Response& response, Part part,
                                       std::vector<unsigned char>& byte_enables) {
  if (part.size == payload.get_data_length()) {
    payload.set_address(response.address.value);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    return payload;
  }
  tlm::tlm_generic_payload& piece = parts_.take();
  piece.set_command(payload.get_command());
  piece.set_address(response.address.value);
  piece.set_data_ptr(payload.get_data_ptr() + part.offset);
  piece.set_data_length(part.size);
  piece.set_streaming_width(part.size);
  if (unsigned char* enables = payload.get_byte_enable_ptr(); enables != nullptr) {
    const std::uint32_t length = payload.get_byte_enable_length();
    if (length >= payload.get_data_length()) {
      enables += part.offset;
    } else {
      byte_enables.resize(part.size);
      for (std::uint32_t i = 0; i < part.size; ++i) byte_enables[i] = enables[(part.offset + i) % length];
      enables = byte_enables.data();
    }
    piece.set_byte_enable_ptr(enables);
    piece.set_byte_enable_length(part.size);
  }
  auto& extension = *piece.get_extension<SmmuExtension>();
  extension.client = attributes_of(payload);
  report(piece, response, true);
  return piece;
}

/// Takes the downstream response of the present part over into the slot.
void Tbu::collect_part(Slot& slot) {
  charge(slot, &SmmuExtension::memory_time);
  tlm::tlm_generic_payload* forwarded = slot.out.payload;
  if (slot.status == tlm::TLM_OK_RESPONSE) slot.status = forwarded->get_response_status();
  slot.out.payload = nullptr;
  if (forwarded != slot.payload) forwarded->release();
  smmu_.retire(slot);
}

tlm::tlm_sync_enum Tbu::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  Pump::Arrival guard(pump_);
  if (phase == tlm::BEGIN_REQ) return begin_request(payload, phase, delay);
  if (phase == tlm::END_RESP && responding_ != nullptr && responding_->payload == &payload) {
    Slot& slot = *responding_;
    responding_ = nullptr;
    finish(slot);
    if (responses_.first != nullptr) post_chores();
    return tlm::TLM_COMPLETED;
  }
  return tlm::TLM_ACCEPTED;
}

tlm::tlm_sync_enum Tbu::begin_request(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                      sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  if (refuse(payload)) return tlm::TLM_COMPLETED;
  if (!waits_) {
    transport_untimed(payload, delay);
    return tlm::TLM_COMPLETED;
  }
  if (pending_ != nullptr) {
    SC_REPORT_ERROR("/smmusim/tbu", "a second BEGIN_REQ came before END_REQ; the base protocol forbids it");
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  if (payload.has_mm()) payload.acquire();
  const Time arrival = pump_.now() + to_ps(delay);
  Slot* slot = take_slot();
  if (slot == nullptr) {
    pending_ = &payload;
    pending_at_ = arrival;
    return tlm::TLM_ACCEPTED;
  }
  begin(*slot, payload, arrival);
  slot->fire = &arrived;
  pump_.engine().schedule_at(arrival, *slot);
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void Tbu::arrived(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  slot.tbu->next_part(slot);
}

void Tbu::next_part(Slot& slot) {
  prepare(slot);
  slot.fire = &answered;
  if (smmu_.submit(index_, slot)) handle_answer(slot);
}

void Tbu::answered(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  slot.tbu->handle_answer(slot);
}

void Tbu::handle_answer(Slot& slot) {
  note_answer(*slot.payload, slot.response, slot.part, slot.status);
  charge(slot, &SmmuExtension::translation_time);
  if (slot.response.outcome != Outcome::proceed) {
    smmu_.retire(slot);
    part_done(slot);
    return;
  }
  slot.out.payload = &part_of(*slot.payload, slot.response, slot.part, slot.byte_enables);
  if (initiator_.busy()) {
    requests_.push(slot);
  } else {
    send(slot);
  }
}

void Tbu::send(Slot& slot) {
  slot.fire = &memory_done;
  initiator_.begin(slot.out);
}

void Tbu::memory_done(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  Tbu& tbu = *slot.tbu;
  tbu.initiator_.end(slot.out);
  tbu.collect_part(slot);
  tbu.part_done(slot);
}

void Tbu::part_done(Slot& slot) {
  if (slot.part.offset + slot.part.size < slot.payload->get_data_length()) {
    next_part(slot);
  } else {
    respond(slot);
  }
}

void Tbu::respond(Slot& slot) {
  slot.payload->set_response_status(slot.status);
  slot.payload->set_dmi_allowed(false);  // whatever downstream would allow: direct accesses would take no time
  slot.payload->set_address(slot.address);
  if (responding_ != nullptr) {
    responses_.push(slot);
  } else {
    send_response(slot);
  }
}

void Tbu::send_response(Slot& slot) {
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  responding_ = &slot;
  const tlm::tlm_sync_enum answer = client_->nb_transport_bw(*slot.payload, phase, delay);
  if (answer == tlm::TLM_ACCEPTED) return;
  responding_ = nullptr;
  finish(slot);
  if (responses_.first != nullptr) post_chores();
}

void Tbu::finish(Slot& slot) {
  tlm::tlm_generic_payload* payload = slot.payload;
  release(slot);
  if (payload->has_mm()) payload->release();
}

void Tbu::post_chores() {
  if (chores_.posted) return;
  chores_.posted = true;
  pump_.schedule_in(0, chores_);
}

void Tbu::chores(EventNode& node) {
  auto& self = static_cast<ChoresNode&>(node);
  self.posted = false;
  self.tbu->do_chores();
}

/// Whatever had to wait for a free slot, for END_REQ from downstream or for END_RESP from the client.
void Tbu::do_chores() {
  while (requests_.first != nullptr && !initiator_.busy()) send(requests_.pop());
  while (responses_.first != nullptr && responding_ == nullptr) send_response(responses_.pop());
  if (pending_ == nullptr) return;
  Slot* slot = take_slot();
  if (slot == nullptr) return;
  tlm::tlm_generic_payload& payload = *pending_;
  pending_ = nullptr;
  begin(*slot, payload, pending_at_);
  slot->fire = &arrived;
  pump_.engine().schedule_at(std::max(pending_at_, pump_.now()), *slot);
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  client_->nb_transport_bw(payload, phase, delay);
}

}  // namespace smmusim::systemc

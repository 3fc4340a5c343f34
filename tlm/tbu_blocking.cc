// SPDX-License-Identifier: MIT
// The blocking and the debug transport of a Tbu.
#include <algorithm>
#include <cstring>

#include "tlm/tbu.h"

namespace smmusim::systemc {

void Tbu::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  if (refuse(payload)) return;
  if (!waits_) {
    transport_untimed(payload, delay);
    return;
  }
  const auto kind = sc_core::sc_get_current_process_handle().proc_kind();
  if (kind != sc_core::SC_THREAD_PROC_ && kind != sc_core::SC_CTHREAD_PROC_) {
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    SC_REPORT_ERROR("/smmusim/tbu", "timed b_transport has to wait; call it from an SC_THREAD or use nb_transport");
    return;
  }
  transport_timed(payload, delay);
}

void Tbu::transport_untimed(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::uint64_t address = payload.get_address();
  const std::uint32_t length = payload.get_data_length();
  auto* extension = payload.get_extension<SmmuExtension>();
  const ClientAttributes& client = attributes_of(extension);
  tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
  std::vector<unsigned char> byte_enables;
  bool dmi_hint = false;
  for (Part part{}; part.offset < length; part.offset += part.size) {
    part.size = part_size(address + part.offset, length - part.offset);
    const Response response = translate_now(transaction_of(client, payload, address + part.offset, part.size));
    note_answer(payload, extension, response, part, status);
    if (response.outcome != Outcome::proceed) continue;
    tlm::tlm_generic_payload& piece = part_of(payload, response, part, byte_enables);
    downstream_->b_transport(piece, delay);
    if (status == tlm::TLM_OK_RESPONSE) status = piece.get_response_status();
    if (&piece == &payload) {
      dmi_hint = hints_dmi(payload);
    } else {
      piece.release();
    }
  }
  payload.set_dmi_allowed(dmi_hint);
  payload.set_address(address);
  payload.set_response_status(status);
}

/// Where nothing waits in the Engine and nobody looks at its time, an Entry has nothing to do before the translation,
/// and afterwards only if that left something behind: what proceeds raises no interrupt.
Response Tbu::translate_now(const Transaction& transaction) {
  const Engine& engine = pump_.engine();
  if (observed_ || engine.waiting() != 0 || engine.running()) {
    const Pump::Entry entry(pump_);
    return smmu_.translate(index_, transaction);
  }
  const Response response = smmu_.translate(index_, transaction);
  if (response.outcome != Outcome::proceed || engine.waiting() != 0) const Pump::Entry entry(pump_);
  return response;
}

void Tbu::transport_timed(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  Slot* slot = take_slot();
  while (slot == nullptr) {
    ++blocked_threads_;
    sc_core::wait(slot_freed_);
    --blocked_threads_;
    slot = take_slot();
  }
  begin(*slot, payload, pump_.now());
  const std::uint32_t length = payload.get_data_length();
  while (slot->part.offset + slot->part.size < length) {
    prepare(*slot);
    wait_for_answer(*slot);
    note_answer(payload, slot->extension, slot->response, slot->part, slot->status);
    charge(*slot, &SmmuExtension::translation_time);
    if (slot->response.outcome == Outcome::proceed) {
      forward_blocking(*slot, delay);
    } else {
      Pump::Entry entry(pump_);
      smmu_.retire(*slot);
    }
  }
  payload.set_dmi_allowed(false);  // whatever downstream would allow: direct accesses would take no time
  payload.set_address(slot->address);
  payload.set_response_status(slot->status);
  Pump::Entry entry(pump_);
  release(*slot);
}

void Tbu::wait_for_answer(Slot& slot) {
  if (slot.answered == nullptr) slot.answered = std::make_unique<sc_core::sc_event>();
  bool done = false;
  {
    Pump::Entry entry(pump_);
    slot.fire = &wake;
    done = smmu_.submit(index_, slot);
  }
  if (!done) sc_core::wait(*slot.answered);
}

void Tbu::wake(EventNode& node) {
  auto& slot = static_cast<Slot&>(node);
  slot.tbu->pump_.notify(*slot.answered);
}

void Tbu::forward_blocking(Slot& slot, sc_core::sc_time& delay) {
  slot.out.carry(part_of(*slot.payload, slot.response, slot.part, slot.byte_enables));
  downstream_->b_transport(*slot.out.payload(), delay);
  if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);  // visible to CMD_SYNC only when it has happened
  delay = sc_core::SC_ZERO_TIME;
  Pump::Entry entry(pump_);
  collect_part(slot);
}

unsigned Tbu::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND || payload.get_data_ptr() == nullptr) return 0;
  const std::uint64_t base = payload.get_address();
  const std::uint32_t length = payload.get_data_length();
  if (length == 0 || base + (length - 1) < base) return 0;
  std::uint32_t done = 0;
  while (done < length) {
    const std::uint32_t size = part_size(base + done, length - done);
    const Response response =
        smmu_.translate(index_, transaction_of(attributes_of(payload), payload, base + done, size), debug_effects);
    unsigned moved = size;
    if (response.outcome == Outcome::proceed) {
      tlm::tlm_generic_payload part;
      part.set_command(payload.get_command());
      part.set_address(response.address.value);
      part.set_data_ptr(payload.get_data_ptr() + done);
      part.set_data_length(size);
      part.set_streaming_width(size);
      moved = std::min(downstream_->transport_dbg(part), size);
    } else if (response.outcome == Outcome::raz_wi) {
      if (payload.is_read()) std::memset(payload.get_data_ptr() + done, 0, size);
    } else {
      moved = 0;
    }
    done += moved;
    if (moved != size) break;
  }
  return done;
}

}  // namespace smmusim::systemc

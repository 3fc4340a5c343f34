// SPDX-License-Identifier: MIT
// The rules of the base protocol, each as one check with its sentence. After the call that may have ended a
// transaction its payload is not looked at any more: it may have gone back to its pool.
#include "tests/tlm/protocol_monitor.h"

#include <gtest/gtest.h>

#include "tlm/pcie_extension.h"

namespace smmusim::systemc {

using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

ProtocolMonitor::ProtocolMonitor(const sc_core::sc_module_name& name) : sc_core::sc_module(name), in("in"), out("out") {
  in.bind(*this);
  out.bind(*this);
}

ProtocolMonitor::~ProtocolMonitor() {
  if (expects_violations) return;
  for (const std::string& violation : violations) ADD_FAILURE() << name() << ": " << violation;
}

ProtocolMonitor::Fixed::Fixed(tlm_generic_payload& payload)
    : command(payload.get_command()),
      data(payload.get_data_ptr()),
      length(payload.get_data_length()),
      enables(payload.get_byte_enable_ptr()),
      enables_length(payload.get_byte_enable_length()),
      streaming_width(payload.get_streaming_width()) {
  if (payload.is_write() && data != nullptr) written.assign(data, data + length);
  if (enables != nullptr) enable_bytes.assign(enables, enables + enables_length);
  for (unsigned i = 0; i < tlm::max_num_extensions(); ++i) extensions.push_back(payload.get_extension(i));
}

void ProtocolMonitor::check(bool condition, const char* sentence) {
  if (!condition) violations.emplace_back(sentence);
}

void ProtocolMonitor::check_new(const tlm_generic_payload& payload) {
  check(open_.count(&payload) == 0, "a request with a payload that is under way");
  check(payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE,
        "a request whose response status is not TLM_INCOMPLETE_RESPONSE");
  check(!payload.is_dmi_allowed(), "a request with the DMI hint set");
}

void ProtocolMonitor::check_unchanged(const Fixed& fixed, tlm_generic_payload& payload) {
  const Fixed now(payload);
  check(now.command == fixed.command, "the command was changed");
  check(now.data == fixed.data, "the data pointer was changed");
  check(now.length == fixed.length, "the data length was changed");
  check(now.enables == fixed.enables && now.enables_length == fixed.enables_length &&
            now.enable_bytes == fixed.enable_bytes,
        "the byte enables were changed");
  check(now.streaming_width == fixed.streaming_width, "the streaming width was changed");
  const auto* pcie = payload.get_extension<PcieExtension>();
  const bool atomic = pcie != nullptr && pcie->request.atomic;  // brings back what was there
  check(atomic || now.length != fixed.length || now.written == fixed.written, "the data of a write were changed");
  for (std::size_t i = 0; i < fixed.extensions.size(); ++i) {
    if (fixed.extensions[i] != nullptr) check(now.extensions[i] == fixed.extensions[i], "an extension was taken away");
  }
}

void ProtocolMonitor::check_answered(const Fixed& fixed, tlm_generic_payload& payload) {
  check_unchanged(fixed, payload);
  check(payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE, "a response without a response status");
}

void ProtocolMonitor::check_references(const Open& open, const tlm_generic_payload& payload) {
  check(payload.get_ref_count() >= open.references, "a reference that somebody else holds was released");
}

void ProtocolMonitor::advance(Open& open, const sc_core::sc_time& delay) {
  const sc_core::sc_time time = sc_core::sc_time_stamp() + delay;
  check(!checks_times || time >= open.latest, "a phase before the one that precedes it");
  open.latest = time;
}

void ProtocolMonitor::begin_request(tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  ++requests;
  check(requesting_ == nullptr, "BEGIN_REQ before END_REQ of the request before");
  check_new(payload);
  check(payload.has_mm(), "nb_transport of a payload without a memory manager");
  check(!payload.has_mm() || payload.get_ref_count() > 0, "nb_transport of a payload that nobody has acquired");
  open_.insert_or_assign(
      &payload, Open{State::requested, Fixed(payload), payload.get_ref_count(), sc_core::sc_time_stamp() + delay});
  requesting_ = &payload;
}

tlm_sync_enum ProtocolMonitor::nb_transport_fw(tlm_generic_payload& payload, tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  check(!in_backward_, "nb_transport_fw inside nb_transport_bw");
  const bool request = phase == tlm::BEGIN_REQ;
  if (request) {
    begin_request(payload, delay);
  } else if (phase == tlm::END_RESP) {
    const auto open = open_.find(&payload);
    if (open != open_.end()) advance(open->second, delay);
    end_response(&payload);
  } else {
    check(false, "a phase that only the target may send");
  }
  const sc_core::sc_time delay_before = delay;
  in_forward_ = true;
  const tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
  in_forward_ = false;
  if (request) {
    note_answer(payload, answer, phase, delay, delay_before);
  } else {
    check(answer != tlm::TLM_UPDATED, "TLM_UPDATED in answer to END_RESP");
  }
  return answer;
}

void ProtocolMonitor::note_answer(tlm_generic_payload& payload, tlm_sync_enum answer, const tlm_phase& phase,
                                  const sc_core::sc_time& delay, const sc_core::sc_time& delay_before) {
  const auto found = open_.find(&payload);
  if (found == open_.end()) return;
  check_references(found->second, payload);
  if (answer == tlm::TLM_ACCEPTED) {
    ++withheld;
    check(phase == tlm::BEGIN_REQ && delay == delay_before, "TLM_ACCEPTED with another phase or delay");
    check_unchanged(found->second.fixed, payload);
  } else if (answer == tlm::TLM_COMPLETED) {
    advance(found->second, delay);
    check_answered(found->second.fixed, payload);
    open_.erase(found);
    if (requesting_ == &payload) requesting_ = nullptr;
    ++completions;
    ++early_completions;
  } else if (phase == tlm::END_REQ) {
    end_request(payload, delay);
  } else {
    check(phase == tlm::BEGIN_RESP, "TLM_UPDATED with a phase that is not the target's");
    begin_response(payload, delay);
  }
}

tlm_sync_enum ProtocolMonitor::nb_transport_bw(tlm_generic_payload& payload, tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  check(!in_forward_, "nb_transport_bw inside nb_transport_fw");
  const bool response = phase == tlm::BEGIN_RESP;
  if (response) {
    begin_response(payload, delay);
  } else if (phase == tlm::END_REQ) {
    end_request(payload, delay);
  } else {
    check(false, "a phase that only the initiator may send");
  }
  const sc_core::sc_time delay_before = delay;
  in_backward_ = true;
  const tlm_sync_enum answer = in->nb_transport_bw(payload, phase, delay);
  in_backward_ = false;
  if (response) {
    note_response_answer(&payload, answer, phase, delay == delay_before);
  } else {
    check(answer == tlm::TLM_ACCEPTED, "END_REQ was answered with something else than TLM_ACCEPTED");
  }
  return answer;
}

void ProtocolMonitor::note_response_answer(const tlm_generic_payload* payload, tlm_sync_enum answer,
                                           const tlm_phase& phase, bool same_delay) {
  if (answer == tlm::TLM_ACCEPTED) {
    check(phase == tlm::BEGIN_RESP && same_delay, "TLM_ACCEPTED with another phase or delay");
    return;
  }
  if (answer == tlm::TLM_UPDATED) {
    check(phase == tlm::END_RESP, "TLM_UPDATED with a phase that is not the initiator's");
  }
  end_response(payload);
}

void ProtocolMonitor::end_request(tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  check(requesting_ == &payload, "END_REQ of a payload that is not in its request phase");
  if (requesting_ == &payload) requesting_ = nullptr;
  const auto open = open_.find(&payload);
  if (open == open_.end()) return;
  advance(open->second, delay);
  check_unchanged(open->second.fixed, payload);
  check_references(open->second, payload);
  open->second.state = State::accepted;
}

void ProtocolMonitor::begin_response(tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  check(responding_ == nullptr, "BEGIN_RESP before END_RESP of the response before");
  const auto open = open_.find(&payload);
  const bool expected = open != open_.end() && open->second.state != State::responding;
  check(expected, "BEGIN_RESP without a request");
  if (!expected) return;
  advance(open->second, delay);
  check_answered(open->second.fixed, payload);
  check_references(open->second, payload);
  if (requesting_ == &payload) requesting_ = nullptr;
  responding_ = &payload;
  open->second.state = State::responding;
}

void ProtocolMonitor::end_response(const tlm_generic_payload* payload) {
  check(responding_ == payload, "END_RESP of a payload that is not in its response phase");
  if (responding_ != payload) return;
  responding_ = nullptr;
  open_.erase(payload);
  ++completions;
}

void ProtocolMonitor::b_transport(tlm_generic_payload& payload, sc_core::sc_time& delay) {
  ++blocking;
  check_new(payload);
  const Fixed fixed(payload);
  const int references = payload.get_ref_count();
  const sc_core::sc_time before = sc_core::sc_time_stamp() + delay;
  out->b_transport(payload, delay);
  check(!checks_times || sc_core::sc_time_stamp() + delay >= before, "b_transport came back before it was called");
  check_answered(fixed, payload);
  check(payload.get_ref_count() == references, "b_transport kept or released a reference");
}

unsigned ProtocolMonitor::transport_dbg(tlm_generic_payload& payload) {
  ++debug;
  const Fixed fixed(payload);
  const sc_core::sc_time before = sc_core::sc_time_stamp();
  const unsigned done = out->transport_dbg(payload);
  check(sc_core::sc_time_stamp() == before, "transport_dbg took time");
  check(done <= fixed.length, "transport_dbg did more bytes than it was asked for");
  check_unchanged(fixed, payload);
  return done;
}

bool ProtocolMonitor::get_direct_mem_ptr(tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const std::uint64_t address = payload.get_address();
  const Fixed fixed(payload);
  const bool given = out->get_direct_mem_ptr(payload, dmi);
  check_unchanged(fixed, payload);
  const bool covers = dmi.get_start_address() <= address && address <= dmi.get_end_address();
  check(covers, "a DMI answer for a range that does not hold the address");
  if (!given) return false;
  ++dmi_grants;
  check(dmi.get_dmi_ptr() != nullptr, "a DMI grant without a pointer");
  check(payload.is_write() ? dmi.is_write_allowed() : dmi.is_read_allowed(),
        "a DMI grant without the access asked for");
  return true;
}

void ProtocolMonitor::invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) {
  ++dmi_invalidations;
  check(first <= last, "a DMI invalidation whose range is reversed");
  in->invalidate_direct_mem_ptr(first, last);
}

}  // namespace smmusim::systemc

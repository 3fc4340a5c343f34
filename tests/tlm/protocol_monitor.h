// SPDX-License-Identifier: MIT
// ProtocolMonitor: stands between an initiator and a target and checks the TLM-2.0 base protocol (IEEE 1666-2011
// clause 15.2): order of phases per payload, one request and one response phase at a time, no nested calls of
// opposite directions. Violations are sentences; the test expects none.
#pragma once

#include <map>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace smmusim::systemc {

class ProtocolMonitor : public sc_core::sc_module,
                        public tlm::tlm_fw_transport_if<>,
                        public tlm::tlm_bw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;
  tlm::tlm_initiator_socket<> out;
  std::vector<std::string> violations;
  unsigned requests = 0;
  unsigned completions = 0;
  unsigned early_completions = 0;
  unsigned withheld = 0;  // BEGIN_REQs that were answered with TLM_ACCEPTED

  explicit ProtocolMonitor(const sc_core::sc_module_name& name) : sc_core::sc_module(name), in("in"), out("out") {
    in.bind(*this);
    out.bind(*this);
  }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    check(!in_backward_, "nb_transport_fw inside nb_transport_bw");
    const bool request = phase == tlm::BEGIN_REQ;
    if (request) {
      ++requests;
      check(requesting_ == nullptr, "BEGIN_REQ before END_REQ of the request before");
      check(state_[&payload] == State::idle, "BEGIN_REQ of a payload under way");
      state_[&payload] = State::requested;
      requesting_ = &payload;
    } else if (phase == tlm::END_RESP) {
      end_response(payload);
    } else {
      check(false, "a phase that only the target may send");
    }
    in_forward_ = true;
    const tlm::tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
    in_forward_ = false;
    if (request) note_answer(payload, answer, phase);
    return answer;
  }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    check(!in_forward_, "nb_transport_bw inside nb_transport_fw");
    if (phase == tlm::END_REQ) {
      end_request(payload);
    } else if (phase == tlm::BEGIN_RESP) {
      begin_response(payload);
    } else {
      check(false, "a phase that only the initiator may send");
    }
    const bool response = phase == tlm::BEGIN_RESP;
    in_backward_ = true;
    const tlm::tlm_sync_enum answer = in->nb_transport_bw(payload, phase, delay);
    in_backward_ = false;
    if (response && answer != tlm::TLM_ACCEPTED) end_response(payload);
    return answer;
  }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    out->b_transport(payload, delay);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override { return out->transport_dbg(payload); }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override {
    return out->get_direct_mem_ptr(payload, dmi);
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

 private:
  enum class State { idle, requested, accepted, responding };

  void check(bool condition, const char* sentence) {
    if (!condition) violations.emplace_back(sentence);
  }
  void note_answer(tlm::tlm_generic_payload& payload, tlm::tlm_sync_enum answer, const tlm::tlm_phase& phase) {
    if (answer == tlm::TLM_ACCEPTED) {
      ++withheld;
    } else if (answer == tlm::TLM_COMPLETED) {
      requesting_ = nullptr;
      state_[&payload] = State::idle;
      ++completions;
      ++early_completions;
    } else if (phase == tlm::END_REQ) {
      end_request(payload);
    } else {
      check(phase == tlm::BEGIN_RESP, "TLM_UPDATED with a phase that is not the target's");
      begin_response(payload);
    }
  }
  void end_request(tlm::tlm_generic_payload& payload) {
    check(requesting_ == &payload, "END_REQ of a payload that is not in its request phase");
    requesting_ = nullptr;
    state_[&payload] = State::accepted;
  }
  void begin_response(tlm::tlm_generic_payload& payload) {
    check(responding_ == nullptr, "BEGIN_RESP before END_RESP of the response before");
    check(state_[&payload] == State::requested || state_[&payload] == State::accepted, "BEGIN_RESP without a request");
    if (requesting_ == &payload) requesting_ = nullptr;
    responding_ = &payload;
    state_[&payload] = State::responding;
  }
  void end_response(tlm::tlm_generic_payload& payload) {
    check(responding_ == &payload, "END_RESP of a payload that is not in its response phase");
    responding_ = nullptr;
    state_[&payload] = State::idle;
    ++completions;
  }

  std::map<tlm::tlm_generic_payload*, State> state_;
  tlm::tlm_generic_payload* requesting_ = nullptr;
  tlm::tlm_generic_payload* responding_ = nullptr;
  bool in_forward_ = false;
  bool in_backward_ = false;
};

}  // namespace smmusim::systemc

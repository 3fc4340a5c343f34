// SPDX-License-Identifier: MIT
// A plain initiator and a slow target that know nothing of smmusim: they use SystemC's own queues, so that the
// sockets are tried by somebody else's idea of the base protocol.
#pragma once

#include <tlm_utils/peq_with_cb_and_phase.h>

#include <cstring>
#include <map>
#include <systemc>
#include <tlm>
#include <vector>

#include "tlm/payload_pool.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

/// Issues the accesses it is given, one after the other as END_REQ allows; may hold END_RESP back.
class PlainInitiator : public sc_core::sc_module, public tlm::tlm_bw_transport_if<> {
 public:
  struct Done {
    std::uint64_t address;
    tlm::tlm_response_status status;
    sc_core::sc_time at;
  };
  tlm::tlm_initiator_socket<> out;
  std::vector<Done> done;
  unsigned in_flight = 0;
  unsigned in_flight_most = 0;
  sc_core::sc_time end_response_delay = sc_core::SC_ZERO_TIME;  // 0: END_RESP in the return path

  explicit PlainInitiator(const sc_core::sc_module_name& name)
      : sc_core::sc_module(name), out("out"), peq_(this, &PlainInitiator::due) {
    out.bind(*this);
    SC_HAS_PROCESS(PlainInitiator);
    SC_METHOD(issue);
    sensitive << go_;
  }

  /// The payload to fill in further; its data is `bytes` long and zero.
  tlm::tlm_generic_payload& add(std::uint64_t address, unsigned bytes, bool write) {
    tlm::tlm_generic_payload& payload = pool_.take();
    auto& buffer = buffers_.emplace_back(std::make_unique<std::vector<unsigned char>>(bytes));
    payload.set_address(address);
    payload.set_data_ptr(buffer->data());
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    add(payload);
    return payload;
  }
  /// One that the test has made.
  void add(tlm::tlm_generic_payload& payload) { to_issue_.push_back(&payload); }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (&payload == requesting_) {
      requesting_ = nullptr;
      go_.notify(sc_core::SC_ZERO_TIME);
    }
    if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;
    if (end_response_delay == sc_core::SC_ZERO_TIME) {
      finish(payload, delay);
      return tlm::TLM_COMPLETED;
    }
    peq_.notify(payload, tlm::END_RESP, delay + end_response_delay);
    return tlm::TLM_ACCEPTED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

 private:
  void issue() {
    while (requesting_ == nullptr && next_ != to_issue_.size()) {
      tlm::tlm_generic_payload& payload = *to_issue_[next_++];
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      requesting_ = &payload;
      in_flight_most = std::max(in_flight_most, ++in_flight);
      const tlm::tlm_sync_enum answer = out->nb_transport_fw(payload, phase, delay);
      if (answer == tlm::TLM_ACCEPTED) return;
      requesting_ = nullptr;
      if (answer == tlm::TLM_COMPLETED) finish(payload, delay);
    }
  }
  void due(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& end) {
    tlm::tlm_phase phase = end;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    finish(payload, delay);
    out->nb_transport_fw(payload, phase, delay);
  }
  void finish(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
    --in_flight;
    done.push_back({payload.get_address(), payload.get_response_status(), sc_core::sc_time_stamp() + delay});
  }

  PayloadPool pool_;
  std::vector<std::unique_ptr<std::vector<unsigned char>>> buffers_;
  std::vector<tlm::tlm_generic_payload*> to_issue_;
  std::size_t next_ = 0;
  tlm::tlm_generic_payload* requesting_ = nullptr;
  sc_core::sc_event go_;
  tlm_utils::peq_with_cb_and_phase<PlainInitiator> peq_;
};

/// Memory of a few bytes by address that goes through all four phases: END_REQ after `accept`, BEGIN_RESP `serve`
/// later, one response at a time.
class SlowTarget : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  tlm::tlm_target_socket<> in;
  sc_core::sc_time accept = sc_core::sc_time(3, sc_core::SC_NS);
  sc_core::sc_time serve = sc_core::sc_time(20, sc_core::SC_NS);
  std::vector<std::uint64_t> addresses;  // of the accesses, in order
  std::vector<unsigned> sizes;
  tlm::tlm_response_status answer = tlm::TLM_OK_RESPONSE;

  explicit SlowTarget(const sc_core::sc_module_name& name)
      : sc_core::sc_module(name), in("in"), peq_(this, &SlowTarget::due) {
    in.bind(*this);
    SC_HAS_PROCESS(SlowTarget);
    SC_METHOD(next_response);
    sensitive << response_ended_;
    dont_initialize();
  }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override {
    if (phase == tlm::BEGIN_REQ) {
      peq_.notify(payload, tlm::END_REQ, delay + accept);
    } else if (phase == tlm::END_RESP) {
      responding_ = false;
      response_ended_.notify(sc_core::SC_ZERO_TIME);
    }
    return tlm::TLM_ACCEPTED;
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    access(payload);
    delay += accept + serve;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override { return payload.get_data_length(); }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  void access(tlm::tlm_generic_payload& payload) {
    addresses.push_back(payload.get_address());
    sizes.push_back(payload.get_data_length());
    if (payload.is_read() && payload.get_data_ptr() != nullptr)
      std::memset(payload.get_data_ptr(), 0xab, payload.get_data_length());
    payload.set_response_status(answer);
  }
  void due(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& what) {
    if (what == tlm::END_REQ) {
      tlm::tlm_phase phase = tlm::END_REQ;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      peq_.notify(payload, tlm::BEGIN_RESP, serve);
      in->nb_transport_bw(payload, phase, delay);
      return;
    }
    access(payload);
    waiting_.push_back(&payload);
    next_response();
  }
  void next_response() {
    while (!responding_ && !waiting_.empty()) {
      tlm::tlm_generic_payload& payload = *waiting_.front();
      waiting_.erase(waiting_.begin());
      tlm::tlm_phase phase = tlm::BEGIN_RESP;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      responding_ = in->nb_transport_bw(payload, phase, delay) == tlm::TLM_ACCEPTED;
    }
  }

  bool responding_ = false;
  sc_core::sc_event response_ended_;
  std::vector<tlm::tlm_generic_payload*> waiting_;
  tlm_utils::peq_with_cb_and_phase<SlowTarget> peq_;
};

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// PayloadTarget: the target's half of TLM's transports (IEEE 1666-2011 sections 11.1 and 15.2) for whoever serves
// payloads on the Engine's wheel, as many at a time as come: END_REQ at once, one response phase at a time, threads
// that call b_transport wait. What a payload means is the owner's.
#pragma once

#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/scope.h"
#include "tlm/pump.h"

namespace smmusim::platform {

class PayloadTarget final : public tlm::tlm_fw_transport_if<> {
 public:
  /// A payload under way.
  struct Access : EventNode {
    tlm::tlm_generic_payload* payload = nullptr;

   private:
    friend class PayloadTarget;
    PayloadTarget* target = nullptr;
    std::unique_ptr<sc_core::sc_event> answered;  // once a thread has waited for it
    bool blocking = false;
    Access* next_response = nullptr;
  };

  class Owner {
   public:
    virtual ~Owner() = default;
    /// True: the payload can't be served, and its response status says why. Asked of every payload first.
    virtual bool refuses(tlm::tlm_generic_payload& payload) = 0;
    /// On the wheel. The owner calls respond() later.
    virtual void payload_arrived(Access& access) = 0;
    /// A call that can't wait. False: it can't be served so.
    virtual bool serve_at_once(tlm::tlm_generic_payload& payload) = 0;
  };

  /// Binds itself to `socket`. Payloads are with the owner `latency_ps` after they have arrived.
  PayloadTarget(systemc::Pump& pump, tlm::tlm_target_socket<>& socket, Owner& owner, Time latency_ps);
  ~PayloadTarget() override;

  /// The response status is set. On the wheel.
  void respond(Access& access);

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi&) override { return false; }

 private:
  Access& take(tlm::tlm_generic_payload& payload);
  void give(Access& access);
  void send_response(Access& access);
  static void arrived(EventNode& node);
  static void do_chores(EventNode& node);

  systemc::Pump& pump_;
  tlm::tlm_target_socket<>& socket_;
  Owner& owner_;
  Time latency_;
  std::vector<std::unique_ptr<Access>> all_;
  std::vector<Access*> free_;
  Access* responding_ = nullptr;  // BEGIN_RESP sent, END_RESP not seen
  Access* first_response_ = nullptr;
  Access* last_response_ = nullptr;
  struct ChoresNode : EventNode {
    PayloadTarget* target = nullptr;
    bool posted = false;
  } chores_;
  Scope scope_;
};

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// AtInitiator: the initiator's half of the base protocol's non-blocking transport (IEEE 1666-2011 section 15.2), for
// whoever sends payloads from the Engine's wheel: one request phase at a time, responses answered in the return path,
// the owner told on the wheel when its access has ended. Which payload is sent when is the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <tlm>
#include <vector>

#include "model/sim/engine.h"
#include "tlm/pump.h"
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

class AtInitiator final : public tlm::tlm_bw_transport_if<> {
 public:
  /// One access at a time, used again and again; a base or a member of what the owner keeps for it.
  class Access {
   public:
    EventNode* done = nullptr;  ///< posted when the response has arrived; its owner calls end()
    Time own_time = 0;          ///< added to the response's delay, as it stands when that comes

    /// What is sent; null: nothing.
    tlm::tlm_generic_payload* payload() const { return payload_; }
    /// Sets it, for as many begin() as are wanted.
    void carry(tlm::tlm_generic_payload& payload) {
      payload_ = &payload;
      path_ = &PathExtension::of(payload);
    }
    void carry_nothing() { payload_ = nullptr; }

   private:
    friend class AtInitiator;
    tlm::tlm_generic_payload* payload_ = nullptr;
    PathExtension* path_ = nullptr;  // the payload's
    std::uint16_t index_ = 0;
    bool expects_response_ = false;
    bool end_response_ = false;  // the target began its response in the return path: END_RESP is due
    bool on_path_ = false;       // its hop is still in the payload's path
  };
  /// Called when busy() has become false, inside a response call: no request may be sent before the next event.
  using Accepted = std::function<void()>;
  using Invalidated = std::function<void(sc_dt::uint64, sc_dt::uint64)>;

  /// Binds itself to `socket`. `invalidated` is told of the target's invalidate_direct_mem_ptr; it may be empty.
  AtInitiator(Pump& pump, tlm::tlm_initiator_socket<>& socket, Accepted accepted, Invalidated invalidated = {});

  /// Makes an access known, before its first begin(). At most 65535; each stays where it is.
  void add(Access& access);

  /// BEGIN_REQ is sent and END_REQ not seen: begin() must wait.
  bool busy() const { return requesting_ != nullptr; }
  /// Sends the payload, which arrives `delay` later; access.done fires when the response is there. True: the target has
  /// completed it in the call. Its answer is in the payload, and Access and payload are free again, though `done` fires
  /// in its time all the same.
  bool begin(Access& access, Time delay = 0);
  /// Ends the transaction of an access whose `done` has fired: END_RESP if it is still due. Nothing if begin() said
  /// true.
  void end(Access& access);

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override;

 private:
  static void leave_path(Access& access);
  Access* waiting_for(const tlm::tlm_generic_payload& payload);

  Pump& pump_;
  tlm::tlm_initiator_socket<>& socket_;
  Accepted accepted_;
  Invalidated invalidated_;
  std::vector<Access*> accesses_;
  const Access* requesting_ = nullptr;
};

}  // namespace smmusim::systemc

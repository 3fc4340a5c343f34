// SPDX-License-Identifier: MIT
// TlmMemoryPort: the SMMU's own accesses as TLM traffic on the TCU's initiator socket. Timed: nb_transport, base
// protocol, a limited number under way and the rest waiting in order. Untimed: b_transport, done at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <tlm>
#include <vector>

#include "model/sim/memory_port.h"
#include "model/sim/scope.h"
#include "tlm/payload_pool.h"
#include "tlm/pump.h"

namespace smmusim::systemc {

struct SmmuAccessExtension;

struct TlmMemoryPortCounters {
  std::uint64_t started = 0;
  std::uint64_t queued = 0;  ///< of those, how many had to wait for the outstanding limit or for END_REQ
};

class TlmMemoryPort final : public MemoryPort, public tlm::tlm_bw_transport_if<> {
 public:
  /// `outstanding`: accesses under way at a time, at least 1. Binds itself to `socket`.
  TlmMemoryPort(Pump& pump, tlm::tlm_initiator_socket<>& socket, bool timed, unsigned outstanding);
  ~TlmMemoryPort() override;

  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override;
  const TlmMemoryPortCounters& counters() const { return counters_; }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}  // none was ever asked for

 private:
  static constexpr std::uint32_t size_max_ = 64;
  /// One access under way. The data goes through its own buffer: the requester's may vanish (abandon).
  struct Channel : EventNode {
    TlmMemoryPort* port = nullptr;
    MemoryRequest* request = nullptr;  // null: abandoned
    tlm::tlm_generic_payload* payload = nullptr;
    SmmuAccessExtension* access = nullptr;
    Channel* next_free = nullptr;
    std::uint16_t index = 0;
    bool expects_response = false;
    bool end_response = false;  // the target began its response in the return path: END_RESP is due
    std::array<unsigned char, size_max_> buffer{};
    /// Held until the requester has digested the answer, so that both are one event.
    Time own_time() const { return request == nullptr ? 0 : request->own_time; }
  };

  void fill(Channel& channel, MemoryRequest& request);
  static void collect(const Channel& channel, MemoryRequest& request);
  void give_payload(Channel& channel);
  Channel* take_channel();
  void release(Channel& channel);
  void issue(Channel& channel);
  void serve_queue();
  void answer_at_once(MemoryRequest& request);
  void request_accepted();
  static void completed(EventNode& node);
  static void continue_queue(EventNode& node);

  struct QueueNode : EventNode {
    TlmMemoryPort* port = nullptr;
    bool posted = false;
  };

  Pump& pump_;
  tlm::tlm_initiator_socket<>& socket_;
  bool timed_;
  PayloadPool pool_;
  std::vector<std::unique_ptr<Channel>> channels_;
  Channel* free_ = nullptr;
  Channel* requesting_ = nullptr;  // BEGIN_REQ sent, END_REQ not seen
  EventList queue_;
  QueueNode queue_node_;
  TlmMemoryPortCounters counters_;
  Scope scope_;
};

}  // namespace smmusim::systemc

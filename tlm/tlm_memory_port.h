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
#include "tlm/at_initiator.h"
#include "tlm/payload_pool.h"
#include "tlm/pump.h"

namespace smmusim::systemc {

struct SmmuAccessExtension;

struct TlmMemoryPortCounters {
  std::uint64_t started = 0;
  std::uint64_t queued = 0;  ///< of those, how many had to wait for the outstanding limit or for END_REQ
};

class TlmMemoryPort final : public MemoryPort {
 public:
  /// `outstanding`: accesses under way at a time, at least 1. Binds itself to `socket`.
  TlmMemoryPort(Pump& pump, tlm::tlm_initiator_socket<>& socket, bool timed, unsigned outstanding);
  ~TlmMemoryPort() override;

  bool start(MemoryRequest& request) override;
  void abandon(const Scope& scope) override;
  const TlmMemoryPortCounters& counters() const { return counters_; }

 private:
  static constexpr std::uint32_t size_max_ = 64;
  /// What brings an access to its target. The data has a buffer of its own: the requester's may vanish (abandon).
  struct Carrier {
    /// Its own_time is the requester's: the answer and what the requester makes of it are one event.
    AtInitiator::Access out;
    SmmuAccessExtension* access = nullptr;
    Carrier* next_free = nullptr;
    std::array<unsigned char, size_max_> buffer{};
  };
  /// One access under way. What most of them need is one line of the host's cache.
  struct alignas(64) Channel : EventNode {
    TlmMemoryPort* port = nullptr;
    Carrier* carrier = nullptr;  // null: the target completed it in the call, and the request has its answer
    /// Null: abandoned.
    MemoryRequest* request() const { return static_cast<MemoryRequest*>(subject); }
  };

  static void fill(Carrier& carrier, const MemoryRequest& request);
  static void collect(const Carrier& carrier, MemoryRequest& request);
  void give_payload(Carrier& carrier);
  Carrier& take_carrier();
  void release(Carrier& carrier);
  void leave(Channel& channel);
  void send(MemoryRequest& request);
  void serve_queue();
  void answer_at_once(MemoryRequest& request);
  void request_accepted();
  static void completed(EventNode& node);
  static void completed_in_call(EventNode& node);
  static void continue_queue(EventNode& node);

  struct QueueNode : EventNode {
    TlmMemoryPort* port = nullptr;
    bool posted = false;
  };

  Pump& pump_;
  tlm::tlm_initiator_socket<>& socket_;
  bool timed_;
  PayloadPool pool_;
  std::vector<std::unique_ptr<Carrier>> carriers_;  // as many as were ever needed at a time
  Carrier* free_carrier_ = nullptr;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<Channel*> free_;
  EventList queue_;
  QueueNode queue_node_;
  AtInitiator initiator_;
  TlmMemoryPortCounters counters_;
  Scope scope_;
};

}  // namespace smmusim::systemc

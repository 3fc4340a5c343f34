// SPDX-License-Identifier: MIT
// DmaEndpoint: the DMA engine of one PCIe function. Takes accesses as values from a bounded queue, has a limited
// number of them under way, and reports each completion to a handler. It knows nothing of traces or of the SMMU but
// the extension that its payloads carry.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/sim/scope.h"
#include "tlm/at_initiator.h"
#include "tlm/payload_pool.h"
#include "tlm/pump.h"
#include "tlm/smmu_extension.h"

namespace smmusim::platform {

struct DmaEndpointConfig {
  std::uint16_t requester_id = 0;
  unsigned outstanding = 64;                    ///< accesses under way at a time
  Time issue_interval_ps = 0;                   ///< least time between two issues
  unsigned queue_max = 1024;                    ///< accesses waiting
  std::uint32_t transfer_bytes_max = 1U << 20;  ///< of one access
};

/// One access of the device.
struct DmaWork {
  Va address{};
  std::uint32_t size = 0;  ///< bytes, 1 to transfer_bytes_max
  bool write = false;
  bool atomic = false;  ///< an AtomicOp; `write` is true too, its data is the operand
  bool substream_valid = false;
  bool instruction = false;
  bool privileged = false;
  SubstreamId substream_id{};
  AtsType ats = AtsType::untranslated;
  std::uint64_t tag = 0;  ///< the submitter's; also the seed of the data that a write carries
  void* user = nullptr;   ///< the submitter's
};

enum class DmaStatus : std::uint8_t {
  ok,
  aborted,        ///< by the SMMU, by an injected fault of memory, or an unsupported request
  address_error,  ///< nothing at the output address
  refused,        ///< malformed: command, burst or byte enables
};

struct DmaCompletion {
  const DmaWork& work;
  DmaStatus status;
  Time issued_at;
  Time completed_at;
  const systemc::SmmuExtension& smmu;   ///< translated_address, outcome, event
  std::span<const unsigned char> data;  ///< of a read; valid during the call
  Time latency() const { return completed_at - issued_at; }
};

struct DmaEndpointCounters {
  std::uint64_t issued = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;  ///< of those that succeeded
};

/// The data of a write: the same for the same tag.
void fill_pattern(std::uint64_t tag, std::span<unsigned char> data);

class DmaEndpoint : public sc_core::sc_module {
 public:
  using Handler = std::function<void(const DmaCompletion&)>;

  tlm::tlm_initiator_socket<> out;

  /// Throws std::invalid_argument if a limit is 0.
  DmaEndpoint(const sc_core::sc_module_name& name, systemc::Pump& pump, const DmaEndpointConfig& config);
  ~DmaEndpoint() override;

  /// Called at each completion of pushed work, on the wheel, in order of completion. It may push.
  void set_handler(Handler handler) { handler_ = std::move(handler); }

  /// Queues an access (timed mode, nb_transport). False: the queue is full. Throws std::invalid_argument for a size
  /// that is 0 or above transfer_bytes_max.
  bool push(const DmaWork& work);
  /// Does an access with b_transport and hands its completion to `handler` before it returns: the untimed mode. In a
  /// timed platform only from an SC_THREAD. Throws like push().
  void transfer(const DmaWork& work, const Handler& handler);

  bool idle() const { return queued_ == 0 && in_flight_ == 0; }
  unsigned in_flight() const { return in_flight_; }
  std::size_t queue_space() const { return queue_.size() - queued_; }
  std::uint16_t requester_id() const { return config_.requester_id; }
  const DmaEndpointCounters& counters() const { return counters_; }

 private:
  struct Slot : EventNode {
    DmaEndpoint* endpoint = nullptr;
    DmaWork work{};
    systemc::AtInitiator::Access out;
    Time issued_at = 0;
    std::vector<unsigned char> buffer;
  };
  struct IssueNode : EventNode {
    DmaEndpoint* endpoint = nullptr;
    bool waiting = false;
  };

  void require_size(const DmaWork& work) const;
  void prepare(Slot& slot, const DmaWork& work);
  void complete(Slot& slot, const Handler& handler);
  void issue();
  void request_accepted();
  void issue_later(Time when);
  static void completed(EventNode& node);
  static void issue_due(EventNode& node);

  systemc::Pump& pump_;
  DmaEndpointConfig config_;
  Handler handler_;
  systemc::PayloadPool pool_;
  std::vector<DmaWork> queue_;  // a ring
  std::size_t head_ = 0;
  std::size_t queued_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;
  Slot blocking_slot_;
  unsigned in_flight_ = 0;
  Time next_issue_ = 0;
  bool in_handler_ = false;
  IssueNode issue_node_;
  systemc::AtInitiator initiator_;
  DmaEndpointCounters counters_;
  Scope scope_;
};

}  // namespace smmusim::platform

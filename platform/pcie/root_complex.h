// SPDX-License-Identifier: MIT
// RootComplex: the upstream end of the links. It takes the TLPs of PCIe functions, hands memory requests to the SMMUs'
// TBUs with the StreamID that belongs to their Requester ID, cuts what reads bring back into completions, and carries
// the messages of ATS and PRI both ways. The rows are Linux's `iommu-map`: a RID inside [rid_base, rid_base +
// rid_count) gets stream_base + (rid - rid_base). What an access may do is decided in the SMMU.
//
// Order: within a port posted requests keep theirs and are not passed by non-posted ones. An Invalidate Completion
// reaches the SMMU only when every write that came before it is globally visible, so that CMD_SYNC can mean what
// software takes it for (IHI 0070 section 4.7.1).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <systemc>
#include <tlm>
#include <vector>

#include "model/base/types.h"
#include "model/sim/scope.h"
#include "model/smmu/ats_messages.h"
#include "platform/pcie/bridge_config.h"
#include "platform/pcie/completion.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/request_watcher.h"
#include "platform/pcie/tlp_link.h"
#include "platform/pcie/tlp_rules.h"
#include "tlm/at_initiator.h"
#include "tlm/payload_pool.h"
#include "tlm/pcie_extension.h"
#include "tlm/pump.h"
#include "tlm/smmu_extension.h"

namespace smmusim {
class Smmu;
}

namespace smmusim::platform {

struct RidMapRow {
  std::uint16_t rid_base = 0;
  std::uint32_t rid_count = 0;  ///< 1 to 65536
  StreamId stream_base{};
  unsigned output = 0;  ///< which TBU
};

/// The RIDs that are below a root port: its ACS Source Validation, and how messages find their way.
struct RootPort {
  std::uint16_t rid_first = 0, rid_last = 0xffff;
  /// With one, its bus numbers say which RIDs those are, its ACS controls what is validated and its windows which
  /// addresses are below it. It outlives the root complex.
  const BridgeConfig* bridge = nullptr;

  bool holds(std::uint16_t rid) const {
    return bridge != nullptr ? bridge->below(rid >> 8) : rid >= rid_first && rid <= rid_last;
  }
};

struct RootComplexConfig {
  std::vector<RidMapRow> rid_map;
  std::uint16_t rid_mask = 0xffff;  ///< `iommu-map-mask`: applied to the RID before the rows
  std::vector<RootPort> ports;
  std::uint16_t own_id = 0;  ///< Requester ID of messages, Completer ID of completions
  bool ats_supported = true;
  unsigned outstanding = 256;  ///< memory requests at a time and TBU, 1 to 65535
  /// Of those, for posted requests alone. Where devices read peers through here there must be one: a read waits for a
  /// completion, which waits behind the peer's own writes.
  unsigned posted_reserve = 0;
  CompletionLimits completions{};
  Time request_processing_ps = 20'000;
  Time response_processing_ps = 20'000;
  Time page_request_retry_ps = 100'000;         ///< between two offers of a Page Request that the SMMU could not take
  Time completion_timeout_ps = 10'000'000'000;  ///< of requests to devices
};

struct RootComplexCounters {
  std::uint64_t memory_requests = 0;  ///< handed to an SMMU
  std::uint64_t translation_requests = 0;
  std::uint64_t completions = 0;           ///< Cpl and CplD TLPs sent
  std::uint64_t unsupported_requests = 0;  ///< RIDs in no row, ATS without support, requests of other kinds
  std::uint64_t malformed = 0;             ///< TLPs that break a rule (tlp_rules.h), dropped
  std::uint64_t acs_violations = 0;        ///< Requester IDs that are not the port's
  std::uint64_t invalidate_requests = 0;   ///< sent
  std::uint64_t invalidate_completions = 0;
  std::uint64_t invalidations_lost = 0;      ///< never answered, and their ITag is used again
  std::uint64_t unexpected_completions = 0;  ///< of invalidations that are not under way
  std::uint64_t page_requests = 0;
  std::uint64_t page_responses = 0;    ///< sent
  std::uint64_t peer_completions = 0;  ///< redirected by ACS, and sent down to whom they are for
};

class RootComplex : public sc_core::sc_module, private RequestWatcher {
 public:
  sc_core::sc_vector<tlm::tlm_initiator_socket<>> out;

  /// Throws std::invalid_argument.
  RootComplex(const sc_core::sc_module_name& name, systemc::Pump& pump, TlpPool& pool, unsigned outputs,
              const RootComplexConfig& config);
  ~RootComplex() override;

  /// `link`'s upstream end becomes root port `port`.
  void connect(unsigned port, TlpLink& link);
  /// Memory requests to whoever claims the payload's address below a root port (root_complex_requests.cc); false:
  /// nobody does. It ends with a call of what on_request_ended() was given, with `cookie`. On the wheel.
  bool request(tlm::tlm_generic_payload& payload, const systemc::PcieAttributes& attributes, void* cookie);
  void on_request_ended(std::function<void(void* cookie)> ended) { request_ended_ = std::move(ended); }
  /// The SMMU behind the outputs [first, first + count).
  void attach(Smmu& smmu, unsigned first, unsigned count);

  /// The StreamID of a RID; empty: no row holds it.
  std::optional<StreamId> stream_of(std::uint16_t rid) const;
  const RootComplexCounters& counters() const { return counters_; }
  void resolved(std::uint64_t cookie, const RequestResult& result) override;
  /// Nothing is under way.
  bool idle() const;
  /// Empty, or a sentence about a sum that does not come out.
  std::string imbalance() const;

 private:
  struct Port;
  struct Output;
  /// One memory request on its way through an SMMU and back.
  struct Slot : EventNode {
    RootComplex* root = nullptr;
    Port* port = nullptr;
    Output* output = nullptr;
    Tlp* tlp = nullptr;
    systemc::AtInitiator::Access out;
    std::uint64_t epoch = 0;  // of a write: see Port
    std::vector<unsigned char> buffer;
    std::vector<unsigned char> enables;
    CplStatus error = CplStatus::SC;  // SC: none
    CompletionSplitter splitter;      // of a read
    TranslationEntry entry{};         // of a translation request
    Slot* next = nullptr;
  };
  struct Invalidation {
    Smmu* smmu = nullptr;
    std::uint32_t tag = 0;
    std::uint16_t rid = 0;
    unsigned itag = 0;
    unsigned received = 0;
  };

  bool is_due(Port& port, const Tlp& tlp);
  void send(Slot& slot);
  void serve(Port& port);
  bool handle(Port& port, Tlp& tlp);
  void refuse_fault(Port& port, Tlp& tlp, TlpFault fault);
  void refuse(Port& port, Tlp& tlp, CplStatus status);
  void drop(Port& port, Tlp& tlp);

  // Memory requests (root_complex.cc).
  bool handle_memory(Port& port, Tlp& tlp);
  void start(Port& port, Tlp& tlp, const RidMapRow& row);
  tlm::tlm_generic_payload& payload_of(Slot& slot, const RidMapRow& row);
  static ByteRange carry_atomic(const Tlp& tlp, tlm::tlm_generic_payload& payload);
  static void finish_atomic(Slot& slot, Outcome outcome);
  static void set_byte_enables(Slot& slot, tlm::tlm_generic_payload& payload, const ByteRange& bytes);
  static void answered(EventNode& node);
  void finish(Slot& slot);
  static void answer_translation(Slot& slot, const systemc::SmmuExtension& extension, DmaStatus status);
  void serve_completions(Port& port);
  Tlp& next_completion(Slot& slot);
  void release(Slot& slot);
  void end_write(Port& port, std::uint64_t epoch);
  void settle(Port& port);
  const RidMapRow* row_of(std::uint16_t rid) const;

  // What ports with a bridge do (root_complex_requests.cc).
  bool completion(Port& port, Tlp& tlp);
  static bool violates_acs(const Port& port, const Tlp& tlp);

  // Messages (root_complex_messages.cc).
  bool handle_message(Port& port, Tlp& tlp);
  void serve_messages(Port& port);
  void send_message(Port& port, Tlp& tlp);
  void invalidate(Smmu& smmu, const AtcInvalidate& message);
  void forget_lost(const Smmu& smmu, std::uint16_t rid, unsigned itag);
  void invalidation_answered(std::uint16_t rid, unsigned itag, unsigned count);
  void respond(Smmu& smmu, const PageResponse& message);
  bool offer_page_request(const Tlp& tlp);
  void wake_at(Port& port, Time when);
  static void wake(EventNode& node);
  std::optional<std::uint16_t> rid_of(const Smmu& smmu, StreamId stream) const;
  Port* port_of(std::uint16_t rid) const;

  systemc::Pump& pump_;
  Engine& engine_;
  TlpPool& pool_;
  RootComplexConfig config_;
  Scope scope_;
  systemc::PayloadPool payloads_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<Output>> outputs_;
  std::vector<Invalidation> invalidations_;
  std::function<void(void*)> request_ended_;
  RootComplexCounters counters_{};
};

}  // namespace smmusim::platform

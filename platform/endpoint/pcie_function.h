// SPDX-License-Identifier: MIT
// PcieFunction: one function of a PCIe device at the end of a link: its configuration space, its DMA engine, its ATC
// and its BARs. Accesses come as values from a bounded queue; they leave as TLPs of at most Max_Payload_Size or
// Max_Read_Request_Size that never cross 4 KiB, with tags and translations as far as there are any. What a device is
// for (a trace player, an NVMe controller) sits on top of it.
//
// With ATS enabled an access goes out translated (AT=10): from the ATC, or after a Translation Request; waiting for one
// does not hold up other accesses. A translation that lacks what the access needs becomes a Page Request if PRI is
// enabled, else the access fails. Interrupts, and all writes to the MSI doorbells, stay untranslated. After a Response
// Failure the function sends no more Page Requests and gives up those that are out, until software clears Response
// Failure in Page Request Status: by writing 1 to it, or by clearing Enable, setting Reset and setting Enable again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "model/sim/scope.h"
#include "platform/endpoint/atc.h"
#include "platform/endpoint/dma_work.h"
#include "platform/pcie/bar_handler.h"
#include "platform/pcie/function_config.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/tlp_link.h"

namespace smmusim::platform {

/// What limits the DMA engine beside the link: it works on one access after the other, and moves the data of each
/// between its own memory and the link.
struct DmaEngineConfig {
  Time write_interval_ps = 0;                      ///< from the start of a write to that of the next access, at least
  Time read_request_ps = 0, write_request_ps = 0;  ///< for each TLP of an access
  unsigned copy_gbps = 0;                          ///< 10^9 bits a second; 0: data move at once
  unsigned copy_bytes = 1;                         ///< unit in which data move; not 0

  bool limits() const {
    return write_interval_ps != 0 || read_request_ps != 0 || write_request_ps != 0 || copy_gbps != 0;
  }
};

struct PcieFunctionConfig {
  std::uint16_t requester_id = 0;
  unsigned outstanding = 64;                    ///< accesses under way at a time, writes until they are visible
  Time issue_interval_ps = 0;                   ///< least time between the starts of two accesses
  unsigned queue_max = 1024;                    ///< accesses waiting
  std::uint32_t transfer_bytes_max = 1U << 20;  ///< of one access
  unsigned tags = 256;                          ///< non-posted requests at a time: as many as Extended Tags allow
  Time request_ps = 0;                          ///< from the start of an access to its first TLP
  Time completion_ps = 0;                       ///< from a read's last completion to the end of the access
  DmaEngineConfig dma_engine{};
  AtcConfig atc{};
  unsigned translations = 32;   ///< Translation Requests at a time, 1 to 1024
  unsigned prefetch_pages = 0;  ///< pages after the one that missed which are asked for too
  Time invalidate_ps = 0;       ///< the ATC takes for an Invalidate Request
  /// Until a request whose completion has not come is given up (Completion Timeout, section 2.8): its access is
  /// aborted, its tag rests as long again, and what comes later is an Unexpected Completion. 0: never.
  Time completion_timeout_ps = 0;
  unsigned page_retries = 64;  ///< Page Requests for one access before it fails
  /// A broken device: it does what Invalidate Requests say and says nothing.
  bool never_completes_invalidations = false;
  std::uint64_t seed = 1;
  // Writes to [untranslated_base, + untranslated_bytes) never go out translated: the MSI doorbells.
  std::uint64_t untranslated_base = 0;
  std::uint64_t untranslated_bytes = 0;
};

struct FunctionCounters {
  std::uint64_t read_requests = 0;  ///< MRd TLPs, without Translation Requests
  std::uint64_t write_requests = 0;
  std::uint64_t atomic_requests = 0;
  std::uint64_t translation_requests = 0;     ///< sent, for accesses that missed
  std::uint64_t prefetches = 0;               ///< sent ahead of need
  std::uint64_t merged = 0;                   ///< misses that wait for a request already under way
  std::uint64_t translation_completions = 0;  ///< of every kind
  std::uint64_t translation_time = 0;         ///< ps, sum over the completions from sending on
  std::uint64_t stale_completions = 0;        ///< discarded: an invalidation had covered them
  std::uint64_t invalidate_requests = 0;
  std::uint64_t invalidate_completions = 0;
  std::uint64_t invalidate_unsupported = 0;  ///< refused while ATS was disabled
  std::uint64_t invalidate_ignored = 0;      ///< never to be completed
  std::uint64_t page_requests = 0;
  std::uint64_t page_responses = 0;
  std::uint64_t page_failures = 0;        ///< responses that were not Success
  std::uint64_t page_abandoned = 0;       ///< requests given up because another one's response was a failure
  Time page_time = 0;                     ///< ps, sum from Page Requests to their responses
  std::uint64_t stop_markers = 0;         ///< sent
  std::uint64_t no_permission = 0;        ///< accesses that failed because no translation permits them
  std::uint64_t unexpected = 0;           ///< completions and responses that nobody waits for, or that can't be
  std::uint64_t unsupported = 0;          ///< requests to this function that it refused
  std::uint64_t completion_timeouts = 0;  ///< requests that were given up
  std::uint64_t malformed = 0;            ///< requests and messages to this function that break a rule of TLPs

  FunctionCounters& operator+=(const FunctionCounters& other);
};

class PcieFunction final : public TlpLink::Port, public RequestWatcher {
 public:
  using Handler = std::function<void(const DmaCompletion&)>;

  /// Throws std::invalid_argument for a limit that is 0 or too large. The pool is the fabric's.
  PcieFunction(Engine& engine, TlpPool& pool, const PcieFunctionConfig& config, const FunctionDescription& description);
  ~PcieFunction() override;

  /// `link`'s downstream end becomes this function's.
  void connect(TlpLink& link);
  /// Called at each completion, on the wheel, in order of completion. It may push.
  void set_handler(Handler handler) { handler_ = std::move(handler); }
  void set_bars(BarHandler& handler) { bars_ = &handler; }

  /// Queues an access. False: the queue is full. Throws std::invalid_argument for a size that is 0 or above
  /// transfer_bytes_max. `data` (of a write, `work.size` bytes) is copied; without it the pattern of the tag goes out.
  bool push(const DmaWork& work, std::span<const unsigned char> data = {});
  /// Sends a Stop Marker for this PASID: no more requests with it will follow (PRI).
  void stop_pasid(std::uint32_t pasid);

  /// Nothing is queued or under way.
  bool idle() const;
  unsigned in_flight() const { return in_flight_; }
  std::size_t queue_space() const { return queue_.size() - queued_; }
  std::uint16_t requester_id() const { return config_.requester_id; }
  FunctionConfig& config_space() { return function_; }
  const FunctionConfig& config_space() const { return function_; }
  const DmaCounters& counters() const { return dma_; }
  const FunctionCounters& tlp_counters() const { return counters_; }
  const Atc& atc() const { return atc_; }
  /// Empty, or a sentence about a sum that does not come out (issued = completed + outstanding, and so on).
  std::string imbalance() const;

  void tlp_arrived(Tlp& tlp, TlpLink& link) override;
  void room_again(FlowClass flow_class, TlpLink& link) override;
  void resolved(std::uint64_t cookie, const RequestResult& result) override;

 private:
  struct Translation;

  /// One access under way.
  struct Access : EventNode {
    PcieFunction* function = nullptr;
    DmaWork work{};
    Time issued_at = 0;
    std::vector<unsigned char> buffer;
    std::uint32_t index = 0;
    std::uint16_t generation = 0;  // which of its uses it is
    std::uint32_t next = 0;        // first byte that is in no TLP yet
    std::uint32_t open = 0;        // TLPs that have not ended
    DmaStatus status = DmaStatus::ok;
    RequestResult result{};
    AtcUse atc = AtcUse::none;
    Time waits_since = 0;           // for a translation
    Time waited = 0;                // for translations, so far
    bool merged = false;            // the request it waits for was another's
    bool asks_alone = false;        // for its next part it must not merge
    std::optional<AtcEntry> grant;  // the answer it waited for, good for its next TLP
    unsigned page_requests = 0;
    Access* next_access = nullptr;  // in an AccessList
  };
  struct AccessList {
    Access* first = nullptr;
    Access* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Access& access);
    void push_front(Access& access);
    Access& pop();
  };
  /// A non-posted request under way, by its tag.
  struct Request {
    Access* access = nullptr;            // or
    Translation* translation = nullptr;  // whose it is; both null: the tag is free
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t received = 0;
    bool translated = false;
    AtcContext context{};
    std::uint64_t address = 0;     // untranslated
    std::uint32_t holds_back = 0;  // bit n: invalidations_[n] waits for it
    Time sent_at = 0;
  };
  /// A page whose translation is asked for.
  struct Translation {
    bool used = false;
    bool no_write = true;
    bool execute = false;
    AtcContext context{};
    std::uint64_t page = 0;
    Time sent_at = 0;
    AccessList waiters;
    std::vector<AtcRange> invalidated;  // while it was under way, of this context
  };
  /// A Page Request Group of one page; its index is the group's.
  struct PageWait {
    bool used = false;
    bool sent = false;
    bool write = false;
    bool execute = false;
    AtcContext context{};
    std::uint64_t page = 0;
    Time sent_at = 0;
    AccessList waiters;
  };
  struct Invalidation : EventNode {
    PcieFunction* function = nullptr;
    bool used = false;
    bool done = false;         // the ATC has dropped what it covers
    unsigned waits = 0;        // requests that still use what it covers
    std::uint16_t target = 0;  // of the completion
    unsigned itag = 0;
    AtcRange range{};
  };
  struct WorkNode : EventNode {
    PcieFunction* function = nullptr;
    bool waiting = false;
  };
  struct Queued {
    DmaWork work;
    std::vector<unsigned char> data;
  };
  static constexpr std::uint16_t ats_capability_id = 0x000f;
  static constexpr std::uint32_t translation_entry_bytes = 8;
  static constexpr unsigned page_bits_smallest = 12, page_groups = 512;

  /// Does `step`, then whatever has become possible; inside another turn that one goes on with it.
  template <class Step>
  void in_turn(Step step) {
    const bool outermost = !working_;
    working_ = true;
    step();
    if (!outermost) {
      again_ = true;
      return;
    }
    work();
    working_ = false;
  }

  // The DMA engine (pcie_function.cc).
  void work();
  void work_later(Time when);
  static void work_due(EventNode& node);
  bool start_access();
  void begin(Access& access, Queued& queued);
  bool may_do(const DmaWork& work) const;
  bool may_send(FlowClass flow_class) const;
  bool send_accesses(unsigned list, FlowClass flow_class);
  bool send_next(Access& access);
  std::uint32_t chunk_of(const Access& access) const;
  void put_address(Tlp& tlp, std::uint64_t address, std::uint32_t size) const;
  void send_request(Access& access, std::uint32_t size, std::uint64_t address, bool translated);
  void send_raw_translation_request(Access& access);
  void make_ready(Access& access);
  void lose_part(Access& access, DmaStatus status);
  void end_part(Access& access);
  Time copy_time(const DmaWork& work) const;
  Time dma_engine_time(const DmaWork& work) const;
  void finish(Access& access);
  std::uint16_t take_tag(const Request& request);
  void end_request(std::uint16_t tag);
  void forget_request(std::uint16_t tag);

  // ATS and PRI (pcie_function_ats.cc).
  enum class Way : std::uint8_t { untranslated, translated, waits };
  AtcContext context_of(const DmaWork& work) const;
  PasidPrefix prefix_of(const DmaWork& work) const;
  bool goes_untranslated(const Access& access, std::uint64_t address) const;
  Way translate(Access& access, std::uint64_t address, AtcEntry& entry);
  std::uint64_t unit_of(std::uint64_t address) const;
  Translation* request_for(const AtcContext& context, std::uint64_t page, bool write, bool execute);
  Translation* new_request(const AtcContext& context, std::uint64_t page, bool write, bool execute);
  void ask(Access& access);
  void ask_again(Access& access);
  void prefetch(const AtcContext& context, std::uint64_t page, bool write, bool execute);
  bool send_translations();
  void put_translation_request(Tlp& tlp, std::uint64_t page, bool no_write, const PasidPrefix& pasid) const;
  std::optional<AtcEntry> entry_of(const Tlp& tlp, const AtcContext& context, std::uint64_t page);
  void translation_completed(Translation& translation, const Tlp& tlp);
  void end_translation(Translation& translation, const std::optional<AtcEntry>& entry);
  void answer(Access& access, const std::optional<AtcEntry>& entry);
  void note_raw_translation(Access& access, const Tlp& tlp);
  void ask_for_page(Access& access);
  void page_response(const Tlp& tlp);
  bool answers(const PageWait& page, const PrgResponse& response) const;
  void fail_page(PageWait& page);
  void invalidate(Tlp& tlp);
  void begin_invalidation(Tlp& tlp);
  static void invalidation_due(EventNode& node);
  void drop_covered(Invalidation& invalidation);
  void drop_translations(const AtcRange& range);
  void ats_switched();

  // Messages out (pcie_function_ats.cc).
  bool has_messages() const {
    return !invalidation_order_.empty() || !unsent_pages_.empty() || !stop_markers_.empty() || !answers_.empty();
  }
  bool send_messages();
  bool send_invalidate_completions();
  bool send_page_requests();
  template <class Message>
  void send_message(const Message& message);

  // What arrives (pcie_function_receive.cc).
  void request_or_message(Tlp& tlp);
  void completion(const Tlp& tlp);
  bool take_data(Request& request, const Tlp& tlp);
  void watch_timeouts(Time when);
  static void timeouts_due(EventNode& node);
  void look_for_timeouts();
  void give_up(std::uint16_t tag);
  void bar_access(Tlp& tlp);
  std::vector<unsigned char> read_bar(const BarOffset& hit, const Tlp& tlp);
  void write_bar(const BarOffset& hit, const Tlp& tlp);
  void refuse(Tlp& tlp);
  void give_back(Tlp& tlp);

  Engine& engine_;
  TlpPool& pool_;
  PcieFunctionConfig config_;
  bool dma_engine_limits_;  // more than the issue interval does
  FunctionConfig function_;
  Atc atc_;
  TlpLink* link_ = nullptr;
  BarHandler* bars_ = nullptr;
  Handler handler_;
  Scope scope_;

  std::vector<Queued> queue_;  // a ring
  std::size_t head_ = 0, queued_ = 0;
  std::vector<std::unique_ptr<Access>> accesses_;
  std::vector<Access*> free_;
  AccessList ready_[2];  // posted, non-posted
  std::vector<Request> requests_;
  std::vector<std::uint16_t> free_tags_;
  unsigned tags_out_ = 0;
  struct RetiredTag {
    Time until;
    std::uint16_t tag;
  };
  std::deque<RetiredTag> retired_tags_;  // of requests that were given up

  std::vector<Translation> translations_;
  unsigned translations_out_ = 0;
  std::deque<Translation*> unsent_translations_;
  AccessList wait_translation_;  // no Translation was free
  std::size_t unasked_ = 0;      // how many those are
  std::vector<PageWait> pages_;
  std::deque<unsigned> unsent_pages_;
  AccessList wait_page_;  // no Page Request was allowed
  std::deque<std::uint32_t> stop_markers_;
  std::array<Invalidation, 32> invalidations_{};
  std::deque<unsigned> invalidation_order_;  // of those under way
  TlpQueue held_;                            // Invalidate Requests beyond the queue depth
  Time atc_busy_until_ = 0;
  TlpQueue answers_;  // completions of reads of BARs

  unsigned in_flight_ = 0;
  Time next_issue_ = 0;
  bool working_ = false;
  bool again_ = false;
  WorkNode work_node_, timeout_node_;
  DmaCounters dma_{};
  FunctionCounters counters_{};
};

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// PayloadRequester: accesses of generic payloads as memory requests from one end of a link, and their completions as
// the payloads' responses: cut at Max_Payload_Size, Max_Read_Request_Size and 4 KiB, with tags as far as there are any
// and a completion timeout (PCI Express Base sections 2.2.7, 2.2.9 and 2.8). Writes end when they are visible, or never
// will be; a device could not see that, its simulation does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tlm>
#include <vector>

#include "model/sim/scope.h"
#include "platform/pcie/request_watcher.h"
#include "platform/pcie/tlp_link.h"
#include "tlm/pcie_extension.h"

namespace smmusim::platform {

struct PayloadRequesterConfig {
  std::uint16_t requester_id = 0;
  unsigned tags = 256;                          ///< non-posted requests at a time, 1 to 1024
  Time completion_timeout_ps = 10'000'000'000;  ///< for each; 0: they wait for ever
};

/// What software has set, in bytes.
struct RequestLimits {
  unsigned payload = 128;
  unsigned read = 512;
};

struct RequesterCounters {
  std::uint64_t begun = 0;  ///< payloads
  std::uint64_t ended = 0;
  std::uint64_t read_requests = 0;  ///< TLPs, AtomicOps and Translation Requests among them
  std::uint64_t write_requests = 0;
  std::uint64_t timeouts = 0;
};

class PayloadRequester final : private RequestWatcher {
 public:
  /// Told once for each access, on the wheel; response status and data are the payload's.
  using Ended = std::function<void(void* cookie, systemc::PcieStatus status)>;

  /// Throws std::invalid_argument.
  PayloadRequester(Engine& engine, TlpPool& pool, const PayloadRequesterConfig& config, Ended ended);
  ~PayloadRequester() override;

  /// Where its TLPs leave. Arrivals and room_again() are the port's there, who passes them on.
  void connect(TlpLink& link, TlpLink::End end);

  /// What a payload is that cannot be memory requests; nothing: begin() may have it.
  static std::optional<tlm::tlm_response_status> refusal(const tlm::tlm_generic_payload& payload,
                                                         const systemc::PcieAttributes& attributes);
  /// Takes an access; never ends it inside the call. `cookie`: the owner's.
  void begin(tlm::tlm_generic_payload& payload, const systemc::PcieAttributes& attributes, const RequestLimits& limits,
             void* cookie);
  /// False: nobody here waits for this completion. The TLP stays the caller's.
  bool completion(const Tlp& tlp);
  void room_again();

  bool idle() const { return counters_.begun == counters_.ended; }
  const RequesterCounters& counters() const { return counters_; }
  /// Empty, or a sentence about a sum that does not come out.
  std::string imbalance() const;

 private:
  struct Access {
    tlm::tlm_generic_payload* payload = nullptr;
    systemc::PcieAttributes attributes{};
    RequestLimits limits{};
    void* cookie = nullptr;
    std::uint64_t order = 0;
    std::uint32_t index = 0;
    std::uint32_t next = 0;  // first byte that is in no TLP yet
    std::uint32_t open = 0;  // TLPs that have not ended
    systemc::PcieStatus status = systemc::PcieStatus::success;
  };
  /// A non-posted request under way, by its tag.
  struct Request {
    Access* access = nullptr;  // null: the tag is free
    std::uint32_t offset = 0, size = 0, received = 0;
    Time deadline = 0;
  };
  struct Wake : EventNode {
    PayloadRequester* requester = nullptr;
    bool set = false;
  };

  void resolved(std::uint64_t cookie, const RequestResult& result) override;
  void work();
  void work_later();
  bool may_send(const Access& access) const;
  void send(Access& access, std::uint32_t size);
  std::uint32_t next_size(const Access& access) const;
  static bool skip_disabled(Access& access);
  static bool is_posted(const Access& access);
  void take_data(Request& request, const Tlp& tlp);
  void end_request(std::uint16_t tag);
  void end_part(Access& access, systemc::PcieStatus status);
  void finish(Access& access);
  void watch_time();
  void time_out();

  Engine& engine_;
  TlpPool& pool_;
  PayloadRequesterConfig config_;
  Ended ended_;
  Scope scope_;
  TlpLink* link_ = nullptr;
  TlpLink::End end_ = TlpLink::downstream;
  std::vector<std::unique_ptr<Access>> accesses_;
  std::vector<Access*> free_;
  std::deque<Access*> posted_, non_posted_;  // have TLPs to send
  std::vector<Request> requests_;
  std::deque<std::uint16_t> free_tags_;  // the one that was used last comes last: late completions are nobody's
  std::vector<Access*> finished_;
  Wake later_, timer_;
  RequesterCounters counters_{};
};

}  // namespace smmusim::platform

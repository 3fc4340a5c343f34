// SPDX-License-Identifier: MIT
// PageRequests: what an operating system does with the PRI queue of one SMMU: a handler takes the entries one after the
// other; each page is then made present on its own, which takes time, and the last one of a group is answered with
// CMD_PRI_RESP (IHI 0070 chapter 8). Stop Markers are noted and not answered.
//
// Whether a page can be had, and mapping it, is the owner's. Nothing a device sends stops it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>

#include "model/sim/scope.h"
#include "model/sim/task.h"
#include "model/spec/pri.h"
#include "platform/driver/guest_driver.h"

namespace smmusim {

struct PageRequestTimes {
  Time request = 0;  ///< picoseconds for each entry of the queue, one after the other
  Time fault = 0;    ///< picoseconds until a page is there, each by itself
};

/// What the owner makes of a Page Request.
struct PageAnswer {
  spec::PriResp response = spec::PriResp::Success;
  bool with_pasid = false;  ///< the device wants to see the PASID in the response, if the request had one
};

struct PageRequestCounters {
  std::uint64_t taken = 0;  ///< entries of the queue
  std::uint64_t stop_markers = 0;
  std::uint64_t not_last = 0;   ///< requests that another one of their group follows
  std::uint64_t responses = 0;  ///< CMD_PRI_RESPs
  Time service_time = 0;        ///< picoseconds, sum from an entry's taking to the end of its CMD_PRI_RESP

  PageRequestCounters& operator+=(const PageRequestCounters& other);
};

class PageRequests {
 public:
  /// `resolve` is called when a page's time has come. `driver` outlives this.
  PageRequests(GuestDriver& driver, const PageRequestTimes& times,
               std::function<PageAnswer(const spec::PriEntry&)> resolve);

  /// The PRI queue has entries (its interrupt). On the wheel, or where the Engine may be entered.
  void interrupt();

  const PageRequestCounters& counters() const { return counters_; }
  Scope& scope() { return driver_.scope(); }
  /// Empty, or a sentence about a sum that does not come out. `written`: entries that the SMMU wrote.
  std::string imbalance(std::uint64_t written) const;

 private:
  using Group = std::tuple<std::uint32_t, bool, std::uint32_t, unsigned>;  // StreamID, SSV, SubstreamID, PRGIndex

  Task<> take_all();
  Task<> serve(spec::PriEntry entry);
  spec::PriResp response_of(const spec::PriEntry& entry, spec::PriResp answer);

  GuestDriver& driver_;
  PageRequestTimes times_;
  std::function<PageAnswer(const spec::PriEntry&)> resolve_;
  bool taking_ = false;
  std::map<Group, spec::PriResp> refused_;  // groups under way of which a page could not be had
  PageRequestCounters counters_{};
};

}  // namespace smmusim

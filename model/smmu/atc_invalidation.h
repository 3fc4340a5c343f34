// SPDX-License-Identifier: MIT
// AtcInvalidations: ATS Invalidate Requests on their way (IHI 0070 sections 3.9.1.4, 3.9.1.5 and 4.5.1). Each is
// outstanding until the device answers or the time-out passes; a CMD_SYNC waits for all of them, and fails if one has
// timed out. An untimed machine has no time to wait, unless its devices answer by the Engine: what is not answered
// when the CMD_SYNC comes has timed out, and tags with the same low five bits may then be outstanding together, because
// more than 32 may.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "model/sim/resources.h"
#include "model/sim/task.h"
#include "model/smmu/ats_messages.h"
#include "model/spec/command.h"

namespace smmusim {

struct Core;

class AtcInvalidations {
 public:
  explicit AtcInvalidations(Core& core);

  using Send = std::function<void(const AtcInvalidate&)>;
  /// Where requests go. Without it no device can do ATS, and CMD_ATC_INV does nothing (section 4.5).
  /// `later`: even an untimed machine waits for answers, which come by the Engine.
  void set_send(Send send, bool later) {
    send_ = std::move(send);
    later_ = later;
  }

  /// CMD_ATC_INV. Waits only while as many as there can be are outstanding.
  Task<> issue(spec::Command& command);
  /// The device has answered, with a completion or with UR: both complete it. Unknown tags are ignored.
  void completed(std::uint32_t tag);

  /// Nothing that settle() would have to tell.
  bool settled() const { return outstanding_.empty() && !failed_; }
  /// For CMD_SYNC: waits until nothing is outstanding. False if any has timed out since this was asked last.
  Task<bool> settle();

  void reset();
  Scope& scope();

 private:
  struct Outstanding {
    std::uint32_t tag;
    Time deadline;
  };
  /// Wakes whoever waits when the oldest request may have timed out.
  struct Timer : EventNode {
    AtcInvalidations* owner = nullptr;
  };
  bool ignored(const spec::Command& command) const;
  bool waits() const;
  std::size_t outstanding_max() const;
  std::uint32_t unused_tag();
  void send(const spec::Command& command);
  void drop_expired();
  /// Waits until an answer comes or the oldest request times out.
  Task<> change();
  void disarm();

  Core& core_;
  Send send_;
  std::vector<Outstanding> outstanding_;  // the oldest first; all have the same time-out
  Gate changed_;
  Timer timer_;
  bool armed_ = false;
  bool failed_ = false;
  bool later_ = false;
  std::uint32_t next_tag_ = 0;
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// The PRI queue (IHI 0070 chapter 8): Page Request Messages become 16-byte entries, one at a time and in order; PROD
// moves when an entry is visible. What can't be queued gets an automatic response, or none where the chapter says so.
// The SMMU keeps no account of Page Request Groups.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "model/sim/task.h"
#include "model/smmu/ats_messages.h"
#include "model/spec/command.h"

namespace smmusim {

struct Core;

class PriQueue {
 public:
  explicit PriQueue(Core& core) : core_(core) {}

  using Send = std::function<void(const PageResponse&)>;
  /// Where responses go. Without it no device can do PRI, and CMD_PRI_RESP does nothing (section 4.5).
  void set_send(Send send) { send_ = std::move(send); }

  /// Takes a message from a device. False: not taken, because as many as may wait are waiting.
  bool receive(const PageRequest& request);
  /// Untimed, a message that comes while a response goes out waits until somebody else calls the SMMU: a device that
  /// asks again at once would otherwise never return from its own answer.
  void resume() {
    if (!writing_ && !messages_.empty()) start();
  }
  static constexpr std::size_t waiting_max = 1024;
  /// CMD_PRI_RESP.
  void respond(const spec::Command& command);
  /// True while messages are on their way.
  bool busy() const { return writing_; }
  /// PRIQEN, or SMMUEN, falls: the messages that are here now are dealt with before that is acknowledged; those that
  /// devices go on sending are not waited for.
  void disabling() { owed_ = messages_.size() + (writing_ ? 1 : 0); }
  bool owes() const { return writing_ && owed_ != 0; }
  void reset();
  Scope& scope();

 private:
  void start();
  Task<> drain();
  Task<> process(PageRequest request);
  Task<> write(PageRequest request);
  /// The message finds the queue in overflow.
  Task<> discard(PageRequest request);
  /// What STE.PPAR says about automatic responses to this stream, or that it can't be asked.
  enum class Pasid : std::uint8_t { without, with, unknown };
  Task<Pasid> pasid_of_response(PageRequest request);
  bool overflowing() const;
  Task<> send(PageRequest request, PageResponseCode code, bool with_pasid);

  Core& core_;
  Send send_;
  std::deque<PageRequest> messages_;
  bool writing_ = false;
  std::size_t owed_ = 0;  ///< of the messages here, those that came before disabling()
};

}  // namespace smmusim

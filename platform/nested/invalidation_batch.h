// SPDX-License-Identifier: MIT
// InvalidationBatch: the guest's invalidations on their way to the host, in order, one call for as many as the limit
// allows. A host may take a part of a call only. Up to Linux 7.3 it then says which command it did not like, but has
// not issued what came before that in its batch of 63; later it says how many whole batches it has done. Either way the
// commands of the batch are sent again one by one until the one that is refused has shown itself: to invalidate twice
// is harmless, not to invalidate is not.
#pragma once

#include <cstdint>
#include <vector>

#include "model/spec/codes.h"
#include "model/spec/command.h"
#include "platform/host/iommufd.h"

namespace smmusim::nested {

struct BatchCounters {
  std::uint64_t commands = 0;  ///< taken in
  std::uint64_t calls = 0;     ///< of IOMMU_HWPT_INVALIDATE, failed ones and repetitions included
  std::uint64_t refused = 0;   ///< commands that the host did not take at all
  std::uint64_t failures = 0;  ///< calls that failed for another reason; their commands stay
};

class InvalidationBatch {
 public:
  explicit InvalidationBatch(unsigned limit) : limit_(limit) {}

  /// Where to; null: nowhere, and commands are dropped.
  void set_viommu(host::ViommuPtr viommu) { viommu_ = std::move(viommu); }

  /// Takes a command (guest_words.h). Sends what there is before if it fills a call. CERROR_ILL: that failed, and the
  /// command was not taken.
  spec::CommandError add(const spec::Command& command);
  /// Sends everything. CERROR_ILL: the host refused a command, which is gone; or a call failed, and what it had not
  /// done stays for the next time.
  spec::CommandError flush();
  /// Forgets what was not sent and names this stream.
  void forget(StreamId stream);
  /// Forgets what was not sent.
  void clear() {
    pending_.clear();
    owes_error_ = false;
  }

  std::size_t pending() const { return pending_.size(); }
  const BatchCounters& counters() const { return counters_; }

 private:
  enum class Sent : std::uint8_t { all, refused_one, failed };
  Sent send(std::size_t count);
  Sent send_singly(std::size_t count);
  host::Invalidation call(std::size_t count);
  void drop(std::size_t count);

  host::ViommuPtr viommu_;
  unsigned limit_;
  bool owes_error_ = false;  ///< add() has met a refused command, of which the next flush() tells
  std::vector<spec::Command> pending_;
  BatchCounters counters_{};
};

}  // namespace smmusim::nested

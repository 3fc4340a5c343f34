// SPDX-License-Identifier: MIT
// Accelerator: whoever carries out, beside this SMMU, what the guest asks of it for some of its streams: the vSMMU of
// accelerated nested mode, whose devices do their DMA through another SMMU. The SMMU decides what the guest's
// registers, stream table and commands mean (section 4.3 on emulation: "re-shadow"); the Accelerator makes it so. Calls
// come from within register writes and commands, and answer at once; work that then goes on is what settled() tells of.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "model/base/types.h"
#include "model/smmu/transaction.h"
#include "model/spec/codes.h"
#include "model/spec/command.h"
#include "model/spec/event.h"

namespace smmusim {

enum class StreamConduct : std::uint8_t {
  abort,   ///< silently
  bypass,  ///< no stage translates
  stage1,
  fault,  ///< each access is terminated with an event
};

/// What a stream is to do, as SMMUEN, GBPA and its STE say.
struct StreamSetting {
  StreamConduct conduct = StreamConduct::abort;
  spec::EventType event{};             ///< of conduct fault: C_BAD_STREAMID, F_STE_FETCH or C_BAD_STE
  std::uint64_t fetch_address = 0;     ///< of F_STE_FETCH
  std::array<std::uint64_t, 2> ste{};  ///< of conduct stage1: doublewords 0 and 1, as in memory
  friend bool operator==(const StreamSetting&, const StreamSetting&) = default;
};

class Accelerator {
 public:
  virtual ~Accelerator() = default;

  /// The streams it is there for, ascending. May change between calls from within the SMMU.
  virtual std::span<const StreamId> streams() const = 0;
  /// The stream's STE was looked at, because of `by_command` (CMD_CFGI_STE and its ranges) or since SMMUEN is 1 now.
  /// False: that could not be done; of a command it becomes CERROR_ILL.
  virtual bool configure(StreamId stream, const StreamSetting& setting, bool by_command) = 0;
  /// SMMUEN is 0: all streams abort, or bypass, as GBPA.ABORT says.
  virtual void disable(bool abort) = 0;
  /// A legal CMD_TLBI_*, CMD_CFGI_CD, CMD_CFGI_CD_ALL or CMD_ATC_INV. Anything but CERROR_NONE stops the queue at it.
  virtual spec::CommandError forward(const spec::Command& command) = 0;
  /// A CMD_SYNC: what was forwarded has to take effect before it completes. As forward().
  virtual spec::CommandError synchronise() = 0;
  /// False while the work of calls up to now goes on; CMD_SYNC and updates of CR0.SMMUEN and GBPA complete after it.
  /// Smmu::accelerator_progressed() says that it may have become true.
  virtual bool settled() const = 0;
};

}  // namespace smmusim

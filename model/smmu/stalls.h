// SPDX-License-Identifier: MIT
// Stalls: transactions whose translation-related fault stalls them (IHI 0070 sections 3.12.2, 4.7.1, 4.7.2 and 7.2.1).
// Each recorded stall has a STAG, which is busy until CMD_RESUME, CMD_STALL_TERM or the end of SMMUEN gives it back.
//
// Choices that the architecture leaves open: there is no early retry; a stall that cannot be recorded (no STAG is free,
// or the Event queue takes no record) is retried as though it had just arrived when that may have changed; a
// stall that an earlier one of the same page stands for has no record and is retried when that one is acknowledged.
//
// What a fault is, and whether it stalls, is faults.cc's business.
#pragma once

#include <cstdint>
#include <vector>

#include "model/sim/resources.h"
#include "model/smmu/transaction.h"

namespace smmusim {

struct Core;

/// What ends a stall.
enum class Resolution : std::uint8_t { retry, abort, raz_wi };

class Stalls {
 public:
  explicit Stalls(Core& core);

  /// What two stalls must have in common for one record to stand for both (section 3.12.2.1).
  struct Access {
    std::uint32_t stream = 0;
    std::uint32_t substream = 0;
    bool substream_valid = false;
    bool privileged = false;
    bool instruction = false;
    AccessType type = AccessType::read;
    std::uint64_t page = 0;  ///< input address, 4 KiB
    friend bool operator==(const Access&, const Access&) = default;
  };
  /// Takes a STAG for a stall that is about to be recorded: no_stag if it is not to be, see above. `awaited`: the
  /// transaction will be parked.
  std::uint16_t enter(const Transaction& transaction, bool awaited);
  /// The Event queue could not take the record of this STAG after all: the transaction will be retried.
  void not_recorded(std::uint16_t stag);

  /// `Resolution end = co_await stalls.park(transaction, stag)` for a transaction that has stalled: waits for its end.
  struct Parked : Resumption {
    Stalls* stalls = nullptr;
    Access access{};
    std::uint16_t stag = no_stag;
    unsigned era = 0;
    Resolution resolution = Resolution::retry;
    bool await_ready() { return stalls->over_already(*this); }
    void await_suspend(std::coroutine_handle<> caller) {
      resumes(caller);
      stalls->place(*this);
    }
    Resolution await_resume() const { return resolution; }
  };
  Parked park(const Transaction& transaction, std::uint16_t stag, unsigned era);
  /// Changes when SMMUEN becomes 0: what has stalled in an earlier era, and was not answered, ends in an abort.
  unsigned era() const { return era_; }

  /// CMD_RESUME: ends the stall of exactly this stream and STAG, if there is one.
  void resume(StreamId stream, std::uint16_t stag, Resolution resolution);
  /// CMD_STALL_TERM: every stall of the stream ends in an abort.
  void terminate(StreamId stream);
  /// SMMUEN has become 0: every stall ends in an abort.
  void terminate_all();
  /// A record can be written again, perhaps: retries what could not be recorded.
  void look_again();

  /// True if no client waits for the end of a stall.
  bool idle() const;
  void reset();

 private:
  /// One STAG. Its transaction is `coming` from the fault until it is parked; `over` if it is resolved in between.
  enum class State : std::uint8_t { free, coming, over, parked, detached };
  struct Entry {
    State state = State::free;
    Resolution resolution = Resolution::retry;  ///< if over
    Parked* transaction = nullptr;              ///< if parked
    Access access{};
    EventList suppressed;  ///< Parked ones that this one's record stands for
    bool stalled() const { return state != State::free && state != State::over; }
  };

  static Access access_of(const Transaction& transaction);
  bool over_already(Parked& parked);
  void place(Parked& parked);
  Entry* entry_with(std::uint16_t stag, const Access& access);
  Entry* standing_for(const Access& access);
  bool can_record() const;
  void wake(Parked& parked, Resolution resolution);
  void end(Entry& entry, Resolution own, Resolution others);
  template <class Which>
  void end_all(Which which);

  Core& core_;
  std::vector<Entry> entries_;  // by STAG, IDR5.STALL_MAX of them
  std::size_t next_ = 0;        // where the search for a free STAG begins: none is reused at once
  std::size_t busy_ = 0;
  unsigned era_ = 0;
  EventList unrecorded_;
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Smmu: one SMMUv3, the whole of it. Registers in, transactions in, memory accesses and interrupts out.
//
// Everything it needs is given to the constructor; it has no global state, prints nothing and lets no exception out
// but InternalError. Not thread-safe: the owner serialises calls (one mutex around all of them is enough).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "model/smmu/ats_messages.h"
#include "model/smmu/config.h"
#include "model/smmu/counters.h"
#include "model/smmu/observer.h"
#include "model/smmu/transaction.h"
#include "model/spec/event.h"

namespace smmusim {

class Accelerator;
class Engine;
class MemoryPort;
struct Core;
struct Grant;

/// The wired interrupt outputs (section 3.18): each is a pulse on the rising edge.
enum class Wire : std::uint8_t { event_queue, pri_queue, command_sync, global_error, sev };
inline constexpr unsigned wires = 5;

class Smmu {
 public:
  /// `observer` may be null. `debug_memory`, used by accesses with debug_effects, must answer at once; null means
  /// that `memory` does. Throws std::invalid_argument for a configuration that can't be built.
  Smmu(Engine& engine, MemoryPort& memory, Observer* observer, const SmmuConfig& config,
       MemoryPort* debug_memory = nullptr);
  ~Smmu();
  Smmu(const Smmu&) = delete;
  Smmu& operator=(const Smmu&) = delete;

  /// The power-on state (section 3.11), at any instant: walks and commands under way vanish, requests that were
  /// submitted and not answered get an abort.
  void reset();

  /// Reads `size` (4 or 8) bytes of the register frame at `offset` (section 6.2). Anything but an aligned access of
  /// the register's width reads as zero; so do undefined offsets.
  std::uint64_t read_register(std::uint32_t offset, unsigned size);
  /// Writes likewise; ignored where the register, or its guard, does not let it.
  void write_register(std::uint32_t offset, std::uint64_t value, unsigned size);

  /// Takes a transaction at TBU `tbu`. True: request.response is set already. False: it will be, and the request is
  /// then posted to the Engine. A client that waits for memory afterwards calls retire() when its access is
  /// globally visible; CMD_SYNC waits for that (section 4.7).
  bool submit(unsigned tbu, TranslationRequest& request);
  void retire(TranslationRequest& request);

  /// Answers at once, as submit() and retire() together: the untimed use, and with debug_effects also a timed one.
  /// Needs a memory port that answers at once, which may itself call this, and submit(), from inside a write of a
  /// record or of an MSI: records of such accesses follow when the write is over.
  Response translate(unsigned tbu, const Transaction& transaction, Effects effects = ordinary_effects);

  /// The page around the transaction's address that its client may access directly from now on (grants.h): what the
  /// translation permits to that transaction. Empty if the access would not proceed, if it may not be granted (timed,
  /// observed, ATS), or for a write that could still change dirty state or the access flag. Changes nothing else.
  std::optional<Grant> grant(unsigned tbu, const Transaction& transaction);
  /// False if grant() never gives anything.
  bool grants_possible() const;
  /// `revoke` is called, from within the command, register write or reset that ends them, when grants were given: all
  /// of them are then void.
  void on_revoke(std::function<void()> revoke);

  /// The messages of ATS and PRI (ats_messages.h). Without a receiver no device can do ATS, or PRI, and the commands do
  /// nothing (section 4.5). A receiver may answer and write registers from within the call, but not reset the SMMU.
  /// An untimed SMMU takes what is not answered from within the call for lost, unless devices `answer_later`, by events
  /// of the Engine.
  void on_atc_invalidate(std::function<void(const AtcInvalidate&)> receiver, bool answer_later = false);
  void on_page_response(std::function<void(const PageResponse&)> receiver);
  /// A device has answered the invalidation with this tag: with a completion, or with UR.
  void atc_invalidation_completed(std::uint32_t tag);
  /// False: not taken, for want of room; the link has to offer it again. Untimed, what a device sends from within
  /// on_page_response waits for the next call of page_request(), submit() or write_register().
  bool page_request(const PageRequest& request);

  /// What the guest does with the streams of `accelerator` is told to it from now on (accelerator.h), beginning with
  /// what the registers say now; null: to nobody. STEs are read as debug accesses read. It outlives this SMMU, or is
  /// taken away before.
  void accelerate(Accelerator* accelerator);
  /// Accelerator::settled() may have become true.
  void accelerator_progressed();
  /// An event of the accelerator's streams: into the Event queue, as if it had happened here. C_BAD_STREAMID counts
  /// only with CR2.RECINVSID.
  void record_event(const spec::Event& event);
  /// The accelerator has lost such events: shown as an overflow of the Event queue (section 7.4).
  void events_lost();

  /// Which wires have pulsed since the last call, bit n for Wire n.
  unsigned take_interrupts();
  /// What take_interrupts() would give, now and later.
  const unsigned& waiting_interrupts() const;

  const SmmuConfig& config() const;
  bool observed() const;  ///< there is an Observer
  const SmmuCounters& counters() const;
  CacheCounters cache_counters(CacheId cache) const;  ///< of all TBUs together for micro_tlb and stream_cache
  void reset_counters();
  /// True if no transaction, walk, command or event is under way.
  bool idle() const;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace smmusim

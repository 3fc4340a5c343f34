// SPDX-License-Identifier: MIT
// Core: the parts of one SMMU, put together. Every part holds a reference to it and reaches the others through it.
// A file of chapter-sized behaviour owns each part; this one only says what there is.
#pragma once

#include <memory>
#include <vector>

#include "model/sim/memory_port.h"
#include "model/sim/scope.h"
#include "model/smmu/atc_invalidation.h"
#include "model/smmu/command_queue.h"
#include "model/smmu/config.h"
#include "model/smmu/counters.h"
#include "model/smmu/event_queue.h"
#include "model/smmu/grants.h"
#include "model/smmu/in_flight.h"
#include "model/smmu/interrupts.h"
#include "model/smmu/kept_contexts.h"
#include "model/smmu/observer.h"
#include "model/smmu/pri_queue.h"
#include "model/smmu/registers.h"
#include "model/smmu/stalls.h"
#include "model/smmu/stream_context.h"
#include "model/smmu/tbu.h"
#include "model/smmu/tlb.h"

namespace smmusim {

/// The Translation Control Unit's caches and units.
struct Tcu {
  Tcu(Scope& scope, const SmmuConfig& config);

  StreamCache config_cache;
  TranslationCache tlb;
  TranslationCache walk_cache;  ///< tables of both stages
  TranslationCache ipa_cache;   ///< leaves of stage 2, for walks of nested streams
  Slots walkers;
  Gate walk_done;              ///< a walk or configuration fetch has ended: whoever waits for its result looks again
  InFlight in_flight;          ///< translations in the TCU, which invalidations must not be overtaken by
  KeptContexts kept_contexts;  ///< of translations that wait
};

class Accelerator;

struct Core {
  Core(Engine& engine, MemoryPort& memory_port, MemoryPort* debug_port, Observer* watcher, const SmmuConfig& cfg);

  Scope& scope() { return lifetime; }
  MemoryAttributes table_attributes() const;          ///< CR1.TABLE_*, STRTAB_BASE.RA (6.3.11, 6.3.24)
  MemoryAttributes command_queue_attributes() const;  ///< CR1.QUEUE_*, CMDQ_BASE.RA
  /// CR1.QUEUE_*, and WA of `base`, which is EVENTQ_BASE or PRIQ_BASE.
  MemoryAttributes output_queue_attributes(std::uint64_t base) const;

  const SmmuConfig config;
  const spec::IdRegisters ids;
  const std::uint64_t beyond_oas;  ///< address bits that a physical address doesn't have
  const bool shows_access;         ///< INST and PRIV of client accesses go out (up to v3.3, section 13.1.2)
  const Clock clock;
  const Time lookup_time;  ///< configuration cache and TLB of the TCU
  const Time walk_cache_time;
  const Time ipa_cache_time;
  const Time walk_step_time;
  Scope lifetime;
  MemoryPort& memory;
  MemoryPort& debug_memory;  ///< answers at once, also in a timed model
  Observer* observer;
  Accelerator* accelerator = nullptr;
  RegisterFile regs;
  MpamIds own_mpam;     ///< GMPAM: of the accesses that no STE labels
  MpamIds bypass_mpam;  ///< GBPMPAM
  SmmuCounters counters;

  Interrupts interrupts;
  EventQueue event_queue;
  PriQueue pri_queue;
  AtcInvalidations atc_invalidations;
  CommandQueue command_queue;
  Tcu tcu;
  std::vector<std::unique_ptr<Tbu>> tbus;
  Stalls stalls;
  Requests requests;
  Grants grants;
  Gate accelerator_progress;
};

inline void tell(const Core& core, Step step, std::uint64_t a = 0, std::uint64_t b = 0) {
  if (core.observer != nullptr) [[unlikely]]
    core.observer->step(step, a, b);
}

/// Counts an answer and shows it to the Observer.
inline void count_response(Core& core, const Transaction& transaction, const Response& response) {
  ++core.counters.transactions;
  if (response.outcome != Outcome::proceed) [[unlikely]] {
    core.counters.aborts += response.outcome == Outcome::abort ? 1 : 0;
    core.counters.raz_wi += response.outcome == Outcome::raz_wi ? 1 : 0;
    core.counters.translation_requests += response.outcome == Outcome::ats_completion ? 1 : 0;
  }
  if (core.observer != nullptr) [[unlikely]]
    core.observer->response(transaction, response);
}

/// Lets CR0ACK follow CR0 as far as work under way allows (section 6.3.9).
void update_cr0ack(Core& core);
/// A translation leaves the TCU, whose token it gives back; SMMUEN's Update may have waited for it.
void end_in_tcu(Core& core, InFlight::Token token);

/// Removes what `what` names from every cache, and keeps translations under way from putting it back.
void invalidate(Core& core, const TlbInvalidation& what);
void invalidate(Core& core, const ConfigInvalidation& what);

}  // namespace smmusim

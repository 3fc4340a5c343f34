// SPDX-License-Identifier: MIT
// The translation text (IHI 0070 chapters 3.3, 3.4 and 15), once for every use: untimed and timed, ordinary traffic,
// prefetch, debug. A use differs only in its Effects and in the ports behind it.
//
// consult() is everything that needs no memory access: a hit is one plain function call. What it can't answer goes on
// in the coroutines below it.
#pragma once

#include <cstdint>
#include <optional>

#include "model/sim/task.h"
#include "model/smmu/in_flight.h"
#include "model/smmu/own_access.h"
#include "model/smmu/transaction.h"
#include "model/spec/ste.h"
#include "model/vmsa/attributes.h"
#include "model/vmsa/permissions.h"
#include "model/vmsa/s2_walk.h"

namespace smmusim {

struct Core;
struct LeafUse;
struct TTWState;
class Tbu;
template <class Params>
class TableWalk;

/// Why a translation failed, in the words of the event that it may become.
struct Fault {
  spec::EventType type{};
  spec::EventClass klass = spec::EventClass::IN;
  bool stage2 = false;
  bool terminate_always = false;    ///< not subject to A, R, S (F_ADDR_SIZE of a bypass)
  bool read_failed = false;         ///< atomic: the write was permitted, the read was not
  bool table_write = false;         ///< of a stage-2 fault with CLASS=TT: the update of a descriptor, not its fetch
  std::uint64_t fetch_address = 0;  ///< of F_STE_FETCH, F_CD_FETCH, F_WALK_EABT
  std::uint64_t ipa = 0;            ///< of stage-2 faults
};

/// What consult() asks and finds. The untimed path keeps it in registers: nobody may hold a pointer to it.
struct Consultation {
  Consultation(const Transaction& t, Response& r, bool use)
      : transaction(t), response(r), count_config(use), count_tlb(use) {}

  const Transaction& transaction;
  Response& response;
  bool count_config;  ///< the next configuration lookup is a use: it counts and touches
  bool count_tlb;
  bool privileged = false;  ///< after the STE's overrides
  bool instruction = false;
  std::uint64_t canonical = 0;             ///< input address of the first stage, tag byte resolved
  const StreamContext* context = nullptr;  ///< in a cache until the next co_await, or kept
  const TlbEntry* leaf = nullptr;          ///< likewise, or own_leaf
  Fault fault{};

  bool failed() const { return fault.type != spec::EventType{}; }
};

/// One translation under way. Lives in its server's frame; everything in it is a plain value.
struct TranslationOp : Consultation {
  TranslationOp(Core& core, const Consultation& start, Effects e, MemoryPort& p, bool is_timed)
      : Consultation(start),
        effects(e),
        port(&p),
        timed(is_timed),
        overtakable(is_timed && e.fill),
        descriptor_read(own_read(core, p, Purpose::TTD, Pa(), nullptr, 8, {})),
        kept_context(core.tcu.kept_contexts) {
    descriptor_read.own_time = is_timed ? core.walk_step_time : 0;
  }

  Effects effects;
  MemoryPort* port;
  bool timed;             ///< waits cost time
  bool parks = false;     ///< its client waits for the end of a stall
  bool ste_only = false;  ///< only the STE is wanted, whatever it says (PRI overflow)
  bool overtakable;       ///< others may invalidate, or fetch the same, meanwhile: it holds a Token
  InFlight::Token token{};
  OwnAccess descriptor_read;  ///< of the walk under way
  ReadWindow window{};        ///< untimed and unobserved: where the last descriptor lay
  KeptContexts::Holder kept_context;
  std::optional<TlbEntry> own_leaf;
  TlbEntry stage2_leaf{};                    ///< of the last IPA that translate_ipa() was asked for
  std::optional<StreamContext> own_context;  ///< what fetch_configuration() has found

  /// Where translate_ipa() has put `ipa`.
  std::uint64_t stage2_output(std::uint64_t ipa) const { return stage2_leaf.pa.value + (ipa - stage2_leaf.va_page); }

  /// Copies the context out of its cache, so that it survives a co_await.
  void keep_context() {
    if (context == kept_context.get() || (own_context && context == &*own_context)) return;
    kept_context.keep(*context);
    context = kept_context.get();
  }
  void keep_leaf() {
    if (leaf == nullptr || (own_leaf && leaf == &*own_leaf)) return;
    own_leaf = *leaf;
    leaf = &*own_leaf;
  }
};

enum class Progress : std::uint8_t {
  answered,             ///< op.response is complete
  faulted,              ///< op.fault says why; report_fault() completes the response
  needs_configuration,  ///< no context in this stream cache
  needs_walk,           ///< no leaf in this TLB; op.context and op.canonical are set
};

/// Registers, the stream's configuration, input checks and TLB, with these caches.
Progress consult(Core& core, Consultation& op, StreamCache& streams, TranslationCache& translations);

/// Whether what `op` found may be cached, or an invalidation has overtaken it.
template <class Found>
bool may_fill(const InFlight& in_flight, const TranslationOp& op, const Found& found) {
  return op.effects.fill && (!op.overtakable || in_flight.may_fill(op.token, found));
}

/// The TCU's part: its caches (whose Core::lookup_time the caller has waited), then memory. Ends with op.response
/// complete and every event recorded; a fault that is in op already is only recorded. An overtakable op holds a Token
/// of the TCU's InFlight meanwhile.
Task<> translate_in_tcu(Core& core, TranslationOp& op);

/// An ordinary access of a client that waits for the end of a stall, untimed and not counted.
Response translate_now(Core& core, Tbu& tbu, const Transaction& transaction);

/// The STE of the op's stream (config_fetch.cc), or op.fault. Reads through op.port.
Task<> fetch_ste(Core& core, TranslationOp& op, spec::Ste& ste);
/// STE and CD of the op's stream (config_fetch.cc): op.own_context, or op.fault.
Task<> fetch_configuration(Core& core, TranslationOp& op);
/// Every stage that op.context has (walk.cc), for op.canonical: op.own_leaf, or op.fault.
Task<> walk(Core& core, TranslationOp& op);
/// To be called when walk(), which began at `begin`, has ended: caches what it found and counts its time.
void conclude_walk(Core& core, const TranslationOp& op, Time begin);
/// Stage 2 of op.context (walk_stage2.cc) for the SMMU's own read of `ipa` (CD, TT), or for the access itself (IN):
/// `IpaTranslation stage2(core, op, ipa, klass); co_await stage2;` gives op.stage2_leaf or op.fault. It is named, not a
/// temporary, because of toolchain fact 2. Untimed it is a plain call: a nested walk has a dozen of them.
class IpaTranslation {
 public:
  /// `writes`: for the update of a stage-1 descriptor, not its fetch (section 3.13.5).
  IpaTranslation(Core& core, TranslationOp& op, std::uint64_t ipa, spec::EventClass klass, bool writes = false)
      : core_(core), op_(op), ipa_(ipa), klass_(klass), writes_(writes) {}
  bool await_ready() {
    if (op_.timed) return false;
    translate_at_once();
    return true;
  }
  bool await_suspend(std::coroutine_handle<> caller) {
    waiting_.emplace(translate_in_time(core_, *this));
    return waiting_->await_suspend(caller);
  }
  void await_resume() const {
    if (waiting_) waiting_->await_resume();
  }

 private:
  void translate_at_once();
  static Task<> translate_in_time(Core& core, IpaTranslation& self);
  bool enter();
  bool look_up();
  void conclude(TableWalk<S2TTWParams>& walk);
  void check();
  bool own_access_permitted(std::uint8_t granted) const;
  bool writes() const;
  LeafUse use_of(const TTWState& leaf) const;
  void fail(spec::EventType type);

  Core& core_;
  TranslationOp& op_;
  std::uint64_t ipa_;
  spec::EventClass klass_;
  bool writes_;
  std::optional<Task<>> waiting_;
};
/// Outcome and event record of op.fault (faults.cc; sections 3.12 and 7.3).
Task<> report_fault(Core& core, TranslationOp& op);
/// The record of an event that an Accelerator brings, if the registers want it recorded.
Task<> record_foreign(Core& core, spec::Event event);

/// op.privileged and op.instruction: as presented, or as PRIVCFG and INSTCFG say (section 13.5; 0 and 1 keep what
/// came). Writes and prefetches of directed caches are data whatever they say (13.1.4).
void override_permissions(const Core& core, Consultation& op, const AttributeOverrides& overrides);

/// The part of `granted` that op's access needs and does not have, as `read` and `write`.
struct Denied {
  bool read;
  bool write;
  explicit operator bool() const { return read || write; }
};
/// Inline always, for it is what a hit asks: a call would need `op` in memory.
[[gnu::always_inline]] inline Denied denied(const Consultation& op, std::uint8_t granted) {
  using namespace permission;
  if (op.transaction.operation == Operation::prefetch) {  // needs any permission at all (section 3.22.2)
    const bool none =
        (granted & (read_bit(op.privileged) | write_bit(op.privileged) | execute_bit(op.privileged))) == 0;
    return {none, none};
  }
  const AccessType access = op.transaction.access;
  const std::uint8_t readable = op.instruction ? execute_bit(op.privileged) : read_bit(op.privileged);
  return {access != AccessType::write && (granted & readable) == 0,
          access != AccessType::read && (granted & write_bit(op.privileged)) == 0};
}

/// What op's access does with a leaf that grants `granted`, and `gain` more once it is dirty.
LeafUse use_of_leaf(const TranslationOp& op, std::uint8_t granted, std::uint8_t gain);
/// What op.stage2_leaf says about memory attributes.
S2Attributes stage2_attributes(const TranslationOp& op);
/// Attributes of the SMMU's own read through stage 2: `attributes` of CD or descriptor fetch, combined with those of
/// op.stage2_leaf (sections 13.8 and 5.2, S2PTW).
MemoryAttributes walk_attributes(const MemoryAttributes& attributes, const Core& core, const TranslationOp& op);

inline Progress fail(Consultation& op, spec::EventType type) {
  op.fault.type = type;
  return Progress::faulted;
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// TableWalk: one stage's walk through its tables: fetching descriptors, walk cache, counters. Internal to walk.cc and
// walk_stage2.cc; where a walk starts and what a descriptor means is vmsa's business.
//
// It is no coroutine: as long as memory answers at once, advance() is a plain loop. Its owner awaits the rest.
#pragma once

#include <cstdint>
#include <utility>

#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"
#include "model/vmsa/ttw_step.h"

namespace smmusim {

/// Whose walk, and for which input address.
struct StageWalk {
  std::uint8_t stage;  ///< 1 or 2
  std::uint64_t input;
  TlbContext context;
};

/// The event of a step that ended a walk.
spec::EventType event_of(WalkStep step);
/// Puts `entry` into `cache`, unless an invalidation has overtaken it.
void keep(Core& core, const TranslationOp& op, TranslationCache& cache, CacheId id, const TlbEntry& entry);

/// Internal to TableWalk.
namespace table_walk {
void start_from_walk_cache(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                           TTWState& state);
/// Caches the table descriptor that `state` has just passed, at level state.level - 1.
void keep_table(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                const TTWState& state);
/// A walk of `fetches` descriptors, the last of them at `level`, has ended.
void count(Core& core, const StageWalk& walk, int level, unsigned fetches, bool aborted);
/// To the observer that there is: the fetch, and what it brought; or only the latter.
void tell_fetch(Core& core, const StageWalk& walk, const TTWState& state, const MemoryRequest& read, WalkStep step);
void tell_descriptor(Core& core, const StageWalk& walk, const TTWState& state, const MemoryRequest& read,
                     WalkStep step);
/// log2 of what a leaf with the Contiguous bit covers: the run, if it is aligned as the bit promises.
unsigned contiguous_or_page(const StageWalk& walk, const TTWState& state);
/// Where a descriptor of `level` that covers 2^bits bytes belongs.
inline void set_place(TlbEntry& entry, const StageWalk& walk, const TTWParams& params, int level, unsigned bits) {
  entry.context = walk.context;
  entry.va_page = walk.input >> bits << bits;
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.granule_bits = params.granule_bits;
  entry.level = static_cast<std::int8_t>(level);
}
}  // namespace table_walk

/// The leaf as an entry: of the whole contiguous run if the run is aligned as the Contiguous bit promises.
/// Sets neither ipa_page, stage1_permissions nor attributes; `entry` is a leaf, fresh or of the same kind.
inline void set_leaf(TlbEntry& entry, const StageWalk& walk, const TTWParams& params, const TTWState& state) {
  const unsigned bits = state.contiguous_bits == 0 ? state.page_bits : table_walk::contiguous_or_page(walk, state);
  table_walk::set_place(entry, walk, params, state.level, bits);
  entry.pa = Pa(state.output >> bits << bits);
  entry.table = false;  // with fixed_hints, so that the flags are one store
  entry.fixed_hints = 0;
  entry.global = state.global;
  entry.permissions = state.permissions;
  entry.cacheable = !state.nt && !state.af_clear;
  entry.clean = state.gain != 0;
}

/// What the access that walks does with the leaf (section 3.13).
struct LeafUse {
  bool permitted;  ///< it may use it, once it is marked
  bool writes;     ///< it marks a writable-clean one dirty
};

template <class Params>
class TableWalk {
 public:
  TableWalk(Core& core, TranslationOp& op, const StageWalk& walk, const Params& params, const ttw::WalkPlan& plan)
      : core_(core),
        op_(op),
        walk_(walk),
        params_(params),
        plan_(plan),
        state_(plan.start()),
        plain_(!op.timed && core.observer == nullptr),
        keeps_tables_(op.effects.fill && core.tcu.walk_cache.present()),
        read_(op.descriptor_read) {
    read_.attributes = {params.walk_attr, params.walk_sh};
    take_over();
  }
  // The read points to descriptor_.
  TableWalk(const TableWalk&) = delete;
  TableWalk& operator=(const TableWalk&) = delete;

  /// The op's one descriptor read serves the walks of both stages in turn: takes it over for this one. The constructor
  /// has done so; at a nested stage 1 stage 2 has had it since, and the attributes are its owner's business.
  void take_over() {
    read_.status = MemoryStatus::ok;  // of a read through a window
    read_.data = &descriptor_;
    read_.stage = walk_.stage;
  }

  /// To be called once, before anything else: continues from a cached table descriptor if there is one.
  void begin() {
    if (core_.tcu.walk_cache.present()) table_walk::start_from_walk_cache(core_, op_, walk_, params_, state_);
  }
  /// Where the next descriptor lies, as the tables say: at a nested stage 1 an IPA.
  std::uint64_t descriptor_address() const { return ttw::descriptor_address(state_, walk_.input); }
  /// Starts the fetch of the next descriptor, which lies at `address`. As OwnAccess::await_ready().
  bool fetch(Pa address) { return fetch_at_once(address) || start_fetch(); }
  /// fetch() if it needs no more than the address. False: start_fetch() comes next.
  bool fetch_at_once(Pa address) {
    read_.address = address;
    fetched_at_ = address;
    return plain_ && read_at_once(address, descriptor_);  // an observer, and time, need the whole request
  }
  bool start_fetch() {
    read_.mpam = mpam();
    read_.level = static_cast<std::int8_t>(state_.level);
    return read_.await_ready();
  }
  OwnAccess& read() { return read_; }
  /// Digests what was fetched (in place of await_resume()). True if that ends the walk.
  [[gnu::always_inline]] bool digest() {
    ++fetches_;
    if (aborted()) [[unlikely]]
      return end();
    if (params_.haft && stops_at_table()) [[unlikely]] {
      if (core_.observer != nullptr) core_.observer->access(read_);
      return true;
    }
    step_ = walk_step(params_, state_, in_order(descriptor_));
    if (step_ != WalkStep::table) return end();
    if (!plain_ || keeps_tables_) [[unlikely]]
      passed_table();
    return false;
  }
  /// Fetches and digests until the walk ends (true), or memory makes it wait: then `co_await Started{read()}`, digest()
  /// and, unless that ended it, call again. For tables at physical addresses.
  [[gnu::always_inline]] bool advance() {
    bool fetched = plain_ && !keeps_tables_ && pass_tables();  // stage 2 has nothing to gather from tables
    for (;;) {
      if (!fetched && !fetch(Pa(descriptor_address()))) return false;
      if (digest()) return true;
      fetched = false;
    }
  }

  /// Whether hardware has to update the descriptor in hand (AF, dirty state) before the walk is over or can go on. Then
  /// its owner awaits mark(), and take_mark() tells what comes next, as digest().
  bool must_mark(const LeafUse& use) const {
    if (table_to_mark_) return true;
    return may_mark() && use.permitted && (state_.af_clear || (use.writes && state_.gain != 0));
  }
  /// False if it need not be asked.
  bool may_mark() const {
    return table_to_mark_ || (step_ == WalkStep::leaf && (state_.af_clear || state_.gain != 0) && !aborted());
  }
  /// The update: a compare-and-swap, so that it never overwrites what came into memory since the fetch (3.13.4).
  OwnAccess mark(const LeafUse& use, MemoryAttributes attributes) {
    op_.response.unmarked = op_.response.unmarked || !op_.effects.httu;
    const bool dirty = !table_to_mark_ && use.writes && state_.gain != 0;
    desired_ = in_order(marked(params_, in_order(descriptor_), dirty));
    OwnAccess swap = own_access(core_, *read_.port, MemoryOp::compare_and_swap, Purpose::TTD, fetched_at_, &desired_,
                                sizeof desired_, attributes);
    swap.expected = descriptor_;
    swap.stage = walk_.stage;
    swap.level = static_cast<std::int8_t>(state_.level);
    swap.counted = op_.effects.count;
    swap.mpam = mpam();
    return swap;
  }
  /// Digests the descriptor as `swap` left it: marked, or another one that has come there. Also for a swap that was
  /// not made (Effects::httu): as though it had been.
  bool take_mark(const OwnAccess& swap) {
    const bool of_table = std::exchange(table_to_mark_, false);
    read_.status = swap.status;
    read_.address = fetched_at_;
    if (!of_table) fetches_ = 0;  // those up to a leaf are counted
    // Memory that has changed at every look: no honest one does that.
    if (++swaps_ > swaps_max_) read_.status = MemoryStatus::external_abort;
    if (aborted()) {
      if (of_table && op_.effects.count) table_walk::count(core_, walk_, state_.level, fetches_, false);
      return true;
    }
    const bool changed = swap.expected != descriptor_;
    descriptor_ = changed ? swap.expected : desired_;
    tell(core_, changed ? Step::mark_failed : Step::marked, fetched_at_.value,
         std::uint64_t{walk_.stage} << 8 | static_cast<std::uint64_t>(state_.level + 1));
    if (changed && stops_at_table()) return true;
    step_ = walk_step(params_, state_, in_order(descriptor_));
    if (core_.observer != nullptr) table_walk::tell_descriptor(core_, walk_, state_, read_, step_);
    if (step_ != WalkStep::table) {
      if (of_table && op_.effects.count) table_walk::count(core_, walk_, state_.level, fetches_, false);
      return true;
    }
    if (keeps_tables_) table_walk::keep_table(core_, op_, walk_, params_, state_);
    return false;
  }

  /// The walk ends before its next fetch, because what leads there has failed.
  void abandon() {
    if (op_.effects.count && fetches_ != 0) table_walk::count(core_, walk_, state_.level - 1, fetches_, false);
  }

  /// Instead of mark(), because stage 2 refuses it.
  void abandon_mark() {
    if (table_to_mark_ && op_.effects.count) table_walk::count(core_, walk_, state_.level, fetches_, false);
  }

  // After the end:
  bool aborted() const { return read_.status != MemoryStatus::ok; }
  WalkStep step() const { return step_; }
  const TTWState& state() const { return state_; }
  void set_leaf(TlbEntry& entry) const { smmusim::set_leaf(entry, walk_, params_, state_); }

 private:
  /// A descriptor of memory as a number, and back.
  std::uint64_t in_order(std::uint64_t word) const { return params_.big_endian ? __builtin_bswap64(word) : word; }
  /// Whether the descriptor in hand is of a table that must be marked before the walk goes on.
  bool stops_at_table() {
    table_to_mark_ = ttw::table_af_clear(params_, state_, in_order(descriptor_));
    return table_to_mark_;
  }
  MpamIds mpam() const { return walk_.stage == 2 ? op_.context->ste_mpam : op_.context->mpam; }
  /// The next descriptor if it lies in the op's window, or in one around it.
  [[gnu::always_inline]] bool read_at_once(Pa address, std::uint64_t& word) {
    if (!op_.window.holds(address) && !reachable_window(core_, *op_.port, address, op_.window)) return false;
    word = op_.window.read(address);
    return true;
  }

  /// Passes table descriptors while that takes reads and nothing else, with the state in registers. True: the first
  /// that is none is fetched and not digested. False: the next fetch takes more.
  bool pass_tables() {
    if (!plan_.plain) return false;
    const std::uint64_t input = walk_.input;
    TTWState at = state_;
    Pa address;
    std::uint64_t word = 0;
    bool fetched = false;
    do {
      address = Pa(ttw::descriptor_address(at, input));
      fetched = read_at_once(address, word);
    } while (fetched && plan_.pass(at, word));
    fetches_ += static_cast<unsigned>(at.level - state_.level);
    state_.base = at.base;
    state_.level = at.level;
    state_.shift = at.shift;
    state_.index_mask = at.index_mask;
    descriptor_ = word;
    read_.address = address;
    fetched_at_ = address;
    return fetched;
  }
  void passed_table() {
    if (core_.observer != nullptr) table_walk::tell_fetch(core_, walk_, state_, read_, step_);
    if (keeps_tables_) table_walk::keep_table(core_, op_, walk_, params_, state_);
  }
  bool end() {
    if (core_.observer != nullptr) table_walk::tell_fetch(core_, walk_, state_, read_, step_);
    if (op_.effects.count) table_walk::count(core_, walk_, state_.level, fetches_, aborted());
    return true;
  }

  Core& core_;
  TranslationOp& op_;
  const StageWalk walk_;
  const Params& params_;
  const ttw::WalkPlan& plan_;
  TTWState state_;
  const bool plain_;         ///< neither time nor an observer: a fetch is a read and no more
  const bool keeps_tables_;  ///< in the walk cache
  unsigned fetches_ = 0;
  std::uint64_t descriptor_ = 0;
  std::uint64_t desired_ = 0;
  Pa fetched_at_{};
  OwnAccess& read_;
  static constexpr unsigned swaps_max_ = 1000;
  unsigned swaps_ = 0;
  bool table_to_mark_ = false;
  WalkStep step_ = WalkStep::table;
};

}  // namespace smmusim

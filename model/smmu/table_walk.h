// SPDX-License-Identifier: MIT
// TableWalk: one stage's walk through its tables: fetching descriptors, walk cache, counters. Internal to walk.cc and
// walk_stage2.cc; where a walk starts and what a descriptor means is vmsa's business.
//
// It is no coroutine: as long as memory answers at once, advance() is a plain loop. Its owner awaits the rest.
#pragma once

#include <cstdint>

#include "model/smmu/own_access.h"
#include "model/smmu/translate.h"
#include "model/vmsa/ttw.h"

namespace smmusim {

/// Whose walk, and for which input address.
struct StageWalk {
  std::uint8_t stage;  ///< 1 or 2
  std::uint64_t input;
  TlbContext context;
};

/// The event of a step that ended a walk.
spec::EventType event_of(WalkStep step);
/// The leaf as an entry: of the whole contiguous run if the run is aligned as the Contiguous bit promises.
/// Sets neither ipa_page, stage1_permissions nor attributes; `entry` is a leaf, fresh or of the same kind.
void set_leaf(TlbEntry& entry, const StageWalk& walk, const TTWParams& params, const TTWState& state);
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
/// To the observer that there is: the fetch, and what it brought.
void tell_fetch(Core& core, const StageWalk& walk, const TTWState& state, const MemoryRequest& read, WalkStep step);
}  // namespace table_walk

template <class Params>
class TableWalk {
 public:
  TableWalk(Core& core, TranslationOp& op, const StageWalk& walk, const Params& params)
      : core_(core),
        op_(op),
        walk_(walk),
        params_(params),
        state_(walk_start(params)),
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
    return plain_ && read_at_once(address, descriptor_);  // an observer, and time, need the whole request
  }
  bool start_fetch() {
    read_.level = static_cast<std::int8_t>(state_.level);
    return read_.await_ready();
  }
  OwnAccess& read() { return read_; }
  /// Digests what was fetched (in place of await_resume()). True if that ends the walk.
  [[gnu::always_inline]] bool digest() {
    ++fetches_;
    if (aborted()) [[unlikely]]
      return end();
    step_ = walk_step(params_, state_, params_.big_endian ? __builtin_bswap64(descriptor_) : descriptor_);
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

  /// The walk ends before its next fetch, because what leads there has failed.
  void abandon() {
    if (op_.effects.count && fetches_ != 0) table_walk::count(core_, walk_, state_.level - 1, fetches_, false);
  }

  // After the end:
  bool aborted() const { return read_.status != MemoryStatus::ok; }
  WalkStep step() const { return step_; }
  const TTWState& state() const { return state_; }
  void set_leaf(TlbEntry& entry) const { smmusim::set_leaf(entry, walk_, params_, state_); }

 private:
  /// The next descriptor if it lies in the op's window, or in one around it.
  [[gnu::always_inline]] bool read_at_once(Pa address, std::uint64_t& word) {
    if (!op_.window.holds(address) && !reachable_window(core_, *op_.port, address, op_.window)) return false;
    word = op_.window.read(address);
    return true;
  }

  /// Passes table descriptors while that takes reads and nothing else, with the state in registers. True: the first
  /// that is none is fetched and not digested. False: the next fetch takes more.
  bool pass_tables() {
    const ttw::PlainTables tables(params_);
    if (!tables.plain) return false;
    const std::uint64_t input = walk_.input;
    TTWState at = state_;
    Pa address;
    std::uint64_t word = 0;
    bool fetched = false;
    do {
      address = Pa(ttw::descriptor_address(at, input));
      fetched = read_at_once(address, word);
    } while (fetched && tables.pass(at, word));
    fetches_ += static_cast<unsigned>(at.level - state_.level);
    state_.base = at.base;
    state_.level = at.level;
    state_.shift = at.shift;
    state_.index_mask = at.index_mask;
    descriptor_ = word;
    read_.address = address;
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
  TTWState state_;
  const bool plain_;         ///< neither time nor an observer: a fetch is a read and no more
  const bool keeps_tables_;  ///< in the walk cache
  unsigned fetches_ = 0;
  std::uint64_t descriptor_ = 0;
  OwnAccess& read_;
  WalkStep step_ = WalkStep::table;
};

}  // namespace smmusim

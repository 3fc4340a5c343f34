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
TlbEntry leaf_entry(const StageWalk& walk, const TTWParams& params, const TTWState& state);
/// Puts `entry` into `cache`, unless an invalidation has overtaken it.
void keep(Core& core, const TranslationOp& op, TranslationCache& cache, CacheId id, const TlbEntry& entry);

/// Internal to TableWalk.
namespace table_walk {
void start_from_walk_cache(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                           TTWState& state);
/// Caches the table descriptor that `state` has just passed, at level state.level - 1.
void keep_table(Core& core, const TranslationOp& op, const StageWalk& walk, const TTWParams& params,
                const TTWState& state);
void tell_step(const Core& core, const StageWalk& walk, const TTWState& state, WalkStep step);
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
        read_(own_read(core, *op.port, Purpose::TTD, Pa(), &descriptor_, 8, {params.walk_attr, params.walk_sh})) {
    read_.stage = walk.stage;
    read_.own_time = op.timed ? core.walk_step_time : 0;
    read_.counted = op.effects.count;
  }
  // read_ points to descriptor_.
  TableWalk(const TableWalk&) = delete;
  TableWalk& operator=(const TableWalk&) = delete;

  /// To be called once, before anything else: continues from a cached table descriptor if there is one.
  void begin() {
    if (core_.tcu.walk_cache.present()) table_walk::start_from_walk_cache(core_, op_, walk_, params_, state_);
  }
  /// Where the next descriptor lies, as the tables say: at a nested stage 1 an IPA.
  std::uint64_t descriptor_address() const { return ttw::descriptor_address(params_, state_, walk_.input); }
  /// Starts the fetch of the next descriptor, which lies at `address`. As OwnAccess::await_ready().
  bool fetch(Pa address) {
    read_.address = address;
    read_.level = static_cast<std::int8_t>(state_.level);
    return read_.await_ready();
  }
  OwnAccess& read() { return read_; }
  /// Digests what was fetched. True if that ends the walk.
  bool digest() {
    status_ = read_.await_resume();
    if (op_.effects.count) {
      ++core_.counters.walk_fetches;
      ++core_.counters.fetches_by_stage_level[walk_.stage - 1u][static_cast<std::size_t>(state_.level + 1)];
    }
    if (status_ != MemoryStatus::ok) {
      tell(core_, Step::external_abort, read_.address.value, static_cast<std::uint64_t>(Purpose::TTD));
      return true;
    }
    step_ = walk_step(params_, state_, params_.big_endian ? __builtin_bswap64(descriptor_) : descriptor_);
    if (core_.observer != nullptr) [[unlikely]]
      table_walk::tell_step(core_, walk_, state_, step_);
    if (step_ != WalkStep::table) return true;
    if (op_.effects.fill && core_.tcu.walk_cache.present()) {
      table_walk::keep_table(core_, op_, walk_, params_, state_);
    }
    return false;
  }
  /// Fetches and digests until the walk ends (true), or memory makes it wait: then `co_await Started{read()}`, digest()
  /// and, unless that ended it, call again. For tables at physical addresses.
  bool advance() {
    do {
      if (!fetch(Pa(descriptor_address()))) return false;
    } while (!digest());
    return true;
  }

  // After the end:
  bool aborted() const { return status_ != MemoryStatus::ok; }
  WalkStep step() const { return step_; }
  const TTWState& state() const { return state_; }
  TlbEntry leaf() const { return leaf_entry(walk_, params_, state_); }

 private:
  Core& core_;
  TranslationOp& op_;
  const StageWalk walk_;
  const Params& params_;
  TTWState state_;
  std::uint64_t descriptor_ = 0;
  OwnAccess read_;
  MemoryStatus status_ = MemoryStatus::ok;
  WalkStep step_ = WalkStep::table;
};

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Player: the loop that looks ahead, starts what may start and takes back what is done. What a record waits for is
// decided in player_dispatch.cc, what the driver does in player_driver.cc.
#include "platform/player/player.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "model/base/check.h"

namespace smmusim {
namespace {

/// An access can bring a map with it: two operations.
constexpr std::uint32_t operations_per_record = 2;
constexpr unsigned word_bits = 64;

std::uint32_t slots_for(const PlayerConfig& config) {
  return std::max(1U, config.in_order ? 1U : config.window) * operations_per_record;
}

}  // namespace

std::optional<std::size_t> PlayedStream::space_of(const trace::Record& record) const {
  if (!record.has_substream) return space;
  const auto at = std::lower_bound(substreams.begin(), substreams.end(), record.substream,
                                   [](const PlayedSubstream& known, std::uint32_t id) { return known.substream < id; });
  if (at == substreams.end() || at->substream != record.substream) return std::nullopt;
  return at->space;
}

Player::Player(Engine& engine, trace::Reader& reader, AccessPort& port, std::vector<GuestDriver*> drivers,
               std::vector<PlayedSpace> spaces, std::vector<PlayedStream> streams, const PlayerConfig& config)
    : engine_(engine),
      reader_(reader),
      port_(port),
      drivers_(std::move(drivers)),
      spaces_(std::move(spaces)),
      streams_(std::move(streams)),
      config_(config),
      scope_(engine),
      graph_(spaces_.size(), slots_for(config)),
      operations_(graph_.slots()),
      ready_bits_(streams_.size(), std::vector<std::uint64_t>((graph_.slots() + word_bits - 1) / word_bits, 0)),
      ready_count_(streams_.size(), 0),
      absent_(spaces_.size()) {
  for (std::size_t i = 0; i != streams_.size(); ++i) stream_order_.emplace_back(streams_[i].stream, i);
  std::sort(stream_order_.begin(), stream_order_.end());
  timer_.player = this;
  timer_.scope = &scope_;
  timer_.fire = &Player::timer_fired;
}

void Player::start() {
  SMMUSIM_CHECK(!started_);
  started_ = true;
  start_time_ = engine_.now();
  pump();
}

/// Runs until nothing more can happen at this instant. Calls from inside (an access that completes at once) only
/// leave a note.
void Player::pump() {
  if (!started_) return;
  again_ = true;
  if (pumping_) return;
  struct Mark {
    bool& flag;
    explicit Mark(bool& f) : flag(f) { flag = true; }
    ~Mark() { flag = false; }
  } mark(pumping_);
  while (again_) {
    again_ = false;
    run_ready();
    if (start_accesses()) again_ = true;
    while (may_dispatch()) {
      if (records_.empty()) records_ = std::span(batch_.data(), reader_.next(batch_));
      ended_ = records_.empty();
      if (ended_) break;
      dispatch(records_.front());
      records_ = records_.subspan(1);
      again_ = true;
    }
  }
  arm_timer();
  end_if_done();
}

void Player::end_if_done() {
  if (!done() || told_done_) return;
  told_done_ = true;
  if (on_done) on_done();
}

/// Table writes and commands go at once; accesses become candidates, the oldest of a stream first.
void Player::run_ready() {
  std::vector<Slot>& ready = graph_.ready();
  for (std::size_t i = 0; i != ready.size(); ++i) {  // perform() may append
    const Slot slot = ready[i];
    Operation& operation = operations_[slot];
    if (operation.record.kind == trace::Kind::access && !operation.is_map) {
      ready_bits_[operation.access.stream][slot / word_bits] |= std::uint64_t{1} << (slot % word_bits);
      ++ready_count_[operation.access.stream];
    } else {
      perform(slot);
    }
  }
  ready.clear();
}

Player::Slot Player::next_ready_access(std::size_t stream) const {
  const std::vector<std::uint64_t>& words = ready_bits_[stream];
  const Slot oldest = graph_.oldest();
  std::size_t word = oldest / word_bits;
  std::uint64_t bits = words[word] & (~std::uint64_t{0} << (oldest % word_bits));
  while (bits == 0) {
    word = word + 1 == words.size() ? 0 : word + 1;
    bits = words[word];
  }
  return static_cast<Slot>(word * word_bits) + static_cast<Slot>(std::countr_zero(bits));
}

bool Player::start_accesses() {
  bool any = false;
  for (std::size_t stream = 0; stream != streams_.size(); ++stream) {
    while (ready_count_[stream] != 0 && port_.can_start(stream)) {
      const Slot slot = next_ready_access(stream);
      ready_bits_[stream][slot / word_bits] &= ~(std::uint64_t{1} << (slot % word_bits));
      --ready_count_[stream];
      PlayedAccess& access = operations_[slot].access;
      access.started = engine_.now();
      access.result = {};
      port_.start(access);
      any = true;
    }
  }
  return any;
}

void Player::complete(PlayedAccess& access) {
  const Operation& operation = operations_[access.slot];
  counters_.bytes += operation.record.size;
  if (!access.result.completed) ++counters_.failed;
  if (config_.check && operation.record.has_expected) check(access, operation.number);
  if (on_access) on_access(access);
  finish(access.slot);
  pump();
}

void Player::check(const PlayedAccess& access, std::uint64_t number) {
  ++counters_.checked;
  const AccessResult& result = access.result;
  if (result.translated && result.address == Pa(access.record->expected_pa())) return;
  ++counters_.mismatches;
  if (mismatches_.size() < config_.mismatches_kept) mismatches_.push_back({number, *access.record, result});
}

void Player::finish(Slot slot) {
  if (!operations_[slot].is_map) --records_open_;
  graph_.finish(slot);
}

void Player::arm_timer() {
  if (timer_.armed || timed_.empty()) return;
  const Time due = start_time_ + operations_[timed_.front()].record.time_ps;
  timer_.armed = true;
  engine_.schedule_at(std::max(due, engine_.now()), timer_);
}

void Player::timer_fired(EventNode& node) {
  Player& player = *static_cast<Timer&>(node).player;
  player.timer_.armed = false;
  const Time elapsed = player.engine_.now() - player.start_time_;
  while (!player.timed_.empty()) {
    const Slot slot = player.timed_.front();
    if (player.operations_[slot].record.time_ps > elapsed) break;
    player.timed_.pop_front();
    player.graph_.release(slot);
  }
  player.pump();
}

}  // namespace smmusim

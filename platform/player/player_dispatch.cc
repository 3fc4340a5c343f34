// SPDX-License-Identifier: MIT
// Player: what each record waits for. Decided in program order, once, when the record enters the window.
#include <fmt/format.h>

#include <algorithm>

#include "model/base/check.h"
#include "platform/player/player.h"
#include "platform/trace/error.h"

namespace smmusim {
namespace {

using trace::InvalidateScope;
using trace::Kind;
using trace::Record;

constexpr unsigned page_bits = 12;
constexpr std::uint64_t page_mask = trace::page_bytes - 1;
constexpr std::uint64_t last_page = ~std::uint64_t{0} >> page_bits;

/// Up to this many pages are tracked one by one, more as a range.
constexpr std::uint64_t pages_singly_max = 16;
/// Pages that one map record may write, and pages that one access may touch.
constexpr std::uint64_t map_pages_max = std::uint64_t{1} << 20;
constexpr std::uint64_t access_bytes_max = std::uint64_t{1} << 20;

/// What a page maps to, as one number: 0 is nothing, since a mapping has a permission.
std::uint64_t pair_of(std::uint64_t output, std::uint8_t perm) {
  return (output & ~page_mask) | perm;
}

std::uint64_t bytes_of_range(const Record& record) {
  return record.pages * record.granule_bytes();
}

std::uint64_t range_start(const Record& record) {
  return record.address & ~(record.granule_bytes() - 1);
}

}  // namespace

void Player::fail_record(const std::string& sentence) const {
  fail_record(counters_.records, sentence);
}

void Player::fail_record(std::uint64_t number, const std::string& sentence) const {
  trace::fail_at_record(reader_.path(), number, sentence);
}

std::size_t Player::stream_index(std::uint32_t stream) const {
  const auto place =
      std::lower_bound(stream_order_.begin(), stream_order_.end(), std::pair<std::uint32_t, std::size_t>{stream, 0});
  if (place == stream_order_.end() || place->first != stream) {
    fail_record(
        fmt::format("stream 0x{:x} has no endpoint; add an [[endpoint]] whose bdf or stream_id gives it", stream));
  }
  return place->second;
}

bool Player::may_dispatch() const {
  if (ended_ || graph_.room() < 2) return false;
  if (config_.in_order) return records_open_ == 0;
  return graph_.empty() || counters_.records - operations_[graph_.oldest()].number < config_.window;
}

Player::Slot Player::open(const Record& record, std::size_t space) {
  const Slot slot = graph_.open();
  Operation& operation = operations_[slot];
  operation.record = record;
  operation.number = counters_.records;
  operation.is_map = false;
  operation.space = space;
  operation.commands.clear();
  if (config_.recorded && start_time_ + record.time_ps > engine_.now()) {
    graph_.hold(slot);
    timed_.push_back(slot);
  }
  return slot;
}

void Player::seal(Slot slot) {
  graph_.seal(slot);
}

void Player::dispatch(const Record& record) {
  ++counters_.records;
  ++records_open_;
  graph_.collect();
  switch (record.kind) {
    case Kind::access:
      dispatch_access(record);
      break;
    case Kind::map:
    case Kind::unmap:
      dispatch_mapping(record);
      break;
    case Kind::invalidate:
      dispatch_invalidation(record);
      break;
    case Kind::config:
      ++counters_.config_changes;
      seal(open(record, 0));
      break;
  }
}

void Player::require_mappable(std::size_t space, std::uint64_t address, std::uint64_t output,
                              std::uint64_t bytes) const {
  const PageTable& table = *spaces_[space].table;
  if (table.mappable(address, Pa(output), bytes)) return;
  fail_record(fmt::format("a mapping from 0x{:x} to 0x{:x}; both lie below 2^{} and 2^{} in this platform", address,
                          output, table.geometry().input_bits, table.geometry().output_bits));
}

void Player::dispatch_access(const Record& record) {
  const std::size_t stream = stream_index(record.stream);
  // What has no table is not mapped and waits for nothing in particular.
  const std::optional<std::size_t> own_space = streams_[stream].space_of(record);
  const std::size_t space = own_space.value_or(streams_[stream].space);
  if (record.size > access_bytes_max) {
    fail_record(fmt::format("an access of {} bytes; one record is at most 1 MiB", record.size));
  }
  ++counters_.accesses;
  const std::uint64_t first = record.address >> page_bits;
  const std::uint64_t last = (record.address + (record.size - 1)) >> page_bits;
  if (record.has_expected && own_space) {
    const std::uint64_t pair = pair_of(record.output, record.perm);
    HazardGraph::Page& page = graph_.page(space, first);
    if (page.pair != pair) {
      require_mappable(space, first << page_bits, pair & ~page_mask, page_mask + 1);
      page.pair = pair;
      const Slot map = open(record, space);
      operations_[map].is_map = true;
      graph_.writes(map, space, first);
      seal(map);
    }
  }
  const Slot slot = open(record, space);
  operations_[slot].access = {&operations_[slot].record, stream, slot, 0, {}};
  for (std::uint64_t page = first;; ++page) {
    graph_.reads(slot, space, page);
    if (page == last) break;
  }
  seal(slot);
}

/// `slot` writes all pages of [address, address + bytes), which may wrap around 2^64; pair is what they hold then.
void Player::touch_range(Slot slot, std::size_t space, std::uint64_t address, std::uint64_t bytes, std::uint64_t pair) {
  const std::uint64_t first = address >> page_bits;
  const std::uint64_t pages = (bytes + page_mask) >> page_bits;
  if (pages <= pages_singly_max || pair != 0) {
    for (std::uint64_t i = 0; i != pages; ++i) {
      const std::uint64_t number = (first + i) & last_page;
      graph_.writes(slot, space, number);
      graph_.page(space, number).pair = pair == 0 ? 0 : pair + (i << page_bits);
    }
    return;
  }
  const std::uint64_t until_wrap = last_page - first;
  if (pages - 1 <= until_wrap) {
    graph_.writes_range(slot, space, first, first + (pages - 1));
  } else {
    graph_.writes_range(slot, space, first, last_page);
    graph_.writes_range(slot, space, 0, pages - 2 - until_wrap);
  }
}

void Player::dispatch_mapping(const Record& record) {
  const std::optional<std::size_t> own_space = streams_[stream_index(record.stream)].space_of(record);
  if (!own_space) {
    fail_record(fmt::format(
        "{} of substream 0x{:x}, which has no address space here: none of its pages was mapped or accessed, or the "
        "driver uses stage 2 alone; leave ssid out",
        trace::to_string(record.kind), record.substream));
  }
  const std::size_t space = *own_space;
  const std::uint64_t bytes = bytes_of_range(record);
  std::uint64_t pair = 0;
  if (record.kind == Kind::map) {
    if (bytes >> page_bits > map_pages_max) {
      fail_record(fmt::format("a mapping of 0x{:x} bytes; one record maps at most 4 GiB", bytes));
    }
    require_mappable(space, record.address, record.output, bytes);
    pair = pair_of(record.output, record.perm);
  }
  const Slot slot = open(record, space);
  touch_range(slot, space, record.address, bytes, pair);
  seal(slot);
}

/// The trace tells of stage 1: the mappings of our streams have VMID 0 there (IHI 0070 section 3.17), other VMIDs and
/// IPAs name none of them, whatever stages the platform's driver uses.
bool Player::covers_space(const Record& record, std::size_t space) const {
  if (record.invalidate_scope == InvalidateScope::all) return true;
  if (record.invalidate_scope == InvalidateScope::ipa_range || (record.has_vmid && record.vmid != 0)) return false;
  return !record.has_asid || record.asid == spaces_[space].asid;
}

void Player::dispatch_invalidation(const Record& record) {
  ++counters_.invalidations;
  const Slot slot = open(record, 0);
  for (std::size_t space = 0; space != spaces_.size(); ++space) {
    if (!covers_space(record, space)) continue;
    if (record.is_range()) {
      touch_range(slot, space, range_start(record), bytes_of_range(record), 0);
    } else {
      graph_.writes_range(slot, space, 0, last_page);
    }
  }
  seal(slot);
}

}  // namespace smmusim

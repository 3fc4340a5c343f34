// SPDX-License-Identifier: MIT
// PlayPlan; see the header. Memory is bounded: each stream remembers a fixed number of pages.
#include "platform/player/play_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace smmusim {
namespace {

using trace::Kind;
using trace::Record;

constexpr std::size_t remembered_pages = 1024;
/// Of a range invalidation this many pages are looked at.
constexpr std::uint64_t pages_looked_at = 16;

struct RecentPage {
  std::uint64_t number_plus_1 = 0;
  std::uint64_t pair = 0;    // what its last access with an oracle found; 0: there was none
  std::uint64_t record = 0;  // number of that access
};

struct StreamEvidence {
  std::array<RecentPage, remembered_pages> recent{};   // by the low bits of the page's number
  std::map<std::uint16_t, std::uint64_t> named_by;     // ASID -> how often a range named a page of the stream
  std::map<std::uint16_t, std::uint64_t> remapped_by;  // ASID -> how often its invalidation preceded another pair

  RecentPage& page(std::uint64_t number) {
    RecentPage& recent_page = recent[number % remembered_pages];
    if (recent_page.number_plus_1 != number + 1) recent_page = {number + 1, 0, 0};
    return recent_page;
  }
  bool knows(std::uint64_t number) const { return recent[number % remembered_pages].number_plus_1 == number + 1; }
};

/// Whose address space: a stream's own, or one of its substreams'.
using ContextKey = std::pair<std::uint32_t, std::uint32_t>;
constexpr std::uint32_t no_substream = ~std::uint32_t{0};

ContextKey key_of(const Record& record) {
  return {record.stream, record.has_substream ? record.substream : no_substream};
}

struct PlannedContext {
  ContextKey key{};
  std::uint16_t asid = 0;
  NotedRecord first{};
  std::unique_ptr<StreamEvidence> evidence;  // null: a record has said whose ASID it is
};

class Planner {
 public:
  Planner(const trace::Reader& reader, const ReservedMemory& reserved) : reader_(reader), reserved_(reserved) {}

  void add(const Record& record) {
    ++plan_.records;
    if (record.time_ps > recorded_ps_max && plan_.late.number == 0) {
      plan_.late = {plan_.records, reader_.place()};
      plan_.late_ps = record.time_ps;
    }
    switch (record.kind) {
      case Kind::access:
        ++plan_.accesses;
        if (StreamEvidence* evidence = use(record)) note_pair(*evidence, record);
        if (record.has_expected) note_output(record.output, trace::page_bytes);
        break;
      case Kind::map:
        use(record);
        note_output(record.output, record.pages * record.granule_bytes());
        break;
      case Kind::invalidate:
        if (record.has_asid) invalidate(record);
        break;
      case Kind::config:
        note_config(record);
        break;
      case Kind::unmap:
        break;
    }
  }

  PlayPlan finish() {
    for (PlannedContext& context : contexts_) {
      if (const auto said = said_.find(context.key); said != said_.end()) {
        context.asid = said->second;
        context.evidence.reset();
      } else if (context.evidence->named_by.empty()) {
        context.evidence->named_by.swap(context.evidence->remapped_by);
      }
    }
    assign_named();
    assign_unnamed();
    for (const PlannedContext& context : contexts_) {
      PlannedStream& stream = plan_.streams[index_.at(context.key.first)];
      if (context.key.second == no_substream) {
        stream.asid = context.asid;
      } else {
        stream.substreams.push_back({context.key.second, context.asid, context.first});
      }
    }
    for (PlannedStream& stream : plan_.streams) {
      std::sort(stream.substreams.begin(), stream.substreams.end(),
                [](const auto& a, const auto& b) { return a.substream < b.substream; });
    }
    plan_.unusual_pages.assign(unusual_pages_.begin(), unusual_pages_.end());
    return std::move(plan_);
  }

 private:
  [[noreturn]] void fail(const std::string& sentence) const {
    throw reader_.place().error(reader_.path(), fmt::format("record {}: {}", plan_.records, sentence));
  }

  void note_config(const Record& record) {
    if (record.config_scope == trace::ConfigScope::all) return;
    if (record.has_asid) note_context(record);
    if (plan_.highest_config.number != 0 && record.stream <= plan_.highest_config_stream) return;
    plan_.highest_config = {plan_.records, reader_.place()};
    plan_.highest_config_stream = record.stream;
  }

  /// The trace says whose an ASID is.
  void note_context(const Record& record) {
    asids_.insert(record.asid);
    const auto [place, is_new] = said_.try_emplace(key_of(record), record.asid);
    if (is_new || place->second == record.asid) return;
    fail(fmt::format("ASID {} for a CD that has ASID {}; the simulated driver writes each CD once, so use another ssid",
                     record.asid, place->second));
  }

  /// Null: the trace has already said whose ASID it is.
  StreamEvidence* use(const Record& record) {
    if (index_.try_emplace(record.stream, plan_.streams.size()).second) {
      plan_.streams.push_back({record.stream, 0, plan_.records, reader_.place(), {}});
      add_context({record.stream, no_substream});
    }
    const ContextKey key = key_of(record);
    const auto known = context_index_.find(key);
    PlannedContext& context = contexts_[known == context_index_.end() ? add_context(key) : known->second];
    if (context.evidence != nullptr) context.evidence->page(record.address >> 12);
    return context.evidence.get();
  }

  std::size_t add_context(const ContextKey& key) {
    if (contexts_.size() == planned_spaces_max) {
      fail("more than 65536 streams and substreams, each with an address space; there are no more ASIDs");
    }
    context_index_.emplace(key, contexts_.size());
    const bool said = said_.count(key) != 0;
    contexts_.push_back(
        {key, 0, {plan_.records, reader_.place()}, said ? nullptr : std::make_unique<StreamEvidence>()});
    if (!said) guessed_.push_back(contexts_.size() - 1);
    return contexts_.size() - 1;
  }

  /// A driver that invalidates lazily names no pages, only ASIDs. A page with another pair than at its last access
  /// shows that the stream's ASID was invalidated in between.
  void note_pair(StreamEvidence& evidence, const Record& access) {
    if (!access.has_expected) return;
    RecentPage& page = evidence.page(access.address >> 12);
    const std::uint64_t pair = (access.output & ~std::uint64_t{trace::page_bytes - 1}) | access.perm;
    if (page.pair != 0 && page.pair != pair) {
      for (const auto& [asid, record] : whole_) {
        if (record > page.record) ++evidence.remapped_by[asid];
      }
    }
    page.pair = pair;
    page.record = plan_.records;
  }

  /// The pages of an output range, which the reader has checked not to pass 2^64.
  void note_output(std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t first = address & ~std::uint64_t{trace::page_bytes - 1};
    const std::uint64_t last = first + (bytes - 1);
    plan_.outputs_end = std::max(plan_.outputs_end, last == ~std::uint64_t{0} ? last : last + 1);
    note_unusual(first, last);
    if (plan_.reserved_record != 0 || reserved_.bytes == 0) return;
    if (last < reserved_.base || first > reserved_.base + (reserved_.bytes - 1)) return;
    plan_.reserved_record = plan_.records;
    plan_.reserved_place = reader_.place();
  }

  bool is_usual(std::uint64_t first, std::uint64_t last) const {
    return std::any_of(reserved_.usual.begin(), reserved_.usual.end(), [=](const ReservedMemory::Range& range) {
      return first >= range.base && last >= first && last - range.base < range.bytes;
    });
  }

  void note_unusual(std::uint64_t first, std::uint64_t last) {
    if (reserved_.usual.empty() || is_usual(first, last)) return;
    for (std::uint64_t page = first; unusual_pages_.size() != unusual_pages_max; page += trace::page_bytes) {
      if (!is_usual(page, page + (trace::page_bytes - 1))) unusual_pages_.insert(page);
      if (last - page < trace::page_bytes) return;
    }
  }

  void invalidate(const Record& record) {
    if (plan_.first_range_record == 0) plan_.first_range_record = plan_.records;
    asids_.insert(record.asid);
    if (!record.is_range()) {
      whole_[record.asid] = plan_.records;
      return;
    }
    const std::uint64_t pages = std::min(record.pages * (record.granule_bytes() >> 12), pages_looked_at);
    for (const std::size_t index : guessed_) {
      StreamEvidence& evidence = *contexts_[index].evidence;
      for (std::uint64_t i = 0; i != pages; ++i) {
        const std::uint64_t page = (record.address >> 12) + i;
        if (evidence.knows(page)) ++evidence.named_by[record.asid];
      }
    }
  }

  /// Strongest evidence first. Where several ASIDs name a stream about as often (two address spaces that use the same
  /// addresses look so), one that no other stream has is preferred.
  void assign_named() {
    std::set<std::uint16_t> taken;
    std::vector<PlannedContext*> order;
    for (PlannedContext& context : contexts_) {
      if (context.evidence == nullptr) {
        taken.insert(context.asid);
      } else if (!context.evidence->named_by.empty()) {
        order.push_back(&context);
      }
    }
    const auto strongest = [](const PlannedContext& context) {
      std::uint64_t most = 0;
      for (const auto& [asid, count] : context.evidence->named_by) most = std::max(most, count);
      return most;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](const PlannedContext* a, const PlannedContext* b) { return strongest(*a) > strongest(*b); });
    for (PlannedContext* context : order) {
      std::uint64_t best = 0;
      bool best_is_free = false;
      for (const auto& [asid, count] : context->evidence->named_by) {
        if (count < strongest(*context) / 2) continue;
        const bool is_free = taken.count(asid) == 0;
        if (best != 0 && (best_is_free > is_free || (best_is_free == is_free && count <= best))) continue;
        best = count;
        best_is_free = is_free;
        context->asid = asid;
      }
      taken.insert(context->asid);
    }
  }

  /// Nothing names them: they get ASIDs that the trace does not use, as long as there are any.
  void assign_unnamed() {
    std::set<std::uint16_t> used = asids_;
    std::uint16_t next = 1;
    for (PlannedContext& context : contexts_) {
      if (context.evidence == nullptr || !context.evidence->named_by.empty()) continue;
      while (used.count(next) != 0 && next != 0xffff) ++next;
      context.asid = next;
      used.insert(next);
    }
  }

  const trace::Reader& reader_;
  ReservedMemory reserved_;
  PlayPlan plan_;
  std::unordered_map<std::uint32_t, std::size_t> index_;  // of streams
  std::vector<PlannedContext> contexts_;                  // in the order of their first record
  std::map<ContextKey, std::size_t> context_index_;
  std::vector<std::size_t> guessed_;          // contexts with evidence
  std::map<ContextKey, std::uint16_t> said_;  // ASIDs of CDs that records name
  std::set<std::uint16_t> asids_;
  std::map<std::uint16_t, std::uint64_t> whole_;  // number of the last record that invalidates all of an ASID
  std::set<std::uint64_t> unusual_pages_;
};

}  // namespace

PlayPlan plan_play(const std::string& path, const ReservedMemory& reserved) {
  const auto reader = trace::Reader::open(path);
  Planner planner(*reader, reserved);
  Record record;
  while (reader->next(record)) planner.add(record);
  return planner.finish();
}

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Synthetic traces: see generate.h.
#include "platform/trace/generate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>
#include <vector>

#include "platform/trace/error.h"
#include "platform/trace/random.h"

namespace smmusim::trace {
namespace {

constexpr std::array<std::string_view, 4> names{"sequential", "random", "stride", "zipf"};
constexpr std::uint64_t zipf_ranks_max = std::uint64_t{1} << 20;
constexpr std::uint64_t zipf_scale = std::uint64_t{1} << 40;
constexpr std::uint64_t zipf_spread = 0x9e3779b1;  // a prime: rank * prime mod pages hits each page once

[[noreturn]] void refuse(const char* option, const char* sentence) {
  throw TraceError::in_file(option, sentence);
}

class Generator {
 public:
  Generator(const GenerateOptions& options, const std::function<void(const Record&)>& sink)
      : o_(options), sink_(sink), random_(options.seed), slot_bytes_(std::bit_ceil(std::uint64_t{options.size})) {
    slots_ = o_.window_bytes / slot_bytes_;
    if (o_.pattern == Pattern::zipf) fill_zipf();
  }

  void run() {
    for (std::uint64_t i = 0; i < o_.count; ++i) {
      const auto lane = static_cast<std::uint32_t>(i % o_.streams);
      const std::uint64_t offset = lane * o_.window_bytes + offset_of_step(i / o_.streams);
      emit(i * o_.interval_ns * 1000, lane, offset);
    }
  }

 private:
  void fill_zipf() {
    const std::uint64_t ranks = std::min(o_.window_bytes / page_bytes, zipf_ranks_max);
    std::uint64_t sum = 0;
    for (std::uint64_t rank = 1; rank <= ranks; ++rank) {
      sum += zipf_scale / rank;
      cumulative_.push_back(sum);
    }
  }

  std::uint64_t zipf_offset() {
    const std::uint64_t pages = o_.window_bytes / page_bytes;
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), random_.below(cumulative_.back()));
    const auto rank = static_cast<std::uint64_t>(at - cumulative_.begin());
    const std::uint64_t page = rank * zipf_spread % pages;
    return page * page_bytes + random_.below(page_bytes / slot_bytes_) * slot_bytes_;
  }

  std::uint64_t offset_of_step(std::uint64_t step) {
    switch (o_.pattern) {
      case Pattern::sequential:
        return step % slots_ * slot_bytes_;
      case Pattern::random:
        return random_.below(slots_) * slot_bytes_;
      case Pattern::stride:
        break;
      case Pattern::zipf:
        return zipf_offset();
    }
    const std::uint64_t at = stride_at_ & ~(slot_bytes_ - 1);
    if (++lanes_done_ == o_.streams) {
      lanes_done_ = 0;
      stride_at_ = (stride_at_ + o_.stride_bytes % o_.window_bytes) % o_.window_bytes;
    }
    return at;
  }

  void emit(std::uint64_t time_ps, std::uint32_t lane, std::uint64_t offset) {
    const std::uint64_t page = offset / page_bytes;
    const std::uint64_t moved = o_.map_per_io ? mapped_[page]++ : 0;
    const std::uint64_t memory_pages = o_.memory_bytes / page_bytes;
    const std::uint64_t output_page = (page % memory_pages + moved % memory_pages) % memory_pages;
    const Op op = random_.below(100) < o_.read_percent ? Op::read : Op::write;
    const std::uint64_t iova = o_.base + offset;
    const std::uint64_t output = o_.memory_base + output_page * page_bytes + offset % page_bytes;
    sink_(make_access(time_ps, op, o_.first_stream + lane, iova, o_.size, output, perm_read | perm_write));
    if (!o_.map_per_io) return;
    sink_(make_range_invalidation(time_ps, static_cast<std::uint16_t>(o_.asid + lane),
                                  iova & ~std::uint64_t{page_bytes - 1}, 1));
  }

  const GenerateOptions& o_;
  const std::function<void(const Record&)>& sink_;
  Xoshiro256 random_;
  std::uint64_t slot_bytes_, slots_ = 0, stride_at_ = 0;
  std::uint32_t lanes_done_ = 0;
  std::vector<std::uint64_t> cumulative_;
  std::unordered_map<std::uint64_t, std::uint64_t> mapped_;  // page -> times mapped; never iterated
};

}  // namespace

std::span<const std::string_view> pattern_names() {
  return names;
}

Pattern parse_pattern(std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    throw TraceError::in_file("PATTERN",
                              "unknown pattern '" + std::string(name) + "'; it is sequential, random, stride or zipf");
  }
  return static_cast<Pattern>(at - names.begin());
}

void check_options(const GenerateOptions& o) {
  const auto page_multiple = [](std::uint64_t bytes) { return bytes % page_bytes == 0; };
  constexpr std::uint64_t space = std::uint64_t{1} << 48;
  if (o.count == 0 || o.count > std::uint64_t{1} << 40) refuse("--count", "out of range; 1 to 2^40");
  if (o.size == 0 || o.size > page_bytes) refuse("--size", "out of range; 1 to 4096 bytes");
  if (o.window_bytes == 0 || !page_multiple(o.window_bytes) || o.window_bytes > space) {
    refuse("--window", "not a window; a multiple of 4096 bytes up to 2^48");
  }
  if (o.read_percent > 100) refuse("--read-percent", "out of range; 0 to 100");
  if (o.streams == 0 || o.streams > 65536 || o.first_stream > 0xffffffff - o.streams) {
    refuse("--streams", "out of range; 1 to 65536, all StreamIDs below 2^32");
  }
  if (!page_multiple(o.base) || o.base > space || o.window_bytes > (space - o.base) / o.streams) {
    refuse("--base", "windows that do not fit; base is a multiple of 4096 and all windows end below 2^48");
  }
  if (!page_multiple(o.memory_base) || o.memory_base > space) refuse("--memory-base", "a multiple of 4096 up to 2^48");
  if (o.memory_bytes == 0 || !page_multiple(o.memory_bytes) || o.memory_bytes > space) {
    refuse("--memory-bytes", "out of range; a multiple of 4096 bytes up to 2^48");
  }
  if (o.pattern == Pattern::stride && o.stride_bytes == 0) refuse("--stride", "out of range; at least 1 byte");
  if (o.interval_ns > ~std::uint64_t{0} / 1000 / o.count)
    refuse("--interval-ns", "too long; the last time exceeds 2^64 ps");
  if (o.asid + (o.streams - 1) > 0xffff) refuse("--asid", "out of range; the last stream's ASID is at most 65535");
}

void generate(const GenerateOptions& options, const std::function<void(const Record&)>& sink) {
  check_options(options);
  Generator(options, sink).run();
}

}  // namespace smmusim::trace

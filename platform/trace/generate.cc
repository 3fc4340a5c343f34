// SPDX-License-Identifier: MIT
// Synthetic traces: see generate.h.
#include "platform/trace/generate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "platform/trace/error.h"
#include "platform/trace/trace_maker.h"

namespace smmusim::trace {
namespace {

constexpr std::array<std::string_view, 7> names{"sequential", "random",   "stride", "zipf",
                                                "nvme-ring",  "nic-ring", "gpu"};
constexpr std::uint64_t zipf_ranks_max = std::uint64_t{1} << 20;
constexpr std::uint64_t zipf_scale = std::uint64_t{1} << 40;
constexpr std::uint64_t zipf_spread = 0x9e3779b1;  // a prime: rank * prime mod pages hits each page once

[[noreturn]] void refuse(const char* option, const char* sentence) {
  throw TraceError::in_file(option, sentence);
}

class Generator {
 public:
  Generator(const GenerateOptions& options, TraceMaker& maker)
      : o_(options), maker_(maker), slot_bytes_(std::bit_ceil(std::uint64_t{options.size})) {
    slots_ = o_.window_bytes / slot_bytes_;
    if (o_.pattern == Pattern::zipf) fill_zipf();
  }

  void run() {
    for (std::uint64_t i = 0; !maker_.full(); ++i) {
      TraceSpace space = maker_.space(i % maker_.spaces());
      const std::uint64_t offset = offset_of_step(space, i / maker_.spaces());
      const Op op = maker_.draw_read() ? Op::read : Op::write;
      maker_.access(space, op, offset, o_.size, perm_read | perm_write);
      if (o_.map_per_io) maker_.unmap(space, offset, 1);
    }
  }

 private:
  std::uint64_t pages() const { return o_.window_bytes / page_bytes; }

  void fill_zipf() {
    const std::uint64_t ranks = std::min(pages() * maker_.spaces_per_stream(), zipf_ranks_max);
    std::uint64_t sum = 0;
    for (std::uint64_t rank = 1; rank <= ranks; ++rank) {
      sum += zipf_scale / rank;
      cumulative_.push_back(sum);
    }
  }

  /// The popularity is that of pages of all of a stream's PASIDs together.
  std::uint64_t zipf_offset(TraceSpace& space) {
    Xoshiro256& random = maker_.random();
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), random.below(cumulative_.back()));
    const auto rank = static_cast<std::uint64_t>(at - cumulative_.begin());
    const std::uint64_t page = rank * zipf_spread % (pages() * maker_.spaces_per_stream());
    space.pasid = static_cast<std::uint32_t>(page / pages());
    return page % pages() * page_bytes + random.below(page_bytes / slot_bytes_) * slot_bytes_;
  }

  std::uint64_t gpu_offset(TraceSpace& space) {
    constexpr std::uint64_t burst = 32, strided_of_4 = 3;
    Xoshiro256& random = maker_.random();
    if (burst_left_ == 0) {
      burst_left_ = burst;
      burst_space_ = maker_.space(random.below(maker_.spaces()));
      burst_strided_ = random.below(4) < strided_of_4;
      burst_at_ = random.below(slots_) * slot_bytes_;
    }
    --burst_left_;
    space = burst_space_;
    if (!burst_strided_) return random.below(slots_) * slot_bytes_;
    const std::uint64_t at = burst_at_ & ~(slot_bytes_ - 1);
    burst_at_ = (burst_at_ + o_.stride_bytes % o_.window_bytes) % o_.window_bytes;
    return at;
  }

  std::uint64_t stride_offset() {
    const std::uint64_t at = stride_at_ & ~(slot_bytes_ - 1);
    if (++lanes_done_ == maker_.spaces()) {
      lanes_done_ = 0;
      stride_at_ = (stride_at_ + o_.stride_bytes % o_.window_bytes) % o_.window_bytes;
    }
    return at;
  }

  /// May choose another space.
  std::uint64_t offset_of_step(TraceSpace& space, std::uint64_t step) {
    switch (o_.pattern) {
      case Pattern::sequential:
        return step % slots_ * slot_bytes_;
      case Pattern::random:
        return maker_.random().below(slots_) * slot_bytes_;
      case Pattern::zipf:
        return zipf_offset(space);
      case Pattern::gpu:
        return gpu_offset(space);
      case Pattern::stride:
      case Pattern::nvme_ring:
      case Pattern::nic_ring:
        break;
    }
    return stride_offset();
  }

  const GenerateOptions& o_;
  TraceMaker& maker_;
  std::uint64_t slot_bytes_, slots_ = 0, stride_at_ = 0;
  std::uint64_t lanes_done_ = 0;
  std::uint64_t burst_left_ = 0, burst_at_ = 0;
  bool burst_strided_ = false;
  TraceSpace burst_space_{};
  std::vector<std::uint64_t> cumulative_;
};

}  // namespace

std::span<const std::string_view> pattern_names() {
  return names;
}

Pattern parse_pattern(std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    throw TraceError::in_file("PATTERN", "unknown pattern '" + std::string(name) +
                                             "'; it is sequential, random, stride, zipf, nvme-ring, nic-ring or gpu");
  }
  return static_cast<Pattern>(at - names.begin());
}

namespace {

void check_rings(const GenerateOptions& o) {
  if (o.ring_entries < 2 || o.ring_entries > 65536 || !std::has_single_bit(o.ring_entries)) {
    refuse("--ring-entries", "out of range; a power of two, 2 to 65536");
  }
  if (o.io_bytes > access_bytes_max) refuse("--io-size", "out of range; 1 to 1048576 bytes");
  if (o.window_bytes < ring_window_bytes(o)) {
    throw TraceError::in_file(
        "--window", "too small for the rings and buffers; at least " + std::to_string(ring_window_bytes(o)) + " bytes");
  }
}

}  // namespace

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
    refuse("--memory-size", "out of range; a multiple of 4096 bytes up to 2^48");
  }
  if ((o.pattern == Pattern::stride || o.pattern == Pattern::gpu) && o.stride_bytes == 0)
    refuse("--stride", "out of range; at least 1 byte");
  if (o.interval_ns > ~std::uint64_t{0} / 1000 / o.count)
    refuse("--interval-ns", "too long; the last time exceeds 2^64 ps");
  check_rings(o);
  const std::uint64_t spaces = std::uint64_t{o.streams} * std::max(1U, o.pasids);
  if (o.asid + (spaces - 1) > 0xffff) refuse("--asid", "out of range; the last address space's ASID is at most 65535");
}

void generate(const GenerateOptions& options, const std::function<void(const Record&)>& sink) {
  check_options(options);
  TraceMaker maker(options, sink);
  maker.announce();
  if (options.pattern == Pattern::nvme_ring) return generate_nvme_ring(options, maker);
  if (options.pattern == Pattern::nic_ring) return generate_nic_ring(options, maker);
  Generator(options, maker).run();
}

}  // namespace smmusim::trace

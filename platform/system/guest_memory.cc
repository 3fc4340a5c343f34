// SPDX-License-Identifier: MIT
// Guest addresses; see the header.
#include "platform/system/guest_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "platform/config/load.h"
#include "platform/trace/record.h"

namespace smmusim {
namespace {

using Range = ReservedMemory::Range;

constexpr std::uint64_t page_mask = trace::page_bytes - 1;

Range whole_pages(std::uint64_t base, std::uint64_t bytes) {
  const std::uint64_t first = base & ~page_mask;
  return {first, bytes == 0 ? 0 : ((base + bytes + page_mask) & ~page_mask) - first};
}

/// The part of the range that has at most `bits` address bits.
IdentityRange clipped(const Range& range, unsigned bits, bool device) {
  const std::uint64_t limit = std::uint64_t{1} << bits;
  return {range.base, range.base >= limit ? 0 : std::min(range.bytes, limit - range.base), device};
}

/// Where the part of main memory ends that the trace's devices and the driver's tables use.
std::uint64_t end_of_use(const Range& memory, const PlayPlan& plan, const ReservedMemory& tables) {
  return std::max(std::min(plan.outputs_end, memory.base + memory.bytes), tables.base + tables.bytes);
}

bool is_doorbell(const PlatformConfig& config, std::uint64_t page) {
  return page >= config.msi.base && page - config.msi.base < config.msi.size;
}

}  // namespace

Geometry stage2_geometry(const PlatformConfig& config) {
  Geometry geometry;
  for (const NamedSmmu& smmu : config.smmus) {
    geometry.output_bits = std::min(geometry.output_bits, smmu.config.features.oas);
  }
  geometry.input_bits = geometry.output_bits;
  geometry.concatenated = true;
  return geometry;
}

std::vector<Range> usual_outputs(const PlatformConfig& config) {
  if (config.host.mode != HostMode::none) return {whole_pages(config.memory.base, config.memory.size)};
  return {whole_pages(config.memory.base, config.memory.size), whole_pages(config.msi.base, config.msi.size)};
}

std::vector<IdentityRange> guest_addresses(const PlatformConfig& config, const PlayPlan& plan,
                                           const ReservedMemory& tables) {
  if (plan.unusual_pages.size() == unusual_pages_max) {
    throw InputError(
        fmt::format("{}: it outputs to {} pages or more outside main memory and doorbells; nested stages "
                    "take less, use driver.stages = 1 or set memory.base and memory.size around them",
                    config.trace.file, unusual_pages_max));
  }
  const unsigned bits = stage2_geometry(config).input_bits;
  const std::vector<Range> usual = usual_outputs(config);
  const std::uint64_t used_end = end_of_use(usual[0], plan, tables);
  std::vector<IdentityRange> ranges{clipped(whole_pages(usual[0].base, used_end - usual[0].base), bits, false),
                                    clipped(usual[1], bits, true)};
  const std::size_t first_unusual = ranges.size();
  for (const std::uint64_t page : plan.unusual_pages) {
    const bool continues = ranges.size() != first_unusual && ranges.back().base + ranges.back().bytes == page;
    if (page >> bits != 0) continue;
    if (continues) {
      ranges.back().bytes += trace::page_bytes;
    } else {
      ranges.push_back({page, trace::page_bytes, true});
    }
  }
  return ranges;
}

std::vector<nested::GuestRam> guest_ram(const PlatformConfig& config, const PlayPlan& plan,
                                        const ReservedMemory& tables) {
  for (const std::uint64_t page : plan.unusual_pages) {
    if (is_doorbell(config, page)) continue;
    throw InputError(fmt::format(
        "{}: it outputs to 0x{:x}, which is neither main memory nor doorbell, and the host has nothing there; use "
        "host.mode = none, or set memory.base and memory.size around it",
        config.trace.file, page));
  }
  const Range memory = usual_outputs(config)[0];
  const std::uint64_t page = config.host.page_kib * std::uint64_t{1024};
  const std::uint64_t first = memory.base & ~(page - 1);
  const std::uint64_t end = (end_of_use(memory, plan, tables) + page - 1) & ~(page - 1);
  if (first < memory.base || end > memory.base + memory.bytes) {
    throw InputError(
        fmt::format("main memory, 0x{:x} bytes at 0x{:x}, is not made of whole pages of the host "
                    "(host.page_size = {}); change memory.base or memory.size",
                    memory.bytes, memory.base, config.host.page_kib));
  }
  return {{first, end - first, first}};
}

std::vector<std::uint64_t> doorbell_pages(const PlatformConfig& config, const PlayPlan& plan) {
  std::vector<std::uint64_t> pages;
  for (const std::uint64_t page : plan.unusual_pages) {
    if (is_doorbell(config, page)) pages.push_back(page);
  }
  return pages;
}

void require_small_tables(const PlatformConfig& config, const std::vector<IdentityRange>& ranges) {
  constexpr std::uint64_t bytes_max = std::uint64_t{256} << 20;
  const Geometry geometry = stage2_geometry(config);
  const auto needed = [&](Stage2Leaf leaf) {
    return identity_table_bytes(ranges, geometry, static_cast<unsigned>(leaf)) * config.smmus.size();
  };
  const std::uint64_t bytes = needed(config.driver.stage2_leaf);
  if (bytes <= bytes_max) return;
  std::string advice = "let memory.base, driver.tables_base and what the trace outputs lie closer together";
  if (needed(Stage2Leaf::gib1) <= bytes_max) advice = "set driver.stage2_leaf = 1G";
  if (needed(Stage2Leaf::mib2) <= bytes_max) advice = "set driver.stage2_leaf = 2M or 1G";
  throw InputError(
      fmt::format("{}: with driver.stage2_leaf = {} the stage 2 below nested streams needs {} MiB of "
                  "tables, and may have {} MiB; {}",
                  config.trace.file,
                  config.driver.stage2_leaf == Stage2Leaf::kib4   ? "4K"
                  : config.driver.stage2_leaf == Stage2Leaf::mib2 ? "2M"
                                                                  : "1G",
                  (bytes + (1 << 20) - 1) >> 20, bytes_max >> 20, advice));
}

}  // namespace smmusim

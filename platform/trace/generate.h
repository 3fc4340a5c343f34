// SPDX-License-Identifier: MIT
// Synthetic traces. Deterministic: the same options give the same records on every machine (integers only).
//
// Every access carries an oracle, so that a generated trace runs and checks itself like an imported one. Without
// `map_per_io` a page keeps its pair for ever: PA = memory_base + (linear offset modulo memory_bytes). With it, and
// with what rings map for one use, each access is followed by the invalidation of its page (strict mode of an operating
// system), and the next mapping of that page gets another output page, so that a missed invalidation shows as a
// mismatch.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "platform/trace/record.h"

namespace smmusim::trace {

enum class Pattern : std::uint8_t {
  sequential,  ///< one access behind the other, from the window's start again at its end
  random,      ///< uniform over the window
  stride,      ///< `stride_bytes` further each time, modulo the window
  zipf,        ///< the k-th most popular page is chosen in proportion to 1/k (the first 2^20 ranks)
  nvme_ring,   ///< submission and completion queue, PRP lists, data pages that are mapped for one transfer
  nic_ring,    ///< descriptor rings, receive buffers that stay mapped, packets to send that are mapped for one use
  gpu,         ///< bursts of one PASID: three of four go through the window by `stride_bytes`, the others anywhere
};

struct GenerateOptions {
  Pattern pattern = Pattern::sequential;
  std::uint64_t count = 10000;                          ///< accesses in all
  std::uint64_t window_bytes = std::uint64_t{1} << 24;  ///< of each stream; a multiple of 4096
  std::uint32_t size = 64;                              ///< bytes of an access, 1 to 4096, aligned to its power of two
  std::uint32_t read_percent = 50;                      ///< 0 to 100
  std::uint32_t streams = 1;                            ///< round robin; window k lies k windows above base
  std::uint32_t first_stream = 8;                       ///< StreamID of the first; the others follow
  std::uint64_t base = 0x10000000;                      ///< IOVA of the first window; a multiple of 4096
  std::uint64_t stride_bytes = 4096;                    ///< pattern stride
  std::uint64_t memory_base = 0x40000000;               ///< PA; a multiple of 4096
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  ///< a multiple of 4096
  std::uint64_t interval_ns = 100;                      ///< of time stamps
  std::uint64_t seed = 1;
  bool map_per_io = false;  ///< invalidate the page after each access; rings map as devices of their kind do
  /// Address spaces of each stream, PASIDs 1 to `pasids`, which all use the same addresses; 0: no PASIDs.
  std::uint32_t pasids = 0;
  std::uint32_t ring_entries = 256;  ///< of each ring; a power of two, 2 to 65536
  std::uint32_t io_bytes = 0;        ///< of a transfer or packet, up to 1 MiB; 0: 4096 (nvme-ring), 1500 (nic-ring)
  std::uint16_t asid = 1;  ///< of the first address space; the others follow, those of a stream's PASIDs together
};

/// Names of the patterns in the order of Pattern: what `trace gen` takes.
std::span<const std::string_view> pattern_names();
/// Throws TraceError for an unknown name (it lists the known ones).
Pattern parse_pattern(std::string_view name);

/// Throws TraceError (its file is the option's name) for an option out of range.
void check_options(const GenerateOptions& options);

/// Calls `sink` for each record in order. Throws TraceError as check_options.
void generate(const GenerateOptions& options, const std::function<void(const Record&)>& sink);

}  // namespace smmusim::trace

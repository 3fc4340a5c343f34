// SPDX-License-Identifier: MIT
// TraceMaker; see the header.
#include "platform/trace/trace_maker.h"

#include <algorithm>

namespace smmusim::trace {

void TraceMaker::announce() {
  if (options_.pasids == 0) return;
  for (std::uint32_t lane = 0; lane != options_.streams; ++lane) {
    for (std::uint32_t pasid = 0; pasid != options_.pasids; ++pasid) {
      sink_(make_context_change(0, options_.first_stream + lane, pasid + 1, asid({lane, pasid})));
    }
  }
}

void TraceMaker::access(const TraceSpace& space, Op op, std::uint64_t offset, std::uint32_t size, std::uint8_t perm) {
  if (full()) return;
  const std::uint64_t page = linear_page(space, offset);
  const auto at = moved_.find(page);
  const std::uint64_t moved = at == moved_.end() ? 0 : at->second;
  const std::uint64_t memory_pages = options_.memory_bytes / page_bytes;
  const std::uint64_t output_page = (page % memory_pages + moved % memory_pages) % memory_pages;
  const std::uint64_t output = options_.memory_base + output_page * page_bytes + offset % page_bytes;
  time_ps_ = accesses_++ * options_.interval_ns * 1000;
  Record record =
      make_access(time_ps_, op, options_.first_stream + space.lane, iova(space, offset), size, output, perm);
  if (options_.pasids != 0) {
    record.has_substream = true;
    record.substream = space.pasid + 1;
  }
  sink_(record);
}

void TraceMaker::transfer(const TraceSpace& space, Op op, std::uint64_t offset, std::uint64_t bytes,
                          std::uint8_t perm) {
  while (bytes != 0) {
    const std::uint64_t part = std::min(bytes, page_bytes - offset % page_bytes);
    access(space, op, offset, static_cast<std::uint32_t>(part), perm);
    offset += part;
    bytes -= part;
  }
}

void TraceMaker::unmap(const TraceSpace& space, std::uint64_t offset, std::uint64_t pages) {
  const std::uint64_t first = offset & ~std::uint64_t{page_bytes - 1};
  for (std::uint64_t i = 0; i != pages; ++i) ++moved_[linear_page(space, first) + i];
  sink_(make_range_invalidation(time_ps_, asid(space), iova(space, first), pages));
}

}  // namespace smmusim::trace

// SPDX-License-Identifier: MIT
// Patterns of devices that take their work from rings in memory: an NVMe drive and a network adapter. Rings are mapped
// once; data is mapped as Linux's drivers map it: for one transfer, but receive buffers, which are used again.
#include <algorithm>
#include <bit>
#include <vector>

#include "platform/trace/trace_maker.h"

namespace smmusim::trace {
namespace {

constexpr std::uint8_t both = perm_read | perm_write;
constexpr std::uint32_t submission_bytes = 64, completion_bytes = 16;  // entries of NVMe's queues
constexpr std::uint32_t prp_bytes = 8, prps_in_command = 2;
constexpr std::uint64_t list_pages = 16;        // for PRP lists, in turn
constexpr std::uint32_t descriptor_bytes = 16;  // of a usual adapter
constexpr std::uint32_t smallest_receive_buffer = 2048;

constexpr std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

std::uint32_t io_bytes(const GenerateOptions& options) {
  if (options.io_bytes != 0) return options.io_bytes;
  return options.pattern == Pattern::nvme_ring ? 4096 : 1500;
}

/// Where things are in a window.
struct NvmeLayout {
  explicit NvmeLayout(const GenerateOptions& options)
      : completions(whole_pages(std::uint64_t{options.ring_entries} * submission_bytes)),
        lists(completions + whole_pages(std::uint64_t{options.ring_entries} * completion_bytes)),
        data(lists + list_pages * page_bytes) {}
  std::uint64_t completions, lists, data;
};

struct NicLayout {
  explicit NicLayout(const GenerateOptions& options)
      : buffer_bytes(std::bit_ceil(std::max(io_bytes(options), smallest_receive_buffer))),
        send_ring(whole_pages(std::uint64_t{options.ring_entries} * descriptor_bytes)),
        receive_buffers(2 * send_ring),
        data(receive_buffers + whole_pages(std::uint64_t{options.ring_entries} * buffer_bytes)) {}
  std::uint32_t buffer_bytes;
  std::uint64_t send_ring, receive_buffers, data;
};

/// Hands out places for transfers of one size between `first` and the window's end, in turn.
class Places {
 public:
  Places(std::uint64_t first, std::uint64_t end, std::uint64_t bytes) : first_(first), end_(end), bytes_(bytes) {}
  std::uint64_t next() {
    const std::uint64_t place = first_ + at_;
    at_ = place + 2 * bytes_ > end_ ? 0 : at_ + bytes_;
    return place;
  }

 private:
  std::uint64_t first_, end_, bytes_, at_ = 0;
};

}  // namespace

std::uint64_t ring_window_bytes(const GenerateOptions& options) {
  const std::uint64_t data = 2 * whole_pages(io_bytes(options));
  if (options.pattern == Pattern::nvme_ring) return NvmeLayout(options).data + data;
  return options.pattern == Pattern::nic_ring ? NicLayout(options).data + data : 0;
}

void generate_nvme_ring(const GenerateOptions& options, TraceMaker& maker) {
  const NvmeLayout layout(options);
  const std::uint32_t bytes = io_bytes(options);
  const std::uint64_t pages = whole_pages(bytes) / page_bytes;
  std::vector<Places> places(maker.spaces(), {layout.data, options.window_bytes, whole_pages(bytes)});
  for (std::uint64_t i = 0; !maker.full(); ++i) {
    const TraceSpace space = maker.space(i % maker.spaces());
    const std::uint64_t slot = i / maker.spaces() % options.ring_entries;
    const std::uint64_t data = places[i % maker.spaces()].next();
    const bool read_command = maker.draw_read();  // then the device writes memory
    maker.access(space, Op::read, slot * submission_bytes, submission_bytes, both);
    if (pages > prps_in_command) {
      maker.transfer(space, Op::read, layout.lists + slot % list_pages * page_bytes, (pages - 1) * prp_bytes, both);
    }
    maker.transfer(space, read_command ? Op::write : Op::read, data, bytes, read_command ? both : perm_read);
    maker.access(space, Op::write, layout.completions + slot * completion_bytes, completion_bytes, both);
    maker.unmap(space, data, pages);
  }
}

void generate_nic_ring(const GenerateOptions& options, TraceMaker& maker) {
  const NicLayout layout(options);
  const std::uint32_t bytes = io_bytes(options);
  const std::uint64_t pages = whole_pages(bytes) / page_bytes;
  struct Queue {
    Places places;
    std::uint64_t received = 0, sent = 0;
  };
  std::vector<Queue> queues(maker.spaces(), Queue{{layout.data, options.window_bytes, whole_pages(bytes)}});
  for (std::uint64_t i = 0; !maker.full(); ++i) {
    const TraceSpace space = maker.space(i % maker.spaces());
    Queue& queue = queues[i % maker.spaces()];
    const bool sends = maker.draw_read();
    const std::uint64_t slot = (sends ? queue.sent++ : queue.received++) % options.ring_entries;
    const std::uint64_t descriptor = (sends ? layout.send_ring : 0) + slot * descriptor_bytes;
    maker.access(space, Op::read, descriptor, descriptor_bytes, both);
    if (sends) {
      const std::uint64_t packet = queue.places.next();
      maker.transfer(space, Op::read, packet, bytes, perm_read);
      maker.access(space, Op::write, descriptor, descriptor_bytes, both);
      maker.unmap(space, packet, pages);
    } else {
      maker.transfer(space, Op::write, layout.receive_buffers + slot * layout.buffer_bytes, bytes, both);
      maker.access(space, Op::write, descriptor, descriptor_bytes, both);
    }
  }
}

}  // namespace smmusim::trace

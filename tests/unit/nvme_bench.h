// SPDX-License-Identifier: MIT
// NvmeBench: an NVMe controller on an untimed link to a root that has memory and no SMMU, and the least of a driver:
// it puts commands into queues and takes completions out. The test may hold back or refuse any request.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "platform/endpoint/nvme_controller.h"
#include "platform/memory/sparse_memory.h"
#include "platform/pcie/completion.h"

namespace smmusim::platform {

/// The upstream end: memory at 0x40000000, interrupts at `doorbell`.
class MemoryRoot final : public TlpLink::Port {
 public:
  static constexpr std::uint64_t doorbell = 0x0809'0000;
  static constexpr std::uint16_t own_id = 0x0002;

  MemoryRoot(TlpPool& tlps, TlpLink& to, SparseMemory& of) : pool_(tlps), link_(to), memory_(of) {
    link_.connect(TlpLink::upstream, *this);
  }
  void tlp_arrived(Tlp& tlp, TlpLink&) override {
    const Tlp copy = tlp;
    link_.release(TlpLink::upstream, tlp);
    pool_.give(tlp);
    if (holds && holds(copy)) {
      held.push_back(copy);
    } else {
      answer(copy);
    }
  }
  void room_again(FlowClass, TlpLink&) override {}
  void answer_held() {
    for (const Tlp& tlp : std::exchange(held, {})) answer(tlp);
  }

  std::function<bool(const Tlp&)> holds;    ///< answered by answer_held()
  std::function<bool(const Tlp&)> refuses;  ///< as an SMMU that aborts
  std::vector<Tlp> held;
  std::vector<std::uint32_t> interrupts;  ///< their data
  unsigned relaxed_writes = 0;

 private:
  void answer(const Tlp& tlp) {
    const ByteRange bytes = bytes_of(tlp);
    const bool write = tlp.type == TlpType::MWr;
    std::vector<unsigned char> data(bytes.size);
    if (write) std::memcpy(data.data(), tlp.data.data() + bytes.address % 4, bytes.size);
    bool ok = !(refuses && refuses(tlp));
    if (ok && write && bytes.address >= doorbell && bytes.address < doorbell + 0x1000) {
      std::uint32_t value = 0;
      std::memcpy(&value, data.data(), sizeof value);
      interrupts.push_back(value);
    } else if (ok) {
      if (write && tlp.relaxed_ordering) ++relaxed_writes;
      ok = write ? memory_.write(Pa(bytes.address), data.data(), data.size())
                 : memory_.read(Pa(bytes.address), data.data(), data.size());
    }
    if (tlp.watcher != nullptr) {
      tlp.watcher->resolved(tlp.cookie, {.status = ok ? DmaStatus::ok : DmaStatus::aborted});
    }
    if (write) return;
    if (!ok) {
      link_.send(TlpLink::upstream, error_completion(pool_, tlp, own_id, CplStatus::CA));
      return;
    }
    CompletionSplitter splitter(tlp, own_id, {256, 64});
    while (!splitter.done()) link_.send(TlpLink::upstream, splitter.next(pool_, data));
  }

  TlpPool& pool_;
  TlpLink& link_;
  SparseMemory& memory_;
};

struct NvmeBench {
  static constexpr std::uint64_t ram = 0x4000'0000, asq = ram, acq = ram + 0x1'0000, io_queues = ram + 0x10'0000,
                                 buffer = ram + 0x100'0000, lists = ram + 0x200'0000;
  static constexpr unsigned admin_entries = 16;

  struct HostQueue {
    std::uint64_t sq, cq;
    unsigned sq_entries, cq_entries;
    unsigned tail = 0, head = 0;
    bool phase = true;
  };

  Engine engine;
  TlpPool pool;
  SparseMemory memory;
  TlpLink link;
  PcieFunction function;
  MemoryRoot root{pool, link, memory};
  NvmeNamespace blocks;
  NvmeController controller;
  std::vector<HostQueue> queues;
  std::uint16_t next_id = 1;

  explicit NvmeBench(const NvmeConfig& config = {}, std::uint64_t size = 4096) : NvmeBench(config, 9, size) {}
  template <class Blocks>
  NvmeBench(const NvmeConfig& config, unsigned block_bits, const Blocks& of)
      : link(engine, untimed()),
        function(engine, pool, {.requester_id = 0x0108}, nvme_function(config)),
        blocks(block_bits, of),
        controller(engine, function, blocks, config) {
    function.connect(link);
    function.config_space().space().write(0x04, 6, 2);
    function.config_space().space().write(*function.config_space().capability(0x11, false) + 2, 1U << 15, 2);
    for (unsigned vector = 0; vector <= config.io_queues; ++vector) {
      write(0x2000 + 16 * vector, MemoryRoot::doorbell, 8);
      write(0x2000 + 16 * vector + 8, vector, 8);
    }
  }
  static TlpLinkConfig untimed() {
    TlpLinkConfig config;
    config.timed = false;
    config.mps_bytes = 4096;
    config.transmit_queue = 1024;
    for (FlowCredits* credits : {&config.upstream_receiver, &config.downstream_receiver}) *credits = {{0, 0, 0}, {}};
    return config;
  }

  std::uint64_t read(std::uint64_t offset, unsigned size = 4) { return controller.bar_read(0, offset, size); }
  void write(std::uint64_t offset, std::uint64_t value, unsigned size = 4) {
    controller.bar_write(0, offset, value, size);
  }
  std::uint32_t status() { return static_cast<std::uint32_t>(read(nvme::reg::CSTS)); }

  /// CC.EN with the entry sizes; `more` of CC.
  void enable(std::uint32_t more = 0) {
    write(nvme::reg::AQA, (admin_entries - 1) << 16 | (admin_entries - 1));
    write(nvme::reg::ASQ, asq, 8);
    write(nvme::reg::ACQ, acq, 8);
    write(nvme::reg::CC, 1 | 0x46 << 16 | more);
    queues.assign(1, {asq, acq, admin_entries, admin_entries});
    const std::vector<unsigned char> zeros(0x1'0000);
    memory.poke(Pa(acq), zeros.data(), zeros.size());
    memory.poke(Pa(io_queues), zeros.data(), zeros.size());
  }
  nvme::Command command(std::uint8_t opcode, std::uint32_t nsid = 0) {
    nvme::Command made;
    made.set(opcode, next_id++);
    made.dw[1] = nsid;
    return made;
  }
  nvme::Command io(std::uint8_t opcode, std::uint64_t first, std::uint32_t count, std::uint64_t prp1,
                   std::uint64_t prp2 = 0) {
    nvme::Command made = command(opcode, 1);
    made.set_prps(prp1, prp2);
    made.set_blocks(first, count);
    return made;
  }
  void put(unsigned queue, const nvme::Command& what) {
    HostQueue& to = queues.at(queue);
    memory.poke(Pa(to.sq + to.tail * nvme::command_bytes), &what, sizeof what);
    to.tail = (to.tail + 1) % to.sq_entries;
  }
  void ring(unsigned queue) { write(nvme::reg::sq_tail(queue), queues.at(queue).tail); }
  void submit(unsigned queue, const nvme::Command& what) {
    put(queue, what);
    ring(queue);
  }
  void run() {
    engine.run();
    EXPECT_EQ(function.imbalance(), "");
  }
  /// The next completion, if there is one; `release` tells the controller that it was taken.
  std::optional<nvme::Completion> take(unsigned queue, bool release = true) {
    HostQueue& from = queues.at(queue);
    nvme::Completion found;
    memory.peek(Pa(from.cq + from.head * nvme::completion_bytes), &found, sizeof found);
    if (found.phase() != from.phase) return std::nullopt;
    if (++from.head == from.cq_entries) {
      from.head = 0;
      from.phase = !from.phase;
    }
    if (release) write(nvme::reg::cq_head(queue), from.head);
    return found;
  }
  /// Submits, runs, takes: the one completion there is.
  nvme::Completion done(unsigned queue, const nvme::Command& what) {
    submit(queue, what);
    run();
    const std::optional<nvme::Completion> found = take(queue);
    EXPECT_TRUE(found.has_value());
    if (!found) return {};
    EXPECT_EQ(found->command_id, what.id());
    EXPECT_EQ(found->sq, queue);
    return *found;
  }
  nvme::Status status_of(unsigned queue, const nvme::Command& what) { return done(queue, what).status(); }

  nvme::Command create_cq(unsigned id, unsigned entries, unsigned vector, std::uint32_t flags = 3) {
    nvme::Command made = command(nvme::admin::create_cq);
    made.set_prps(io_queues + 0x8000 * id, 0);
    made.dw[10] = (entries - 1) << 16 | id;
    made.dw[11] = vector << 16 | flags;
    return made;
  }
  nvme::Command create_sq(unsigned id, unsigned entries, unsigned completions, std::uint32_t flags = 1) {
    nvme::Command made = command(nvme::admin::create_sq);
    made.set_prps(io_queues + 0x8000 * id + 0x4000, 0);
    made.dw[10] = (entries - 1) << 16 | id;
    made.dw[11] = completions << 16 | flags;
    return made;
  }
  nvme::Command delete_queue(std::uint8_t opcode, unsigned id) {
    nvme::Command made = command(opcode);
    made.dw[10] = id;
    return made;
  }
  /// An I/O queue pair with the vector of its number.
  void create_queues(unsigned id, unsigned entries = 16, unsigned completions = 16) {
    EXPECT_EQ(status_of(0, create_cq(id, completions, id)), nvme::Status::success);
    EXPECT_EQ(status_of(0, create_sq(id, entries, id)), nvme::Status::success);
    queues.resize(std::max<std::size_t>(queues.size(), id + 1));
    queues[id] = {io_queues + 0x8000 * id + 0x4000, io_queues + 0x8000 * id, entries, completions};
  }
  void start() {
    enable();
    create_queues(1);
  }
  std::vector<unsigned char> bytes_at(std::uint64_t address, std::size_t size) {
    std::vector<unsigned char> data(size);
    memory.peek(Pa(address), data.data(), size);
    return data;
  }
  void expect_quiet() {
    EXPECT_TRUE(controller.idle());
    EXPECT_TRUE(function.idle());
    EXPECT_EQ(pool.out(), 0U);
  }
};

inline std::vector<unsigned char> pattern(std::uint64_t tag, std::size_t size) {
  std::vector<unsigned char> data(size);
  fill_pattern(tag, data);
  return data;
}

}  // namespace smmusim::platform

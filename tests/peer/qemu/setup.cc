// SPDX-License-Identifier: MIT
// See setup.h. Each case starts with PROD and CONS of both queues at 0.
#include "tests/peer/qemu/setup.h"

#include <algorithm>
#include <set>

#include "model/spec/command.h"
#include "model/spec/register_offsets.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;
using spec::Command;
using spec::Opcode;

constexpr std::uint32_t smmuen = 1, eventqen = 4, cmdqen = 8;

std::vector<Command> commands() {
  Command all;
  all.set<Command::OP>(Opcode::CMD_CFGI_STE_RANGE).set<Command::Range>(spec::cfgi_all_range);
  Command tlb;
  tlb.set<Command::OP>(Opcode::CMD_TLBI_NSNH_ALL);
  Command sync;
  sync.set<Command::OP>(Opcode::CMD_SYNC);
  return {all, tlb, sync};
}

}  // namespace

std::vector<RegisterWrite> setup_of(const Case& one) {
  return {{reg::CR0, 0, 4},
          {reg::GBPA, one.gbpa | 0x80000000u, 4},
          {reg::CR1, 0x0d75, 4},
          {reg::CR2, one.cr2, 4},
          {reg::CMDQ_BASE, command_queue | command_queue_log2, 8},
          {reg::CMDQ_CONS, 0, 4},
          {reg::CMDQ_PROD, 0, 4},
          {reg::EVENTQ_BASE, event_queue | event_queue_log2, 8},
          {reg::EVENTQ_PROD, 0, 4},
          {reg::EVENTQ_CONS, 0, 4},
          {reg::STRTAB_BASE, one.strtab_base, 8},
          {reg::STRTAB_BASE_CFG, one.strtab_base_cfg, 4},
          {reg::CR0, cmdqen, 4},
          {reg::CMDQ_PROD, commands().size(), 4},
          {reg::CR0, cmdqen | eventqen, 4},
          {reg::CR0, cmdqen | eventqen | (one.enabled ? smmuen : 0), 4}};
}

void load(const Case& one, Ram& ram) {
  for (const auto& [address, word] : one.words) {
    if (Ram::contains(address, 8)) ram.store(address, word);
  }
  std::uint64_t at = command_queue;
  for (const Command& command : commands()) {
    ram.store(at, command.dw[0]);
    ram.store(at + 8, command.dw[1]);
    at += 16;
  }
}

void unload(const Case& one, const std::vector<std::uint64_t>& also, Ram& ram) {
  constexpr std::uint64_t page_mask = ~std::uint64_t{0xfff};
  std::set<std::uint64_t> pages{event_queue, scratch};
  for (const auto& [address, word] : one.words) pages.insert(address & page_mask);
  for (const std::uint64_t address : also) pages.insert(address & page_mask);
  for (const std::uint64_t page : pages) {
    if (Ram::contains(page, 0x1000)) ram.clear_page(page);
  }
}

std::vector<EventRecord> events_in(const Ram& ram, std::uint32_t prod) {
  const std::uint32_t count = std::min(prod & 0xfffff, std::uint32_t{1} << event_queue_log2);
  std::vector<EventRecord> records(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t word = 0; word < 4; ++word) records[i][word] = ram.load(event_queue + 32 * i + 8 * word);
  }
  return records;
}

}  // namespace smmusim::peer

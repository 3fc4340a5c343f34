// SPDX-License-Identifier: MIT
// See scenario_driver.h. Event records are those that an access adds to the Event queue.
#include "tests/peer/qemu/scenario_driver.h"

#include <algorithm>

#include "model/spec/register_offsets.h"
#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

namespace reg = spec::reg;

constexpr std::uint32_t cmdq_error = 1, smmuen = 1, eventqen = 4, cmdqen = 8, bit31 = 0x80000000u;

constexpr std::uint32_t compared[] = {reg::CR0,         reg::CR0ACK,      reg::GBPA,        reg::IRQ_CTRL,
                                      reg::IRQ_CTRLACK, reg::GERROR,      reg::GERRORN,     reg::CMDQ_PROD,
                                      reg::CMDQ_CONS,   reg::EVENTQ_PROD, reg::EVENTQ_CONS, reg::STRTAB_BASE_CFG};

Snapshot snapshot_of(const std::vector<std::uint32_t>& v) {
  return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], 0};
}

}  // namespace

void Driver::start() {
  load(scenario_.image, side_.ram());
  side_.begin();
  for (const RegisterWrite& one : setup_of(scenario_.image)) side_.write(one);
  write(reg::CR0, 0);
  const std::uint32_t flags = scenario_.overflow_flags ? bit31 : 0;
  write(reg::CMDQ_BASE, scenario_command_queue | scenario_.cmdq_log2, 8);
  write(reg::CMDQ_PROD, scenario_.cmdq_index);
  write(reg::CMDQ_CONS, scenario_.cmdq_index);
  write(reg::EVENTQ_BASE, scenario_event_queue | scenario_.eventq_log2, 8);
  write(reg::EVENTQ_PROD, scenario_.eventq_index | flags);
  write(reg::EVENTQ_CONS, scenario_.eventq_index | flags);
  write(reg::CR0, cmdqen | eventqen | (scenario_.image.enabled ? smmuen : 0));
  after = snapshot_of(side_.read(compared));
  after.wires = side_.wires();
}

void Driver::store_command(std::uint32_t index, const spec::Command& command) {
  const std::uint64_t at = scenario_command_queue + 16 * std::uint64_t{index & (index_mask(scenario_.cmdq_log2) >> 1)};
  side_.ram().store(at, command.dw[0]);
  side_.ram().store(at + 8, command.dw[1]);
}

void Driver::submit(const Step& step) {
  const std::uint32_t mask = index_mask(scenario_.cmdq_log2);
  std::uint32_t prod = before.cmdq_prod & mask;
  for (const spec::Command& command : step.commands) {
    if (((prod - before.cmdq_cons) & mask) > mask >> 1) break;  // full
    store_command(prod, command);
    prod = (prod + 1) & mask;
  }
  write(reg::CMDQ_PROD, prod);
}

void Driver::drain(const Step& step) {
  const std::uint32_t mask = index_mask(scenario_.eventq_log2);
  const std::uint32_t used = (before.eventq_prod - before.eventq_cons) & mask;
  const std::uint32_t moved = (before.eventq_cons + std::min(used, step.count)) & mask;
  write(reg::EVENTQ_CONS, moved | (before.eventq_prod & bit31));
  after.eventq_cons = moved | (before.eventq_prod & bit31);
}

/// Every word that an access may write gets its value back, so that the next one shows.
void Driver::put_back(const Access& access) {
  const std::uint64_t offset = access.address & 0xff8;
  for (const std::uint64_t page : scenario_.targets)
    side_.ram().store(page + offset, scenario_.image.word(page + offset));
}

void Driver::access(const Step& step) {
  after = snapshot_of(side_.access(step.access, compared, seen));
  after.wires = side_.wires();
  collect();
  outcome = {seen.landed, 0, seen.read, seen.events};
  const std::uint64_t offset = step.access.address & 0xff8;
  for (unsigned i = 0; i < scenario_.targets.size(); ++i) {
    const std::uint64_t at = scenario_.targets[i] + offset;
    if (side_.ram().load(at) != scenario_.image.word(at)) outcome.target |= 1u << i;
  }
}

void Driver::collect() {
  const std::uint32_t mask = index_mask(scenario_.eventq_log2);
  for (std::uint32_t at = before.eventq_prod & mask; at != (after.eventq_prod & mask); at = (at + 1) & mask) {
    EventRecord record;
    for (unsigned word = 0; word < 4; ++word) {
      record[word] = side_.ram().load(scenario_event_queue + 32 * std::uint64_t{at & (mask >> 1)} + 8 * word);
    }
    seen.events.push_back(record);
  }
}

void Driver::step(const Step& step) {
  before = after;
  after.wires = 0;
  if (last_access_ != nullptr) put_back(*last_access_);
  last_access_ = step.what == Do::access ? &step.access : nullptr;
  seen = {};
  outcome = {};
  const std::uint32_t mask = index_mask(scenario_.cmdq_log2);
  const bool error = (before.active() & cmdq_error) != 0;
  switch (step.what) {
    case Do::access:
      return access(step);
    case Do::store:
      for (const auto& [address, word] : step.stores) side_.ram().store(address, word);
      return;
    case Do::submit:
      submit(step);
      break;
    case Do::write:
      write(step.offset, step.value, step.bytes);
      break;
    case Do::acknowledge:
      write(reg::GERRORN, before.gerror);
      break;
    case Do::repair:
      if (error) store_command(before.cmdq_cons & mask, step.commands.at(0));
      break;
    case Do::withdraw:
      if (error) write(reg::CMDQ_PROD, before.cmdq_cons & mask);
      break;
    case Do::drain:
      drain(step);
      if (scenario_.kind == Kind::invalidation) return;  // a round trip less
      break;
  }
  after = snapshot_of(side_.read(compared));
  after.wires = side_.wires();
}

}  // namespace smmusim::peer

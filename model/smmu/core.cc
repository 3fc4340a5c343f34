// SPDX-License-Identifier: MIT
// Puts the parts together, and the few things that concern several of them: CR0ACK, invalidation of every cache.
#include "model/smmu/core.h"

#include "model/smmu/acceleration.h"
#include "model/smmu/grants.h"
#include "model/smmu/own_access.h"
#include "model/vmsa/attributes.h"

namespace smmusim {
namespace {

constexpr std::uint64_t cycle_ps(unsigned clock_mhz) {
  return (1'000'000u + clock_mhz - 1) / clock_mhz;
}

// Bits of the nibble of a cacheable type.
constexpr unsigned read_allocate = 2;
constexpr unsigned write_allocate = 1;

/// CR1.*_IC, *_OC, *_SH (6.3.11): 0 NC, 1 WB, 2 WT, 3 as 0. A cacheable type lacks the hint `withheld`.
MemoryAttributes cr1_attributes(unsigned inner, unsigned outer, unsigned sh, unsigned withheld) {
  constexpr std::uint8_t nibble[4] = {0x4, 0xf, 0xb, 0x4};
  const auto hinted = [withheld](unsigned one) { return one == 0x4 ? one : one & ~withheld; };
  const auto type = static_cast<std::uint8_t>(hinted(nibble[outer & 3]) << 4 | hinted(nibble[inner & 3]));
  return {type, effective_shareability(type, sh)};
}

MemoryAttributes cr1_queue_attributes(const RegisterFile& regs, unsigned withheld) {
  const auto cr1 = as<spec::CR1>(regs.cr1);
  return cr1_attributes(cr1.get<spec::CR1::QUEUE_IC>(), cr1.get<spec::CR1::QUEUE_OC>(),
                        static_cast<unsigned>(cr1.get<spec::CR1::QUEUE_SH>()), withheld);
}

}  // namespace

Tcu::Tcu(Scope& scope, const SmmuConfig& config)
    : config_cache(config.tcu.config_cache, config.seed + 100),
      tlb(config.tcu.tlb, config.seed + 101),
      walk_cache(config.tcu.walk_cache, config.seed + 102),
      ipa_cache(config.tcu.ipa_cache, config.seed + 103),
      walkers(scope, config.tcu.walkers),
      walk_done(scope) {}

Core::Core(Engine& engine, MemoryPort& memory_port, MemoryPort* debug_port, Observer* watcher, const SmmuConfig& cfg)
    : config(cfg),
      ids(spec::id_registers(cfg.features)),
      beyond_oas(~low_mask(cfg.features.oas)),
      shows_access(cfg.features.version_minor <= 3),
      clock{cfg.timed ? cycle_ps(cfg.tcu.clock_mhz) : 0},
      lookup_time(clock.cycles(cfg.tcu.config_cycles + cfg.tcu.tlb_cycles)),
      walk_cache_time(clock.cycles(cfg.tcu.walk_cache_cycles)),
      ipa_cache_time(clock.cycles(cfg.tcu.ipa_cache_cycles)),
      walk_step_time(clock.cycles(cfg.tcu.walk_step_cycles)),
      lifetime(engine),
      memory(memory_port),
      debug_memory(debug_port != nullptr ? *debug_port : memory_port),
      observer(watcher),
      interrupts(*this),
      event_queue(*this),
      pri_queue(*this),
      atc_invalidations(*this),
      command_queue(*this),
      tcu(lifetime, config),
      stalls(*this),
      accelerator_progress(lifetime) {
  for (unsigned n = 0; n < config.tbus; ++n) {
    tbus.push_back(std::make_unique<Tbu>(*this, config.tbu, config.seed + 10 * (n + 1)));
  }
}

MemoryAttributes Core::table_attributes() const {
  const auto cr1 = as<spec::CR1>(regs.cr1);
  const bool allocates = as<spec::STRTAB_BASE>(regs.strtab_base).get<spec::STRTAB_BASE::RA>();
  return cr1_attributes(cr1.get<spec::CR1::TABLE_IC>(), cr1.get<spec::CR1::TABLE_OC>(),
                        static_cast<unsigned>(cr1.get<spec::CR1::TABLE_SH>()), allocates ? 0 : read_allocate);
}

MemoryAttributes Core::command_queue_attributes() const {
  const bool allocates = as<spec::CMDQ_BASE>(regs.cmdq_base).get<spec::CMDQ_BASE::RA>();
  return cr1_queue_attributes(regs, allocates ? 0 : read_allocate);
}

MemoryAttributes Core::output_queue_attributes(std::uint64_t base) const {
  const bool allocates = as<spec::EVENTQ_BASE>(base).get<spec::EVENTQ_BASE::WA>();
  return cr1_queue_attributes(regs, allocates ? 0 : write_allocate);
}

bool reachable_window(const Core& core, MemoryPort& port, Pa address, ReadWindow& window) {
  if (!port.read_window(address, window)) {
    window.size = 0;
    return false;
  }
  const std::uint64_t last = window.first + window.size - 1;
  const std::uint64_t frame = core.config.frame_base.value;
  const bool holds_frame = window.first < frame + core.config.frame_bytes && frame <= last;
  if (holds_frame || ((window.first | last) & core.beyond_oas) != 0) window.size = 0;
  return window.holds(address);
}

void update_cr0ack(Core& core) {
  using spec::CR0;
  std::uint64_t ack = core.regs.cr0;
  const std::uint64_t still_on = core.regs.cr0ack & ~core.regs.cr0;
  if (core.command_queue.busy()) ack |= still_on & CR0::CMDQEN::mask;
  if (core.event_queue.busy()) ack |= still_on & CR0::EVENTQEN::mask;
  // The effective PRIQEN falls with SMMUEN, too (6.3.9.5).
  if (core.pri_queue.owes()) ack |= still_on & (CR0::PRIQEN::mask | CR0::SMMUEN::mask);
  // With SMMUEN = 0 no structure is read, nothing is cached or marked (6.3.9.6): what began before has to end first.
  if ((still_on & CR0::SMMUEN::mask) != 0 && core.tcu.in_flight.open() != 0) ack |= CR0::SMMUEN::mask;
  if (!accelerator_settled(core)) ack = (ack & ~CR0::SMMUEN::mask) | (core.regs.cr0ack & CR0::SMMUEN::mask);
  core.regs.cr0ack = ack;
}

void end_in_tcu(Core& core, InFlight::Token token) {
  core.tcu.in_flight.end(token);
  if (core.regs.cr0ack != core.regs.cr0) update_cr0ack(core);
}

void invalidate(Core& core, const TlbInvalidation& what) {
  core.tcu.tlb.invalidate(what);
  core.tcu.walk_cache.invalidate(what);
  core.tcu.ipa_cache.invalidate(what);
  core.tcu.in_flight.note(what);
  for (const auto& tbu : core.tbus) tbu->micro_tlb.invalidate(what);
  revoke_grants(core);
}

void invalidate(Core& core, const ConfigInvalidation& what) {
  core.tcu.config_cache.invalidate(what);
  core.tcu.in_flight.note(what);
  for (const auto& tbu : core.tbus) tbu->stream_cache.invalidate(what);
  revoke_grants(core);
}

}  // namespace smmusim

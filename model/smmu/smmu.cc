// SPDX-License-Identifier: MIT
// The public face: every call goes straight to the part that does the work.
#include "model/smmu/smmu.h"

#include "model/smmu/acceleration.h"
#include "model/smmu/ats.h"
#include "model/smmu/core.h"
#include "model/smmu/register_map.h"
#include "model/smmu/translate.h"

namespace smmusim {
namespace {

const SmmuConfig& checked(const SmmuConfig& config) {
  require_valid(config);
  return config;
}

}  // namespace

Smmu::Smmu(Engine& engine, MemoryPort& memory, Observer* observer, const SmmuConfig& config, MemoryPort* debug_memory)
    : core_(std::make_unique<Core>(engine, memory, debug_memory, observer, checked(config))) {
  reset_registers(*core_);
}

Smmu::~Smmu() {
  core_->memory.abandon(core_->lifetime);
  core_->lifetime.cancel();
}

void Smmu::reset() {
  Core& core = *core_;
  core.memory.abandon(core.lifetime);
  core.requests.abort_all(core.lifetime.engine());
  core.stalls.reset();
  core.lifetime.cancel();
  core.interrupts.reset();
  core.event_queue.reset();
  core.pri_queue.reset();
  core.atc_invalidations.reset();
  core.command_queue.reset();
  core.tcu.config_cache.clear();
  core.tcu.tlb.clear();
  core.tcu.walk_cache.clear();
  core.tcu.ipa_cache.clear();
  core.tcu.in_flight.clear();
  for (const auto& tbu : core.tbus) tbu->reset();
  reset_registers(core);
  accelerate_registers(core);
  revoke_grants(core);
}

std::uint64_t Smmu::read_register(std::uint32_t offset, unsigned size) {
  return read_mmio(*core_, offset, size);
}

void Smmu::write_register(std::uint32_t offset, std::uint64_t value, unsigned size) {
  write_mmio(*core_, offset, value, size);
  core_->pri_queue.resume();
}

bool Smmu::submit(unsigned tbu, TranslationRequest& request) {
  SMMUSIM_CHECK(tbu < core_->tbus.size());
  if (!core_->config.timed) {
    core_->pri_queue.resume();
    request.response = translate_now(*core_, *core_->tbus[tbu], request.transaction);
    request.ticket = 0;
    if (request.response.outcome != Outcome::stalled) {
      count_response(*core_, request.transaction, request.response);
      return true;
    }
  }
  if (request.transaction.unusual()) request.transaction = taken(*core_, as_it_counts(request.transaction));
  core_->requests.admit(*core_, request);
  spawn(core_->lifetime, core_->tbus[tbu]->serve(request));
  return false;
}

void Smmu::retire(TranslationRequest& request) {
  core_->requests.retire(*core_, request);
}

void Smmu::on_atc_invalidate(std::function<void(const AtcInvalidate&)> receiver, bool answer_later) {
  core_->atc_invalidations.set_send(std::move(receiver), answer_later);
}
void Smmu::on_page_response(std::function<void(const PageResponse&)> receiver) {
  core_->pri_queue.set_send(std::move(receiver));
}
void Smmu::atc_invalidation_completed(std::uint32_t tag) {
  core_->atc_invalidations.completed(tag);
}
bool Smmu::page_request(const PageRequest& request) {
  return core_->pri_queue.receive(request);
}

void Smmu::accelerate(Accelerator* accelerator) {
  core_->accelerator = accelerator;
  accelerate_registers(*core_);
}
void Smmu::accelerator_progressed() {
  core_->accelerator_progress.open();
  core_->command_queue.progress();
  update_cr0ack(*core_);
}
void Smmu::record_event(const spec::Event& event) {
  spawn(core_->lifetime, record_foreign(*core_, event));
}
void Smmu::events_lost() {
  core_->event_queue.lost_before();
}

unsigned Smmu::take_interrupts() {
  return core_->interrupts.take_wires();
}

const unsigned& Smmu::waiting_interrupts() const {
  return core_->interrupts.wires();
}

const SmmuConfig& Smmu::config() const {
  return core_->config;
}
bool Smmu::observed() const {
  return core_->observer != nullptr;
}
const SmmuCounters& Smmu::counters() const {
  return core_->counters;
}

CacheCounters Smmu::cache_counters(CacheId cache) const {
  CacheCounters sum;
  switch (cache) {
    case CacheId::config_cache:
      return core_->tcu.config_cache.counters();
    case CacheId::tlb:
      return core_->tcu.tlb.counters();
    case CacheId::walk_cache:
      return core_->tcu.walk_cache.counters();
    case CacheId::ipa_cache:
      return core_->tcu.ipa_cache.counters();
    case CacheId::micro_tlb:
      for (const auto& tbu : core_->tbus) sum += tbu->micro_tlb.counters();
      return sum;
    case CacheId::stream_cache:
      for (const auto& tbu : core_->tbus) sum += tbu->stream_cache.counters();
      return sum;
  }
  return sum;
}

void Smmu::reset_counters() {
  core_->counters = {};
  core_->tcu.config_cache.reset_counters();
  core_->tcu.tlb.reset_counters();
  core_->tcu.walk_cache.reset_counters();
  core_->tcu.ipa_cache.reset_counters();
  for (const auto& tbu : core_->tbus) {
    tbu->micro_tlb.reset_counters();
    tbu->stream_cache.reset_counters();
  }
}

bool Smmu::idle() const {
  return core_->requests.idle() && core_->stalls.idle() && !core_->command_queue.busy() && !core_->event_queue.busy() &&
         !core_->pri_queue.busy() && core_->interrupts.idle() && core_->tcu.in_flight.open() == 0;
}

}  // namespace smmusim

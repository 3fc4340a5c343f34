// SPDX-License-Identifier: MIT
// The DMA engine of a PcieFunction: from queued work to TLPs. What has something to send waits in one of two lists, by
// the class of its TLPs, so that reads without tags or credits do not hold up writes.
#include "platform/endpoint/pcie_function.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "platform/pcie/completion.h"

namespace smmusim::platform {
namespace {

constexpr std::uint32_t page_bytes = 4096;
constexpr std::uint32_t doubleword = 4;
constexpr unsigned posted_list = 0, non_posted_list = 1;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::invalid_argument(what);
}

const PcieFunctionConfig& checked(const PcieFunctionConfig& config) {
  require(config.outstanding >= 1 && config.outstanding <= 0xffff,
          "endpoint.outstanding is " + std::to_string(config.outstanding) + "; give 1 to 65535");
  require(config.queue_max != 0, "endpoint.queue_max is 0; give at least 1");
  require(config.transfer_bytes_max != 0, "endpoint.transfer_bytes_max is 0; give at least 1");
  require(config.tags >= 1 && config.tags <= 256,
          "endpoint.tags is " + std::to_string(config.tags) + "; give 1 to 256");
  require(config.dma_engine.copy_bytes != 0, "endpoint.copy_bytes is 0; give at least 1");
  require(config.translations >= 1 && config.translations <= 1024,
          "endpoint.atc_requests is " + std::to_string(config.translations) + "; give 1 to 1024");
  return config;
}

bool needs_completion(const DmaWork& work) {
  return !work.write || work.atomic;
}

TlpType type_of(const DmaWork& work) {
  if (!work.atomic) return work.write ? TlpType::MWr : TlpType::MRd;
  return work.atomic_op == AtomicOp::fetch_add ? TlpType::FetchAdd
         : work.atomic_op == AtomicOp::swap    ? TlpType::Swap
                                               : TlpType::CAS;
}

unsigned list_of(const DmaWork& work) {
  return needs_completion(work) ? non_posted_list : posted_list;
}

}  // namespace

FunctionCounters& FunctionCounters::operator+=(const FunctionCounters& other) {
  read_requests += other.read_requests;
  write_requests += other.write_requests;
  atomic_requests += other.atomic_requests;
  translation_requests += other.translation_requests;
  prefetches += other.prefetches;
  merged += other.merged;
  translation_completions += other.translation_completions;
  translation_time += other.translation_time;
  stale_completions += other.stale_completions;
  invalidate_requests += other.invalidate_requests;
  invalidate_completions += other.invalidate_completions;
  invalidate_unsupported += other.invalidate_unsupported;
  invalidate_ignored += other.invalidate_ignored;
  page_requests += other.page_requests;
  page_responses += other.page_responses;
  page_failures += other.page_failures;
  page_abandoned += other.page_abandoned;
  page_time += other.page_time;
  stop_markers += other.stop_markers;
  no_permission += other.no_permission;
  unexpected += other.unexpected;
  unsupported += other.unsupported;
  malformed += other.malformed;
  completion_timeouts += other.completion_timeouts;
  return *this;
}

void PcieFunction::AccessList::push(Access& access) {
  access.next_access = nullptr;
  (first == nullptr ? first : last->next_access) = &access;
  last = &access;
}

void PcieFunction::AccessList::push_front(Access& access) {
  access.next_access = first;
  first = &access;
  if (access.next_access == nullptr) last = &access;
}

PcieFunction::Access& PcieFunction::AccessList::pop() {
  Access& access = *first;
  first = access.next_access;
  return access;
}

PcieFunction::PcieFunction(Engine& engine, TlpPool& pool, const PcieFunctionConfig& config,
                           const FunctionDescription& description)
    : engine_(engine),
      pool_(pool),
      config_(checked(config)),
      dma_engine_limits_(config.dma_engine.limits()),
      function_(description),
      atc_(config.atc, config.seed),
      scope_(engine),
      queue_(config.queue_max),
      requests_(config.tags),
      translations_(config.translations),
      pages_(description.pri ? std::min<std::uint32_t>(description.pri->outstanding_capacity, page_groups) : 0) {
  for (unsigned i = 0; i != config.outstanding; ++i) {
    Access& access = *accesses_.emplace_back(std::make_unique<Access>());
    access.function = this;
    access.scope = &scope_;
    access.index = i;
    free_.push_back(&access);
  }
  for (unsigned i = config.tags; i != 0; --i) free_tags_.push_back(static_cast<std::uint16_t>(i - 1));
  for (Invalidation& invalidation : invalidations_) {
    invalidation.function = this;
    invalidation.scope = &scope_;
    invalidation.fire = &invalidation_due;
  }
  work_node_.function = this;
  work_node_.scope = &scope_;
  work_node_.fire = &work_due;
  timeout_node_.function = this;
  timeout_node_.scope = &scope_;
  timeout_node_.fire = &timeouts_due;
  if (const auto ats = function_.capability(ats_capability_id, true)) {
    function_.space().on_write(static_cast<std::uint16_t>(*ats + 4), [this] { ats_switched(); });
  }
}

PcieFunction::~PcieFunction() = default;

void PcieFunction::connect(TlpLink& link) {
  link_ = &link;
  link.connect(TlpLink::downstream, *this);
}

bool PcieFunction::push(const DmaWork& work, std::span<const unsigned char> data) {
  // The sentences are made only when they are needed.
  if (work.size == 0 || work.size > config_.transfer_bytes_max) {
    throw std::invalid_argument("a DMA access of " + std::to_string(work.size) + " bytes; give 1 to " +
                                std::to_string(config_.transfer_bytes_max));
  }
  if (!data.empty() && data.size() != work.data_bytes()) {
    throw std::invalid_argument("a write's data has to be as long as the access, of a compare-and-swap twice that");
  }
  if (queued_ == queue_.size()) return false;
  Queued& queued = queue_[(head_ + queued_++) % queue_.size()];
  queued.work = work;
  queued.data.assign(data.begin(), data.end());
  if (working_) {
    again_ = true;
  } else if (!free_.empty()) {
    work_later(engine_.now());
  }
  return true;
}

bool PcieFunction::idle() const {
  return queued_ == 0 && in_flight_ == 0 && tags_out_ == 0 && invalidation_order_.empty() && held_.empty() &&
         answers_.empty() && stop_markers_.empty();
}

std::string PcieFunction::imbalance() const {
  if (dma_.issued != dma_.completed + in_flight_) return "accesses issued are not completed + outstanding";
  if (atc_.counters().misses != counters_.translation_requests + counters_.merged + unasked_) {
    return "ATC misses are not translation requests + merged";
  }
  const std::uint64_t waiting = invalidation_order_.size() + held_.size();
  const std::uint64_t ended =
      counters_.invalidate_completions + counters_.invalidate_unsupported + counters_.invalidate_ignored;
  if (counters_.invalidate_requests != ended + waiting) {
    return "invalidate requests are not completed + outstanding";
  }
  const auto out = static_cast<std::uint64_t>(
      std::count_if(pages_.begin(), pages_.end(), [](const PageWait& page) { return page.sent; }));
  if (counters_.page_requests != counters_.page_responses + counters_.page_abandoned + out) {
    return "page requests are not responses + given up + outstanding";
  }
  return {};
}

void PcieFunction::work_later(Time when) {
  if (work_node_.waiting) return;
  work_node_.waiting = true;
  engine_.schedule_at(std::max(when, engine_.now()), work_node_);
}

void PcieFunction::work_due(EventNode& node) {
  auto& self = static_cast<WorkNode&>(node);
  self.waiting = false;
  self.function->in_turn([] {});
}

/// Sends what can be sent; messages first, since others wait for them.
void PcieFunction::work() {
  do {
    again_ = false;
    bool any = has_messages() && send_messages();
    any |= !unsent_translations_.empty() && send_translations();
    any |= send_accesses(posted_list, FlowClass::posted);
    any |= send_accesses(non_posted_list, FlowClass::non_posted);
    any |= start_access();
    again_ |= any;
  } while (again_);
}

bool PcieFunction::start_access() {
  if (queued_ == 0 || free_.empty()) return false;
  if (engine_.now() < next_issue_) {
    work_later(next_issue_);
    return false;
  }
  Access& access = *free_.back();
  free_.pop_back();
  Queued& next = queue_[head_];
  next_issue_ = engine_.now() + (dma_engine_limits_ ? dma_engine_time(next.work) : config_.issue_interval_ps);
  if (++head_ == queue_.size()) head_ = 0;
  --queued_;
  begin(access, next);
  return true;
}

void PcieFunction::begin(Access& access, Queued& queued) {
  const DmaWork& work = queued.work;
  access.work = work;
  access.issued_at = engine_.now();
  access.next = access.open = 0;
  access.status = DmaStatus::ok;
  access.result = {};
  access.grant.reset();
  access.asks_alone = false;
  access.atc = AtcUse::none;
  access.waited = 0;
  access.page_requests = 0;
  ++access.generation;
  ++in_flight_;
  ++dma_.issued;
  if (queued.data.empty()) {
    const std::uint32_t answer = work.ats == AtsType::translation_request ? translation_entry_bytes : 0;
    access.buffer.resize(std::max<std::size_t>(access.buffer.size(), std::max(work.data_bytes(), answer)));
    if (work.write) fill_pattern(work.tag, std::span(access.buffer.data(), work.data_bytes()));
  } else {
    access.buffer = std::move(queued.data);
  }
  if (!may_do(work)) {
    access.status = DmaStatus::refused;
    access.next = work.size;
    finish(access);
  } else if (config_.request_ps == 0) {
    make_ready(access);
  } else {
    access.fire = [](EventNode& node) {
      auto& self = static_cast<Access&>(node);
      self.function->in_turn([&] { self.function->make_ready(self); });
    };
    engine_.schedule_in(config_.request_ps, access);
  }
}

/// What software has not switched on, a device that tells the truth does not do.
bool PcieFunction::may_do(const DmaWork& work) const {
  constexpr std::uint32_t operand_max = 8;
  if (!function_.bus_master()) return false;
  if (work.substream_valid && (!function_.pasid_enabled() || !fits(work.substream_id.value, function_.pasid_bits()))) {
    return false;
  }
  if (work.address.value + (work.size - 1) < work.address.value) return false;
  if (!work.atomic) return true;
  const bool aligned = (work.address.value & (work.size - 1)) == 0;
  const bool sized = work.size == operand_max || work.size == operand_max / 2 ||
                     (work.size == 2 * operand_max && work.atomic_op == AtomicOp::compare_and_swap);
  return aligned && sized && function_.atomic_requester();
}

void PcieFunction::make_ready(Access& access) {
  ready_[list_of(access.work)].push(access);
}

bool PcieFunction::may_send(FlowClass flow_class) const {
  if (!link_->room(TlpLink::downstream, flow_class)) return false;
  if (flow_class != FlowClass::non_posted) return true;
  constexpr unsigned tags_without_extension = 32;
  return !free_tags_.empty() &&
         (function_.extended_tags() || tags_out_ + retired_tags_.size() < tags_without_extension);
}

bool PcieFunction::send_accesses(unsigned list, FlowClass flow_class) {
  bool any = false;
  while (!ready_[list].empty() && may_send(flow_class)) {
    any = true;
    Access& access = ready_[list].pop();
    if (send_next(access) && access.next != access.work.size) ready_[list].push_front(access);
  }
  return any;
}

std::uint32_t PcieFunction::chunk_of(const Access& access) const {
  const DmaWork& work = access.work;
  if (work.ats == AtsType::translation_request) return work.size;
  const std::uint64_t address = work.address.value + access.next;
  const std::uint32_t most = needs_completion(work) ? function_.max_read_request() : function_.max_payload();
  const std::uint32_t in_page = page_bytes - static_cast<std::uint32_t>(address % page_bytes);
  return std::min({work.size - access.next, in_page, most - static_cast<std::uint32_t>(address % doubleword)});
}

/// True if a TLP of the access has left; false if the access has something to wait for, or has lost this part.
bool PcieFunction::send_next(Access& access) {
  const std::uint64_t address = access.work.address.value + access.next;
  if (access.work.ats == AtsType::translation_request) {
    send_raw_translation_request(access);
    return true;
  }
  AtcEntry entry;
  const Way way = translate(access, address, entry);
  if (way == Way::waits) return false;
  const std::uint64_t out = way == Way::translated ? entry.translated + (address - entry.page) : address;
  send_request(access, chunk_of(access), out, way == Way::translated);
  return true;
}

void PcieFunction::put_address(Tlp& tlp, std::uint64_t address, std::uint32_t size) const {
  tlp.requester_id = config_.requester_id;
  put_bytes(tlp, {address, size});
}

void PcieFunction::send_request(Access& access, std::uint32_t size, std::uint64_t address, bool translated) {
  const DmaWork& work = access.work;
  Tlp& tlp = pool_.take();
  tlp.type = type_of(work);
  put_address(tlp, address, size);
  tlp.at = translated ? AddressType::translated : AddressType::untranslated;
  if (!translated) tlp.pasid = prefix_of(work);
  tlp.relaxed_ordering = work.relaxed_ordering && function_.relaxed_ordering();
  tlp.id_ordering = function_.id_ordering();
  tlp.watcher = this;
  tlp.cookie = std::uint64_t{access.generation} << 48 | std::uint64_t{access.index} << 32 | access.next;
  if (work.write) {
    if (tlp.type == TlpType::CAS) tlp.length_dw = static_cast<std::uint16_t>(2 * tlp.length_dw);
    tlp.data.assign(tlp.length_dw * doubleword, 0);
    std::memcpy(tlp.data.data() + address % doubleword, access.buffer.data() + access.next,
                tlp.type == TlpType::CAS ? 2 * size : size);
  }
  ++(work.atomic ? counters_.atomic_requests : work.write ? counters_.write_requests : counters_.read_requests);
  if (needs_completion(work)) {
    const std::uint64_t untranslated = work.address.value + access.next;
    tlp.tag = take_tag({&access, nullptr, access.next, size, 0, translated, context_of(work), untranslated, 0});
  }
  access.next += size;
  ++access.open;
  link_->send(TlpLink::downstream, tlp);
}

/// A Translation Request that is the access itself, not a step of it: the ATC has no part in it.
void PcieFunction::send_raw_translation_request(Access& access) {
  Tlp& tlp = pool_.take();
  put_translation_request(tlp, access.work.address.value & ~low_mask(function_.stu_bits()), !access.work.write,
                          prefix_of(access.work));
  tlp.tag = take_tag({&access, nullptr, 0, translation_entry_bytes, 0, false, context_of(access.work), 0, 0});
  access.next = access.work.size;
  ++access.open;
  link_->send(TlpLink::downstream, tlp);
}

std::uint16_t PcieFunction::take_tag(const Request& request) {
  const std::uint16_t tag = free_tags_.back();
  free_tags_.pop_back();
  ++tags_out_;
  requests_[tag] = request;
  requests_[tag].sent_at = engine_.now();
  if (config_.completion_timeout_ps != 0) watch_timeouts(engine_.now() + config_.completion_timeout_ps);
  return tag;
}

void PcieFunction::end_request(std::uint16_t tag) {
  forget_request(tag);
  free_tags_.push_back(tag);
}

void PcieFunction::forget_request(std::uint16_t tag) {
  Request& request = requests_[tag];
  for (std::uint32_t left = request.holds_back; left != 0; left &= left - 1) {
    --invalidations_[static_cast<unsigned>(std::countr_zero(left))].waits;
  }
  request = {};
  --tags_out_;
}

/// The part that would come next can't be done.
void PcieFunction::lose_part(Access& access, DmaStatus status) {
  if (access.status == DmaStatus::ok) access.status = status;
  access.next += chunk_of(access);
  if (access.next != access.work.size) {
    make_ready(access);
  } else if (access.open == 0) {
    finish(access);
  }
}

void PcieFunction::end_part(Access& access) {
  --access.open;
  if (access.open != 0 || access.next != access.work.size) return;
  const Time rest = needs_completion(access.work) ? config_.completion_ps + copy_time(access.work) : 0;
  if (rest == 0) {
    finish(access);
    return;
  }
  access.fire = [](EventNode& node) {
    auto& self = static_cast<Access&>(node);
    self.function->in_turn([&] { self.function->finish(self); });
  };
  engine_.schedule_in(rest, access);
}

/// That its data need between link and device.
Time PcieFunction::copy_time(const DmaWork& work) const {
  if (config_.dma_engine.copy_gbps == 0) return 0;
  constexpr Time ps_per_byte = 8'000;  // at 10^9 bits a second
  const Time units = (work.size + config_.dma_engine.copy_bytes - 1) / config_.dma_engine.copy_bytes;
  return units * config_.dma_engine.copy_bytes * ps_per_byte / config_.dma_engine.copy_gbps;
}

/// From the start of an access to that of the next.
Time PcieFunction::dma_engine_time(const DmaWork& work) const {
  const bool read = needs_completion(work);
  const std::uint32_t most = read ? function_.max_read_request() : function_.max_payload();
  const Time requests = (work.size + most - 1) / most;
  const Time busy = requests * (read ? config_.dma_engine.read_request_ps : config_.dma_engine.write_request_ps);
  return std::max({config_.issue_interval_ps, read ? 0 : config_.dma_engine.write_interval_ps, busy + copy_time(work)});
}

void PcieFunction::finish(Access& access) {
  const DmaWork& work = access.work;
  ++dma_.completed;
  const bool fine = access.status == DmaStatus::ok;
  if (fine) {
    dma_.bytes += work.size;
  } else {
    ++dma_.failed;
  }
  const std::size_t read_bytes = fine && needs_completion(work) ? work.size : 0;
  if (handler_) {
    handler_({work, access.status, access.issued_at, engine_.now(), access.result, access.atc,
              std::span<const unsigned char>(access.buffer.data(), read_bytes)});
  }
  --in_flight_;
  free_.push_back(&access);
  again_ = true;
}

void PcieFunction::resolved(std::uint64_t cookie, const RequestResult& result) {
  Access& access = *accesses_[cookie >> 32 & 0xffff];
  if (static_cast<std::uint16_t>(cookie >> 48) != access.generation) return;  // the access has timed out
  const bool first = static_cast<std::uint32_t>(cookie) == 0;
  RequestResult& noted = access.result;
  if (first) {
    noted.translated = result.translated;
    noted.address = result.address;
  }
  if (first || (noted.outcome == Outcome::proceed && result.outcome != Outcome::proceed)) {
    noted.outcome = result.outcome;
    noted.event = result.event;
  }
  noted.reach = std::max(noted.reach, result.reach);
  noted.translation_time = access.waited + result.translation_time;
  noted.memory_time = result.memory_time;
  if (access.status == DmaStatus::ok) access.status = result.status;
  if (needs_completion(access.work)) return;  // that ends with its last completion
  in_turn([&] { end_part(access); });
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// ATS and PRI of a PcieFunction (PCI Express Base, chapter 10): which accesses go out translated, what is asked for,
// what an invalidation covers. An answer that was asked for before an invalidation arrived which covers it is not used;
// an Invalidate Completion waits for the reads that went out with what it covers, and follows the writes.
#include <algorithm>

#include "platform/endpoint/pcie_function.h"
#include "platform/pcie/messages.h"

namespace smmusim::platform {
namespace {

/// `execute`: the request says so; one that may not is a plain read.
bool permits(const AtcEntry& entry, const DmaWork& work, bool execute) {
  if (work.atomic) return entry.read && entry.write;
  if (work.write) return entry.write;
  return execute ? entry.execute : entry.read;
}

AtcRange range_of(const InvalidateRequest& request) {
  const std::uint64_t first = request.range.address;
  return {first, first | low_mask(request.range.span_bits), request.pasid.present, request.pasid.pasid, request.global};
}

}  // namespace

AtcContext PcieFunction::context_of(const DmaWork& work) const {
  if (!work.substream_valid) return {};
  return {true, work.substream_id.value, work.privileged && function_.pasid_privileged()};
}

PasidPrefix PcieFunction::prefix_of(const DmaWork& work) const {
  const AtcContext context = context_of(work);
  return {context.pasid_valid, context.pasid, context.privileged,
          context.pasid_valid && work.instruction && function_.pasid_execute()};
}

bool PcieFunction::goes_untranslated(const Access& access, std::uint64_t address) const {
  if (!function_.ats_enabled() || access.work.interrupt) return true;
  return access.work.write && address >= config_.untranslated_base &&
         address - config_.untranslated_base < config_.untranslated_bytes;
}

PcieFunction::Way PcieFunction::translate(Access& access, std::uint64_t address, AtcEntry& entry) {
  if (access.work.ats == AtsType::translated) {
    entry.page = entry.translated = address;
    return Way::translated;
  }
  if (goes_untranslated(access, address)) return Way::untranslated;
  std::optional<AtcEntry> found = access.grant;
  if (found) access.waited += engine_.now() - access.waits_since;
  access.grant.reset();
  if (!found) {
    const AtcContext context = context_of(access.work);
    found = atc_.find(context, address);
    const bool hit = found && permits(*found, access.work, prefix_of(access.work).execute);
    atc_.count(hit);
    access.atc = std::max(access.atc, hit ? AtcUse::hit : AtcUse::requested);
    if (!hit) {
      access.waits_since = engine_.now();
      ask(access);
      return Way::waits;
    }
  }
  if (found->untranslated_only) return Way::untranslated;
  entry = *found;
  return Way::translated;
}

std::uint64_t PcieFunction::unit_of(std::uint64_t address) const {
  return address & ~low_mask(function_.stu_bits());
}

PcieFunction::Translation* PcieFunction::request_for(const AtcContext& context, std::uint64_t page, bool write,
                                                     bool execute) {
  for (Translation& known : translations_) {
    if (!known.used || known.page != page || known.context != context || known.execute != execute) continue;
    const bool too_old = std::any_of(known.invalidated.begin(), known.invalidated.end(), [&](const AtcRange& range) {
      return range.covers(context, 0, ~std::uint64_t{0});
    });
    if (!too_old && !(write && known.no_write)) return &known;
  }
  return nullptr;
}

PcieFunction::Translation* PcieFunction::new_request(const AtcContext& context, std::uint64_t page, bool write,
                                                     bool execute) {
  if (translations_out_ == translations_.size()) return nullptr;
  auto free = std::find_if(translations_.begin(), translations_.end(), [](const Translation& t) { return !t.used; });
  free->used = true;
  free->context = context;
  free->page = page;
  free->no_write = !write;
  free->execute = execute;
  ++translations_out_;
  unsent_translations_.push_back(&*free);
  return &*free;
}

/// The access waits for its next part's translation: one under way, or a new one.
void PcieFunction::ask(Access& access) {
  const DmaWork& work = access.work;
  const AtcContext context = context_of(work);
  const std::uint64_t page = unit_of(work.address.value + access.next);
  const bool execute = prefix_of(work).execute;
  Translation* translation = access.asks_alone ? nullptr : request_for(context, page, work.write, execute);
  access.merged = translation != nullptr;
  if (access.merged) {
    ++counters_.merged;
  } else {
    translation = new_request(context, page, work.write, execute);
    if (translation == nullptr) {
      wait_translation_.push(access);
      ++unasked_;
      return;
    }
    access.asks_alone = false;
    ++counters_.translation_requests;
    prefetch(context, page, work.write, execute);
  }
  translation->waiters.push(access);
}

void PcieFunction::prefetch(const AtcContext& context, std::uint64_t page, bool write, bool execute) {
  for (unsigned i = 1; i <= config_.prefetch_pages; ++i) {
    const std::uint64_t ahead = page + (std::uint64_t{i} << function_.stu_bits());
    if (ahead < page || atc_.find(context, ahead) || request_for(context, ahead, write, execute) != nullptr) continue;
    if (new_request(context, ahead, write, execute) == nullptr) return;
    ++counters_.prefetches;
  }
}

bool PcieFunction::send_translations() {
  bool any = false;
  while (!unsent_translations_.empty() && may_send(FlowClass::non_posted)) {
    Translation& translation = *unsent_translations_.front();
    unsent_translations_.pop_front();
    translation.sent_at = engine_.now();
    Tlp& tlp = pool_.take();
    const AtcContext& context = translation.context;
    put_translation_request(tlp, translation.page, translation.no_write,
                            {context.pasid_valid, context.pasid, context.privileged, translation.execute});
    tlp.tag = take_tag({nullptr, &translation, 0, translation_entry_bytes, 0, false, context, 0, 0});
    link_->send(TlpLink::downstream, tlp);
    any = true;
  }
  return any;
}

void PcieFunction::put_translation_request(Tlp& tlp, std::uint64_t page, bool no_write,
                                           const PasidPrefix& pasid) const {
  constexpr std::uint16_t entry_dw = translation_entry_bytes / 4;
  tlp.type = TlpType::MRd;
  tlp.at = AddressType::translation_request;
  tlp.requester_id = config_.requester_id;
  tlp.address = page;
  tlp.length_dw = entry_dw;
  tlp.first_be = tlp.last_be = 0xf;
  tlp.no_write = no_write;
  tlp.pasid = pasid;
}

/// What a Translation Completion says of `page`; nothing unless it is a success that can be true.
std::optional<AtcEntry> PcieFunction::entry_of(const Tlp& tlp, const AtcContext& context, std::uint64_t page) {
  constexpr unsigned page_bits_most = 63;
  if (tlp.status != CplStatus::SC) return std::nullopt;
  if (tlp.type != TlpType::CplD || tlp.data.size() != translation_entry_bytes) {
    ++counters_.unexpected;
    return std::nullopt;
  }
  const TranslationEntry said = translation_entry(tlp, 0);
  const bool permitted = said.read || said.write;
  // Without a permission the size says nothing; less than was asked for would leave part of the unit without an answer.
  const unsigned bits = permitted ? said.range.span_bits : function_.stu_bits();
  if (bits > page_bits_most || bits < function_.stu_bits()) {
    ++counters_.unexpected;
    return std::nullopt;
  }
  AtcEntry entry;
  entry.context = context;
  entry.page_bits = static_cast<std::uint8_t>(bits);
  entry.page = page & ~low_mask(bits);
  entry.translated = said.range.address;
  entry.read = said.read;
  entry.write = said.write;
  entry.execute = said.execute;
  entry.global = said.global && context.pasid_valid;
  entry.untranslated_only = said.untranslated_only;
  return entry;
}

void PcieFunction::translation_completed(Translation& translation, const Tlp& tlp) {
  ++counters_.translation_completions;
  counters_.translation_time += engine_.now() - translation.sent_at;
  end_translation(translation, entry_of(tlp, translation.context, translation.page));
}

/// Without an entry: there is no answer, or none that can be true.
void PcieFunction::end_translation(Translation& translation, const std::optional<AtcEntry>& entry) {
  const bool stale = entry && std::any_of(translation.invalidated.begin(), translation.invalidated.end(),
                                          [&](const AtcRange& range) { return range.covers(*entry); });
  AccessList waiters = translation.waiters;
  const std::uint64_t page = translation.page;
  translation = {};
  --translations_out_;
  if (stale) {
    ++counters_.stale_completions;
    while (!waiters.empty()) make_ready(waiters.pop());
  } else {
    if (entry && (entry->read || entry->write)) atc_.fill(*entry, page);
    while (!waiters.empty()) answer(waiters.pop(), entry);
  }
  AccessList unasked = wait_translation_;
  wait_translation_ = {};
  unasked_ = 0;
  while (!unasked.empty()) ask_again(unasked.pop());
}

/// There was no room for its request; meanwhile another's answer may have come, which counts as a merge.
void PcieFunction::ask_again(Access& access) {
  const std::optional<AtcEntry> known = atc_.find(context_of(access.work), access.work.address.value + access.next);
  if (!known || !permits(*known, access.work, prefix_of(access.work).execute)) {
    ask(access);
    return;
  }
  ++counters_.merged;
  access.grant = *known;
  make_ready(access);
}

/// A request that was sent before this access began may have found the page as it was before: its refusal says nothing,
/// so the access asks itself.
void PcieFunction::answer(Access& access, const std::optional<AtcEntry>& entry) {
  if (!entry) {
    lose_part(access, DmaStatus::aborted);
  } else if (entry->untranslated_only || permits(*entry, access.work, prefix_of(access.work).execute)) {
    access.grant = *entry;
    make_ready(access);
  } else if (access.merged) {
    access.asks_alone = true;
    make_ready(access);
  } else if (function_.pri_enabled() && function_.pri_allocation() != 0 &&
             access.page_requests < config_.page_retries) {
    ++access.page_requests;
    access.atc = AtcUse::paged;
    ask_for_page(access);
  } else {
    ++counters_.no_permission;
    lose_part(access, DmaStatus::aborted);
  }
}

void PcieFunction::note_raw_translation(Access& access, const Tlp& tlp) {
  const std::optional<AtcEntry> entry = entry_of(tlp, {}, access.work.address.value);
  access.result.outcome = Outcome::ats_completion;
  access.result.translated = entry && (entry->read || entry->write);
  if (entry) access.result.address = Pa(entry->translated + (access.work.address.value - entry->page));
}

void PcieFunction::ask_for_page(Access& access) {
  const DmaWork& work = access.work;
  if (function_.pri_failed()) {
    ++counters_.no_permission;
    lose_part(access, DmaStatus::aborted);
    return;
  }
  const AtcContext context = context_of(work);
  const std::uint64_t page = (work.address.value + access.next) & ~low_mask(page_bits_smallest);
  const bool execute = prefix_of(work).execute;
  for (PageWait& known : pages_) {
    if (known.used && known.page == page && known.context == context && known.execute == execute &&
        (known.write || !work.write)) {
      known.waiters.push(access);
      return;
    }
  }
  const std::size_t allowed = std::min<std::size_t>(pages_.size(), function_.pri_allocation());
  for (std::size_t i = 0; i != allowed; ++i) {
    PageWait& free = pages_[i];
    if (free.used) continue;
    free.used = true;
    free.context = context;
    free.page = page;
    free.write = work.write;
    free.execute = execute;
    free.waiters.push(access);
    unsent_pages_.push_back(static_cast<unsigned>(i));
    return;
  }
  wait_page_.push(access);
}

/// A function that requires the PASID in responses compares it.
bool PcieFunction::answers(const PageWait& page, const PrgResponse& response) const {
  if (!page.sent) return false;
  if (!function_.pri_response_pasid() || !page.context.pasid_valid) return true;
  return response.pasid.present && response.pasid.pasid == page.context.pasid;
}

void PcieFunction::page_response(const Tlp& tlp) {
  const PrgResponse response = prg_response(tlp);
  if (response.group >= pages_.size() || !answers(pages_[response.group], response)) {
    ++counters_.unexpected;
    if (!function_.pri_failed()) function_.report(PriStatus::unexpected_index);  // after a failure they are expected
    return;
  }
  ++counters_.page_responses;
  PageWait& page = pages_[response.group];
  counters_.page_time += engine_.now() - page.sent_at;
  constexpr unsigned response_success = 0, response_invalid = 1;  // all others are Response Failure
  if (response.code == response_success) {
    AccessList waiters = page.waiters;
    page = {};
    while (!waiters.empty()) make_ready(waiters.pop());
  } else {
    ++counters_.page_failures;
    fail_page(page);
  }
  if (response.code > response_invalid) {
    function_.report(PriStatus::response_failure);
    for (PageWait& other : pages_) {
      if (other.sent) ++counters_.page_abandoned;
      if (other.used) fail_page(other);
    }
    unsent_pages_.clear();
  }
  AccessList waiting = wait_page_;
  wait_page_ = {};
  while (!waiting.empty()) ask_for_page(waiting.pop());
}

void PcieFunction::fail_page(PageWait& page) {
  AccessList waiters = page.waiters;
  page = {};
  while (!waiters.empty()) {
    ++counters_.no_permission;
    lose_part(waiters.pop(), DmaStatus::aborted);
  }
}

void PcieFunction::stop_pasid(std::uint32_t pasid) {
  in_turn([&] { stop_markers_.push_back(pasid); });
}

void PcieFunction::invalidate(Tlp& tlp) {
  ++counters_.invalidate_requests;
  if (!function_.ats_enabled()) {
    ++counters_.invalidate_unsupported;
    if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::refused});
    give_back(tlp);
    return;
  }
  if (config_.never_completes_invalidations) {
    ++counters_.invalidate_ignored;
    drop_translations(range_of(invalidate_request(tlp)));
    give_back(tlp);
    return;
  }
  if (invalidation_order_.size() == function_.invalidate_queue_depth()) {
    held_.push(tlp);  // its credits stay with it
    return;
  }
  begin_invalidation(tlp);
}

void PcieFunction::begin_invalidation(Tlp& tlp) {
  const auto free = std::find_if(invalidations_.begin(), invalidations_.end(), [](const auto& i) { return !i.used; });
  const InvalidateRequest request = invalidate_request(tlp);
  free->used = true;
  free->done = false;
  free->waits = 0;
  free->target = tlp.requester_id;
  free->itag = request.itag;
  free->range = range_of(request);
  invalidation_order_.push_back(static_cast<unsigned>(free - invalidations_.begin()));
  give_back(tlp);
  atc_busy_until_ = std::max(atc_busy_until_, engine_.now()) + config_.invalidate_ps;
  engine_.schedule_at(atc_busy_until_, *free);
}

void PcieFunction::invalidation_due(EventNode& node) {
  auto& invalidation = static_cast<Invalidation&>(node);
  invalidation.function->in_turn([&] { invalidation.function->drop_covered(invalidation); });
}

void PcieFunction::drop_covered(Invalidation& invalidation) {
  const AtcRange& range = invalidation.range;
  drop_translations(range);
  const std::uint32_t bit = 1U << (&invalidation - invalidations_.data());
  for (Request& request : requests_) {
    if (request.access == nullptr || !request.translated || (request.holds_back & bit) != 0) continue;
    if (!range.covers(request.context, request.address, request.address + (request.size - 1))) continue;
    request.holds_back |= bit;
    ++invalidation.waits;
  }
  invalidation.done = true;
}

/// What is known, what is about to be used, and what is being asked for.
void PcieFunction::drop_translations(const AtcRange& range) {
  atc_.invalidate(range);
  for (const auto& access : accesses_) {
    if (access->grant && range.covers(*access->grant)) access->grant.reset();
  }
  for (Translation& translation : translations_) {
    // How much an answer will hold, and whether for every PASID, is not known yet.
    if (translation.used && translation.context.pasid_valid == (range.pasid_valid || range.global)) {
      translation.invalidated.push_back(range);
    }
  }
}

/// Software has switched ATS off: nothing that was known, or is still to be answered, counts when it is on again.
void PcieFunction::ats_switched() {
  if (function_.ats_enabled()) return;
  drop_translations({});
  drop_translations({.global = true});
}

template <class Message>
void PcieFunction::send_message(const Message& message) {
  Tlp& tlp = pool_.take();
  put(tlp, message);
  link_->send(TlpLink::downstream, tlp);
}

/// Everything posted that is not DMA, and the answers to who reads the BARs.
bool PcieFunction::send_messages() {
  bool any = send_invalidate_completions();
  any |= send_page_requests();
  while (!stop_markers_.empty() && may_send(FlowClass::posted)) {
    send_message(PageRequestMessage{
        config_.requester_id, {true, stop_markers_.front(), false, false}, 0, 0, true, false, false});
    stop_markers_.pop_front();
    ++counters_.stop_markers;
    any = true;
  }
  while (!answers_.empty() && may_send(FlowClass::completion)) {
    link_->send(TlpLink::downstream, answers_.pop());
    any = true;
  }
  return any;
}

bool PcieFunction::send_invalidate_completions() {
  bool any = false;
  for (std::size_t i = 0; i != invalidation_order_.size();) {
    Invalidation& invalidation = invalidations_[invalidation_order_[i]];
    if (!invalidation.done || invalidation.waits != 0 || !may_send(FlowClass::posted)) {
      ++i;
      continue;
    }
    send_message(InvalidateCompletion{config_.requester_id, invalidation.target, 1U << invalidation.itag, 1});
    ++counters_.invalidate_completions;
    invalidation.used = false;
    invalidation_order_.erase(invalidation_order_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!held_.empty()) begin_invalidation(held_.pop());
    any = true;
  }
  return any;
}

bool PcieFunction::send_page_requests() {
  bool any = false;
  while (!unsent_pages_.empty() && may_send(FlowClass::posted)) {
    const unsigned group = unsent_pages_.front();
    unsent_pages_.pop_front();
    PageWait& page = pages_[group];
    page.sent = true;
    page.sent_at = engine_.now();
    const AtcContext& context = page.context;
    send_message(PageRequestMessage{config_.requester_id,
                                    {context.pasid_valid, context.pasid, context.privileged, page.execute},
                                    page.page,
                                    group,
                                    true,
                                    page.write,
                                    true});
    ++counters_.page_requests;
    any = true;
  }
  return any;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// What arrives at a PcieFunction: completions of its requests, messages of ATS and PRI, requests to its BARs.
#include <algorithm>
#include <cstring>

#include "platform/endpoint/pcie_function.h"
#include "platform/pcie/completion.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/tlp_rules.h"

namespace smmusim::platform {

void PcieFunction::tlp_arrived(Tlp& tlp, TlpLink&) {
  in_turn([&] {
    if (tlp.is_completion()) {
      completion(tlp);
      give_back(tlp);
    } else {
      request_or_message(tlp);
    }
  });
}

void PcieFunction::request_or_message(Tlp& tlp) {
  const TlpFault fault = judge(tlp, {});
  if (fault != TlpFault::none && rule_of(fault).handling == TlpHandling::malformed) {
    ++counters_.malformed;
    if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::refused});
    give_back(tlp);
  } else if (fault != TlpFault::none) {
    refuse(tlp);
  } else if (!tlp.is_message()) {
    bar_access(tlp);
  } else if (tlp.message == MessageCode::Invalidate_Request) {
    invalidate(tlp);
  } else if (tlp.message == MessageCode::PRG_Response) {
    page_response(tlp);
    give_back(tlp);
  } else {
    refuse(tlp);
  }
}

void PcieFunction::room_again(FlowClass, TlpLink&) {
  in_turn([] {});
}

void PcieFunction::give_back(Tlp& tlp) {
  link_->release(TlpLink::downstream, tlp);
  pool_.give(tlp);
}

/// A completion that nobody waits for is dropped (section 2.3.2): Unexpected Completion. One that is not what comes
/// next of its request ends it as well: what is missing will not come.
void PcieFunction::completion(const Tlp& tlp) {
  Request* request =
      tlp.requester_id == config_.requester_id && tlp.tag < requests_.size() ? &requests_[tlp.tag] : nullptr;
  if (request == nullptr || (request->access == nullptr && request->translation == nullptr)) {
    ++counters_.unexpected;
    return;
  }
  if (request->translation != nullptr) {
    translation_completed(*request->translation, tlp);
    end_request(tlp.tag);
    return;
  }
  Access& access = *request->access;
  if (tlp.status != CplStatus::SC) {
    if (access.status == DmaStatus::ok) access.status = DmaStatus::aborted;
  } else if (!take_data(*request, tlp)) {
    ++counters_.unexpected;
    if (access.status == DmaStatus::ok) access.status = DmaStatus::aborted;
  } else if (request->received != request->size) {
    return;
  }
  if (access.work.ats == AtsType::translation_request) note_raw_translation(access, tlp);
  end_request(tlp.tag);
  end_part(access);
}

/// False: these are not the bytes that come next.
bool PcieFunction::take_data(Request& request, const Tlp& tlp) {
  const CompletionPart part = tlp.type == TlpType::CplD ? part_of(tlp) : CompletionPart{};
  const std::uint32_t left = request.size - request.received;
  if (part.size == 0 || tlp.byte_count != left) return false;
  std::memcpy(request.access->buffer.data() + request.offset + request.received, tlp.data.data() + part.skip,
              part.size);
  request.received += part.size;
  return true;
}

// --- Completion Timeout (section 2.8) --------------------------------------------------------------------------------

/// One event for all: it looks at what is out when the oldest could be due, and comes again if there is more.
void PcieFunction::watch_timeouts(Time when) {
  if (timeout_node_.waiting) return;
  timeout_node_.waiting = true;
  engine_.schedule_at(when, timeout_node_);
}

void PcieFunction::timeouts_due(EventNode& node) {
  auto& self = static_cast<WorkNode&>(node);
  self.waiting = false;
  self.function->in_turn([&] { self.function->look_for_timeouts(); });
}

void PcieFunction::look_for_timeouts() {
  const Time now = engine_.now();
  Time next = time_never;
  while (!retired_tags_.empty() && retired_tags_.front().until <= now) {
    free_tags_.push_back(retired_tags_.front().tag);
    retired_tags_.pop_front();
  }
  for (std::size_t tag = 0; tag != requests_.size(); ++tag) {
    const Request& request = requests_[tag];
    if (request.access == nullptr && request.translation == nullptr) continue;
    const Time due = request.sent_at + config_.completion_timeout_ps;
    if (due > now) {
      next = std::min(next, due);
    } else {
      give_up(static_cast<std::uint16_t>(tag));
    }
  }
  if (!retired_tags_.empty()) next = std::min(next, retired_tags_.front().until);
  if (next != time_never) watch_timeouts(next);
}

/// The tag is not used for another request while its completion may still be on its way.
void PcieFunction::give_up(std::uint16_t tag) {
  ++counters_.completion_timeouts;
  const Request request = requests_[tag];
  forget_request(tag);
  retired_tags_.push_back({engine_.now() + config_.completion_timeout_ps, tag});
  if (request.translation != nullptr) {
    end_translation(*request.translation, std::nullopt);
    return;
  }
  if (request.access->status == DmaStatus::ok) request.access->status = DmaStatus::aborted;
  end_part(*request.access);
}

// --- Requests --------------------------------------------------------------------------------------------------------

void PcieFunction::refuse(Tlp& tlp) {
  ++counters_.unsupported;
  if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::address_error});
  if (tlp.flow_class() == FlowClass::non_posted) {
    answers_.push(error_completion(pool_, tlp, config_.requester_id, CplStatus::UR));
  }
  give_back(tlp);
}

/// Requests to the BARs, a peer's or the CPU's.
void PcieFunction::bar_access(Tlp& tlp) {
  const std::optional<BarOffset> hit = function_.bar_at(tlp.address, tlp.length_dw * 4U);
  const bool read = tlp.type == TlpType::MRd && !tlp.is_translation_request();
  if (!hit || bars_ == nullptr || (!read && tlp.type != TlpType::MWr)) {
    refuse(tlp);
    return;
  }
  if (read) {
    const std::vector<unsigned char> data = read_bar(*hit, tlp);
    const CompletionLimits limits{function_.max_payload(), function_.max_payload()};
    CompletionSplitter splitter(tlp, config_.requester_id, limits);
    while (!splitter.done()) answers_.push(splitter.next(pool_, data));
  } else {
    write_bar(*hit, tlp);
  }
  if (tlp.watcher != nullptr) {
    tlp.watcher->resolved(tlp.cookie,
                          {.translated = true, .address = Pa(bytes_of(tlp).address), .outcome = Outcome::proceed});
  }
  give_back(tlp);
}

/// The bytes from the first to the last that the request enables.
std::vector<unsigned char> PcieFunction::read_bar(const BarOffset& hit, const Tlp& tlp) {
  const ByteRange bytes = bytes_of(tlp);
  std::vector<unsigned char> data(bytes.size);
  if (enables_nothing(tlp)) return data;
  const std::uint64_t first = hit.offset + (bytes.address - tlp.address);
  for (std::uint32_t at = 0; at != bytes.size;) {
    unsigned step = 8;
    while ((first + at) % step != 0 || step > bytes.size - at) step /= 2;
    const std::uint64_t value = bars_->bar_read(hit.bar, first + at, step);
    std::memcpy(data.data() + at, &value, step);
    at += step;
  }
  return data;
}

/// Only the bytes that the request enables, in steps as large as they are aligned.
void PcieFunction::write_bar(const BarOffset& hit, const Tlp& tlp) {
  const std::uint32_t end = tlp.length_dw * 4U;
  const auto enabled = [&](std::uint32_t from, unsigned size) {
    for (std::uint32_t at = from; at != from + size; ++at) {
      const unsigned enables = at < 4 ? tlp.first_be : at + 4 >= end ? tlp.last_be : 0xfU;
      if ((enables >> at % 4 & 1) == 0) return false;
    }
    return true;
  };
  for (std::uint32_t at = 0; at < end;) {
    unsigned step = 8;
    while (step > 1 && ((hit.offset + at) % step != 0 || step > end - at || !enabled(at, step))) step /= 2;
    if (enabled(at, step)) {
      std::uint64_t value = 0;
      std::memcpy(&value, tlp.data.data() + at, step);
      bars_->bar_write(hit.bar, hit.offset + at, value, step);
    }
    at += step;
  }
}

}  // namespace smmusim::platform

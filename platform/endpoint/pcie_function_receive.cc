// SPDX-License-Identifier: MIT
// What arrives at a PcieFunction: completions of its requests, messages of ATS and PRI, requests to its BARs.
#include <algorithm>
#include <cstring>

#include "platform/endpoint/pcie_function.h"
#include "platform/pcie/completion.h"
#include "platform/pcie/messages.h"

namespace smmusim::platform {

void PcieFunction::tlp_arrived(Tlp& tlp, TlpLink&) {
  in_turn([&] {
    if (tlp.is_completion()) {
      completion(tlp);
      give_back(tlp);
    } else if (tlp.is_message() && tlp.message == MessageCode::Invalidate_Request) {
      invalidate(tlp);
    } else if (tlp.is_message()) {
      if (tlp.message == MessageCode::PRG_Response) {
        page_response(tlp);
      } else {
        ++counters_.unsupported;
      }
      give_back(tlp);
    } else {
      bar_access(tlp);
    }
  });
}

void PcieFunction::room_again(FlowClass, TlpLink&) {
  in_turn([] {});
}

void PcieFunction::give_back(Tlp& tlp) {
  link_->release(TlpLink::downstream, tlp);
  pool_.give(tlp);
}

/// A completion that nobody waits for, or that says more than was asked, is dropped (section 2.3.2): Unexpected
/// Completion.
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
  if (tlp.status != CplStatus::SC || tlp.type != TlpType::CplD) {
    if (access.status == DmaStatus::ok) access.status = DmaStatus::aborted;
  } else {
    const CompletionPart part = part_of(tlp);
    if (part.size > request->size - request->received) {
      ++counters_.unexpected;
      return;
    }
    std::memcpy(access.buffer.data() + request->offset + request->received, tlp.data.data() + part.skip, part.size);
    request->received += part.size;
    if (request->received != request->size) return;
  }
  if (access.work.ats == AtsType::translation_request) note_raw_translation(access, tlp);
  end_request(tlp.tag);
  end_part(access);
}

/// Requests to the BARs, a peer's or the CPU's.
void PcieFunction::bar_access(Tlp& tlp) {
  const std::optional<BarHit> hit = find_bar(tlp);
  const bool read = tlp.type == TlpType::MRd && tlp.at != AddressType::translation_request;
  if (!hit || bars_ == nullptr || (!read && tlp.type != TlpType::MWr)) {
    ++counters_.unsupported;
    if (tlp.watcher != nullptr) tlp.watcher->resolved(tlp.cookie, {.status = DmaStatus::address_error});
    if (tlp.flow_class() == FlowClass::non_posted)
      answers_.push(error_completion(pool_, tlp, config_.requester_id, CplStatus::UR));
    give_back(tlp);
    return;
  }
  const ByteRange bytes = bytes_of(tlp);
  std::vector<unsigned char> data(bytes.size);
  if (!read) std::memcpy(data.data(), tlp.data.data() + bytes.address % 4, bytes.size);
  for (std::uint32_t at = 0; at != bytes.size;) {
    const std::uint64_t offset = hit->offset + at;
    unsigned step = 8;
    while (offset % step != 0 || step > bytes.size - at) step /= 2;
    if (read) {
      const std::uint64_t value = bars_->bar_read(hit->bar, offset, step);
      std::memcpy(data.data() + at, &value, step);
    } else {
      std::uint64_t value = 0;
      std::memcpy(&value, data.data() + at, step);
      bars_->bar_write(hit->bar, offset, value, step);
    }
    at += step;
  }
  if (tlp.watcher != nullptr)
    tlp.watcher->resolved(tlp.cookie, {.translated = true, .address = Pa(bytes.address), .outcome = Outcome::proceed});
  if (read) {
    const CompletionLimits limits{function_.max_payload(), function_.max_payload()};
    CompletionSplitter splitter(tlp, config_.requester_id, limits);
    while (!splitter.done()) answers_.push(splitter.next(pool_, data));
  }
  give_back(tlp);
}

std::optional<PcieFunction::BarHit> PcieFunction::find_bar(const Tlp& tlp) const {
  if (!function_.memory_space()) return std::nullopt;
  for (unsigned bar = 0; bar != 6; ++bar) {
    const auto base = function_.bar_address(bar);
    if (base && tlp.address >= *base && tlp.address - *base < function_.bar_bytes(bar)) {
      return BarHit{bar, bytes_of(tlp).address - *base};
    }
  }
  return std::nullopt;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// From payloads to TLPs, and from completions to responses.
#include "platform/pcie/payload_requester.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "platform/pcie/completion.h"

namespace smmusim::platform {

using systemc::PcieAttributes;
using systemc::PcieStatus;
using tlm::tlm_generic_payload;

namespace {

constexpr std::uint32_t page_bytes = 4096, doubleword = 4;
constexpr unsigned tags_max = 1024;

const PayloadRequesterConfig& checked(const PayloadRequesterConfig& config) {
  if (config.tags == 0 || config.tags > tags_max) {
    throw std::invalid_argument("a requester has " + std::to_string(config.tags) + " tags; give 1 to 1024");
  }
  return config;
}

bool is_enabled(const tlm_generic_payload& payload, std::uint32_t at) {
  const unsigned char* enables = payload.get_byte_enable_ptr();
  return enables == nullptr || enables[at % payload.get_byte_enable_length()] != TLM_BYTE_DISABLED;
}

PcieStatus status_of(CplStatus status) {
  return status == CplStatus::SC   ? PcieStatus::success
         : status == CplStatus::UR ? PcieStatus::unsupported_request
                                   : PcieStatus::completer_abort;
}

PcieStatus status_of(DmaStatus status) {
  return status == DmaStatus::ok              ? PcieStatus::success
         : status == DmaStatus::address_error ? PcieStatus::unsupported_request
                                              : PcieStatus::completer_abort;
}

tlm::tlm_response_status response_of(PcieStatus status) {
  return status == PcieStatus::success               ? tlm::TLM_OK_RESPONSE
         : status == PcieStatus::unsupported_request ? tlm::TLM_ADDRESS_ERROR_RESPONSE
                                                     : tlm::TLM_GENERIC_ERROR_RESPONSE;
}

bool is_operand(const tlm_generic_payload& payload) {
  const std::uint32_t size = payload.get_data_length();
  return payload.is_write() && payload.get_byte_enable_ptr() == nullptr && (size == 4 || size == 8) &&
         payload.get_address() % size == 0;
}

bool is_translation(const tlm_generic_payload& payload) {
  constexpr std::uint32_t entry_bytes = 8, completion_boundary = 64;
  const std::uint32_t size = payload.get_data_length();
  return payload.is_read() && size % entry_bytes == 0 && size <= completion_boundary &&
         payload.get_address() % doubleword == 0;
}

}  // namespace

PayloadRequester::PayloadRequester(Engine& engine, TlpPool& pool, const PayloadRequesterConfig& config, Ended ended)
    : engine_(engine),
      pool_(pool),
      config_(checked(config)),
      ended_(std::move(ended)),
      scope_(engine),
      requests_(config.tags) {
  for (unsigned tag = 0; tag != config.tags; ++tag) free_tags_.push_back(static_cast<std::uint16_t>(tag));
  for (Wake* wake : {&later_, &timer_}) {
    wake->requester = this;
    wake->scope = &scope_;
  }
  later_.fire = [](EventNode& node) {
    auto& self = static_cast<Wake&>(node);
    self.set = false;
    self.requester->work();
  };
  timer_.fire = [](EventNode& node) {
    auto& self = static_cast<Wake&>(node);
    self.set = false;
    self.requester->time_out();
  };
}

PayloadRequester::~PayloadRequester() = default;

void PayloadRequester::connect(TlpLink& link, TlpLink::End end) {
  link_ = &link;
  end_ = end;
}

std::optional<tlm::tlm_response_status> PayloadRequester::refusal(const tlm_generic_payload& payload,
                                                                  const PcieAttributes& attributes) {
  const std::uint32_t length = payload.get_data_length();
  const std::uint64_t address = payload.get_address();
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (length == 0 || payload.get_data_ptr() == nullptr || payload.get_streaming_width() < length ||
      address + (length - 1) < address) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  }
  const bool asks = attributes.at == AtsType::translation_request;
  if ((attributes.atomic && (asks || !is_operand(payload))) || (asks && !is_translation(payload))) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  return std::nullopt;
}

bool PayloadRequester::is_posted(const Access& access) {
  return access.payload->is_write() && !access.attributes.atomic;
}

void PayloadRequester::begin(tlm_generic_payload& payload, const PcieAttributes& attributes,
                             const RequestLimits& limits, void* cookie) {
  if (free_.empty()) {
    free_.push_back(accesses_.emplace_back(std::make_unique<Access>()).get());
    free_.back()->index = static_cast<std::uint32_t>(accesses_.size() - 1);
  }
  Access& access = *free_.back();
  free_.pop_back();
  access.payload = &payload;
  access.attributes = attributes;
  access.limits = limits;
  access.cookie = cookie;
  access.order = counters_.begun++;
  access.next = access.open = 0;
  access.status = PcieStatus::success;
  if (is_posted(access) && skip_disabled(access)) {
    finished_.push_back(&access);
  } else {
    (is_posted(access) ? posted_ : non_posted_).push_back(&access);
  }
  work_later();
}

void PayloadRequester::work_later() {
  if (later_.set) return;
  later_.set = true;
  engine_.post(later_);
}

/// Of a write: goes on to the next byte that is written. True: there is none.
bool PayloadRequester::skip_disabled(Access& access) {
  const tlm_generic_payload& payload = *access.payload;
  while (access.next != payload.get_data_length() && !is_enabled(payload, access.next)) ++access.next;
  return access.next == payload.get_data_length();
}

std::uint32_t PayloadRequester::next_size(const Access& access) const {
  const tlm_generic_payload& payload = *access.payload;
  const std::uint32_t left = payload.get_data_length() - access.next;
  if (access.attributes.atomic || access.attributes.at == AtsType::translation_request) return left;
  const std::uint64_t address = payload.get_address() + access.next;
  const std::uint32_t most = is_posted(access) ? access.limits.payload : access.limits.read;
  const std::uint32_t in_page = page_bytes - static_cast<std::uint32_t>(address % page_bytes);
  const std::uint32_t size = std::min({left, in_page, most - static_cast<std::uint32_t>(address % doubleword)});
  if (!is_posted(access) || payload.get_byte_enable_ptr() == nullptr) return size;
  std::uint32_t run = 1;
  while (run != size && is_enabled(payload, access.next + run)) ++run;
  return run;
}

bool PayloadRequester::may_send(const Access& access) const {
  if (is_posted(access)) return link_->room(end_, FlowClass::posted);
  const bool in_order = posted_.empty() || posted_.front()->order > access.order;
  return in_order && !free_tags_.empty() && link_->room(end_, FlowClass::non_posted);
}

void PayloadRequester::work() {
  for (std::deque<Access*>* list : {&posted_, &non_posted_}) {
    while (!list->empty() && may_send(*list->front())) {
      Access& access = *list->front();
      send(access, next_size(access));
      const bool whole = is_posted(access) ? skip_disabled(access) : access.next == access.payload->get_data_length();
      if (whole) list->pop_front();
    }
  }
  for (Access* access : std::exchange(finished_, {})) finish(*access);
}

void PayloadRequester::send(Access& access, std::uint32_t size) {
  const tlm_generic_payload& payload = *access.payload;
  const PcieAttributes& attributes = access.attributes;
  const std::uint64_t address = payload.get_address() + access.next;
  Tlp& tlp = pool_.take();
  tlp.type = attributes.atomic ? TlpType::Swap : is_posted(access) ? TlpType::MWr : TlpType::MRd;
  tlp.requester_id = config_.requester_id;
  put_bytes(tlp, {address, size});
  tlp.at = static_cast<AddressType>(attributes.at);
  tlp.no_write = attributes.no_write && tlp.is_translation_request();
  tlp.pasid = {attributes.pasid_valid, attributes.pasid.value, attributes.pasid_valid && attributes.privileged,
               attributes.pasid_valid && attributes.execute};
  tlp.relaxed_ordering = attributes.relaxed_ordering;
  tlp.id_ordering = attributes.id_ordering;
  tlp.no_snoop = attributes.no_snoop;
  if (tlp.has_data()) {
    tlp.data.assign(tlp.payload_bytes(), 0);
    std::memcpy(tlp.data.data() + address % doubleword, payload.get_data_ptr() + access.next, size);
  }
  if (is_posted(access)) {
    ++counters_.write_requests;
    tlp.watcher = this;
    tlp.cookie = access.index;
  } else {
    ++counters_.read_requests;
    tlp.tag = free_tags_.front();
    free_tags_.pop_front();
    requests_[tlp.tag] = {&access, access.next, size, 0, engine_.now() + config_.completion_timeout_ps};
    watch_time();
  }
  access.next += size;
  ++access.open;
  link_->send(end_, tlp);
}

void PayloadRequester::resolved(std::uint64_t cookie, const RequestResult& result) {
  end_part(*accesses_[static_cast<std::size_t>(cookie)], status_of(result.status));
}

bool PayloadRequester::completion(const Tlp& tlp) {
  if (tlp.requester_id != config_.requester_id || tlp.tag >= requests_.size()) return false;
  Request& request = requests_[tlp.tag];
  if (request.access == nullptr) return false;
  PcieStatus status = status_of(tlp.status);
  if (status == PcieStatus::success) {
    const CompletionPart part = tlp.type == TlpType::CplD ? part_of(tlp) : CompletionPart{};
    if (part.size == 0 || tlp.byte_count != request.size - request.received) {
      status = PcieStatus::timeout;  // what is missing will not come
    } else {
      take_data(request, tlp);
      if (request.received != request.size) return true;
    }
  }
  Access& access = *request.access;
  end_request(tlp.tag);
  end_part(access, status);
  return true;
}

void PayloadRequester::take_data(Request& request, const Tlp& tlp) {
  const CompletionPart part = part_of(tlp);
  tlm_generic_payload& payload = *request.access->payload;
  for (std::uint32_t i = 0; i != part.size; ++i) {
    const std::uint32_t at = request.offset + request.received + i;
    if (is_enabled(payload, at)) payload.get_data_ptr()[at] = tlp.data[part.skip + i];
  }
  request.received += part.size;
}

void PayloadRequester::end_request(std::uint16_t tag) {
  requests_[tag].access = nullptr;
  free_tags_.push_back(tag);
  if (free_tags_.size() == requests_.size() && timer_.set) {
    engine_.withdraw(timer_);
    timer_.set = false;
  }
  work_later();
}

void PayloadRequester::end_part(Access& access, PcieStatus status) {
  if (access.status == PcieStatus::success) access.status = status;
  --access.open;
  if (access.open != 0 || access.next != access.payload->get_data_length()) return;
  finished_.push_back(&access);
  work_later();
}

/// Reads that failed bring ones, as a host sees them.
void PayloadRequester::finish(Access& access) {
  tlm_generic_payload& payload = *access.payload;
  const PcieStatus status = access.status;
  if (status != PcieStatus::success && payload.is_read()) {
    std::memset(payload.get_data_ptr(), 0xff, payload.get_data_length());
  }
  payload.set_response_status(response_of(status));
  ++counters_.ended;
  access.payload = nullptr;
  free_.push_back(&access);
  ended_(access.cookie, status);
}

void PayloadRequester::room_again() {
  if (!posted_.empty() || !non_posted_.empty()) work_later();
}

void PayloadRequester::watch_time() {
  if (timer_.set || config_.completion_timeout_ps == 0) return;
  timer_.set = true;
  engine_.schedule_in(config_.completion_timeout_ps, timer_);
}

void PayloadRequester::time_out() {
  Time next = time_never;
  for (std::size_t tag = 0; tag != requests_.size(); ++tag) {
    Request& request = requests_[tag];
    if (request.access == nullptr) continue;
    if (request.deadline > engine_.now()) {
      next = std::min(next, request.deadline);
      continue;
    }
    Access& access = *request.access;
    ++counters_.timeouts;
    end_request(static_cast<std::uint16_t>(tag));
    end_part(access, PcieStatus::timeout);
  }
  if (next == time_never) return;
  timer_.set = true;
  engine_.schedule_at(next, timer_);
}

std::string PayloadRequester::imbalance() const {
  const std::uint64_t outstanding = accesses_.size() - free_.size();
  return counters_.begun == counters_.ended + outstanding ? "" : "payloads begun are not ended + outstanding";
}

}  // namespace smmusim::platform

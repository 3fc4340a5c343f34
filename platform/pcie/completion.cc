// SPDX-License-Identifier: MIT
// Cutting and putting together what reads bring back.
#include "platform/pcie/completion.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace smmusim::platform {
namespace {

constexpr std::uint32_t doubleword = 4;
constexpr std::uint64_t lower_address_mask = 0x7f;

void answer_to(Tlp& completion, std::uint16_t requester_id, std::uint16_t tag, std::uint16_t completer_id) {
  completion.requester_id = requester_id;
  completion.tag = tag;
  completion.completer_id = completer_id;
}

}  // namespace

bool enables_nothing(const Tlp& request) {
  return request.first_be == 0 && request.length_dw == 1;
}

ByteRange bytes_of(const Tlp& request) {
  if (request.is_atomic()) return {request.address, request.length_dw * doubleword};  // they have no byte enables
  if (enables_nothing(request)) return {request.address, 1};
  const auto before =
      request.first_be == 0 ? doubleword : static_cast<std::uint32_t>(std::countr_zero(request.first_be));
  const unsigned tail = request.length_dw == 1 ? request.first_be : request.last_be;
  const auto after = doubleword - static_cast<std::uint32_t>(std::bit_width(tail));
  return {request.address + before, request.length_dw * doubleword - before - after};
}

void put_bytes(Tlp& request, const ByteRange& bytes) {
  const auto before = static_cast<std::uint32_t>(bytes.address % doubleword);
  const std::uint32_t end = before + bytes.size;
  request.address = bytes.address - before;
  request.length_dw = static_cast<std::uint16_t>((end + doubleword - 1) / doubleword);
  const unsigned head = 0xfU << before & 0xfU;
  const unsigned tail = 0xfU >> ((doubleword - end % doubleword) % doubleword);
  request.first_be = static_cast<std::uint8_t>(request.length_dw == 1 ? head & tail : head);
  request.last_be = static_cast<std::uint8_t>(request.length_dw == 1 ? 0 : tail);
}

CompletionSplitter::CompletionSplitter(const Tlp& request, std::uint16_t completer_id, const CompletionLimits& limits)
    : bytes_(bytes_of(request)),
      limits_(limits),
      requester_id_(request.requester_id),
      tag_(request.tag),
      completer_id_(completer_id),
      whole_(request.is_atomic()) {
  if (request.type == TlpType::CAS) bytes_.size /= 2;  // half of its operands
}

Tlp& CompletionSplitter::next(TlpPool& pool, std::span<const unsigned char> data) {
  const std::uint64_t address = bytes_.address + sent_;
  const std::uint64_t boundary = (address + limits_.payload_bytes) & ~std::uint64_t{limits_.rcb_bytes - 1};
  const std::uint32_t left = bytes_.size - sent_;
  const std::uint32_t size =
      whole_ ? left : static_cast<std::uint32_t>(std::min<std::uint64_t>(left, boundary - address));
  Tlp& tlp = pool.take();
  tlp.type = TlpType::CplD;
  answer_to(tlp, requester_id_, tag_, completer_id_);
  const auto before = whole_ ? 0 : static_cast<std::uint32_t>(address % doubleword);
  tlp.lower_address = static_cast<std::uint8_t>(whole_ ? 0 : address & lower_address_mask);
  tlp.byte_count = static_cast<std::uint16_t>(left);
  tlp.length_dw = static_cast<std::uint16_t>((before + size + doubleword - 1) / doubleword);
  tlp.data.assign(tlp.length_dw * doubleword, 0);
  std::memcpy(tlp.data.data() + before, data.data() + sent_, size);
  sent_ += size;
  return tlp;
}

Tlp& error_completion(TlpPool& pool, const Tlp& request, std::uint16_t completer_id, CplStatus status) {
  Tlp& tlp = pool.take();
  tlp.type = TlpType::Cpl;
  answer_to(tlp, request.requester_id, request.tag, completer_id);
  tlp.length_dw = 0;
  tlp.status = status;
  tlp.byte_count = static_cast<std::uint16_t>(request.is_translation_request() ? request.length_dw * doubleword
                                                                               : bytes_of(request).size);
  return tlp;
}

CompletionPart part_of(const Tlp& completion) {
  const std::uint32_t skip = completion.lower_address % doubleword;
  if (completion.payload_bytes() <= skip || completion.data.size() != completion.payload_bytes()) return {};
  return {skip, std::min<std::uint32_t>(completion.payload_bytes() - skip, completion.byte_count)};
}

}  // namespace smmusim::platform

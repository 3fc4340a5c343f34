// SPDX-License-Identifier: MIT
// Where the fields of the messages of ATS and PRI lie. Headers and data are big endian, as on the wire.
#include "platform/pcie/messages.h"

#include <algorithm>
#include <bit>

namespace smmusim::platform {
namespace {

constexpr std::size_t entry_bytes = 8;
constexpr unsigned page_bits = 12;
constexpr std::uint64_t page_mask = (std::uint64_t{1} << page_bits) - 1;

constexpr std::uint64_t bit(unsigned number, bool set = true) {
  return std::uint64_t{set ? 1U : 0U} << number;
}
constexpr bool has(std::uint64_t value, unsigned number) {
  return (value >> number & 1) != 0;
}
constexpr std::uint64_t low_ones(unsigned count) {
  return count >= 64 ? ~std::uint64_t{0} : bit(count) - 1;
}
constexpr std::uint64_t field(std::uint64_t value, unsigned low, unsigned width) {
  return value >> low & low_ones(width);
}

// Bits of an entry, and of an Invalidate Request's data.
constexpr unsigned size_bit = 11;
constexpr unsigned invalidate_global_bit = 0;
enum EntryBit : unsigned { read_bit, write_bit, untranslated_bit, execute_bit, privileged_bit, global_bit };
constexpr unsigned cxl_bit = 9, non_snooped_bit = 10;

// Bits of the third and fourth doubleword as one number.
constexpr unsigned count_low = 32, count_width = 3;
constexpr unsigned request_group_low = 3, group_width = 9;
enum PageRequestBit : unsigned { page_read_bit, page_write_bit, page_last_bit };
constexpr unsigned response_group_low = 32, code_low = 44, code_width = 4;

constexpr unsigned itag_width = 5;

void append(std::vector<unsigned char>& data, std::uint64_t value) {
  for (unsigned shift = 64; shift != 0; shift -= 8) data.push_back(static_cast<unsigned char>(value >> (shift - 8)));
}

std::uint64_t number_at(const std::vector<unsigned char>& data, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i != entry_bytes; ++i) value = value << 8 | data[offset + i];
  return value;
}

void begin(Tlp& tlp, TlpType type, MessageCode code, std::uint16_t requester_id) {
  tlp.type = type;
  tlp.message = code;
  tlp.requester_id = requester_id;
  tlp.length_dw = 0;
  tlp.first_be = 0;
}

}  // namespace

std::uint64_t AtsRange::encode() const {
  const std::uint64_t start = address & ~low_ones(std::max(span_bits, page_bits));
  if (span_bits <= page_bits) return start;
  return start | (low_ones(span_bits - 1) & ~page_mask) | bit(size_bit);
}

AtsRange AtsRange::decode(std::uint64_t bits) {
  if (!has(bits, size_bit)) return {bits & ~page_mask, page_bits};
  const auto zero = static_cast<unsigned>(std::countr_one(bits | page_mask));
  const unsigned span = std::min(zero + 1, 64U);
  return {bits & ~low_ones(span), span};
}

std::uint64_t TranslationEntry::encode() const {
  return range.encode() | bit(non_snooped_bit, non_snooped) | bit(cxl_bit, cxl_io) | bit(global_bit, global) |
         bit(privileged_bit, privileged) | bit(execute_bit, execute) | bit(untranslated_bit, untranslated_only) |
         bit(write_bit, write) | bit(read_bit, read);
}

TranslationEntry TranslationEntry::decode(std::uint64_t bits) {
  TranslationEntry entry;
  entry.range = AtsRange::decode(bits);
  entry.non_snooped = has(bits, non_snooped_bit);
  entry.cxl_io = has(bits, cxl_bit);
  entry.global = has(bits, global_bit);
  entry.privileged = has(bits, privileged_bit);
  entry.execute = has(bits, execute_bit);
  entry.untranslated_only = has(bits, untranslated_bit);
  entry.write = has(bits, write_bit);
  entry.read = has(bits, read_bit);
  return entry;
}

void put(Tlp& tlp, const InvalidateRequest& message) {
  begin(tlp, TlpType::MsgD, MessageCode::Invalidate_Request, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.tag = static_cast<std::uint16_t>(field(message.itag, 0, itag_width));
  tlp.pasid = message.pasid;
  tlp.length_dw = 2;
  append(tlp.data, message.range.encode() | bit(invalidate_global_bit, message.global));
}

InvalidateRequest invalidate_request(const Tlp& tlp) {
  const std::uint64_t data = number_at(tlp.data, 0);
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .itag = static_cast<unsigned>(field(tlp.tag, 0, itag_width)),
          .pasid = tlp.pasid,
          .range = AtsRange::decode(data),
          .global = has(data, invalidate_global_bit)};
}

void put(Tlp& tlp, const InvalidateCompletion& message) {
  begin(tlp, TlpType::Msg, MessageCode::Invalidate_Completion, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.body = field(message.count, 0, count_width) << count_low | message.itags;
}

InvalidateCompletion invalidate_completion(const Tlp& tlp) {
  const auto count = static_cast<unsigned>(field(tlp.body, count_low, count_width));
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .itags = static_cast<std::uint32_t>(tlp.body),
          .count = count == 0 ? 1U << count_width : count};
}

void put(Tlp& tlp, const PageRequestMessage& message) {
  begin(tlp, TlpType::Msg, MessageCode::Page_Request, message.requester_id);
  tlp.pasid = message.pasid;
  tlp.body = (message.address & ~page_mask) | field(message.group, 0, group_width) << request_group_low |
             bit(page_last_bit, message.last) | bit(page_write_bit, message.write) | bit(page_read_bit, message.read);
}

PageRequestMessage page_request(const Tlp& tlp) {
  return {.requester_id = tlp.requester_id,
          .pasid = tlp.pasid,
          .address = tlp.body & ~page_mask,
          .group = static_cast<unsigned>(field(tlp.body, request_group_low, group_width)),
          .last = has(tlp.body, page_last_bit),
          .write = has(tlp.body, page_write_bit),
          .read = has(tlp.body, page_read_bit)};
}

void put(Tlp& tlp, const PrgResponse& message) {
  begin(tlp, TlpType::Msg, MessageCode::PRG_Response, message.requester_id);
  tlp.target_id = message.target_id;
  tlp.pasid = message.pasid;
  tlp.body = field(message.code, 0, code_width) << code_low | field(message.group, 0, group_width)
                                                                  << response_group_low;
}

PrgResponse prg_response(const Tlp& tlp) {
  return {.requester_id = tlp.requester_id,
          .target_id = tlp.target_id,
          .pasid = tlp.pasid,
          .group = static_cast<unsigned>(field(tlp.body, response_group_low, group_width)),
          .code = static_cast<unsigned>(field(tlp.body, code_low, code_width))};
}

void put(Tlp& tlp, std::span<const TranslationEntry> entries) {
  tlp.type = TlpType::CplD;
  tlp.length_dw = static_cast<std::uint16_t>(entries.size() * entry_bytes / 4);
  for (const TranslationEntry& entry : entries) append(tlp.data, entry.encode());
}

std::size_t translation_entries(const Tlp& tlp) {
  return tlp.data.size() / entry_bytes;
}

TranslationEntry translation_entry(const Tlp& tlp, std::size_t index) {
  return TranslationEntry::decode(number_at(tlp.data, index * entry_bytes));
}

}  // namespace smmusim::platform

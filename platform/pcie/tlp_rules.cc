// SPDX-License-Identifier: MIT
// The rules as a table.
#include "platform/pcie/tlp_rules.h"

#include <array>
#include <utility>

#include "model/base/check.h"

namespace smmusim::platform {
namespace {

constexpr unsigned length_max_dw = 1024;
constexpr std::uint64_t page_bytes = 4096;
constexpr unsigned pasid_width_max = 20;

bool is_memory(const Tlp& t) {
  return t.type == TlpType::MRd || t.type == TlpType::MWr || t.is_atomic();
}
bool is_read_or_write(const Tlp& t) {
  return (t.type == TlpType::MRd || t.type == TlpType::MWr) && !t.is_translation_request();
}
bool is_configuration(const Tlp& t) {
  return t.type == TlpType::CfgRd0 || t.type == TlpType::CfgWr0 || t.type == TlpType::CfgRd1 ||
         t.type == TlpType::CfgWr1;
}
/// Its Length says something.
bool has_length(const Tlp& t) {
  return t.type != TlpType::Cpl && t.type != TlpType::Msg;
}

bool length_range(const Tlp& t, const TlpLimits&) {
  return has_length(t) && (t.length_dw == 0 || t.length_dw > length_max_dw);
}
bool length_and_data(const Tlp& t, const TlpLimits&) {
  return t.data.size() != t.payload_bytes();
}
bool above_mps(const Tlp& t, const TlpLimits& limits) {
  return t.payload_bytes() > limits.mps_bytes;
}
bool above_mrrs(const Tlp& t, const TlpLimits& limits) {
  return t.type == TlpType::MRd && !t.is_translation_request() && t.length_dw * 4U > limits.mrrs_bytes;
}

bool first_byte_enables(const Tlp& t, const TlpLimits&) {
  return is_read_or_write(t) && t.length_dw > 1 && t.first_be == 0;
}
bool last_byte_enables(const Tlp& t, const TlpLimits&) {
  const bool must_be_none = t.length_dw == 1;
  return (is_read_or_write(t) || is_configuration(t)) && must_be_none != (t.last_be == 0);
}
/// Holes in the bytes are for requests of one doubleword, or of two that make an aligned quadword.
bool scattered_byte_enables(const Tlp& t, const TlpLimits&) {
  if (!is_read_or_write(t) || t.length_dw == 1 || (t.length_dw == 2 && t.address % 8 == 0)) return false;
  const auto upper_ones = [](unsigned be) { return be == 0xf || be == 0xe || be == 0xc || be == 0x8; };
  const auto lower_ones = [](unsigned be) { return be == 0xf || be == 0x7 || be == 0x3 || be == 0x1; };
  return !upper_ones(t.first_be) || !lower_ones(t.last_be);
}
bool crosses_4k(const Tlp& t, const TlpLimits&) {
  return is_read_or_write(t) && t.address % page_bytes + t.length_dw * 4U > page_bytes;
}
bool address_alignment(const Tlp& t, const TlpLimits&) {
  return (is_memory(t) || is_configuration(t)) && t.address % 4 != 0;
}

/// Doublewords of one operand: CAS brings two.
unsigned operand_dw(const Tlp& t) {
  return t.type == TlpType::CAS ? t.length_dw / 2U : t.length_dw;
}
bool atomic_length(const Tlp& t, const TlpLimits&) {
  if (!t.is_atomic()) return false;
  if (t.type == TlpType::CAS) return t.length_dw != 2 && t.length_dw != 4 && t.length_dw != 8;
  return t.length_dw != 1 && t.length_dw != 2;
}
bool atomic_alignment(const Tlp& t, const TlpLimits&) {
  return t.is_atomic() && t.address % (operand_dw(t) * 4U) != 0;
}
bool configuration_length(const Tlp& t, const TlpLimits&) {
  return is_configuration(t) && t.length_dw != 1;
}

bool reserved_address_type(const Tlp& t, const TlpLimits&) {
  return is_memory(t) && t.at == AddressType::reserved;
}
bool translation_request_type(const Tlp& t, const TlpLimits&) {
  return is_memory(t) && t.at == AddressType::translation_request && t.type != TlpType::MRd;
}
bool address_type_outside_memory(const Tlp& t, const TlpLimits&) {
  return !is_memory(t) && t.at != AddressType::untranslated;
}
bool translation_length(const Tlp& t, const TlpLimits& limits) {
  return t.is_translation_request() && (t.length_dw % 2 != 0 || t.length_dw * 4U > limits.rcb_bytes);
}
bool no_write_outside_translation(const Tlp& t, const TlpLimits&) {
  return t.no_write && !t.is_translation_request();
}

bool pasid_on_wrong_type(const Tlp& t, const TlpLimits&) {
  if (!t.pasid.present || is_memory(t)) return false;
  return !t.is_message() || t.message == MessageCode::Invalidate_Completion;
}
bool pasid_above_20_bits(const Tlp& t, const TlpLimits&) {
  return t.pasid.present && t.pasid.pasid >> pasid_width_max != 0;
}
bool pasid_too_wide(const Tlp& t, const TlpLimits& limits) {
  return t.pasid.present && std::uint64_t{t.pasid.pasid} >> limits.pasid_bits != 0;
}
bool message_data(const Tlp& t, const TlpLimits&) {
  if (!t.is_message()) return false;
  const bool wants_data = t.message == MessageCode::Invalidate_Request;
  return wants_data != (t.type == TlpType::MsgD) || (wants_data && t.length_dw != 2);
}

constexpr auto malformed = TlpHandling::malformed, unsupported = TlpHandling::unsupported;

// In the order of TlpFault, without none.
constexpr std::array<TlpRule, 30> rules{{
    {TlpFault::truncated, malformed, "the header is not whole (2.2.1)", nullptr},
    {TlpFault::reserved_format, malformed, "Fmt does not go with Type (2.2.1)", nullptr},
    {TlpFault::reserved_type, malformed, "Type is reserved (2.2.1)", nullptr},
    {TlpFault::uncarried_type, unsupported, "I/O, locked or deferrable request: not carried here (2.3.1)", nullptr},
    {TlpFault::foreign_prefix, malformed, "a prefix other than one PASID prefix (2.2.10)", nullptr},
    {TlpFault::traffic_class, malformed, "TC is mapped to no virtual channel: only TC0 is (2.5)", nullptr},
    {TlpFault::short_address_in_long_format, malformed, "64-bit format for an address below 4 GiB (2.2.4.1)", nullptr},
    {TlpFault::message_routing, malformed, "routing that this message must not have (2.2.8)", nullptr},
    {TlpFault::message_code, unsupported, "no message of ATS or PRI (2.2.8)", nullptr},
    {TlpFault::length_range, malformed, "Length is not 1 to 1024 doublewords (2.2.2)", length_range},
    {TlpFault::length_and_data, malformed, "Length and the data that came differ (2.2.2)", length_and_data},
    {TlpFault::above_mps, malformed, "the data are longer than Max_Payload_Size (2.2.2)", above_mps},
    {TlpFault::above_mrrs, malformed, "asks for more than Max_Read_Request_Size (2.2.7)", above_mrrs},
    {TlpFault::first_byte_enables, malformed, "no first byte enabled, and not one doubleword (2.2.5)",
     first_byte_enables},
    {TlpFault::last_byte_enables, malformed, "last byte enables with one doubleword, or none with more (2.2.5)",
     last_byte_enables},
    {TlpFault::scattered_byte_enables, malformed, "byte enables with holes (2.2.5)", scattered_byte_enables},
    {TlpFault::crosses_4k, malformed, "crosses a 4 KiB boundary (2.2.7)", crosses_4k},
    {TlpFault::address_alignment, malformed, "the address is not that of a doubleword (2.2.4)", address_alignment},
    {TlpFault::atomic_length, malformed, "no operand size of this AtomicOp (2.2.7)", atomic_length},
    {TlpFault::atomic_alignment, malformed, "the operand is not aligned to its size (2.2.7)", atomic_alignment},
    {TlpFault::configuration_length, malformed, "a configuration request of more than one doubleword (2.2.7)",
     configuration_length},
    {TlpFault::reserved_address_type, unsupported, "AT is 11 (10.2.1)", reserved_address_type},
    {TlpFault::translation_request_type, unsupported, "AT of a translation request, and no read (10.2.1)",
     translation_request_type},
    {TlpFault::address_type_outside_memory, malformed, "AT without a memory request (10.2.1)",
     address_type_outside_memory},
    {TlpFault::translation_length, malformed,
     "a translation request for half a translation, or more than a Read Completion Boundary holds (10.2.2)",
     translation_length},
    {TlpFault::no_write_outside_translation, malformed, "No Write outside a translation request (10.2.2)",
     no_write_outside_translation},
    {TlpFault::pasid_on_wrong_type, malformed, "a PASID on a TLP that takes none (6.20)", pasid_on_wrong_type},
    {TlpFault::pasid_above_20_bits, malformed, "a PASID of more than 20 bits (6.20)", pasid_above_20_bits},
    {TlpFault::pasid_too_wide, unsupported, "a PASID wider than the receiver takes (6.20)", pasid_too_wide},
    {TlpFault::message_data, malformed, "a message with data that it has not, or without what it has (10.3, 10.4)",
     message_data},
}};

template <std::size_t row>
bool breaks(const Tlp& tlp, const TlpLimits& limits) {
  if constexpr (rules[row].broken == nullptr) {
    return false;
  } else {
    return rules[row].broken(tlp, limits);
  }
}

/// Row by row, written out by the compiler: every TLP that arrives is judged, and nearly all are good.
template <std::size_t... row>
TlpFault first_broken(const Tlp& tlp, const TlpLimits& limits, std::index_sequence<row...>) {
  TlpFault fault = TlpFault::none;
  static_cast<void>(((breaks<row>(tlp, limits) && (fault = rules[row].fault, true)) || ...));
  return fault;
}

}  // namespace

std::span<const TlpRule> tlp_rules() {
  return rules;
}

const TlpRule& rule_of(TlpFault fault) {
  SMMUSIM_CHECK(fault != TlpFault::none);
  return rules[static_cast<std::size_t>(fault) - 1];
}

TlpFault judge(const Tlp& tlp, const TlpLimits& limits) {
  return first_broken(tlp, limits, std::make_index_sequence<rules.size()>());
}

}  // namespace smmusim::platform

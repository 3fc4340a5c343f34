// SPDX-License-Identifier: MIT
// What a receiver finds wrong with a TLP, one row a rule: what is malformed (PCI Express Base chapter 2), and what is
// well formed but an Unsupported Request. It judges a TLP by itself: whether it was asked for, comes from where it says
// or may access anything is for others.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "platform/pcie/tlp.h"

namespace smmusim::platform {

enum class TlpFault : std::uint8_t {
  none,
  // Only of bytes on the wire (tlp_header.h): a Tlp cannot hold these.
  truncated,
  reserved_format,
  reserved_type,
  uncarried_type,
  foreign_prefix,
  traffic_class,
  short_address_in_long_format,
  message_routing,
  message_code,
  // Of any TLP.
  length_range,
  length_and_data,
  above_mps,
  above_mrrs,
  first_byte_enables,
  last_byte_enables,
  scattered_byte_enables,
  crosses_4k,
  address_alignment,
  atomic_length,
  atomic_alignment,
  configuration_length,
  reserved_address_type,
  translation_request_type,
  address_type_outside_memory,
  translation_length,
  no_write_outside_translation,
  pasid_on_wrong_type,
  pasid_above_20_bits,
  pasid_too_wide,
  message_data,
};

/// What the receiver does with it.
enum class TlpHandling : std::uint8_t {
  malformed,    ///< drops it, and reports an error: no answer
  unsupported,  ///< answers Unsupported Request if there is an answer at all
};

struct TlpLimits {
  unsigned mps_bytes = 4096;   ///< Max_Payload_Size
  unsigned mrrs_bytes = 4096;  ///< Max_Read_Request_Size of the sender
  unsigned rcb_bytes = 64;     ///< Read Completion Boundary: most that a Translation Request asks for
  unsigned pasid_bits = 20;    ///< width of PASIDs that the receiver takes
};

struct TlpRule {
  TlpFault fault;
  TlpHandling handling;
  std::string_view sentence;                                ///< what is wrong, with the section
  bool (*broken)(const Tlp& tlp, const TlpLimits& limits);  ///< null: seen by who decodes it
};

std::span<const TlpRule> tlp_rules();
/// The row of a fault other than none.
const TlpRule& rule_of(TlpFault fault);
/// The first rule, in the order of the rows, that the TLP breaks.
TlpFault judge(const Tlp& tlp, const TlpLimits& limits);

}  // namespace smmusim::platform

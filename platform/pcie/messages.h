// SPDX-License-Identifier: MIT
// The messages of ATS and PRI (PCI Express Base sections 10.3 and 10.4) and the entries of a Translation Completion
// (10.2.3), as values, into and out of TLPs. What is asked and answered is the SMMU's and the devices' business.
#pragma once

#include <cstdint>
#include <span>

#include "platform/pcie/tlp.h"

namespace smmusim::platform {

/// A naturally aligned range as ATS writes it: Address[63:12] and S (bit 11). Without S it is 4 KiB; with S the lowest
/// zero at or above bit 12 gives the size: bit n says 2^(n+1) bytes.
struct AtsRange {
  std::uint64_t address = 0;  ///< aligned to its size
  unsigned span_bits = 12;    ///< log2 of the bytes, 12 to 64; 64: everything

  std::uint64_t encode() const;
  /// Every pattern is a range; all ones, which the specification leaves open, is everything.
  static AtsRange decode(std::uint64_t bits);
  bool operator==(const AtsRange&) const = default;
};

/// One entry of a successful Translation Completion: 8 bytes of data.
struct TranslationEntry {
  AtsRange range{};          ///< of translated addresses
  bool non_snooped = false;  ///< N
  bool cxl_io = false;       ///< bit 9, of CXL devices
  bool global = false;
  bool privileged = false;         ///< Priv: the entry is for privileged requests
  bool execute = false;            ///< Exe
  bool untranslated_only = false;  ///< U
  bool write = false, read = false;

  std::uint64_t encode() const;
  static TranslationEntry decode(std::uint64_t bits);
  bool operator==(const TranslationEntry&) const = default;
};

struct InvalidateRequest {
  std::uint16_t requester_id = 0;  ///< of the root complex
  std::uint16_t target_id = 0;     ///< the device
  unsigned itag = 0;               ///< 0 to 31
  PasidPrefix pasid{};
  AtsRange range{};  ///< of untranslated addresses
  bool global = false;
};

struct InvalidateCompletion {
  std::uint16_t requester_id = 0;  ///< the device
  std::uint16_t target_id = 0;     ///< of the root complex
  std::uint32_t itags = 0;         ///< bit n: ITag n
  unsigned count = 1;              ///< Completion Count, 1 to 8: how many of these answer one request
};

struct PageRequestMessage {
  std::uint16_t requester_id = 0;
  PasidPrefix pasid{};
  std::uint64_t address = 0;  ///< of a 4 KiB page
  unsigned group = 0;         ///< Page Request Group Index, 9 bits
  bool last = false, write = false, read = false;
};

struct PrgResponse {
  std::uint16_t requester_id = 0;  ///< of the root complex
  std::uint16_t target_id = 0;     ///< the device
  PasidPrefix pasid{};
  unsigned group = 0;  ///< Page Request Group Index, 9 bits
  unsigned code = 0;   ///< Response Code: 0 Success, 1 Invalid Request, 15 Response Failure
};

// Each fills a cleared TLP. Fields wider than the wire are cut.
void put(Tlp& tlp, const InvalidateRequest& message);
void put(Tlp& tlp, const InvalidateCompletion& message);
void put(Tlp& tlp, const PageRequestMessage& message);
void put(Tlp& tlp, const PrgResponse& message);
/// A successful Translation Completion's entries as the data of `tlp`, which becomes a CplD.
void put(Tlp& tlp, std::span<const TranslationEntry> entries);

// Each reads a TLP of its own message (and, of Invalidate Requests, with 8 bytes of data).
InvalidateRequest invalidate_request(const Tlp& tlp);
InvalidateCompletion invalidate_completion(const Tlp& tlp);
PageRequestMessage page_request(const Tlp& tlp);
PrgResponse prg_response(const Tlp& tlp);
/// How many whole entries the data of a Translation Completion holds, and one of them.
std::size_t translation_entries(const Tlp& tlp);
TranslationEntry translation_entry(const Tlp& tlp, std::size_t index);

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// What a client device sends to the SMMU and what it gets back (IHI 0070 sections 3.2, 3.3, 3.9.1 and 14).
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/sim/engine.h"
#include "model/sim/memory_port.h"
#include "model/spec/event.h"

namespace smmusim {

enum class SecurityState : std::uint8_t { non_secure, secure, realm, root };
enum class AccessType : std::uint8_t { read, write, atomic };
enum class AtsType : std::uint8_t { untranslated, translation_request, translated };

/// One access of a client device, within one 4 KiB page of its address space (section 16.7.1); or an ATS Translation
/// Request, which asks for read access, for write access unless `no_write`, and for execution if `instruction` (13.7).
struct Transaction {
  StreamId stream_id{};
  SubstreamId substream_id{};    ///< meaningful only if substream_valid
  bool substream_valid = false;  ///< SSV
  SecurityState security = SecurityState::non_secure;
  AccessType access = AccessType::read;
  bool instruction = false;  ///< InD as presented; a write is always data
  bool privileged = false;   ///< PnU as presented
  AtsType ats = AtsType::untranslated;
  bool no_write = false;    ///< NW of a Translation Request
  bool source_cxl = false;  ///< Source-CXL of a Translation Request
  std::uint8_t stus = 1;    ///< how many STUs a Translation Request asks for; it gets one entry
  Va address{};
  std::uint32_t size = 1;                ///< bytes
  MemoryAttributes attributes{0xff, 0};  ///< as presented; default: Normal iWB-oWB RA WA, NSH (13.1)

  bool writes() const { return access != AccessType::read; }
  /// A write will follow: dirty state is to be set (section 3.13.7.1).
  bool may_dirty() const { return ats == AtsType::translation_request ? !no_write : writes(); }
};

enum class Outcome : std::uint8_t {
  proceed,         ///< goes on to Response::address
  abort,           ///< the client sees an abort
  raz_wi,          ///< reads give zero, writes are dropped, both complete without error
  stalled,         ///< not over: a submitted request is answered when the stall ends (stalls.h)
  ats_completion,  ///< the answer to a Translation Request
};

/// Status of an ATS Translation Completion.
enum class AtsStatus : std::uint8_t { success, unsupported_request, completer_abort };

/// What a Translation Completion says besides R (Response::read_allowed), W (write_allowed), the address and its size.
struct AtsCompletion {
  AtsStatus status = AtsStatus::success;
  bool execute : 1 = false;            ///< Exe
  bool privileged : 1 = false;         ///< Priv, as the request had it
  bool global : 1 = false;             ///< always 0 (section 3.9.1)
  bool no_snoop : 1 = false;           ///< N, always 0 (section 13.6.2)
  bool untranslated_only : 1 = false;  ///< U, always 0 (sections 13.6.4 and 13.6.5)
  bool cxl_io : 1 = false;             ///< CXL.io (section 3.9.3)
};

/// No stall has this STAG: IDR5.STALL_MAX has 16 bits.
inline constexpr std::uint16_t no_stag = 0xffff;

struct Response {
  Outcome outcome = Outcome::abort;
  bool read_allowed = false;  ///< what the translation permits to this transaction's privilege and InD
  bool write_allowed = false;
  std::uint8_t page_bits = 0;  ///< log2 of the size of the mapping that was used; 0 if nothing was translated
  Pa address{};                ///< valid if outcome is proceed; of a Translation Completion the page, PA or IPA
  MemoryAttributes attributes{};
  bool unmarked = false;         ///< Effects::httu kept an update of a descriptor from being made
  std::uint16_t stag = no_stag;  ///< of a stalled transaction whose event was recorded
  spec::EventType event{};       ///< the event of a faulting transaction, recorded or not; 0 if none
  AtsCompletion ats{};           ///< of a Translation Completion; other outcomes leave it alone
};

/// A Transaction on its way through the SMMU. The client keeps it in place from submit() until retire().
/// Set `transaction`, `fire` (and `scope`) first; when the response is there the request is posted to the Engine.
struct TranslationRequest : EventNode {
  Transaction transaction{};
  Response response{};
  Time submitted_at = 0;
  std::uint32_t ticket = 0;  ///< the SMMU's: which CMD_SYNC waits for it; 0 = none
};

/// What a translation may do besides answering. Each use of the one translation text is a row of this table.
struct Effects {
  bool fill : 1;    ///< caches may change (fills and replacement state)
  bool record : 1;  ///< events are recorded
  bool httu : 1;    ///< access flag and dirty state are updated
  bool count : 1;   ///< statistics count it
  bool stall : 1;   ///< faults may stall
};
inline constexpr Effects ordinary_effects{true, true, true, true, true};
inline constexpr Effects debug_effects{false, false, false, false, false};   ///< transport_dbg, explain
inline constexpr Effects prefetch_effects{true, false, true, false, false};  ///< CMD_PREFETCH_ADDR

}  // namespace smmusim

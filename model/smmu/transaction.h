// SPDX-License-Identifier: MIT
// What a client device sends to the SMMU and what it gets back (IHI 0070 sections 3.2, 3.3 and 14).
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

/// One access of a client device, within one 4 KiB page of its address space (section 16.7.1).
struct Transaction {
  StreamId stream_id{};
  SubstreamId substream_id{};    ///< meaningful only if substream_valid
  bool substream_valid = false;  ///< SSV
  SecurityState security = SecurityState::non_secure;
  AccessType access = AccessType::read;
  bool instruction = false;  ///< InD as presented; a write is always data
  bool privileged = false;   ///< PnU as presented
  AtsType ats = AtsType::untranslated;
  Va address{};
  std::uint32_t size = 1;                ///< bytes
  MemoryAttributes attributes{0xff, 0};  ///< as presented; default: Normal iWB-oWB RA WA, NSH (13.1)

  bool writes() const { return access != AccessType::read; }
};

enum class Outcome : std::uint8_t {
  proceed,  ///< goes on to Response::address
  abort,    ///< the client sees an abort
  raz_wi,   ///< reads give zero, writes are dropped, both complete without error
  stalled,  ///< not over: a submitted request is answered when the stall ends (stalls.h)
};

/// No stall has this STAG: IDR5.STALL_MAX has 16 bits.
inline constexpr std::uint16_t no_stag = 0xffff;

struct Response {
  Outcome outcome = Outcome::abort;
  bool read_allowed = false;  ///< what the translation permits to this transaction's privilege and InD
  bool write_allowed = false;
  std::uint8_t page_bits = 0;  ///< log2 of the size of the mapping that was used; 0 if nothing was translated
  Pa address{};                ///< valid if outcome is proceed
  MemoryAttributes attributes{};
  bool unmarked = false;         ///< Effects::httu kept an update of a descriptor from being made
  std::uint16_t stag = no_stag;  ///< of a stalled transaction whose event was recorded
  spec::EventType event{};       ///< the event of a faulting transaction, recorded or not; 0 if none
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

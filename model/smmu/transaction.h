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

/// What else an access is, or what it is instead (sections 3.22, 16.7.2, 16.7.3): the interconnect's own names differ.
enum class Operation : std::uint8_t {
  plain,                  ///< a read, a write or an atomic, as Transaction::access says
  exclusive,              ///< the same, with an exclusive monitor
  read_clean_invalidate,  ///< RCI
  destructive_read,       ///< DR: invalidates without writing back
  write_prefetch,         ///< W-DCP: a write that also prefetches into some cache
  prefetch,               ///< NW-DCP: such a prefetch alone
  clean,                  ///< by address, like the next three
  clean_to_persistence,
  clean_invalidate,
  invalidate,
  destructive_hint,  ///< DH: may invalidate
  maintenance_not_by_address,
  dvm,  ///< distributed virtual memory operations of all kinds
  barrier,
  no_op,  ///< of a Response: it has completed and must not go on
};

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
  Operation operation = Operation::plain;
  bool speculative = false;  ///< section 3.14: only a plain read may be, or a Translation Request
  bool no_snoop = false;     ///< No_snoop of PCIe (section 13.6.1.1)
  bool pcie = false;         ///< of a PCIe function, which can't wait: its faults never stall (sections 3.12, 16.4)
  bool no_write = false;     ///< NW of a Translation Request
  bool source_cxl = false;   ///< Source-CXL of a Translation Request
  std::uint8_t stus = 1;     ///< how many STUs a Translation Request asks for; it gets one entry
  Va address{};
  std::uint32_t size = 1;                ///< bytes
  MemoryAttributes attributes{0xff, 0};  ///< as presented; default: Normal iWB-oWB RA WA, NSH (13.1)

  bool writes() const { return access != AccessType::read; }
  /// Not one of the plain untranslated accesses that nearly all traffic is (operations.h, ats.h).
  bool unusual() const {
    return (static_cast<unsigned>(operation) | unsigned{speculative} | unsigned{no_snoop} |
            static_cast<unsigned>(ats)) != 0;
  }
  /// A write will follow: dirty state is to be set (section 3.13.7.1), unless it is a mere guess (3.14).
  bool may_dirty() const { return ats == AtsType::translation_request ? !no_write && !speculative : writes(); }
};

/// `t` with the access that its operation counts as for permissions and faults (operations.cc). Cache maintenance has
/// no memory type, so what came with it is dropped (section 16.7.2.3).
Transaction as_it_counts(const Transaction& t);

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
  AtsStatus status : 2 = AtsStatus::success;
  bool execute : 1 = false;            ///< Exe
  bool privileged : 1 = false;         ///< Priv, as the request had it
  bool global : 1 = false;             ///< always 0 (section 3.9.1)
  bool no_snoop : 1 = false;           ///< N, always 0 (section 13.6.2)
  bool untranslated_only : 1 = false;  ///< U, always 0 (sections 13.6.4 and 13.6.5)
  bool cxl_io : 1 = false;             ///< CXL.io (section 3.9.3)
};

/// How far a translation had to go for its answer; a later one took longer.
enum class Reach : std::uint8_t {
  tbu,            ///< the TBU's own caches, or nothing translates
  tcu,            ///< the TCU's TLB and configuration cache
  joined,         ///< the TCU's caches, after another translation's walk or fetch had filled them
  walk,           ///< a walk of the translation tables
  configuration,  ///< STE or CD were fetched from memory
};

/// No stall has this STAG: IDR5.STALL_MAX has 16 bits.
inline constexpr std::uint16_t no_stag = 0xffff;

struct Response {
  Outcome outcome = Outcome::abort;
  bool read_allowed = false;  ///< what the translation permits to this transaction's privilege and InD
  bool write_allowed = false;
  std::uint8_t page_bits = 0;  ///< log2 of the size of the mapping that was used; 0 if nothing was translated
  MpamIds mpam{};              ///< these and what follows are valid if outcome is proceed
  Pa address{};                ///< also of a Translation Completion: the page, a PA or an IPA
  MemoryAttributes attributes{};
  std::uint16_t stag = no_stag;            ///< of a stalled transaction whose event was recorded
  Operation operation = Operation::plain;  ///< what goes on, perhaps less than what came
  bool instruction : 1 = false;            ///< INST and PRIV as the access goes on (13.1.2)
  bool privileged : 1 = false;
  bool unmarked : 1 = false;  ///< Effects::httu kept an update of a descriptor from being made
  Reach reach : 3 = Reach::tbu;
  AtsCompletion ats{};      ///< of a Translation Completion; other outcomes leave it alone
  spec::EventType event{};  ///< the event of a faulting transaction, recorded or not; 0 if none
};

static_assert(sizeof(Response) == 24, "a hit writes one");

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

// SPDX-License-Identifier: MIT
// Event records, 32 bytes each (IHI 0070 section 7.3): event numbers and the positions of every field. event_table.h
// says which event has which fields. When an event is recorded belongs to model/smmu.
#pragma once

#include <cstdint>

#include "model/base/field.h"

namespace smmusim::spec {

enum class EventType : std::uint8_t {
  F_UUT = 0x01,
  C_BAD_STREAMID = 0x02,
  F_STE_FETCH = 0x03,
  C_BAD_STE = 0x04,
  F_BAD_ATS_TREQ = 0x05,
  F_STREAM_DISABLED = 0x06,
  F_TRANSL_FORBIDDEN = 0x07,
  C_BAD_SUBSTREAMID = 0x08,
  F_CD_FETCH = 0x09,
  C_BAD_CD = 0x0a,
  F_WALK_EABT = 0x0b,
  F_TRANSLATION = 0x10,
  F_ADDR_SIZE = 0x11,
  F_ACCESS = 0x12,
  F_PERMISSION = 0x13,
  F_TLB_CONFLICT = 0x20,
  F_CFG_CONFLICT = 0x21,
  E_PAGE_REQUEST = 0x24,
  F_VMS_FETCH = 0x25,
};

/// Event.CLASS: what was being translated when the fault happened.
enum class EventClass : unsigned { CD = 0, TT = 1, IN = 2, reserved = 3 };

/// Fields of different events overlap; an event has only those of its row in event_table.
/// The positions of AssuredOnly, Overlay and DirtyBit (F_PERMISSION, v3.4) are not established: they are written 0.
struct Event : Words<Event, 4> {
  using Type = Field<7, 0, EventType>;
  using SSV = Field<11, 11, bool>;  ///< the SubstreamID is valid
  using SubstreamID = Field<31, 12, std::uint32_t>;
  using StreamID = Field<63, 32, std::uint32_t>;
  using STAG = Field<79, 64, std::uint16_t>;    ///< of a stalled transaction
  using Reason = Field<79, 64, std::uint16_t>;  ///< IMPLEMENTATION DEFINED
  using GPCF = Field<80, 80, bool>;             ///< the abort came from a granule protection check
  using Stall = Field<95, 95, bool>;
  using PnU = Field<97, 97, bool>;
  using InD = Field<98, 98, bool>;
  using RnW = Field<99, 99, bool>;
  using NSIPA = Field<102, 102, bool>;
  using S2 = Field<103, 103, bool>;
  using CLASS = Field<105, 104, EventClass>;
  using TTRnW = Field<108, 108, bool>;
  using InputAddr = Field<191, 128>;                    ///< as presented, 64 bits
  using FetchAddr = Field<247, 195, std::uint64_t, 3>;  ///< PA
  using IPA = Field<247, 204, std::uint64_t, 12>;
  using Span = Field<67, 64, unsigned>;  ///< F_BAD_ATS_TREQ, in units of STU
  using P = Field<92, 92, bool>;
  using X = Field<93, 93, bool>;
  using W = Field<94, 94, bool>;
  using R = Field<95, 95, bool>;                         ///< F_BAD_ATS_TREQ, always 1
  using InputPage = Field<191, 140, std::uint64_t, 12>;  ///< InputAddr[63:12] of F_BAD_ATS_TREQ and E_PAGE_REQUEST
  using uX = Field<97, 97, bool>;
  using uW = Field<98, 98, bool>;
  using uR = Field<99, 99, bool>;
  using pX = Field<101, 101, bool>;
  using pW = Field<102, 102, bool>;
  using pR = Field<103, 103, bool>;
  using PageSpan = Field<115, 108, unsigned>;  ///< E_PAGE_REQUEST, in units of 4 KiB
};

}  // namespace smmusim::spec

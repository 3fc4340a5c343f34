// SPDX-License-Identifier: MIT
// Which event has which fields (IHI 0070 section 7.3): one row per event, for decode and the reserved-bit masks.
// C_BAD_SUBSTREAMID has a SubstreamID without SSV; F_STREAM_DISABLED and F_TRANSL_FORBIDDEN have neither.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/base/field.h"
#include "model/spec/event.h"

namespace smmusim::spec {

namespace event_fields {
// Rows that several events share.
namespace row {
inline constexpr FieldRow Type = field_row<Event::Type>("Type");
inline constexpr FieldRow SSV = field_row<Event::SSV>("SSV");
inline constexpr FieldRow SubstreamID = field_row<Event::SubstreamID>("SubstreamID");
inline constexpr FieldRow StreamID = field_row<Event::StreamID>("StreamID");
inline constexpr FieldRow Reason = field_row<Event::Reason>("Reason");
inline constexpr FieldRow PnU = field_row<Event::PnU>("PnU", "0=unprivileged 1=privileged");
inline constexpr FieldRow InD = field_row<Event::InD>("InD", "0=data 1=instruction");
inline constexpr FieldRow RnW = field_row<Event::RnW>("RnW", "0=write 1=read");
inline constexpr FieldRow InputAddr = field_row<Event::InputAddr>("InputAddr");
inline constexpr FieldRow GPCF = field_row<Event::GPCF>("GPCF");
inline constexpr FieldRow FetchAddr = field_row<Event::FetchAddr>("FetchAddr");
inline constexpr FieldRow Span = field_row<Event::Span>("Span");
inline constexpr FieldRow P = field_row<Event::P>("P");
inline constexpr FieldRow X = field_row<Event::X>("X");
inline constexpr FieldRow W = field_row<Event::W>("W");
inline constexpr FieldRow R = field_row<Event::R>("R");
inline constexpr FieldRow InputPage = field_row<Event::InputPage>("InputAddr");
inline constexpr FieldRow S2 = field_row<Event::S2>("S2", "0=stage1 1=stage2");
inline constexpr FieldRow CLASS = field_row<Event::CLASS>("CLASS", "0=CD 1=TT 2=IN 3=reserved");
inline constexpr FieldRow STAG = field_row<Event::STAG>("STAG");
inline constexpr FieldRow Stall = field_row<Event::Stall>("Stall");
inline constexpr FieldRow NSIPA = field_row<Event::NSIPA>("NSIPA");
inline constexpr FieldRow IPA = field_row<Event::IPA>("IPA");
inline constexpr FieldRow TTRnW = field_row<Event::TTRnW>("TTRnW", "0=descriptor-write 1=descriptor-read");
inline constexpr FieldRow uX = field_row<Event::uX>("uX");
inline constexpr FieldRow uW = field_row<Event::uW>("uW");
inline constexpr FieldRow uR = field_row<Event::uR>("uR");
inline constexpr FieldRow pX = field_row<Event::pX>("pX");
inline constexpr FieldRow pW = field_row<Event::pW>("pW");
inline constexpr FieldRow pR = field_row<Event::pR>("pR");
inline constexpr FieldRow PageSpan = field_row<Event::PageSpan>("Span");
}  // namespace row

inline constexpr FieldRow f_uut[] = {row::Type, row::SSV, row::SubstreamID, row::StreamID, row::Reason,
                                     row::PnU,  row::InD, row::RnW,         row::InputAddr};
inline constexpr FieldRow c_bad_streamid[] = {row::Type, row::SSV, row::SubstreamID, row::StreamID};
inline constexpr FieldRow f_ste_fetch[] = {row::Type,   row::SSV,  row::SubstreamID, row::StreamID,
                                           row::Reason, row::GPCF, row::FetchAddr};
inline constexpr FieldRow f_bad_ats_treq[] = {row::Type, row::SSV, row::SubstreamID, row::StreamID, row::Span,
                                              row::P,    row::X,   row::W,           row::R,        row::InputPage};
inline constexpr FieldRow f_stream_disabled[] = {row::Type, row::StreamID};
inline constexpr FieldRow f_transl_forbidden[] = {row::Type, row::StreamID, row::RnW, row::InputAddr};
inline constexpr FieldRow c_bad_substreamid[] = {row::Type, row::SubstreamID, row::StreamID};
inline constexpr FieldRow f_walk_eabt[] = {row::Type,  row::SSV,       row::SubstreamID, row::StreamID, row::Reason,
                                           row::GPCF,  row::PnU,       row::InD,         row::RnW,      row::S2,
                                           row::CLASS, row::InputAddr, row::FetchAddr};
inline constexpr FieldRow f_translation[] = {row::Type,  row::SSV,   row::SubstreamID, row::StreamID, row::STAG,
                                             row::Stall, row::PnU,   row::InD,         row::RnW,      row::NSIPA,
                                             row::S2,    row::CLASS, row::InputAddr,   row::IPA};
inline constexpr FieldRow f_permission[] = {row::Type,  row::SSV,   row::SubstreamID, row::StreamID,  row::STAG,
                                            row::Stall, row::PnU,   row::InD,         row::RnW,       row::NSIPA,
                                            row::S2,    row::CLASS, row::TTRnW,       row::InputAddr, row::IPA};
inline constexpr FieldRow f_tlb_conflict[] = {row::Type,   row::SSV,       row::SubstreamID, row::StreamID,
                                              row::Reason, row::PnU,       row::InD,         row::RnW,
                                              row::S2,     row::InputAddr, row::IPA};
inline constexpr FieldRow f_cfg_conflict[] = {row::Type, row::SSV, row::SubstreamID, row::StreamID, row::Reason};
inline constexpr FieldRow e_page_request[] = {row::Type, row::SSV, row::SubstreamID, row::StreamID,
                                              row::uX,   row::uW,  row::uR,          row::pX,
                                              row::pW,   row::pR,  row::PageSpan,    row::InputPage};
}  // namespace event_fields

struct EventInfo {
  EventType type;
  std::string_view name;
  std::span<const FieldRow> fields;  ///< what no row covers is RES0
};

/// Every architected event, by number.
inline constexpr EventInfo event_table[] = {
    {EventType::F_UUT, "F_UUT", event_fields::f_uut},
    {EventType::C_BAD_STREAMID, "C_BAD_STREAMID", event_fields::c_bad_streamid},
    {EventType::F_STE_FETCH, "F_STE_FETCH", event_fields::f_ste_fetch},
    {EventType::C_BAD_STE, "C_BAD_STE", event_fields::c_bad_streamid},
    {EventType::F_BAD_ATS_TREQ, "F_BAD_ATS_TREQ", event_fields::f_bad_ats_treq},
    {EventType::F_STREAM_DISABLED, "F_STREAM_DISABLED", event_fields::f_stream_disabled},
    {EventType::F_TRANSL_FORBIDDEN, "F_TRANSL_FORBIDDEN", event_fields::f_transl_forbidden},
    {EventType::C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID", event_fields::c_bad_substreamid},
    {EventType::F_CD_FETCH, "F_CD_FETCH", event_fields::f_ste_fetch},
    {EventType::C_BAD_CD, "C_BAD_CD", event_fields::c_bad_streamid},
    {EventType::F_WALK_EABT, "F_WALK_EABT", event_fields::f_walk_eabt},
    {EventType::F_TRANSLATION, "F_TRANSLATION", event_fields::f_translation},
    {EventType::F_ADDR_SIZE, "F_ADDR_SIZE", event_fields::f_translation},
    {EventType::F_ACCESS, "F_ACCESS", event_fields::f_translation},
    {EventType::F_PERMISSION, "F_PERMISSION", event_fields::f_permission},
    {EventType::F_TLB_CONFLICT, "F_TLB_CONFLICT", event_fields::f_tlb_conflict},
    {EventType::F_CFG_CONFLICT, "F_CFG_CONFLICT", event_fields::f_cfg_conflict},
    {EventType::E_PAGE_REQUEST, "E_PAGE_REQUEST", event_fields::e_page_request},
    {EventType::F_VMS_FETCH, "F_VMS_FETCH", event_fields::f_ste_fetch},
};

/// The row of an event number; nullptr for reserved and IMPLEMENTATION DEFINED numbers.
constexpr const EventInfo* find_event(std::uint8_t number) {
  for (const EventInfo& info : event_table) {
    if (static_cast<std::uint8_t>(info.type) == number) return &info;
  }
  return nullptr;
}

}  // namespace smmusim::spec

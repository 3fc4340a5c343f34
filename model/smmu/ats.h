// SPDX-License-Identifier: MIT
// ATS (IHI 0070 sections 3.9.1, 13.6 and 13.7): which Translation Requests and Translated transactions may go on, what
// a Translation Completion says, and which of their faults become events. The translation between is the one of
// translate.h: nothing here looks at tables. EATS=11 needs a Device Permission Table, which there is not: it acts as
// 00.
#pragma once

#include <optional>

#include "model/smmu/translate.h"

namespace smmusim {

inline bool is_translation_request(const Transaction& t) {
  return t.ats == AtsType::translation_request;
}
inline bool is_translated(const Transaction& t) {
  return t.ats == AtsType::translated;
}

/// ATS traffic as the SMMU takes it, and all other as it is: only a PASID says that it is privileged or executes
/// (13.7), and that of a Translated transaction does not count without IDR3.PASIDTT (3.9.1.3). A request is a read,
/// whatever it may write.
Transaction taken(const Core& core, const Transaction& presented);

/// log2 of the smallest translation unit: the smallest granule (section 3.9.1).
unsigned stu_bits(const spec::Features& features);

/// The event of ATS traffic that meets SMMUEN=0, or an STE whose effective EATS is 00.
spec::EventType ats_refusal(const Transaction& t);
/// STE.EATS with CR0.ATSCHK, Config and what is implemented taken into account (section 5.2).
spec::Eats effective_eats(const Core& core, const StreamContext& context);

/// ATS traffic before its stream is asked for. Nothing: it goes on.
std::optional<Progress> begin_ats(Core& core, Consultation& op);
/// A Translated transaction that no stream's configuration is asked about (ATSCHK=0), or allows through (EATS=01): it
/// has a PA. Beyond the OAS it is terminated without an event (section 3.9.1.1).
Progress pass_translated(Core& core, Consultation& op);
/// What the configuration of its stream says about ATS traffic, before any translation. Nothing: it goes on.
std::optional<Progress> enter_ats(Core& core, Consultation& op, const StreamContext& context);

/// Whether a Translation Request gets anything of `granted`; if not of stage 1, stage 2 is not asked (3.9.1.2).
bool grants_request(const Consultation& op, std::uint8_t granted);
/// The completion from the leaf that covers the request (13.7.1).
Progress complete_request(Core& core, Consultation& op, const TlbEntry& entry);
/// The completion where no stage translates (13.6.4): everything is where it was.
Progress complete_identity(Core& core, Consultation& op, const StreamContext& context);
/// The completion of a Translation Request that op.fault has ended (3.9.1.2).
void complete_fault(const Core& core, TranslationOp& op);

/// Whether op.fault is recorded, where ATS says so (sections 3.9.1.2 and 3.9.1.3); nothing: as any transaction's.
std::optional<bool> ats_fault_recorded(const Core& core, const TranslationOp& op);
/// The fields of F_BAD_ATS_TREQ after the stream's (section 7.3.6).
void describe_request(spec::Event& event, const Transaction& t);

}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Choices: a Translated address beyond the OAS is terminated; a request of a Security state other than Non-secure ends
// with UR, with SMMUEN=0 too, and so does one that an SMMU without ATS gets with SMMUEN=0; W is granted to a request
// with NW=1 if the page is writable (13.7).
#include "model/smmu/ats.h"

#include <algorithm>

#include "model/smmu/attributes.h"
#include "model/smmu/core.h"

namespace smmusim {
namespace {

using spec::Eats;
using spec::EventType;

constexpr std::uint8_t instcfg_data = 2;
constexpr std::uint8_t instcfg_instruction = 3;

/// What one privilege gets of a page, with INSTCFG applied to the table's permissions (13.7.1).
struct Granted {
  bool read;
  bool write;
  bool execute;
};
Granted granted_to(const Consultation& op, std::uint8_t permissions) {
  using namespace permission;
  const bool readable = (permissions & read_bit(op.privileged)) != 0;
  const bool executable = (permissions & execute_bit(op.privileged)) != 0;
  const bool asked = op.transaction.instruction;
  Granted granted{readable, (permissions & write_bit(op.privileged)) != 0, asked && readable && executable};
  switch (op.context->overrides.instcfg) {
    case instcfg_instruction:
      granted.read = executable;
      granted.execute = asked && executable;
      break;
    case instcfg_data:
      granted.execute = asked && readable;
      break;
    default:
      break;
  }
  return granted;
}

Progress complete(Consultation& op, AtsStatus status) {
  op.response.outcome = Outcome::ats_completion;
  op.response.ats.status = status;
  op.response.ats.privileged = op.transaction.privileged;
  return Progress::answered;
}

/// Success, and no access: the entry is one STU (3.9.1.2).
Progress complete_without_access(const Core& core, Consultation& op) {
  op.response.read_allowed = false;
  op.response.write_allowed = false;
  op.response.ats.execute = false;
  op.response.address = Pa(0);
  op.response.page_bits = static_cast<std::uint8_t>(stu_bits(core.config.features));
  return complete(op, AtsStatus::success);
}

/// Inner and outer Write-Back, and shareable: what CXL.cache may be used for (section 3.9.3).
bool cacheable_for_cxl(const MemoryAttributes& attributes) {
  const auto write_back = [](unsigned nibble) { return nibble > 4 && (nibble & 4) != 0; };
  return write_back(attributes.type >> 4u) && write_back(attributes.type & 15u) && attributes.shareability != 0;
}

/// `attributes` are those that an access would have. CXL.cache takes no IPAs.
void mark_cxl(const Core& core, Consultation& op, const MemoryAttributes& attributes) {
  op.response.attributes = attributes;
  const bool needs_io = effective_eats(core, *op.context) == Eats::split_stage || !cacheable_for_cxl(attributes);
  op.response.ats.cxl_io = op.transaction.source_cxl && needs_io;
}

/// A request has no memory type: this is what the SMMU takes for it (section 3.9.3).
constexpr MemoryAttributes request_attributes{0xff, 3};

bool configuration_error(EventType type) {
  switch (type) {
    case EventType::C_BAD_STREAMID:
    case EventType::F_STE_FETCH:
    case EventType::C_BAD_STE:
    case EventType::F_STREAM_DISABLED:
    case EventType::C_BAD_SUBSTREAMID:
    case EventType::F_CD_FETCH:
    case EventType::C_BAD_CD:
    case EventType::F_CFG_CONFLICT:
    case EventType::F_VMS_FETCH:
      return true;
    default:
      return false;
  }
}

}  // namespace

Transaction taken(const Core& core, const Transaction& presented) {
  Transaction t = presented;
  if (t.ats == AtsType::untranslated) return t;
  if (is_translated(t) && !core.config.features.pasidtt) t.substream_valid = false;
  if (!t.substream_valid) t.privileged = t.instruction = false;
  if (is_translation_request(t)) {
    t.access = AccessType::read;
    t.operation = Operation::plain;
    t.no_snoop = false;
    t.size = 1;
  }
  return t;
}

unsigned stu_bits(const spec::Features& features) {
  return features.gran4k ? 12 : features.gran16k ? 14 : 16;
}

EventType ats_refusal(const Transaction& t) {
  return is_translation_request(t) ? EventType::F_BAD_ATS_TREQ : EventType::F_TRANSL_FORBIDDEN;
}

Eats effective_eats(const Core& core, const StreamContext& context) {
  if (context.config == spec::SteConfig::bypass) return Eats::none;
  const bool counts = context.eats == Eats::full || (context.eats == Eats::split_stage && core.regs.atschk());
  return counts ? context.eats : Eats::none;
}

std::optional<Progress> begin_ats(Core& core, Consultation& op) {
  const Transaction& t = op.transaction;
  if (!core.config.features.ats && !core.regs.smmuen()) {  // nothing to bypass to, and nothing to record
    if (is_translation_request(t)) return complete(op, AtsStatus::unsupported_request);
    op.response.outcome = Outcome::abort;
    return Progress::answered;
  }
  if (!core.config.features.ats || t.security != SecurityState::non_secure) {  // this state has no SMMUEN here
    tell(core, Step::unsupported);
    return fail(op, EventType::F_UUT);
  }
  if (!core.regs.smmuen()) return fail(op, ats_refusal(t));
  const bool unchecked = is_translated(t) && !core.regs.atschk();
  const bool within_page = (t.address.value & low_mask(12)) + t.size <= 4096;
  if (unchecked && within_page) return pass_translated(core, op);
  return std::nullopt;
}

Progress pass_translated(Core& core, Consultation& op) {
  const std::uint64_t address = op.transaction.address.value;
  const bool reaches = fits(address, core.config.features.oas);
  tell(core, Step::bypassed, core.config.features.oas);
  if (!reaches) tell(core, Step::input_too_large, address);
  op.response.outcome = reaches ? Outcome::proceed : Outcome::abort;
  op.response.mpam = op.context != nullptr ? op.context->mpam : core.bypass_mpam;  // section 17.3
  op.response.instruction = op.transaction.instruction && !op.transaction.writes() && core.shows_access;
  op.response.privileged = op.transaction.privileged || !core.shows_access;
  op.response.address = Pa(address);
  op.response.attributes = op.transaction.attributes;
  op.response.read_allowed = true;
  op.response.write_allowed = true;
  return Progress::answered;
}

std::optional<Progress> enter_ats(Core& core, Consultation& op, const StreamContext& context) {
  const Eats eats = effective_eats(core, context);
  if (spec::aborts(context.config)) {
    if (is_translation_request(op.transaction)) return complete(op, AtsStatus::unsupported_request);
    op.response.outcome = Outcome::abort;
    return Progress::answered;
  }
  if (eats == Eats::none) return fail(op, ats_refusal(op.transaction));
  if (is_translated(op.transaction) && eats == Eats::full) return pass_translated(core, op);
  return std::nullopt;
}

bool grants_request(const Consultation& op, std::uint8_t granted) {
  const Granted gets = granted_to(op, granted);
  return gets.read || gets.write;  // Exe implies R
}

Progress complete_request(Core& core, Consultation& op, const TlbEntry& entry) {
  const Granted gets = granted_to(op, entry.permissions);
  mark_cxl(core, op, translated_attributes(request_attributes, *op.context, core.config.features, entry));
  if (!gets.read && !gets.write) return complete_without_access(core, op);
  op.response.read_allowed = gets.read;
  op.response.write_allowed = gets.write;
  op.response.ats.execute = gets.execute;
  op.response.page_bits = entry.page_bits;
  const bool split = effective_eats(core, *op.context) == Eats::split_stage;
  op.response.address = split ? Pa(entry.ipa_page & ~core.beyond_oas) : entry.pa;
  tell(core, Step::permitted, entry.permissions, op.response.address.value);
  return complete(op, AtsStatus::success);
}

Progress complete_identity(Core& core, Consultation& op, const StreamContext& context) {
  op.response.read_allowed = true;
  op.response.write_allowed = true;
  mark_cxl(core, op, bypass_attributes(request_attributes, context.overrides, core.config.features.attr_types_ovr));
  if (!fits(op.transaction.address.value, core.config.features.oas)) return complete_without_access(core, op);
  op.response.page_bits = static_cast<std::uint8_t>(core.config.features.oas);
  op.response.address = Pa(0);  // one region from 0 up to the OAS
  return complete(op, AtsStatus::success);
}

void complete_fault(const Core& core, TranslationOp& op) {
  switch (op.fault.type) {
    case EventType::F_TRANSLATION:
    case EventType::F_ADDR_SIZE:
    case EventType::F_ACCESS:
    case EventType::F_PERMISSION:
      complete_without_access(core, op);
      if (op.context != nullptr && effective_eats(core, *op.context) == Eats::split_stage)
        op.response.ats.cxl_io = op.transaction.source_cxl;
      return;
    case EventType::F_BAD_ATS_TREQ:
    case EventType::F_UUT:
      complete(op, AtsStatus::unsupported_request);
      return;
    default:
      complete(op, AtsStatus::completer_abort);
  }
}

std::optional<bool> ats_fault_recorded(const Core& core, const TranslationOp& op) {
  const Transaction& t = op.transaction;
  const EventType type = op.fault.type;
  if (t.ats == AtsType::untranslated || !core.config.features.ats) return std::nullopt;
  if (type == ats_refusal(t)) return true;
  if (type == EventType::F_UUT) return false;
  if (configuration_error(type)) {
    const bool shown = is_translated(t) || type != EventType::C_BAD_STREAMID || core.regs.recinvsid();
    return core.regs.rec_cfg_ats() && shown;
  }
  if (is_translated(t)) return std::nullopt;  // of a second stage 2: as any transaction's
  return type == EventType::F_WALK_EABT && core.regs.rec_cfg_ats();
}

void describe_request(spec::Event& event, const Transaction& t) {
  using spec::Event;
  event
      .set<Event::Span>(std::min<unsigned>(t.stus, 15))  // all that the field can hold
      .set<Event::R>(true)
      .set<Event::W>(!t.no_write)
      .set<Event::X>(t.instruction)
      .set<Event::P>(t.privileged)
      .set<Event::InputPage>(t.address.value);
}

}  // namespace smmusim

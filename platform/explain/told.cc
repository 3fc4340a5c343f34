// SPDX-License-Identifier: MIT
// The table of sentences.
#include "platform/explain/told.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "model/base/check.h"
#include "model/spec/event_table.h"
#include "platform/explain/story.h"

namespace smmusim::explain {
namespace {

using spec::EventType;

std::string_view name_of(StreamWorld world) {
  switch (world) {
    case StreamWorld::ns_el1:
      return "NS-EL1";
    case StreamWorld::ns_el2:
      return "NS-EL2";
    case StreamWorld::ns_el2_e2h:
      return "NS-EL2-E2H";
    case StreamWorld::ns_stage2:
      return "stage 2 only";
  }
  return "";
}

std::string disabled(const Told& told, std::uint64_t abort, std::uint64_t) {
  if (abort != 0) return "SMMUEN is 0 and GBPA.ABORT is 1: every access aborts, without an event";
  const unsigned oas = told.features().oas;
  if (fits(told.transaction.address.value, oas)) return "SMMUEN is 0 and GBPA.ABORT is 0: the access passes unchanged";
  return fmt::format("SMMUEN is 0 and the address has more than the {} bits of the OAS: it aborts, without an event",
                     oas);
}

std::string unsupported(const Told&, std::uint64_t, std::uint64_t) {
  return "the SMMU has no way to carry out this kind of access";
}

std::string stream_table(const Told&, std::uint64_t log2size, std::uint64_t split) {
  if (split == 0) return fmt::format("the stream table is linear and has 2^{} entries", log2size);
  return fmt::format("the stream table has two levels, SPLIT = {}, and 2^{} entries", split, log2size);
}

std::string stream_out_of_range(const Told& told, std::uint64_t log2size, std::uint64_t) {
  return fmt::format("StreamID 0x{:x} lies beyond the 2^{} entries of the stream table",
                     told.transaction.stream_id.value, log2size);
}

std::string stream_not_spanned(const Told& told, std::uint64_t span, std::uint64_t index) {
  if (span == 0) return "Span is 0: there is no second level here";
  if (span > told.split + 1 || span > 11)
    return fmt::format("Span = {} is more than SPLIT = {} allows", span, told.split);
  return fmt::format("entry {} of the second level lies beyond the {} that Span = {} gives", index,
                     std::uint64_t{1} << (span - 1), span);
}

std::string ste_decoded(const Told& told, std::uint64_t config, std::uint64_t) {
  switch (static_cast<spec::SteConfig>(config)) {
    case spec::SteConfig::bypass:
      return "neither stage translates";
    case spec::SteConfig::stage1:
      return fmt::format("stage 1 translates, stage 2 does not; StreamWorld is {}", name_of(told.world));
    case spec::SteConfig::stage2:
      return "stage 2 translates, stage 1 does not";
    case spec::SteConfig::nested:
      return fmt::format("stage 1 and stage 2 translate; StreamWorld is {}", name_of(told.world));
    default:
      return fmt::format("STE.Config = {} aborts every access, without an event", config);
  }
}

std::string access(const Told& told, std::uint64_t privileged, std::uint64_t instruction) {
  const bool overridden = told.transaction.privileged != (privileged != 0) ||
                          (!told.transaction.writes() && told.transaction.instruction != (instruction != 0));
  return fmt::format("the access counts as {} {}{}", privileged != 0 ? "privileged" : "unprivileged",
                     instruction != 0 ? "instruction fetch" : "data", overridden ? ", as PRIVCFG and INSTCFG say" : "");
}

std::string substream_none(const Told& told, std::uint64_t, std::uint64_t) {
  if (told.ste.get<spec::Ste::S1CDMax>() == 0) return "S1CDMax is 0: the stream has no substreams, its only CD is used";
  return "there is no SubstreamID and S1DSS is 2: CD 0 is used";
}
std::string substream_used(const Told&, std::uint64_t index, std::uint64_t) {
  return fmt::format("the SubstreamID selects CD 0x{:x}", index);
}
std::string substream_bypass(const Told&, std::uint64_t, std::uint64_t) {
  return "there is no SubstreamID and S1DSS is 1: stage 1 is bypassed";
}
std::string substream_refused(const Told& told, std::uint64_t event, std::uint64_t) {
  const Transaction& t = told.transaction;
  if (static_cast<EventType>(event) == EventType::F_STREAM_DISABLED) {
    return t.substream_valid ? "SubstreamID 0 may not be used, because S1DSS is 2"
                             : "the stream has substreams, the access has none, and S1DSS terminates such accesses";
  }
  const unsigned max = told.features().ssidsize == 0 ? 0 : told.ste.get<spec::Ste::S1CDMax>();
  if (max == 0 || !spec::has_stage1(told.ste.get<spec::Ste::Config>())) {
    return "the access has a SubstreamID, but the stream has no substreams";
  }
  return fmt::format("SubstreamID 0x{:x} lies beyond the 2^{} of S1CDMax", t.substream_id.value, max);
}

std::string cd_not_reachable(const Told& told, std::uint64_t l2ptr, std::uint64_t valid) {
  if (valid == 0) return "V is 0: there is no CD table here";
  const bool ipa = spec::has_stage2(told.ste.get<spec::Ste::Config>());
  const unsigned width = ipa ? spec::intermediate_address_size(told.features()) : told.features().oas;
  return fmt::format("L2Ptr 0x{:x} has more than the {} bits of the {}", l2ptr, width, ipa ? "IAS" : "OAS");
}
std::string cd_decoded(const Told&, std::uint64_t, std::uint64_t) {
  return "the CD is valid";
}

std::string bypassed(const Told& told, std::uint64_t width, std::uint64_t) {
  const bool stage1 = spec::has_stage1(told.ste.get<spec::Ste::Config>());
  return fmt::format("no stage translates; the address may have {} bits, those of the {}", width,
                     stage1 ? "IAS" : "OAS");
}
std::string input_too_large(const Told&, std::uint64_t address, std::uint64_t) {
  return fmt::format("0x{:x} has more bits than that", address);
}

std::string range_of(const Told& told, std::uint64_t canonical, std::uint64_t b) {
  const std::uint64_t half = b >> 8;
  const std::uint64_t txsz = b & 0xff;
  const bool tag = canonical != told.transaction.address.value;
  return fmt::format("the range of TTB{} (T{}SZ = {}: {} bits of address{})", half, half, txsz, 64 - txsz,
                     tag ? ", top byte ignored" : "");
}
std::string stage1_range(const Told& told, std::uint64_t canonical, std::uint64_t b) {
  const S1TTWParams params = told.stage1();
  return fmt::format("stage 1: 0x{:x} lies in {}; granule {}, output of {} bits", canonical,
                     range_of(told, canonical, b), bytes_text(std::uint64_t{1} << params.granule_bits), params.ps_bits);
}
std::string stage1_out_of_range(const Told& told, std::uint64_t canonical, std::uint64_t b) {
  if (b >> 8 == 1 && told.world == StreamWorld::ns_el2)
    return "NS-EL2 has no TTB1, which bit 55 of the address selects";
  return fmt::format("0x{:x} lies outside {}", canonical, range_of(told, canonical, b));
}
std::string stage1_e0pd(const Told& told, std::uint64_t, std::uint64_t) {
  return fmt::format("E0PD{} keeps unprivileged accesses out of this half", told.half());
}
std::string stage1_walk_disabled(const Told& told, std::uint64_t, std::uint64_t) {
  return fmt::format("EPD{} = 1: TTB{} is not walked", told.half(), told.half());
}

std::string stage2_begins(const Told& told, std::uint64_t ipa, std::uint64_t) {
  const bool own = told.klass != spec::EventClass::IN;
  return fmt::format("stage 2 of IPA 0x{:x}, {} {}", ipa, own ? "where to find" : "the address of", told.purpose());
}
std::string stage2_out_of_range(const Told&, std::uint64_t ipa, std::uint64_t t0sz) {
  return fmt::format("IPA 0x{:x} lies outside the range of S2TTB (S2T0SZ = {}: {} bits)", ipa, t0sz, 64 - t0sz);
}
std::string stage2_ends(const Told& told, std::uint64_t pa, std::uint64_t) {
  return fmt::format("IPA 0x{:x} is PA 0x{:x}", told.ipa, pa);
}

std::string table(const Told&, std::uint64_t base, std::uint64_t b) {
  return fmt::format("table: the level-{} table lies at 0x{:x}", static_cast<int>(b & 0xff) - 1, base);
}
std::string leaf(const Told& told, std::uint64_t output, std::uint64_t b) {
  const bool stage1 = b >> 16 == 1;
  const bool nested = stage1 && spec::has_stage2(told.ste.get<spec::Ste::Config>());
  const int level = static_cast<int>(b >> 8 & 0xff) - 1;
  return fmt::format("{} of {} at {} 0x{:x}", level == 3 ? "page" : "block", bytes_text(std::uint64_t{1} << (b & 0xff)),
                     nested ? "IPA" : "PA", output);
}

std::string walk_fault(const Told& told, std::uint64_t event, std::uint64_t b) {
  const bool stage1 = b >> 8 == 1;
  const int level = static_cast<int>(b & 0xff) - 1;
  const std::string what = fmt::format("the stage-{} level-{} descriptor", stage1 ? 1 : 2, level);
  switch (static_cast<EventType>(event)) {
    case EventType::F_ADDR_SIZE:
      return fmt::format("{} names an address of more than {} bits, the output size", what,
                         stage1 ? told.stage1().ps_bits : told.stage2().ps_bits);
    case EventType::F_ACCESS:
      return fmt::format("{} has AF = 0, and {} does not waive that", what, stage1 ? "CD.AFFD" : "STE.S2AFFD");
    default:
      break;
  }
  if ((told.descriptor & 1) == 0) return what + " is invalid (bit 0 is 0)";
  if (level == 3) return what + " is reserved (bits [1:0] are 0b01)";
  return what + " is a block, which this level does not have";
}

std::string external_abort(const Told& told, std::uint64_t address, std::uint64_t) {
  if (!fits(address, told.features().oas)) {
    return fmt::format("0x{:x} has more than the {} bits of the OAS: the read aborts", address, told.features().oas);
  }
  const std::uint64_t frame = told.config.frame_base.value;
  if (address - frame < told.config.frame_bytes)
    return fmt::format("0x{:x} lies in the SMMU's own registers: the read aborts", address);
  return fmt::format("there is no memory at 0x{:x}: the read aborts", address);
}

std::string stage2_refuses_walk(const Told& told, std::uint64_t, std::uint64_t cause) {
  return fmt::format("stage 2 does not let the SMMU read {} there: {}", told.purpose(),
                     (cause & 0xff) == 1 ? "S2AP forbids reads" : "it is Device memory and S2PTW is 1");
}

std::string marked(const Told&, std::uint64_t address, std::uint64_t) {
  return fmt::format("hardware updates the flags of the descriptor at 0x{:x}; explain leaves memory as it is", address);
}
std::string mark_failed(const Told&, std::uint64_t address, std::uint64_t) {
  return fmt::format("the descriptor at 0x{:x} has changed since it was read: it is looked at again", address);
}

std::string permitted(const Told&, std::uint64_t granted, std::uint64_t output) {
  return fmt::format("the translation grants {}; the output is PA 0x{:x}", permissions_text(granted), output);
}
std::string denied(const Told&, std::uint64_t granted, std::uint64_t stage) {
  return fmt::format("stage {} grants {}", stage, permissions_text(granted));
}

constexpr bool fetch = true, alone = false, cause = true, neutral = false;

/// In the order of Step.
constexpr Sentence sentences[] = {
    {Step::disabled, "disabled", "6.3.14", alone, cause, disabled},
    {Step::unsupported, "unsupported", "7.3.2", alone, cause, unsupported},
    {Step::stream_table, "stream_table", "6.3.25", alone, neutral, stream_table},
    {Step::stream_out_of_range, "stream_out_of_range", "3.3.1", fetch, cause, stream_out_of_range},
    {Step::stream_not_spanned, "stream_not_spanned", "5.1", fetch, cause, stream_not_spanned},
    {Step::ste_decoded, "ste_decoded", "5.2", fetch, cause, ste_decoded},
    {Step::access, "access", "13.5", fetch, neutral, access},
    {Step::substream_none, "substream_none", "3.3.2", fetch, neutral, substream_none},
    {Step::substream_used, "substream_used", "3.3.2", fetch, neutral, substream_used},
    {Step::substream_bypass, "substream_bypass", "5.2", fetch, neutral, substream_bypass},
    {Step::substream_refused, "substream_refused", "3.3.2", fetch, cause, substream_refused},
    {Step::cd_not_reachable, "cd_not_reachable", "5.3", fetch, cause, cd_not_reachable},
    {Step::cd_decoded, "cd_decoded", "5.4", fetch, neutral, cd_decoded},
    {Step::bypassed, "bypassed", "3.4", alone, neutral, bypassed},
    {Step::input_too_large, "input_too_large", "3.4", alone, cause, input_too_large},
    {Step::stage1_range, "stage1_range", "3.4.1", alone, neutral, stage1_range},
    {Step::stage1_out_of_range, "stage1_out_of_range", "3.4.1", alone, cause, stage1_out_of_range},
    {Step::stage1_e0pd, "stage1_e0pd", "5.4", fetch, cause, stage1_e0pd},
    {Step::stage1_walk_disabled, "stage1_walk_disabled", "5.4", fetch, cause, stage1_walk_disabled},
    {Step::stage2_begins, "stage2_begins", "3.3.2", alone, neutral, stage2_begins},
    {Step::stage2_out_of_range, "stage2_out_of_range", "3.4", fetch, cause, stage2_out_of_range},
    {Step::stage2_ends, "stage2_ends", "3.3.2", fetch, neutral, stage2_ends},
    {Step::table, "table", "Arm ARM D8.3", fetch, neutral, table},
    {Step::leaf, "leaf", "Arm ARM D8.3", fetch, neutral, leaf},
    {Step::marked, "marked", "3.13", fetch, neutral, marked},
    {Step::mark_failed, "mark_failed", "3.13.4", fetch, neutral, mark_failed},
    {Step::walk_fault, "walk_fault", "7.3", fetch, cause, walk_fault},
    {Step::external_abort, "external_abort", "7.3", fetch, cause, external_abort},
    {Step::stage2_refuses_walk, "stage2_refuses_walk", "7.3.16", fetch, cause, stage2_refuses_walk},
    {Step::permitted, "permitted", "Arm ARM D8.4", alone, neutral, permitted},
    {Step::denied, "denied", "7.3.16", alone, cause, denied},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i != std::size(sentences); ++i) {
    if (static_cast<std::size_t>(sentences[i].step) != i) return false;
  }
  return true;
}
static_assert(in_order() && std::size(sentences) == static_cast<std::size_t>(Step::denied) + 1);

}  // namespace

S1TTWParams Told::stage1() const {
  return s1_ttw_params(cd, half(), world != StreamWorld::ns_el2, features());
}

S2TTWParams Told::stage2() const {
  return s2_ttw_params(ste, features());
}

std::string Told::purpose() const {
  if (klass == spec::EventClass::IN) return "the access";
  if (klass == spec::EventClass::TT) return fmt::format("the stage-1 level-{} descriptor", walk[0].level);
  const bool two_level = ste.get<spec::Ste::S1CDMax>() != 0 && features().ssidsize != 0 &&
                         (ste.get<spec::Ste::S1Fmt>() == spec::S1Format::two_level_4k ||
                          ste.get<spec::Ste::S1Fmt>() == spec::S1Format::two_level_64k);
  return two_level && !l1cd_fetched ? "the L1CD" : "the CD";
}

const Sentence& sentence_of(Step step) {
  const auto index = static_cast<std::size_t>(step);
  SMMUSIM_CHECK(index < std::size(sentences));
  return sentences[index];
}

std::string_view section_of(const Sentence& sentence, std::uint64_t a, std::uint64_t b) {
  if (sentence.step == Step::external_abort) {
    const auto purpose = static_cast<Purpose>(b);
    if (purpose == Purpose::L1STD || purpose == Purpose::STE) return "7.3.4";
    return purpose == Purpose::TTD ? "7.3.12" : purpose == Purpose::VMS ? "7.3.20" : "7.3.10";
  }
  if (sentence.step == Step::walk_fault) {
    const auto event = static_cast<EventType>(a);
    return event == EventType::F_ADDR_SIZE ? "7.3.14" : event == EventType::F_ACCESS ? "7.3.15" : "7.3.13";
  }
  return sentence.section;
}

std::string permissions_text(std::uint64_t granted) {
  const auto of_level = [granted](unsigned shift) {
    constexpr std::string_view names[3] = {"read", "write", "execute"};
    std::string text;
    for (unsigned bit = 0; bit != 3; ++bit) {
      if ((granted >> (shift + bit) & 1) != 0) text += (text.empty() ? "" : "+") + std::string(names[bit]);
    }
    return text.empty() ? "nothing" : text;
  };
  constexpr unsigned privileged_shift = 3;
  const std::string unprivileged = of_level(0);
  const std::string privileged = of_level(privileged_shift);
  if (unprivileged == privileged) return unprivileged;
  return "unprivileged " + unprivileged + ", privileged " + privileged;
}

}  // namespace smmusim::explain

// SPDX-License-Identifier: MIT
// The order of a translation in the reference: SMMUEN and GBPA, StreamID, STE, SubstreamID rules, CD, walk
// (IHI 0070 3.3, 3.4, 5.2, 5.4, 7.3.22). Walks are in stage1.cc and stage2.cc, descriptor updates in update.cc, event
// records in faults.cc.
#include "tests/random/reference/refwalk.h"

#include <algorithm>
#include <utility>

#include "tests/random/reference/attributes.h"
#include "tests/random/reference/translation.h"

namespace refwalk {

Translation::Translation(const Registers& registers, const Memory& memory, const Access& access)
    : registers_(registers),
      memory_(memory),
      access_(access),
      features_(features_of(registers)),
      is_request_(false),
      request_{} {
  // Incoming writes are always Data.
  privileged_ = access.privileged;
  instruction_ = access.instruction && !access.write;
}

Result Translation::run() {
  Result result;
  try {
    const bool enabled = bit(registers_.cr0, 0);
    if (access_.speculative && access_.write) stop_silently();
    if (enabled) {
      result = translate_enabled();
    } else {
      const bool gbpa_abort = bit(registers_.gbpa, 20);
      if (gbpa_abort || exceeds(access_.address, features_.oas)) stop_silently();
      result.outcome = Outcome::Proceed;
      result.pa = access_.address;
      result.attributes = consistent(input_attributes());
    }
  } catch (const Stop& stop) {
    result = Result{};
    result.outcome = access_.speculative ? Outcome::Abort : stop.outcome;
    if (!access_.speculative) result.event = stop.event;
  }
  result.fetches = static_cast<unsigned>(fetched_.size());
  result.fetch_list = std::move(fetched_);
  result.updates = std::move(updates_);
  return result;
}

// No stage translates: the address is the output if it fits.
Result Translation::bypass(uint64_t limit_bits) {
  if (exceeds(access_.address, static_cast<unsigned>(limit_bits))) bypass_size_fault();
  Result result;
  result.outcome = Outcome::Proceed;
  result.pa = access_.address;
  result.attributes = output_attributes(nullptr, nullptr);
  return result;
}

// The attributes that the first enabled stage gets (13.1.4, 13.2, 13.3): GBPA's overrides if SMMUEN is 0, else the
// STE's.
MemoryAttributes Translation::input_attributes() const {
  if (!features_.attr_types_ovr) return consistent(access_.attributes);
  const uint32_t gbpa = registers_.gbpa;
  TypeOverrides overrides{};
  if (bit(registers_.cr0, 0)) {
    overrides = {ste_.MTCFG, ste_.MemAttr, ste_.ALLOCCFG, ste_.SHCFG};
  } else {
    overrides.mtcfg = bit(gbpa, 4);
    overrides.mem_attr = static_cast<unsigned>(bits(gbpa, 3, 0));
    overrides.alloccfg = static_cast<unsigned>(bits(gbpa, 11, 8));
    overrides.shcfg = static_cast<unsigned>(bits(gbpa, 13, 12));
  }
  return overridden(access_.attributes, overrides);
}

// Section 13.4; a stage that did not translate is null.
MemoryAttributes Translation::output_attributes(const Stage1* first, const Stage2* second) const {
  MemoryAttributes attributes = input_attributes();
  if (first != nullptr) attributes = replaced_by_stage1(attributes, first->mair_attr, first->sh);
  if (second != nullptr) {
    const bool forced = features_.fwb && ste_.S2FWB;
    attributes =
        combined_with_stage2(attributes, Stage2Attributes{second->mem_attr, second->sh, forced, features_.mteperm});
  }
  return consistent(attributes);
}

Result Translation::translate_enabled() {
  ste_ = ste_of(features_, fetch_ste());
  if (ste_illegal(features_, ste_)) stop_with(EventNumber::C_BAD_STE);
  if ((ste_.Config & 4) == 0) stop_silently();
  apply_overrides();
  const bool stage2_on = (ste_.Config & 2) != 0;
  const bool stage1_skipped = stage1_bypassed_by_substream_rules();
  // With TTF = 2 the intermediate size is OAS, so one limit serves every bypass.
  if (stage1_skipped && !stage2_on) return bypass(features_.oas);

  Result result;
  Stage1 first{access_.address, 64, 0, 0};
  if (stage1_skipped) {
    bypass(features_.oas);
  } else {
    world_ = stream_world(features_, ste_, bit(registers_.cr2, 0));
    const Cd cd = fetch_cd();
    if (cd_illegal(features_, ste_, cd, world_)) stop_with(EventNumber::C_BAD_CD);
    cd_a_ = cd.A;
    cd_r_ = cd.R;
    cd_s_ = cd.S;
    first = stage1(cd);
  }
  Stage2 second{first.address, 64, 0, 0};
  if (stage2_on) second = stage2(first.address, FaultClass::IN);
  result.outcome = Outcome::Proceed;
  result.pa = second.address;
  result.page_size_log2 = std::min(first.size_log2, second.size_log2);
  result.mair_attr = first.mair_attr;
  result.sh = first.sh;
  result.attributes = output_attributes(stage1_skipped ? nullptr : &first, stage2_on ? &second : nullptr);
  return result;
}

// PRIVCFG and INSTCFG (13.1.2): 2 and 3 override, 0 and 1 do not.
void Translation::apply_overrides() {
  if (!features_.attr_perms_ovr) return;
  if (ste_.PRIVCFG >= 2) privileged_ = ste_.PRIVCFG == 3;
  if (!access_.write && ste_.INSTCFG >= 2) instruction_ = ste_.INSTCFG == 3;
}

// Section 3.3.1: where the STE of the StreamID is.
uint64_t Translation::ste_address() {
  const uint32_t cfg = registers_.strtab_base_cfg;
  const unsigned log2size = static_cast<unsigned>(bits(cfg, 5, 0));
  const unsigned effective_log2size = std::min(log2size, features_.sidsize);
  // What is recorded of a translation request is decided in ats.cc.
  const bool record = is_request_ || bit(registers_.cr2, 1);
  const auto bad_streamid = [this, record]() {
    if (record) stop_with(EventNumber::C_BAD_STREAMID);
    stop_silently();
  };
  if (exceeds(access_.sid, effective_log2size)) bad_streamid();

  const uint64_t base = bits(registers_.strtab_base, 51, 6) << 6;
  const bool two_level = features_.st_level == 1 && bits(cfg, 17, 16) == 1;
  if (!two_level) return align_down(base, log2size + 6) + 64 * uint64_t{access_.sid};

  unsigned split = static_cast<unsigned>(bits(cfg, 10, 6));
  if (split != 6 && split != 8 && split != 10) split = 6;
  const unsigned l1_log2 = log2size > split ? std::max(6u, log2size - split + 3) : 6;
  const uint64_t l1std_address = align_down(base, l1_log2) + 8 * uint64_t{access_.sid >> split};
  uint64_t l1std = 0;
  const Fetch fetch{FetchKind::L1STD, 0, 0, l1std_address, FaultClass::IN};
  if (exceeds(l1std_address, features_.oas) || !read_word(fetch, false, &l1std)) {
    stop_on_fetch(EventNumber::F_STE_FETCH, l1std_address);
  }
  const unsigned span = static_cast<unsigned>(bits(l1std, 4, 0));
  if (span == 0 || span > 11 || span > split + 1) bad_streamid();
  const uint64_t index = low_bits(access_.sid, split);
  if (exceeds(index, span - 1)) bad_streamid();
  const uint64_t l2 = align_down(bits(l1std, 55, 6) << 6, 6 + span - 1);
  return l2 + 64 * index;
}

Structure Translation::fetch_ste() {
  const uint64_t address = ste_address();
  if (exceeds(address, features_.oas)) stop_on_fetch(EventNumber::F_STE_FETCH, address);
  return read_structure(Fetch{FetchKind::STE, 0, 0, address, FaultClass::IN}, EventNumber::F_STE_FETCH);
}

// True if stage 1 does not translate this access; faults if the SubstreamID is not acceptable (5.2 S1DSS, 7.3.9).
bool Translation::stage1_bypassed_by_substream_rules() {
  const bool stage1_on = (ste_.Config & 1) != 0;
  const unsigned cd_max = features_.ssidsize == 0 ? 0 : ste_.S1CDMax;
  if (access_.ssv) {
    if (!stage1_on || cd_max == 0 || exceeds(low_bits(access_.ssid, 20), cd_max)) {
      stop_with(EventNumber::C_BAD_SUBSTREAMID);
    }
    if (ste_.S1DSS == 2 && low_bits(access_.ssid, 20) == 0) stop_with(EventNumber::F_STREAM_DISABLED);
    return false;
  }
  if (!stage1_on) return true;
  if (cd_max == 0) return false;
  if (ste_.S1DSS == 0 || ste_.S1DSS == 3) stop_with(EventNumber::F_STREAM_DISABLED);
  return ste_.S1DSS == 1;
}

// A CD or L1CD address is an IPA if the stream has a stage 2.
uint64_t Translation::cd_memory_address(uint64_t address) {
  return (ste_.Config & 2) != 0 ? stage2(address, FaultClass::CD).address : address;
}

// Where the CD with this index is, before stage 2.
uint64_t Translation::cd_address(unsigned index) {
  const unsigned cd_max = features_.ssidsize == 0 ? 0 : ste_.S1CDMax;
  const bool two_level = cd_max != 0 && (ste_.S1Fmt == 1 || ste_.S1Fmt == 2);
  if (!two_level) return align_down(ste_.S1ContextPtr, 6 + cd_max) + 64 * uint64_t{index};

  const unsigned leaf_bits = ste_.S1Fmt == 1 ? 6 : 10;
  const unsigned l1_log2 = cd_max > leaf_bits ? std::max(6u, cd_max - leaf_bits + 3) : 6;
  const uint64_t l1cd_address = align_down(ste_.S1ContextPtr, l1_log2) + 8 * uint64_t{index >> leaf_bits};
  const uint64_t pa = cd_memory_address(l1cd_address);
  uint64_t l1cd = 0;
  if (!read_word(Fetch{FetchKind::L1CD, 0, 0, pa, FaultClass::CD}, false, &l1cd))
    stop_on_fetch(EventNumber::F_CD_FETCH, pa);
  const uint64_t l2 = bits(l1cd, 55, 12) << 12;
  if (!bit(l1cd, 0) || exceeds(l2, features_.oas)) stop_with(EventNumber::C_BAD_SUBSTREAMID);
  return align_down(l2, leaf_bits + 6) + 64 * low_bits(index, leaf_bits);
}

Cd Translation::fetch_cd() {
  const unsigned index = access_.ssv ? static_cast<unsigned>(low_bits(access_.ssid, 20)) : 0;
  const uint64_t pa = cd_memory_address(cd_address(index));
  const Fetch fetch{FetchKind::CD, 0, 0, pa, FaultClass::CD};
  return cd_of(features_, read_structure(fetch, EventNumber::F_CD_FETCH));
}

Structure Translation::read_structure(const Fetch& fetch, EventNumber on_abort) {
  unsigned char bytes[64] = {};
  fetched_.push_back(fetch);
  if (!read_memory(fetch.address, bytes, sizeof bytes)) stop_on_fetch(on_abort, fetch.address);
  Structure words{};
  for (unsigned i = 0; i < 8; ++i) words[i] = word_of(bytes + 8 * i, false);
  return words;
}

bool Translation::read_word(const Fetch& fetch, bool big_endian, uint64_t* value) {
  unsigned char bytes[8] = {};
  fetched_.push_back(fetch);
  if (!read_memory(fetch.address, bytes, sizeof bytes)) return false;
  *value = word_of(bytes, big_endian);
  return true;
}

Result translate(const Registers& registers, const Memory& memory, const Access& access) {
  return Translation(registers, memory, access).run();
}

}  // namespace refwalk

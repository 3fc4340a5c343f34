// SPDX-License-Identifier: MIT
// The answer to an ATS translation request (IHI 0070 3.9.1.2, 13.6.3 to 13.6.5, 13.7.1). The walks are those of
// ordinary accesses; here is what differs: who may ask, which permissions are granted, what a fault becomes.
#include "tests/random/reference/ats.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/random/reference/translation.h"

namespace refwalk {

namespace {

constexpr unsigned kBadAtsTreq = 0x05;

Access access_of(const TranslationRequest& request) {
  Access access;
  access.sid = request.sid;
  access.ssv = request.ssv;
  access.ssid = request.ssid;
  access.address = request.address;
  access.privileged = request.ssv && request.privileged;
  return access;
}

// F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION: no access, but a success.
bool is_translation_fault(unsigned number) {
  return number >= 0x10 && number <= 0x13;
}

}  // namespace

Translation::Translation(const Registers& registers, const Memory& memory, const TranslationRequest& request)
    : registers_(registers),
      memory_(memory),
      access_(access_of(request)),
      features_(features_of(registers)),
      is_request_(true),
      request_(request),
      privileged_(access_.privileged),
      instruction_(request.ssv && request.execute) {}

// UR and F_BAD_ATS_TREQ: R is always 1, the others as requested.
void Translation::refuse_ats() {
  Event event;
  event.recorded = true;
  event.dw[0] = uint64_t{access_.sid} << 32 | kBadAtsTreq;
  if (access_.ssv) event.dw[0] |= low_bits(access_.ssid, 20) << 12 | uint64_t{1} << 11;
  event.dw[1] = 1 | uint64_t{1} << 31;
  if (!request_.no_write) event.dw[1] |= uint64_t{1} << 30;
  if (request_.ssv && request_.execute) event.dw[1] |= uint64_t{1} << 29;
  if (request_.ssv && request_.privileged) event.dw[1] |= uint64_t{1} << 28;
  event.dw[2] = align_down(access_.address, 12);
  throw Stop{Outcome::Abort, event, kBadAtsTreq};
}

// 13.7.1, the pseudocode.
Completion Translation::completion_of(const Grant& grant) const {
  Completion completion;
  completion.status = CompletionStatus::Success;
  const bool execute = request_.ssv && request_.execute;
  completion.privileged = request_.ssv && request_.privileged;
  completion.write = grant.write;
  const unsigned instcfg = features_.attr_perms_ovr ? ste_.INSTCFG : 0;
  if (instcfg == 3) {
    completion.read = grant.execute;
    completion.execute = execute && grant.execute;
  } else if (instcfg == 2) {
    completion.read = grant.read;
    completion.execute = execute && grant.read;
  } else {
    completion.read = grant.read;
    completion.execute = execute && grant.read && grant.execute;
  }
  return completion;
}

// Whether a stage lets the access pass. A request gets what all stages grant, and passes if that is anything; a
// writable-clean leaf, which `grant` has as writable, is so only for a request that may make it dirty.
bool Translation::allows(Grant grant, bool clean) {
  if (!is_request_) return access_.write ? grant.write : (instruction_ ? grant.execute : grant.read);
  if (clean && request_.no_write) grant.write = false;
  granted_.read = granted_.read && grant.read;
  granted_.write = granted_.write && grant.write;
  granted_.execute = granted_.execute && grant.execute;
  const Completion completion = completion_of(granted_);
  return completion.read || completion.write || completion.execute;
}

Completion Translation::complete_enabled() {
  if (!bit(registers_.cr0, 0)) refuse_ats();
  ste_ = ste_of(features_, fetch_ste());
  if (ste_illegal(features_, ste_)) stop_with(EventNumber::C_BAD_STE);
  if ((ste_.Config & 4) == 0) stop_silently();
  const bool checked = bit(registers_.cr0, 4);
  const bool split = ste_.EATS == 2 && checked;
  if (ste_.EATS == 3 && checked && features_.dpt) throw std::invalid_argument("the reference has no DPT");
  if (!features_.ats || ste_.Config == 4 || !(ste_.EATS == 1 || split)) refuse_ats();

  apply_overrides();
  const bool stage2_on = (ste_.Config & 2) != 0;
  Stage1 first{access_.address, features_.oas, 0, 0};
  if (stage1_bypassed_by_substream_rules()) {
    if (exceeds(access_.address, features_.oas)) bypass_size_fault();
  } else {
    world_ = stream_world(features_, ste_, bit(registers_.cr2, 0));
    const Cd cd = fetch_cd();
    if (cd_illegal(features_, ste_, cd, world_)) stop_with(EventNumber::C_BAD_CD);
    first = stage1(cd);
  }
  Stage2 second{first.address, features_.oas, 0, 0};
  if (stage2_on) second = stage2(first.address, FaultClass::IN);
  Completion completion = completion_of(granted_);
  completion.address = split ? first.address : second.address;
  completion.size_log2 = std::min(first.size_log2, second.size_log2);
  return completion;
}

Completion Translation::complete() {
  Completion completion;
  try {
    completion = complete_enabled();
  } catch (const Stop& stop) {
    completion = Completion{};
    if (is_translation_fault(stop.number)) {
      completion = completion_of(Grant{false, false, false});
    } else if (stop.number == 0 || stop.number == kBadAtsTreq) {
      completion.status = CompletionStatus::UnsupportedRequest;
      completion.event = stop.event;
    } else {
      // CA. REC_CFG_ATS exists if IDR0.ATSRECERR is 1.
      const bool stream_counts =
          stop.number != static_cast<unsigned>(EventNumber::C_BAD_STREAMID) || bit(registers_.cr2, 1);
      if (bit(registers_.idr0, 23) && bit(registers_.cr2, 3) && stream_counts) completion.event = stop.event;
    }
  }
  completion.fetch_list = std::move(fetched_);
  completion.updates = std::move(updates_);
  return completion;
}

Completion request_translation(const Registers& registers, const Memory& memory, const TranslationRequest& request) {
  return Translation(registers, memory, request).complete();
}

}  // namespace refwalk

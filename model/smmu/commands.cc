// SPDX-License-Identifier: MIT
// Which commands are CERROR_ILL, what each invalidation names, and CMD_RESUME and CMD_STALL_TERM (IHI 0070 sections
// 4.1 to 4.4, 4.7.1 and 4.7.2).
#include <algorithm>

#include "model/smmu/command_queue.h"
#include "model/smmu/core.h"
#include "model/smmu/mpam.h"

namespace smmusim {
namespace {

using spec::Command;
using spec::Features;
using spec::Opcode;

using Legal = bool (*)(const Command&, const Features&);

bool always(const Command&, const Features&) {
  return true;
}
bool with_s1p(const Command&, const Features& f) {
  return f.s1p;
}
bool with_s2p(const Command&, const Features& f) {
  return f.s2p;
}
bool with_hyp(const Command&, const Features& f) {
  return f.hyp;
}
/// A Size that covers more than everything may be used with an unknown span (4.5.1); here it is illegal.
bool atc_inv_ok(const Command& c, const Features& f) {
  return f.ats && c.get<Command::AtcSize>() <= spec::atc_inv_size_all;
}
bool with_vms(const Command&, const Features& f) {
  return supports_vms(f);
}
bool with_stall(const Command&, const Features& f) {
  return f.stall_model != spec::StallModel::terminate;
}

/// SCALE of a range: 6 bits with IDR5.DS, where values above 39 act as 39 (4.4.1.1).
unsigned scale_of(const Command& c, const Features& f) {
  return f.ds ? std::min(c.get<Command::SCALE_DS>(), 39u) : c.get<Command::SCALE>();
}

/// A range without extent and without a TTL hint (4.4.1.1): illegal. TTL=1 with 16 KiB is reserved without DS.
bool range_ok(const Command& c, const Features& f) {
  const auto tg = c.get<Command::TG>();
  if (!f.ril || tg == spec::TlbiTg::any) return true;
  unsigned ttl = c.get<Command::TTL>();
  if (tg == spec::TlbiTg::kib16 && ttl == 1 && !f.ds) ttl = 0;
  return c.get<Command::NUM>() != 0 || scale_of(c, f) != 0 || ttl != 0;
}
bool range_s1(const Command& c, const Features& f) {
  return f.s1p && range_ok(c, f);
}
bool range_s2(const Command& c, const Features& f) {
  return f.s2p && range_ok(c, f);
}
bool range_hyp(const Command& c, const Features& f) {
  return f.hyp && range_ok(c, f);
}

bool pri_resp_ok(const Command& c, const Features& f) {
  return f.pri && c.get<Command::Resp>() != spec::PriResp::reserved;
}
bool sync_ok(const Command& c, const Features&) {
  return c.get<Command::CS>() != spec::SyncSignal::reserved;
}

struct CommandRow {
  Opcode opcode;
  Legal legal;
  bool has_ssec = false;  ///< bit 10 is SSec, which must be 0 on the Non-secure queue; elsewhere it is RES0
};
/// Every command that the Non-secure queue knows; all others are CERROR_ILL.
constexpr CommandRow rows[] = {
    {Opcode::CMD_PREFETCH_CONFIG, always, true},
    {Opcode::CMD_PREFETCH_ADDR, always, true},
    {Opcode::CMD_CFGI_STE, always, true},
    {Opcode::CMD_CFGI_STE_RANGE, always, true},
    {Opcode::CMD_CFGI_CD, with_s1p, true},
    {Opcode::CMD_CFGI_CD_ALL, with_s1p, true},
    {Opcode::CMD_CFGI_VMS_PIDM, with_vms, true},
    {Opcode::CMD_TLBI_NH_ALL, with_s1p},
    {Opcode::CMD_TLBI_NH_ASID, with_s1p},
    {Opcode::CMD_TLBI_NH_VA, range_s1},
    {Opcode::CMD_TLBI_NH_VAA, range_s1},
    {Opcode::CMD_TLBI_EL2_ALL, with_hyp},
    {Opcode::CMD_TLBI_EL2_ASID, with_hyp},
    {Opcode::CMD_TLBI_EL2_VA, range_hyp},
    {Opcode::CMD_TLBI_EL2_VAA, range_hyp},
    {Opcode::CMD_TLBI_S12_VMALL, with_s2p},
    {Opcode::CMD_TLBI_S2_IPA, range_s2},
    {Opcode::CMD_TLBI_NSNH_ALL, always},
    {Opcode::CMD_ATC_INV, atc_inv_ok},
    {Opcode::CMD_PRI_RESP, pri_resp_ok},
    {Opcode::CMD_RESUME, with_stall, true},
    {Opcode::CMD_STALL_TERM, with_stall, true},
    {Opcode::CMD_SYNC, sync_ok},
};

constexpr unsigned el1 = world_bit(StreamWorld::ns_el1);
constexpr unsigned stage2 = world_bit(StreamWorld::ns_stage2);
constexpr unsigned any_el2 = world_bit(StreamWorld::ns_el2) | world_bit(StreamWorld::ns_el2_e2h);

/// A VA as TLB entries hold it: bits above 55 are copies of bit 55.
std::uint64_t canonical(std::uint64_t va) {
  return ((va >> 55) & 1) != 0 ? va | ~low_mask(56) : va & low_mask(56);
}

std::uint16_t vmid_mask(const Core& core) {
  const unsigned vmw = as<spec::CR0>(core.regs.cr0).get<spec::CR0::VMW>();
  return static_cast<std::uint16_t>(vmw <= 4 ? 0xffffu << vmw : 0xffffu);
}

/// The addresses of a *_VA, *_VAA or *_IPA command from `first` on: one page of any size, or with TG a range (4.4.1.1).
void set_addresses(const Core& core, const Command& c, std::uint64_t first, TlbInvalidation& what) {
  what.by_va = true;
  what.leaf_only = c.get<Command::Leaf>();
  what.first = first;
  what.last = what.first | low_mask(12);
  const auto tg = c.get<Command::TG>();
  if (!core.config.features.ril || tg == spec::TlbiTg::any) return;
  constexpr std::uint8_t granule[4] = {0, 12, 14, 16};
  what.granule_bits = granule[static_cast<unsigned>(tg) & 3];
  const unsigned ttl = c.get<Command::TTL>();
  what.ttl = static_cast<std::uint8_t>(what.granule_bits == 14 && ttl == 1 && !core.config.features.ds ? 0 : ttl);
  const unsigned shift = scale_of(c, core.config.features) + what.granule_bits;  // at most 39 + 16
  const std::uint64_t bytes = (std::uint64_t{c.get<Command::NUM>()} + 1) << shift;
  what.first &= ~low_mask(what.granule_bits);
  const std::uint64_t last = what.first + (bytes - 1);
  what.last = last < what.first ? ~std::uint64_t{0} : last;  // never past the top
}

TlbInvalidation in_vmid(const Core& core, const Command& c) {
  TlbInvalidation what;
  what.worlds = el1;
  what.by_vmid = true;  // without stage 2 every entry has VMID 0, whatever the command says
  what.vmid = Vmid(core.config.features.s2p ? c.get<Command::VMID>() : std::uint16_t{0});
  what.vmid_mask = vmid_mask(core);
  return what;
}
TlbInvalidation in_el2() {
  TlbInvalidation what;
  what.worlds = any_el2;
  return what;
}

void set_asid(const Command& c, TlbInvalidation& what, bool global_too) {
  what.by_asid = true;
  what.asid = Asid(c.get<Command::ASID>());
  what.global_too = global_too;
}

TlbInvalidation tlb_invalidation(const Core& core, const Command& c) {
  const Opcode opcode = c.get<Command::OP>();
  const bool hypervisor = opcode >= Opcode::CMD_TLBI_EL2_ALL && opcode <= Opcode::CMD_TLBI_EL2_VAA;
  TlbInvalidation what = hypervisor ? in_el2() : in_vmid(core, c);
  switch (opcode) {
    case Opcode::CMD_TLBI_NH_ASID:
    case Opcode::CMD_TLBI_EL2_ASID:
      set_asid(c, what, false);
      break;
    case Opcode::CMD_TLBI_NH_VA:
    case Opcode::CMD_TLBI_EL2_VA:
      set_asid(c, what, true);
      set_addresses(core, c, canonical(c.get<Command::Address>()), what);
      break;
    case Opcode::CMD_TLBI_NH_VAA:
    case Opcode::CMD_TLBI_EL2_VAA:
      set_addresses(core, c, canonical(c.get<Command::Address>()), what);
      break;
    case Opcode::CMD_TLBI_S12_VMALL:
      what.worlds = el1 | stage2;
      break;
    case Opcode::CMD_TLBI_S2_IPA:  // combined entries of nested streams stay: they are found by VA (4.4.3.1)
      what.worlds = stage2;
      set_addresses(core, c, c.get<Command::Address>() & low_mask(56), what);
      break;
    case Opcode::CMD_TLBI_NSNH_ALL:
      what.worlds = el1 | stage2;
      what.by_vmid = false;
      break;
    default:  // NH_ALL, EL2_ALL
      break;
  }
  return what;
}

}  // namespace

ConfigInvalidation config_invalidation(const Command& c) {
  const std::uint32_t stream = c.get<Command::StreamID>();
  ConfigInvalidation what;
  what.first = stream;
  what.last = stream;
  switch (c.get<Command::OP>()) {
    case Opcode::CMD_CFGI_STE_RANGE: {
      const auto block = static_cast<std::uint32_t>(low_mask(c.get<Command::Range>() + 1));
      what.first = stream & ~block;
      what.last = stream | block;
      break;
    }
    case Opcode::CMD_CFGI_CD:
      what.cds_only = true;
      what.one_cd = true;
      what.cd_index = c.get<Command::SubstreamID>();
      break;
    case Opcode::CMD_CFGI_CD_ALL:
      what.cds_only = true;
      break;
    case Opcode::CMD_CFGI_VMS_PIDM:
      what = ConfigInvalidation{};  // of every stream
      what.vms_only = true;
      what.vmid = Vmid(c.get<Command::VMID>());
      break;
    default:
      break;
  }
  return what;
}

bool illegal_command(const Core& core, const Command& command) {
  const auto row = std::find_if(std::begin(rows), std::end(rows), [&command](const CommandRow& candidate) {
    return candidate.opcode == command.get<Command::OP>();
  });
  if (row == std::end(rows) || (row->has_ssec && command.get<Command::SSec>())) return true;
  return !row->legal(command, core.config.features);
}

/// CMD_RESUME (section 4.7.1): Ab counts only where RAZ/WI is an alternative.
void resume(Core& core, const Command& c) {
  Resolution resolution = Resolution::retry;
  if (!c.get<Command::Ac>()) {
    resolution = c.get<Command::Ab>() || core.config.features.term_model ? Resolution::abort : Resolution::raz_wi;
  }
  core.stalls.resume(StreamId(c.get<Command::StreamID>()), c.get<Command::STAG>(), resolution);
}

void execute_command(Core& core, const Command& command) {
  const Opcode opcode = command.get<Command::OP>();
  if (opcode >= Opcode::CMD_CFGI_STE && opcode <= Opcode::CMD_CFGI_VMS_PIDM) {
    invalidate(core, config_invalidation(command));
  } else if (opcode >= Opcode::CMD_TLBI_NH_ALL && opcode <= Opcode::CMD_TLBI_NSNH_ALL) {
    invalidate(core, tlb_invalidation(core, command));
  } else if (opcode == Opcode::CMD_RESUME) {
    resume(core, command);
  } else if (opcode == Opcode::CMD_STALL_TERM) {
    core.stalls.terminate(StreamId(command.get<Command::StreamID>()));
  }
}

}  // namespace smmusim

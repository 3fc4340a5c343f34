// SPDX-License-Identifier: MIT
// Commands as records; see the header. Ranges: section 4.4.1.1.
#include "platform/cosim/device/trace_records.h"

#include <algorithm>

namespace smmusim::cosim {
namespace {

using spec::Command;
using spec::Opcode;
using trace::ConfigScope;
using trace::InvalidateScope;
using trace::Kind;
using trace::Record;

Record invalidation(InvalidateScope scope) {
  Record record;
  record.kind = Kind::invalidate;
  record.invalidate_scope = scope;
  return record;
}

Record by_asid(InvalidateScope scope, std::uint16_t asid) {
  Record record = invalidation(scope);
  record.asid = asid;
  record.has_asid = true;
  return record;
}

Record by_vmid(const Command& command, InvalidateScope scope, bool with_vmid) {
  Record record = invalidation(scope);
  record.has_vmid = with_vmid;
  if (with_vmid) record.vmid = command.get<Command::VMID>();
  return record;
}

/// Fills what the invalidations by address have in common.
Record with_range(Record record, const Command& command, const spec::Features& features, std::uint64_t address) {
  const unsigned tg = features.ril ? static_cast<unsigned>(command.get<Command::TG>()) : 0;
  record.address = address;
  record.pages = 1;
  record.leaf = command.get<Command::Leaf>();
  if (tg == 0) return record;
  record.granule_log2 = static_cast<std::uint8_t>(10 + 2 * tg);
  record.ttl = static_cast<std::uint8_t>(command.get<Command::TTL>());
  const unsigned scale = features.ds ? std::min(command.get<Command::SCALE_DS>(), 39u) : command.get<Command::SCALE>();
  record.pages = std::min(std::uint64_t{command.get<Command::NUM>() + 1} << scale, trace::pages_max);
  return record;
}

Record configuration(const Command& command, ConfigScope scope) {
  Record record;
  record.kind = Kind::config;
  record.config_scope = scope;
  record.stream = command.get<Command::StreamID>();
  return record;
}

Record ste_range(const Command& command) {
  const unsigned range = command.get<Command::Range>();
  if (range == spec::cfgi_all_range) {
    Record all;
    all.kind = Kind::config;
    all.config_scope = ConfigScope::all;
    return all;
  }
  Record record = configuration(command, ConfigScope::ste_range);
  const std::uint32_t others = static_cast<std::uint32_t>((std::uint64_t{2} << range) - 1);
  record.stream &= ~others;
  record.stream_last = record.stream | others;
  return record;
}

}  // namespace

std::optional<Record> record_of(const Command& command, const spec::Features& features) {
  const auto asid = command.get<Command::ASID>();
  const auto vmid = command.get<Command::VMID>();
  switch (command.get<Command::OP>()) {
    case Opcode::CMD_CFGI_STE:
      return configuration(command, ConfigScope::ste);
    case Opcode::CMD_CFGI_STE_RANGE:  // and CMD_CFGI_ALL
      return ste_range(command);
    case Opcode::CMD_CFGI_CD:
      return configuration(command, ConfigScope::cd);
    case Opcode::CMD_CFGI_CD_ALL:
      return configuration(command, ConfigScope::cd_all);
    case Opcode::CMD_TLBI_NH_VA:
    case Opcode::CMD_TLBI_EL2_VA:
      return with_range(by_asid(InvalidateScope::range, asid), command, features, command.get<Command::Address>());
    case Opcode::CMD_TLBI_NH_VAA:
    case Opcode::CMD_TLBI_EL2_VAA:
      return with_range(invalidation(InvalidateScope::range), command, features, command.get<Command::Address>());
    case Opcode::CMD_TLBI_S2_IPA:
      return with_range(
          features.s1p ? by_vmid(command, InvalidateScope::ipa_range, true) : by_asid(InvalidateScope::range, vmid),
          command, features, command.get<Command::IPA>());
    case Opcode::CMD_TLBI_NH_ASID:
    case Opcode::CMD_TLBI_EL2_ASID:
      return by_asid(InvalidateScope::asid, asid);
    case Opcode::CMD_TLBI_NH_ALL:
      return by_vmid(command, InvalidateScope::vmid_s1, features.s2p);
    case Opcode::CMD_TLBI_S12_VMALL:
      return features.s1p ? by_vmid(command, InvalidateScope::vmid, true) : by_asid(InvalidateScope::asid, vmid);
    case Opcode::CMD_TLBI_NSNH_ALL:
    case Opcode::CMD_TLBI_EL2_ALL:
      return invalidation(InvalidateScope::all);
    default:
      return std::nullopt;
  }
}

}  // namespace smmusim::cosim

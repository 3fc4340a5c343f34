// SPDX-License-Identifier: MIT
// Command encodings; see the header. Range invalidation: section 4.4.1.1.
#include "platform/driver/commands.h"

#include <algorithm>
#include <bit>

namespace smmusim {
namespace {

using spec::Command;
using spec::Opcode;

constexpr unsigned num_max = 31;    // NUM + 1 steps, but Linux never uses the last
constexpr unsigned scale_max = 31;  // without IDR5.DS

spec::TlbiTg granule_code(unsigned granule_bits) {
  return static_cast<spec::TlbiTg>((granule_bits - 10) / 2);
}

Command by_address(const TlbiRange& range, std::uint64_t address) {
  Command command;
  command.set<Command::OP>(range.opcode).set<Command::VMID>(range.vmid.value).set<Command::Leaf>(range.leaf);
  if (range.opcode == Opcode::CMD_TLBI_NH_VA) command.set<Command::ASID>(range.asid.value);
  return command.set<Command::Address>(address);
}

/// What covers more than the range, where by address it would take too many commands.
Command by_space(const TlbiRange& range) {
  switch (range.opcode) {
    case Opcode::CMD_TLBI_NH_VA:
      return make_tlbi_nh_asid(range.vmid, range.asid);
    case Opcode::CMD_TLBI_NH_VAA:
      return make_tlbi_nh_all(range.vmid);
    default:
      return make_tlbi_s12_vmall(range.vmid);
  }
}

bool append_ranges(std::vector<Command>& commands, const TlbiRange& range) {
  const std::size_t before = commands.size();
  std::uint64_t left = range.granules;
  std::uint64_t address = range.address;
  while (left != 0) {
    if (commands.size() - before == tlbi_commands_max) return false;
    const unsigned scale = std::min(static_cast<unsigned>(std::countr_zero(left)), scale_max);
    std::uint64_t steps = (left >> scale) & num_max;
    if (steps == 0) steps = num_max;  // only at scale_max: the count of steps is a multiple of 32
    // NUM = SCALE = TTL = 0 with a granule is not a range; one granule is then named without TG.
    if (steps == 1 && scale == 0 && range.ttl == 0) {
      commands.push_back(by_address(range, address));
    } else {
      Command command = by_address(range, address);
      command.set<Command::TG>(granule_code(range.granule_bits)).set<Command::TTL>(range.ttl);
      command.set<Command::SCALE>(scale).set<Command::NUM>(static_cast<unsigned>(steps - 1));
      commands.push_back(command);
    }
    left -= steps << scale;
    address += (steps << scale) << range.granule_bits;
  }
  return true;
}

}  // namespace

Command make_cfgi_ste(StreamId stream, bool leaf) {
  return Command{}.set<Command::OP>(Opcode::CMD_CFGI_STE).set<Command::StreamID>(stream.value).set<Command::Leaf>(leaf);
}

Command make_cfgi_ste_range(StreamId stream, unsigned range) {
  return Command{}
      .set<Command::OP>(Opcode::CMD_CFGI_STE_RANGE)
      .set<Command::StreamID>(stream.value)
      .set<Command::Range>(range);
}

Command make_cfgi_all() {
  return make_cfgi_ste_range(StreamId(0), spec::cfgi_all_range);
}

Command make_cfgi_cd(StreamId stream, SubstreamId substream, bool leaf) {
  return Command{}
      .set<Command::OP>(Opcode::CMD_CFGI_CD)
      .set<Command::StreamID>(stream.value)
      .set<Command::SubstreamID>(substream.value)
      .set<Command::Leaf>(leaf);
}

Command make_cfgi_cd_all(StreamId stream) {
  return Command{}.set<Command::OP>(Opcode::CMD_CFGI_CD_ALL).set<Command::StreamID>(stream.value);
}

Command make_tlbi_nh_all(Vmid vmid) {
  return Command{}.set<Command::OP>(Opcode::CMD_TLBI_NH_ALL).set<Command::VMID>(vmid.value);
}

Command make_tlbi_nh_asid(Vmid vmid, Asid asid) {
  return Command{}
      .set<Command::OP>(Opcode::CMD_TLBI_NH_ASID)
      .set<Command::VMID>(vmid.value)
      .set<Command::ASID>(asid.value);
}

Command make_tlbi_nsnh_all() {
  return Command{}.set<Command::OP>(Opcode::CMD_TLBI_NSNH_ALL);
}

Command make_tlbi_s12_vmall(Vmid vmid) {
  return Command{}.set<Command::OP>(Opcode::CMD_TLBI_S12_VMALL).set<Command::VMID>(vmid.value);
}

Command make_atc_inv(StreamId stream, std::uint64_t first, std::uint64_t last) {
  constexpr unsigned page_bits = 12;
  const std::uint64_t differing = (first ^ last) >> page_bits;
  const unsigned size = std::min(static_cast<unsigned>(std::bit_width(differing)), spec::atc_inv_size_all);
  Command command;
  command.set<Command::OP>(Opcode::CMD_ATC_INV).set<Command::StreamID>(stream.value).set<Command::AtcSize>(size);
  return command.set<Command::Address>(first & ~low_mask(page_bits + size));
}

Command make_atc_inv(StreamId stream, SubstreamId substream, std::uint64_t first, std::uint64_t last) {
  return make_atc_inv(stream, first, last).set<Command::SSV>(true).set<Command::SubstreamID>(substream.value);
}

Command make_pri_resp(StreamId stream, std::optional<SubstreamId> with_pasid, unsigned group, spec::PriResp response) {
  Command command;
  command.set<Command::OP>(Opcode::CMD_PRI_RESP).set<Command::StreamID>(stream.value);
  command.set<Command::PRGIndex>(group).set<Command::Resp>(response);
  if (with_pasid) command.set<Command::SSV>(true).set<Command::SubstreamID>(with_pasid->value);
  return command;
}

Command make_sync(spec::SyncSignal signal) {
  return Command{}
      .set<Command::OP>(Opcode::CMD_SYNC)
      .set<Command::CS>(signal)
      .set<Command::MSH>(spec::Shareability::inner)
      .set<Command::MSIAttr>(0xf);
}

void append_tlbi_range(std::vector<Command>& commands, const TlbiRange& range, bool range_invalidation) {
  const std::size_t before = commands.size();
  bool done = false;
  if (range_invalidation) {
    done = append_ranges(commands, range);
  } else if (range.granules <= tlbi_commands_max) {
    for (std::uint64_t i = 0; i != range.granules; ++i) {
      commands.push_back(by_address(range, range.address + (i << range.granule_bits)));
    }
    done = true;
  }
  if (done) return;
  commands.resize(before);
  commands.push_back(by_space(range));
}

}  // namespace smmusim

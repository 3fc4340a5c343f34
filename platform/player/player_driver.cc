// SPDX-License-Identifier: MIT
// Player: what the driver does when its turn has come: table writes at once, commands through the guest drivers.
#include <algorithm>

#include "model/base/check.h"
#include "platform/driver/commands.h"
#include "platform/player/player.h"

namespace smmusim {
namespace {

using trace::ConfigScope;
using trace::InvalidateScope;
using trace::Kind;
using trace::Record;

constexpr std::uint64_t page_mask = trace::page_bytes - 1;
constexpr unsigned default_granule_bits = 12;

/// The command that the trace tells of, for an SMMU with these features.
void append_invalidation(std::vector<spec::Command>& commands, const Record& record, bool range_invalidation) {
  const Vmid vmid(record.has_vmid ? record.vmid : std::uint16_t{0});
  switch (record.invalidate_scope) {
    case InvalidateScope::all:
      commands.push_back(make_tlbi_nsnh_all());
      return;
    case InvalidateScope::vmid_s1:
      commands.push_back(make_tlbi_nh_all(vmid));
      return;
    case InvalidateScope::asid:
      commands.push_back(make_tlbi_nh_asid(vmid, Asid(record.asid)));
      return;
    case InvalidateScope::vmid:
      commands.push_back(make_tlbi_s12_vmall(vmid));
      return;
    case InvalidateScope::range:
    case InvalidateScope::ipa_range:
      break;
  }
  TlbiRange range;
  range.opcode = record.has_asid ? spec::Opcode::CMD_TLBI_NH_VA : spec::Opcode::CMD_TLBI_NH_VAA;
  if (record.invalidate_scope == InvalidateScope::ipa_range) range.opcode = spec::Opcode::CMD_TLBI_S2_IPA;
  range.asid = Asid(record.asid);
  range.vmid = vmid;
  range.granules = record.pages;
  range.granule_bits = record.granule_log2 == 0 ? default_granule_bits : record.granule_log2;
  range.address = record.address & ~low_mask(range.granule_bits);
  range.leaf = record.leaf;
  range.ttl = record.ttl;
  append_tlbi_range(commands, range, range_invalidation && record.granule_log2 != 0);
}

/// CMD_CFGI_STE_RANGE covers aligned powers of two: the largest ones that fit, one after the other.
void append_ste_range(std::vector<spec::Command>& commands, std::uint64_t first, std::uint64_t last) {
  while (first <= last) {
    unsigned bits = 0;
    while (bits < 32 && (first & low_mask(bits + 1)) == 0 && first + low_mask(bits + 1) <= last) ++bits;
    const StreamId stream(static_cast<std::uint32_t>(first));
    commands.push_back(bits == 0 ? make_cfgi_ste(stream) : make_cfgi_ste_range(stream, bits - 1));
    first += std::uint64_t{1} << bits;
  }
}

/// A stream of stage 2 alone has no CD: what the trace says of one is said of its STE.
ConfigScope config_scope_of(const Record& record, bool stage2_alone) {
  const bool of_cd = record.config_scope == ConfigScope::cd || record.config_scope == ConfigScope::cd_all;
  return of_cd && stage2_alone ? ConfigScope::ste : record.config_scope;
}

void append_config(std::vector<spec::Command>& commands, const Record& record, bool stage2_alone) {
  switch (config_scope_of(record, stage2_alone)) {
    case ConfigScope::ste:
      commands.push_back(make_cfgi_ste(StreamId(record.stream)));
      return;
    case ConfigScope::ste_range:
      append_ste_range(commands, record.stream, record.stream_last);
      return;
    case ConfigScope::cd:
      commands.push_back(make_cfgi_cd(StreamId(record.stream), SubstreamId(record.substream)));
      return;
    case ConfigScope::cd_all:
      commands.push_back(make_cfgi_cd_all(StreamId(record.stream)));
      return;
    case ConfigScope::all:
      commands.push_back(make_cfgi_all());
      return;
  }
}

/// The parts of a range, which may wrap around 2^64, that are IPAs: a command has room for 52 bits (section 4.4.3.1),
/// and nothing beyond is mapped.
void append_ipa_ranges(std::vector<Record>& records, Record range) {
  constexpr unsigned ipa_bits = 52;
  const std::uint64_t granule = range.granule_bytes();
  const std::uint64_t start = range.address & ~(granule - 1);
  const std::uint64_t last = start + (range.pages * granule - 1);
  range.invalidate_scope = InvalidateScope::ipa_range;
  const auto append = [&](std::uint64_t first, std::uint64_t end) {
    if (first >> ipa_bits != 0) return;
    range.address = first;
    range.pages = (std::min(end, low_mask(ipa_bits)) - first) / granule + 1;
    records.push_back(range);
  };
  if (last < start) {
    append(start, ~std::uint64_t{0});
    append(0, last);
  } else {
    append(start, last);
  }
}

}  // namespace

void Player::perform(Slot slot) {
  const Operation& operation = operations_[slot];
  const Record& record = operation.record;
  switch (record.kind) {
    case Kind::access:  // the map before it
      map(operation, record.address & ~page_mask, record.output & ~page_mask, trace::page_bytes);
      finish(slot);
      return;
    case Kind::map:
      map(operation, record.address, record.output, record.pages * record.granule_bytes());
      finish(slot);
      return;
    case Kind::unmap:
      unmap(operation.space, record.address, record.pages * record.granule_bytes());
      finish(slot);
      return;
    case Kind::invalidate:
      perform_invalidation(slot);
      return;
    case Kind::config:
      perform_config(slot);
      return;
  }
}

/// The driver's unmap: the entries go first, then what TLBs hold of them.
void Player::unmap_covered(const Operation& operation) {
  const Record& record = operation.record;
  for (std::size_t space = 0; space != spaces_.size(); ++space) {
    if (!covers_space(record, space)) continue;
    if (!record.is_range()) {
      unmap(space, 0, std::uint64_t{1} << spaces_[space].table->geometry().input_bits);
      continue;
    }
    const std::uint64_t start = record.address & ~(record.granule_bytes() - 1);
    const std::uint64_t bytes = record.pages * record.granule_bytes();
    unmap(space, start, bytes);
    if (start + (bytes - 1) < start) unmap(space, 0, start + bytes);  // the part after the wrap
  }
}

std::vector<std::size_t> Player::smmus_of(const Operation& operation) const {
  std::vector<bool> chosen(drivers_.size(), false);
  const Record& record = operation.record;
  if (record.kind == Kind::config) {
    for (const PlayedStream& stream : streams_) {
      if (stream.stream == record.stream && record.config_scope != ConfigScope::all &&
          record.config_scope != ConfigScope::ste_range) {
        chosen[stream.smmu] = true;
      }
    }
  } else if (record.has_asid) {
    for (std::size_t space = 0; space != spaces_.size(); ++space) {
      if (!covers_space(record, space)) continue;
      for (const std::size_t smmu : spaces_[space].smmus) chosen[smmu] = true;
    }
  }
  // Whatever names nobody in particular goes to all.
  if (std::find(chosen.begin(), chosen.end(), true) == chosen.end()) chosen.assign(drivers_.size(), true);
  std::vector<std::size_t> smmus;
  for (std::size_t i = 0; i != chosen.size(); ++i) {
    if (chosen[i]) smmus.push_back(i);
  }
  return smmus;
}

/// What the driver of stage 2 alone invalidates where the trace's driver of stage 1 did `record`: by IPA or by VMID
/// what was by VA or by ASID, as Linux does for its stage-2 domains. Each space has the VMID that its ASID was.
std::vector<Record> Player::at_stage2(const Record& record) const {
  const bool foreign = record.has_vmid && record.vmid != 0;
  const bool of_ipas = record.invalidate_scope == InvalidateScope::ipa_range;
  std::vector<std::uint16_t> vmids;
  if (foreign || of_ipas) {  // names no space of ours
    vmids.push_back(record.has_vmid ? record.vmid : std::uint16_t{0});
  } else if (record.has_asid) {
    vmids.push_back(record.asid);
  } else if (record.is_range()) {
    for (const PlayedSpace& space : spaces_) vmids.push_back(space.asid);
  }
  std::vector<Record> records;
  if (vmids.empty() || vmids.size() > tlbi_commands_max) {  // everything, or as good as that
    records.push_back(record);
    records.back().invalidate_scope = InvalidateScope::all;
    return records;
  }
  for (const std::uint16_t vmid : vmids) {
    Record single = record;
    single.has_asid = false;
    single.has_vmid = true;
    single.vmid = vmid;
    single.invalidate_scope = InvalidateScope::vmid;
    if (record.is_range()) {
      append_ipa_ranges(records, single);
    } else {
      records.push_back(single);
    }
  }
  return records;
}

void Player::perform_invalidation(Slot slot) {
  Operation& operation = operations_[slot];
  unmap_covered(operation);
  const std::vector<std::size_t> smmus = smmus_of(operation);
  const bool range_invalidation = std::all_of(
      smmus.begin(), smmus.end(), [this](std::size_t smmu) { return drivers_[smmu]->features().range_invalidation; });
  const std::vector<Record> records = stage2_alone() ? at_stage2(operation.record) : std::vector{operation.record};
  for (const Record& record : records) append_invalidation(operation.commands, record, range_invalidation);
  issue(slot, smmus);
}

void Player::perform_config(Slot slot) {
  Operation& operation = operations_[slot];
  append_config(operation.commands, operation.record, stage2_alone());
  issue(slot, smmus_of(operation));
}

void Player::issue(Slot slot, const std::vector<std::size_t>& smmus) {
  Operation& operation = operations_[slot];
  operation.started = engine_.now();
  operation.pending = smmus.size();
  for (const std::size_t smmu : smmus) spawn(scope_, run_batch(slot, smmu));
}

/// What follows the TLBs' invalidation in the ATCs of this SMMU's devices.
std::vector<spec::Command> Player::atc_commands(const Operation& operation, std::size_t smmu) const {
  std::vector<spec::Command> commands;
  const Record& record = operation.record;
  if (record.kind != Kind::invalidate) return commands;
  std::uint64_t first = 0, last = ~std::uint64_t{0};
  if (record.is_range()) {
    const std::uint64_t start = record.address & ~(record.granule_bytes() - 1);
    const std::uint64_t end = start + (record.pages * record.granule_bytes() - 1);
    if (end >= start) first = start, last = end;  // what wraps around 2^64 is as good as everything
  }
  for (const PlayedStream& stream : streams_) {
    if (!stream.ats || stream.smmu != smmu) continue;
    if (covers_space(record, stream.space)) commands.push_back(make_atc_inv(StreamId(stream.stream), first, last));
    for (const PlayedSubstream& sub : stream.substreams) {
      if (!covers_space(record, sub.space)) continue;
      commands.push_back(make_atc_inv(StreamId(stream.stream), SubstreamId(sub.substream), first, last));
    }
  }
  return commands;
}

Task<> Player::run_batch(Slot slot, std::size_t smmu) {
  DriverStatus status = co_await drivers_[smmu]->execute(operations_[slot].commands);
  if (status == DriverStatus::ok) {
    const std::vector<spec::Command> commands = atc_commands(operations_[slot], smmu);
    if (!commands.empty()) status = co_await drivers_[smmu]->execute(commands);
  }
  if (status == DriverStatus::timed_out) {
    // Whatever the trace's devices have written, the SMMU's own registers included, is the trace's doing.
    fail_record(operations_[slot].number,
                "the SMMU did not answer the driver in time; a device that writes the SMMU's registers or queues can "
                "stop it, and smmu.tcu.command_cycles or clock_mhz make it too slow, so change outputs or keys");
  }
  if (status == DriverStatus::command_failed) ++counters_.refused_batches;
  batch_done(slot);
}

void Player::batch_done(Slot slot) {
  Operation& operation = operations_[slot];
  if (--operation.pending != 0) return;
  if (operation.record.kind == Kind::invalidate) {
    const Time time = engine_.now() - operation.started;
    counters_.invalidation_time += time;
    counters_.invalidation_time_max = std::max(counters_.invalidation_time_max, time);
  }
  finish(slot);
  pump();
}

}  // namespace smmusim

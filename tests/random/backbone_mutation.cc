// SPDX-License-Identifier: MIT
// Finding a leaf that an access uses, of either stage, through the reference walker, changing it, and the commands that
// make the change known (IHI 0070 section 4.4).
#include "tests/random/backbone_mutation.h"

#include <algorithm>
#include <cstring>

namespace smmusim {
namespace {

using refwalk::Access;
using refwalk::Fetch;
using refwalk::FetchKind;
using refwalk::Result;
using spec::Command;
using spec::Opcode;

constexpr std::uint64_t contiguous_bit = std::uint64_t{1} << 52;
constexpr std::uint64_t not_global = 1u << 11;
constexpr unsigned s2r_bit = 58;  // STE[186] within its third word

/// The case's memory; remembers the STE and CD of one translation. `hidden`, if set, reads as an invalid descriptor,
/// and S2R is then 1, so that the fault of whoever reads it is recorded.
struct Watch : refwalk::Memory {
  explicit Watch(const refwalk::Memory& memory, std::uint64_t hide = 0) : memory_(memory), hidden(hide) {}
  bool read(std::uint64_t pa, void* data, std::size_t size) const override {
    const bool good = memory_.read(pa, data, size);
    if (size == 8 && hidden != 0 && pa == hidden) std::memset(data, 0, size);
    if (size != 64 || !good) return good;
    refwalk::Structure words{};
    std::memcpy(words.data(), data, size);
    if (structures.empty() && hidden != 0) {
      words[2] |= std::uint64_t{1} << s2r_bit;
      std::memcpy(data, words.data(), size);
    }
    structures.push_back(words);
    return good;
  }
  const refwalk::Memory& memory_;
  std::uint64_t hidden;
  mutable std::vector<refwalk::Structure> structures;  // STE, CD
};

unsigned run_log2(const Leaf& leaf) {
  return leaf.granule == 12 ? 4 : leaf.granule == 14 && leaf.level == 3 ? 7 : 5;
}
std::uint64_t swapped_if(bool swap, std::uint64_t word) {
  return swap ? __builtin_bswap64(word) : word;
}
std::uint64_t canonical(std::uint64_t va) {
  return (va >> 55 & 1) != 0 ? va | ~low_mask(56) : va & low_mask(56);
}

/// Page size, run and addresses once stage, granule and level are known; `input` lies in the leaf.
void set_extent(const refwalk::Memory& memory, std::uint64_t descriptor_address, std::uint64_t input, Leaf& leaf) {
  leaf.page_bits = leaf.granule + static_cast<unsigned>(3 - leaf.level) * (leaf.granule - 3);
  std::uint64_t word = 0;
  memory.read(descriptor_address, &word, sizeof word);
  const std::uint64_t descriptor = swapped_if(leaf.big_endian, word);
  leaf.global = leaf.stage == 1 && (descriptor & not_global) == 0;
  const unsigned run = (descriptor & contiguous_bit) != 0 ? run_log2(leaf) : 0;
  const std::uint64_t table_slot = descriptor_address & ~low_mask(run + 3);
  for (std::uint64_t i = 0; i < std::uint64_t{1} << run; ++i) leaf.addresses.push_back(table_slot + 8 * i);
  leaf.first = input & ~low_mask(leaf.page_bits + run);
  leaf.last = leaf.first | low_mask(leaf.page_bits + run);
}

/// The fetches that end a walk of either stage.
std::vector<Fetch> leaves_of(const std::vector<Fetch>& fetches) {
  std::vector<Fetch> leaves;
  std::size_t last_stage1 = fetches.size();
  for (std::size_t i = 0; i < fetches.size(); ++i) {
    if (fetches[i].kind != FetchKind::TTD) continue;
    if (fetches[i].stage == 1) last_stage1 = i;
    if (fetches[i].stage == 2 && (i + 1 == fetches.size() || fetches[i + 1].stage != 2)) leaves.push_back(fetches[i]);
  }
  if (last_stage1 != fetches.size()) leaves.push_back(fetches[last_stage1]);
  return leaves;
}

}  // namespace

Mutator::Mutator(refwalk::Case& one, CaseMachine& machine, std::uint64_t seed)
    : one_(one), machine_(machine), random_(seed), features_(refwalk::features_of(one.registers)) {}

// Called for each leaf: a change may let a CD be reached that was not before.
void Mutator::learn_asids() {
  for (const Access& access : one_.accesses) {
    const Watch watch(one_.memory);
    refwalk::translate(one_.registers, watch, access);
    if (watch.structures.size() == 2) asids_.insert(static_cast<std::uint16_t>(watch.structures[1][0] >> 48));
  }
}

bool Mutator::complete_stage1(const Access& access, const Fetch& fetch, Leaf& leaf) const {
  const Watch watch(one_.memory);
  refwalk::translate(one_.registers, watch, access);
  if (watch.structures.size() != 2) return false;
  const refwalk::Ste ste = refwalk::ste_of(features_, watch.structures[0]);
  const refwalk::Cd cd = refwalk::cd_of(features_, watch.structures[1]);
  leaf.world = refwalk::stream_world(features_, ste, (one_.registers.cr2 & 1) != 0);
  const bool upper = leaf.world != refwalk::StreamWorld::EL2 && (access.address >> 55 & 1) != 0;
  leaf.granule = cd.half[upper ? 1 : 0].granule_log2;
  leaf.big_endian = cd.ENDI;
  set_extent(one_.memory, fetch.address, canonical(access.address), leaf);
  return true;
}

bool Mutator::complete_stage2(const Access& access, const Fetch& fetch, Leaf& leaf) const {
  // The fault that the leaf's absence would cause tells its IPA.
  const Watch watch(one_.memory, fetch.address);
  const Result fault = refwalk::translate(one_.registers, watch, access);
  if (!fault.event.recorded || (fault.event.dw[0] & 0xff) != 0x10 || watch.structures.empty()) return false;
  const refwalk::Ste ste = refwalk::ste_of(features_, watch.structures[0]);
  leaf.granule = refwalk::granule_of_tg0(ste.S2TG);
  leaf.big_endian = ste.S2ENDI;
  set_extent(one_.memory, fetch.address, fault.event.dw[3], leaf);
  for (const Access& other : one_.accesses) {
    for (const Fetch& seen : refwalk::translate(one_.registers, one_.memory, other).fetch_list) {
      const auto& mine = leaf.addresses;
      if (seen.stage != 2 || std::find(mine.begin(), mine.end(), seen.address) == mine.end()) continue;
      leaf.maps_cds |= seen.purpose == refwalk::FaultClass::CD;
      leaf.maps_structures |= seen.purpose != refwalk::FaultClass::IN;
    }
  }
  return true;
}

std::optional<Leaf> Mutator::leaf_of(const Access& access) {
  const Watch watch(one_.memory);
  const Result result = refwalk::translate(one_.registers, watch, access);
  if (result.outcome != refwalk::Outcome::Proceed || result.page_size_log2 == 0) return {};
  const std::vector<Fetch> leaves = leaves_of(result.fetch_list);
  if (leaves.empty()) return {};
  const Fetch& fetch = leaves[random_.below(leaves.size())];
  Leaf leaf;
  leaf.stage = fetch.stage;
  leaf.level = fetch.level;
  leaf.vmid = features_.s2p ? static_cast<std::uint16_t>(watch.structures[0][2]) : std::uint16_t{0};
  const bool complete = leaf.stage == 1 ? complete_stage1(access, fetch, leaf) : complete_stage2(access, fetch, leaf);
  return complete ? std::optional(leaf) : std::nullopt;
}

std::optional<Leaf> Mutator::pick() {
  learn_asids();
  const std::uint64_t start = random_.below(one_.accesses.size());
  for (std::size_t i = 0; i < one_.accesses.size(); ++i) {
    const auto leaf = leaf_of(one_.accesses[(start + i) % one_.accesses.size()]);
    if (leaf) return leaf;
  }
  return {};
}

void Mutator::put(std::uint64_t address, std::uint64_t word) {
  one_.memory.words[address] = word;
  machine_.store(address, word);
}

void Mutator::clear(const Leaf& leaf) {
  cleared_.clear();
  for (const std::uint64_t address : leaf.addresses) {
    cleared_.push_back(one_.memory.words[address]);
    put(address, 0);
  }
}

void Mutator::make(const Leaf& leaf) {
  const unsigned run = leaf.addresses.size() == 1 ? 0 : run_log2(leaf);
  std::uint64_t flips = 0;
  // CDs and tables stay where they are: what else stands in memory might be a CD with the same ASID.
  if (!leaf.maps_structures && random_.percent(60))
    flips |= std::uint64_t{1} << std::min(47u, leaf.page_bits + run + unsigned(random_.below(4)));
  if (random_.percent(25)) flips |= 1u << 7;   // AP[2], S2AP[1]
  if (random_.percent(25)) flips |= 1u << 6;   // AP[1], S2AP[0]
  if (random_.percent(10)) flips |= 1u << 10;  // AF
  if (features_.httu != 0 && random_.percent(40)) flips ^= 1u << 10;
  if (features_.httu != 0 && random_.percent(25)) flips |= std::uint64_t{1} << 51;  // DBM
  if (random_.percent(25)) flips |= 4u << random_.below(leaf.stage == 1 ? 1 : 4);   // AttrIndx, MemAttr
  if (random_.percent(20)) flips |= std::uint64_t{1} << (53 + random_.below(2));    // XN
  for (std::size_t i = 0; i < leaf.addresses.size(); ++i) {
    put(leaf.addresses[i], cleared_[i] ^ swapped_if(leaf.big_endian, flips));
  }
}

/// One command for each page of a run, or one for the whole of it as a range where there is RIL.
void Mutator::by_address(const Leaf& leaf, Command command, std::vector<Command>& commands) {
  command.set<Command::VMID>(leaf.vmid).set<Command::Leaf>(random_.percent(60));
  if (machine_.config.features.ril && random_.percent(60)) {
    const auto tg = leaf.granule == 12   ? spec::TlbiTg::kib4
                    : leaf.granule == 14 ? spec::TlbiTg::kib16
                                         : spec::TlbiTg::kib64;
    unsigned size = 0;
    while (((leaf.last - leaf.first) >> (leaf.granule + size)) != 0) ++size;
    // A range of one granule without a level would be illegal.
    const bool hint = size == 0 || random_.percent(50);
    command.set<Command::TG>(tg).set<Command::TTL>(hint ? static_cast<unsigned>(leaf.level) : 0u);
    const unsigned num_log2 = std::min<unsigned>(size, static_cast<unsigned>(random_.below(6)));
    command.set<Command::NUM>((1u << num_log2) - 1).set<Command::SCALE>(size - num_log2);
    commands.push_back(command.set<Command::Address>(leaf.first));
    return;
  }
  const std::uint64_t pages = leaf.addresses.size();
  for (std::uint64_t i = 0; i < pages; ++i) {
    const std::uint64_t within = random_.next() & low_mask(leaf.page_bits);
    commands.push_back(command.set<Command::Address>((leaf.first + (i << leaf.page_bits)) | within));
  }
}

void Mutator::invalidate_stage1(const Leaf& leaf, std::vector<Command>& commands) {
  const bool el2 = leaf.world != refwalk::StreamWorld::EL1;
  const auto either = [el2](Opcode el1_opcode, Opcode el2_opcode) { return command_of(el2 ? el2_opcode : el1_opcode); };
  switch (random_.below(7)) {
    case 0:
      commands.push_back(either(Opcode::CMD_TLBI_NSNH_ALL, Opcode::CMD_TLBI_EL2_ALL));
      break;
    case 1:
      commands.push_back(either(Opcode::CMD_TLBI_NH_ALL, Opcode::CMD_TLBI_EL2_ALL).set<Command::VMID>(leaf.vmid));
      break;
    case 2:
    case 3:
      by_address(leaf, either(Opcode::CMD_TLBI_NH_VAA, Opcode::CMD_TLBI_EL2_VAA), commands);
      break;
    case 4:
      // By ASID leaves global entries alone; EL2 without E2H has no ASIDs.
      if (!leaf.global && leaf.world != refwalk::StreamWorld::EL2) {
        for (const std::uint16_t asid : asids_) {
          const Command command = either(Opcode::CMD_TLBI_NH_ASID, Opcode::CMD_TLBI_EL2_ASID);
          commands.push_back(Command(command).set<Command::VMID>(leaf.vmid).set<Command::ASID>(asid));
        }
        break;
      }
      [[fallthrough]];
    default:
      // Address spaces may share tables, so every ASID may have a copy.
      for (const std::uint16_t asid : asids_) {
        Command command = either(Opcode::CMD_TLBI_NH_VA, Opcode::CMD_TLBI_EL2_VA);
        by_address(leaf, command.set<Command::ASID>(asid), commands);
      }
      break;
  }
}

void Mutator::invalidate_stage2(const Leaf& leaf, std::vector<Command>& commands) {
  const std::uint64_t choice = random_.below(5);
  if (choice == 0) commands.push_back(command_of(Opcode::CMD_TLBI_NSNH_ALL));
  if (choice == 1) commands.push_back(command_of(Opcode::CMD_TLBI_S12_VMALL).set<Command::VMID>(leaf.vmid));
  if (choice > 1) by_address(leaf, command_of(Opcode::CMD_TLBI_S2_IPA), commands);
  commands.push_back(command_of(Opcode::CMD_SYNC));
  // Copies of CDs that came through the leaf.
  if (leaf.maps_cds) commands.push_back(cfgi_all());
  if (leaf.maps_cds) commands.push_back(command_of(Opcode::CMD_SYNC));
  // S2_IPA need not drop combined entries (4.4.3.1); CDs may have been fetched again in between.
  if (machine_.config.features.s1p && (choice > 1 || leaf.maps_cds)) {
    commands.push_back(command_of(Opcode::CMD_TLBI_NH_ALL).set<Command::VMID>(leaf.vmid));
  }
}

std::vector<Command> Mutator::invalidation_of(const Leaf& leaf) {
  std::vector<Command> commands;
  if (leaf.stage == 1) {
    invalidate_stage1(leaf, commands);
  } else {
    invalidate_stage2(leaf, commands);
  }
  commands.push_back(command_of(Opcode::CMD_SYNC));
  return commands;
}

}  // namespace smmusim

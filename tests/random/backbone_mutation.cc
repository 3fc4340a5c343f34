// SPDX-License-Identifier: MIT
// Finding the leaf that an access uses through the reference walker, changing it, and the commands that make the change
// known (IHI 0070 section 4.4).
#include "tests/random/backbone_mutation.h"

#include <algorithm>
#include <cstring>

namespace smmusim {
namespace {

using refwalk::Access;
using refwalk::Result;
using spec::Command;
using spec::Opcode;

constexpr std::uint64_t contiguous_bit = std::uint64_t{1} << 52;
constexpr std::uint64_t not_global = 1u << 11;

/// The case's memory; remembers the last descriptor address and the CD of one translation.
struct Watch : refwalk::Memory {
  explicit Watch(const refwalk::Memory& memory) : memory_(memory) {}
  bool read(std::uint64_t pa, void* data, std::size_t size) const override {
    const bool good = memory_.read(pa, data, size);
    if (size == 8) last_descriptor = pa;
    if (size == 64 && good) {
      ++structures;
      std::memcpy(cd.data(), data, size);
    }
    return good;
  }
  const refwalk::Memory& memory_;
  mutable std::uint64_t last_descriptor = 0;
  mutable unsigned structures = 0;  // 2: STE and CD
  mutable std::array<std::uint64_t, 8> cd{};
};

unsigned granule_of_page(unsigned page_bits) {
  if (page_bits == 14 || page_bits == 25) return 14;
  return page_bits == 16 || page_bits == 29 ? 16 : 12;
}
unsigned level_of_page(unsigned page_bits) {
  const unsigned granule = granule_of_page(page_bits);
  return 3 - (page_bits - granule) / (granule - 3);
}
/// log2 of the descriptors of a contiguous run (Arm ARM D8.6.1).
unsigned run_log2(unsigned page_bits) {
  return granule_of_page(page_bits) == 12 ? 4 : page_bits == 14 ? 7 : 5;
}
std::uint64_t swapped_if(bool swap, std::uint64_t word) {
  return swap ? __builtin_bswap64(word) : word;
}
std::uint64_t canonical(std::uint64_t va) {
  return (va >> 55 & 1) != 0 ? va | ~low_mask(56) : va & low_mask(56);
}

}  // namespace

Mutator::Mutator(refwalk::Case& one, CaseMachine& machine, std::uint64_t seed)
    : one_(one), machine_(machine), random_(seed) {
  for (const Access& access : one.accesses) {
    const Watch watch(one.memory);
    refwalk::translate(one.registers, watch, access);
    if (watch.structures == 2) asids_.insert(static_cast<std::uint16_t>(watch.cd[0] >> 48));
  }
}

std::optional<Leaf> Mutator::leaf_of(const Access& access) const {
  const Watch watch(one_.memory);
  const Result result = refwalk::translate(one_.registers, watch, access);
  if (result.outcome != refwalk::Outcome::Proceed || result.page_size_log2 == 0 || watch.structures != 2) return {};
  Leaf leaf;
  leaf.big_endian = (watch.cd[0] >> 15 & 1) != 0;
  leaf.page_bits = static_cast<unsigned>(result.page_size_log2);
  std::uint64_t word = 0;
  one_.memory.read(watch.last_descriptor, &word, sizeof word);
  const std::uint64_t descriptor = swapped_if(leaf.big_endian, word);
  leaf.global = (descriptor & not_global) == 0;
  const unsigned run = (descriptor & contiguous_bit) != 0 ? run_log2(leaf.page_bits) : 0;
  const std::uint64_t table_slot = watch.last_descriptor & ~low_mask(run + 3);
  for (std::uint64_t i = 0; i < std::uint64_t{1} << run; ++i) leaf.addresses.push_back(table_slot + 8 * i);
  leaf.first = canonical(access.address) & ~low_mask(leaf.page_bits + run);
  leaf.last = leaf.first | low_mask(leaf.page_bits + run);
  return leaf;
}

std::optional<Leaf> Mutator::pick() {
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
  const unsigned run = leaf.addresses.size() == 1 ? 0 : run_log2(leaf.page_bits);
  std::uint64_t flips = 0;
  if (random_.percent(60))
    flips |= std::uint64_t{1} << std::min(47u, leaf.page_bits + run + unsigned(random_.below(4)));
  if (random_.percent(25)) flips |= 1u << 7;   // AP[2]
  if (random_.percent(25)) flips |= 1u << 6;   // AP[1]
  if (random_.percent(10)) flips |= 1u << 10;  // AF
  if (random_.percent(25)) flips |= 4u;        // AttrIndx
  for (std::size_t i = 0; i < leaf.addresses.size(); ++i) {
    put(leaf.addresses[i], cleared_[i] ^ swapped_if(leaf.big_endian, flips));
  }
}

/// One command for each page of a run, or one for the whole of it as a range where there is RIL.
void Mutator::by_address(const Leaf& leaf, Opcode opcode, std::uint16_t asid, std::vector<Command>& commands) {
  Command command = command_of(opcode).set<Command::ASID>(asid).set<Command::Leaf>(random_.percent(60));
  const unsigned granule = granule_of_page(leaf.page_bits);
  if (machine_.config.features.ril && random_.percent(60)) {
    const auto tg = granule == 12 ? spec::TlbiTg::kib4 : granule == 14 ? spec::TlbiTg::kib16 : spec::TlbiTg::kib64;
    unsigned size = 0;
    while (((leaf.last - leaf.first) >> (granule + size)) != 0) ++size;
    const unsigned level = level_of_page(leaf.page_bits);
    // TTL=1 is reserved with 16 KiB; a range of one granule without a level would be illegal.
    const bool hint = size == 0 || random_.percent(50);
    command.set<Command::TG>(tg).set<Command::TTL>(hint ? level : 0u);
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

std::vector<Command> Mutator::invalidation_of(const Leaf& leaf) {
  std::vector<Command> commands;
  switch (random_.below(7)) {
    case 0:
      commands.push_back(command_of(Opcode::CMD_TLBI_NSNH_ALL));
      break;
    case 1:
      commands.push_back(command_of(Opcode::CMD_TLBI_NH_ALL));
      break;
    case 2:
    case 3:
      by_address(leaf, Opcode::CMD_TLBI_NH_VAA, 0, commands);
      break;
    case 4:
      if (!leaf.global) {  // by ASID leaves global entries alone
        for (const std::uint16_t asid : asids_) {
          commands.push_back(command_of(Opcode::CMD_TLBI_NH_ASID).set<Command::ASID>(asid));
        }
        break;
      }
      [[fallthrough]];
    default:
      // Address spaces may share tables, so every ASID may have a copy.
      for (const std::uint16_t asid : asids_) by_address(leaf, Opcode::CMD_TLBI_NH_VA, asid, commands);
      break;
  }
  commands.push_back(command_of(Opcode::CMD_SYNC));
  return commands;
}

}  // namespace smmusim

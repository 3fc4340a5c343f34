// SPDX-License-Identifier: MIT
// Mutations: one field of one structure, one bit of anything, or the access
// itself. What a mutation makes of a case is for the two sides to say.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "tests/peer/qemu/generator.h"
#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

using spec::Cd;
using spec::Ste;

/// A field that a mutation sets to a random value, or to one of the interesting
/// ones.
struct FieldChange {
  const char* name;
  unsigned hi;
  unsigned lo;
  unsigned weight;
  bool kills;  ///< some values make QEMU abort
};

template <class F>
constexpr FieldChange change(const char* name, unsigned weight, bool kills = false) {
  return {name, F::hi, F::lo, weight, kills};
}

constexpr FieldChange ste_changes[] = {
    change<Ste::V>("V", 2),
    change<Ste::Config>("Config", 4),
    change<Ste::S1Fmt>("S1Fmt", 1),
    change<Ste::S1CDMax>("S1CDMax", 2),
    change<Ste::S1ContextPtr>("S1ContextPtr", 3),
    change<Ste::S1DSS>("S1DSS", 1),
    change<Ste::S1STALLD>("S1STALLD", 1),
    change<Ste::EATS>("EATS", 1),
    change<Ste::STRW>("STRW", 2),
    change<Ste::MTCFG>("MTCFG", 1),
    change<Ste::SHCFG>("SHCFG", 1),
    change<Ste::PRIVCFG>("PRIVCFG", 2),
    change<Ste::INSTCFG>("INSTCFG", 1),
    change<Ste::S2FWB>("S2FWB", 1),
    change<Ste::CONT>("CONT", 1),
    change<Ste::S2T0SZ>("S2T0SZ", 4),
    change<Ste::S2SL0>("S2SL0", 4),
    change<Ste::S2TG>("S2TG", 3),
    change<Ste::S2PS>("S2PS", 4),
    change<Ste::S2AA64>("S2AA64", 1, true),
    change<Ste::S2ENDI>("S2ENDI", 1),
    change<Ste::S2AFFD>("S2AFFD", 1),
    change<Ste::S2PTW>("S2PTW", 1),
    change<Ste::S2HD>("S2HD", 1),
    change<Ste::S2HA>("S2HA", 1),
    change<Ste::S2S>("S2S", 1),
    change<Ste::S2R>("S2R", 1),
    change<Ste::S2SL0_2>("S2SL0_2", 1),
    change<Ste::S2DS>("S2DS", 1),
    change<Ste::S2TTB>("S2TTB", 3),
};

constexpr FieldChange cd_changes[] = {
    change<Cd::T0SZ>("T0SZ", 4), change<Cd::TG0>("TG0", 3),     change<Cd::EPD0>("EPD0", 2),
    change<Cd::ENDI>("ENDI", 1), change<Cd::T1SZ>("T1SZ", 3),   change<Cd::TG1>("TG1", 2),
    change<Cd::EPD1>("EPD1", 2), change<Cd::V>("V", 2),         change<Cd::IPS>("IPS", 5, true),
    change<Cd::AFFD>("AFFD", 1), change<Cd::WXN>("WXN", 1),     change<Cd::UWXN>("UWXN", 1),
    change<Cd::TBI0>("TBI0", 1), change<Cd::TBI1>("TBI1", 1),   change<Cd::PAN>("PAN", 1),
    change<Cd::AA64>("AA64", 1), change<Cd::HD>("HD", 1),       change<Cd::HA>("HA", 1),
    change<Cd::S>("S", 1),       change<Cd::R>("R", 2),         change<Cd::A>("A", 1),
    change<Cd::HAD0>("HAD0", 1), change<Cd::HAD1>("HAD1", 1),   change<Cd::E0PD0>("E0PD0", 1),
    change<Cd::TTB0>("TTB0", 3), change<Cd::TTB1>("TTB1", 3),   change<Cd::DS>("DS", 1),
    change<Cd::ASID>("ASID", 1), change<Cd::MAIR0>("MAIR0", 1), change<Cd::EPAN>("EPAN", 1),
};

/// Fields of a mutation of kind "structures".
constexpr FieldChange ste_structure[] = {
    change<Ste::S1STALLD>("S1STALLD", 3), change<Ste::S2S>("S2S", 3),           change<Ste::S2R>("S2R", 3),
    change<Ste::S2HA>("S2HA", 1),         change<Ste::S2HD>("S2HD", 1),         change<Ste::EATS>("EATS", 3),
    change<Ste::MEV>("MEV", 2),           change<Ste::SHCFG>("SHCFG", 2),       change<Ste::MTCFG>("MTCFG", 2),
    change<Ste::MemAttr>("MemAttr", 2),   change<Ste::ALLOCCFG>("ALLOCCFG", 2), change<Ste::NSCFG>("NSCFG", 1),
    change<Ste::S1DSS>("S1DSS", 3),       change<Ste::S1CDMax>("S1CDMax", 1),   change<Ste::S1Fmt>("S1Fmt", 2),
    change<Ste::S1CIR>("S1CIR", 1),       change<Ste::S1COR>("S1COR", 1),       change<Ste::S1CSH>("S1CSH", 1),
    change<Ste::S2FWB>("S2FWB", 1),       change<Ste::STRW>("STRW", 2),         change<Ste::PPAR>("PPAR", 1),
    change<Ste::DRE>("DRE", 1),           change<Ste::DCP>("DCP", 1),           change<Ste::S2IR0>("S2IR0", 1),
    change<Ste::S2OR0>("S2OR0", 1),       change<Ste::S2SH0>("S2SH0", 1),       change<Ste::PRIVCFG>("PRIVCFG", 2),
    change<Ste::INSTCFG>("INSTCFG", 1),   change<Ste::S2VMID>("S2VMID", 1),     change<Ste::CONT>("CONT", 1),
};
constexpr FieldChange cd_structure[] = {
    change<Cd::S>("S", 3),         change<Cd::R>("R", 3),         change<Cd::A>("A", 3),
    change<Cd::HA>("HA", 2),       change<Cd::HD>("HD", 2),       change<Cd::ASET>("ASET", 1),
    change<Cd::MAIR0>("MAIR0", 1), change<Cd::MAIR1>("MAIR1", 1), change<Cd::UWXN>("UWXN", 1),
    change<Cd::WXN>("WXN", 1),     change<Cd::PAN>("PAN", 1),     change<Cd::IR0>("IR0", 1),
    change<Cd::OR0>("OR0", 1),     change<Cd::SH0>("SH0", 1),     change<Cd::NSCFG0>("NSCFG0", 1),
};

void change_field(Workshop& shop, std::span<const FieldChange> rows, const char* structure, std::uint64_t base,
                  bool may_kill) {
  unsigned total = 0;
  for (const FieldChange& row : rows) total += row.weight;
  unsigned draw = static_cast<unsigned>(shop.random.below(total));
  const FieldChange* chosen = rows.data();
  while (draw >= chosen->weight) draw -= (chosen++)->weight;
  std::uint64_t& word = shop.one.words[base + 8 * (chosen->lo / 64)];
  const unsigned low = chosen->lo % 64;
  const std::uint64_t mask = low_mask(chosen->hi - chosen->lo + 1);
  const std::uint64_t old = (word >> low) & mask;
  std::uint64_t value = mask == 1 ? 1 - old : shop.random.next() & mask;
  // Of an address, all bits at once would nearly always point nowhere.
  if (chosen->hi - chosen->lo > 16) value = old ^ (std::uint64_t{1} << shop.random.below(chosen->hi - chosen->lo + 1));
  if (chosen->kills && !may_kill) value = mask == 1 ? old : std::min(value, std::uint64_t{5});
  word = (word & ~(mask << low)) | (value << low);
  shop.one.notes.push_back(fmt::format("{}.{} was {:#x}, is {:#x}", structure, chosen->name, old, value));
}

void change_bits(Workshop& shop, std::uint64_t address, const char* what, std::uint64_t flips) {
  shop.one.words[address] ^= flips;
  shop.one.notes.push_back(fmt::format("{} at {:#x}: bits {:#x} flipped", what, address, flips));
}

/// A descriptor that a walk will likely meet.
void change_descriptor(Workshop& shop) {
  std::vector<Mark> found;
  for (const Mark& mark : shop.marks) {
    if (mark.kind >= MarkKind::table) found.push_back(mark);
  }
  if (found.empty()) return;
  const Mark mark = found[shop.random.below(found.size())];
  const char* what = mark.kind == MarkKind::table ? (mark.stage == 1 ? "stage-1 table" : "stage-2 table")
                                                  : (mark.stage == 1 ? "stage-1 leaf" : "stage-2 leaf");
  const std::uint64_t one = 1;
  const std::uint64_t choices[] = {1,
                                   2,
                                   one << 10,
                                   one << 6,
                                   one << 7,
                                   3 << 6,
                                   one << shop.random.between(12, 29),
                                   one << shop.random.between(32, 47),
                                   one << shop.random.between(32, 47),
                                   one << shop.random.between(44, 51),
                                   one << shop.random.between(59, 63),
                                   one << shop.random.below(64)};
  change_bits(shop, mark.address, what, choices[shop.random.below(std::size(choices))]);
}

void change_any_bit(Workshop& shop, const Places& places, bool may_kill) {
  if (shop.marks.empty()) return;
  const Mark mark = shop.marks[shop.random.below(shop.marks.size())];
  const unsigned bit = static_cast<unsigned>(shop.random.below(64));
  const bool kills = (mark.address == places.ste + 16 && bit == Ste::S2AA64::lo % 64) ||
                     (mark.address == places.cd && bit >= Cd::IPS::lo % 64 && bit <= Cd::IPS::hi % 64);
  if (kills && !may_kill) return;
  change_bits(shop, mark.address, "word", std::uint64_t{1} << bit);
}

void change_access(Workshop& shop) {
  Access& access = shop.one.access;
  const std::uint64_t old = access.address;
  switch (shop.random.below(4)) {
    case 0:
      access.address ^= std::uint64_t{1} << shop.random.between(12, 63);
      break;
    case 1:
      access.address = shop.random.next() >> shop.random.below(40);
      break;
    case 2:
      access.address ^= std::uint64_t{1} << shop.random.between(20, 47);
      break;
    default:
      access.address ^= (shop.random.next() & 0xff) << 56;
      break;
  }
  access.address &= ~std::uint64_t{3};
  shop.one.notes.push_back(fmt::format("address was {:#x}, is {:#x}", old, access.address));
}

void change_registers(Workshop& shop) {
  Case& one = shop.one;
  switch (shop.random.below(4)) {
    case 0:
      one.strtab_base_cfg ^= 1u << shop.random.between(6, 10);
      one.notes.push_back(fmt::format("STRTAB_BASE_CFG is {:#x}", one.strtab_base_cfg));
      break;
    case 1:
      one.strtab_base ^= std::uint64_t{1} << shop.random.between(6, 51);
      one.notes.push_back(fmt::format("STRTAB_BASE is {:#x}", one.strtab_base));
      break;
    case 2:
      one.strtab_base_cfg = (one.strtab_base_cfg & ~0x3fu) | static_cast<std::uint32_t>(shop.random.below(32));
      one.notes.push_back(fmt::format("STRTAB_BASE_CFG is {:#x}", one.strtab_base_cfg));
      break;
    default:
      one.enabled = false;
      one.gbpa = (one.gbpa & ~0x100000u) | static_cast<std::uint32_t>(shop.random.below(2) << 20);
      one.notes.push_back(fmt::format("SMMUEN is 0, GBPA {:#x}", one.gbpa));
      break;
  }
}

}  // namespace

void mutate(Workshop& shop, const Places& places, bool may_kill) {
  const unsigned draw = static_cast<unsigned>(shop.random.below(100));
  if (draw < 18 && places.ste != 0) {
    change_field(shop, ste_changes, "STE", places.ste, may_kill);
  } else if (draw < 36 && places.cd != 0) {
    change_field(shop, cd_changes, "CD", places.cd, may_kill);
  } else if (draw < 70) {
    change_descriptor(shop);
  } else if (draw < 80) {
    change_any_bit(shop, places, may_kill);
  } else if (draw < 96) {
    change_access(shop);
  } else {
    change_registers(shop);
  }
}

void mutate_structures(Workshop& shop, const Places& places) {
  for (unsigned n = shop.random.between(1, 4); n > 0; --n) {
    const bool cd = places.cd != 0 && shop.random.percent(40);
    if (cd) change_field(shop, cd_structure, "CD", places.cd, false);
    if (!cd && places.ste != 0) change_field(shop, ste_structure, "STE", places.ste, false);
  }
}

}  // namespace smmusim::peer

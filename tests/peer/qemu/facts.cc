// SPDX-License-Identifier: MIT
// See facts.h. Geometry from DDI 0487 D8.2, structures from IHI 0070 chapter 5.
#include "tests/peer/qemu/facts.h"

#include <algorithm>

#include "tests/peer/qemu/ram.h"
#include "tests/peer/qemu/tables.h"

namespace smmusim::peer {
namespace {

using spec::Cd;
using spec::Ste;

constexpr std::uint64_t address_mask = low_mask(48) & ~low_mask(12);

template <class Structure>
bool fetch(const Case& one, std::uint64_t address, Structure& structure) {
  for (std::size_t i = 0; i < structure.dw.size(); ++i) structure.dw[i] = one.word(address + 8 * i);
  return Ram::contains(address, structure.size_bytes);
}

void find_ste(const Case& one, Facts& facts) {
  const unsigned log2 = std::min(one.strtab_base_cfg & 0x3f, 63u);
  const std::uint64_t base = one.strtab_base & low_mask(52) & ~low_mask(6);
  const std::uint64_t sid = one.access.sid;
  if (log2 < 32 && (sid >> log2) != 0) return;
  facts.ste_address = (base & ~low_mask(log2 + 6)) + 64 * sid;
  if (one.two_level()) {
    unsigned split = one.strtab_base_cfg >> 6 & 0x1f;
    if (split != 8 && split != 10) split = 6;
    const unsigned l1_log2 = std::max(log2 > split ? log2 - split + 3 : 3, 6u);
    facts.l1std = one.word((base & ~low_mask(l1_log2)) + 8 * (sid >> split));
    const unsigned span = facts.l1std & 0x1f;
    const std::uint64_t index = sid & low_mask(split);
    if (span == 0 || span > split + 1 || (index >> (span - 1)) != 0) return;
    facts.ste_address = (facts.l1std & low_mask(52) & ~low_mask(5 + span)) + 64 * index;
  }
  facts.ste_found = fetch(one, facts.ste_address, facts.ste);
  const auto config = facts.ste.get<Ste::Config>();
  facts.stage1 = facts.ste_found && spec::has_stage1(config);
  facts.stage2 = facts.ste_found && spec::has_stage2(config);
}

unsigned granule_of(unsigned tg, bool tg1) {
  constexpr unsigned by_tg0[] = {12, 16, 14, 12};
  constexpr unsigned by_tg1[] = {12, 14, 12, 16};
  return tg1 ? by_tg1[tg & 3] : by_tg0[tg & 3];
}

bool step(const Case& one, Walk& walk, const Format& format, int level, std::uint64_t address) {
  Visit visit;
  visit.level = level;
  visit.address = address;
  visit.present = Ram::contains(address, 8);
  visit.word = one.word(address);
  walk.visits.push_back(visit);
  if (!visit.present || !visit.leaf(0)) return visit.present && visit.table();
  walk.complete = true;
  walk.shift = format.shift(level);
  walk.output = (visit.word & address_mask & ~low_mask(walk.shift)) | (walk.input & low_mask(walk.shift));
  return false;
}

Walk walk_stage2(const Case& one, const Ste& ste, std::uint64_t ipa, Use use) {
  Walk walk;
  walk.use = use;
  walk.input = ipa;
  Format format;
  format.stage = 2;
  format.granule = walk.granule = granule_of(static_cast<unsigned>(ste.get<Ste::S2TG>()), false);
  format.input_bits = 64 - std::min(ste.get<Ste::S2T0SZ>(), 52u);
  const int sl0 = static_cast<int>(ste.get<Ste::S2SL0>());
  format.start_level = std::max((format.granule == 12 ? 2 : 3) - sl0, 0);
  if (format.input_bits <= format.shift(format.start_level) || (ipa >> format.input_bits) != 0) return walk;
  walk.concatenated = (format.index(format.start_level, ipa) >> format.stride()) != 0;
  const unsigned start_bits = format.input_bits - format.shift(format.start_level);
  std::uint64_t table = ste.get<Ste::S2TTB>() & low_mask(52) & ~low_mask(start_bits + 3);
  for (int level = format.start_level; level <= 3; ++level) {
    if (!step(one, walk, format, level, table + 8 * format.index(level, ipa))) break;
    table = walk.last().word & address_mask & ~low_mask(format.granule);
  }
  return walk;
}

/// The physical address of something that stage 1 names.
bool reach(const Case& one, Facts& facts, std::uint64_t address, Use use, std::uint64_t& physical) {
  physical = address;
  if (!facts.stage2) return true;
  facts.walks2.push_back(walk_stage2(one, facts.ste, address, use));
  physical = facts.walks2.back().output;
  return facts.walks2.back().complete;
}

void walk_stage1(const Case& one, Facts& facts) {
  const Cd& cd = facts.cd;
  const std::uint64_t input = one.access.address;
  const unsigned size = facts.upper ? cd.get<Cd::T1SZ>() : cd.get<Cd::T0SZ>();
  Format format;
  format.granule = facts.upper ? granule_of(static_cast<unsigned>(cd.get<Cd::TG1>()), true)
                               : granule_of(static_cast<unsigned>(cd.get<Cd::TG0>()), false);
  format.input_bits = 64 - std::clamp(size, 12u, 48u);
  if (format.input_bits <= format.granule) return;
  format.start_level = stage1_start_level(format.granule, format.input_bits);
  facts.walk1.granule = format.granule;
  facts.walk1.input = input;
  facts.root = (facts.upper ? cd.get<Cd::TTB1>() : cd.get<Cd::TTB0>()) & low_mask(52);
  const unsigned start_log2 = format.input_bits - format.shift(format.start_level) + 3;
  std::uint64_t table = facts.root & ~low_mask(start_log2);
  for (int level = format.start_level; level <= 3; ++level) {
    const std::uint64_t entry = table + 8 * format.index(level, input);
    std::uint64_t physical = 0;
    const bool reached = reach(one, facts, entry, Use::table, physical);
    if (facts.stage2) {
      const Walk& walk = facts.walks2.back();
      const unsigned page = reached ? walk.shift : walk.granule;
      const bool start = level == format.start_level && start_log2 > page;
      facts.split_table = facts.split_table || start || ((entry ^ table) >> page) != 0;
    }
    if (!reached) return;
    if (!step(one, facts.walk1, format, level, physical)) break;
    table = facts.walk1.last().word & address_mask & ~low_mask(format.granule);
  }
}

}  // namespace

unsigned address_bits_of(unsigned code) {
  constexpr unsigned bits[] = {32, 36, 40, 42, 44, 48, 52, 56};
  return bits[code & 7];
}

Facts facts_of(const Case& one) {
  Facts facts;
  if (!one.enabled) return facts;
  find_ste(one, facts);
  if (!facts.ste_found) return facts;
  const std::uint64_t input = one.access.address;
  facts.upper = (input >> 55 & 1) != 0;
  std::uint64_t ipa = input;
  if (facts.stage1) {
    facts.cd_ipa = facts.ste.get<Ste::S1ContextPtr>();
    if (!reach(one, facts, facts.cd_ipa, Use::cd, facts.cd_address)) return facts;
    facts.cd_present = fetch(one, facts.cd_address, facts.cd);
    if (!facts.cd_present) return facts;
    facts.ips_bits = address_bits_of(facts.cd.get<Cd::IPS>());
    const Cd& cd = facts.cd;
    if (facts.stage2 && !cd.get<Cd::EPD0>()) {
      facts.ttbs.push_back(walk_stage2(one, facts.ste, cd.get<Cd::TTB0>() & low_mask(52), Use::ttb));
    }
    if (facts.stage2 && !cd.get<Cd::EPD1>()) {
      facts.ttbs.push_back(walk_stage2(one, facts.ste, cd.get<Cd::TTB1>() & low_mask(52), Use::ttb));
    }
    walk_stage1(one, facts);
    if (!facts.walk1.complete) return facts;
    ipa = facts.walk1.output;
  }
  if (facts.stage2) {
    std::uint64_t physical = 0;
    reach(one, facts, ipa, Use::data, physical);
  }
  return facts;
}

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// See rules.h. What each row says in words stands in divergences.cc.
#include "tests/peer/qemu/rules.h"

#include <algorithm>

namespace smmusim::peer::rules {
namespace {

using spec::Cd;
using spec::Ste;

bool has_sid(const Case& one) {
  const unsigned log2 = one.strtab_base_cfg & 0x3f;
  return one.enabled && (log2 >= 32 || (one.access.sid >> log2) == 0);
}
unsigned split_of(const Case& one) {
  return one.strtab_base_cfg >> 6 & 0x1f;
}
unsigned ips_limit(const Facts& f) {
  return std::min(f.ips_bits, oas_bits);
}
unsigned s2ps_limit(const Facts& f) {
  return std::min(address_bits_of(f.ste.get<Ste::S2PS>()), oas_bits);
}
bool bit(std::uint64_t word, unsigned at) {
  return (word >> at & 1) != 0;
}

template <class Predicate>
bool any_stage2(const Facts& f, Predicate predicate) {
  return std::any_of(f.walks2.begin(), f.walks2.end(), predicate) ||
         std::any_of(f.ttbs.begin(), f.ttbs.end(), predicate);
}

bool table_beyond(const Walk& walk, unsigned limit) {
  return std::any_of(walk.visits.begin(), walk.visits.end(),
                     [&](const Visit& visit) { return visit.table() && ((visit.word & low_mask(48)) >> limit) != 0; });
}
bool leaf_beyond(const Walk& walk, unsigned limit) {
  return walk.complete && (walk.output >> limit) != 0;
}
bool block_misplaced(const Walk& walk) {
  return walk.complete && walk.last().level < (walk.granule == 12 ? 1 : 2);
}
bool hierarchy_ignored(const Facts& f) {
  return f.upper ? f.cd.get<Cd::HAD1>() : f.cd.get<Cd::HAD0>();
}

/// Stage 2 may refuse a read through this walk.
bool refuses(const Walk& walk, const Facts& f) {
  if (!walk.complete) return true;
  const std::uint64_t leaf = walk.last().word;
  return !bit(leaf, 6) || (!bit(leaf, 10) && !f.ste.get<Ste::S2AFFD>()) || leaf_beyond(walk, s2ps_limit(f)) ||
         table_beyond(walk, s2ps_limit(f)) || block_misplaced(walk);
}

}  // namespace

bool recinvsid(const Case& one, const Facts& f) {
  return one.enabled && one.cr2 == 0 && !f.ste_found;
}

bool l2_span(const Case& one, const Facts& f) {
  if (!one.two_level() || !has_sid(one)) return false;
  const unsigned span = f.l1std & 0x1f;
  const unsigned index = one.access.sid & ((1u << split_of(one)) - 1);
  return span != 0 && (span > split_of(one) + 1 || (index >> (span - 1)) != 0);
}

bool split_reserved(const Case& one, const Facts&) {
  const unsigned split = split_of(one);
  return one.enabled && one.two_level() && split != 6 && split != 8 && split != 10;
}

bool l2ptr_bits(const Case& one, const Facts& f) {
  return has_sid(one) && one.two_level() && (f.l1std >> 52) != 0;
}

bool table_alignment(const Case& one, const Facts& f) {
  if (!has_sid(one)) return false;
  const unsigned log2 = one.strtab_base_cfg & 0x3f;
  if (!one.two_level()) return bit(one.strtab_base, std::min(log2 + 5, 63u));
  const unsigned bytes = std::max(log2 > split_of(one) ? log2 - split_of(one) + 3 : 3, 6u);
  const unsigned span = f.l1std & 0x1f;
  return bit(one.strtab_base, bytes - 1) || (span != 0 && (f.l1std & low_mask(5 + span) & ~std::uint64_t{0x1f}) != 0);
}

bool s1cdmax(const Case&, const Facts& f) {
  return (f.stage1 || f.stage2) && f.ste.get<Ste::S1CDMax>() != 0;
}

bool s1stalld(const Case&, const Facts& f) {
  return f.stage2 && !f.stage1 && f.ste.get<Ste::S1STALLD>();
}

bool context_pointer(const Case&, const Facts& f) {
  return f.stage1 && (f.cd_ipa >> oas_bits) != 0;
}

bool bypass_size(const Case& one, const Facts& f) {
  return f.ste_found && f.ste.get<Ste::Config>() == spec::SteConfig::bypass && (one.access.address >> oas_bits) != 0;
}

bool s2aa64(const Case&, const Facts& f) {
  return f.stage2 && !f.ste.get<Ste::S2AA64>();
}

bool s2t0sz_ps(const Case&, const Facts& f) {
  return f.stage2 && 64 - f.ste.get<Ste::S2T0SZ>() > s2ps_limit(f);
}

bool s2_start_level(const Case&, const Facts& f) {
  constexpr unsigned granules[] = {12, 16, 14, 12};
  const unsigned granule = granules[static_cast<unsigned>(f.ste.get<Ste::S2TG>()) & 3];
  // Levels below the start level, each resolving granule - 3 bits.
  const unsigned below = f.ste.get<Ste::S2SL0>() + (granule == 12 ? 1 : 0);
  return f.stage2 && 64 - f.ste.get<Ste::S2T0SZ>() <= granule + below * (granule - 3);
}

bool s2ha_s2hd(const Case&, const Facts& f) {
  return f.stage2 && (f.ste.get<Ste::S2HA>() || f.ste.get<Ste::S2HD>());
}

bool input_ias(const Case& one, const Facts& f) {
  return f.stage2 && !f.stage1 && (one.access.address >> oas_bits) != 0;
}

bool cd_fetch_address(const Case&, const Facts& f) {
  return f.stage1 && !f.cd_present && (!f.stage2 || f.walks2.back().complete);
}

bool ips_reserved(const Case&, const Facts& f) {
  return f.cd_present && f.cd.get<Cd::IPS>() >= 6;
}

bool tbi1(const Case&, const Facts& f) {
  return f.cd_present && f.upper && f.cd.get<Cd::TBI0>() != f.cd.get<Cd::TBI1>();
}

bool unprivileged(const Case&, const Facts& f) {
  if (!f.walk1.complete) return false;
  const bool table = std::any_of(f.walk1.visits.begin(), f.walk1.visits.end(),
                                 [](const Visit& visit) { return visit.table() && bit(visit.word, 61); });
  return !bit(f.walk1.last().word, 6) || (table && !hierarchy_ignored(f));
}

bool aptable_early(const Case& one, const Facts& f) {
  if (!one.access.write || !f.cd_present || hierarchy_ignored(f)) return false;
  return std::any_of(f.walk1.visits.begin(), f.walk1.visits.end(),
                     [](const Visit& visit) { return visit.table() && bit(visit.word, 62); });
}

bool table_size(const Case&, const Facts& f) {
  return table_beyond(f.walk1, ips_limit(f)) ||
         any_stage2(f, [&](const Walk& walk) { return table_beyond(walk, s2ps_limit(f)); });
}

bool block_level(const Case&, const Facts& f) {
  return block_misplaced(f.walk1) || any_stage2(f, block_misplaced);
}

bool leaf_priority(const Case&, const Facts& f) {
  return leaf_beyond(f.walk1, ips_limit(f)) ||
         any_stage2(f, [&](const Walk& walk) { return leaf_beyond(walk, s2ps_limit(f)); });
}

bool concatenation(const Case&, const Facts& f) {
  return any_stage2(f, [](const Walk& walk) { return walk.concatenated; });
}

bool s2ptw(const Case&, const Facts& f) {
  if (!f.stage1 || !f.stage2 || !f.ste.get<Ste::S2PTW>()) return false;
  return any_stage2(
      f, [](const Walk& walk) { return walk.use != Use::data && walk.complete && (walk.last().word >> 4 & 3) == 0; });
}

bool nested(const Case&, const Facts& f) {
  return f.stage1 && f.stage2;
}

bool nested_write(const Case& one, const Facts& f) {
  return f.stage1 && f.stage2 && one.access.write;
}

bool ttb_early(const Case&, const Facts& f) {
  return std::any_of(f.ttbs.begin(), f.ttbs.end(), [&](const Walk& walk) { return refuses(walk, f); });
}

bool ttb_truncated(const Case&, const Facts& f) {
  return std::any_of(f.ttbs.begin(), f.ttbs.end(), [&](const Walk& walk) { return leaf_beyond(walk, ips_limit(f)); });
}

bool split_table(const Case& one, const Facts& f) {
  return nested(one, f) && f.split_table;
}

bool table_fault_record(const Case& one, const Facts& f) {
  return nested(one, f) && f.cd_present && f.cd.get<Cd::R>() != f.ste.get<Ste::S2R>() &&
         std::any_of(f.walks2.begin(), f.walks2.end(),
                     [&](const Walk& walk) { return walk.use == Use::table && refuses(walk, f); });
}

}  // namespace smmusim::peer::rules

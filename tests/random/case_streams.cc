// SPDX-License-Identifier: MIT
// STEs and CD tables of a random case (IHI 0070 5.2 to 5.4). A wrong STE or CD is one of a list of certain errors, so
// that no copy of a CD differs from its address space and still translates.
#include <algorithm>

#include "tests/random/case_structures.h"

namespace refwalk {

namespace {

// A, R, S within what the models permit.
void make_fault_flags(Workshop& shop, bool s1stalld, Structure& cd) {
  const unsigned model = shop.features.stall_model;
  bool stall = model == 2;
  if (model == 0 && !s1stalld) stall = shop.rng.percent(20);
  set_field(cd, 44, 44, stall);
  set_field(cd, 45, 45, shop.rng.percent(80));
  set_field(cd, 46, 46, shop.features.term_model || shop.rng.percent(75));
}

void make_cd_illegal(Workshop& shop, StreamWorld world, Structure& cd) {
  const bool used0 = world == StreamWorld::EL2 || !flag(cd, 14);
  const unsigned ips = effective_output_size(shop.features, static_cast<unsigned>(field(cd, 34, 32)));
  switch (shop.rng.below(13)) {
    case 10:
      if (flag(cd, 30) || world == StreamWorld::EL2) break;
      set_field(cd, 23, 22, 0);
      return;  // TG1
    case 11:
      if (flag(cd, 30) || world == StreamWorld::EL2) break;
      set_field(cd, 21, 16, shop.rng.percent(50) ? 63 : shop.rng.between(0, 11));
      return;  // T1SZ
    case 12:
      if (flag(cd, 30) || world == StreamWorld::EL2 || ips >= 52) break;
      set_field(cd, 179, 179, 1);  // TTB1[51]
      return;
    case 0:
      if (shop.features.httu == 2) break;
      if (shop.features.httu == 0) set_field(cd, 43, 42, shop.rng.between(1, 3));  // HD, HA
      if (shop.features.httu == 1) set_field(cd, 42, 42, 1);                       // HD
      if (shop.features.httu == 3) set_field(cd, 43, 43, 0);                       // HA, and HAFT
      if (shop.features.httu == 3) set_field(cd, 67, 67, 1);
      return;
    case 1:
      set_field(cd, 41, 41, 0);
      return;  // AA64
    case 2:
      if (!used0) break;
      set_field(cd, 7, 6, 3);  // TG0
      return;
    case 3:
      if (!used0) break;
      set_field(cd, 5, 0, shop.rng.percent(50) ? 63 : shop.rng.between(0, 11));  // T0SZ
      return;
    case 4:
      if (!used0 || ips >= 52) break;
      set_field(cd, 115, 115, 1);  // TTB0[51]
      return;
    case 5:
      if (shop.features.asid16 || world == StreamWorld::EL2) break;
      set_field(cd, 63, 63, 1);  // ASID[15]
      return;
    case 6:
      if (shop.features.stall_model != 1) break;
      set_field(cd, 44, 44, 1);  // S
      return;
    case 7:
      if (!shop.features.term_model) break;
      set_field(cd, 46, 46, 0);  // A
      return;
    case 8:
      if (!used0 || shop.features.ttendian == 0) break;
      set_field(cd, 15, 15, shop.features.ttendian == 2);  // ENDI
      return;
    default:
      break;
  }
  set_field(cd, 31, 31, 0);  // V
}

// One wrong stage-2 field; not always wrong.
void spoil_stage2(Workshop& shop, Structure& ste) {
  const Features& f = shop.features;
  switch (shop.rng.below(11)) {
    case 0:
      return set_field(ste, 165, 160, shop.rng.percent(50) ? shop.rng.between(0, 15) : shop.rng.between(40, 63));
    case 1:
      return set_field(ste, 167, 166, shop.rng.between(0, 3));  // S2SL0
    case 2:
      return set_field(ste, 175, 174, shop.rng.between(0, 3));  // S2TG
    case 3:
      return set_field(ste, 179, 179, 0);  // S2AA64
    case 4:
      return set_field(ste, 180, 180, !flag(ste, 180));  // S2ENDI
    case 5:
      return set_field(ste, 184, 183, shop.rng.between(1, 3));  // S2HD, S2HA
    case 6:
      return set_field(ste, 185, 185, !flag(ste, 185));  // S2S
    case 7:
      return set_field(ste, 243, 243, 1);  // S2TTB[51]
    case 8:
      return set_field(ste, 178, 176, shop.rng.between(0, 4));  // S2PS below S2TTB
    case 9:
      return set_field(ste, 195, 194, shop.rng.between(0, 3));  // S2DS, S2SL0[2]
    default:
      if (!f.vmid16) set_field(ste, 143, 143, 1);  // S2VMID[15]
  }
}

void spoil_ste(Workshop& shop, bool stage1, Structure& ste) {
  const Features& f = shop.features;
  const bool stage2 = (field(ste, 3, 1) & 2) != 0;
  if (stage2 && shop.rng.percent(60)) return spoil_stage2(shop, ste);
  switch (shop.rng.below(9)) {
    case 0:
    case 1:
      set_field(ste, 3, 1, shop.rng.below(4));
      return;  // Config 0xx: silent
    case 2:
      if (f.s2p) break;
      set_field(ste, 3, 1, shop.rng.between(6, 7));
      return;
    case 3:
      if (!stage1 || f.stall_model == 0) break;
      set_field(ste, 91, 91, 1);  // S1STALLD
      return;
    case 4:
      if (!stage1 || f.ssidsize == 0) break;
      set_field(ste, 63, 59, f.ssidsize + 1);  // S1CDMax
      return;
    case 5:
      if (!stage1 || f.oas == 52) break;
      set_field(ste, 51, 51, 1);  // S1ContextPtr
      return;
    case 6:
      if (!stage1 || !f.hyp || field(ste, 3, 1) != 5) break;
      set_field(ste, 95, 94, shop.rng.percent(50) ? 1 : 3);  // STRW
      return;
    case 7:
      if (!f.s2p || f.vmid16 || !stage1 || field(ste, 95, 94) != 0) break;
      set_field(ste, 143, 143, 1);  // S2VMID[15]
      return;
    default:
      break;
  }
  set_field(ste, 0, 0, 0);  // V
}

void make_ste_illegal(Workshop& shop, bool stage1, Structure& ste) {
  spoil_ste(shop, stage1, ste);
  const bool silent = (field(ste, 3, 1) & 4) == 0;
  if (!silent && !ste_illegal(shop.features, ste_of(shop.features, ste))) set_field(ste, 0, 0, 0);
}

void write_structure(Space& space, uint64_t address, const Structure& words) {
  for (unsigned i = 0; i < 8; ++i) space.write(address + 8 * i, words[i]);
}

// Address of the CD at this index, making the second-level table if it is missing.
uint64_t cd_slot(Workshop& shop, Space& space, uint64_t base, unsigned leaf_bits, uint32_t index,
                 std::map<uint32_t, uint64_t>& leaves) {
  if (leaf_bits == 0) return base + 64 * uint64_t{index};
  const uint32_t entry = index >> leaf_bits;
  auto leaf = leaves.find(entry);
  if (leaf == leaves.end()) {
    uint64_t table = space.allocate(leaf_bits + 6, shop.features.oas);
    uint64_t l1cd = table | 1;
    const uint64_t choice = shop.rng.below(100);
    if (choice < 3) l1cd = table;
    if (choice >= 3 && choice < 6 && shop.options.aborts) l1cd = space.aborting_block() | 1;
    if (choice >= 6 && choice < 8 && shop.features.oas < 52) l1cd |= uint64_t{1} << 51;
    space.write(base + 8 * uint64_t{entry}, l1cd);
    leaf = leaves.emplace(entry, table).first;
  }
  return leaf->second + 64 * low_bits(index, leaf_bits);
}

void make_cd_table(Workshop& shop, const Domain& domain, Stream& stream, Structure& ste) {
  Rng& rng = shop.rng;
  Space& space = domain.guest ? static_cast<Space&>(*domain.guest) : shop.physical;
  unsigned leaf_bits = 0;
  if (shop.features.ssidsize != 0 && rng.percent(65)) {
    stream.cd_max = rng.between(1, std::min(shop.features.ssidsize, 12u));
    const bool two_level = shop.features.cd2l && (stream.cd_max > 5 || rng.percent(40));
    if (!two_level) stream.cd_max = std::min(stream.cd_max, 6u);
    const unsigned format = two_level ? rng.between(1, 2) : (rng.percent(90) ? 0u : 3u);
    if (two_level) leaf_bits = format == 1 ? 6 : 10;
    set_field(ste, 5, 4, format);
    set_field(ste, 63, 59, stream.cd_max);
    set_field(ste, 65, 64, rng.percent(25) ? rng.between(0, 3) : rng.between(1, 2));
  }
  unsigned size_log2 = 6 + stream.cd_max;
  if (leaf_bits != 0) size_log2 = stream.cd_max > leaf_bits + 3 ? stream.cd_max - leaf_bits + 3 : 6;
  uint64_t base = space.allocate(size_log2, shop.features.oas);
  if (shop.options.aborts && rng.percent(2)) base = space.aborting_block();
  set_field(ste, 55, 6, base >> 6);

  std::map<uint32_t, uint64_t> leaves;
  const uint64_t count = uint64_t{1} << stream.cd_max;
  const unsigned wanted = stream.cd_max == 0 ? 1 : rng.between(2, 5);
  for (unsigned i = 0; i < wanted; ++i) {
    const uint32_t index = i == 0 ? 0 : static_cast<uint32_t>(rng.percent(20) ? count - 1 : rng.below(count));
    if (std::find(stream.ssids.begin(), stream.ssids.end(), index) != stream.ssids.end()) continue;
    const size_t which = rng.below(domain.spaces.size());
    Structure cd = domain.spaces[which].cd;
    make_fault_flags(shop, flag(ste, 91), cd);
    if (rng.percent(6)) make_cd_illegal(shop, domain.world, cd);
    write_structure(space, cd_slot(shop, space, base, leaf_bits, index, leaves), cd);
    stream.ssids.push_back(index);
    stream.spaces.push_back(which);
  }
}

unsigned pick_config(Rng& rng, const Domain& domain) {
  if (!domain.guest) return rng.percent(92) ? 5 : 4;
  if (rng.percent(5)) return 4;
  return domain.spaces.empty() || rng.percent(20) ? 6 : 7;
}

// MTCFG, MemAttr, ALLOCCFG, SHCFG, and what IDR0.ATS makes meaningless here.
void make_overrides(Rng& rng, bool ats, Structure& ste) {
  if (!ats) set_field(ste, 93, 92, rng.percent(90) ? 0 : rng.between(0, 3));  // EATS
  if (rng.percent(45)) return set_field(ste, 109, 108, 1);                    // SHCFG: incoming
  set_field(ste, 99, 96, rng.below(16));
  set_field(ste, 100, 100, rng.percent(50));
  set_field(ste, 104, 101, rng.percent(50) ? 0 : rng.below(16));
  set_field(ste, 109, 108, rng.between(0, 3));
}

// EATS, hardly ever ILLEGAL: with stage 2 none goes with S2S = 1, and split-stage needs both stages and NS1ATS = 0.
void make_eats(Workshop& shop, Structure& ste) {
  Rng& rng = shop.rng;
  const uint64_t config = field(ste, 3, 1);
  unsigned eats = rng.percent(75) ? 1 : 0;
  if (config == 7 && !shop.features.ns1ats && rng.percent(40)) eats = 2;
  if ((flag(ste, 185) && (config & 2) != 0) || (flag(ste, 185) && shop.features.minor == 0)) eats = 0;
  if (rng.percent(5)) eats = rng.between(0, 3);
  set_field(ste, 93, 92, eats);
}

}  // namespace

Structure make_stream(Workshop& shop, const Domain& domain, Stream& stream) {
  Rng& rng = shop.rng;
  Structure ste = domain.stage2_fields;
  const unsigned config = pick_config(rng, domain);
  set_field(ste, 0, 0, 1);
  set_field(ste, 3, 1, config);
  stream.stage1 = (config & 1) != 0;
  set_field(ste, 143, 128, domain.vmid);
  if (domain.world != StreamWorld::EL1) set_field(ste, 95, 94, 2);
  if (domain.guest) {
    set_field(ste, 185, 185, shop.features.stall_model == 2 || (shop.features.stall_model == 0 && rng.percent(20)));
    set_field(ste, 186, 186, rng.percent(80));
  }
  set_field(ste, 113, 112, rng.percent(60) ? 0 : rng.between(0, 3));
  set_field(ste, 115, 114, rng.percent(60) ? 0 : rng.between(0, 3));
  set_field(ste, 87, 84, rng.below(16));
  if (shop.features.ats) make_eats(shop, ste);
  if (shop.options.attributes) make_overrides(rng, shop.features.ats, ste);
  if (stream.stage1) {
    set_field(ste, 91, 91, shop.features.stall_model == 0 && rng.percent(15));
    make_cd_table(shop, domain, stream, ste);
  }
  if (rng.percent(7)) make_ste_illegal(shop, stream.stage1, ste);
  return ste;
}

}  // namespace refwalk

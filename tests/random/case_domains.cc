// SPDX-License-Identifier: MIT
// Domains and address spaces of a random case: which CDs may share tables, ASIDs and global entries so that a reader
// with TLBs must answer as one without (IHI 0070 3.17, 5.2.1, 5.4.1).
#include <algorithm>
#include <stdexcept>

#include "tests/random/case_structures.h"

namespace refwalk {

namespace {

unsigned pick_granule(Rng& rng, const Features& f) {
  for (;;) {
    const unsigned granule = 12 + 2 * rng.between(0, 2);
    if (granule_supported(f, granule)) return granule;
  }
}

UpdateStyle update_style(const Features& f, const HardwareUpdate& managed) {
  return {f.httu != 0, managed.access_flag, managed.dirty};
}

// HA, HD and HAFT, or S2HA, S2HD and S2HAFT, as far as IDR0.HTTU permits; HD may stand alone.
void make_update_fields(Workshop& shop, Structure& words, unsigned ha, unsigned hd, unsigned haft) {
  const unsigned httu = shop.features.httu;
  if (httu == 0) return;
  const bool access_flag = shop.rng.percent(65);
  set_field(words, ha, ha, access_flag);
  set_field(words, hd, hd, httu >= 2 && shop.rng.percent(70));
  set_field(words, haft, haft, httu == 3 && access_flag && shop.rng.percent(50));
}

// One half of a CD: its tables, its fields.
void make_half(Workshop& shop, Domain& domain, AddressSpace& space, unsigned index, bool globals) {
  static constexpr unsigned tg0[5] = {0, 0, 2, 0, 1};
  static constexpr unsigned tg1[5] = {2, 0, 1, 0, 3};
  Rng& rng = shop.rng;
  const unsigned granule = pick_granule(rng, shop.features);
  const unsigned most = shop.features.stt ? (granule == 16 ? 47u : 48u) : 39u;
  const bool ds = shop.features.ds && flag(space.cd, 186);
  const unsigned least = (granule == 16 || ds) && shop.features.vax != 0 ? 12u : 16u;
  TableFormat format;
  format.granule = granule;
  format.ds = ds && granule != 16;
  format.lpa = shop.features.oas == 52;
  format.big_endian = flag(space.cd, 15);
  format.input_size = 64 - (rng.percent(40) ? 16 : rng.between(least, most));
  format.output_size = effective_output_size(shop.features, static_cast<unsigned>(field(space.cd, 34, 32)));
  format.start_level = stage1_start_level(granule, format.input_size);

  Space* memory = domain.guest ? static_cast<Space*>(domain.guest.get()) : &shop.physical;
  Tree tree(*memory, format);
  const UpdateStyle updates =
      update_style(shop.features, hardware_update(shop.features, cd_of(shop.features, space.cd)));
  const Stage1Style style{globals, shop.options.aborts && rng.percent(30), domain.guest.get(), index == 1, updates};
  fill_stage1(rng, *memory, tree, style, space.targets);

  const unsigned shift = index == 0 ? 0 : 16;
  set_field(space.cd, 5 + shift, shift, 64 - format.input_size);
  set_field(space.cd, 7 + shift, 6 + shift, index == 0 ? tg0[granule - 12] : tg1[granule - 12]);
  set_field(space.cd, index == 0 ? 115 : 179, index == 0 ? 68 : 132, tree.base() >> 4);
  space.range_log2[index] = format.input_size;
}

// Everything of a CD but ASID, ASET, A, R, S.
void make_content(Workshop& shop, Domain& domain, AddressSpace& space, bool globals) {
  Rng& rng = shop.rng;
  Structure& cd = space.cd;
  set_field(cd, 31, 31, 1);  // V
  set_field(cd, 41, 41, 1);  // AA64
  const unsigned endian = shop.features.ttendian;
  set_field(cd, 15, 15, endian == 3 || (endian == 0 && rng.percent(30)));  // ENDI
  set_field(cd, 34, 32, rng.between(0, 7));                                // IPS
  set_field(cd, 35, 35, rng.percent(15));                                  // AFFD
  set_field(cd, 36, 36, rng.percent(15));                                  // WXN
  space.tbi = rng.percent(40) ? rng.between(1, 3) : 0;
  set_field(cd, 39, 38, space.tbi);
  set_field(cd, 40, 40, rng.percent(20));                            // PAN
  set_field(cd, 65, 65, rng.percent(25));                            // HAD0
  set_field(cd, 129, 129, rng.percent(25));                          // HAD1
  set_field(cd, 66, 66, rng.percent(10));                            // E0PD0
  set_field(cd, 130, 130, rng.percent(10));                          // E0PD1
  set_field(cd, 123, 123, rng.percent(30));                          // EPAN
  set_field(cd, 13, 8, rng.below(64));                               // SH0, OR0, IR0
  set_field(cd, 29, 24, rng.below(64));                              // SH1, OR1, IR1
  cd[3] = rng.next();                                                // MAIR
  set_field(cd, 186, 186, rng.percent(shop.features.ds ? 70 : 10));  // DS
  make_update_fields(shop, cd, 43, 42, 67);
  const bool epd0 = rng.percent(10);
  const bool epd1 = rng.percent(25);
  set_field(cd, 14, 14, epd0);
  set_field(cd, 30, 30, epd1);
  const bool el2 = domain.world == StreamWorld::EL2;
  if (!epd0 || el2) make_half(shop, domain, space, 0, globals);
  if (!epd1 && !el2) make_half(shop, domain, space, 1, globals);
  if (space.targets.empty()) space.targets.push_back(Target{0, 12});
}

void set_asid(Workshop& shop, AddressSpace& space, unsigned asid, bool aset) {
  if (!shop.features.asid16) asid &= 0xFF;
  set_field(space.cd, 63, 48, asid);
  set_field(space.cd, 47, 47, aset);
}

void make_spaces(Workshop& shop, Domain& domain) {
  Rng& rng = shop.rng;
  const bool el2 = domain.world == StreamWorld::EL2;
  const unsigned count = el2 ? 1 : rng.between(1, 3);
  // Consecutive ASIDs below 256 cannot collide.
  const unsigned first = rng.between(0, 250) | (shop.features.asid16 ? rng.between(0, 255) << 8 : 0);
  const bool shared = rng.percent(35);
  const bool differing_aset = count == 2 && rng.percent(50);
  const bool globals = shared || count == 1 || differing_aset;
  const bool aset = rng.percent(50);
  for (unsigned i = 0; i < count; ++i) {
    AddressSpace space;
    if (shared && i > 0) {
      space = domain.spaces.front();
    } else {
      make_content(shop, domain, space, globals);
    }
    set_asid(shop, space, first + i, differing_aset && i == 1 ? !aset : aset);
    domain.spaces.push_back(space);
  }
}

// Random S2* fields, legal or not.
void pick_stage2_fields(Workshop& shop, Structure& words) {
  Rng& rng = shop.rng;
  const Features& f = shop.features;
  words = Structure{};
  const unsigned granule = pick_granule(rng, f);
  const bool ds = f.ds && rng.percent(70);
  const unsigned least = std::max(64 - f.oas, 12u);
  set_field(words, 0, 0, 1);
  set_field(words, 3, 1, 6);
  set_field(words, 165, 160, rng.percent(85) ? rng.between(least, 34) : rng.between(35, 48));  // S2T0SZ
  set_field(words, 167, 166, rng.between(0, 3));                                               // S2SL0
  set_field(words, 171, 168, rng.below(16));                                                   // S2IR0, S2OR0
  set_field(words, 173, 172, rng.between(0, 3));                                               // S2SH0
  set_field(words, 175, 174, granule == 12 ? 0 : (granule == 14 ? 2 : 1));
  set_field(words, 178, 176, rng.between(0, 7));  // S2PS
  set_field(words, 179, 179, 1);                  // S2AA64
  set_field(words, 180, 180, f.ttendian == 3 || (f.ttendian == 0 && rng.percent(30)));
  set_field(words, 181, 181, rng.percent(15));  // S2AFFD
  set_field(words, 182, 182, rng.percent(25));  // S2PTW
  set_field(words, 185, 185, f.stall_model == 2);
  set_field(words, 194, 194, granule == 12 && ds ? rng.percent(50) : rng.percent(10));  // S2SL0[2]
  set_field(words, 195, 195, f.ds ? ds : rng.percent(10));                              // S2DS
  set_field(words, 89, 89, rng.percent(f.fwb ? 40 : 10));                               // S2FWB
  make_update_fields(shop, words, 184, 183, 187);
}

// How often the mapping of a CD or stage-1 table may fault in this domain.
unsigned pick_fault_rate(Rng& rng) {
  if (rng.percent(45)) return 0;
  return rng.percent(60) ? 4 : 20;
}

}  // namespace

void make_stage2(Workshop& shop, Domain& domain) {
  const Features& f = shop.features;
  Structure& words = domain.stage2_fields;
  for (unsigned tries = 0; tries < 100000; ++tries) {
    pick_stage2_fields(shop, words);
    const Ste ste = ste_of(f, words);
    if (ste_illegal(f, ste)) continue;
    TableFormat format{};
    format.granule = granule_of_tg0(ste.S2TG);
    format.ds = stage2_ds(f, ste) && format.granule != 16;
    format.lpa = f.oas == 52;
    format.big_endian = ste.S2ENDI;
    format.input_size = 64 - ste.S2T0SZ;
    format.output_size = effective_output_size(f, ste.S2PS);
    stage2_start_level(f, ste, &format.start_level);
    domain.guest = std::make_unique<GuestSpace>(shop.physical, shop.rng, format, shop.options.aborts,
                                                pick_fault_rate(shop.rng), update_style(f, hardware_update(f, ste)));
    set_field(words, 243, 196, domain.guest->tree().base() >> 4);
    return;
  }
  throw std::logic_error("no legal stage-2 shape was found; the generator needs a supported granule");
}

namespace {

// A domain of EL1, with or without stage 2; small guest spaces have no room for CDs and stage-1 tables.
void make_el1_domain(Workshop& shop, Domain& domain, bool stage2) {
  constexpr unsigned roomy = 30;
  if (stage2) make_stage2(shop, domain);
  const bool small = stage2 && domain.guest->tree().format().input_size < roomy;
  if (shop.features.s1p && !small && !(stage2 && shop.rng.percent(10))) make_spaces(shop, domain);
  for (unsigned i = 0; stage2 && i < 6; ++i) {
    domain.guest_targets.push_back(domain.guest->map_client(shop.features.oas, shop.rng.percent(30)));
  }
}

}  // namespace

std::vector<Domain> make_domains(Workshop& shop) {
  Rng& rng = shop.rng;
  std::vector<Domain> domains;
  // Without stage 2 no VMID separates EL1 streams, so they all belong to one domain.
  const unsigned el1 = shop.features.s2p ? rng.between(1, 3) : 1;
  const unsigned first_vmid = rng.between(0, 200) | (shop.features.vmid16 ? rng.between(0, 255) << 8 : 0);
  for (unsigned i = 0; i < el1; ++i) {
    domains.emplace_back();
    domains.back().vmid = first_vmid + i;
    const bool stage2 = shop.features.s2p && (!shop.features.s1p || i > 0 || rng.percent(85));
    make_el1_domain(shop, domains.back(), stage2);
  }
  // EL2 translations carry no VMID (and no ASID without E2H): one domain at most.
  if (shop.options.el2 && shop.features.hyp && rng.percent(50)) {
    domains.emplace_back();
    domains.back().world = bit(shop.registers.cr2, 0) ? StreamWorld::EL2_E2H : StreamWorld::EL2;
    make_spaces(shop, domains.back());
  }
  return domains;
}

}  // namespace refwalk

// SPDX-License-Identifier: MIT
// See vector_image.h.
#include "tests/peer/qemu/vector_image.h"

namespace smmusim::peer::image {
namespace {

void make_ste(Case& one, unsigned config) {
  put<Ste::V>(one, ste_at, 1);
  put<Ste::Config>(one, ste_at, config);
  put<Ste::S1ContextPtr>(one, ste_at, cd_at);
  put<Ste::S2T0SZ>(one, ste_at, 0x14);
  put<Ste::S2SL0>(one, ste_at, 2);
  put<Ste::S2PS>(one, ste_at, 5);
  put<Ste::S2AA64>(one, ste_at, 1);
  put<Ste::S2TTB>(one, ste_at, tables);
  // The upstream image has S2R=0; its negative variants could not be told apart then.
  put<Ste::S2R>(one, ste_at, 1);
}

void make_cd(Case& one) {
  put<Cd::V>(one, cd_at, 1);
  put<Cd::AA64>(one, cd_at, 1);
  put<Cd::A>(one, cd_at, 1);
  put<Cd::ASID>(one, cd_at, 0x1e20);
  put<Cd::IPS>(one, cd_at, 4);
  put<Cd::T0SZ>(one, cd_at, 16);
  put<Cd::EPD1>(one, cd_at, 1);
  put<Cd::NSCFG0>(one, cd_at, 1);
  put<Cd::NSCFG1>(one, cd_at, 1);
  put<Cd::R>(one, cd_at, 1);
  put<Cd::TTB0>(one, cd_at, tables);
}

void make_tables(Case& one, unsigned config) {
  constexpr std::uint64_t next = 0x8000000000000003;
  one.words[l0] = next | (tables + 0x1000);
  one.words[l1] = next | (tables + 0x2000);
  one.words[l2] = next | (tables + 0x3000);
  one.words[l3] = 0x0400000000000000 | 0x4ecba000 | (config == 6 ? 0x7e3 : 0x763);
  if (config != 7) return;
  one.words[tables] = next | (tables + 0x1000);
  one.words[tables + 0x1008] = next | (tables + 0x2000);
  for (const std::uint64_t index : {0x72u, 0x70u, 0x76u}) one.words[tables + 0x2000 + 8 * index] = next | identity;
  for (std::uint64_t i = 0; i < 4; ++i) one.words[identity + 8 * (0xd0 + i)] = 0x763 | (tables + 0x1000 * i);
  one.words[identity + 8 * 0x178] = 0x763 | 0x4e178000;
  one.words[identity + 8 * 0xba] = 0x7e3 | 0x4ecba000;
}

}  // namespace

void clear(Case& one, std::uint64_t address, std::uint64_t bits) {
  one.words[address] &= ~bits;
}
void raise(Case& one, std::uint64_t address, std::uint64_t bits) {
  one.words[address] |= bits;
}

void reads(Case& one) {
  one.access.sid = 0x10;
  one.access.write = false;
  for (std::uint64_t i = 0; i < 64; i += 8) one.words[stream_table + 64 * one.access.sid + i] = one.word(ste_at + i);
}

void large_tables(Case& one) {
  put<Cd::TG0>(one, cd_at, 2);
  put<Cd::T0SZ>(one, cd_at, 28);
  put<Cd::TTB0>(one, cd_at, 0x4f000000);
}

void move_root(Case& one, std::uint64_t physical) {
  one.words[identity + 8 * 0xd0] = physical | 0x763;
  one.words[physical + 8] = one.words[l0];
}

Case make(unsigned config) {
  Case one;
  one.stages = Stages::nested;
  one.strtab_base = stream_table;
  one.strtab_base_cfg = 5;
  one.access.sid = sid;
  one.access.address = iova;
  make_ste(one, config);
  make_cd(one);
  make_tables(one, config);
  return one;
}

}  // namespace smmusim::peer::image

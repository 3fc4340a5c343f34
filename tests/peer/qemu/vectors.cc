// SPDX-License-Identifier: MIT
// The rows: {name, STE.Config, what differs from the image, first event of the right answer, whether it lands, the
// divergence that QEMU shows}. The right answers are from the specification, not from either side.
#include "tests/peer/qemu/vectors.h"

#include "tests/peer/qemu/vector_image.h"

namespace smmusim::peer {
namespace {

using namespace image;

constexpr unsigned bad_streamid = 0x02, bad_ste = 0x04, cd_fetch = 0x09, bad_cd = 0x0a;
constexpr unsigned eabt = 0x0b, translation = 0x10, addr_size = 0x11, access_flag = 0x12, permission = 0x13;

constexpr Vector rows[] = {
// Upstream's three cases, and the same read.
{"ns-s1-only", 5, nullptr, 0, true, nullptr}, {"ns-s2-only", 6, nullptr, 0, true, nullptr},
    {"ns-nested", 7, nullptr, 0, true, nullptr}, {"s1-read", 5, reads, 0, true, nullptr},
    {"abort", 0, nullptr, 0, false, nullptr},
    {"bypass", 4, [](Case& c) { c.access.address = vector_target; }, 0, true, nullptr},
    {"disabled-bypass",
     5,
     [](Case& c) {
       c.enabled = false;
       c.access.address = vector_target;
     },
     0,
     true,
     nullptr},
    {"disabled-abort",
     5,
     [](Case& c) {
       c.enabled = false;
       c.gbpa |= 1u << 20;
       c.access.address = vector_target;
     },
     0,
     false,
     nullptr},
    // Stage 1 alone.
    {"s1-ste-v", 5, [](Case& c) { clear(c, ste_at, 1); }, bad_ste, false, nullptr},
    {"s1-cd-v", 5, [](Case& c) { put<Cd::V>(c, cd_at, 0); }, bad_cd, false, nullptr},
    {"s1-cd-aa64", 5, [](Case& c) { put<Cd::AA64>(c, cd_at, 0); }, bad_cd, false, nullptr},
    {"s1-cd-a", 5, [](Case& c) { put<Cd::A>(c, cd_at, 0); }, bad_cd, false, nullptr},
    {"s1-cd-s", 5, [](Case& c) { put<Cd::S>(c, cd_at, 1); }, bad_cd, false, nullptr},
    {"s1-cd-t0sz-15", 5, [](Case& c) { put<Cd::T0SZ>(c, cd_at, 15); }, bad_cd, false, nullptr},
    {"s1-cd-t0sz-40", 5, [](Case& c) { put<Cd::T0SZ>(c, cd_at, 40); }, bad_cd, false, nullptr},
    {"s1-cd-endi", 5, [](Case& c) { put<Cd::ENDI>(c, cd_at, 1); }, bad_cd, false, nullptr},
    {"s1-cd-ttb-size",
     5,
     [](Case& c) {
       put<Cd::IPS>(c, cd_at, 0);
       put<Cd::TTB0>(c, cd_at, std::uint64_t{1} << 32);
     },
     bad_cd,
     false,
     nullptr},
    {"s1-epd0", 5, [](Case& c) { put<Cd::EPD0>(c, cd_at, 1); }, translation, false, nullptr},
    {"s1-l0", 5, [](Case& c) { clear(c, l0, 1); }, translation, false, nullptr},
    {"s1-l1", 5, [](Case& c) { clear(c, l1, 1); }, translation, false, nullptr},
    {"s1-l2", 5, [](Case& c) { clear(c, l2, 1); }, translation, false, nullptr},
    {"s1-l3", 5, [](Case& c) { clear(c, l3, 1); }, translation, false, nullptr},
    {"s1-l3-reserved", 5, [](Case& c) { clear(c, l3, 2); }, translation, false, nullptr},
    {"s1-l3-norecord",
     5,
     [](Case& c) {
       clear(c, l3, 1);
       put<Cd::R>(c, cd_at, 0);
     },
     0,
     false,
     nullptr},
    {"s1-gap", 5, [](Case& c) { c.access.address |= std::uint64_t{1} << 48; }, translation, false, nullptr},
    {"s1-af", 5, [](Case& c) { clear(c, l3, 1 << 10); }, access_flag, false, nullptr},
    {"s1-affd",
     5,
     [](Case& c) {
       clear(c, l3, 1 << 10);
       put<Cd::AFFD>(c, cd_at, 1);
     },
     0,
     true,
     nullptr},
    {"s1-readonly", 5, [](Case& c) { raise(c, l3, 1 << 7); }, permission, false, nullptr},
    {"s1-readonly-norecord",
     5,
     [](Case& c) {
       raise(c, l3, 1 << 7);
       put<Cd::R>(c, cd_at, 0);
     },
     0,
     false,
     nullptr},
    {"s1-addr-size",
     5,
     [](Case& c) {
       put<Cd::IPS>(c, cd_at, 0);
       raise(c, l3, std::uint64_t{1} << 32);
     },
     addr_size,
     false,
     nullptr},
    {"s1-block",
     5,
     [](Case& c) {
       c.words[l2] = 0x4ec00000 | 0x741;
       c.access.address = 0x80806ba564;
     },
     0,
     true,
     nullptr},
    {"s1-table-eabt", 5, [](Case& c) { raise(c, l1, std::uint64_t{1} << 40); }, eabt, false, nullptr},
    {"s1-sid-32", 5, [](Case& c) { c.access.sid = 0x30; }, bad_streamid, false, nullptr},
    {"s1-two-level-exact",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x10188;
       c.words[0x4e180000] = stream_table | 5;
     },
     0,
     true,
     nullptr},
    {"s1-two-level-ok",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x10188;
       c.words[0x4e180000] = 0x4e17a000 | 7;
       for (unsigned i = 0; i < 8; ++i) c.words[0x4e17a200 + 8 * i] = c.words[ste_at + 8 * i];
     },
     0,
     true,
     nullptr},
    {"s1-two-level-span0",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x10188;
     },
     bad_streamid,
     false,
     nullptr},
    // Stage 2 alone.
    {"s2-l0", 6, [](Case& c) { clear(c, l0, 1); }, translation, false, nullptr},
    {"s2-l1", 6, [](Case& c) { clear(c, l1, 1); }, translation, false, nullptr},
    {"s2-l2", 6, [](Case& c) { clear(c, l2, 1); }, translation, false, nullptr},
    {"s2-l3", 6, [](Case& c) { clear(c, l3, 1); }, translation, false, nullptr},
    {"s2-l3-norecord",
     6,
     [](Case& c) {
       clear(c, l3, 1);
       put<Ste::S2R>(c, ste_at, 0);
     },
     0,
     false,
     nullptr},
    {"s2-af", 6, [](Case& c) { clear(c, l3, 1 << 10); }, access_flag, false, nullptr},
    {"s2-affd",
     6,
     [](Case& c) {
       clear(c, l3, 1 << 10);
       put<Ste::S2AFFD>(c, ste_at, 1);
     },
     0,
     true,
     nullptr},
    {"s2-readonly", 6, [](Case& c) { clear(c, l3, 1 << 7); }, permission, false, nullptr},
    {"s2-none", 6, [](Case& c) { clear(c, l3, 3 << 6); }, permission, false, nullptr},
    {"s2-addr-size",
     6,
     [](Case& c) {
       put<Ste::S2PS>(c, ste_at, 2);
       put<Ste::S2T0SZ>(c, ste_at, 24);
       raise(c, l3, std::uint64_t{1} << 40);
     },
     addr_size,
     false,
     nullptr},
    {"s2-input-size", 6, [](Case& c) { c.access.address |= std::uint64_t{1} << 43; }, translation, false, nullptr},
    {"s2-ias", 6, [](Case& c) { c.access.address |= std::uint64_t{1} << 44; }, addr_size, false, "input-ias"},
    {"s2-s2s", 6, [](Case& c) { put<Ste::S2S>(c, ste_at, 1); }, bad_ste, false, nullptr},
    {"s2-endi", 6, [](Case& c) { put<Ste::S2ENDI>(c, ste_at, 1); }, bad_ste, false, nullptr},
    {"s2-tg", 6, [](Case& c) { put<Ste::S2TG>(c, ste_at, 3); }, bad_ste, false, nullptr},
    {"s2-sl0", 6, [](Case& c) { put<Ste::S2SL0>(c, ste_at, 3); }, bad_ste, false, nullptr},
    {"s2-sl0-1", 6, [](Case& c) { put<Ste::S2SL0>(c, ste_at, 1); }, bad_ste, false, nullptr},
    // Both.
    {"nested-cd-page", 7, [](Case& c) { clear(c, identity + 8 * 0x178, 3 << 6); }, permission, false, "class-rnw"},
    {"nested-cd-unmapped", 7, [](Case& c) { clear(c, identity + 8 * 0x178, 1); }, translation, false, "class-rnw"},
    {"nested-l1-page", 7,     [](Case& c) { clear(c, identity + 8 * 0xd1, 3 << 6); },
     permission,       false, "table-fault-stage"},
    {"nested-l1-unmapped", 7,     [](Case& c) { clear(c, identity + 8 * 0xd1, 1); },
     translation,          false, "table-fault-stage"},
    {"nested-leaf-unmapped", 7, [](Case& c) { clear(c, identity + 8 * 0xba, 1); }, translation, false, nullptr},
    {"nested-leaf-none", 7, [](Case& c) { clear(c, identity + 8 * 0xba, 3 << 6); }, permission, false, nullptr},
    {"nested-leaf-readonly", 7, [](Case& c) { clear(c, identity + 8 * 0xba, 2 << 6); }, permission, false, nullptr},
    {"nested-leaf-af", 7, [](Case& c) { clear(c, identity + 8 * 0xba, 1 << 10); }, access_flag, false, nullptr},
    {"nested-s1-readonly", 7, [](Case& c) { raise(c, l3, 1 << 7); }, permission, false, nullptr},
    {"nested-s1-l3", 7, [](Case& c) { clear(c, l3, 1); }, translation, false, nullptr},
    {"nested-cd-v", 7, [](Case& c) { put<Cd::V>(c, cd_at, 0); }, bad_cd, false, nullptr},
    // One minimal case for each explained divergence.
    {"divergence/ips-reserved", 5, [](Case& c) { put<Cd::IPS>(c, cd_at, 7); }, 0, true, "ips-reserved"},
    {"divergence/s2aa64", 6, [](Case& c) { put<Ste::S2AA64>(c, ste_at, 0); }, bad_ste, false, "s2aa64"},
    {"divergence/recinvsid",
     5,
     [](Case& c) {
       c.cr2 = 0;
       c.access.sid = 0x30;
     },
     0,
     false,
     "recinvsid"},
    {"divergence/l2-span",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x10188;
       c.words[0x4e180000] = stream_table | 4;
       for (unsigned i = 0; i < 8; ++i) c.words[stream_table + 0x200 + 8 * i] = c.words[ste_at + 8 * i];
     },
     bad_streamid,
     false,
     "l2-span"},
    {"s1-split-reserved",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x100c8;
       c.words[0x4e180000] = 0x4e17a000 | 7;
       for (unsigned i = 0; i < 8; ++i) c.words[0x4e17a200 + 8 * i] = c.words[ste_at + 8 * i];
     },
     0,
     true,
     nullptr},
    {"divergence/l2ptr-bits",
     5,
     [](Case& c) {
       c.strtab_base = 0x4e180000;
       c.strtab_base_cfg = 0x10188;
       c.words[0x4e180000] = 0x100000004e17a007;
       for (unsigned i = 0; i < 8; ++i) c.words[0x4e17a200 + 8 * i] = c.words[ste_at + 8 * i];
     },
     0,
     true,
     "l2ptr-bits"},
    {"s1-table-alignment", 5, [](Case& c) { c.strtab_base_cfg = 7; }, bad_ste, false, nullptr},
    {"divergence/s1cdmax", 5, [](Case& c) { put<Ste::S1CDMax>(c, ste_at, 1); }, 0, true, "s1cdmax"},
    {"divergence/s1stalld", 6, [](Case& c) { put<Ste::S1STALLD>(c, ste_at, 1); }, 0, true, "s1stalld"},
    {"divergence/context-pointer",
     5,
     [](Case& c) { raise(c, ste_at, std::uint64_t{1} << 44); },
     bad_ste,
     false,
     "context-pointer"},
    {"divergence/cd-fetch-address",
     5,
     [](Case& c) { raise(c, ste_at, std::uint64_t{1} << 40); },
     cd_fetch,
     false,
     "cd-fetch-address"},
    {"divergence/bypass-size",
     4,
     [](Case& c) { c.access.address |= std::uint64_t{1} << 44; },
     addr_size,
     false,
     "bypass-size"},
    {"divergence/tbi1",
     5,
     [](Case& c) {
       put<Cd::EPD1>(c, cd_at, 0);
       put<Cd::TG1>(c, cd_at, 2);
       put<Cd::T1SZ>(c, cd_at, 16);
       put<Cd::TTB1>(c, cd_at, tables);
       put<Cd::TBI1>(c, cd_at, 1);
       c.access.address |= 0x12ff000000000000;
     },
     0,
     true,
     "tbi1"},
    {"divergence/unprivileged", 5, [](Case& c) { clear(c, l3, 1 << 6); }, permission, false, "unprivileged"},
    {"divergence/unprivileged-table",
     5,
     [](Case& c) { raise(c, l1, std::uint64_t{1} << 61); },
     permission,
     false,
     "unprivileged"},
    {"divergence/aptable-early",
     5,
     [](Case& c) {
       raise(c, l1, std::uint64_t{1} << 62);
       clear(c, l3, 1);
     },
     translation,
     false,
     "aptable-early"},
    {"divergence/table-size",
     5,
     [](Case& c) {
       put<Cd::IPS>(c, cd_at, 0);
       raise(c, l1, std::uint64_t{1} << 32);
     },
     addr_size,
     false,
     "table-size"},
    {"divergence/block-level", 5, [](Case& c) { clear(c, l0, 2); }, translation, false, "block-level"},
    {"divergence/leaf-priority",
     5,
     [](Case& c) {
       put<Cd::IPS>(c, cd_at, 0);
       raise(c, l3, std::uint64_t{1} << 32);
       clear(c, l3, 1 << 10);
     },
     addr_size,
     false,
     "leaf-priority"},
    {"divergence/ttrnw",
     7,
     [](Case& c) {
       reads(c);
       clear(c, identity + 8 * 0xd0, 3 << 6);
     },
     permission,
     false,
     "ttrnw"},
    {"divergence/class-rnw", 7, [](Case& c) { clear(c, identity + 8 * 0xd0, 1); }, translation, false, "class-rnw"},
    {"divergence/table-fault-stage",
     7,
     [](Case& c) { clear(c, identity + 8 * 0xd2, 1 << 10); },
     access_flag,
     false,
     "table-fault-stage"},
    // Tables of stage 1 with 16 KiB granule; the descriptor lies in the second 4 KiB.
    {"divergence/table-fault-address",
     7,
     [](Case& c) {
       large_tables(c);
       c.words[tables + 0x2000 + 8 * 0x78] = 0x4f000761;
       c.words[0x4f000000] = 0x4f200003;
       c.access.address = 0x800564;
     },
     translation,
     false,
     "table-fault-address"},
    {"divergence/table-fault-record",
     7,
     [](Case& c) {
       clear(c, identity + 8 * 0xd1, 1);
       put<Ste::S2R>(c, ste_at, 0);
     },
     0,
     false,
     "table-fault-record"},
    {"divergence/input-ias",
     6,
     [](Case& c) { c.access.address |= std::uint64_t{1} << 44; },
     addr_size,
     false,
     "input-ias"},
    {"divergence/s2t0sz-ps", 6, [](Case& c) { put<Ste::S2PS>(c, ste_at, 2); }, 0, true, "s2t0sz-ps"}, {"divergence/s2-start-level",
                                                                         6,
                                                                         [](Case& c) { put<Ste::S2T0SZ>(c, ste_at, 30); },
                                                                         bad_ste,
                                                                         false,
                                                                         "s2-start-level"},
    {"divergence/s2ha-s2hd", 6, [](Case& c) { put<Ste::S2HA>(c, ste_at, 1); }, bad_ste, false, "s2ha-s2hd"},
    {"divergence/s2ptw",
     7,
     [](Case& c) {
       put<Ste::S2PTW>(c, ste_at, 1);
       clear(c, identity + 8 * 0x178, 0x3c);
     },
     permission,
     false,
     "s2ptw"},
    {"divergence/ttb-early",
     7,
     [](Case& c) {
       clear(c, identity + 8 * 0xd0, 1);
       c.access.address |= std::uint64_t{1} << 50;
     },
     translation,
     false,
     "ttb-early"},
    {"divergence/ttb-truncated",
     7,
     [](Case& c) {
       put<Cd::IPS>(c, cd_at, 0);
       move_root(c, 0x142000000);
     },
     0,
     true,
     "ttb-truncated"},
    {"divergence/split-table",
     7,
     [](Case& c) {
       large_tables(c);
       c.words[tables + 0x2000 + 8 * 0x78] = 0x4e4d5003;
       for (std::uint64_t i = 0; i < 4; ++i)
         c.words[0x4e4d5000 + 8 * i] = (i == 1 ? 0x4e4f0000 : 0x4e4e0000 + 0x1000 * i) | 0x763;
       c.words[0x4e4f0000] = 0x4e000761;
       c.access.address = 0x400cba564;
     },
     0,
     true,
     "split-table"},
    // 41 bits of IPA and SL0=1: four concatenated tables of level 1; the address starts in the second.
    {"divergence/concatenation",
     6,
     [](Case& c) {
       put<Ste::S2T0SZ>(c, ste_at, 23);
       put<Ste::S2SL0>(c, ste_at, 1);
       put<Ste::S2TTB>(c, ste_at, 0x4e4e0000);
       c.words[0x4e4e1010] = 0x8000000000000003 | (tables + 0x2000);
     },
     0,
     true,
     "concatenation"},
};

}  // namespace

std::span<const Vector> vectors() {
  return rows;
}

Case case_of(const Vector& vector) {
  Case one = image::make(vector.config);
  if (vector.edit != nullptr) vector.edit(one);
  return one;
}

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// Permissions in the reference walker: StreamWorlds, AP, APTable, UXN, PXN, WXN, PAN, EPAN, HAD, E0PD at stage 1, S2AP
// and XN at stage 2, both together, and the STE's overrides (DDI 0487 D8.4, J1.1.4.28; IHI 0070 5.2, 5.4, 13.1, 13.4).
// Each row writes the allowed accesses as text, unprivileged r w x and then privileged r w x.
// These tests say nothing about model/ and name sections, not the house's rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

constexpr unsigned kEl1 = 0, kEl2 = 1, kE2h = 2;

class RefwalkPermission : public Refwalk {
 protected:
  void use_world(unsigned world) {
    r.idr0 |= (1u << 9) | 1u;
    m.set(kSte, 95, 94, world == kEl1 ? 0 : 2);
    r.cr2 = world == kE2h ? 3 : 2;
  }

  // The allowed accesses; anything refused must be a Permission fault of the same stage with the access's attributes.
  std::string allowed(unsigned event = 0x13) {
    std::string text;
    for (unsigned i = 0; i < 6; ++i) {
      a.privileged = i >= 3;
      a.write = i % 3 == 1;
      a.instruction = i % 3 == 2;
      const Result result = run();
      text += result.outcome == Outcome::Proceed ? "rwx"[i % 3] : '-';
      if (result.outcome == Outcome::Proceed) continue;
      EXPECT_EQ(number(result), event);
      EXPECT_EQ((result.event.dw[1] >> 33) & 7,
                (a.privileged ? 1u : 0u) | (a.instruction ? 2u : 0u) | (a.write ? 0u : 4u));
    }
    return text;
  }
};

TEST_F(RefwalkPermission, Stage1) {
  const struct {
    unsigned world, ap, uxn, pxn, ap_table;
    bool wxn, pan, epan;
    const char* allowed;
  } rows[] = {// World, AP, UXN, PXN, APTable, WXN, PAN, EPAN
              {kEl1, 0, 0, 0, 0, false, false, false, "--xrwx"},
              {kEl1, 1, 0, 0, 0, false, false, false, "rwxrw-"},
              {kEl1, 2, 0, 0, 0, false, false, false, "--xr-x"},
              {kEl1, 3, 0, 0, 0, false, false, false, "r-xr-x"},
              {kEl1, 0, 1, 0, 0, false, false, false, "---rwx"},
              {kEl1, 0, 0, 1, 0, false, false, false, "--xrw-"},
              {kEl1, 3, 1, 1, 0, false, false, false, "r--r--"},
              // APTable takes unprivileged access (bit 0) and writes (bit 1) away; what unprivileged code cannot write
              // any more, privileged code may execute.
              {kEl1, 1, 0, 0, 1, false, false, false, "--xrwx"},
              {kEl1, 1, 0, 0, 2, false, false, false, "r-xr-x"},
              {kEl1, 1, 0, 0, 3, false, false, false, "--xr-x"},
              {kEl1, 0, 0, 0, 2, false, false, false, "--xr-x"},
              // WXN
              {kEl1, 0, 0, 0, 0, true, false, false, "--xrw-"},
              {kEl1, 1, 0, 0, 0, true, false, false, "rw-rw-"},
              {kEl1, 3, 0, 0, 0, true, false, false, "r-xr-x"},
              {kEl1, 1, 0, 0, 2, true, false, false, "r-xr-x"},
              // PAN: data that unprivileged code may access; EPAN: or execute. Privileged execution is not concerned.
              {kEl1, 1, 0, 0, 0, false, true, false, "rwx---"},
              {kEl1, 3, 0, 0, 0, false, true, false, "r-x--x"},
              {kEl1, 0, 0, 0, 0, false, true, false, "--xrwx"},
              {kEl1, 0, 0, 0, 0, false, true, true, "--x--x"},
              {kEl1, 0, 1, 0, 0, false, true, true, "---rwx"},
              {kEl1, 0, 0, 0, 0, false, false, true, "--xrwx"},
              {kEl1, 1, 1, 0, 1, false, true, true, "---rwx"},
              {kEl1, 0, 0, 0, 0, true, true, true, "--x---"},
              // EL2-E2H is as EL1.
              {kE2h, 1, 0, 0, 0, false, false, false, "rwxrw-"},
              {kE2h, 3, 0, 0, 0, false, true, false, "r-x--x"},
              {kE2h, 0, 1, 0, 0, false, false, false, "---rwx"},
              {kE2h, 0, 0, 0, 0, true, false, false, "--xrw-"},
              // EL2: AP[1], APTable[0], PXN, PAN and the privilege of the access do not exist.
              {kEl2, 0, 0, 0, 0, false, false, false, "rwxrwx"},
              {kEl2, 1, 0, 1, 1, false, true, true, "rwxrwx"},
              {kEl2, 2, 0, 0, 0, false, false, false, "r-xr-x"},
              {kEl2, 0, 1, 0, 0, false, false, false, "rw-rw-"},
              {kEl2, 1, 0, 0, 2, false, false, false, "r-xr-x"},
              {kEl2, 0, 0, 0, 0, true, false, false, "rw-rw-"},
              {kEl2, 2, 0, 0, 0, true, false, false, "r-xr-x"}};
  r.idr3 |= 1u << 17;
  for (const auto& row : rows) {
    use_world(row.world);
    m.words[kL3 + 8] = (kPage | kLeaf | (uint64_t{row.uxn} << 54) | (uint64_t{row.pxn} << 53)) & ~uint64_t{0xC0};
    m.words[kL3 + 8] |= uint64_t{row.ap} << 6;
    m.words[kL1 + 8] = kL2 | 3 | (uint64_t{row.ap_table} << 61);
    m.set(kCd, 36, 36, row.wxn);
    m.set(kCd, 40, 40, row.pan);
    m.set(kCd, 123, 123, row.epan);
    EXPECT_EQ(allowed(), row.allowed) << "row " << (&row - rows);
    // UWXN is ignored with VMSAv8-64, E0PD0 without IDR3.E0PD.
    m.set(kCd, 37, 37, 1);
    m.set(kCd, 66, 66, 1);
    EXPECT_EQ(allowed(), row.allowed) << "UWXN, row " << (&row - rows);
    m.set(kCd, 37, 37, 0);
    m.set(kCd, 66, 66, 0);
  }
}

TEST_F(RefwalkPermission, HierarchicalAttributesAtEachLevel) {
  m.words[kL3 + 8] = (kPage | kLeaf) & ~uint64_t{0xC0};
  const struct {
    unsigned bit, world;
    const char* allowed;
  } rows[] = {{59, kEl1, "--xrw-"}, {60, kEl1, "---rwx"}, {61, kEl1, "--xrwx"}, {62, kEl1, "--xr-x"},
              {63, kEl1, "--xrwx"}, {59, kEl2, "rwxrwx"}, {60, kEl2, "rw-rw-"}, {62, kEl2, "r-xr-x"}};
  for (const auto& row : rows) {
    use_world(row.world);
    for (const uint64_t at : {kL0, kL1 + 8, kL2 + 8}) {
      m.words[at] |= uint64_t{1} << row.bit;
      EXPECT_EQ(allowed(), row.allowed) << "bit " << row.bit;
      m.set(kCd, 65, 65, 1);
      EXPECT_EQ(allowed(), row.world == kEl2 ? "rwxrwx" : "--xrwx") << "HAD0, bit " << row.bit;
      r.idr3 &= ~(1u << 2);
      EXPECT_EQ(allowed(), row.allowed) << "HAD0 without IDR3.HAD, bit " << row.bit;
      r.idr3 |= 1u << 2;
      m.set(kCd, 65, 65, 0);
      m.words[at] &= ~(uint64_t{1} << row.bit);
    }
  }
}

TEST_F(RefwalkPermission, IdrGates) {
  m.words[kL3 + 8] = (kPage | kLeaf) & ~uint64_t{0xC0};
  m.set(kCd, 40, 40, 1);
  m.set(kCd, 123, 123, 1);
  EXPECT_EQ(allowed(), "--xrwx") << "EPAN without IDR3.EPAN";
  m.set(kCd, 66, 66, 1);
  r.idr3 |= 1u << 13;
  a.instruction = a.write = a.privileged = false;
  expect_event(Outcome::Abort, 0x10, "E0PD0");
  EXPECT_EQ(run().fetches, 2u) << "before the walk";
  a.privileged = true;
  expect_pa(kPage | 0xABC, "E0PD0 leaves privileged accesses alone");
  use_world(kEl2);
  a.privileged = false;
  expect_pa(kPage | 0xABC, "no E0PD in EL2");
  use_world(kE2h);
  expect_event(Outcome::Abort, 0x10, "E0PD in EL2-E2H");
}

TEST_F(RefwalkPermission, BothStages) {
  add_stage2(7);
  uint64_t& leaf2 = m.words[0x44000 + 8 * 0x9A];
  const struct {
    unsigned ap, s2ap, xn;
    bool xnx;
    const char* allowed;
  } rows[] = {{1, 3, 0, false, "rwxrw-"}, {1, 1, 0, false, "r-xr--"}, {1, 2, 0, false, "-wx-w-"},
              {1, 0, 0, false, "--x---"}, {1, 3, 2, false, "rw-rw-"}, {1, 3, 1, false, "rwxrw-"},
              {0, 3, 0, false, "--xrwx"}, {0, 3, 1, true, "--xrw-"},  {0, 3, 2, true, "---rw-"},
              {0, 3, 3, true, "---rwx"},  {3, 1, 3, true, "r--r-x"},  {2, 2, 0, true, "--x--x"}};
  for (const auto& row : rows) {
    m.words[kL3 + 8] = ((kPage | kLeaf) & ~uint64_t{0xC0}) | (uint64_t{row.ap} << 6);
    leaf2 = 0x7000 | 3 | (kS2Bits & ~uint64_t{0xC0}) | (uint64_t{row.s2ap} << 6) | (uint64_t{row.xn} << 53);
    r.idr3 = row.xnx ? r.idr3 | (1u << 4) : r.idr3 & ~(1u << 4);
    EXPECT_EQ(allowed(), row.allowed) << "row " << (&row - rows);
  }
}

TEST_F(RefwalkPermission, FaultTellsTheFirstStageThatRefuses) {
  add_stage2(7);
  m.words[0x44000 + 8 * 0x9A] &= ~uint64_t{0xC0};
  a.write = true;
  EXPECT_EQ((run().event.dw[1] >> 39) & 1, 1u) << "only stage 2 refuses";
  EXPECT_EQ(run().event.dw[3], kPage);
  m.words[kL3 + 8] |= 0x80;
  EXPECT_EQ((run().event.dw[1] >> 39) & 1, 0u) << "both refuse";
  EXPECT_EQ(run().event.dw[3], 0u);
}

TEST_F(RefwalkPermission, Overrides) {
  // PRIVCFG 2 unprivileged, 3 privileged; INSTCFG 2 data, 3 instruction, for reads; 0 and 1 leave the access alone.
  m.words[kL3 + 8] = ((kPage | kLeaf) & ~uint64_t{0xC0}) | (uint64_t{1} << 54);  // privileged rwx
  for (unsigned privcfg = 0; privcfg < 4; ++privcfg) {
    for (unsigned instcfg = 0; instcfg < 4; ++instcfg) {
      m.set(kSte, 113, 112, privcfg);
      m.set(kSte, 115, 114, instcfg);
      for (unsigned i = 0; i < 8; ++i) {
        a.privileged = (i & 1) != 0;
        a.instruction = (i & 2) != 0;
        a.write = (i & 4) != 0;
        const bool privileged = privcfg < 2 ? a.privileged : privcfg == 3;
        const bool instruction = !a.write && (instcfg < 2 ? a.instruction : instcfg == 3);
        const std::string name = "PRIVCFG " + std::to_string(privcfg) + " INSTCFG " + std::to_string(instcfg);
        if (privileged) {
          expect_pa(kPage | 0xABC, name);
        } else {
          expect_event(Outcome::Abort, 0x13, name);
          EXPECT_EQ((run().event.dw[1] >> 33) & 7, (instruction ? 2u : 0u) | (a.write ? 0u : 4u)) << name;
        }
      }
    }
  }
  // They hold for a stream whose stage 1 is bypassed, in the event of its Address size fault too.
  m.set(kSte, 3, 1, 4);
  m.set(kSte, 113, 112, 3);
  m.set(kSte, 115, 114, 3);
  a.privileged = a.instruction = a.write = false;
  a.address = uint64_t{1} << 44;
  EXPECT_EQ((run().event.dw[1] >> 33) & 7, 7u);
  r.idr1 &= ~(1u << 26);
  EXPECT_EQ((run().event.dw[1] >> 33) & 7, 4u) << "without ATTR_PERMS_OVR";
}

}  // namespace
}  // namespace refwalk

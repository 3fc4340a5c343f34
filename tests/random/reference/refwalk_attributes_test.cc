// SPDX-License-Identifier: MIT
// Output attributes of the reference walker after IHI 0070 chapter 13 and DDI 0487 D8.6: MAIR, stage-2 MemAttr with and
// without FWB, shareability, allocation hints, overrides, consistency. Attributes are written as text:
// "nGnRE", "nc-nc", or "wbRWt-wt.W.-ISH" (inner-outer: type, R, W, t for transient; shareability).
// These tests say nothing about model/ and name sections, not the house's rules.
#include <string>

#include "tests/random/reference/refwalk_chain.h"

namespace refwalk {
namespace {

std::string text_of(const CacheLevel& level) {
  if (level.type == Cacheability::NC) return "nc";
  return std::string(level.type == Cacheability::WB ? "wb" : "wt") + (level.read_allocate ? "R" : ".") +
         (level.write_allocate ? "W" : ".") + (level.transient ? "t" : "");
}

std::string text_of(const MemoryAttributes& attributes) {
  static const char* const devices[4] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};
  static const char* const shareabilities[4] = {"NSH", "?", "OSH", "ISH"};
  const std::string sh = shareabilities[attributes.sh & 3];
  if (attributes.device) return sh == "OSH" ? devices[attributes.device_type & 3] : "device that is not OSH";
  const std::string type = text_of(attributes.inner) + "-" + text_of(attributes.outer);
  if (type == "nc-nc") return sh == "OSH" ? type : "nc-nc that is not OSH";
  return type + "-" + sh;
}

class RefwalkAttributes : public Refwalk {
 protected:
  RefwalkAttributes() { r.idr1 |= 1u << 27; }
  void use_mair(unsigned attr, unsigned sh) {
    m.set(kCd, 255, 192, attr);
    m.words[kL3 + 8] = (kPage | kLeaf | (uint64_t{sh} << 8)) & ~(uint64_t{3 - sh} << 8);
  }
  void use_leaf2(unsigned mem_attr, unsigned sh) {
    m.words[0x44000 + 8 * 0x9A] = 0x7000 | 3 | (1u << 10) | (3u << 6) | (mem_attr << 2) | (sh << 8);
  }
  void set_type_overrides(unsigned mtcfg, unsigned mem_attr, unsigned alloccfg, unsigned shcfg) {
    m.set(kSte, 109, 96, mem_attr | (mtcfg << 4) | (alloccfg << 5) | (shcfg << 12));
  }
};

TEST_F(RefwalkAttributes, MairBytes) {
  const struct {
    unsigned attr, sh;
    const char* text;
  } rows[] = {{0x00, 0, "nGnRnE"},
              {0x04, 3, "nGnRE"},
              {0x08, 0, "nGRE"},
              {0x0C, 0, "GRE"},
              {0x03, 0, "nGnRnE"},
              {0x0D, 0, "GRE"},
              {0x44, 0, "nc-nc"},
              {0xFF, 3, "wbRW-wbRW-ISH"},
              {0xFF, 0, "wbRW-wbRW-NSH"},
              {0xFF, 2, "wbRW-wbRW-OSH"},
              {0xFF, 1, "wbRW-wbRW-NSH"},
              {0xBB, 3, "wtRW-wtRW-ISH"},
              {0x77, 3, "wbRWt-wbRWt-ISH"},
              {0x33, 3, "wtRWt-wtRWt-ISH"},
              {0xEE, 3, "wbR.-wbR.-ISH"},
              {0xDD, 3, "wb.W-wb.W-ISH"},
              {0xCC, 3, "wb..-wb..-ISH"},
              {0x4F, 3, "wbRW-nc-ISH"},
              {0xF4, 0, "nc-wbRW-NSH"},
              {0xF0, 3, "wtRWt-wbRW-ISH"},
              {0x40, 3, "wtRWt-nc-ISH"}};
  for (const auto& row : rows) {
    use_mair(row.attr, row.sh);
    EXPECT_EQ(text_of(run().attributes), row.text) << std::hex << row.attr;
    EXPECT_EQ(run().mair_attr, row.attr);
    EXPECT_EQ(run().sh, row.sh);
  }
}

TEST_F(RefwalkAttributes, CombinedStages) {
  add_stage2(7);
  const struct {
    unsigned attr, sh, mem_attr, sh2;
    const char* text;
  } rows[] = {{0xFF, 3, 0xF, 3, "wbRW-wbRW-ISH"}, {0xFF, 3, 0xF, 0, "wbRW-wbRW-ISH"},
              {0xFF, 0, 0xF, 3, "wbRW-wbRW-ISH"}, {0xFF, 3, 0xF, 2, "wbRW-wbRW-OSH"},
              {0xFF, 2, 0xF, 0, "wbRW-wbRW-OSH"}, {0xFF, 0, 0xF, 0, "wbRW-wbRW-NSH"},
              {0xFF, 3, 0xA, 3, "wtRW-wtRW-ISH"}, {0xBB, 3, 0xF, 3, "wtRW-wtRW-ISH"},
              {0xFF, 3, 0x5, 0, "nc-nc"},         {0xFF, 3, 0x6, 3, "wtRW-nc-ISH"},
              {0xFF, 3, 0xD, 3, "nc-wbRW-ISH"},   {0x44, 0, 0xF, 0, "nc-nc"},
              {0xEE, 3, 0xF, 3, "wbR.-wbR.-ISH"}, {0x77, 3, 0xA, 3, "wtRWt-wtRWt-ISH"},
              {0xFF, 3, 0x0, 3, "nGnRnE"},        {0xFF, 3, 0x1, 3, "nGnRE"},
              {0x0C, 0, 0x2, 0, "nGRE"},          {0x04, 0, 0x3, 0, "nGnRE"},
              {0x04, 0, 0x0, 0, "nGnRnE"},        {0x0C, 0, 0xF, 0, "GRE"}};
  for (const auto& row : rows) {
    use_mair(row.attr, row.sh);
    use_leaf2(row.mem_attr, row.sh2);
    EXPECT_EQ(text_of(run().attributes), row.text) << "row " << (&row - rows);
  }
  r.idr3 |= 1u << 22;
  use_mair(0xFF, 3);
  use_leaf2(0x4, 3);
  EXPECT_EQ(text_of(run().attributes), "wbRW-wbRW-ISH") << "NoTagAccess";
}

TEST_F(RefwalkAttributes, ForcedWriteBack) {
  add_stage2(7);
  m.set(kSte, 89, 89, 1);
  const struct {
    unsigned attr, sh, mem_attr, sh2;
    const char* text;
  } rows[] = {{0xFF, 3, 7, 3, "wbRW-wbRW-ISH"},  {0xBB, 3, 7, 3, "wtRW-wtRW-ISH"}, {0x44, 0, 7, 0, "nc-nc"},
              {0x04, 0, 7, 0, "nGnRE"},          {0x04, 0, 6, 0, "wbRW-wbRW-OSH"}, {0x44, 0, 6, 3, "wbRW-wbRW-OSH"},
              {0xBB, 3, 6, 3, "wbRW-wbRW-ISH"},  {0xEE, 0, 6, 3, "wbR.-wbR.-ISH"}, {0x4E, 3, 6, 3, "wbR.-wbRW-ISH"},
              {0xFF, 3, 5, 3, "nc-nc"},          {0xBB, 3, 5, 3, "nc-nc"},         {0x08, 0, 5, 0, "nGRE"},
              {0xFF, 3, 1, 3, "nGnRE"},          {0x08, 0, 3, 0, "nGRE"},          {0x08, 0, 0, 0, "nGnRnE"},
              {0xFF, 3, 0xF, 3, "wbRW-wbRW-ISH"}};
  for (const auto& row : rows) {
    r.idr3 |= 1u << 8;
    use_mair(row.attr, row.sh);
    use_leaf2(row.mem_attr, row.sh2);
    EXPECT_EQ(text_of(run().attributes), row.text) << "row " << (&row - rows);
  }
  use_mair(0xFF, 3);
  use_leaf2(0x5, 3);
  r.idr3 &= ~(1u << 8);
  EXPECT_EQ(text_of(run().attributes), "nc-nc") << "without IDR3.FWB, 0101 is non-cacheable at both levels";
  use_leaf2(0xA, 3);
  EXPECT_EQ(text_of(run().attributes), "wtRW-wtRW-ISH") << "without IDR3.FWB, 1010 is write-through";
}

TEST_F(RefwalkAttributes, Overrides) {
  // Config 100: MTCFG, MemAttr, ALLOCCFG, SHCFG over the default input wbRW-wbRW-NSH.
  m.set(kSte, 3, 1, 4);
  const struct {
    unsigned mtcfg, mem_attr, alloccfg, shcfg;
    const char* text;
  } rows[] = {{0, 0, 0, 1, "wbRW-wbRW-NSH"},   {0, 0, 0, 3, "wbRW-wbRW-ISH"},   {0, 0, 0, 2, "wbRW-wbRW-OSH"},
              {1, 0xA, 0, 1, "wtRW-wtRW-NSH"}, {1, 0x5, 0, 0, "nc-nc"},         {1, 1, 0, 3, "nGnRE"},
              {1, 4, 0, 1, "nGnRnE"},          {1, 8, 0, 1, "nGnRnE"},          {1, 12, 0, 1, "nGnRnE"},
              {1, 0xF, 8, 3, "wb..-wb..-ISH"}, {1, 0xF, 9, 3, "wb..-wb..-ISH"}, {1, 0xF, 13, 3, "wbR.t-wbR.t-ISH"},
              {1, 0xD, 10, 3, "nc-wb.W-ISH"},  {0, 0, 12, 1, "wbR.-wbR.-NSH"},  {1, 0x5, 14, 1, "nc-nc"}};
  for (const auto& row : rows) {
    set_type_overrides(row.mtcfg, row.mem_attr, row.alloccfg, row.shcfg);
    EXPECT_EQ(text_of(run().attributes), row.text) << "row " << (&row - rows);
    r.idr1 &= ~(1u << 27);
    EXPECT_EQ(text_of(run().attributes), "wbRW-wbRW-NSH") << "without ATTR_TYPES_OVR";
    r.idr1 |= 1u << 27;
    // GBPA has the same fields while SMMUEN is 0.
    r.cr0 = 0;
    r.gbpa = row.mem_attr | (row.mtcfg << 4) | (row.alloccfg << 8) | (row.shcfg << 12);
    EXPECT_EQ(text_of(run().attributes), row.text) << "GBPA, row " << (&row - rows);
    r.cr0 = 1;
  }
  // A type that had no hints gets read and write allocation (13.1.4).
  a.attributes.device = true;
  set_type_overrides(1, 0xF, 0, 3);
  EXPECT_EQ(text_of(run().attributes), "wbRW-wbRW-ISH");
}

TEST_F(RefwalkAttributes, InputBeforeTheFirstStage) {
  // Stage 1 replaces type and shareability and combines the hints of a cacheable input; stage 2 alone combines all.
  use_mair(0xFF, 3);
  set_type_overrides(1, 0xA, 12, 2);
  EXPECT_EQ(text_of(run().attributes), "wbR.-wbR.-ISH");
  set_type_overrides(1, 0x1, 12, 2);
  EXPECT_EQ(text_of(run().attributes), "wbRW-wbRW-ISH") << "a Device input has no hints";
  add_stage2(6);
  a.address = 0x56789A123;
  use_leaf2(0xF, 3);
  EXPECT_EQ(text_of(run().attributes), "nGnRE") << "Device input, stage 2 only";
  set_type_overrides(1, 0xA, 12, 0);
  EXPECT_EQ(text_of(run().attributes), "wtR.-wtR.-ISH");
}

}  // namespace
}  // namespace refwalk

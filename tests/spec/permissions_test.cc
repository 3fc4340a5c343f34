// SPDX-License-Identifier: MIT
// Stage-1 permissions of VMSAv8-64, hierarchical attributes, WXN, PAN and the STE's overrides (IHI 0070 sections
// 3.3.4, 5.4, 13.1, 13.4.1; Arm ARM D8.4). The expectation is a function written from the tables there.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
using namespace raw::ev;
constexpr std::uint64_t target = SmmuBench::target, va = 0x4000;

struct Page {
  bool ap1, ap2, uxn, pxn;  // AP[1]: unprivileged may access; AP[2]: read-only
};
struct Access {
  bool privileged, instruction;
  AccessType type;
};

/// EL1&0: Arm ARM D8.4.1.
bool permitted(const Page& page, const Access& access, bool wxn, bool pan) {
  const bool unprivileged_writes = page.ap1 && !page.ap2;
  const bool may_write = !page.ap2 && (access.privileged || page.ap1) && !(access.privileged && pan && page.ap1);
  const bool may_read = (access.privileged || page.ap1) && !(access.privileged && pan && page.ap1);
  bool may_execute = access.privileged ? !page.pxn && !unprivileged_writes : !page.uxn;
  if (wxn && (access.privileged ? !page.ap2 : unprivileged_writes)) may_execute = false;
  switch (access.type) {
    case AccessType::write:
      return may_write;
    case AccessType::atomic:
      return may_read && may_write;
    default:
      return access.instruction ? may_execute : may_read;
  }
}

class Permissions {
 public:
  explicit Permissions(std::initializer_list<raw::Edit> edits = {}, const SmmuConfig& config = bench_config())
      : bench(config), context(bench.stage1_stream(1).with(edits)) {
    bench.put_cd(1, context);
  }
  void map(const Page& page) {
    bench.map(SmmuBench::ttb0(context), va, leaf(page));
    bench.push(raw::command(raw::cmd::TLBI_NSNH_ALL));
    bench.sync();
  }
  static std::uint64_t leaf(const Page& page) {
    return raw::page(target, raw::af | raw::ng | (page.ap1 ? raw::ap_unprivileged : 0) |
                                 (page.ap2 ? raw::ap_read_only : 0) | (page.uxn ? raw::uxn : 0) |
                                 (page.pxn ? raw::pxn : 0));
  }
  Response go(const Access& access) {
    Transaction t = SmmuBench::transaction(1, va, access.type);
    t.privileged = access.privileged;
    t.instruction = access.instruction;
    return bench.go(t);
  }
  SmmuBench bench;
  raw::Cd context;
};

template <class Do>
void for_each_page(Do&& work) {
  for (unsigned i = 0; i < 16; ++i) work(Page{(i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0});
}
template <class Do>
void for_each_access(Do&& work) {
  for (const AccessType type : {AccessType::read, AccessType::write, AccessType::atomic}) {
    for (unsigned i = 0; i < 4; ++i) work(Access{(i & 1) != 0, (i & 2) != 0, type});
  }
}
testing::Message describe(const Page& page, const Access& access) {
  return testing::Message() << "AP[2:1]=" << page.ap2 << page.ap1 << " UXN=" << page.uxn << " PXN=" << page.pxn
                            << " priv=" << access.privileged << " inst=" << access.instruction
                            << " type=" << static_cast<int>(access.type);
}

void check_matrix(bool wxn, bool pan) {
  Permissions p({{cd::WXN, wxn}, {cd::PAN, pan}});
  for_each_page([&](const Page& page) {
    p.map(page);
    for_each_access([&](const Access& access) {
      SCOPED_TRACE(describe(page, access));
      for (int round = 0; round < 2; ++round) {  // walked, then from the TLB
        const Response response = p.go(access);
        const bool expected = permitted(page, access, wxn, pan);
        EXPECT_EQ(response.outcome, expected ? Outcome::proceed : Outcome::abort);
        if (!expected) {
          EXPECT_EQ(event_number(response), F_PERMISSION);
        }
      }
      p.bench.take_events();
    });
  });
}

TEST(SpecPermissions, DirectMatrix) {
  RecordProperty("rule", "SM-AT-023 SM-ATR-003 SM-ATR-001");
  check_matrix(false, false);
}
TEST(SpecPermissions, Wxn) {
  RecordProperty("rule", "SM-AT-017");
  check_matrix(true, false);
}
TEST(SpecPermissions, Pan) {
  RecordProperty("rule", "SM-AT-018");
  check_matrix(false, true);
}
TEST(SpecPermissions, WxnAndPan) {
  RecordProperty("rule", "SM-AT-017 SM-AT-018");
  check_matrix(true, true);
}

/// What a page becomes under table bits gathered above it.
Page under(Page page, std::uint64_t table_bits) {
  if ((table_bits & raw::ap_table_no_unprivileged) != 0) page.ap1 = false;
  if ((table_bits & raw::ap_table_no_write) != 0) page.ap2 = true;
  if ((table_bits & raw::uxn_table) != 0) page.uxn = true;
  if ((table_bits & raw::pxn_table) != 0) page.pxn = true;
  return page;
}

void check_hierarchy(bool had) {
  const std::uint64_t all[] = {raw::ap_table_no_unprivileged, raw::ap_table_no_write, raw::uxn_table, raw::pxn_table};
  for (int level = 0; level < 3; ++level) {
    for (unsigned bits = 0; bits < 16; ++bits) {
      std::uint64_t table_bits = 0;
      for (unsigned i = 0; i < 4; ++i) table_bits |= (bits >> i & 1) != 0 ? all[i] : 0;
      Permissions p({{cd::HAD0, had}});
      const Page page{true, false, false, false};
      p.map(page);
      const std::uint64_t at = p.bench.descriptor_at(SmmuBench::ttb0(p.context), va, level);
      p.bench.memory.write64(at, p.bench.memory.read64(at) | table_bits);
      for (const Page& leaf : {page, Page{false, false, false, false}, Page{true, true, false, false}}) {
        p.map(leaf);
        for_each_access([&](const Access& access) {
          SCOPED_TRACE(describe(leaf, access) << " level " << level << " table bits " << bits);
          const bool expected = permitted(had ? leaf : under(leaf, table_bits), access, false, false);
          EXPECT_EQ(p.go(access).outcome, expected ? Outcome::proceed : Outcome::abort);
          EXPECT_EQ(p.go(access).outcome, expected ? Outcome::proceed : Outcome::abort);
          p.bench.take_events();
        });
      }
    }
  }
}

TEST(SpecPermissions, TableBitsOnlyTakeAway) {
  RecordProperty("rule", "SM-AT-024");
  check_hierarchy(false);
}
TEST(SpecPermissions, HadIgnoresTableBits) {
  RecordProperty("rule", "SM-AT-019 SM-AT-024");
  check_hierarchy(true);
}

TEST(SpecPermissions, TableBitsOfTwoLevelsAddUp) {
  RecordProperty("rule", "SM-AT-024");
  Permissions p;
  p.map({true, false, false, false});
  const std::uint64_t ttb = SmmuBench::ttb0(p.context);
  const auto add = [&](int level, std::uint64_t bits) {
    const std::uint64_t at = p.bench.descriptor_at(ttb, va, level);
    p.bench.memory.write64(at, p.bench.memory.read64(at) | bits);
  };
  add(0, raw::ap_table_no_write);
  add(2, raw::uxn_table);
  p.map({true, false, false, false});
  EXPECT_EQ(p.go({false, false, AccessType::write}).outcome, Outcome::abort);
  EXPECT_EQ(p.go({false, true, AccessType::read}).outcome, Outcome::abort);
  EXPECT_EQ(p.go({false, false, AccessType::read}).outcome, Outcome::proceed);
  p.bench.map(ttb, va + 0x1000, Permissions::leaf({true, false, false, false}));  // its walk starts at a cached table
  Transaction t = SmmuBench::transaction(1, va + 0x1000, AccessType::write);
  EXPECT_EQ(p.bench.go(t).outcome, Outcome::abort) << "the walk cache keeps what was gathered";
}

TEST(SpecPermissions, AtomicRecords) {
  RecordProperty("rule", "SM-ATR-001 SM-EVT-007 SM-EXT-012");
  Permissions p;
  struct Row {
    Page page;
    bool privileged;
  };
  for (const Row& row : {Row{{true, true, false, false}, false}, Row{{false, false, false, false}, false}}) {
    p.map(row.page);
    EXPECT_EQ(p.go({row.privileged, true, AccessType::atomic}).outcome, Outcome::abort);
    const raw::Record record = p.bench.take_event();
    EXPECT_EQ(record.get(Type), F_PERMISSION);
    EXPECT_EQ(record.get(RnW), 0u) << "the write permission is missing";
    EXPECT_EQ(record.get(InD), 0u) << "atomics are data";
  }
}

TEST(SpecPermissions, DefaultsOfAnUntaggedTransaction) {
  RecordProperty("rule", "SM-PC-002 SM-ATR-007");
  Permissions p;
  p.map({false, false, false, false});
  EXPECT_EQ(event_number(p.bench.read(1, va)), F_PERMISSION) << "Data, unprivileged";
}

TEST(SpecPermissions, MemoryTypeDoesNotMatter) {
  RecordProperty("rule", "SM-ATR-002");
  Permissions p;
  for (unsigned bits = 0; bits < 16; ++bits) {
    const Page page{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    for (std::uint64_t index = 0; index < 4; ++index) {  // WB, NC, Device-nGnRE, Device-nGnRnE
      p.bench.map(SmmuBench::ttb0(p.context), va, Permissions::leaf(page) | index << 2);
      p.bench.invalidate_all();
      for (const bool privileged : {false, true}) {
        for (const Access& access : {Access{privileged, false, AccessType::read},
                                     {privileged, true, AccessType::read},
                                     {privileged, false, AccessType::write}}) {
          const Outcome expected = permitted(page, access, false, false) ? Outcome::proceed : Outcome::abort;
          EXPECT_EQ(p.go(access).outcome, expected) << bits << " type " << index;
        }
      }
      p.bench.take_events();
    }
  }
}

struct OverrideRow {
  const char* what;
  std::uint64_t privcfg, instcfg;
  Access in;
  bool privileged, instruction;  // what is checked and recorded
};

TEST(SpecPermissions, SteOverrides) {
  RecordProperty("rule", "SM-AT-016 SM-ATR-009 SM-EVT-007 SM-GBP-006");
  constexpr AccessType read = AccessType::read, write = AccessType::write;
  const OverrideRow rows[] = {{"incoming", 0, 0, {true, true, read}, true, true},
                              {"reserved 01 is incoming", 1, 1, {true, true, read}, true, true},
                              {"unprivileged", 2, 0, {true, false, read}, false, false},
                              {"privileged", 3, 0, {false, false, read}, true, false},
                              {"data", 0, 2, {false, true, read}, false, false},
                              {"instruction", 0, 3, {false, false, read}, false, true},
                              {"instruction does not touch writes", 0, 3, {false, false, write}, false, false},
                              {"a write is data", 0, 0, {false, true, write}, false, false},
                              {"privileged write", 3, 3, {false, true, write}, true, false},
                              {"atomic", 3, 3, {false, true, AccessType::atomic}, true, false}};
  for (const bool implemented : {true, false}) {
    for (const OverrideRow& row : rows) {
      SCOPED_TRACE(testing::Message() << row.what << (implemented ? "" : ", ATTR_PERMS_OVR=0"));
      SmmuConfig config = bench_config();
      config.features.attr_perms_ovr = implemented;
      Permissions p({}, config);
      p.bench.put_ste(1, SmmuBench::stage1_ste(SmmuBench::cd_address(1))
                             .with({{raw::ste::PRIVCFG, row.privcfg}, {raw::ste::INSTCFG, row.instcfg}}));
      const Access seen{implemented ? row.privileged : row.in.privileged,
                        (implemented ? row.instruction : row.in.instruction) && row.in.type == read, row.in.type};
      for_each_page([&](const Page& page) {
        p.map(page);
        const bool expected = permitted(page, seen, false, false);
        EXPECT_EQ(p.go(row.in).outcome, expected ? Outcome::proceed : Outcome::abort);
        if (expected) return;
        const raw::Record record = p.bench.take_event();
        EXPECT_EQ(record.get(Type), F_PERMISSION);
        EXPECT_EQ(record.get(PnU), seen.privileged ? 1u : 0u);
        EXPECT_EQ(record.get(InD), seen.instruction ? 1u : 0u);
        EXPECT_EQ(record.get(RnW), row.in.type == read ? 1u : 0u);
      });
    }
  }
}

}  // namespace
}  // namespace smmusim

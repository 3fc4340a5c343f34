// SPDX-License-Identifier: MIT
// Configurations that the architecture takes for one and the same because they have the same tags, and that differ all
// the same (IHI 0070 sections 5.2.1 and 5.4.1): which of them counts is UNPREDICTABLE, but never anything else.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;

/// The tables of one configuration, and where they may be read.
struct Tables {
  Tables(BenchMemory& memory, const TableShape& shape, std::uint64_t base)
      : tree(memory, shape, base, {}, [this](std::uint64_t address, std::uint64_t bytes) {
          ranges.push_back({address, bytes});
        }) {}
  bool hold(std::uint64_t address) const {
    for (const auto& [first, bytes] : ranges) {
      if (address - first < bytes) return true;
    }
    return false;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // before the tree, whose making fills it
  TableTree tree;
};

TableShape shape_of(unsigned granule, unsigned bits, int start_level) {
  TableShape shape;
  shape.granule = granule;
  shape.input_bits = bits;
  shape.start_level = start_level;
  return shape;
}

struct Pair {
  const char* what;
  TableShape first, second;
};
const Pair pairs[] = {{"same shape", shape_of(12, 44, 0), shape_of(12, 44, 0)},
                      {"4 and 16 KiB", shape_of(12, 44, 0), shape_of(14, 44, 1)},
                      {"4 and 64 KiB", shape_of(12, 44, 0), shape_of(16, 44, 1)},
                      {"16 and 64 KiB", shape_of(14, 44, 1), shape_of(16, 44, 1)},
                      {"start levels", shape_of(12, 40, 1), shape_of(12, 44, 0)}};
constexpr std::uint64_t inputs[] = {0x12'3456'0000, 0x12'3457'0000, 0x12'3657'0000, 0x12'5457'0000,
                                    0x32'3457'0000, 0x12'0000'0000, 0x12'345f'0000};
constexpr std::uint64_t offsets[] = {0, 0x5000, 0xa000, 0xf000};

/// Pages of 64 KiB or as many smaller ones: input -> input + distance.
void map_all(TableTree& tree, std::uint64_t distance, std::uint64_t flags) {
  const std::uint64_t page = std::uint64_t{1} << tree.shape().granule;
  for (const std::uint64_t input : inputs) {
    for (std::uint64_t at = input; at != input + 0x1'0000; at += page) tree.map(at, at + distance, flags);
  }
}
constexpr std::uint64_t distances[] = {0x40'0000'0000, 0x80'0000'0000};

class SpecTlbSharing : public testing::TestWithParam<bool> {
 protected:
  SmmuConfig config() const {
    SmmuConfig chosen = stage2_config();
    chosen.timed = GetParam();
    chosen.tcu.walk_cache.ways = chosen.tcu.walk_cache.entries;  // nothing leaves for want of a way
    return chosen;
  }
  static Time latency() { return GetParam() ? 1000 : 0; }
};
INSTANTIATE_TEST_SUITE_P(, SpecTlbSharing, testing::Bool(),
                         [](const auto& timed) { return timed.param ? "Timed" : "Untimed"; });

/// Accesses of streams 1 and 2, in turn and in either order, with what the other one has left in the caches: first to
/// pages that it has not used, so that tables count, then to all.
template <class Check>
void use_both(SmmuBench& bench, bool second_first, Check check) {
  for (unsigned turn = 0; turn != 6; ++turn) {
    const std::uint32_t sid = (turn % 2 == 0) == second_first ? 2 : 1;
    for (const std::uint64_t input : inputs) {
      for (unsigned n = 0; n != 4; ++n) {
        if (turn == n || turn >= 4) check(bench.read(sid, input + offsets[n]), input + offsets[n]);
      }
    }
  }
}

TEST_P(SpecTlbSharing, OneVmidTwoStage2Tables) {
  RecordProperty("rule", "SM-TL-028");
  for (const Pair& pair : pairs) {
    for (const bool second_first : {false, true}) {
      SCOPED_TRACE(testing::Message() << pair.what << second_first);
      SmmuBench bench(config(), latency());
      Tables one(bench.memory, pair.first, 0x6000'0000), two(bench.memory, pair.second, 0x7000'0000);
      map_all(one.tree, distances[0], s2_rw);
      map_all(two.tree, distances[1], s2_rw);
      const raw::Ste common = raw::Ste{}.with({{ste::V, 1}, {ste::Config, 6}, {ste::SHCFG, 1}, {ste::S2VMID, 5}});
      bench.put_ste(1, stage2_fields(common, pair.first, one.tree.root(), 48));
      bench.put_ste(2, stage2_fields(common, pair.second, two.tree.root(), 48));
      use_both(bench, second_first, [](const Response& response, std::uint64_t input) {
        if (response.outcome != Outcome::proceed) return;
        const std::uint64_t moved = response.address.value - input;
        EXPECT_TRUE(moved == distances[0] || moved == distances[1]) << std::hex << moved;
      });
      for (const std::uint64_t address : bench.memory.addresses(Purpose::TTD)) {
        EXPECT_TRUE(one.hold(address) || two.hold(address)) << std::hex << address;
      }
      EXPECT_GT(bench.memory.count(Purpose::TTD), 6u);
    }
  }
}

/// Two guests' CDs with one ASID. Their tables and pages are IPAs; stage 2 moves them and lets half of the pages be
/// read only.
TEST_P(SpecTlbSharing, OneAsidTwoStage1Tables) {
  RecordProperty("rule", "SM-TL-029");
  constexpr std::uint64_t moved = 0x1000'0000'0000;
  for (const Pair& pair : pairs) {
    for (const bool second_first : {false, true}) {
      SCOPED_TRACE(testing::Message() << pair.what << second_first);
      SmmuBench bench(config(), latency());
      Tables guest(bench.memory, shape_of(12, 48, 0), 0x1'0000'0000);
      std::set<std::uint64_t> outputs, writable, tables;
      const auto stage2_page = [&](std::uint64_t ipa, std::uint64_t flags) {
        guest.tree.map(ipa, ipa + moved, flags);
        outputs.insert((ipa + moved) >> 12);
        if ((flags & s2_write) != 0) writable.insert((ipa + moved) >> 12);
      };
      const auto in_guest = [&](const TableShape& shape, std::uint64_t base) {
        return TableTree(
            bench.memory, stage1_shape(shape.input_bits, shape.granule), base,
            [](std::uint64_t ipa) { return ipa + moved; },
            [&](std::uint64_t ipa, std::uint64_t bytes) {
              for (std::uint64_t at = ipa; at < ipa + bytes; at += 0x1000) {
                guest.tree.map(at, at + moved, s2_rw);
                tables.insert((at + moved) >> 12);
              }
            });
      };
      TableTree one = in_guest(pair.first, 0x6000'0000), two = in_guest(pair.second, 0x7000'0000);
      map_all(one, distances[0], raw::af | raw::ap_unprivileged | raw::ng);
      map_all(two, distances[1], raw::af | raw::ap_unprivileged | raw::ng);
      for (const std::uint64_t input : inputs) {
        for (std::uint64_t at = input; at != input + 0x1'0000; at += 0x1000) {
          stage2_page(at + distances[0], s2_rw & ~s2_write);
          if ((at & 0x1000) == 0) stage2_page(at + distances[1], s2_rw);  // and the others not at all
        }
      }
      constexpr std::uint64_t cds = 0x5000'0000;
      guest.tree.map(cds, cds + moved, s2_rw);
      const raw::Ste common = raw::Ste{}.with({{ste::V, 1}, {ste::Config, 7}, {ste::SHCFG, 1}, {ste::S2VMID, 5}});
      const raw::Cd plain =
          raw::Cd{}.with({{cd::V, 1}, {cd::AA64, 1}, {cd::R, 1}, {cd::A, 1}, {cd::ASID, 9}, {cd::MAIR0, 0xff}});
      const TableTree* trees[] = {&one, &two};
      for (std::uint32_t n = 0; n != 2; ++n) {
        const std::uint64_t at = cds + 64 * n;
        bench.memory.store(at + moved, stage1_fields(plain, trees[n]->shape(), trees[n]->root(), 48));
        bench.put_ste(n + 1, stage2_fields(common.with({{ste::S1ContextPtr, at >> 6}}), guest.tree.shape(),
                                           guest.tree.root(), 48));
      }
      unsigned proceeded = 0;
      const auto check = [&](const Response& response, bool writes) {
        if (response.outcome != Outcome::proceed) return;
        ++proceeded;
        EXPECT_TRUE((writes ? writable : outputs).count(response.address.value >> 12) != 0)
            << std::hex << response.address.value << (writes ? " written" : " read");
        EXPECT_TRUE(!response.write_allowed || writable.count(response.address.value >> 12) != 0);
      };
      use_both(bench, second_first, [&](const Response& response, std::uint64_t input) {
        check(response, false);
        for (const std::uint32_t sid : {1u, 2u}) check(bench.write(sid, input), true);
      });
      EXPECT_GT(proceeded, 50u);
      for (const BenchAccess& access : bench.memory.log) {
        if (access.purpose != Purpose::TTD) continue;
        EXPECT_TRUE(access.stage == 2 ? guest.hold(access.address) : tables.count(access.address >> 12) != 0)
            << std::hex << access.address;
      }
    }
  }
}

}  // namespace
}  // namespace smmusim

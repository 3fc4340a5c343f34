// SPDX-License-Identifier: MIT
// How structures are read (IHI 0070 section 3.21.3): in pieces that memory reads at once, so that software may change
// one doubleword of a structure while it is in use.
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cd = raw::cd;
constexpr std::uint64_t va = 0x12'3456'7000, ipa = 0x8'7654'3000, pa = SmmuBench::target;

/// Nested, with every table that there is: 2-level stream table, 2-level CD table, VMS.
struct Everything : Stage2Bench {
  static constexpr std::uint64_t l1_streams = 0x4050'0000, l1_cds = 0x4060'0000, vms = 0x4070'0000;
  Everything() : Stage2Bench(options()) {
    s1.map(va, ipa, raw::af | raw::ap_unprivileged | raw::ng);
    s2.map(ipa, pa, s2_rw);
    cover(l1_cds + ipa_offset, 0x1000);
    bench.enable(cr0::CMDQEN | cr0::EVENTQEN);
    bench.w64(off::STRTAB_BASE, l1_streams);
    bench.w32(off::STRTAB_BASE_CFG, 1u << 16 | 6u << 6 | SmmuBench::strtab_log2);
    bench.enable(0xd);
    bench.memory.write64(l1_streams, SmmuBench::strtab | 7);
    bench.memory.write64(l1_cds, cd_ipa | 1);
    edit_ste({{ste::S1ContextPtr, (l1_cds + ipa_offset) >> 6},
              {ste::S1CDMax, 8},
              {ste::S1Fmt, 1},
              {ste::S1MPAM, 1},
              {ste::VMSPtr, vms >> 12}});
  }
  static Options options() {
    Options chosen;
    chosen.config = without_caches(stage2_config());
    chosen.config.features.mpam = true;
    chosen.config.features.partid_max = 0x2a;
    return chosen;
  }
};

TEST(SpecStructureFetch, NoPieceIsSmallerThanADoubleword) {
  RecordProperty("rule", "SM-ST-014");
  Everything b;
  b.bench.memory.log.clear();
  Transaction t = SmmuBench::transaction(1, va);
  t.substream_valid = true;
  t.substream_id = SubstreamId(1);
  b.bench.memory.store(b.place(Stage2Bench::cd_ipa) + 64, b.cd);
  EXPECT_EQ(b.bench.go(t).address, Pa(pa));
  std::set<Purpose> seen;
  for (const BenchAccess& access : b.bench.memory.log) {
    if (access.op != MemoryOp::read) continue;
    SCOPED_TRACE(name_of(access.purpose));
    EXPECT_GE(access.size, 8u);
    EXPECT_TRUE(std::has_single_bit(access.size));
    EXPECT_EQ(access.address % access.size, 0u);
    seen.insert(access.purpose);
  }
  EXPECT_EQ(seen,
            (std::set<Purpose>{Purpose::L1STD, Purpose::STE, Purpose::L1CD, Purpose::CD, Purpose::TTD, Purpose::VMS}));
}

/// One doubleword changes at every instant of an access. What the SMMU then uses is the old one or the new one: each of
/// the mixtures of their halves leads to a page of its own.
TEST(SpecStructureFetch, ADoublewordMayChangeAtAnyTime) {
  RecordProperty("rule", "SM-ST-014");
  constexpr std::uint64_t tables[] = {0x1'5000'0000, 0x2'6000'0000, 0x1'6000'0000, 0x2'5000'0000};
  constexpr std::uint64_t pages[] = {0x8001'0000, 0x8002'0000, 0x8003'0000, 0x8004'0000};
  bool old_used = false, new_used = false, over = false;
  for (unsigned instant = 0; !over; ++instant) {
    ASSERT_LT(instant, 100u);
    SmmuBench bench(timed_bench_config(), 10'000);
    const raw::Cd context = bench.stage1_stream(1);
    for (unsigned n = 0; n != 4; ++n) bench.map(tables[n], va, raw::page(pages[n]));
    const auto with_table = [&](unsigned n) { return context.with({{cd::TTB0, tables[n] >> 4}}); };
    bench.put_cd(1, with_table(0));
    TranslationRequest request;
    request.transaction = SmmuBench::transaction(1, va);
    request.fire = [](EventNode&) {};
    bench.smmu.submit(0, request);
    for (unsigned n = 0; n != instant && bench.engine.next_event() != time_never; ++n) {
      bench.engine.run_until(bench.engine.next_event());
    }
    over = bench.engine.next_event() == time_never;
    bench.put_cd(1, with_table(1));
    bench.run();
    bench.smmu.retire(request);
    const std::uint64_t output = request.response.address.value;
    EXPECT_TRUE(output == pages[0] || output == pages[1]) << std::hex << output << " at instant " << instant;
    (output == pages[0] ? old_used : new_used) = true;
    bench.push(raw::command(raw::cmd::CFGI_CD, {{raw::cmd::StreamID, 1}, {raw::cmd::Leaf, 1}}));
    bench.push(raw::command(raw::cmd::TLBI_NH_ALL));
    bench.sync();
    EXPECT_EQ(bench.read(1, va).address, Pa(pages[1])) << instant;
  }
  EXPECT_TRUE(old_used && new_used);
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// A memory system that refuses some memory type (IHI 0070 section 13.1.2): each access of the SMMU's own that has it is
// reported as the abort that it is to its purpose. Here it is Non-cacheable.
#include <gtest/gtest.h>

#include "tests/support/smmu_bench.h"

namespace smmusim {
namespace {

namespace cd = raw::cd;
namespace cmd = raw::cmd;
namespace ste = raw::ste;
constexpr std::uint64_t va = 0x1000, msi = 0x7000'0000;
constexpr std::uint8_t non_cacheable = 0x44;

/// Everything is Write-Back but for what a test makes Non-cacheable, which is refused.
struct Refusing {
  Refusing() {
    bench.enable(0);
    bench.w32(off::CR1, 0xd75);
    bench.enable(0xd);
    context = bench.stage1_stream(1).with({{cd::IR0, 1}, {cd::OR0, 1}});
    bench.put_cd(1, context);
    bench.put_ste(1, stream());
    bench.map(SmmuBench::ttb0(context), va, raw::page(SmmuBench::target));
    bench.memory.before = [this](const MemoryRequest& request) {
      bench.memory.clear_aborts();
      if (request.attributes.type == non_cacheable) bench.memory.abort_at(request.address.value, request.size);
    };
  }
  static raw::Ste stream() {
    return SmmuBench::stage1_ste(SmmuBench::cd_address(1)).with({{ste::S1CIR, 1}, {ste::S1COR, 1}});
  }
  void change_cr1(std::uint32_t cr1) {
    bench.enable(0);
    bench.w32(off::CR1, cr1);
    bench.enable(0xd);
  }
  std::uint64_t event() { return event_number(bench.read(1, va)); }

  SmmuBench bench;
  raw::Cd context;
};

TEST(SpecRefusedTypes, OtherTypesPass) {
  Refusing r;
  EXPECT_EQ(r.event(), 0u);
  r.bench.sync();
  EXPECT_TRUE(r.bench.all_consumed());
  EXPECT_EQ(r.bench.active_errors(), 0u);
}

TEST(SpecRefusedTypes, StructuresAndDescriptors) {
  RecordProperty("rule", "SM-ATR-005");
  Refusing tables;
  tables.change_cr1(0xd75 & ~0x3c0u);
  EXPECT_EQ(tables.event(), raw::ev::F_STE_FETCH);
  Refusing context;
  context.bench.put_ste(1, Refusing::stream().with({{ste::S1CIR, 0}, {ste::S1COR, 0}}));
  EXPECT_EQ(context.event(), raw::ev::F_CD_FETCH);
  Refusing walk;
  walk.bench.put_cd(1, walk.context.with({{cd::IR0, 0}, {cd::OR0, 0}}));
  EXPECT_EQ(walk.event(), raw::ev::F_WALK_EABT);
}

TEST(SpecRefusedTypes, QueuesAndMsis) {
  RecordProperty("rule", "SM-ATR-005");
  Refusing queues;
  queues.change_cr1(0xd75 & ~0xfu);
  queues.bench.read(3, 0);
  EXPECT_EQ(queues.bench.active_errors(), gerror::EVENTQ_ABT_ERR);
  queues.bench.sync();
  EXPECT_EQ(queues.bench.active_errors(), gerror::EVENTQ_ABT_ERR | gerror::CMDQ_ERR);
  EXPECT_EQ(queues.bench.command_error(), 2u) << "CERROR_ABT";
  Refusing signals;
  signals.bench.w64(off::EVENTQ_IRQ_CFG0, msi);
  signals.bench.w32(off::EVENTQ_IRQ_CFG2, 0x5);  // Non-cacheable
  signals.bench.w32(off::IRQ_CTRL, irq::EVENTQ);
  signals.bench.read(3, 0);
  EXPECT_EQ(signals.bench.active_errors(), gerror::MSI_EVENTQ_ABT_ERR);
  signals.bench.issue(raw::command(cmd::SYNC, {{cmd::CS, 1}, {cmd::MSIAddress, msi >> 2}, {cmd::MSIAttr, 5}}));
  EXPECT_EQ(signals.bench.active_errors(), gerror::MSI_EVENTQ_ABT_ERR | gerror::MSI_CMDQ_ABT_ERR);
}

}  // namespace
}  // namespace smmusim

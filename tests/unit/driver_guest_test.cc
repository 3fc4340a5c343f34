// SPDX-License-Identifier: MIT
// GuestDriver on a real Smmu, reached by direct calls: enabling, commands, full queue, errors, events; untimed and in
// simulated time.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "model/smmu/smmu.h"
#include "model/spec/registers.h"
#include "platform/driver/commands.h"
#include "platform/driver/guest_driver.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"

namespace smmusim {
namespace {

namespace reg = spec::reg;

struct RegisterWrite {
  std::uint32_t offset;
  std::uint64_t value;
};

class GuestDriverTest : public ::testing::TestWithParam<bool> {
 protected:
  void build(const GuestDriverConfig& config, SmmuConfig smmu = {}) {
    smmu.timed = GetParam();
    if (smmu.timed) {
      port_ = std::make_unique<LatencyPort>(engine_, memory_);
    } else {
      port_ = std::make_unique<ImmediatePort>(memory_);
    }
    smmu_ = std::make_unique<Smmu>(engine_, *port_, nullptr, smmu);
    RegisterBus bus{[this](std::uint32_t offset, unsigned size) { return smmu_->read_register(offset, size); },
                    [this](std::uint32_t offset, std::uint64_t value, unsigned size) {
                      writes_.push_back({offset, value});
                      smmu_->write_register(offset, value, size);
                    }};
    driver_ = std::make_unique<GuestDriver>(engine_, memory_, pages_, bus, config);
    streams_.emplace(StreamTable::two_level(memory_, pages_, 16, 8));
  }
  void enable() {
    ASSERT_EQ(driver_->probe(), DriverStatus::ok);
    ASSERT_EQ(run(driver_->enable(*streams_)), DriverStatus::ok);
  }
  DriverStatus run(Task<DriverStatus> task) {
    DriverStatus status = DriverStatus::timed_out;
    spawn(scope_, keep(task, status));
    engine_.run();
    return status;
  }
  Task<> keep(Task<DriverStatus>& task, DriverStatus& status) { status = co_await task; }

 public:
  Scope& scope() { return scope_; }

 protected:
  Engine engine_;
  Scope scope_{engine_};
  SparseMemory memory_;
  PageAllocator pages_{Pa(0xc0000000), 64 << 20};
  std::unique_ptr<MemoryPort> port_;
  std::unique_ptr<Smmu> smmu_;
  std::unique_ptr<GuestDriver> driver_;
  std::optional<StreamTable> streams_;
  std::vector<RegisterWrite> writes_;
};
INSTANTIATE_TEST_SUITE_P(Modes, GuestDriverTest, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "timed" : "untimed"; });

TEST_P(GuestDriverTest, EnablesInTheRegisterOrderOfLinux) {
  build({});
  enable();
  std::vector<std::uint32_t> order;
  for (const RegisterWrite& write : writes_) {
    if (write.offset != reg::CMDQ_PROD || write.value != 0) order.push_back(write.offset);
  }
  const std::vector<std::uint32_t> expected = {
      reg::CR0,         reg::CR1, reg::CR2,       reg::STRTAB_BASE,     reg::STRTAB_BASE_CFG, reg::CMDQ_BASE,
      reg::CMDQ_CONS,   reg::CR0, reg::CMDQ_PROD, reg::CMDQ_PROD,       reg::EVENTQ_BASE,     reg::EVENTQ_PROD,
      reg::EVENTQ_CONS, reg::CR0, reg::IRQ_CTRL,  reg::GERROR_IRQ_CFG0, reg::EVENTQ_IRQ_CFG0, reg::IRQ_CTRL,
      reg::CR0};
  EXPECT_EQ(order, expected);
  EXPECT_EQ(smmu_->read_register(reg::CR0ACK, 4), 0xdU);  // SMMUEN, EVENTQEN, CMDQEN
  EXPECT_EQ(smmu_->read_register(reg::CR1, 4), 0xd75U);
  EXPECT_EQ(smmu_->read_register(reg::IRQ_CTRLACK, 4), 5U);
}

TEST_P(GuestDriverTest, ProbeReadsWhatTheSmmuAdvertises) {
  SmmuConfig config;
  config.features.oas = 44;
  config.features.ril = false;
  build({}, config);
  ASSERT_EQ(driver_->probe(), DriverStatus::ok);
  EXPECT_EQ(driver_->features().output_bits, 44U);
  EXPECT_EQ(driver_->features().sidsize, 16U);
  EXPECT_FALSE(driver_->features().range_invalidation);
}

TEST_P(GuestDriverTest, BatchEndsWithItsSync) {
  build({});
  enable();
  const spec::Command commands[] = {make_cfgi_ste(StreamId(8)), make_tlbi_nsnh_all()};
  const std::uint64_t before = smmu_->counters().syncs;
  EXPECT_EQ(run(driver_->execute(commands)), DriverStatus::ok);
  EXPECT_EQ(smmu_->counters().syncs, before + 1);
  EXPECT_EQ(smmu_->counters().commands[0x03], 1U);
}

TEST_P(GuestDriverTest, BatchLargerThanTheQueueGoesThrough) {
  build({.command_queue_log2 = 2});
  enable();
  const std::vector<spec::Command> commands(50, make_cfgi_ste(StreamId(8)));
  EXPECT_EQ(run(driver_->execute(commands)), DriverStatus::ok);
  EXPECT_EQ(smmu_->counters().commands[0x03], 50U);
}

TEST_P(GuestDriverTest, BatchesUnderWayTogetherAllEnd) {
  build({.command_queue_log2 = 3});
  enable();
  const std::vector<spec::Command> commands(10, make_cfgi_ste(StreamId(8)));
  std::vector<DriverStatus> status(8, DriverStatus::timed_out);
  std::vector<Task<DriverStatus>> tasks;
  for (std::size_t i = 0; i != status.size(); ++i) tasks.push_back(driver_->execute(commands));
  for (std::size_t i = 0; i != status.size(); ++i) spawn(scope_, keep(tasks[i], status[i]));
  engine_.run();
  EXPECT_EQ(status, std::vector<DriverStatus>(8, DriverStatus::ok));
  EXPECT_EQ(smmu_->counters().commands[0x03], 80U);
}

TEST_P(GuestDriverTest, RefusedCommandIsReplacedAndTheRestGoesOn) {
  build({});
  enable();
  spec::Command bad;
  bad.dw[0] = 0xff;
  const spec::Command commands[] = {make_cfgi_ste(StreamId(8)), bad, make_cfgi_ste(StreamId(9))};
  EXPECT_EQ(run(driver_->execute(commands)), DriverStatus::command_failed);
  EXPECT_EQ(driver_->command_errors(), 1U);
  EXPECT_EQ(smmu_->counters().commands[0x03], 2U);
  const spec::Command good[] = {make_cfgi_ste(StreamId(8))};
  EXPECT_EQ(run(driver_->execute(good)), DriverStatus::ok);
}

TEST_P(GuestDriverTest, CommandThatCannotBeFetchedIsGivenUp) {
  build({});
  enable();
  memory_.inject_abort(driver_->command_queue(), 4096, true, false);
  const spec::Command commands[] = {make_cfgi_ste(StreamId(8))};
  EXPECT_EQ(run(driver_->execute(commands)), DriverStatus::command_failed);
}

TEST_P(GuestDriverTest, EventsAreReadAndAcknowledged) {
  build({});
  enable();
  Transaction transaction;
  transaction.stream_id = StreamId(8);  // no second-level table: C_BAD_STREAMID
  TranslationRequest request;
  request.transaction = transaction;
  request.fire = [](EventNode&) {};
  smmu_->submit(0, request);
  engine_.run();
  smmu_->retire(request);
  engine_.run();
  DrainedEvents drained;
  driver_->read_events(drained);
  ASSERT_EQ(drained.events.size(), 1U);
  EXPECT_EQ(drained.events[0].get<spec::Event::Type>(), spec::EventType::C_BAD_STREAMID);
  EXPECT_EQ(drained.events[0].get<spec::Event::StreamID>(), 8U);
  EXPECT_FALSE(drained.overflowed);
  driver_->read_events(drained);
  EXPECT_EQ(drained.events.size(), 1U);
}

TEST_P(GuestDriverTest, OverflowIsSeenAndAcknowledged) {
  build({.event_queue_log2 = 2});
  enable();
  for (int i = 0; i != 6; ++i) {
    TranslationRequest request;
    request.transaction.stream_id = StreamId(8);
    request.fire = [](EventNode&) {};
    smmu_->submit(0, request);
    engine_.run();
    smmu_->retire(request);
    engine_.run();
  }
  DrainedEvents drained;
  driver_->read_events(drained);
  EXPECT_EQ(drained.events.size(), 4U);
  EXPECT_TRUE(drained.overflowed);
  DrainedEvents again;
  driver_->read_events(again);
  EXPECT_FALSE(again.overflowed);
  EXPECT_TRUE(again.events.empty());
}

struct ProbeRow {
  const char* name;
  std::uint32_t offset;  // of the register that differs from a usable SMMU's
  std::uint32_t value;
  DriverStatus expected;
};
class GuestDriverProbe : public ::testing::TestWithParam<ProbeRow> {};

/// ID registers from a table instead of an SMMU.
TEST_P(GuestDriverProbe, RefusesWhatItCannotUse) {
  Engine engine;
  SparseMemory memory;
  PageAllocator pages(Pa(0xc0000000), 1 << 20);
  RegisterBus bus{[](std::uint32_t offset, unsigned) -> std::uint64_t {
                    if (offset == GetParam().offset) return GetParam().value;
                    if (offset == reg::IDR0) return 0xa;           // S1P, VMSAv8-64
                    if (offset == reg::IDR1) return 8 << 21;       // CMDQS
                    return offset == reg::IDR5 ? 1U << 4 | 5 : 0;  // 4 KiB granule, 48 bits
                  },
                  [](std::uint32_t, std::uint64_t, unsigned) {}};
  GuestDriver driver(engine, memory, pages, bus, {});
  EXPECT_EQ(driver.probe(), GetParam().expected);
  EXPECT_FALSE(describe(GetParam().expected).empty());
}
INSTANTIATE_TEST_SUITE_P(Rows, GuestDriverProbe,
                         ::testing::Values(ProbeRow{"usable", reg::IDR0, 0xa, DriverStatus::ok},
                                           ProbeRow{"no_stage1", reg::IDR0, 0x9, DriverStatus::no_stage1},
                                           ProbeRow{"lpae_only", reg::IDR0, 0x6, DriverStatus::no_vmsav8_64},
                                           ProbeRow{"no_4k", reg::IDR5, 0x65, DriverStatus::no_granule},
                                           ProbeRow{"preset", reg::IDR1, 1U << 30, DriverStatus::preset}),
                         [](const auto& row) { return row.param.name; });

TEST(GuestDriverTimeout, RegisterThatNeverAnswersEndsTheWait) {
  Engine engine;
  Scope scope(engine);
  SparseMemory memory;
  PageAllocator pages(Pa(0xc0000000), 1 << 24);
  RegisterBus bus{[](std::uint32_t offset, unsigned) -> std::uint64_t { return offset == reg::CR0ACK ? 0x1 : 0; },
                  [](std::uint32_t, std::uint64_t, unsigned) {}};
  GuestDriver driver(engine, memory, pages, bus, {.timeout = 5'000'000});
  StreamTable streams = StreamTable::linear(memory, pages, 4);
  Task<DriverStatus> task = driver.enable(streams);
  EXPECT_FALSE(task.run_to_completion());
  engine.run();
  EXPECT_EQ(task.result(), DriverStatus::timed_out);
  EXPECT_GE(engine.now(), 5'000'000U);
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// An NVMe controller and its driver in a whole machine: every byte goes through the SMMU, by page tables that change
// around each command. What was written comes back, and nothing that was unmapped is reached.
#include "model/spec/registers.h"
#include "platform/system/nvme_simulation.h"
#include "tests/tlm/fresh_context.h"

namespace smmusim {
namespace {

struct NvmeTest : systemc::FreshContext {};

PlatformConfig machine(Mode mode = Mode::timed) {
  PlatformConfig config;
  config.mode = mode;
  config.seed = 7;
  config.smmus[0].config.tcu.tlb = {64, 4, Replacement::lru};
  EndpointConfig disk;
  disk.name = "disk";
  disk.rid = 0x0108;
  disk.model = DeviceModel::nvme;
  disk.nvme.mib = 1;  // small, so that blocks are read which were written
  disk.nvme.commands = 1500;
  disk.nvme.depth = 16;
  disk.nvme.bytes_min = 512;
  disk.nvme.bytes_max = 0x8000;
  disk.nvme.offsets = true;
  config.endpoints.push_back(disk);
  return config;
}

void add_ats(PlatformConfig& config) {
  config.smmus[0].config.features.ats = true;
  config.endpoints[0].ats_capability = true;
  config.endpoints[0].ats = OnOffAuto::on;
  config.endpoints[0].atc.entries = 64;
}

void expect_checked(const NvmeSimulation& run, std::size_t device = 0) {
  const NvmeSettings& load = run.config().endpoints[run.devices()[device].endpoint].nvme;
  const NvmeDriver& driver = *run.devices()[device].driver;
  const NvmeDriverCounters& counters = driver.counters();
  EXPECT_EQ(driver.status(), NvmeDriverStatus::ok);
  EXPECT_EQ(counters.reads + counters.writes, load.commands);
  EXPECT_GT(counters.reads, load.commands / 3);
  EXPECT_GT(counters.writes, load.commands / 3);
  EXPECT_EQ(counters.failed, 0U);
  EXPECT_GT(counters.checked, load.commands);
  EXPECT_EQ(counters.mismatches, 0U);
  EXPECT_EQ(counters.unexpected, 0U);
  EXPECT_EQ(run.devices()[device].mapper->unmaps(), load.commands);
  EXPECT_EQ(run.events_read(), 0U);
}

TEST_F(NvmeTest, DataComesBackInBothModesWithAndWithoutAts) {
  for (const Mode mode : {Mode::timed, Mode::untimed}) {
    for (const bool ats : {false, true}) {
      SCOPED_TRACE(testing::Message() << (mode == Mode::timed ? "timed" : "untimed") << (ats ? ", ATS" : ""));
      const auto context = std::make_unique<sc_core::sc_simcontext>();
      sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
      {
        PlatformConfig config = machine(mode);
        if (ats) add_ats(config);
        NvmeSimulation run(config);
        run.run();
        expect_checked(run);
        const platform::NvmeController& disk = *run.platform().nvme(0);
        EXPECT_EQ(disk.counters().reads + disk.counters().writes, config.endpoints[0].nvme.commands);
        EXPECT_GT(disk.interrupts().counters().sent, 0U);
        EXPECT_EQ(run.platform().doorbell().count(), disk.interrupts().counters().sent);
        EXPECT_TRUE(disk.counters().fatal_errors == 0 && run.platform().nvme(0)->idle());
        const platform::FunctionCounters& tlps = run.platform().endpoint(0).tlp_counters();
        EXPECT_EQ(tlps.translation_requests > 0, ats);
        EXPECT_EQ(tlps.invalidate_requests, ats ? config.endpoints[0].nvme.commands : 0);
      }
      sc_core::sc_curr_simcontext = before;
    }
  }
}

TEST_F(NvmeTest, ARunIsTheSameEveryTime) {
  Time times[2];
  std::uint64_t interrupts[2];
  for (unsigned i = 0; i != 2; ++i) {
    const auto context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    {
      NvmeSimulation run(machine());
      run.run();
      times[i] = run.simulated_time();
      interrupts[i] = run.devices()[0].driver->counters().interrupts;
    }
    sc_core::sc_curr_simcontext = before;
  }
  EXPECT_EQ(times[0], times[1]);
  EXPECT_EQ(interrupts[0], interrupts[1]);
}

TEST_F(NvmeTest, StageTwoAloneAndNestedStagesTranslateTheSameData) {
  for (const DriverStages stages : {DriverStages::two, DriverStages::nested}) {
    SCOPED_TRACE(stages == DriverStages::two ? "2" : "nested");
    const auto context = std::make_unique<sc_core::sc_simcontext>();
    sc_core::sc_simcontext* const before = std::exchange(sc_core::sc_curr_simcontext, context.get());
    {
      PlatformConfig config = machine();
      config.driver.stages = stages;
      config.smmus[0].config.features.s2p = config.smmus[0].config.features.xnx = true;
      config.endpoints[0].nvme.commands = 300;
      NvmeSimulation run(config);
      run.run();
      expect_checked(run);
    }
    sc_core::sc_curr_simcontext = before;
  }
}

TEST_F(NvmeTest, TwoControllersWithSeveralQueuesDoNotMix) {
  PlatformConfig config = machine();
  config.endpoints[0].nvme.queues = 3;
  config.endpoints.push_back(config.endpoints[0]);
  config.endpoints[1].name = "other";
  config.endpoints[1].rid = 0x0200;
  NvmeSimulation run(config);
  run.run();
  expect_checked(run, 0);
  expect_checked(run, 1);
}

/// A TLB that kept what was invalidated would hand out another command's page: the checksums see that.
TEST_F(NvmeTest, TheChecksumsSeeACorruptedBlock) {
  PlatformConfig config = machine();
  config.endpoints[0].nvme.bytes_min = config.endpoints[0].nvme.bytes_max = 512;
  NvmeSimulation run(config);
  std::vector<unsigned char> wrong(512, 0x5a);
  unsigned done = 0;
  const auto count = run.devices()[0].driver->on_command;
  run.devices()[0].driver->on_command = [&](const NvmeDriver::Done& command) {
    count(command);
    if (++done != 1000) return;
    for (std::uint64_t block = 0; block != 2048; ++block) run.platform().blocks(0)->write(block, wrong);
  };
  run.run();
  EXPECT_GT(run.devices()[0].driver->counters().mismatches, 0U);
  EXPECT_FALSE(run.devices()[0].driver->mismatches().empty());
}

TEST_F(NvmeTest, AbortsOfTheSmmuFailCommandsAndStopNothing) {
  PlatformConfig config = machine();
  config.endpoints[0].nvme.commands = 400;
  NvmeSimulation run(config);
  // Every tenth buffer is taken away from the device as soon as it was mapped. What lasts comes first: the doorbell,
  // two queues and a buffer of the start, two queues of the load and its lists.
  const unsigned lasting = 6 + config.endpoints[0].nvme.depth;
  unsigned mapped = 0;
  run.devices()[0].mapper->on_map = [&](std::uint64_t first, std::size_t pages) {
    if (++mapped > lasting && (mapped - lasting) % 10 == 0) {
      run.setup().spaces()[0].table->unmap(first, pages * DmaMapper::page_bytes);
    }
  };
  run.run();
  const NvmeDriverCounters& counters = run.devices()[0].driver->counters();
  EXPECT_EQ(counters.failed, 40U);
  EXPECT_EQ(counters.reads + counters.writes, 400U);
  EXPECT_EQ(counters.mismatches, 0U);
  EXPECT_GT(run.events_read(), 0U);
  EXPECT_EQ(run.platform().nvme(0)->counters().failed, counters.failed);
  EXPECT_EQ(run.platform().nvme(0)->counters().fatal_errors, 0U);
}

TEST_F(NvmeTest, AControllerThatCanNotReachItsQueuesIsToldApart) {
  PlatformConfig config = machine();
  NvmeSimulation run(config);
  unsigned maps = 0;
  run.devices()[0].mapper->on_map = [&](std::uint64_t first, std::size_t pages) {
    if (++maps == 2) run.setup().spaces()[0].table->unmap(first, pages * DmaMapper::page_bytes);  // the admin queue
  };
  try {
    run.run();
    ADD_FAILURE() << "it should not have ended";
  } catch (const InternalError&) {
  }
  EXPECT_EQ(run.platform().nvme(0)->counters().fatal_errors, 1U);
  EXPECT_FALSE(run.devices()[0].driver->done());
}

TEST_F(NvmeTest, ALoadThatIsLargerThanTheNamespaceIsAnInputError) {
  PlatformConfig config = machine();
  config.endpoints[0].nvme.bytes_max = 4 << 20;
  NvmeSimulation run(config);
  EXPECT_THROW(run.run(), std::runtime_error);
  EXPECT_EQ(run.devices()[0].driver->status(), NvmeDriverStatus::too_small);
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// iommu-testdevs and their driver in a whole machine: what the driver looks for, it finds.
#include "platform/system/testdev_simulation.h"
#include "tests/tlm/fresh_context.h"

namespace smmusim {
namespace {

struct TestdevDriverTest : systemc::FreshContext {};

constexpr std::uint64_t writes = 40;

PlatformConfig machine(unsigned bytes_max) {
  PlatformConfig config;
  config.endpoint_template.model = DeviceModel::iommu_testdev;
  config.endpoint_template.testdev = {writes, bytes_max};
  return config;
}

TEST_F(TestdevDriverTest, EveryWriteArrivesAndNoneAfterUnmapping) {
  TestdevSimulation run(machine(0x3000));
  run.run();
  const TestdevDriverCounters& counters = run.devices().at(0).driver->counters();
  EXPECT_EQ(counters.writes, writes);
  EXPECT_EQ(counters.failed + counters.mismatches + counters.reached, 0U);
  EXPECT_EQ(counters.stale, (writes + 15) / 16);
  EXPECT_GE(run.events_read(), counters.stale);  // one for each TLP
}

TEST_F(TestdevDriverTest, AByteBesideTheBufferIsSeen) {
  TestdevSimulation run(machine(1));
  // The buffer was the last allocation: its last byte is one that a write of one byte in its first page leaves alone.
  const Pa end = run.setup().pages().allocate(DmaMapper::page_bytes, DmaMapper::page_bytes);
  run.devices().at(0).mapper->on_map = [&](std::uint64_t, std::size_t) {
    const unsigned char stray = 0x78;
    run.platform().memory().poke(Pa(end.value - 1), &stray, 1);
  };
  run.run();
  const TestdevDriver& driver = *run.devices().at(0).driver;
  EXPECT_EQ(driver.counters().mismatches, writes);
  ASSERT_FALSE(driver.complaints().empty());
  EXPECT_NE(driver.complaints()[0].find("write 0, 1 bytes at"), std::string::npos) << driver.complaints()[0];
}

TEST_F(TestdevDriverTest, ADeviceThatMayNotWriteFails) {
  TestdevSimulation run(machine(64));
  run.devices().at(0).mapper->on_map = [&](std::uint64_t, std::size_t) {
    run.platform().endpoint(0).config_space().space().write(4, 2, 2);  // no bus master
  };
  run.run();
  const TestdevDriverCounters& counters = run.devices().at(0).driver->counters();
  EXPECT_EQ(counters.failed, writes);
  EXPECT_EQ(counters.mismatches, 0U);
}

}  // namespace
}  // namespace smmusim

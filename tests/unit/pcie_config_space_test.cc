// SPDX-License-Identifier: MIT
// The configuration space of a PCIe function: what software finds there, what it can change, and the chains.
#include <gtest/gtest.h>

#include "platform/pcie/config_space.h"
#include "platform/pcie/function_config.h"

namespace smmusim::platform {
namespace {

constexpr std::uint32_t ats_id = 0x0f, pri_id = 0x13, pasid_id = 0x1b;

FunctionDescription whole_function() {
  FunctionDescription description;
  description.bars[0] = {0x4000, true, false};
  description.bars[2] = {0x1000, false, false};
  description.msi = MsiCapability{};
  description.msix = MsixCapability{.vectors = 65};
  description.ats = AtsCapability{};
  description.pri = PriCapability{};
  description.pasid = PasidCapability{.width = 20, .execute = true};
  return description;
}

/// IDs of the extended chain from 0x100 on, as software walks it.
std::vector<std::uint32_t> extended_chain(ConfigSpace& space) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t at = 0x100; at != 0 && ids.size() < 100; at = space.read(at, 4) >> 20) {
    ids.push_back(space.read(at, 4) & 0xffff);
  }
  return ids;
}

std::vector<std::uint32_t> chain(ConfigSpace& space) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t at = space.read(0x34, 1); at != 0 && ids.size() < 100; at = space.read(at + 1, 1)) {
    ids.push_back(space.read(at, 1));
  }
  return ids;
}

TEST(PcieConfigSpace, ChainsHoldEveryCapability) {
  FunctionConfig function(whole_function());
  EXPECT_EQ(chain(function.space()), (std::vector<std::uint32_t>{0x10, 0x05, 0x11}));
  EXPECT_EQ(extended_chain(function.space()), (std::vector<std::uint32_t>{ats_id, pri_id, pasid_id}));
  EXPECT_EQ(function.space().read(0x06, 2) & 0x10, 0x10u) << "Capabilities List";
}

TEST(PcieConfigSpace, AHiddenHeadLeavesANullCapability) {
  FunctionDescription description = whole_function();
  description.ats_hidden = true;
  FunctionConfig function(description);
  EXPECT_EQ(extended_chain(function.space()), (std::vector<std::uint32_t>{0, pri_id, pasid_id}));
  EXPECT_EQ(function.space().read(0x104, 4), 0u) << "nothing of it is to be seen";
  function.space().write(0x106, 0x8000, 2);
  EXPECT_FALSE(function.ats_enabled());
  EXPECT_EQ(function.capability(ats_id, true), std::nullopt);
  description.pri.reset();
  description.pasid.reset();
  FunctionConfig alone(description);
  EXPECT_EQ(alone.space().read(0x100, 4), 0u) << "no extended capabilities at all";
}

TEST(PcieConfigSpace, AHiddenCapabilityInTheMiddleIsLeftOut) {
  ConfigSpace space({});
  Capability first = pri_capability({}), middle = ats_capability({}, true), last = pasid_capability({});
  space.add(first);
  space.add(middle);
  space.add(last);
  EXPECT_EQ(extended_chain(space), (std::vector<std::uint32_t>{pri_id, pasid_id}));
}

TEST(PcieConfigSpace, AFunctionWithoutExtendedCapabilitiesHasNone) {
  FunctionConfig function(FunctionDescription{});
  EXPECT_EQ(function.space().read(0x100, 4), 0u);
}

TEST(PcieConfigSpace, BarsTellTheirSize) {
  FunctionConfig function(whole_function());
  ConfigSpace& space = function.space();
  for (std::uint32_t bar = 0x10; bar != 0x28; bar += 4) space.write(bar, 0xffff'ffff, 4);
  EXPECT_EQ(space.read(0x10, 4), 0xffff'c004u);
  EXPECT_EQ(space.read(0x14, 4), 0xffff'ffffu);
  EXPECT_EQ(space.read(0x18, 4), 0xffff'f000u);
  EXPECT_EQ(space.read(0x1c, 4), 0u) << "no BAR";
  space.write(0x10, 0x8000'0000, 4);
  space.write(0x14, 0x12, 4);
  EXPECT_EQ(function.bar_address(0), 0x12'8000'0000u);
  EXPECT_EQ(function.bar_address(1), std::nullopt) << "the upper half of BAR 0";
  EXPECT_EQ(function.bar_address(6), std::nullopt);
}

TEST(PcieConfigSpace, ImpossibleBarsAreRefused) {
  for (const auto& [index, bar] : {std::pair{0u, Bar{0x3000, false, false}},
                                   {0u, Bar{8, false, false}},
                                   {0u, Bar{std::uint64_t{1} << 32, false, false}},
                                   {5u, Bar{0x1000, true, false}}}) {
    FunctionDescription description;
    description.bars[index] = bar;
    EXPECT_THROW(FunctionConfig{description}, std::invalid_argument);
  }
  FunctionDescription overlapping;
  overlapping.bars[0] = {0x1000, true, false};
  overlapping.bars[1] = {0x1000, false, false};
  EXPECT_THROW(FunctionConfig{overlapping}, std::invalid_argument);
}

TEST(PcieConfigSpace, EveryByteIsWritableOnlyWhereItMayBe) {
  FunctionConfig function(whole_function());
  ConfigSpace& space = function.space();
  EXPECT_EQ(space.read(0x00, 4), 0x0005'1b36u);
  space.write(0x00, 0, 4);
  space.write(0x08, 0, 4);
  EXPECT_EQ(space.read(0x00, 4), 0x0005'1b36u);
  EXPECT_EQ(space.read(0x08, 4), 0x0880'0000u);
  space.write(0x04, 0xffff, 2);
  EXPECT_EQ(space.read(0x04, 2), 0x0546u);
  EXPECT_TRUE(function.bus_master());
  EXPECT_TRUE(function.memory_space());
  space.write(0x05, 0, 1);
  EXPECT_EQ(space.read(0x04, 2), 0x0046u) << "one byte of it";
  function.reset();
  EXPECT_FALSE(function.bus_master());
}

TEST(PcieConfigSpace, AccessesThatNoFunctionAnswersReadAsOnes) {
  FunctionConfig function(FunctionDescription{});
  ConfigSpace& space = function.space();
  EXPECT_EQ(space.read(0x1000, 4), 0xffff'ffffu);
  EXPECT_EQ(space.read(0x01, 2), 0xffffu);
  EXPECT_EQ(space.read(0x02, 4), 0xffff'ffffu);
  EXPECT_EQ(space.read(0x00, 8), 0xffff'ffffu);
  space.write(0x06, ~0u, 4);
  EXPECT_EQ(space.read(0x04, 2), 0u);
}

TEST(PcieConfigSpace, DeviceControlGivesThePayloadSizes) {
  FunctionConfig function(FunctionDescription{});
  EXPECT_EQ(function.max_payload(), 128u);
  EXPECT_EQ(function.max_read_request(), 512u);
  const std::uint16_t pcie = function.capability(0x10, false).value();
  function.space().write(pcie + cap::pcie_device_control, 1u << 5 | 5u << 12 | 1u << 8, 2);
  EXPECT_EQ(function.max_payload(), 256u);
  EXPECT_EQ(function.max_read_request(), 4096u);
  EXPECT_TRUE(function.extended_tags());
}

TEST(PcieConfigSpace, WhatCanNotBeResetSaysSo) {
  FunctionConfig function(whole_function());
  const std::uint16_t pcie = function.capability(0x10, false).value();
  EXPECT_EQ(function.space().read(pcie + 4U, 4) >> 28 & 1, 0U) << "Function Level Reset Capability";
  function.space().write(pcie + 8U, 0x8000, 2);
  EXPECT_EQ(function.space().read(pcie + 8U, 2) & 0x8000, 0U) << "Initiate Function Level Reset";
}

TEST(PcieConfigSpace, AtsControl) {
  FunctionConfig function(whole_function());
  const auto at = static_cast<std::uint32_t>(function.capability(ats_id, true).value());
  EXPECT_EQ(function.space().read(at + 4, 2), 1u << 5) << "32 invalidations read as 0; page-aligned requests";
  function.space().write(at + 6, 0x8003, 2);
  EXPECT_TRUE(function.ats_enabled());
  EXPECT_EQ(function.stu_bits(), 15u);
  function.space().write(at + 6, 0x8000, 2);
  EXPECT_EQ(function.stu_bits(), 15u) << "STU stays while ATS is enabled";
  function.space().write(at + 6, 0, 2);
  EXPECT_FALSE(function.ats_enabled());
  function.space().write(at + 6, 0, 2);
  EXPECT_EQ(function.stu_bits(), 12u);
}

TEST(PcieConfigSpace, PasidStaysWhileAtsIsEnabled) {
  FunctionConfig function(whole_function());
  const auto ats = static_cast<std::uint32_t>(function.capability(ats_id, true).value());
  const auto pasid = static_cast<std::uint32_t>(function.capability(pasid_id, true).value());
  EXPECT_EQ(function.space().read(pasid + 4, 2), 20u << 8 | 2u);
  function.space().write(pasid + 6, 7, 2);
  EXPECT_TRUE(function.pasid_enabled());
  EXPECT_TRUE(function.pasid_execute());
  EXPECT_FALSE(function.pasid_privileged()) << "not supported, so not to be enabled";
  function.space().write(ats + 6, 0x8000, 2);
  function.space().write(pasid + 6, 0, 2);
  EXPECT_TRUE(function.pasid_enabled());
  function.space().write(ats + 6, 0, 2);
  function.space().write(pasid + 6, 0, 2);
  EXPECT_FALSE(function.pasid_enabled());
}

TEST(PcieConfigSpace, PriControlAndStatus) {
  FunctionConfig function(whole_function());
  ConfigSpace& space = function.space();
  const auto at = static_cast<std::uint16_t>(function.capability(pri_id, true).value());
  constexpr std::uint32_t stopped = 1u << 8;
  EXPECT_EQ(space.read(at + 6u, 2), stopped);
  space.write(at + 0xcu, 32, 4);
  space.write(at + 4u, 1, 2);
  EXPECT_TRUE(function.pri_enabled());
  EXPECT_EQ(space.read(at + 6u, 2), 0u);
  space.write(at + 0xcu, 8, 4);
  EXPECT_EQ(function.pri_allocation(), 32u) << "stays while PRI is enabled";
  space.set(at + 6, 3, 2);  // the device has seen a response failure and an unexpected index
  space.write(at + 4u, 3, 2);
  EXPECT_EQ(space.read(at + 6u, 2), 3u) << "no reset while enabled";
  space.write(at + 6u, 1, 2);
  EXPECT_EQ(space.read(at + 6u, 2), 2u) << "a one clears a bit";
  space.write(at + 4u, 2, 2);
  EXPECT_EQ(space.read(at + 4u, 2), 0u) << "Reset reads as zero";
  EXPECT_EQ(space.read(at + 6u, 2), stopped);
}

TEST(PcieConfigSpace, MessageSignalledInterrupts) {
  FunctionConfig function(whole_function());
  ConfigSpace& space = function.space();
  const std::uint32_t msix = function.capability(0x11, false).value();
  EXPECT_EQ(space.read(msix + 2, 2), 64u);
  space.write(msix + 2, 0xffff, 2);
  EXPECT_EQ(space.read(msix + 2, 2), 0xc040u);
  EXPECT_TRUE(function.msix_enabled());
  const std::uint32_t msi = function.capability(0x05, false).value();
  space.write(msi + 2, 1, 2);
  EXPECT_TRUE(function.msi_enabled());
  space.write(msi + 4, 0x1234'5677, 4);
  EXPECT_EQ(space.read(msi + 4, 4), 0x1234'5674u);
}

TEST(PcieConfigSpace, AFullSpaceRefusesMore) {
  ConfigSpace space({});
  Capability large{.id = 0xb, .extended = true, .bytes = 0xf00};
  space.add(large);
  EXPECT_THROW(space.add(ats_capability({}, false)), std::invalid_argument);
  Capability outside{.id = 9, .bytes = 8, .registers = {{8, 4}}};
  EXPECT_THROW(space.add(outside), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// The configuration space of a bridge: what software finds and can change, what windows and bus numbers mean.
#include <gtest/gtest.h>

#include "platform/pcie/bridge_config.h"

namespace smmusim::platform {
namespace {

namespace reg = bridge_register;

BridgeDescription described(PortType port, unsigned acs = 0x5f) {
  BridgeDescription description;
  description.pcie.port = port;
  description.acs_controls = acs;
  return description;
}

TEST(PcieBridgeConfig, TheHeaderIsOfType1) {
  BridgeConfig bridge(described(PortType::root_port));
  ConfigSpace& space = bridge.space();
  EXPECT_EQ(space.read(0x0e, 1), 1U);
  EXPECT_EQ(space.read(0x08, 4) >> 8, 0x060400U) << "PCI-to-PCI bridge";
  EXPECT_EQ(space.read(0x34, 1), 0x40U);
  EXPECT_EQ(space.read(0x40, 1), 0x10U) << "PCI Express capability";
  EXPECT_EQ(space.read(0x42, 2) >> 4 & 0xf, 4U) << "Root Port";
  EXPECT_EQ(space.read(0x100, 2), 0x0dU) << "ACS";
  for (const std::uint32_t bar : {0x10U, 0x14U, 0x1cU}) {
    space.write(bar, 0xffff'ffff, 4);
    EXPECT_EQ(space.read(bar, 2), 0U) << "no BARs, no I/O window: " << bar;
  }
}

TEST(PcieBridgeConfig, PortTypesAreTold) {
  BridgeConfig up(described(PortType::upstream_port, 0)), down(described(PortType::downstream_port));
  EXPECT_EQ(up.space().read(0x42, 2) >> 4 & 0xf, 5U);
  EXPECT_EQ(down.space().read(0x42, 2) >> 4 & 0xf, 6U);
  EXPECT_EQ(up.space().read(0x100, 4), 0U) << "an upstream port has no ACS";
}

TEST(PcieBridgeConfig, ImpossibleAcsIsRefused) {
  EXPECT_THROW(BridgeConfig{described(PortType::upstream_port, 1)}, std::invalid_argument);
  EXPECT_THROW(BridgeConfig{described(PortType::root_port, 0x80)}, std::invalid_argument);
  EXPECT_THROW(BridgeConfig{described(PortType::root_port, 0x20)}, std::invalid_argument) << "egress control";
}

TEST(PcieBridgeConfig, BusNumbersAboveThePrimaryAreBelow) {
  BridgeConfig bridge(described(PortType::root_port));
  for (const unsigned bus : {0U, 1U, 255U}) EXPECT_FALSE(bridge.below(bus)) << "after reset: " << bus;
  bridge.space().write(reg::primary_bus, 0x0005'0301, 4);
  EXPECT_EQ(bridge.primary(), 1U);
  EXPECT_FALSE(bridge.below(2));
  EXPECT_TRUE(bridge.below(3));
  EXPECT_TRUE(bridge.below(5));
  EXPECT_FALSE(bridge.below(6));
  struct Row {
    unsigned primary, secondary, subordinate, bus;
  };
  for (const Row& row : {Row{3, 3, 9, 3}, {4, 2, 9, 2}, {0, 5, 4, 5}, {0, 0, 255, 0}}) {
    bridge.space().write(reg::primary_bus, row.primary | row.secondary << 8 | row.subordinate << 16, 4);
    EXPECT_FALSE(bridge.below(row.bus)) << row.secondary << " " << row.subordinate;
  }
}

TEST(PcieBridgeConfig, WindowsAreWholeMegabytes) {
  BridgeConfig bridge(described(PortType::root_port));
  ConfigSpace& space = bridge.space();
  space.write(reg::memory_base, 0x2fff'1fff, 4);
  EXPECT_EQ(space.read(reg::memory_base, 4), 0x2ff0'1ff0U) << "the lowest four bits are read-only";
  EXPECT_EQ(bridge.memory_window(), (BridgeWindow{0x1ff0'0000, 0x2fff'ffff}));
  space.write(reg::prefetchable_base, 0x0000'fff0, 4);
  space.write(reg::prefetchable_base_upper, 0x12, 4);
  space.write(reg::prefetchable_limit_upper, 0x13, 4);
  EXPECT_EQ(space.read(reg::prefetchable_base, 4), 0x0001'fff1U) << "64-bit addresses";
  EXPECT_EQ(bridge.prefetchable_window(), (BridgeWindow{0x12'fff0'0000, 0x13'000f'ffff}));
  EXPECT_FALSE(bridge.claims(0x2000'0000)) << "Memory Space Enable is off";
  space.write(reg::command, 2, 2);
  EXPECT_TRUE(bridge.claims(0x1ff0'0000));
  EXPECT_TRUE(bridge.claims(0x2fff'ffff));
  EXPECT_FALSE(bridge.claims(0x3000'0000));
  EXPECT_TRUE(bridge.claims(0x13'000f'ffff));
  EXPECT_FALSE(bridge.claims(0x13'0010'0000));
}

TEST(PcieBridgeConfig, AWindowWhoseBaseIsAboveItsLimitIsClosed) {
  BridgeConfig bridge(described(PortType::root_port));
  bridge.space().write(reg::memory_base, 0x1000'2000, 4);
  bridge.space().write(reg::prefetchable_base, 0xfff0, 2);
  EXPECT_EQ(bridge.memory_window(), std::nullopt);
  EXPECT_EQ(bridge.prefetchable_window(), std::nullopt);
}

TEST(PcieBridgeConfig, OnlyOfferedAcsControlsCanBeSwitchedOn) {
  constexpr unsigned offered = 0x15;
  BridgeConfig bridge(described(PortType::downstream_port, offered));
  EXPECT_EQ(bridge.space().read(0x104, 2), offered);
  bridge.space().write(0x106, 0xffff, 2);
  EXPECT_EQ(bridge.space().read(0x106, 2), offered);
  EXPECT_TRUE(bridge.acs(Acs::source_validation));
  EXPECT_FALSE(bridge.acs(Acs::translation_blocking));
  bridge.reset();
  EXPECT_FALSE(bridge.acs(Acs::source_validation));
}

}  // namespace
}  // namespace smmusim::platform

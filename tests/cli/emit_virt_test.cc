// SPDX-License-Identifier: MIT
// `config emit --dts --qemu-virt`: nodes that can be appended to the device tree of QEMU's virt machine.
#include <gtest/gtest.h>

#include <cstdlib>

#include "platform/config/load.h"
#include "platform/emit/device_tree.h"
#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

PlatformConfig defaults() {
  return {};
}

PlatformConfig with_ats() {
  PlatformConfig config;
  config.smmus[0].config.features.ats = config.smmus[0].config.features.pri = true;
  return config;
}

PlatformConfig without_msi() {
  PlatformConfig config;
  config.smmus[0].config.features.msi = false;
  return config;
}

/// Doorbells and memory of the platform that virt does not have; they must not matter.
PlatformConfig elsewhere() {
  PlatformConfig config;
  config.msi.size = 0x1000;
  config.memory.base = 0x1000'0000;
  return config;
}

struct Line {
  PlatformConfig (*config)();
  const char* has;
  const char* lacks;
};
class VirtNodes : public testing::TestWithParam<Line> {};

TEST_P(VirtNodes, SayWhatTheConfigurationSays) {
  const std::string text = emit::virt_machine_nodes(GetParam().config());
  EXPECT_NE(text.find(GetParam().has), std::string::npos) << text;
  if (GetParam().lacks != nullptr) {
    EXPECT_EQ(text.find(GetParam().lacks), std::string::npos) << text;
  }
}

const Line lines[] = {
    {defaults, "its: &{/intc@8000000/its@8080000} {};\n", "memory@"},
    {defaults, "\t\treg = <0x0 0x9050000 0x0 0x20000>;\n", "/dts-v1/"},
    // The DeviceID fits the ITS of QEMU, which has 16 bits of them.
    {defaults, "\t\tmsi-parent = <&its 0xff00>;\n", "ats-supported"},
    {defaults, "&{/pcie@10000000} {\n\t\tiommu-map = <0x0 &smmu0 0x0 0x10000>;\n", "msi-map"},
    {with_ats, "\t\tats-supported;\n};\n", nullptr},
    {with_ats, "\"eventq\", \"gerror\", \"priq\", \"cmdq-sync\"", nullptr},
    {without_msi, "interrupts = <0 74 1>", "msi-parent"},
    {elsewhere, "\t\tmsi-parent = <&its 0xff00>;\n", nullptr},
};
INSTANTIATE_TEST_SUITE_P(Rows, VirtNodes, testing::ValuesIn(lines));

TEST(VirtNodes, AreCompiledBehindAMachine) {
  if (std::system("command -v dtc > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "dtc is not installed (Debian package device-tree-compiler)";
  }
  // The parts of QEMU's tree that the nodes refer to.
  const std::string machine =
      "/dts-v1/;\n/ {\n#address-cells = <2>;\n#size-cells = <2>;\ninterrupt-parent = <0x8002>;\n"
      "intc@8000000 {\nphandle = <0x8002>;\n#interrupt-cells = <3>;\ninterrupt-controller;\n#address-cells = <2>;\n"
      "#size-cells = <2>;\nranges;\nreg = <0 0x8000000 0 0x10000>;\n"
      "its@8080000 {\nphandle = <0x8003>;\nmsi-controller;\n#msi-cells = <1>;\nreg = <0 0x8080000 0 0x20000>;\n};\n};\n"
      "pcie@10000000 {\ndevice_type = \"pci\";\n#address-cells = <3>;\n#size-cells = <2>;\n"
      "reg = <0x40 0x10000000 0 0x10000000>;\nbus-range = <0 255>;\n"
      "ranges = <0x2000000 0 0x10000000 0 0x10000000 0 0x2eff0000>;\nmsi-map = <0 0x8003 0 0x10000>;\n};\n};\n";
  const TemporaryFolder folder;
  const std::string source = folder.write("virt.dts", machine + emit::virt_machine_nodes(with_ats()));
  const std::string command = "dtc -q -I dts -O dts -o '" + folder.path("out.dts") + "' '" + source + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string tree = read_text(folder.path("out.dts"));
  EXPECT_NE(tree.find("iommu@9050000 {"), std::string::npos) << tree;
  EXPECT_NE(tree.find("msi-parent = <0x8003 0xff00>;"), std::string::npos) << tree;
}

struct Frame {
  std::uint64_t base;
  bool free;
};
class VirtFrame : public testing::TestWithParam<Frame> {};

TEST_P(VirtFrame, KeepsAwayFromTheMachine) {
  PlatformConfig config;
  config.smmus[0].config.frame_base = Pa(GetParam().base);
  if (GetParam().free) {
    EXPECT_NE(emit::virt_machine_nodes(config), "");
  } else {
    EXPECT_THROW(emit::virt_machine_nodes(config), InputError);
  }
}

const Frame frames[] = {{0x9050000, true},    {0xb000000, true},  {0xbfe0000, true},   {0x0, false},
                        {0x9030000, false},   {0x9040000, false}, {0x9060000, false},  {0xa000000, false},
                        {0xbff0000, false},   {0xc000000, false}, {0x3fff0000, false}, {0x40000000, false},
                        {0x8000000000, false}};
INSTANTIATE_TEST_SUITE_P(Places, VirtFrame, testing::ValuesIn(frames));

TEST(VirtProgram, WritesTheNodes) {
  const Finished result = run_program({"config", "emit", "--dts", "--qemu-virt"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, emit::virt_machine_nodes(PlatformConfig{}));
}

TEST(VirtProgram, HasNoTable) {
  const Finished result = run_program({"config", "emit", "--iort", "--qemu-virt"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--qemu-virt without --dts"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace smmusim::test

// SPDX-License-Identifier: MIT
// `config emit`: the device tree and the IORT table say what the configuration says, have the form their readers want
// (dtc and iasl where they are installed, the bytes read back everywhere), and wrong input is refused.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <numeric>

#include "platform/config/load.h"
#include "platform/emit/address_map.h"
#include "platform/emit/device_tree.h"
#include "platform/emit/iort.h"
#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

NamedSmmu smmu_at(std::uint64_t base, const std::string& name) {
  NamedSmmu smmu;
  smmu.name = name;
  smmu.config.frame_base = Pa(base);
  return smmu;
}

EndpointConfig endpoint_at(std::uint16_t rid, std::uint32_t stream, std::size_t smmu) {
  EndpointConfig endpoint;
  endpoint.rid = rid;
  endpoint.stream_id = stream;
  endpoint.smmu = smmu;
  return endpoint;
}

PlatformConfig two_smmus() {
  PlatformConfig config;
  config.smmus = {smmu_at(0x905'0000, "a"), smmu_at(0x907'0000, "b")};
  // 8 and 9 continue each other at the first SMMU; 10 has another SMMU, 0x100 another stream.
  config.endpoints = {endpoint_at(9, 0x1001, 0), endpoint_at(8, 0x1000, 0), endpoint_at(10, 0x1002, 1),
                      endpoint_at(0x100, 7, 1)};
  return config;
}

PlatformConfig with_ats() {
  PlatformConfig config;
  spec::Features& features = config.smmus[0].config.features;
  features.ats = features.pri = true;
  features.ssidsize = 16;
  features.httu = spec::Httu::access_dirty;
  config.endpoint_template.pasid_bits = 20;
  return config;
}

PlatformConfig without_its() {
  PlatformConfig config;
  config.msi.size = 0x1000;
  return config;
}

PlatformConfig plain() {
  PlatformConfig config;
  spec::Features& features = config.smmus[0].config.features;
  features.msi = features.cohacc = false;
  features.sidsize = 8;
  return config;
}

PlatformConfig with_vatos() {
  PlatformConfig config;
  config.smmus[0].config.features.vatos = true;
  config.smmus[0].config.features.ba_vatos = 2;
  return config;
}

PlatformConfig defaults() {
  return {};
}

struct Case {
  const char* name;
  PlatformConfig (*config)();
};
const Case cases[] = {{"Defaults", defaults}, {"TwoSmmus", two_smmus}, {"Ats", with_ats},
                      {"NoIts", without_its}, {"Plain", plain},        {"Vatos", with_vatos}};

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

/// True if a program of that name is in PATH.
bool installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) == 0;
}

/// Runs a shell command; gives its output, standard error included.
std::string output_of(const std::string& command, int& status) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk.data(), n);
  status = pclose(pipe);
  return text;
}

struct Line {
  PlatformConfig (*config)();
  const char* has;
  const char* lacks;
};

class DeviceTreeLines : public testing::TestWithParam<Line> {};

TEST_P(DeviceTreeLines, SayWhatTheConfigurationSays) {
  const std::string text = emit::device_tree_source(GetParam().config());
  EXPECT_NE(text.find(GetParam().has), std::string::npos) << text;
  if (GetParam().lacks != nullptr) {
    EXPECT_EQ(text.find(GetParam().lacks), std::string::npos) << text;
  }
}

const Line tree_lines[] = {
    {defaults, "smmu0: iommu@9050000 {\n\t\tcompatible = \"arm,smmu-v3\";\n\t\treg = <0x0 0x9050000 0x0 0x20000>;",
     "smmu1"},
    {defaults, "\t\t#iommu-cells = <1>;\n", "ats-supported"},
    {defaults,
     "interrupts = <0 74 1>, <0 77 1>, <0 76 1>;\n\t\tinterrupt-names = \"eventq\", \"gerror\", \"cmdq-sync\";",
     "priq"},
    {defaults, "\t\tdma-coherent;\n\t\tmsi-parent = <&its 0x10000>;\n", nullptr},
    {defaults, "iommu-map = <0x0 &smmu0 0x0 0x10000>;", nullptr},
    {defaults, "memory@40000000 {\n\t\tdevice_type = \"memory\";\n\t\treg = <0x0 0x40000000 0x100 0x0>;", nullptr},
    {defaults, "its: msi-controller@8080000 {", nullptr},
    {defaults,
     "compatible = \"pci-host-ecam-generic\";\n\t\tdevice_type = \"pci\";\n"
     "\t\treg = <0x0 0x30000000 0x0 0x10000000>;\n\t\tbus-range = <0x0 0xff>;",
     nullptr},
    {defaults, "ranges = <0x2000000 0x0 0x10000000 0x0 0x10000000 0x0 0x20000000>;", nullptr},
    {defaults, "msi-map = <0x0 &its 0x0 0x10000>;", nullptr},
    {two_smmus,
     "iommu-map = <0x8 &smmu0 0x1000 0x2>,\n\t\t\t    <0xa &smmu1 0x1002 0x1>,\n"
     "\t\t\t    <0x100 &smmu1 0x7 0x1>;",
     nullptr},
    {two_smmus, "interrupts = <0 78 1>, <0 81 1>, <0 80 1>;", nullptr},
    {two_smmus, "msi-parent = <&its 0x10001>;", nullptr},
    {with_ats, "\t\tats-supported;\n", nullptr},
    {with_ats,
     "interrupts = <0 74 1>, <0 77 1>, <0 75 1>, <0 76 1>;\n"
     "\t\tinterrupt-names = \"eventq\", \"gerror\", \"priq\", \"cmdq-sync\";",
     nullptr},
    {without_its, "compatible = \"arm,gic-v3\";", "its:"},
    {plain, "\"cmdq-sync\";\n\t\t#iommu-cells", "msi-parent"},
    {plain, "iommu-map = <0x0 &smmu0 0x0 0x100>;", nullptr},
};
INSTANTIATE_TEST_SUITE_P(Rows, DeviceTreeLines, testing::ValuesIn(tree_lines));

class DeviceTree : public testing::TestWithParam<Case> {};

TEST_P(DeviceTree, IsCompiledByDtcWithoutAWord) {
  if (!installed("dtc")) GTEST_SKIP() << "dtc is not installed (Debian package device-tree-compiler)";
  const TemporaryFolder folder;
  const std::string source = folder.write("platform.dts", emit::device_tree_source(GetParam().config()));
  int status = 0;
  EXPECT_EQ(output_of("dtc -I dts -O dtb -o '" + folder.path("platform.dtb") + "' '" + source + "'", status), "");
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(Configurations, DeviceTree, testing::ValuesIn(cases), case_name);

std::uint64_t number(const Bytes& bytes, std::size_t at, unsigned size) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i != size; ++i) value |= std::uint64_t{bytes.at(at + i)} << 8 * i;
  return value;
}

struct Mapping {
  std::uint64_t input, ids_less_one, output, reference, flags;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// A node as a reader finds it. `at`: its place in the table.
struct Node {
  std::size_t at = 0;
  std::uint64_t type = 0, length = 0, revision = 0, identifier = 0;
  std::vector<Mapping> mappings;
};

std::vector<Node> nodes_of(const Bytes& table) {
  std::vector<Node> nodes;
  std::size_t at = number(table, 40, 4);
  for (std::uint64_t left = number(table, 36, 4); left != 0; --left) {
    Node node{at, number(table, at, 1), number(table, at + 1, 2), number(table, at + 3, 1), number(table, at + 4, 4),
              {}};
    const std::uint64_t count = number(table, at + 8, 4);
    for (std::uint64_t i = 0; i != count; ++i) {
      const std::size_t row = at + number(table, at + 12, 4) + 20 * i;
      node.mappings.push_back({number(table, row, 4), number(table, row + 4, 4), number(table, row + 8, 4),
                               number(table, row + 12, 4), number(table, row + 16, 4)});
    }
    nodes.push_back(node);
    at += node.length;
  }
  return nodes;
}

const Node& the_node(const std::vector<Node>& nodes, std::uint64_t type, std::size_t index = 0) {
  for (const Node& node : nodes) {
    if (node.type == type && index-- == 0) return node;
  }
  throw std::out_of_range("the table has no such node");
}

constexpr std::uint64_t its_group = 0;
constexpr std::uint64_t root_complex = 2;
constexpr std::uint64_t smmu_v3 = 4;

class Iort : public testing::TestWithParam<Case> {};

TEST_P(Iort, HasAHeaderThatFits) {
  const Bytes table = emit::iort_table(GetParam().config());
  EXPECT_EQ(std::string(table.begin(), table.begin() + 4), "IORT");
  EXPECT_EQ(number(table, 4, 4), table.size());
  EXPECT_EQ(table[8], 6);
  EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0U) % 256, 0u);
  EXPECT_EQ(number(table, 40, 4), 48u);
}

TEST_P(Iort, HasNodesThatFillItAndReferToEachOther) {
  const Bytes table = emit::iort_table(GetParam().config());
  const std::vector<Node> nodes = nodes_of(table);
  std::map<std::uint64_t, std::uint64_t> type_at;
  std::size_t end = 48;
  for (std::size_t i = 0; i != nodes.size(); ++i) {
    EXPECT_EQ(nodes[i].at, end);
    EXPECT_EQ(nodes[i].identifier, i);
    type_at[nodes[i].at] = nodes[i].type;
    end += nodes[i].length;
  }
  EXPECT_EQ(end, table.size());
  for (const Node& node : nodes) {
    for (const Mapping& mapping : node.mappings) {
      ASSERT_EQ(type_at.count(mapping.reference), 1u);
      EXPECT_EQ(type_at[mapping.reference], node.type == root_complex ? smmu_v3 : its_group);
    }
  }
}

TEST_P(Iort, IsDisassembledByIaslWithoutAnError) {
  if (!installed("iasl")) GTEST_SKIP() << "iasl is not installed (Debian package acpica-tools)";
  const TemporaryFolder folder;
  const Bytes table = emit::iort_table(GetParam().config());
  const std::string file = folder.write("iort.aml", std::string(table.begin(), table.end()));
  int status = 0;
  std::string said = output_of("iasl -d '" + file + "'", status);
  said += read_text(folder.path("iort.dsl"));
  EXPECT_EQ(status, 0) << said;
  for (const char* word : {"rror", "arning", "ncorrect", "nvalid", "nknown", "**"}) {
    EXPECT_EQ(said.find(word), std::string::npos) << word << "\n" << said;
  }
  EXPECT_NE(said.find("Device ID Mapping Index"), std::string::npos) << said;
  EXPECT_NE(said.find("PCI Segment Number"), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(Configurations, Iort, testing::ValuesIn(cases), case_name);

struct SmmuFields {
  std::uint64_t revision, base, flags, vatos, model, event, pri, gerror, sync, index;
  friend bool operator==(const SmmuFields&, const SmmuFields&) = default;
};

SmmuFields smmu_fields(const PlatformConfig& config, std::size_t index = 0) {
  const Bytes table = emit::iort_table(config);
  const Node node = the_node(nodes_of(table), smmu_v3, index);
  const std::size_t at = node.at;
  return {node.revision,
          number(table, at + 16, 8),
          number(table, at + 24, 4),
          number(table, at + 32, 8),
          number(table, at + 40, 4),
          number(table, at + 44, 4),
          number(table, at + 48, 4),
          number(table, at + 52, 4),
          number(table, at + 56, 4),
          number(table, at + 64, 4)};
}

TEST(IortSmmu, IsCoherentWithWiredInterruptsAndADeviceId) {
  EXPECT_EQ(smmu_fields(defaults()), (SmmuFields{5, 0x905'0000, 0x11, 0, 0, 106, 0, 109, 108, 1}));
}

TEST(IortSmmu, HasItsOwnInterruptsBesideAnother) {
  EXPECT_EQ(smmu_fields(two_smmus(), 1), (SmmuFields{5, 0x907'0000, 0x11, 0, 0, 110, 0, 113, 112, 2}));
}

TEST(IortSmmu, TellsOfPriAndHttu) {
  EXPECT_EQ(smmu_fields(with_ats()), (SmmuFields{5, 0x905'0000, 0x15, 0, 0, 106, 107, 109, 108, 1}));
}

TEST(IortSmmu, WithoutMsiHasNoDeviceId) {
  EXPECT_EQ(smmu_fields(plain()), (SmmuFields{5, 0x905'0000, 0, 0, 0, 106, 0, 109, 108, 0}));
}

TEST(IortSmmu, GivesTheVatosPage) {
  EXPECT_EQ(smmu_fields(with_vatos()).vatos, 0x905'0000u + 0x2'0000 + 2 * 0x1'0000);
}

TEST(IortMappings, LeadFromRidToStreamAndBackToTheRidAsDeviceId) {
  const std::vector<Node> nodes = nodes_of(emit::iort_table(two_smmus()));
  const std::uint64_t its = the_node(nodes, its_group).at;
  const std::uint64_t first = the_node(nodes, smmu_v3, 0).at, second = the_node(nodes, smmu_v3, 1).at;
  EXPECT_EQ(the_node(nodes, root_complex).mappings,
            (std::vector<Mapping>{{8, 1, 0x1000, first, 0}, {10, 0, 0x1002, second, 0}, {0x100, 0, 7, second, 0}}));
  EXPECT_EQ(the_node(nodes, smmu_v3, 0).mappings,
            (std::vector<Mapping>{{0x1000, 1, 8, its, 0}, {0, 0, 0x1'0000, its, 1}}));
  EXPECT_EQ(the_node(nodes, smmu_v3, 1).mappings,
            (std::vector<Mapping>{{0x1002, 0, 10, its, 0}, {7, 0, 0x100, its, 0}, {0, 0, 0x1'0001, its, 1}}));
}

TEST(IortMappings, EndAtTheSmmuWithoutAnIts) {
  const std::vector<Node> nodes = nodes_of(emit::iort_table(without_its()));
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_TRUE(the_node(nodes, smmu_v3).mappings.empty());
}

struct RootFields {
  std::uint64_t revision, coherent, access_flags, ats, segment, address_bits, pasid, flags;
  friend bool operator==(const RootFields&, const RootFields&) = default;
};

RootFields root_fields(const PlatformConfig& config) {
  const Bytes table = emit::iort_table(config);
  const Node node = the_node(nodes_of(table), root_complex);
  const std::size_t at = node.at;
  return {node.revision,
          number(table, at + 16, 4),
          number(table, at + 23, 1),
          number(table, at + 24, 4),
          number(table, at + 28, 4),
          number(table, at + 32, 1),
          number(table, at + 33, 2),
          number(table, at + 36, 4)};
}

TEST(IortRootComplex, IsCoherentAndReaches64Bits) {
  EXPECT_EQ(root_fields(defaults()), (RootFields{4, 1, 3, 0, 0, 64, 0, 0}));
}

TEST(IortRootComplex, TellsOfAtsPriAndPasids) {
  // The function has 20 bits of PASID, its SMMU takes 16.
  EXPECT_EQ(root_fields(with_ats()), (RootFields{4, 1, 3, 7, 0, 64, 16, 1}));
}

TEST(AcpiDump, HoldsTheTablesBytes) {
  const Bytes table = emit::iort_table(defaults());
  const std::vector<std::string> lines = lines_of(emit::acpi_dump(table));
  ASSERT_EQ(lines.front(), "IORT @ 0x0000000000000000");
  ASSERT_EQ(lines.back(), "");
  Bytes read;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    char place[16];
    std::snprintf(place, sizeof place, "    %04zX: ", read.size());
    ASSERT_EQ(lines[i].substr(0, 10), place);
    for (std::size_t at = 10; at + 2 < 58 && lines[i][at] != ' '; at += 3) {
      read.push_back(static_cast<std::uint8_t>(std::stoul(lines[i].substr(at, 2), nullptr, 16)));
    }
  }
  EXPECT_EQ(read, table);
}

std::string refusal(const PlatformConfig& config) {
  try {
    emit::device_tree_source(config);
    emit::iort_table(config);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(EmitRefuses, TwoEndpointsWithOneAddress) {
  PlatformConfig config;
  config.endpoints = {endpoint_at(8, 1, 0), endpoint_at(8, 2, 0)};
  EXPECT_NE(refusal(config).find("two endpoints have the PCI address 00:01.0; "), std::string::npos) << refusal(config);
}

TEST(EmitRefuses, MemoryInThePcieWindows) {
  PlatformConfig config;
  config.memory.base = 0x3800'0000;
  EXPECT_NE(refusal(config).find("main memory at 0x38000000"), std::string::npos) << refusal(config);
  EXPECT_NE(refusal(config).find("; move memory.base"), std::string::npos) << refusal(config);
}

TEST(EmitRefuses, AnItsThatIsNotAligned) {
  PlatformConfig config;
  config.msi.base += 0x1000;
  EXPECT_NE(refusal(config).find("begins at 0x8081000; "), std::string::npos) << refusal(config);
}

TEST(EmitRefuses, MoreSmmusThanInterrupts) {
  PlatformConfig config;
  config.smmus.clear();
  for (std::uint64_t i = 0; i != 229; ++i) config.smmus.push_back(smmu_at((i + 1) << 41, std::to_string(i)));
  EXPECT_NE(refusal(config).find("229 SMMUs"), std::string::npos) << refusal(config);
  config.smmus.pop_back();
  EXPECT_EQ(refusal(config), "accepted");
}

TEST(EmitRefuses, MoreRangesThanANodeHolds) {
  PlatformConfig config;
  for (std::uint16_t i = 0; i != 3274; ++i) {
    config.endpoints.push_back(endpoint_at(static_cast<std::uint16_t>(2 * i), i, 0));
  }
  EXPECT_NE(refusal(config).find("; give endpoints consecutive bdf and stream_id"), std::string::npos)
      << refusal(config);
  config.endpoints.resize(3272);  // and the SMMU's own DeviceID
  EXPECT_EQ(refusal(config), "accepted");
}

struct BadCall {
  std::vector<std::string> arguments;
  const char* says;
};

class EmitBadInput : public testing::TestWithParam<BadCall> {};

TEST_P(EmitBadInput, IsExitTwoWithOneLineAndNothingElse) {
  const Finished finished = run_program(GetParam().arguments);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  ASSERT_EQ(lines_of(finished.err).size(), 1u) << finished.err;
  EXPECT_EQ(finished.err.find("smmusim: "), 0u) << finished.err;
  EXPECT_NE(finished.err.find("; "), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find(GetParam().says), std::string::npos) << finished.err;
}

const BadCall bad_calls[] = {
    {{"config", "emit"}, "neither --dts nor --iort is given; give one of --dts and --iort"},
    {{"config", "emit", "--dts", "--iort"}, "both --dts and --iort are given; give one of --dts and --iort"},
    {{"config", "emit", "--dts", "--set", "smmu.oass=48"}, "the nearest is smmu.oas"},
    {{"config", "emit", "--dts", "no/such.toml"}, "no/such.toml: "},
    {{"config", "emit", "--iort", "-o", "no/such/folder/iort.aml"}, "no/such/folder"},
    {{"config", "emit", "--dts", "-o"}, "see smmusim config emit --help"},
    {{"config", "emit", "--dts", "--set", "smmu.frame_base=0x10000000"}, "an SMMU's registers at 0x10000000"},
};
INSTANTIATE_TEST_SUITE_P(Rows, EmitBadInput, testing::ValuesIn(bad_calls));

TEST(EmitProgram, WritesTheTreeToStandardOutput) {
  const Finished finished = run_program({"config", "emit", "--dts", "--set", "smmu.frame_base=0x9060000"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  PlatformConfig config;
  config.smmus[0].config.frame_base = Pa(0x906'0000);
  EXPECT_EQ(finished.out, emit::device_tree_source(config));
}

TEST(EmitProgram, WritesTheTableAsTextWithoutAFile) {
  const Finished finished = run_program({"config", "emit", "--iort"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.out, emit::acpi_dump(emit::iort_table(defaults())));
}

TEST(EmitProgram, WritesTheTableAsBytesIntoAFile) {
  const TemporaryFolder folder;
  const std::string toml = folder.write("c.toml", "[[endpoint]]\nbdf = \"00:01.0\"\n");
  const std::string path = folder.path("iort.aml");
  const Finished finished = run_program({"config", "emit", "--iort", toml, "-o", path});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.out, path + ": 240 bytes\n");
  PlatformConfig config;
  config.endpoints = {endpoint_at(8, 8, 0)};
  const Bytes table = emit::iort_table(config);
  EXPECT_EQ(read_text(path), std::string(table.begin(), table.end()));
}

TEST(EmitProgram, WritesBytesToStandardOutputWhenThatIsNamed) {
  const Bytes table = emit::iort_table(defaults());
  EXPECT_EQ(run_program({"config", "emit", "--iort", "-o", "-"}).out, std::string(table.begin(), table.end()));
}

TEST(EmitProgram, DoesNotWriteOverItsConfiguration) {
  const TemporaryFolder folder;
  const std::string toml = folder.write("c.toml", "seed = 1\n");
  EXPECT_EQ(run_program({"config", "emit", "--dts", toml, "-o", toml}).exit_code, 2);
  EXPECT_EQ(read_text(toml), "seed = 1\n");
}

TEST(EmitProgram, HasHelpWithAnExample) {
  const Finished finished = run_program({"config", "emit", "--help"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_NE(finished.out.find("Example:\n  smmusim config emit --dts"), std::string::npos) << finished.out;
}

}  // namespace
}  // namespace smmusim::test

// SPDX-License-Identifier: MIT
// HWPT_INVALIDATE: what the physical SMMU gets of a guest's commands, in batches, and what is left after a bad one, by
// kernel version.
#include <gtest/gtest.h>

#include "model/smmu/observer.h"
#include "platform/driver/commands.h"
#include "tests/host/host_bench.h"

namespace smmusim::host {
namespace {

using spec::Command;

/// The commands that the physical SMMU has consumed.
struct Commands : Observer {
  std::vector<Command> all;
  void command(const Command& command, spec::CommandError error) override {
    EXPECT_EQ(error, spec::CommandError::CERROR_NONE);
    all.push_back(command);
  }
};

SimulatedHostConfig with_kernel(const std::string& kernel) {
  SimulatedHostConfig config = bench_config();
  config.kernel = kernel;
  return config;
}

struct InvalidateBench {
  explicit InvalidateBench(const std::string& kernel = "7.1")
      : bench(with_kernel(kernel), 0, {&commands}), nest(bench) {
    commands.all.clear();
  }
  /// What comes of one command: the physical one, before the CMD_SYNC.
  Command rewritten(const Command& command) {
    commands.all.clear();
    EXPECT_TRUE(nest.viommu->invalidate({&command, 1}).ok());
    EXPECT_EQ(commands.all.size(), 2u);
    if (commands.all.size() != 2) return {};
    EXPECT_EQ(commands.all[1].get<Command::OP>(), spec::Opcode::CMD_SYNC);
    return commands.all[0];
  }

  Commands commands;
  HostBench bench;
  Nest nest;
};

struct RewriteRow {
  const char* what;
  std::uint64_t in[2], out[2];  // VMID of the host is 1, StreamID 0x21 is 8
};

TEST(Invalidate, CommandsAreRewritten) {
  const RewriteRow rows[] = {{"NSNH_ALL becomes NH_ALL", {0x30, 0}, {0x1'0000'0010, 0}},
                             {"NSNH_ALL loses all else", {0x5555'5555'5555'5530, 7}, {0x1'0000'0010, 0}},
                             {"NH_ALL", {0x77'0000'0010, 0}, {0x1'0000'0010, 0}},
                             {"NH_ASID keeps the ASID", {0x1234'0077'0000'0011, 0}, {0x1234'0001'0000'0011, 0}},
                             {"NH_VA", {0x1234'0077'0000'0012, 0xffff'f001}, {0x1234'0001'0000'0012, 0xffff'f001}},
                             {"NH_VAA", {0x0077'0000'0013, 0xffff'f000}, {0x0001'0000'0013, 0xffff'f000}},
                             {"ATC_INV", {0x21'0000'0040, 52}, {0x8'0000'0040, 52}},
                             {"CFGI_CD keeps the SubstreamID", {0x21'0000'5005, 1}, {0x8'0000'5005, 1}},
                             {"CFGI_CD_ALL", {0x21'0000'0006, 0}, {0x8'0000'0006, 0}}};
  InvalidateBench bench;
  for (const RewriteRow& row : rows) {
    Command in;
    in.dw = {row.in[0], row.in[1]};
    const Command out = bench.rewritten(in);
    EXPECT_EQ(out.dw[0], row.out[0]) << row.what;
    EXPECT_EQ(out.dw[1], row.out[1]) << row.what;
  }
}

TEST(Invalidate, EveryOtherOpcodeIsRefused) {
  InvalidateBench bench;
  for (unsigned opcode = 0; opcode != 256; ++opcode) {
    const bool taken =
        opcode == 0x30 || (opcode >= 0x10 && opcode <= 0x13) || opcode == 0x40 || opcode == 5 || opcode == 6;
    Command command;
    command.dw = {std::uint64_t{0x21} << 32 | opcode, 0};
    bench.commands.all.clear();
    EXPECT_EQ(bench.nest.viommu->invalidate({&command, 1}).error, taken ? 0 : EIO) << opcode;
    EXPECT_EQ(bench.commands.all.empty(), !taken) << opcode;
  }
}

TEST(Invalidate, UnknownStreamsAreRefused) {
  InvalidateBench bench;
  for (const Command& command :
       {make_atc_inv(StreamId(8), 0, 0), make_cfgi_cd(StreamId(8), SubstreamId(0)), make_cfgi_cd_all(StreamId(8))}) {
    EXPECT_EQ(bench.nest.viommu->invalidate({&command, 1}).error, EIO);
  }
  bench.nest.vdevice.reset();
  const Command command = make_atc_inv(StreamId(0x21), 0, 0);
  EXPECT_EQ(bench.nest.viommu->invalidate({&command, 1}).error, EIO);
}

TEST(Invalidate, OneCallIsBatchesOf63AndASync) {
  InvalidateBench bench;
  const std::vector<Command> commands(150, make_tlbi_nh_asid(Vmid(0), Asid(3)));
  const auto before = bench.bench.log->count(abi::hwpt_invalidate).calls;
  EXPECT_TRUE(bench.nest.viommu->invalidate(commands).ok());
  EXPECT_EQ(bench.bench.log->count(abi::hwpt_invalidate).calls, before + 1);
  std::vector<std::size_t> syncs;
  for (std::size_t i = 0; i != bench.commands.all.size(); ++i) {
    if (bench.commands.all[i].get<Command::OP>() == spec::Opcode::CMD_SYNC) syncs.push_back(i);
  }
  EXPECT_EQ(syncs, (std::vector<std::size_t>{63, 127, 152}));
  EXPECT_EQ(bench.bench.host.counters().batches, 3u);
  EXPECT_EQ(bench.bench.host.counters().invalidations, 150u);
}

struct PartialRow {
  const char* kernel;
  std::size_t bad;        // index of the bad command of 200
  std::uint32_t handled;  // what the kernel says
  std::size_t issued;     // what the SMMU got, CMD_SYNCs left out
};

TEST(Invalidate, WhatIsLeftAfterABadCommand) {
  const PartialRow rows[] = {{"6.13", 0, 0, 0},      {"6.13", 62, 62, 0},   {"6.13", 63, 63, 63},
                             {"6.13", 100, 100, 63}, {"7.1", 100, 100, 63}, {"7.2", 100, 100, 63},
                             {"7.1", 199, 199, 189}, {"7.4", 0, 0, 0},      {"7.4", 62, 0, 0},
                             {"7.4", 63, 63, 63},    {"7.4", 100, 63, 63},  {"7.4", 199, 189, 189}};
  for (const PartialRow& row : rows) {
    InvalidateBench bench(row.kernel);
    std::vector<Command> commands(200, make_tlbi_nh_asid(Vmid(0), Asid(3)));
    commands[row.bad] = make_cfgi_all();
    const Invalidation result = bench.nest.viommu->invalidate(commands);
    EXPECT_EQ(result.error, EIO) << row.kernel << " " << row.bad;
    EXPECT_EQ(result.handled, row.handled) << row.kernel << " " << row.bad;
    std::size_t issued = 0;
    for (const Command& command : bench.commands.all) issued += command.get<Command::OP>() != spec::Opcode::CMD_SYNC;
    EXPECT_EQ(issued, row.issued) << row.kernel << " " << row.bad;
  }
}

TEST(Invalidate, UnmapInvalidatesStageTwoThenStageOneOfTheVmid) {
  InvalidateBench bench;
  ASSERT_TRUE(bench.nest.ioas->map(0x6000'0000, guest_user_va, 0x1000).ok());
  bench.commands.all.clear();
  ASSERT_TRUE(bench.nest.ioas->unmap(0x6000'0000, 0x1000).ok());
  std::vector<spec::Opcode> opcodes;
  for (const Command& command : bench.commands.all) opcodes.push_back(command.get<Command::OP>());
  EXPECT_EQ(opcodes, (std::vector<spec::Opcode>{spec::Opcode::CMD_TLBI_S2_IPA, spec::Opcode::CMD_SYNC,
                                                spec::Opcode::CMD_TLBI_NH_ALL, spec::Opcode::CMD_SYNC}));
  EXPECT_EQ(bench.commands.all[0].get<Command::VMID>(), 1u);
}

TEST(Invalidate, SteChangesInOneStepOrByWayOfInvalid) {
  InvalidateBench bench;
  const auto cfgi = [&] {
    std::size_t count = 0;
    for (const Command& command : bench.commands.all) count += command.get<Command::OP>() == spec::Opcode::CMD_CFGI_STE;
    bench.commands.all.clear();
    return count;
  };
  const auto attach = [&](const SteWords& ste) {
    EXPECT_TRUE(bench.nest.device->attach(*bench.nest.viommu->alloc_nested(*bench.nest.device, ste)).ok());
    return cfgi();
  };
  EXPECT_EQ(attach({0x4100'000b, 0xf4}), 2u);  // abort: what it does not look at first, then Config and the rest
  EXPECT_EQ(attach({0x4200'000b, 0xf4}), 1u);  // another context pointer: one doubleword
  EXPECT_EQ(attach({0x4200'000b, 0xf4}), 0u);  // the same
  EXPECT_EQ(attach({0x4300'000b, 0x04}), 3u);  // both doublewords that are looked at: V=0, the rest, V=1
  EXPECT_EQ(attach({0x1, 0}), 2u);             // abort: Config, then clean up
}

}  // namespace
}  // namespace smmusim::host

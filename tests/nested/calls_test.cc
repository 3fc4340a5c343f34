// SPDX-License-Identifier: MIT
// The calls that each thing a guest does makes of the host, in their order: the golden log of each action. Then the
// same actions with every one of those calls failing in turn: what the guest sees is architected, it gets where it
// wanted to be once the host works again, and nothing is left on the host.
#include <gtest/gtest.h>

#include <cerrno>

#include "model/spec/registers.h"
#include "tests/nested/nested_bench.h"

namespace smmusim::nested {
namespace {

using spec::Command;
using spec::Ste;

constexpr std::uint64_t iova = NestedBench::iova;
namespace reg = spec::reg;

/// The names of the calls, and after a colon what else the row is about.
std::vector<std::string> names(const std::vector<std::string>& lines) {
  std::vector<std::string> list;
  for (const std::string& line : lines) {
    const std::string name = line.substr(0, line.find(' '));
    if (name == "read" || name == "open" || name == "close" || name == "#") continue;
    list.push_back(name);
  }
  return list;
}

struct Action {
  const char* name;
  void (*prepare)(NestedBench& bench);
  void (*act)(NestedBench& bench);
  std::vector<std::string> calls;
  /// Where device 0 then reaches through iova, or through the address itself.
  enum class Then : std::uint8_t { translates, bypasses, blocked } then;
};

void enabled(NestedBench& bench) {
  ASSERT_TRUE(bench.enable());
}
void translating(NestedBench& bench) {
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
}
void set_stage1(NestedBench& bench) {
  bench.configure(0, bench.stage1_ste(0));
}

const std::string alloc = "IOMMU_HWPT_ALLOC", attach = "VFIO_DEVICE_ATTACH_IOMMUFD_PT", destroy = "IOMMU_DESTROY",
                  invalidate = "IOMMU_HWPT_INVALIDATE", detach = "VFIO_DEVICE_DETACH_IOMMUFD_PT";

std::vector<Action> actions() {
  using Then = Action::Then;
  return {
      {"SMMUEN with one stream of two that translates",
       [](NestedBench& bench) { bench.write_stage1_ste(0); },
       [](NestedBench& bench) { bench.enable(); },
       {invalidate, alloc, attach, attach},
       Then::translates},
      {"CFGI_STE of an STE that now translates", enabled, set_stage1, {alloc, attach}, Then::translates},
      {"CFGI_STE to another CD: made before the old one is broken",
       translating,
       [](NestedBench& bench) { bench.configure(0, bench.stage1_ste(1)); },
       {alloc, attach, destroy},
       Then::blocked},
      {"CFGI_STE that changes nothing",
       translating,
       [](NestedBench& bench) { bench.execute({make_cfgi_ste(NestedBench::stream(0))}); },
       {invalidate},
       Then::translates},
      {"CFGI_STE to bypass",
       translating,
       [](NestedBench& bench) { bench.configure(0, make_bypass_ste()); },
       {attach, destroy},
       Then::bypasses},
      {"CFGI_STE to abort",
       translating,
       [](NestedBench& bench) { bench.configure(0, make_abort_ste()); },
       {attach, destroy},
       Then::blocked},
      {"CFGI_STE of an STE that is not valid: the trap, made once",
       translating,
       [](NestedBench& bench) { bench.configure(0, Ste{}); },
       {alloc, attach, destroy},
       Then::blocked},
      {"CFGI_ALL that changes nothing",
       translating,
       [](NestedBench& bench) { bench.execute({make_cfgi_all()}); },
       {invalidate},
       Then::translates},
      {"invalidations up to a CMD_SYNC: one call",
       translating,
       [](NestedBench& bench) {
         bench.execute({make_tlbi_nh_asid(Vmid(0), Asid(1)), make_cfgi_cd_all(NestedBench::stream(0)),
                        make_tlbi_nh_all(Vmid(0))});
       },
       {invalidate},
       Then::translates},
      {"a CMD_SYNC alone", translating, [](NestedBench& bench) { bench.sync(); }, {}, Then::translates},
      {"GBPA while SMMUEN is 0",
       [](NestedBench&) {},
       [](NestedBench& bench) {
         bench.smmu().write_register(reg::GBPA, spec::GBPA::Update::mask | spec::GBPA::ABORT::mask, 4);
         bench.engine().run();
       },
       {attach, attach},
       Then::blocked},
      {"SMMUEN to 0",
       translating,
       [](NestedBench& bench) { bench.disable(); },
       {attach, destroy, attach},
       Then::bypasses},
  };
}

TEST(NestedCalls, EachActionMakesTheseCallsInThisOrder) {
  for (const Action& action : actions()) {
    SCOPED_TRACE(action.name);
    NestedBench bench;
    action.prepare(bench);
    bench.take_log();
    action.act(bench);
    EXPECT_EQ(names(bench.take_log()), action.calls);
  }
}

TEST(NestedCalls, TheFirstDeviceMakesWhatItsSmmuNeedsAndTheNextOnlyItsOwn) {
  BenchOptions options;
  options.plugged = false;
  NestedBench bench(options);
  ASSERT_TRUE(bench.plug(0).ok());
  EXPECT_EQ(names(bench.take_log()),
            (std::vector<std::string>{"VFIO_DEVICE_BIND_IOMMUFD", "IOMMU_GET_HW_INFO", alloc, "IOMMU_IOAS_IOVA_RANGES",
                                      "IOMMU_VIOMMU_ALLOC", alloc, alloc, "IOMMU_VEVENTQ_ALLOC", "IOMMU_VDEVICE_ALLOC",
                                      attach}));
  ASSERT_TRUE(bench.plug(1).ok());
  EXPECT_EQ(names(bench.take_log()),
            (std::vector<std::string>{"VFIO_DEVICE_BIND_IOMMUFD", "IOMMU_GET_HW_INFO", "IOMMU_IOAS_IOVA_RANGES",
                                      "IOMMU_VDEVICE_ALLOC", attach}));
}

bool reaches_its_goal(NestedBench& bench, Action::Then then) {
  switch (then) {
    case Action::Then::translates:
      return bench.reaches(0, iova) == bench.page_of(0);
    case Action::Then::bypasses:
      return bench.reaches(0, NestedBench::ram) == NestedBench::ram;
    case Action::Then::blocked:
      return bench.reaches(0, iova) != bench.page_of(0);
  }
  return false;
}

/// One failure: the `nth` call of this kind within the action.
struct Failure {
  std::uint32_t request;
  const char* name;
  int error;
};
constexpr Failure failures[] = {
    {host::abi::hwpt_alloc, "IOMMU_HWPT_ALLOC", ENOMEM},
    {host::abi::hwpt_alloc, "IOMMU_HWPT_ALLOC", EIO},
    {host::abi::hwpt_alloc, "IOMMU_HWPT_ALLOC", EINVAL},
    {host::abi::vfio_attach_iommufd_pt, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", ENOENT},
    {host::abi::vfio_attach_iommufd_pt, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", EBUSY},
    {host::abi::hwpt_invalidate, "IOMMU_HWPT_INVALIDATE", ENOMEM},
    {host::abi::hwpt_invalidate, "IOMMU_HWPT_INVALIDATE", EFAULT},
    {host::abi::hwpt_invalidate, "IOMMU_HWPT_INVALIDATE", EIO},
    {host::abi::iommu_destroy, "IOMMU_DESTROY", EBUSY},
};

/// What a guest may see of a failure: the device never does DMA where the guest has ended it; the queue goes on after
/// GERROR is acknowledged; a CMD_SYNC or the next command for the stream makes it good.
void check_failure(const Action& action, const Failure& failure, unsigned nth) {
  SCOPED_TRACE(testing::Message() << action.name << ": call " << nth << " of " << failure.name << " fails with "
                                  << failure.error);
  NestedBench bench;
  action.prepare(bench);
  bench.host().inject_error(failure.request, nth, failure.error);
  action.act(bench);
  bench.driver().service_errors();
  const std::uint64_t error = bench.smmu().read_register(reg::GERROR, 4) ^ bench.smmu().read_register(reg::GERRORN, 4);
  EXPECT_EQ(error, 0u) << "the guest could acknowledge whatever it was told";
  const bool has_queue = (bench.smmu().read_register(reg::CR0ACK, 4) & spec::CR0::CMDQEN::mask) != 0;
  if (has_queue) {
    EXPECT_TRUE(bench.sync() || bench.sync()) << "the queue does not go on";
  }
  EXPECT_EQ(bench.vsmmu().unsettled_devices(), 0u) << "not made good";
  // An STE that was refused stays C_BAD_STE, and a driver whose reset failed has not enabled anything, until the guest
  // tries again.
  if (!reaches_its_goal(bench, action.then)) action.act(bench);
  EXPECT_TRUE(reaches_its_goal(bench, action.then));
  EXPECT_EQ(bench.objects_after_the_end(), 0u) << "left on the host";
}

TEST(NestedErrnoInjection, EveryCallOfEveryActionMayFail) {
  unsigned injected = 0;
  for (const Action& action : actions()) {
    for (const Failure& failure : failures) {
      const auto calls = static_cast<unsigned>(std::count(action.calls.begin(), action.calls.end(), failure.name));
      for (unsigned nth = 1; nth <= calls; ++nth, ++injected) check_failure(action, failure, nth);
    }
  }
  EXPECT_GT(injected, 40u);
}

TEST(NestedErrnoInjection, ADeviceThatCanNotBePluggedLeavesNothing) {
  struct Site {
    std::uint32_t request;
    unsigned nth;
  };
  constexpr Site sites[] = {
      {host::abi::vfio_bind_iommufd, 1}, {host::abi::get_hw_info, 1},
      {host::abi::hwpt_alloc, 1},        {host::abi::ioas_iova_ranges, 1},
      {host::abi::viommu_alloc, 1},      {host::abi::hwpt_alloc, 2},
      {host::abi::hwpt_alloc, 3},        {host::abi::veventq_alloc, 1},
      {host::abi::vdevice_alloc, 1},     {host::abi::vfio_attach_iommufd_pt, 1},
  };
  for (const Site& site : sites) {
    SCOPED_TRACE(testing::Message() << host::request_name(site.request) << " " << site.nth);
    BenchOptions options;
    options.plugged = false;
    NestedBench bench(options);
    bench.host().inject_error(site.request, site.nth, ENOMEM);
    // What registers ask for is tried twice.
    if (site.request == host::abi::vfio_attach_iommufd_pt)
      bench.host().inject_error(site.request, site.nth + 1, ENOMEM);
    const host::Status status = bench.plug(0);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().error, ENOMEM);
    EXPECT_TRUE(bench.vsmmu().streams().empty());
    ASSERT_TRUE(bench.plug(0).ok()) << "the second time nothing is in the way";
    bench.write_stage1_ste(0);
    ASSERT_TRUE(bench.enable());
    EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
    EXPECT_EQ(bench.objects_after_the_end(), 0u);
  }
}

// Batches.

std::vector<Command> many(unsigned count) {
  std::vector<Command> commands;
  for (unsigned i = 0; i != count; ++i) {
    Command command = make_tlbi_nh_asid(Vmid(0), Asid(static_cast<std::uint16_t>(i)));
    commands.push_back(command);
  }
  return commands;
}

TEST(NestedBatches, NCommandsCostAsManyCallsAsTheLimitDemands) {
  for (const unsigned limit : {1u, 7u, 63u, 64u, 256u}) {
    for (const unsigned count : {1u, 6u, 7u, 8u, 63u, 64u, 65u, 150u}) {
      SCOPED_TRACE(testing::Message() << count << " commands, at most " << limit << " a call");
      BenchOptions options;
      options.vsmmu.batch_max = limit;
      NestedBench bench(options);
      bench.write_stage1_ste(0);
      ASSERT_TRUE(bench.enable());
      bench.take_log();
      const std::uint64_t before = bench.vsmmu().batches().commands;
      ASSERT_TRUE(bench.execute(many(count)));
      EXPECT_EQ(bench.vsmmu().batches().commands - before, count);
      EXPECT_EQ(bench.take_log().size(), (count + limit - 1) / limit);
    }
  }
}

/// A batch with one command that the host does not take: all others have to arrive, whichever kernel it is.
TEST(NestedBatches, ARefusedCommandCostsNoOther) {
  for (const char* kernel : {"7.1", "7.2", "7.4"}) {
    for (const unsigned bad : {0u, 1u, 62u, 63u, 64u, 100u, 149u}) {
      SCOPED_TRACE(testing::Message() << "Linux " << kernel << ", command " << bad);
      BenchOptions options;
      options.kernel = kernel;
      NestedBench bench(options);
      bench.write_stage1_ste(0);
      ASSERT_TRUE(bench.enable());
      InvalidationBatch batch(256);
      batch.set_viommu(bench.vsmmu().viommu());
      std::vector<Command> commands = many(150);
      commands[bad].set<Command::OP>(spec::Opcode::CMD_TLBI_S12_VMALL);
      for (const Command& command : commands) ASSERT_EQ(batch.add(command), spec::CommandError::CERROR_NONE);
      const std::uint64_t before = bench.host().physical_smmu().counters().commands[0x11];
      EXPECT_EQ(batch.flush(), spec::CommandError::CERROR_ILL);
      EXPECT_EQ(batch.pending(), 0u);
      EXPECT_EQ(batch.counters().refused, 1u);
      EXPECT_GE(bench.host().physical_smmu().counters().commands[0x11] - before, 149u);
      EXPECT_EQ(batch.flush(), spec::CommandError::CERROR_NONE);
    }
  }
}

}  // namespace
}  // namespace smmusim::nested

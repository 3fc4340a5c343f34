// SPDX-License-Identifier: MIT
// The driver's stage-2 tables and the STEs that name them: words computed by hand from the Arm ARM (D8.3) and IHI 0070
// section 5.2, and the walk of a real Smmu through them, for every granule and size.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "model/smmu/smmu.h"
#include "platform/driver/commands.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/identity_map.h"
#include "platform/memory/immediate_port.h"

namespace smmusim {
namespace {

constexpr std::uint64_t region = 0x5000'0000;

struct Stage2Table : ::testing::Test {
  SparseMemory memory;
  PageAllocator pages{Pa(region), 64 << 20};
};

struct LeafRow {
  const char* what;
  MapOptions options;
  std::uint64_t expected;  // bits other than the address
};

TEST_F(Stage2Table, LeavesHaveTheirAttributes) {
  const LeafRow rows[] = {{"default", {}, 0x7ff},
                          {"read only", {.write = false}, 0x77f},
                          {"device", {.device = true}, 0x6c7},
                          {"no execution", {.execute = false}, 0x7ff | std::uint64_t{2} << 53},
                          {"privileged and global mean nothing", {.privileged = true, .global = true}, 0x7ff}};
  for (const LeafRow& row : rows) {
    PageTable table(memory, pages, Geometry{}, TableStage::two);
    table.map(0x1000, Pa(0x80000000), 4096, row.options);
    const auto leaf = table.lookup(0x1000);
    ASSERT_TRUE(leaf) << row.what;
    EXPECT_EQ(leaf->descriptor, 0x80000000U | row.expected) << row.what;
  }
}

struct ShapeRow {
  unsigned granule_bits;
  unsigned input_bits;
  int start_level;
  std::uint64_t start_entries;
};

TEST(Geometry, ConcatenationSavesALevelForUpToSixteenTables) {
  const ShapeRow rows[] = {{12, 48, 0, 512},       {12, 44, 0, 32},   {12, 43, 1, 16 * 512},  {12, 40, 1, 2 * 512},
                           {12, 39, 1, 512},       {12, 36, 1, 64},   {12, 34, 2, 16 * 512},  {12, 32, 2, 4 * 512},
                           {14, 48, 1, 2 * 2048},  {14, 47, 1, 2048}, {14, 40, 2, 16 * 2048}, {16, 48, 1, 64},
                           {16, 46, 2, 16 * 8192}, {16, 42, 2, 8192}};
  for (const ShapeRow& row : rows) {
    const Geometry geometry{
        .granule_bits = row.granule_bits, .input_bits = row.input_bits, .output_bits = 48, .concatenated = true};
    EXPECT_EQ(geometry.start_level(), row.start_level) << row.granule_bits << " " << row.input_bits;
    EXPECT_EQ(geometry.start_entries(), row.start_entries) << row.granule_bits << " " << row.input_bits;
  }
}

TEST_F(Stage2Table, ConcatenatedTablesLieSideBySideAndAligned) {
  pages.allocate(4096, 4096);
  const PageTable table(memory, pages, {.input_bits = 40, .output_bits = 40, .concatenated = true}, TableStage::two);
  EXPECT_EQ(table.root().value % 0x2000, 0U);
  EXPECT_EQ(pages.used_bytes(), 0x4000U);
}

TEST_F(Stage2Table, LargestLeafIsBounded) {
  struct Row {
    unsigned leaf_bits_max;
    int level;
  };
  for (const Row row : {Row{12, 3}, {20, 3}, {21, 2}, {29, 2}, {30, 1}, {63, 1}}) {
    PageTable table(memory, pages, Geometry{}, TableStage::two);
    table.map(0x4000'0000, Pa(0x8000'0000), 0x4000'0000, {.blocks = true, .leaf_bits_max = row.leaf_bits_max});
    EXPECT_EQ(table.lookup(0x4123'4000)->level, row.level) << row.leaf_bits_max;
    EXPECT_EQ(table.lookup(0x4123'4000)->address, Pa(0x8123'4000)) << row.leaf_bits_max;
  }
}

TEST_F(Stage2Table, StageTwoSteDescribesTheTable) {
  RecordProperty("rule", "SM-TR-007");
  const PageTable table(memory, pages, {.input_bits = 40, .output_bits = 40, .concatenated = true}, TableStage::two);
  const spec::Ste ste = make_stage2_ste(table, Vmid(7));
  EXPECT_EQ(ste.dw[0], 6U << 1 | 1U);
  EXPECT_EQ(ste.dw[1], std::uint64_t{1} << 44);
  // T0SZ 24, SL0 1, write-back twice, inner shareable, 4 KiB, PS 40 bits, AA64, PTW, R.
  const std::uint64_t high = 24 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 19 | 1 << 22 | 1 << 26;
  EXPECT_EQ(ste.dw[2], 7U | high << 32);
  EXPECT_EQ(ste.dw[3], table.root().value);
}

TEST_F(Stage2Table, NestedSteIsTheSumOfBoth) {
  const ContextTable contexts(memory, pages, 0);
  const PageTable table(memory, pages, {.concatenated = true}, TableStage::two);
  const spec::Ste one = make_stage1_ste(contexts);
  const spec::Ste two = make_stage2_ste(table, Vmid(0));
  const spec::Ste nested = make_nested_ste(contexts, table, Vmid(0));
  EXPECT_EQ(nested.dw[0], one.dw[0] | 7U << 1);
  EXPECT_EQ(nested.dw[1], one.dw[1]);
  EXPECT_EQ(nested.dw[2], two.dw[2]);
  EXPECT_EQ(nested.dw[3], two.dw[3]);
}

const IdentityRange guest[] = {{0x4000'0000, 0x8123'5000}, {0x802'0000, 0x8'0000, true}, {0x2000'1000, 0x1000, true}};

TEST_F(Stage2Table, IdentityMapsItsRangesAndNothingElse) {
  for (const unsigned leaf_bits : {12U, 21U, 30U}) {
    SparseMemory fresh;
    PageAllocator room(Pa(0x1'0000'0000), 64 << 20);
    PageTable table(fresh, room, {.concatenated = true}, TableStage::two);
    map_identity(table, guest, leaf_bits);
    for (const std::uint64_t in :
         {0x4000'0000ULL, 0x5234'5000ULL, 0xc123'4000ULL, 0x802'0000ULL, 0x809'f000ULL, 0x2000'1000ULL}) {
      const auto leaf = table.lookup(in);
      ASSERT_TRUE(leaf) << std::hex << in;
      EXPECT_EQ(leaf->address, Pa(in));
      EXPECT_LE(leaf->size, std::uint64_t{1} << leaf_bits);
    }
    for (const std::uint64_t out :
         {0x3fff'f000ULL, 0xc123'5000ULL, 0x801'f000ULL, 0x80a'0000ULL, 0x2000'0000ULL, 0x2000'2000ULL}) {
      EXPECT_FALSE(table.lookup(out)) << std::hex << out;
    }
    EXPECT_EQ(table.lookup(0x4000'0000)->size, std::uint64_t{1} << leaf_bits);
  }
}

TEST_F(Stage2Table, TheForecastOfIdentityTablesHolds) {
  for (const unsigned leaf_bits : {12U, 21U, 30U}) {
    for (const unsigned bits : {48U, 40U, 32U}) {
      SparseMemory fresh;
      PageAllocator room(Pa(0x1'0000'0000), 64 << 20);
      const Geometry geometry{.input_bits = bits, .output_bits = bits, .concatenated = true};
      PageTable table(fresh, room, geometry, TableStage::two);
      const std::uint64_t before = room.used_bytes();
      map_identity(table, guest, leaf_bits);
      const std::uint64_t used = room.used_bytes() - before;
      const std::uint64_t forecast = identity_table_bytes(guest, geometry, leaf_bits);
      EXPECT_LE(used, forecast) << leaf_bits << " " << bits;
      EXPECT_LE(forecast, used + 12 * 4096) << leaf_bits << " " << bits;  // shared tables and ends of ranges
    }
  }
}

TEST(Commands, AnIpaIsInvalidatedByVmidWithoutAsid) {
  std::vector<spec::Command> commands;
  append_tlbi_range(
      commands,
      {.opcode = spec::Opcode::CMD_TLBI_S2_IPA, .asid = Asid(9), .vmid = Vmid(3), .address = 0xfffff000, .granules = 1},
      false);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].dw[0], 0x2aU | std::uint64_t{3} << 32);
  EXPECT_EQ(commands[0].dw[1], 0xfffff001U);
}

/// One SMMU with all granules and both stages, and the driver in front of it.
class Stage2Walk : public ::testing::Test {
 protected:
  void build(unsigned oas, DriverStages stages) {
    SmmuConfig config;
    config.timed = false;
    config.features.s2p = true;
    config.features.xnx = true;
    config.features.gran16k = true;
    config.features.gran64k = true;
    config.features.oas = oas;
    build(config, stages);
  }
  void build(const SmmuConfig& config, DriverStages stages) {
    smmu_ = std::make_unique<Smmu>(engine_, port_, nullptr, config);
    RegisterBus bus{[this](std::uint32_t offset, unsigned size) { return smmu_->read_register(offset, size); },
                    [this](std::uint32_t offset, std::uint64_t value, unsigned size) {
                      smmu_->write_register(offset, value, size);
                    }};
    GuestDriverConfig driver;
    driver.stages = stages;
    driver_ = std::make_unique<GuestDriver>(engine_, memory_, pages_, bus, driver);
    streams_.emplace(StreamTable::linear(memory_, pages_, 8));
  }
  void enable() {
    ASSERT_EQ(driver_->probe(), DriverStatus::ok);
    DriverStatus status = DriverStatus::timed_out;
    spawn(scope_, run(status));
    engine_.run();
    ASSERT_EQ(status, DriverStatus::ok);
  }
  Task<> run(DriverStatus& status) { status = co_await driver_->enable(*streams_); }
  Response go(std::uint64_t address, AccessType access = AccessType::read) {
    Transaction transaction;
    transaction.stream_id = StreamId(8);
    transaction.address = Va(address);
    transaction.size = 64;
    transaction.access = access;
    return smmu_->translate(0, transaction);
  }
  /// The only event since the last call; none: a type that no event has.
  spec::Event event() {
    DrainedEvents drained;
    driver_->read_events(drained);
    EXPECT_EQ(drained.events.size(), 1U);
    return drained.events.empty() ? spec::Event{} : drained.events[0];
  }

 public:
  Scope& scope() { return scope_; }

 protected:
  Engine engine_;
  Scope scope_{engine_};
  SparseMemory memory_;
  ImmediatePort port_{memory_};
  PageAllocator pages_{Pa(region), 256 << 20};
  std::unique_ptr<Smmu> smmu_;
  std::unique_ptr<GuestDriver> driver_;
  std::optional<StreamTable> streams_;
};

struct WalkRow {
  unsigned granule_bits;
  unsigned bits;  // of input and output
};
std::string name_of(const ::testing::TestParamInfo<WalkRow>& row) {
  return "granule" + std::to_string(row.param.granule_bits) + "bits" + std::to_string(row.param.bits);
}

class Stage2Sizes : public Stage2Walk, public ::testing::WithParamInterface<WalkRow> {
 protected:
  Geometry geometry() const {
    return {.granule_bits = GetParam().granule_bits,
            .input_bits = GetParam().bits,
            .output_bits = GetParam().bits,
            .concatenated = true};
  }
};
INSTANTIATE_TEST_SUITE_P(Rows, Stage2Sizes,
                         ::testing::Values(WalkRow{12, 32}, WalkRow{12, 36}, WalkRow{12, 40}, WalkRow{12, 42},
                                           WalkRow{12, 44}, WalkRow{12, 48}, WalkRow{14, 32}, WalkRow{14, 36},
                                           WalkRow{14, 40}, WalkRow{14, 42}, WalkRow{14, 44}, WalkRow{14, 48},
                                           WalkRow{16, 32}, WalkRow{16, 36}, WalkRow{16, 40}, WalkRow{16, 42},
                                           WalkRow{16, 44}, WalkRow{16, 48}),
                         name_of);

TEST_P(Stage2Sizes, TheSmmuWalksWhatTheDriverWroteAlone) {
  RecordProperty("rule", "SM-TR-005 SM-TR-007");
  build(GetParam().bits, DriverStages::two);
  PageTable table(memory_, pages_, geometry(), TableStage::two);
  const std::uint64_t granule = geometry().granule_bytes();
  const std::uint64_t last = (std::uint64_t{1} << GetParam().bits) - granule;
  const std::uint64_t block = geometry().span_bytes(2);
  table.map(granule, Pa(last), granule, {});
  table.map(last, Pa(granule), granule, {.write = false});
  table.map(4 * block, Pa(2 * block), block, {.blocks = true});
  streams_->write(StreamId(8), make_stage2_ste(table, Vmid(9)));
  enable();
  EXPECT_EQ(go(granule + 64, AccessType::write).address, Pa(last + 64));
  EXPECT_EQ(go(last + 128).address, Pa(granule + 128));
  EXPECT_EQ(go(5 * block - 64).address, Pa(3 * block - 64));
  EXPECT_EQ(go(2 * granule).outcome, Outcome::abort);
  const spec::Event translation = event();
  EXPECT_EQ(translation.get<spec::Event::Type>(), spec::EventType::F_TRANSLATION);
  EXPECT_TRUE(translation.get<spec::Event::S2>());
  EXPECT_EQ(go(last, AccessType::write).outcome, Outcome::abort);
  EXPECT_EQ(event().get<spec::Event::Type>(), spec::EventType::F_PERMISSION);
}

TEST_P(Stage2Sizes, TheSmmuWalksWhatTheDriverWroteNested) {
  build(GetParam().bits, DriverStages::nested);
  Geometry first = geometry();
  first.concatenated = false;
  PageTable stage1(memory_, pages_, first);
  PageTable stage2(memory_, pages_, geometry(), TableStage::two);
  const std::uint64_t granule = geometry().granule_bytes();
  // Below the driver's region: IPAs that are no identity, so that a stage left out shows.
  stage1.map(granule, Pa(4 * granule), granule, {});
  stage1.map(2 * granule, Pa(8 * granule), granule, {});
  stage2.map(4 * granule, Pa(6 * granule), granule, {});
  const IdentityRange tables[] = {{region, 256 << 20}};
  map_identity(stage2, tables, 63);
  ContextTable contexts(memory_, pages_, 0);
  contexts.write(0, make_stage1_cd(stage1, Asid(3)));
  streams_->write(StreamId(8), make_nested_ste(contexts, stage2, Vmid(0)));
  enable();
  EXPECT_EQ(go(granule + 64, AccessType::write).address, Pa(6 * granule + 64));
  EXPECT_EQ(go(2 * granule).outcome, Outcome::abort);
  const spec::Event fault = event();
  EXPECT_EQ(fault.get<spec::Event::Type>(), spec::EventType::F_TRANSLATION);
  EXPECT_TRUE(fault.get<spec::Event::S2>());
  EXPECT_EQ(fault.get<spec::Event::CLASS>(), spec::EventClass::IN);
  EXPECT_EQ(fault.get<spec::Event::IPA>(), 8 * granule);
  EXPECT_EQ(go(3 * granule).outcome, Outcome::abort);
  EXPECT_FALSE(event().get<spec::Event::S2>());
}

struct StageProbe {
  bool s1p, s2p;
  DriverStages stages;
  DriverStatus expected;
};

TEST_F(Stage2Walk, ProbingRequiresTheStagesThatTheDriverUses) {
  const StageProbe rows[] = {{true, false, DriverStages::one, DriverStatus::ok},
                             {true, false, DriverStages::two, DriverStatus::no_stage2},
                             {true, false, DriverStages::nested, DriverStatus::no_stage2},
                             {false, true, DriverStages::one, DriverStatus::no_stage1},
                             {false, true, DriverStages::two, DriverStatus::ok},
                             {false, true, DriverStages::nested, DriverStatus::no_stage1},
                             {true, true, DriverStages::one, DriverStatus::ok},
                             {true, true, DriverStages::two, DriverStatus::ok},
                             {true, true, DriverStages::nested, DriverStatus::ok}};
  for (const StageProbe& row : rows) {
    SmmuConfig config;
    config.timed = false;
    config.features.s1p = row.s1p;
    config.features.had = row.s1p;
    config.features.s2p = row.s2p;
    config.features.xnx = row.s2p;
    build(config, row.stages);
    EXPECT_EQ(driver_->probe(), row.expected) << row.s1p << row.s2p << static_cast<int>(row.stages);
    EXPECT_NE(describe(driver_->probe()), "");
    driver_.reset();
  }
}

}  // namespace
}  // namespace smmusim

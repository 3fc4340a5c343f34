// SPDX-License-Identifier: MIT
// DirectMachine: a player on one Smmu without SystemC: devices are calls of Smmu::submit, registers are direct calls.
// For tests of the player's semantics; what the real platform adds is tested through Simulation.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/smmu/smmu.h"
#include "platform/driver/guest_driver.h"
#include "platform/driver/identity_map.h"
#include "platform/memory/immediate_port.h"
#include "platform/memory/latency_port.h"
#include "platform/player/play_plan.h"
#include "platform/player/player.h"
#include "platform/trace/writer.h"

namespace smmusim::player_test {

/// A trace file that vanishes with the object.
class TraceFile {
 public:
  explicit TraceFile(const std::vector<trace::Record>& records) {
    static int number = 0;
    path_ = ::testing::TempDir() + "player_" + std::to_string(getpid()) + "_" + std::to_string(number++) + ".trace";
    trace::Writer writer(path_, {.encoding = trace::Encoding::binary, .compress = false});
    for (const trace::Record& record : records) writer.write(record);
    writer.close();
  }
  ~TraceFile() { std::remove(path_.c_str()); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::vector<trace::Record> read_trace(const std::string& path) {
  std::vector<trace::Record> records;
  const auto reader = trace::Reader::open(path);
  trace::Record record;
  while (reader->next(record)) records.push_back(record);
  return records;
}

struct DirectConfig {
  bool timed = false;
  Time memory_latency = 60'000;  ///< picoseconds
  Time device_latency = 20'000;  ///< from the translation to the completion
  unsigned outstanding = 32;
  unsigned command_queue_log2 = 8;
  DriverStages stages = DriverStages::one;  ///< with others than one the SMMU gets both
  SmmuConfig smmu{};
  PlayerConfig player{};
};

class DirectMachine : public AccessPort {
 public:
  struct Event {
    Time started;
    Time completed;
    trace::Record record;
    AccessResult result;
  };

  DirectMachine(const std::string& path, DirectConfig config)
      : config_(config), plan_(plan_play(path)), reader_(trace::Reader::open(path)) {
    config_.smmu.timed = config_.timed;
    if (config_.stages != DriverStages::one) {
      config_.smmu.features.s2p = true;
      config_.smmu.features.xnx = true;
    }
    if (config_.timed) {
      memory_port_ =
          std::make_unique<LatencyPort>(engine_, memory_, LatencyPortConfig{.latency_ps = config_.memory_latency});
    } else {
      memory_port_ = std::make_unique<ImmediatePort>(memory_);
    }
    smmu_ = std::make_unique<Smmu>(engine_, *memory_port_, nullptr, config_.smmu);
    streams_.emplace(StreamTable::two_level(memory_, pages_, 16, 8));
    GuestDriverConfig driver;
    driver.command_queue_log2 = config_.command_queue_log2;
    driver.stages = config_.stages;
    driver_ = std::make_unique<GuestDriver>(engine_, memory_, pages_, bus(), driver);
    build_tables();
    config_.player.in_order = !config_.timed;
    player_ = std::make_unique<Player>(engine_, *reader_, *this, std::vector<GuestDriver*>{driver_.get()}, spaces_,
                                       played_, config_.player);
    player_->on_access = [this](const PlayedAccess& access) {
      if (keep_events) events.push_back({access.started, engine_.now(), *access.record, access.result});
    };
  }
  ~DirectMachine() override { smmu_->reset(); }

  /// Enables the SMMU and plays to the end.
  void play() {
    ASSERT_EQ(driver_->probe(), DriverStatus::ok);
    DriverStatus status = DriverStatus::timed_out;
    spawn(scope_, enable(status));
    engine_.run();
    ASSERT_EQ(status, DriverStatus::ok);
    player_->start();
    engine_.run();
    ASSERT_TRUE(player_->done());
  }

  bool can_start(std::size_t) override { return in_flight_ < config_.outstanding; }
  void start(PlayedAccess& access) override {
    ++in_flight_;
    most_in_flight = std::max(most_in_flight, in_flight_);
    auto* device = new Device;
    device->machine = this;
    device->access = &access;
    device->fire = &DirectMachine::translated;
    Transaction& transaction = device->transaction;
    transaction.stream_id = StreamId(access.record->stream);
    transaction.address = Va(access.record->address);
    transaction.size = access.record->size;
    transaction.access = access.record->op == trace::Op::read ? AccessType::read : AccessType::write;
    if (smmu_->submit(0, *device)) translated(*device);
  }

  const PlayerCounters& counters() const { return player_->counters(); }
  const Player& player() const { return *player_; }
  const Smmu& smmu() const { return *smmu_; }
  Engine& engine() { return engine_; }
  Scope& scope() { return scope_; }

  bool keep_events = false;
  std::vector<Event> events;
  unsigned most_in_flight = 0;

 private:
  struct Device : TranslationRequest {
    DirectMachine* machine = nullptr;
    PlayedAccess* access = nullptr;
  };

  RegisterBus bus() {
    return {[this](std::uint32_t offset, unsigned size) { return smmu_->read_register(offset, size); },
            [this](std::uint32_t offset, std::uint64_t value, unsigned size) {
              smmu_->write_register(offset, value, size);
            }};
  }

  void build_tables() {
    constexpr IdentityRange guest[] = {{0x4000'0000, 0x1'0000'0000}, {0x802'0000, 0x8'0000, true}};
    constexpr unsigned leaf_bits = 21;
    const bool stage1 = config_.stages != DriverStages::two;
    if (config_.stages == DriverStages::nested) {
      stage2_ = std::make_unique<PageTable>(memory_, pages_, Geometry{}, TableStage::two);
      map_identity(*stage2_, guest, leaf_bits);
    }
    for (const PlannedStream& stream : plan_.streams) {
      std::size_t space = 0;
      while (space != spaces_.size() && spaces_[space].asid != stream.asid) ++space;
      if (space == spaces_.size()) {
        tables_.push_back(
            std::make_unique<PageTable>(memory_, pages_, Geometry{}, stage1 ? TableStage::one : TableStage::two));
        spaces_.push_back({stream.asid, tables_.back().get(), {0}});
      }
      played_.push_back({stream.stream, space, 0});
      streams_->write(StreamId(stream.stream), ste_of(*spaces_[space].table, stream.asid));
    }
  }

  spec::Ste ste_of(const PageTable& table, std::uint16_t asid) {
    if (table.stage() == TableStage::two) return make_stage2_ste(table, Vmid(asid));
    ContextTable contexts(memory_, pages_, 0);
    contexts.write(0, make_stage1_cd(table, Asid(asid)));
    return stage2_ ? make_nested_ste(contexts, *stage2_, Vmid(0)) : make_stage1_ste(contexts);
  }

  Task<> enable(DriverStatus& status) { status = co_await driver_->enable(*streams_); }

  static void translated(EventNode& node) {
    auto& device = static_cast<Device&>(node);
    device.fire = &DirectMachine::completed;
    DirectMachine& machine = *device.machine;
    if (machine.config_.timed) {
      machine.engine_.schedule_in(machine.config_.device_latency, device);
    } else {
      completed(device);
    }
  }
  static void completed(EventNode& node) {
    auto* device = static_cast<Device*>(&node);
    DirectMachine& machine = *device->machine;
    PlayedAccess& access = *device->access;
    access.result.translated = device->response.outcome == Outcome::proceed;
    access.result.completed = access.result.translated;
    access.result.address = device->response.address;
    machine.smmu_->retire(*device);
    delete device;
    --machine.in_flight_;
    machine.player_->complete(access);
  }

  DirectConfig config_;
  PlayPlan plan_;
  Engine engine_;
  Scope scope_{engine_};
  SparseMemory memory_;
  PageAllocator pages_{Pa(0xc0000000), std::uint64_t{1} << 30};
  std::unique_ptr<MemoryPort> memory_port_;
  std::unique_ptr<Smmu> smmu_;
  std::optional<StreamTable> streams_;
  std::unique_ptr<GuestDriver> driver_;
  std::vector<std::unique_ptr<PageTable>> tables_;
  std::unique_ptr<PageTable> stage2_;
  std::vector<PlayedSpace> spaces_;
  std::vector<PlayedStream> played_;
  std::unique_ptr<trace::Reader> reader_;
  std::unique_ptr<Player> player_;
  unsigned in_flight_ = 0;
};

}  // namespace smmusim::player_test

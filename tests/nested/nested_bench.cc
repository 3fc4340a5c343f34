// SPDX-License-Identifier: MIT
// NestedBench; see the header.
#include "tests/nested/nested_bench.h"

namespace smmusim::nested {
namespace {

SparseMemoryConfig memory_config() {
  SparseMemoryConfig config;
  config.ranges = {{Pa(NestedBench::ram), NestedBench::ram_bytes},
                   {Pa(NestedBench::host_base), NestedBench::host_bytes + 0x10000}};
  return config;
}

spec::Features usual_host() {
  spec::Features f;
  f.version_minor = 2;
  f.s2p = f.hyp = f.xnx = f.fwb = f.vmid16 = f.cd2l = f.ats = true;
  f.bbml = 2;
  f.ssidsize = 8;
  f.gran16k = f.gran64k = true;
  return f;
}

}  // namespace

bool MovedPort::start(MemoryRequest& request) {
  const Pa seen = request.address;
  const bool in_ram = seen.value - (ram_ + moved_) < bytes_;
  const bool hidden = seen.value - ram_ < bytes_;
  if (hidden) {
    request.status = MemoryStatus::external_abort;
    return true;
  }
  if (in_ram) request.address = Pa(seen.value - moved_);
  const bool done = port_.start(request);
  request.address = seen;
  return done;
}

BenchOptions::BenchOptions() : host(usual_host()) {
  guest.cd2l = true;
}

NestedBench::NestedBench(const BenchOptions& options) : options_(options), memory_(memory_config()) {
  if (options.timed) {
    port_ = std::make_unique<LatencyPort>(engine_, memory_);
  } else {
    port_ = std::make_unique<ImmediatePort>(memory_);
  }
  host_port_ = std::make_unique<MovedPort>(*port_, ram, ram_bytes, moved);
  host::SimulatedHostConfig host;
  host.kernel = options.kernel;
  host.page_bits = options.page_bits;
  SmmuConfig physical_smmu;
  physical_smmu.features = options.host;
  physical_smmu.timed = options.timed;
  physical_smmu.frame_base = Pa(0x0f00'0000);
  host.smmus = {physical_smmu};
  for (unsigned i = 0; i != options.devices; ++i) {
    host::HostDevice device;
    device.name = "vfio" + std::to_string(i);
    device.bdf = "0000:01:0" + std::to_string(i) + ".0";
    device.stream = physical(i);
    device.ats_capability = options.ats;
    host.devices.push_back(device);
  }
  host.windows = {{ram, Pa(ram + moved), ram_bytes}, {zeroes, Pa(zeroes), 0x10000}};
  host.tables_base = Pa(host_base);
  host.tables_bytes = host_bytes;
  host_ = std::make_unique<host::SimulatedHost>(engine_, memory_, *host_port_, host);

  SmmuConfig guest;
  guest.features = options.guest;
  guest.features.ats = options.ats;
  guest.timed = options.timed;
  smmu_ = std::make_unique<Smmu>(engine_, *port_, nullptr, guest, &debug_port_);
  RegisterBus bus{
      [this](std::uint32_t offset, unsigned size) { return smmu_->read_register(offset, size); },
      [this](std::uint32_t offset, std::uint64_t value, unsigned size) { smmu_->write_register(offset, value, size); }};
  driver_ = std::make_unique<GuestDriver>(engine_, memory_, pages_, bus, GuestDriverConfig{});
  streams_.emplace(StreamTable::linear(memory_, pages_, 6));
  for (unsigned i = 0; i != options.devices; ++i) {
    Geometry geometry;
    geometry.output_bits = std::min(options.guest.oas, 48u);
    tables_.push_back(std::make_unique<PageTable>(memory_, pages_, geometry));
    contexts_.push_back(std::make_unique<ContextTable>(memory_, pages_, 0));
    page_.push_back(pages_.allocate(0x1000, 0x1000).value);
    tables_[i]->map(iova, Pa(page_[i]), 0x1000, {});
    contexts_[i]->write(0, make_stage1_cd(*tables_[i], Asid(static_cast<std::uint16_t>(i + 1))));
  }

  log_ = std::make_shared<host::IoctlLog>([this](std::string_view line) { lines_.emplace_back(line); });
  auto space = GuestSpace::open(*host_, log_);
  EXPECT_TRUE(space.ok()) << host::describe(space.error());
  space_ = std::move(*space);
  vsmmu_ = std::make_unique<Vsmmu>(engine_, *space_, options.vsmmu);
  EXPECT_TRUE(space_->map({ram, ram_bytes, ram}).ok());
  if (options.zeroes) {
    EXPECT_TRUE(space_->map_zeroes(zeroes, zeroes, std::uint64_t{1} << options.page_bits).ok());
  }
  vsmmu_->serve(*smmu_);
  for (unsigned i = 0; i != options.devices && options.plugged; ++i) {
    const host::Status status = plug(i, options.ats);
    EXPECT_TRUE(status.ok()) << host::describe(status.error());
  }
  engine_.run();
  take_log();
}

NestedBench::~NestedBench() {
  driver_->scope().cancel();
  scope_.cancel();
  vsmmu_.reset();
  space_.reset();
}

host::Status NestedBench::plug(unsigned device, bool shows_ats) {
  auto bound = vsmmu_->bind(path(device));
  if (!bound) return bound.error();
  return vsmmu_->plug(*bound, stream(device), shows_ats);
}

DriverStatus NestedBench::run(Task<DriverStatus> task) {
  DriverStatus status = DriverStatus::timed_out;
  spawn(scope_, keep(task, status));
  engine_.run();
  return status;
}

bool NestedBench::enable() {
  return driver_->probe() == DriverStatus::ok && run(driver_->enable(*streams_)) == DriverStatus::ok;
}
bool NestedBench::disable() {
  return run(driver_->disable()) == DriverStatus::ok;
}
bool NestedBench::execute(const std::vector<spec::Command>& commands) {
  return run(driver_->execute(commands)) == DriverStatus::ok;
}

std::vector<spec::Event> NestedBench::events(bool* overflowed) {
  host_->service_interrupts();
  engine_.run();
  vsmmu_->drain_events();
  engine_.run();
  DrainedEvents drained;
  driver_->read_events(drained);
  if (overflowed != nullptr) *overflowed = drained.overflowed;
  return drained.events;
}

spec::Ste NestedBench::stage1_ste(unsigned device, bool eats) {
  return with_ats(make_stage1_ste(*contexts_[device]), eats ? spec::Eats::full : spec::Eats::none);
}
void NestedBench::write_stage1_ste(unsigned device, bool eats) {
  write_ste(device, stage1_ste(device, eats));
}

Response NestedBench::dma(unsigned device, std::uint64_t address, bool write) {
  TranslationRequest request;
  request.transaction.stream_id = physical(device);
  request.transaction.pcie = true;
  request.transaction.address = Va(address);
  request.transaction.access = write ? AccessType::write : AccessType::read;
  Smmu& smmu = host_->physical_smmu();
  request.fire = [](EventNode&) {};
  if (!smmu.submit(0, request)) engine_.run();
  smmu.retire(request);
  engine_.run();
  return request.response;
}

void NestedBench::fault_unseen(unsigned device, std::uint64_t address) {
  Transaction t;
  t.stream_id = physical(device);
  t.pcie = true;
  t.address = Va(address);
  host_->physical_smmu().translate(0, t);
}

std::optional<std::uint64_t> NestedBench::reaches(unsigned device, std::uint64_t address, bool write) {
  const Response response = dma(device, address, write);
  if (response.outcome != Outcome::proceed) return std::nullopt;
  return response.address.value - moved;
}

std::vector<std::string> NestedBench::take_log() {
  return std::exchange(lines_, {});
}

std::size_t NestedBench::objects_after_the_end() {
  vsmmu_.reset();
  space_.reset();
  engine_.run();
  return host_->objects();
}

}  // namespace smmusim::nested

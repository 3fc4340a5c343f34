// SPDX-License-Identifier: MIT
// DriverState: boots the drivers, writes what the trace's driver had mapped, reads the registers back.
#include "platform/explain/driver_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/spec/register_offsets.h"
#include "platform/config/load.h"
#include "platform/system/input_errors.h"

namespace smmusim::explain {
namespace {

using trace::Kind;
using trace::Record;

constexpr std::uint64_t page_mask = trace::page_bytes - 1;

std::size_t smmu_of(const PlatformConfig& config, const Moment& moment) {
  for (std::size_t i = 0; i != config.smmus.size(); ++i) {
    if (config.smmus[i].name == moment.smmu) return i;
  }
  if (!moment.smmu.empty()) {
    std::string names;
    for (const NamedSmmu& smmu : config.smmus) names += (names.empty() ? "" : ", ") + smmu.name;
    throw InputError(fmt::format("--smmu {}: there is no such SMMU; there are {}", moment.smmu, names));
  }
  for (const EndpointConfig& endpoint : config.endpoints) {
    if (endpoint.stream().value == moment.stream) return endpoint.smmu;
  }
  return 0;
}

PlatformConfig untimed(const PlatformConfig& config) {
  PlatformConfig result = config;
  result.mode = Mode::untimed;
  for (NamedSmmu& smmu : result.smmus) smmu.config.timed = false;
  return result;
}

/// True if an access of `record` touches the page of `moment`.
bool meets(const Record& record, const Moment& moment) {
  if (record.kind != Kind::access || record.stream != moment.stream) return false;
  if (record.has_substream != moment.substream.has_value() || record.substream != moment.substream.value_or(0)) {
    return false;
  }
  const std::uint64_t page = moment.address & ~page_mask;
  return page - (record.address & ~page_mask) <= (record.address & page_mask) + record.size - 1;
}

/// As the player: stage-1 mappings of its streams have VMID 0.
bool names_space(const Record& record, std::uint16_t asid) {
  if (record.invalidate_scope == trace::InvalidateScope::all) return true;
  if (record.invalidate_scope == trace::InvalidateScope::ipa_range || (record.has_vmid && record.vmid != 0))
    return false;
  return !record.has_asid || record.asid == asid;
}

void map(PageTable& table, const Record& record, std::uint64_t bytes) {
  MapOptions options;
  options.write = (record.perm & trace::perm_write) != 0;
  const std::uint64_t address = record.address & ~page_mask;
  const Pa output(record.output & ~page_mask);
  if (table.mappable(address, output, bytes)) table.map(address, output, bytes, options);
}

/// The driver's unmap before an invalidation command; ranges wrap at 2^64.
void unmap(PageTable& table, const Record& record) {
  if (!record.is_range()) {
    table.unmap(0, std::uint64_t{1} << table.geometry().input_bits);
    return;
  }
  const std::uint64_t start = record.address & ~(record.granule_bytes() - 1);
  const std::uint64_t bytes = record.pages * record.granule_bytes();
  table.unmap(start, bytes);
  if (start + (bytes - 1) < start) table.unmap(0, start + bytes);
}

/// Enabling every SMMU.
struct Boot {
  Scope& scope() { return *own_scope; }
  Scope* own_scope = nullptr;
  MachineSetup* setup = nullptr;
  std::size_t smmus = 0;
  DriverStatus status = DriverStatus::ok;
};
struct StartNode : EventNode {
  Boot* boot = nullptr;
};

Task<> enable_all(Boot& boot) {
  for (std::size_t i = 0; i != boot.smmus; ++i) {
    boot.status = boot.setup->driver(i).probe();
    if (boot.status == DriverStatus::ok) boot.status = co_await boot.setup->driver(i).enable(boot.setup->streams(i));
    if (boot.status != DriverStatus::ok) co_return;
  }
}

void begin(EventNode& node) {
  Boot& boot = *static_cast<StartNode&>(node).boot;
  spawn(boot.scope(), enable_all(boot));
}

}  // namespace

DriverState::DriverState(const PlatformConfig& config, const Moment& moment) : config_(untimed(config)) {
  const bool traced = !config.trace.file.empty();
  as_input_errors([&] {
    if (traced) {
      plan_ = plan_play(config.trace.file, driver_region(config_));
      require_apart(config_, plan_);
    }
    config_ = with_endpoints(config_, plan_);
    smmu_ = smmu_of(config_, moment);
    platform_ = std::make_unique<Platform>(config_);
    setup_ = std::make_unique<MachineSetup>(*platform_, config_, plan_);
    port_ = std::make_unique<ImmediatePort>(platform_->memory());
    boot();
    note_ = "the driver's tables and registers before any mapping";
    if (traced) play(moment);
  });
  read_registers();
}

DriverState::~DriverState() {
  if (setup_ == nullptr) return;
  for (GuestDriver* driver : setup_->drivers()) driver->scope().cancel();
}

void DriverState::boot() {
  Scope scope(platform_->engine());
  Boot boot{&scope, setup_.get(), platform_->smmus(), DriverStatus::ok};
  StartNode node;
  node.boot = &boot;
  node.scope = &scope;
  node.fire = &begin;
  platform_->engine().post(node);
  platform_->run();
  scope.cancel();
  if (boot.status != DriverStatus::ok) {
    throw InputError(fmt::format("the driver can't use the SMMU: {}", describe(boot.status)));
  }
}

void DriverState::play(const Moment& moment) {
  const std::unique_ptr<trace::Reader> reader = trace::Reader::open(config_.trace.file);
  std::uint64_t number = 0;
  for (Record record; reader->next(record);) {
    ++number;
    apply(record);
    if (moment.record ? *moment.record == number : meets(record, moment)) {
      note_ = fmt::format("the driver's tables as record {} of {} finds them", number, config_.trace.file);
      return;
    }
  }
  if (moment.record) {
    throw InputError(
        fmt::format("--record {}: {} has {} records; give one of them", *moment.record, config_.trace.file, number));
  }
  note_ = fmt::format("no access of {} meets this stream and page; the driver's tables at its end", config_.trace.file);
}

void DriverState::apply(const Record& record) {
  for (const PlayedStream& stream : setup_->played_streams()) {
    if (stream.stream != record.stream) continue;
    const std::optional<std::size_t> space = stream.space_of(record);
    if (!space) continue;
    PageTable& table = *setup_->spaces()[*space].table;
    if (record.kind == Kind::access && record.has_expected) map(table, record, trace::page_bytes);
    if (record.kind == Kind::map) map(table, record, record.pages * record.granule_bytes());
    if (record.kind == Kind::unmap) table.unmap(record.address, record.pages * record.granule_bytes());
  }
  if (record.kind != Kind::invalidate) return;
  for (const PlayedSpace& space : setup_->spaces()) {
    if (names_space(record, space.asid)) unmap(*space.table, record);
  }
}

void DriverState::read_registers() {
  namespace reg = spec::reg;
  Smmu& smmu = platform_->smmu(smmu_).smmu();
  for (const std::uint32_t offset : {reg::CR0, reg::CR1, reg::CR2, reg::GBPA, reg::STRTAB_BASE_CFG}) {
    registers_.set(fmt::format("0x{:x}", offset), smmu.read_register(offset, 4));
  }
  registers_.set("STRTAB_BASE", smmu.read_register(reg::STRTAB_BASE, 8));
}

}  // namespace smmusim::explain

// SPDX-License-Identifier: MIT
// PhysicalSmmu; see the header.
#include "platform/host/physical_smmu.h"

#include <algorithm>
#include <stdexcept>

#include "model/spec/registers.h"
#include "platform/driver/commands.h"

namespace smmusim::host {
namespace {

using spec::Ste;

GuestDriverConfig driver_config(const SmmuConfig& smmu, const SimulatedHostConfig& host) {
  GuestDriverConfig config;
  config.command_queue_log2 = host.queue_log2;
  config.event_queue_log2 = host.queue_log2;
  config.poll_interval = host.timing.command_poll;
  config.stages = smmu.features.s1p && smmu.features.s2p ? DriverStages::nested : DriverStages::one;
  return config;
}

RegisterBus direct_bus(Smmu& smmu) {
  return {
      [&smmu](std::uint32_t offset, unsigned size) { return smmu.read_register(offset, size); },
      [&smmu](std::uint32_t offset, std::uint64_t value, unsigned size) { smmu.write_register(offset, value, size); }};
}

/// As Linux: the page size, else the largest granule below it, else the smallest above.
unsigned granule_bits(const spec::Features& features, unsigned page_bits) {
  const unsigned granules[] = {features.gran4k ? 12u : 0, features.gran16k ? 14u : 0, features.gran64k ? 16u : 0};
  unsigned below = 0, above = 0;
  for (const unsigned bits : granules) {
    if (bits == 0) continue;
    if (bits <= page_bits) below = bits;
    if (bits > page_bits && above == 0) above = bits;
  }
  if (below == 0 && above == 0) throw std::invalid_argument("a physical SMMU without granules; IDR5 must have one");
  return below != 0 ? below : above;
}

Geometry geometry_of(const SmmuConfig& smmu, unsigned page_bits) {
  Geometry geometry;
  geometry.granule_bits = granule_bits(smmu.features, page_bits);
  const unsigned bits_max = geometry.granule_bits == 16 ? 52 : 48;
  geometry.output_bits = std::min(smmu.features.oas, bits_max);
  geometry.input_bits = geometry.output_bits;
  geometry.concatenated = true;
  return geometry;
}

StreamTable stream_table(SparseMemory& memory, PageAllocator& pages, const spec::Features& features, bool two_level) {
  constexpr unsigned split = 8, linear_log2_max = 16;
  const bool two = two_level && features.st_level != 0 && features.sidsize > split;
  return two ? StreamTable::two_level(memory, pages, features.sidsize, split)
             : StreamTable::linear(memory, pages, std::min(features.sidsize, linear_log2_max));
}

/// The bits of an STE that the SMMU looks at, as it is: what else changes makes no difference to a live stream. Of what
/// this driver writes: no Config but abort, bypass, stage 2 and nested.
Ste used_bits(const Ste& ste) {
  Ste used;
  used.dw[0] = Ste::V::mask;
  if (!ste.get<Ste::V>()) return used;
  const auto config = ste.get<Ste::Config>();
  used.dw[0] |= Ste::Config::mask;
  if (spec::has_stage1(config)) {
    used.dw[0] |= Ste::S1Fmt::mask | Ste::S1ContextPtr::mask | Ste::S1CDMax::mask;
    used.dw[1] |= Ste::S1DSS::mask | Ste::S1CIR::mask | Ste::S1COR::mask | Ste::S1CSH::mask | Ste::S1STALLD::mask |
                  Ste::STRW::mask;
  }
  if (spec::has_stage2(config)) {
    used.dw[1] |= Ste::EATS::mask | Ste::SHCFG::mask | Ste::S2FWB::mask | Ste::MEV::mask;
    used.dw[2] = ~std::uint64_t{0};
    used.dw[3] = ~std::uint64_t{0};
  }
  if (config == spec::SteConfig::bypass) used.dw[1] |= Ste::SHCFG::mask;
  return used;
}

struct Difference {
  unsigned words = 0;  ///< bit n: doubleword n has to change in a bit that is, or will be, looked at
  Ste prepared{};      ///< the old STE with what it does not look at as it will be
};

Difference difference(const Ste& old, const Ste& next) {
  const Ste used_old = used_bits(old);
  const Ste used_next = used_bits(next);
  Difference result;
  for (std::size_t i = 0; i != Ste::size_dw; ++i) {
    result.prepared.dw[i] = (old.dw[i] & used_old.dw[i]) | (next.dw[i] & ~used_old.dw[i]);
    if (((result.prepared.dw[i] ^ next.dw[i]) & used_next.dw[i]) != 0) result.words |= 1u << i;
  }
  return result;
}

constexpr unsigned all_words = (1u << Ste::size_dw) - 1;

}  // namespace

PhysicalSmmu::PhysicalSmmu(Engine& engine, SparseMemory& memory, MemoryPort& port, PageAllocator& pages,
                           const SmmuConfig& smmu, const SimulatedHostConfig& host, Observer* observer)
    : smmu_(engine, port, observer, smmu),
      memory_(memory),
      pages_(pages),
      geometry_(geometry_of(smmu, host.page_bits)),
      streams_(stream_table(memory, pages, smmu.features, host.two_level_stream_table)),
      driver_(engine, memory, pages, direct_bus(smmu_), driver_config(smmu, host)),
      vmids_(std::size_t{1} << (smmu.features.vmid16 ? 16 : 8)) {
  vmids_[0] = true;  // the host's own stage 1
  const DriverStatus status = driver_.probe();
  // The driver's own stage 1 would want 4 KiB; this one has no tables but those of stage2_geometry().
  if (status != DriverStatus::ok && status != DriverStatus::no_granule) {
    throw std::invalid_argument("a physical SMMU: " + std::string(describe(status)));
  }
}

std::unique_ptr<PageTable> PhysicalSmmu::make_stage2() {
  return std::make_unique<PageTable>(memory_, pages_, geometry_, TableStage::two);
}

std::optional<Vmid> PhysicalSmmu::take_vmid() {
  const auto found = std::find(vmids_.begin(), vmids_.end(), false);
  if (found == vmids_.end()) return std::nullopt;
  *found = true;
  return Vmid(static_cast<std::uint16_t>(found - vmids_.begin()));
}

Task<DriverStatus> PhysicalSmmu::enable() {
  const DriverStatus status = co_await driver_.enable(streams_);
  co_return status;
}

Task<DriverStatus> PhysicalSmmu::execute(std::span<const spec::Command> commands) {
  const DriverStatus status = co_await driver_.execute(commands);
  co_return status;
}

/// Writes those doublewords of `ste` whose bit is set in `words`, if that changes anything, and says so to the SMMU.
Task<DriverStatus> PhysicalSmmu::write_words(StreamId stream, Ste ste, unsigned words) {
  const Ste old = streams_.read(stream);
  Ste mixed = old;
  for (std::size_t i = 0; i != Ste::size_dw; ++i) {
    if ((words >> i & 1) != 0) mixed.dw[i] = ste.dw[i];
  }
  if (mixed == old) co_return DriverStatus::ok;
  streams_.write(stream, mixed);
  const spec::Command command = make_cfgi_ste(stream);
  const DriverStatus status = co_await driver_.execute(std::span<const spec::Command>(&command, 1));
  co_return status;
}

Task<DriverStatus> PhysicalSmmu::update_ste(StreamId stream, Ste ste) {
  const Difference change = difference(streams_.read(stream), ste);
  const bool in_place = (change.words & (change.words - 1)) == 0;
  const Ste first = in_place ? change.prepared : Ste{};
  // In place: what is not looked at, then the one doubleword, then the rest. Else: V = 0, then the rest, then V.
  const unsigned steps[3][2] = {
      {in_place ? all_words : 1u, 0}, {in_place ? change.words : all_words & ~1u, 1}, {in_place ? all_words : 1u, 1}};
  DriverStatus result = DriverStatus::ok;
  for (const auto& step : steps) {
    const Ste& source = step[1] == 0 ? first : ste;
    const DriverStatus status = co_await write_words(stream, source, step[0]);
    if (status != DriverStatus::ok) result = status;
  }
  co_return result;
}

void PhysicalSmmu::read_events(DrainedEvents& drained) {
  smmu_.take_interrupts();
  driver_.service_errors();
  driver_.read_events(drained);
}

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// MachineSetup; see the header.
#include "platform/system/machine_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "platform/config/load.h"
#include "platform/trace/error.h"

namespace smmusim {
namespace {

/// Tables and queues get at most this much; it bounds what a trace can make the driver build.
constexpr std::uint64_t table_bytes_max = std::uint64_t{1} << 30;
/// Linux's first-level stream tables have at most 2^17 entries.
constexpr unsigned first_level_log2_max = 17;
/// A linear stream table covers this many StreamIDs unless the trace needs more: all of its STEs are written.
constexpr unsigned linear_log2_usual = 16;

unsigned smallest_oas(const PlatformConfig& config) {
  unsigned bits = 64;
  for (const NamedSmmu& smmu : config.smmus) bits = std::min(bits, smmu.config.features.oas);
  return bits;
}

PageAllocator table_region(const PlatformConfig& config) {
  const std::uint64_t base = config.driver.tables_base;
  const std::uint64_t memory_end = config.memory.base + config.memory.size;
  const unsigned oas = smallest_oas(config);
  const std::uint64_t reach = oas >= 64 ? memory_end : std::min(memory_end, std::uint64_t{1} << oas);
  if (base < config.memory.base || base >= reach) {
    throw InputError(
        fmt::format("driver.tables_base = 0x{:x} lies outside what memory and OAS reach; it must be 0x{:x} "
                    "to below 0x{:x}",
                    base, config.memory.base, reach));
  }
  return {Pa(base), std::min(table_bytes_max, reach - base)};
}

unsigned bits_of_streams(const PlatformConfig& config, std::size_t smmu) {
  std::uint32_t highest = 0;
  for (const EndpointConfig& endpoint : config.endpoints) {
    if (endpoint.smmu == smmu) highest = std::max(highest, endpoint.stream().value);
  }
  unsigned bits = 0;
  while (!fits(highest, bits)) ++bits;
  return bits;
}

StreamTable make_stream_table(Platform& platform, PageAllocator& pages, const PlatformConfig& config,
                              std::size_t smmu) {
  const spec::Features& features = config.smmus[smmu].config.features;
  const unsigned needed = bits_of_streams(config, smmu);
  if (needed > features.sidsize) {
    throw InputError(
        fmt::format("an endpoint of {} has a StreamID of {} bits, but smmu.sidsize is {}; raise it or "
                    "give the endpoint a smaller stream_id",
                    config.smmus[smmu].name, needed, features.sidsize));
  }
  const unsigned split = config.driver.stream_table_split;
  if (config.driver.stream_table == StreamTableFormat::two_level && features.st_level != 0 &&
      features.sidsize > split) {
    const unsigned log2 = std::min(features.sidsize, std::max(needed, first_level_log2_max + split));
    return StreamTable::two_level(platform.memory(), pages, log2, split);
  }
  const unsigned log2 = std::min(features.sidsize, std::max(needed, linear_log2_usual));
  return StreamTable::linear(platform.memory(), pages, log2);
}

}  // namespace

PlatformConfig with_endpoints(const PlatformConfig& config, const PlayPlan& plan) {
  PlatformConfig complete = config;
  if (complete.endpoints.empty()) {
    std::set<std::uint16_t> rids;
    for (const PlannedStream& planned : plan.streams) {
      if (fits(planned.stream, 16)) rids.insert(static_cast<std::uint16_t>(planned.stream));
    }
    std::uint16_t spare = 0;
    for (const PlannedStream& planned : plan.streams) {
      EndpointConfig endpoint = config.endpoint_template;
      endpoint.name = fmt::format("stream{}", planned.stream);
      endpoint.stream_id = planned.stream;
      if (fits(planned.stream, 16)) {
        endpoint.rid = static_cast<std::uint16_t>(planned.stream);
      } else {
        while (rids.count(spare) != 0) ++spare;
        endpoint.rid = spare;
        rids.insert(spare);
      }
      complete.endpoints.push_back(endpoint);
    }
    if (plan.streams.size() > 0x10000) {
      throw InputError(fmt::format("{}: the trace has {} streams; at most 65536 fit behind one root complex",
                                   config.trace.file, plan.streams.size()));
    }
    if (complete.endpoints.empty()) complete.endpoints.push_back(config.endpoint_template);  // nobody uses it
  }
  for (const PlannedStream& planned : plan.streams) {
    const bool known = std::any_of(complete.endpoints.begin(), complete.endpoints.end(),
                                   [&](const auto& endpoint) { return endpoint.stream().value == planned.stream; });
    if (known) continue;
    throw trace::TraceError::in_file(
        config.trace.file, fmt::format("record {}: stream 0x{:x} has no endpoint; add an [[endpoint]] whose bdf or "
                                       "stream_id gives it",
                                       planned.first_record, planned.stream));
  }
  return complete;
}

MachineSetup::MachineSetup(Platform& platform, const PlatformConfig& config, const PlayPlan& plan)
    : pages_(table_region(config)) {
  for (std::size_t i = 0; i != config.smmus.size(); ++i) build_driver(platform, config, i);
  std::map<std::uint32_t, std::uint16_t> asids;
  std::uint16_t unused = 1;
  for (const PlannedStream& planned : plan.streams) {
    asids[planned.stream] = planned.asid;
    unused = std::max<std::uint16_t>(unused, planned.asid);
  }
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const auto known = asids.find(config.endpoints[i].stream().value);
    // An endpoint that the trace does not use gets a table too: it is there, and idle.
    build_stream(platform, config, i, known == asids.end() ? ++unused : known->second);
  }
}

void MachineSetup::build_driver(Platform& platform, const PlatformConfig& config, std::size_t smmu) {
  stream_tables_.push_back(make_stream_table(platform, pages_, config, smmu));
  GuestDriverConfig driver;
  driver.command_queue_log2 = config.driver.command_queue_log2;
  driver.event_queue_log2 = config.driver.event_queue_log2;
  drivers_.push_back(std::make_unique<GuestDriver>(platform.engine(), platform.memory(), pages_,
                                                   platform.cpu().bus(config.smmus[smmu].config.frame_base), driver));
}

std::size_t MachineSetup::space_of(Platform& platform, const PlatformConfig& config, std::size_t smmu,
                                   std::uint16_t asid) {
  const spec::Features& features = config.smmus[smmu].config.features;
  if (!features.asid16 && asid > 0xff) {
    throw InputError(fmt::format("{}: ASID {} needs 16 bits, but {} has 8; set smmu.asid16 = true", config.trace.file,
                                 asid, config.smmus[smmu].name));
  }
  for (std::size_t i = 0; i != spaces_.size(); ++i) {
    if (spaces_[i].asid != asid) continue;
    if (std::find(spaces_[i].smmus.begin(), spaces_[i].smmus.end(), smmu) == spaces_[i].smmus.end()) {
      spaces_[i].smmus.push_back(smmu);
    }
    return i;
  }
  Geometry geometry;
  geometry.output_bits = std::min(geometry.output_bits, smallest_oas(config));
  tables_.push_back(std::make_unique<PageTable>(platform.memory(), pages_, geometry));
  spaces_.push_back({asid, tables_.back().get(), {smmu}});
  return spaces_.size() - 1;
}

void MachineSetup::build_stream(Platform& platform, const PlatformConfig& config, std::size_t endpoint,
                                std::uint16_t asid) {
  const EndpointConfig& device = config.endpoints[endpoint];
  const std::size_t space = space_of(platform, config, device.smmu, asid);
  ContextTable contexts(platform.memory(), pages_, 0);
  contexts.write(0, make_stage1_cd(*spaces_[space].table, Asid(asid)));
  stream_tables_[device.smmu].write(device.stream(), make_stage1_ste(contexts));
  played_streams_.push_back({device.stream().value, space, device.smmu});
}

std::vector<GuestDriver*> MachineSetup::drivers() {
  std::vector<GuestDriver*> all;
  for (const auto& driver : drivers_) all.push_back(driver.get());
  return all;
}

}  // namespace smmusim

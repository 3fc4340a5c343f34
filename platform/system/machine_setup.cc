// SPDX-License-Identifier: MIT
// MachineSetup; see the header.
#include "platform/system/machine_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "platform/config/load.h"
#include "platform/config/supported.h"
#include "platform/driver/identity_map.h"
#include "platform/system/endpoint_setup.h"
#include "platform/system/guest_memory.h"

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

/// One above the last address that both memory and the SMMUs reach.
std::uint64_t reach_of(const PlatformConfig& config) {
  const std::uint64_t memory_end = config.memory.base + config.memory.size;
  const unsigned oas = smallest_oas(config);
  return oas >= 64 ? memory_end : std::min(memory_end, std::uint64_t{1} << oas);
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

void require_reachable(const PlatformConfig& config, const NotedRecord& record, std::uint32_t stream,
                       unsigned sidsize) {
  if (fits(stream, sidsize)) return;
  throw record.place.error(
      config.trace.file,
      fmt::format("record {}: stream 0x{:x} has more bits than smmu.sidsize = {}; raise smmu.sidsize to at least {}",
                  record.number, stream, sidsize, std::bit_width(stream)));
}

/// Endpoints that are made from the trace get the SMMU of the template.
void require_reachable(const PlatformConfig& config, const PlannedStream& planned) {
  require_reachable(config, {planned.first_record, planned.place}, planned.stream,
                    config.smmus[config.endpoint_template.smmu].config.features.sidsize);
}

/// What is said of a stream without an endpoint goes to every SMMU. One of them at least has to know such a stream.
void require_known_configs(const PlatformConfig& config, const PlayPlan& plan) {
  if (plan.highest_config.number == 0) return;
  unsigned sidsize = 0;
  for (const NamedSmmu& smmu : config.smmus) sidsize = std::max(sidsize, smmu.config.features.sidsize);
  require_reachable(config, plan.highest_config, plan.highest_config_stream, sidsize);
}

/// Where the configuration leaves it open, a device has as many PASID bits as its accesses need. Then its SMMU has to
/// have them too: nothing says that the accesses are meant to fail.
void set_pasid_width(const PlatformConfig& config, const PlayPlan& plan, EndpointConfig& endpoint) {
  if (endpoint.pasid_bits || !uses_stage1(config.driver.stages)) return;
  const auto planned = std::find_if(plan.streams.begin(), plan.streams.end(), [&](const PlannedStream& stream) {
    return stream.stream == endpoint.stream().value;
  });
  if (planned == plan.streams.end() || planned->substreams.empty()) return;
  const auto bits = std::max(1U, static_cast<unsigned>(std::bit_width(planned->substreams.back().substream)));
  const NamedSmmu& smmu = config.smmus[endpoint.smmu];
  if (bits > smmu.config.features.ssidsize) {
    const PlannedSubstream& widest = planned->substreams.back();
    throw widest.first.place.error(
        config.trace.file,
        fmt::format("record {}: substream 0x{:x} has more bits than smmu.ssidsize = {}; raise smmu.ssidsize to at "
                    "least {}, or set endpoint.pasid_bits to what the device is to have",
                    widest.first.number, widest.substream, smmu.config.features.ssidsize, bits));
  }
  endpoint.pasid_bits = bits;
}

/// A multiple of 64 KiB from which the driver has as much room as it can use, away from the plan's pages; 0: none.
std::uint64_t place_for_tables(const PlatformConfig& config, const PlayPlan& plan) {
  constexpr std::uint64_t alignment = 0x10000;
  const std::uint64_t reach = reach_of(config);
  if (plan.outputs_end > reach) return 0;
  const std::uint64_t base = (std::max(plan.outputs_end, config.memory.base) + alignment - 1) & ~(alignment - 1);
  return base < reach && reach - base >= table_bytes_max ? base : 0;
}

/// An ASID of the trace as the STE or CD will hold it.
void require_fitting(const PlatformConfig& config, std::size_t smmu, std::uint16_t asid) {
  const spec::Features& features = config.smmus[smmu].config.features;
  const bool as_vmid = !uses_stage1(config.driver.stages);
  if (asid <= 0xff || (as_vmid ? features.vmid16 : features.asid16)) return;
  throw InputError(fmt::format("{}: ASID {}{} needs 16 bits, but {} has 8; set smmu.{} = true", config.trace.file, asid,
                               as_vmid ? ", at stage 2 alone a VMID," : "", config.smmus[smmu].name,
                               as_vmid ? "vmid16" : "asid16"));
}

}  // namespace

ReservedMemory driver_region(const PlatformConfig& config) {
  const std::uint64_t base = config.driver.tables_base;
  const std::uint64_t reach = reach_of(config);
  if (base < config.memory.base || base >= reach) {
    throw InputError(
        fmt::format("driver.tables_base = 0x{:x} lies outside what memory and OAS reach; it must be 0x{:x} "
                    "to below 0x{:x}",
                    base, config.memory.base, reach));
  }
  return {base, std::min(table_bytes_max, reach - base), usual_outputs(config)};
}

void require_apart(const PlatformConfig& config, const PlayPlan& plan) {
  if (plan.reserved_record == 0) return;
  const ReservedMemory region = driver_region(config);
  const std::uint64_t better = place_for_tables(config, plan);
  const std::string advice =
      better != 0 ? fmt::format("set driver.tables_base = 0x{:x}, above all of the trace's pages", better)
                  : fmt::format("set driver.tables_base to 1 GiB of main memory that the trace leaves alone");
  throw plan.reserved_place.error(
      config.trace.file, fmt::format("record {}: its output lies in the driver's tables and queues, [0x{:x}, 0x{:x}), "
                                     "from driver.tables_base; {}",
                                     plan.reserved_record, region.base, region.base + region.bytes, advice));
}

PlatformConfig with_endpoints(const PlatformConfig& config, const PlayPlan& plan) {
  PlatformConfig complete = config;
  if (complete.endpoints.empty()) {
    std::set<std::uint16_t> rids;
    for (const PlannedStream& planned : plan.streams) {
      if (fits(planned.stream, 16)) rids.insert(static_cast<std::uint16_t>(planned.stream));
    }
    std::uint16_t spare = 0;
    for (const PlannedStream& planned : plan.streams) {
      require_reachable(config, planned);
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
    throw planned.place.error(config.trace.file,
                              fmt::format("record {}: stream 0x{:x} has no endpoint; add an [[endpoint]] whose bdf or "
                                          "stream_id gives it",
                                          planned.first_record, planned.stream));
  }
  require_known_configs(complete, plan);
  for (EndpointConfig& endpoint : complete.endpoints) set_pasid_width(complete, plan, endpoint);
  return complete;
}

MachineSetup::MachineSetup(Platform& platform, const PlatformConfig& config, const PlayPlan& plan)
    : pages_(Pa(driver_region(config).base), driver_region(config).bytes) {
  for (std::size_t i = 0; i != config.smmus.size(); ++i) build_driver(platform, config, i);
  if (config.driver.stages == DriverStages::nested) build_stage2(platform, config, plan);
  std::map<std::uint32_t, const PlannedStream*> known;
  std::uint16_t unused = 1;
  for (const PlannedStream& planned : plan.streams) {
    known[planned.stream] = &planned;
    unused = std::max<std::uint16_t>(unused, planned.asid);
    for (const PlannedSubstream& sub : planned.substreams) unused = std::max<std::uint16_t>(unused, sub.asid);
  }
  for (std::size_t i = 0; i != config.endpoints.size(); ++i) {
    const std::uint32_t stream = config.endpoints[i].stream().value;
    const auto found = known.find(stream);
    // An endpoint that the trace does not use gets a table too: it is there, and idle.
    build_stream(platform, config, i, found != known.end() ? *found->second : PlannedStream{stream, ++unused});
  }
}

/// For configurations that did not come through load_config().
static void require_usable(const NamedSmmu& smmu) {
  for (const UnsupportedRow<NamedSmmu>& row : unsupported_by_driver()) {
    if (row.asked(smmu)) throw InputError(fmt::format("{} of {}: {}", row.key, smmu.name, row.sentence));
  }
}

void MachineSetup::build_driver(Platform& platform, const PlatformConfig& config, std::size_t smmu) {
  require_usable(config.smmus[smmu]);
  stream_tables_.push_back(make_stream_table(platform, pages_, config, smmu));
  GuestDriverConfig driver;
  driver.command_queue_log2 = config.driver.command_queue_log2;
  driver.event_queue_log2 = config.driver.event_queue_log2;
  driver.pri_queue_log2 = config.driver.pri_queue_log2;
  driver.stages = config.driver.stages;
  drivers_.push_back(std::make_unique<GuestDriver>(platform.engine(), platform.memory(), pages_,
                                                   platform.cpu().bus(config.smmus[smmu].config.frame_base), driver));
}

/// All that a guest's devices and its stage 1 can name, before the first access: a hypervisor maps its guest's memory
/// at once. What a trace outputs beyond main memory and doorbells is some device's.
void MachineSetup::build_stage2(Platform& platform, const PlatformConfig& config, const PlayPlan& plan) {
  const std::vector<IdentityRange> ranges = guest_addresses(config, plan, driver_region(config));
  const Geometry geometry = stage2_geometry(config);
  require_small_tables(config, ranges);
  for (std::size_t i = 0; i != config.smmus.size(); ++i) {
    stage2_tables_.push_back(std::make_unique<PageTable>(platform.memory(), pages_, geometry, TableStage::two));
    map_identity(*stage2_tables_.back(), ranges, static_cast<unsigned>(config.driver.stage2_leaf));
  }
}

std::size_t MachineSetup::space_of(Platform& platform, const PlatformConfig& config, const EndpointConfig& device,
                                   std::uint16_t asid) {
  const std::size_t smmu = device.smmu;
  const bool on_demand = pri_of(config, device);
  require_fitting(config, smmu, asid);
  for (std::size_t i = 0; i != spaces_.size(); ++i) {
    if (spaces_[i].asid != asid) continue;
    spaces_[i].on_demand = spaces_[i].on_demand && on_demand;
    if (std::find(spaces_[i].smmus.begin(), spaces_[i].smmus.end(), smmu) == spaces_[i].smmus.end()) {
      spaces_[i].smmus.push_back(smmu);
    }
    return i;
  }
  const bool stage2_alone = !uses_stage1(config.driver.stages);
  Geometry geometry;
  geometry.output_bits = std::min(geometry.output_bits, smallest_oas(config));
  tables_.push_back(std::make_unique<PageTable>(platform.memory(), pages_,
                                                stage2_alone ? stage2_geometry(config) : geometry,
                                                stage2_alone ? TableStage::two : TableStage::one));
  spaces_.push_back({asid, tables_.back().get(), {smmu}, on_demand});
  return spaces_.size() - 1;
}

void MachineSetup::build_stream(Platform& platform, const PlatformConfig& config, std::size_t endpoint,
                                const PlannedStream& planned) {
  const EndpointConfig& device = config.endpoints[endpoint];
  const std::size_t space = space_of(platform, config, device, planned.asid);
  const bool ats = ats_of(config, device).enabled();
  PlayedStream& stream = played_streams_.emplace_back(PlayedStream{planned.stream, space, device.smmu, ats, {}});
  const spec::Eats wanted = config.driver.ats_split ? spec::Eats::split_stage : spec::Eats::full;
  const spec::Eats eats = ats ? wanted : spec::Eats::none;
  StreamTable& streams = stream_tables_[device.smmu];
  if (!uses_stage1(config.driver.stages)) {
    streams.write(device.stream(), with_ats(make_stage2_ste(*spaces_[space].table, Vmid(planned.asid)), eats));
    return;
  }
  for (const PlannedSubstream& sub : planned.substreams) {
    const bool shared = sub.substream == 0 && config.driver.s1dss == spec::S1Dss::substream0;
    stream.substreams.push_back({sub.substream, shared ? space : space_of(platform, config, device, sub.asid)});
  }
  const ContextTable contexts = build_contexts(platform, config, device, stream);
  const PageTable* below = stage2(device.smmu);
  spec::Ste ste = below == nullptr ? make_stage1_ste(contexts) : make_nested_ste(contexts, *below, Vmid(0));
  if (contexts.log2_contexts() != 0) ste.set<spec::Ste::S1DSS>(config.driver.s1dss);
  ste.set<spec::Ste::PPAR>(device.pri_response_pasid);
  streams.write(device.stream(), with_ats(ste, eats));
}

/// CDs for as many substreams as device and SMMU both know. CD 0 is for what has no SubstreamID if S1DSS says so, or if
/// there are no substreams.
ContextTable MachineSetup::build_contexts(Platform& platform, const PlatformConfig& config,
                                          const EndpointConfig& device, const PlayedStream& stream) {
  const spec::Features& features = config.smmus[device.smmu].config.features;
  const unsigned log2 = std::min(device.pasid_width(), features.ssidsize);
  constexpr unsigned log2_of_one_table = 10;
  const bool two_levels = log2 > log2_of_one_table && features.cd2l;
  const spec::S1Format usual = two_levels ? spec::S1Format::two_level_64k : spec::S1Format::linear;
  ContextTable contexts(platform.memory(), pages_, log2,
                        log2 == 0 ? spec::S1Format::linear : config.driver.context_table.value_or(usual));
  const auto write = [&](std::uint32_t index, std::size_t space) {
    contexts.write(index, make_stage1_cd(*spaces_[space].table, Asid(spaces_[space].asid)));
  };
  if (log2 == 0 || config.driver.s1dss == spec::S1Dss::substream0) write(0, stream.space);
  for (const PlayedSubstream& sub : stream.substreams) {
    if (log2 != 0 && fits(sub.substream, log2)) write(sub.substream, sub.space);
  }
  return contexts;
}

std::vector<GuestDriver*> MachineSetup::drivers() {
  std::vector<GuestDriver*> all;
  for (const auto& driver : drivers_) all.push_back(driver.get());
  return all;
}

}  // namespace smmusim

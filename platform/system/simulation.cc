// SPDX-License-Identifier: MIT
// Simulation; see the header. Everything happens on the Engine's wheel, which the pump drives from the SystemC kernel;
// in untimed mode all of it happens at the first instant.
#include "platform/system/simulation.h"

#include <fmt/format.h>

#include "model/base/check.h"
#include "platform/config/load.h"
#include "platform/driver/page_allocator.h"
#include "platform/nested/resolve.h"
#include "platform/nested/simulated.h"
#include "platform/system/endpoint_setup.h"
#include "platform/system/guest_memory.h"

namespace smmusim {
namespace {

/// The driver's region is full: says which key makes it larger, or that none can.
InputError region_full(const PlatformConfig& config, const AllocationError& error) {
  return InputError(fmt::format(
      "{}: {}; the region goes from driver.tables_base = 0x{:x} to the end of what memory.size and smmu.oas "
      "reach, and 1 GiB at most",
      config.trace.file, error.what(), config.driver.tables_base));
}

void require_playable_times(const PlatformConfig& config, const PlayPlan& plan) {
  if (config.trace.replay != Replay::recorded || plan.late.number == 0) return;
  throw plan.late.place.error(
      config.trace.file,
      fmt::format("record {}: its time is {} ps, and recorded times up to {} ps, 53 days, can be played; use "
                  "trace.replay = closed, which ignores them",
                  plan.late.number, plan.late_ps, recorded_ps_max));
}

PageRequestTimes page_request_times(const PlatformConfig& config) {
  constexpr Time ps_per_ns = 1000;
  if (config.mode == Mode::untimed) return {};
  return {config.driver.page_request_ns * ps_per_ns, config.driver.page_fault_ns * ps_per_ns};
}

AtsType ats_type(trace::Ats ats) {
  switch (ats) {
    case trace::Ats::untranslated:
      return AtsType::untranslated;
    case trace::Ats::request:
      return AtsType::translation_request;
    case trace::Ats::translated:
      return AtsType::translated;
  }
  throw InternalError("a record of an unknown ATS type, which its reader lets through");
}

}  // namespace

Simulation::Simulation(const PlatformConfig& config, SimulationOptions options)
    : plan_(plan_play(config.trace.file, driver_region(config))) {
  require_apart(config, plan_);
  require_playable_times(config, plan_);
  config_ = nested::on_its_host(with_endpoints(config, plan_));
  platform_ = std::make_unique<Platform>(config_);
  scope_ = std::make_unique<Scope>(platform_->engine());
  try {
    setup_ = std::make_unique<MachineSetup>(*platform_, config_, plan_);
  } catch (const AllocationError& error) {
    throw region_full(config_, error);
  }
  if (platform_->host() != nullptr) serve_nested(options);
  reader_ = trace::Reader::open(config_.trace.file);
  player_ = std::make_unique<Player>(platform_->engine(), *reader_, *this, setup_->drivers(), setup_->spaces(),
                                     setup_->played_streams(), player_config());
  in_flight_.resize(config_.endpoints.size(), 0);
  stream_statistics_.resize(config_.endpoints.size());
  handler_ = [this](const platform::DmaCompletion& completion) { give_back(completion); };
  for (std::size_t i = 0; i != platform_->endpoints(); ++i) platform_->endpoint(i).set_handler(handler_);
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    page_requests_.push_back(
        std::make_unique<PageRequests>(setup_->driver(i), page_request_times(config_),
                                       [this, i](const spec::PriEntry& entry) { return answer_page(i, entry); }));
    interrupt_controllers_.push_back(std::make_unique<platform::InterruptController>(
        ("interrupt_controller" + std::to_string(i)).c_str(), platform_->smmu(i),
        [this, i](Wire wire) { handle_interrupt(i, wire); }));
  }
  player_->on_access = [this](const PlayedAccess& access) { count(access); };
  player_->on_done = [this] {
    end_time_ = platform_->engine().now();
    stop_pasids();
  };
}

Simulation::~Simulation() {
  // An error can leave tasks waiting. First nothing refers to their frames any more, then the frames go.
  for (GuestDriver* driver : setup_->drivers()) driver->scope().cancel();
  scope_->cancel();
}

/// The monitor's work before its guest boots: the guest's memory, then its devices.
void Simulation::serve_nested(SimulationOptions options) {
  host::IoctlLog::Sink sink;
  if (options.ioctl_log) sink = [this](std::string_view line) { (ioctl_log_ += line) += '\n'; };
  nested_ = std::make_unique<nested::NestedMachine>(platform_->engine(), *platform_->host(), config_,
                                                    std::make_shared<host::IoctlLog>(sink));
  const std::uint64_t zeroes = nested::host_memory(config_).zeroes();
  nested_->map(guest_ram(config_, plan_, driver_region(config_)), {zeroes, nested::HostMemory::zero_bytes, zeroes});
  for (std::size_t i = 0; i != platform_->smmus(); ++i) nested_->serve(i, platform_->smmu(i).smmu(), config_);
  map_doorbells();
}

/// What VFIO_DEVICE_SET_IRQS makes a kernel do: doorbells get IPAs in the host's MSI window, the same for all devices,
/// and the guest's driver has to map to these.
void Simulation::map_doorbells() {
  for (const std::uint64_t page : doorbell_pages(config_, plan_)) {
    for (std::size_t i = 0; i != config_.endpoints.size(); ++i) {
      const std::optional<std::uint64_t> ipa = platform_->host()->map_msi_doorbell(i, Pa(page));
      if (!ipa) throw InputError("the host's MSI window has no room for the doorbells that the trace names");
      doorbells_[page] = *ipa;
    }
  }
}

PlayerConfig Simulation::player_config() const {
  PlayerConfig player;
  player.recorded = config_.trace.replay == Replay::recorded;
  player.check = config_.trace.check;
  player.in_order = config_.mode == Mode::untimed;
  player.demand_percent = config_.driver.demand_paging;
  player.seed = config_.seed;
  player.untranslated_base = config_.msi.base;
  player.untranslated_bytes = config_.msi.size;
  if (doorbells_.empty()) return player;
  player.place = [this](Pa output) {
    const auto doorbell = doorbells_.find(output.value);
    return doorbell == doorbells_.end() ? output : Pa(doorbell->second);
  };
  return player;
}

void Simulation::begin(EventNode& node) {
  Simulation& simulation = *static_cast<StartNode&>(node).simulation;
  spawn(*simulation.scope_, simulation.boot());
}

Task<> Simulation::boot() {
  for (std::size_t i = 0; i != platform_->smmus(); ++i) {
    boot_status_ = setup_->driver(i).probe();
    if (boot_status_ == DriverStatus::ok) boot_status_ = co_await setup_->driver(i).enable(setup_->streams(i));
    if (boot_status_ != DriverStatus::ok) co_return;
  }
  enumerate_switches(platform_->cpu(), config_);
  for (const EndpointConfig& endpoint : config_.endpoints) enumerate(platform_->cpu(), config_, endpoint);
  play_time_ = platform_->engine().now();
  player_->start();
}

void Simulation::run() {
  start_node_.simulation = this;
  start_node_.scope = scope_.get();
  start_node_.fire = &Simulation::begin;
  platform_->engine().post(start_node_);
  try {
    platform_->run();
  } catch (const AllocationError& error) {
    throw region_full(config_, error);
  }
  if (boot_status_ == DriverStatus::timed_out) {
    throw InputError(
        "the SMMU did not answer the driver in time when it was enabled; make it faster with smmu.tcu.command_cycles "
        "and smmu.tcu.clock_mhz");
  }
  if (boot_status_ != DriverStatus::ok) {
    throw InputError(fmt::format("the driver can't use the SMMU: {}", describe(boot_status_)));
  }
  if (!player_->done()) {
    throw InternalError(
        fmt::format("nothing is left to happen, but only {} of {} records were begun and not all of "
                    "them finished",
                    player_->counters().records, plan_.records));
  }
  for (std::size_t i = 0; i != platform_->smmus(); ++i) drain_events(i);
  if (const std::string sentence = imbalance(); !sentence.empty()) throw InternalError(sentence);
}

std::string Simulation::imbalance() const {
  if (std::string sentence = platform_->imbalance(); !sentence.empty()) return sentence;
  for (std::size_t i = 0; i != page_requests_.size(); ++i) {
    std::string sentence = page_requests_[i]->imbalance(platform_->smmu(i).smmu().counters().page_requests_written);
    if (!sentence.empty()) return sentence;
  }
  return {};
}

/// The devices' work is done, so their PASIDs go: each says that no request with it will follow.
void Simulation::stop_pasids() {
  for (std::size_t i = 0; i != config_.endpoints.size(); ++i) {
    if (!pri_of(config_, config_.endpoints[i])) continue;
    for (const PlayedSubstream& sub : setup_->played_streams()[i].substreams) {
      if (fits(sub.substream, config_.endpoints[i].pasid_width())) platform_->endpoint(i).stop_pasid(sub.substream);
    }
  }
}

PageAnswer Simulation::answer_page(std::size_t smmu, const spec::PriEntry& entry) {
  PageAnswer answer;
  if (!player_->page_in(smmu, entry)) answer.response = spec::PriResp::InvalidRequest;
  for (const EndpointConfig& endpoint : config_.endpoints) {
    if (endpoint.smmu != smmu || endpoint.stream().value != entry.get<spec::PriEntry::StreamID>()) continue;
    answer.with_pasid = endpoint.pri_response_pasid;
  }
  return answer;
}

PageRequestCounters Simulation::page_requests() const {
  PageRequestCounters sum;
  for (const auto& one : page_requests_) sum += one->counters();
  return sum;
}

bool Simulation::can_start(std::size_t stream) {
  return in_flight_[stream] < config_.endpoints[stream].outstanding;
}

void Simulation::start(PlayedAccess& access) {
  const trace::Record& record = *access.record;
  platform::DmaWork work;
  work.address = Va(record.address);
  work.size = record.size;
  work.write = record.op != trace::Op::read;
  work.substream_valid = record.has_substream;
  work.substream_id = SubstreamId(record.substream);
  work.instruction = record.instruction;
  work.privileged = record.privileged;
  work.atomic = record.op == trace::Op::atomic;
  work.ats = ats_type(record.ats);
  work.tag = record.address;
  work.user = &access;
  ++in_flight_[access.stream];
  SMMUSIM_CHECK(platform_->endpoint(access.stream).push(work));
}

void Simulation::give_back(const platform::DmaCompletion& completion) {
  PlayedAccess& access = *static_cast<PlayedAccess*>(completion.work.user);
  --in_flight_[access.stream];
  accesses_.add(completion, play_time_);
  access.started = completion.issued_at;
  access.result.completed = completion.status == platform::DmaStatus::ok;
  access.result.translated = completion.smmu.translated;
  access.result.address = completion.smmu.address;
  player_->complete(access);
}

void Simulation::count(const PlayedAccess& access) {
  const Time latency = platform_->engine().now() - access.started;
  StreamStatistics& stream = stream_statistics_[access.stream];
  ++stream.transactions;
  stream.bytes += access.record->size;
  stream.latency.add(latency);
  if (access.result.completed) {
    const Pa to = access.result.address;
    const bool to_memory = to.value >= config_.memory.base && to.value - config_.memory.base < config_.memory.size;
    if (to_memory) ++(access.record->op == trace::Op::read ? dma_reads_ : dma_writes_);
  } else {
    ++stream.faults;
    // Untimed, no interrupt handler runs before the end.
    if (config_.mode == Mode::untimed) drain_events(config_.endpoints[access.stream].smmu);
  }
  const std::uint64_t records = player_->counters().records;
  if (on_progress && records >= next_progress_) {
    next_progress_ = records + plan_.records / 100 + 1;
    on_progress(records, plan_.records);
  }
}

void Simulation::drain_events(std::size_t smmu) {
  if (nested_) nested_->vsmmu(smmu).drain_events();
  DrainedEvents drained;
  setup_->driver(smmu).read_events(drained);
  events_read_ += drained.events.size();
  if (drained.overflowed) ++event_overflows_;
}

void Simulation::handle_interrupt(std::size_t smmu, Wire wire) {
  ++interrupts_;
  if (wire == Wire::event_queue) drain_events(smmu);
  if (wire == Wire::global_error) setup_->driver(smmu).service_errors();
  if (wire == Wire::pri_queue) {
    const systemc::Pump::Entry entry(platform_->pump());
    page_requests_[smmu]->interrupt();
  }
}

}  // namespace smmusim

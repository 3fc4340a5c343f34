// SPDX-License-Identifier: MIT
// SimulatedHost's public face: set-up, paths, descriptors, what is handed on.
#include "platform/host/simulated_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "platform/host/iommufd.h"
#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

constexpr int first_descriptor = 3;
constexpr std::string_view device_class = "/sys/class/vfio-dev/";

const KernelProfile& known_profile(const std::string& name) {
  const KernelProfile* profile = kernel_profile(name);
  if (profile != nullptr) return *profile;
  std::string known;
  for (const KernelProfile& row : kernel_profiles()) known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw std::invalid_argument(fmt::format("no kernel profile \"{}\"; there are {}", name, known));
}

void require(bool condition, const std::string& sentence) {
  if (!condition) throw std::invalid_argument("simulated host: " + sentence);
}

void check_devices(const SimulatedHostConfig& config) {
  for (std::size_t i = 0; i != config.devices.size(); ++i) {
    const HostDevice& device = config.devices[i];
    require(device.smmu < config.smmus.size(),
            fmt::format("{} is behind SMMU {}; there are {}", device.name, device.smmu, config.smmus.size()));
    const unsigned sidsize = config.smmus[device.smmu].features.sidsize;
    require(fits(device.stream.value, sidsize),
            fmt::format("{} has StreamID 0x{:x}; its SMMU takes {} bits", device.name, device.stream.value, sidsize));
    for (std::size_t other = 0; other != i; ++other) {
      const HostDevice& earlier = config.devices[other];
      require(earlier.name != device.name, fmt::format("two devices {}; names differ", device.name));
      require(earlier.smmu != device.smmu || earlier.stream != device.stream,
              fmt::format("{} and {} have one StreamID; each has its own", earlier.name, device.name));
    }
  }
}

SimulatedHostConfig checked(const SimulatedHostConfig& config) {
  require(!config.smmus.empty(), "no physical SMMU; it needs one at least");
  require(config.page_bits == 12 || config.page_bits == 14 || config.page_bits == 16, "page_bits must be 12, 14 or 16");
  const auto is_timed = [](const SmmuConfig& smmu) { return smmu.timed; };
  require(std::all_of(config.smmus.begin(), config.smmus.end(), is_timed) ||
              std::none_of(config.smmus.begin(), config.smmus.end(), is_timed),
          "timed and untimed SMMUs; all must be the one or the other");
  require(fits(config.tables_base.value + (config.tables_bytes - 1), 48), "the host's tables must lie below 2^48");
  const std::uint64_t mask = low_mask(config.page_bits);
  for (const UserWindow& window : config.windows) {
    require(((window.user_va | window.physical.value | window.bytes) & mask) == 0 && window.bytes != 0 &&
                window.user_va + window.bytes >= window.bytes,
            "a window is whole pages of user and physical addresses");
    require(fits(window.physical.value + (window.bytes - 1), 52), "guest memory must lie below 2^52");
    require(window.physical - config.tables_base >= config.tables_bytes &&
                config.tables_base - window.physical >= window.bytes,
            "guest memory must not overlap the host's tables");
  }
  check_devices(config);
  return config;
}

}  // namespace

SimulatedHost::State::State(Engine& engine, SparseMemory& its_memory, MemoryPort& port,
                            const SimulatedHostConfig& wanted, const std::vector<Observer*>& observers)
    : memory(its_memory),
      config(checked(wanted)),
      profile(known_profile(wanted.kernel)),
      pages(wanted.tables_base, wanted.tables_bytes),
      worker(engine),
      bound(wanted.devices.size(), nullptr),
      ats_enabled(wanted.devices.size(), 0) {
  for (std::size_t i = 0; i != config.smmus.size(); ++i) {
    Observer* observer = i < observers.size() ? observers[i] : nullptr;
    smmus.push_back(std::make_unique<PhysicalSmmu>(engine, memory, port, pages, config.smmus[i], config, observer));
  }
  for (const HostDevice& device : config.devices) smmus[device.smmu]->add_stream(device.stream);
  // The kernel has booted long since: this is no call, but in a timed simulation it takes its time.
  for (const auto& smmu : smmus) worker.push({.steps = {{.smmu = smmu.get(), .enable = true}}});
}

/// Tasks of the worker wait in the drivers' scopes: those forget them before their frames go.
SimulatedHost::State::~State() {
  for (const auto& smmu : smmus) smmu->scope().cancel();
  worker.scope().cancel();
}

void SimulatedHost::State::add_commands(PhysicalSmmu& smmu, std::vector<spec::Command> commands) {
  current.steps.push_back({.smmu = &smmu, .commands = std::move(commands)});
}

/// Work that no ioctl has caused.
void SimulatedHost::State::push_current() {
  if (!current.steps.empty()) worker.push(std::move(current));
  current = {};
}

int SimulatedHost::State::open_descriptor(Descriptor descriptor) {
  int fd = first_descriptor;
  while (descriptors.count(fd) != 0) ++fd;
  descriptors[fd] = std::move(descriptor);
  return fd;
}

Descriptor* SimulatedHost::State::find(int fd) {
  const auto found = descriptors.find(fd);
  return found == descriptors.end() ? nullptr : &found->second;
}

std::shared_ptr<Context> SimulatedHost::State::find_context(const Context& context) {
  for (const auto& entry : descriptors) {
    if (entry.second.context.get() == &context) return entry.second.context;
  }
  return nullptr;
}

SimulatedHost::SimulatedHost(Engine& engine, SparseMemory& memory, MemoryPort& port, const SimulatedHostConfig& config,
                             const std::vector<Observer*>& observers)
    : state_(std::make_unique<State>(engine, memory, port, config, observers)) {}

SimulatedHost::~SimulatedHost() = default;

SysResult SimulatedHost::open(const std::string& path) {
  const std::string directory = VfioDevice::directory;
  const bool iommufd = path == Iommufd::default_path;
  std::size_t device = state_->config.devices.size();
  for (std::size_t i = 0; i != state_->config.devices.size(); ++i) {
    if (path == directory + "/" + state_->config.devices[i].name) device = i;
  }
  if (state_->profile.last_nr == 0 || (!iommufd && device == state_->config.devices.size())) return {-1, ENOENT};
  if (!state_->config.permitted) return {-1, EACCES};
  if (iommufd) {
    auto context = std::make_shared<Context>();
    state_->contexts.push_back(context);
    return {state_->open_descriptor({.context = std::move(context)}), 0};
  }
  return {state_->open_descriptor({.kind = Descriptor::Kind::device, .device = device}), 0};
}

SysResult SimulatedHost::close(int fd) {
  const auto found = state_->descriptors.find(fd);
  if (found == state_->descriptors.end()) return {-1, EBADF};
  // A copy: what goes with it may be the last that holds the context.
  const Descriptor descriptor = found->second;
  state_->descriptors.erase(found);
  if (descriptor.kind == Descriptor::Kind::device && descriptor.object != nullptr) {
    state_->unbind(*descriptor.context, static_cast<SimDevice&>(*descriptor.object));
  }
  if (descriptor.context.use_count() == 1) state_->end(*descriptor.context);
  state_->push_current();
  return {};
}

SysResult SimulatedHost::ioctl(int fd, std::uint32_t request, void* argument) {
  return state_->ioctl(fd, request, argument);
}

SysResult SimulatedHost::read(int fd, void* data, std::size_t bytes) {
  const Descriptor* descriptor = state_->find(fd);
  if (descriptor == nullptr) return {-1, EBADF};
  service_interrupts();
  if (descriptor->object == nullptr) return {-1, EINVAL};
  switch (descriptor->kind) {
    case Descriptor::Kind::veventq:
      return state_->read_veventq(static_cast<SimVeventq&>(*descriptor->object), data, bytes);
    case Descriptor::Kind::fault_queue:
      return state_->read_faults(static_cast<SimFaultQueue&>(*descriptor->object), data, bytes);
    default:
      return {-1, EINVAL};
  }
}

SysResult SimulatedHost::write(int fd, const void* data, std::size_t bytes) {
  const Descriptor* descriptor = state_->find(fd);
  if (descriptor == nullptr) return {-1, EBADF};
  if (descriptor->kind != Descriptor::Kind::fault_queue || descriptor->object == nullptr) return {-1, EINVAL};
  return state_->write_responses(static_cast<SimFaultQueue&>(*descriptor->object), data, bytes);
}

SysResult SimulatedHost::poll(int fd) {
  const Descriptor* descriptor = state_->find(fd);
  if (descriptor == nullptr) return {-1, EBADF};
  service_interrupts();
  bool readable = false;
  if (descriptor->object != nullptr && descriptor->kind == Descriptor::Kind::veventq) {
    const auto& queue = static_cast<const SimVeventq&>(*descriptor->object);
    readable = !queue.records.empty() || queue.lost.has_value();
  } else if (descriptor->object != nullptr && descriptor->kind == Descriptor::Kind::fault_queue) {
    readable = !static_cast<const SimFaultQueue&>(*descriptor->object).faults.empty();
  }
  return {readable ? 1 : 0, 0};
}

SysResult SimulatedHost::mmap(int fd, std::uint64_t /*offset*/, std::uint64_t /*bytes*/) {
  return {-1, state_->find(fd) == nullptr ? EBADF : ENODEV};  // only a Tegra241 has something to map
}

SysResult SimulatedHost::munmap(std::uint64_t /*address*/, std::uint64_t /*bytes*/) {
  return {-1, EINVAL};
}

SysResult SimulatedHost::list(const std::string& path, std::vector<std::string>& names) {
  names.clear();
  if (path != VfioDevice::directory || state_->profile.last_nr == 0) return {-1, ENOENT};
  for (const HostDevice& device : state_->config.devices) names.push_back(device.name);
  std::sort(names.begin(), names.end());
  return {static_cast<std::int64_t>(names.size()), 0};
}

SysResult SimulatedHost::read_link(const std::string& path, std::string& target) {
  for (const HostDevice& device : state_->config.devices) {
    if (path != std::string(device_class) + device.name + "/device") continue;
    target = "../../../" + device.bdf;
    return {static_cast<std::int64_t>(target.size()), 0};
  }
  return {-1, ENOENT};
}

std::uint64_t SimulatedHost::user_va(const void* /*host*/, std::uint64_t physical) const {
  for (const UserWindow& window : state_->config.windows) {
    if (physical - window.physical.value < window.bytes) return window.user_va + (physical - window.physical.value);
  }
  return ~std::uint64_t{0};
}

CallTime SimulatedHost::call_time(std::uint32_t request) const {
  return state_->worker.call_time(request);
}

std::uint64_t SimulatedHost::work_issued() const {
  return state_->worker.issued();
}

std::uint64_t SimulatedHost::work_done() const {
  return state_->worker.done();
}

std::uint64_t SimulatedHost::add_listener(std::function<void()> listener) {
  return state_->worker.add_listener(std::move(listener));
}

void SimulatedHost::remove_listener(std::uint64_t number) {
  state_->worker.remove_listener(number);
}

Smmu& SimulatedHost::physical_smmu(std::size_t index) {
  return state_->smmus.at(index)->smmu();
}

std::size_t SimulatedHost::physical_smmus() const {
  return state_->smmus.size();
}

const KernelProfile& SimulatedHost::profile() const {
  return state_->profile;
}

SimulatedHostCounters SimulatedHost::counters() const {
  SimulatedHostCounters counters = state_->counters;
  for (const auto& smmu : state_->smmus) counters.commands += smmu->commands_issued();
  counters.driver_failures = state_->worker.failures();
  return counters;
}

void SimulatedHost::service_interrupts() {
  if (!state_->timed()) {
    state_->service_events();
    return;
  }
  const bool pulsed = std::any_of(state_->smmus.begin(), state_->smmus.end(),
                                  [](const auto& smmu) { return smmu->smmu().waiting_interrupts() != 0; });
  if (!pulsed || state_->event_thread_runs) return;
  state_->event_thread_runs = true;
  spawn(state_->scope(), state_->event_thread());
}

std::optional<std::uint64_t> SimulatedHost::map_msi_doorbell(std::size_t device, Pa doorbell) {
  const SimDevice* bound = state_->bound.at(device);
  if (bound == nullptr || bound->attached == nullptr) return std::nullopt;
  SimHwptPaging& hwpt = bound->attached->parent();
  const std::uint64_t page = hwpt.smmu->stage2_geometry().granule_bytes();
  const std::uint64_t physical = doorbell.value & ~(page - 1);
  const std::uint64_t next = abi::msi_window_first + hwpt.doorbells.size() * page;
  const auto [entry, added] = hwpt.doorbells.emplace(physical, next);
  if (added) {
    if (next > abi::msi_window_last) {
      hwpt.doorbells.erase(entry);
      return std::nullopt;
    }
    try {
      hwpt.table->map(next, Pa(physical), page, {.device = true});
    } catch (const AllocationError&) {
      hwpt.doorbells.erase(entry);
      return std::nullopt;
    }
  }
  return entry->second + (doorbell.value & (page - 1));
}

bool SimulatedHost::ats_enabled(std::size_t device) const {
  return state_->ats_enabled.at(device) != 0;
}

void SimulatedHost::on_ats_enable(std::function<void(std::size_t device, bool enabled)> receiver) {
  state_->ats_receiver = std::move(receiver);
}

std::size_t SimulatedHost::objects() const {
  std::size_t count = 0;
  for (const auto& weak : state_->contexts) {
    if (const auto context = weak.lock()) count += context->objects.size();
  }
  return count;
}

void SimulatedHost::inject_error(std::uint32_t request, std::uint64_t nth, int error) {
  state_->injections[request].emplace_back(nth, error);
}

}  // namespace smmusim::host

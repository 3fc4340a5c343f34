// SPDX-License-Identifier: MIT
// Events of the physical SMMUs: which go to a guest's vEVENTQ, which stalled ones to a fault queue, and how both are
// read. What nobody gets stays with the host, which terminates stalls.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

using spec::Command;
using spec::Event;
using spec::EventType;

constexpr std::uint32_t sequence_max = std::numeric_limits<std::int32_t>::max();

/// Events that the kernel can lay at a guest's door.
bool guest_event(EventType type) {
  constexpr std::array types = {EventType::C_BAD_STE, EventType::F_STREAM_DISABLED, EventType::C_BAD_SUBSTREAMID,
                                EventType::C_BAD_CD,  EventType::F_TRANSLATION,     EventType::F_ADDR_SIZE,
                                EventType::F_ACCESS,  EventType::F_PERMISSION};
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool translation_fault(EventType type) {
  return type >= EventType::F_TRANSLATION && type <= EventType::F_PERMISSION;
}

Command resume(StreamId stream, std::uint16_t stag, bool retry) {
  return Command{}
      .set<Command::OP>(spec::Opcode::CMD_RESUME)
      .set<Command::StreamID>(stream.value)
      .set<Command::STAG>(stag)
      .set<Command::Ac>(retry)
      .set<Command::Ab>(!retry);
}

/// Appends bytes to a reader's buffer.
class Output {
 public:
  Output(void* data, std::size_t bytes) : data_(static_cast<std::byte*>(data)), bytes_(bytes) {}
  std::size_t left() const { return bytes_ - done_; }
  std::size_t done() const { return done_; }
  void put(const void* from, std::size_t size) {
    std::memcpy(data_ + done_, from, size);
    done_ += size;
  }

 private:
  std::byte* data_;
  std::size_t bytes_;
  std::size_t done_ = 0;
};

}  // namespace

int SimulatedHost::State::veventq_alloc(Context& context, abi::VeventqAlloc& a) {
  if (a.flags != 0 || a.rsv != 0 || a.type == abi::veventq_default) return EOPNOTSUPP;
  if (a.veventq_depth == 0) return EINVAL;
  if (profile.bounded && a.veventq_depth > veventq_depth_max) return EINVAL;
  auto* viommu = context.find<SimViommu>(a.viommu_id);
  if (viommu == nullptr) return ENOENT;
  if (viommu->veventqs.count(a.type) != 0) return EEXIST;
  add_cost(config.timing.object);
  auto made = std::make_unique<SimVeventq>();
  made->viommu = viommu;
  made->type = a.type;
  made->depth = a.veventq_depth;
  SimVeventq& queue = context.add(std::move(made));
  ++viommu->users;
  viommu->veventqs[a.type] = &queue;
  a.out_veventq_id = queue.id;
  a.out_veventq_fd = static_cast<std::uint32_t>(
      open_descriptor({.kind = Descriptor::Kind::veventq, .context = find_context(context), .object = &queue}));
  return 0;
}

void SimulatedHost::State::drop_veventq(SimVeventq& queue) {
  --queue.viommu->users;
  queue.viommu->veventqs.erase(queue.type);
}

int SimulatedHost::State::fault_queue_alloc(Context& context, abi::FaultQueueAlloc& a) {
  if (a.flags != 0) return EOPNOTSUPP;
  add_cost(config.timing.object);
  SimFaultQueue& queue = context.add(std::make_unique<SimFaultQueue>());
  a.out_fault_id = queue.id;
  a.out_fault_fd = static_cast<std::uint32_t>(
      open_descriptor({.kind = Descriptor::Kind::fault_queue, .context = find_context(context), .object = &queue}));
  return 0;
}

void SimulatedHost::State::put_vevent(SimVeventq& queue, const Event& event) {
  const std::uint32_t sequence = queue.sequence;
  queue.sequence = sequence == sequence_max ? 0 : sequence + 1;
  if (queue.records.size() == queue.depth) {
    queue.lost = sequence;
    ++counters.vevents_lost;
    return;
  }
  queue.lost.reset();  // the gap in the sequence says it
  queue.records.push_back({sequence, event});
  ++counters.vevents;
}

/// A stalled fault of a device with a fault queue. False: it has none, and the fault is still to be ended.
bool SimulatedHost::State::take_fault(SimDevice& device, PhysicalSmmu& smmu, const Event& event) {
  if (device.attached == nullptr || device.attached->kind != ObjectKind::hwpt_nested) return false;
  SimFaultQueue* queue = static_cast<SimHwptNested&>(*device.attached).faults;
  if (queue == nullptr || !translation_fault(event.get<Event::Type>()) || event.get<Event::S2>()) return false;
  const bool reads = event.get<Event::RnW>();
  abi::PageFault fault{};
  fault.flags = abi::fault_last_page | (event.get<Event::SSV>() ? abi::fault_pasid_valid : 0);
  fault.dev_id = device.id;
  fault.pasid = event.get<Event::SSV>() ? event.get<Event::SubstreamID>() : 0;
  fault.grpid = event.get<Event::STAG>();
  fault.perm = reads ? abi::fault_read : abi::fault_write;
  if (event.get<Event::InD>()) fault.perm |= abi::fault_exec;
  if (event.get<Event::PnU>()) fault.perm |= abi::fault_priv;
  fault.addr = event.get<Event::InputAddr>();
  fault.cookie = queue->next_cookie++;
  queue->faults.push_back(fault);
  queue->unanswered[fault.cookie] = {&smmu, config.devices[device.index].stream, event.get<Event::STAG>()};
  return true;
}

void SimulatedHost::State::drop_faults(const SimDevice& device, SimFaultQueue& queue) {
  const StreamId stream = config.devices[device.index].stream;
  for (auto entry = queue.unanswered.begin(); entry != queue.unanswered.end();) {
    const SimFaultQueue::Waiting waiting = entry->second;
    if (waiting.smmu != &smmu_of(device.index) || waiting.stream != stream) {
      ++entry;
      continue;
    }
    add_commands(*waiting.smmu, {resume(stream, waiting.stag, false)});
    entry = queue.unanswered.erase(entry);
  }
  std::erase_if(queue.faults, [&](const abi::PageFault& fault) { return queue.unanswered.count(fault.cookie) == 0; });
}

void SimulatedHost::State::take_event(PhysicalSmmu& smmu, const Event& event) {
  ++counters.events;
  const StreamId stream(event.get<Event::StreamID>());
  SimDevice* device = nullptr;
  for (SimDevice* candidate : bound) {
    if (candidate == nullptr || config.devices[candidate->index].stream != stream) continue;
    if (&smmu_of(candidate->index) == &smmu) device = candidate;
  }
  const auto type = event.get<Event::Type>();
  if (translation_fault(type) && event.get<Event::Stall>()) {
    if (device != nullptr && take_fault(*device, smmu, event)) return;
    ++counters.events_kept;
    add_commands(smmu, {resume(stream, event.get<Event::STAG>(), false)});
    return;
  }
  SimVdevice* vdevice = device == nullptr ? nullptr : device->vdevice;
  const bool nested = device != nullptr && device->attached != nullptr &&
                      device->attached->kind == ObjectKind::hwpt_nested && vdevice != nullptr &&
                      static_cast<SimHwptNested&>(*device->attached).viommu == vdevice->viommu;
  SimVeventq* queue = nullptr;
  if (nested && guest_event(type) && !event.get<Event::S2>()) {
    const auto found = vdevice->viommu->veventqs.find(abi::veventq_arm_smmuv3);
    if (found != vdevice->viommu->veventqs.end()) queue = found->second;
  }
  if (queue == nullptr) {
    ++counters.events_kept;
    return;
  }
  Event rewritten = event;
  put_vevent(*queue, rewritten.set<Event::StreamID>(static_cast<std::uint32_t>(vdevice->virt_id)));
}

void SimulatedHost::State::service_events() {
  for (const auto& smmu : smmus) {
    DrainedEvents drained;
    smmu->read_events(drained);
    for (const Event& event : drained.events) take_event(*smmu, event);
    if (!drained.events.empty()) worker.tell_listeners();
  }
  push_current();  // the ends of stalls that nobody answers
}

/// The interrupt's thread: it runs a while after the interrupt, and takes all that has come by then.
Task<> SimulatedHost::State::event_thread() {
  co_await delay(scope(), config.timing.event);
  event_thread_runs = false;
  service_events();
}

SysResult SimulatedHost::State::read_veventq(SimVeventq& queue, void* data, std::size_t bytes) {
  constexpr std::size_t record_bytes = sizeof(abi::VeventHeader) + sizeof(abi::VeventArmSmmuv3);
  Output output(data, bytes);
  while (!queue.records.empty() && output.left() >= record_bytes) {
    const SimVeventq::Record& record = queue.records.front();
    const abi::VeventHeader header{0, record.sequence};
    output.put(&header, sizeof header);
    output.put(record.event.dw.data(), sizeof(abi::VeventArmSmmuv3));
    queue.records.pop_front();
  }
  if (queue.records.empty() && queue.lost && output.left() >= sizeof(abi::VeventHeader)) {
    const abi::VeventHeader header{abi::vevent_lost_events, *queue.lost};
    output.put(&header, sizeof header);
    queue.lost.reset();
  }
  const bool waiting = !queue.records.empty() || queue.lost.has_value();
  if (output.done() == 0 && waiting && profile.bounded) return {-1, EINVAL};
  return {static_cast<std::int64_t>(output.done()), 0};
}

SysResult SimulatedHost::State::read_faults(SimFaultQueue& queue, void* data, std::size_t bytes) {
  if (bytes % sizeof(abi::PageFault) != 0) return {-1, profile.bounded ? EINVAL : ESPIPE};
  Output output(data, bytes);
  while (!queue.faults.empty() && output.left() != 0) {
    output.put(&queue.faults.front(), sizeof(abi::PageFault));
    queue.faults.pop_front();
  }
  return {static_cast<std::int64_t>(output.done()), 0};
}

SysResult SimulatedHost::State::write_responses(SimFaultQueue& queue, const void* data, std::size_t bytes) {
  if (bytes % sizeof(abi::PageResponse) != 0) return {-1, profile.bounded ? EINVAL : ESPIPE};
  std::size_t done = 0;
  for (; done != bytes; done += sizeof(abi::PageResponse)) {
    abi::PageResponse response{};
    std::memcpy(&response, static_cast<const std::byte*>(data) + done, sizeof response);
    const auto found = queue.unanswered.find(response.cookie);
    if (response.code > abi::fault_invalid || found == queue.unanswered.end()) break;
    const SimFaultQueue::Waiting& waiting = found->second;
    add_commands(*waiting.smmu, {resume(waiting.stream, waiting.stag, response.code == abi::fault_success)});
    queue.unanswered.erase(found);
  }
  push_current();
  if (done == 0 && bytes != 0) return {-1, EINVAL};
  return {static_cast<std::int64_t>(done), 0};
}

}  // namespace smmusim::host

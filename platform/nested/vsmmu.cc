// SPDX-License-Identifier: MIT
// Vsmmu: devices, HWPTs, what each stream is attached to. Events are vsmmu_events.cc's.
#include "platform/nested/vsmmu.h"

#include <algorithm>
#include <cerrno>

#include "model/spec/ste.h"
#include "platform/nested/guest_words.h"

namespace smmusim::nested {
namespace {

using spec::Command;
using spec::CommandError;
using spec::Opcode;
using spec::Ste;

/// Kernels that have no vEVENTQ (before 6.15): faults are then nobody's.
bool has_no_such_call(const host::HostError& error) {
  return error.error == ENOTTY || error.error == EOPNOTSUPP;
}

/// Stage 1 with one CD, at `zeroes`: V = 0.
host::SteWords trap_words(std::uint64_t zeroes) {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::stage1).set<Ste::S1ContextPtr>(zeroes);
  ste.set<Ste::S1CIR>(1).set<Ste::S1COR>(1).set<Ste::S1CSH>(spec::Shareability::inner);
  return {ste.dw[0], ste.dw[1]};
}

StreamSetting faulting(spec::EventType event, std::uint64_t fetch_address = 0) {
  StreamSetting setting;
  setting.conduct = StreamConduct::fault;
  setting.event = event;
  setting.fetch_address = fetch_address;
  return setting;
}

}  // namespace

struct Vsmmu::Calling {
  explicit Calling(Vsmmu& owner) : vsmmu(owner) { ++vsmmu.calling_; }
  ~Calling() {
    vsmmu.work_ = vsmmu.space_.system().work_issued();
    --vsmmu.calling_;
  }
  Vsmmu& vsmmu;
};

Vsmmu::Vsmmu(Engine& engine, GuestSpace& space, const VsmmuConfig& config)
    : space_(space), config_(config), batch_(config.batch_max), lifetime_(engine), news_(lifetime_) {
  listener_ = space_.system().add_listener([this] {
    news_.open();
    if (guest_ != nullptr) guest_->accelerator_progressed();
  });
  spawn(lifetime_, serve_events());
}

Vsmmu::~Vsmmu() {
  space_.system().remove_listener(listener_);
  lifetime_.cancel();
  if (guest_ != nullptr) guest_->accelerate(nullptr);
  guest_ = nullptr;
  while (!streams_.empty()) unplug(streams_.back());
}

bool Vsmmu::settled() const {
  return calling_ == 0 && space_.system().work_done() >= work_;
}

bool Vsmmu::note(const host::HostError& error) {
  ++counters_.attach_failures;
  last_error_ = error;
  return false;
}

host::Result<BoundDevice> Vsmmu::bind(const std::string& path) {
  const Calling calling(*this);
  auto device = host::VfioDevice::open(space_.iommufd(), path);
  if (!device) return device.error();
  auto info = (*device)->hw_info();
  if (!info) return info.error();
  if (info->data_type != host::abi::hw_info_arm_smmuv3) {
    return host::HostError{"IOMMU_GET_HW_INFO", EOPNOTSUPP, 0, "the device is not behind an SMMUv3"};
  }
  if (parent_ == nullptr) {
    auto parent = space_.ioas()->alloc_nest_parent(**device);
    if (!parent) return parent.error();
    parent_ = *parent;
  }
  auto ranges = space_.ioas()->iova_ranges();
  if (!ranges) return ranges.error();
  BoundDevice bound{*device, *info, {}};
  HostReport& report = bound.report;
  std::copy(std::begin(info->smmu.idr), std::end(info->smmu.idr), report.idr.begin());
  report.iidr = info->smmu.iidr;
  report.aidr = info->smmu.aidr;
  for (const auto& range : ranges->allowed) report.aperture_last = std::max(report.aperture_last, range.last);
  report.ats_not_supported = info->ats_not_supported();
  report.pasid_exec = info->pasid_exec();
  report.pasid_priv = info->pasid_priv();
  report.max_pasid_log2 = info->max_pasid_log2;
  return bound;
}

void Vsmmu::serve(Smmu& guest) {
  const Calling calling(*this);
  guest_ = &guest;
  guest.accelerate(this);
}

host::Status Vsmmu::make_viommu(Device& device) {
  host::VfioDevice& vfio = *device.bound.device;
  if (parent_ == nullptr) {
    auto parent = space_.ioas()->alloc_nest_parent(vfio);
    if (!parent) return parent.error();
    parent_ = *parent;
  }
  auto viommu = parent_->alloc_viommu(vfio);
  if (!viommu) return viommu.error();
  viommu_ = *viommu;
  auto abort = viommu_->alloc_nested(vfio, abort_words());
  if (!abort) return abort.error();
  abort_ = *abort;
  auto bypass = viommu_->alloc_nested(vfio, bypass_words());
  if (!bypass) return bypass.error();
  bypass_ = *bypass;
  auto queue = viommu_->alloc_veventq(config_.veventq_depth);
  if (!queue && !has_no_such_call(queue.error())) return queue.error();
  if (queue) veventq_ = *queue;
  last_sequence_.reset();
  batch_.set_viommu(viommu_);
  return {};
}

void Vsmmu::drop_viommu() {
  batch_.clear();
  batch_.set_viommu(nullptr);
  veventq_.reset();
  trap_.reset();
  bypass_.reset();
  abort_.reset();
  viommu_.reset();
  parent_.reset();
}

Vsmmu::Device* Vsmmu::find(StreamId stream) {
  const auto place = std::lower_bound(devices_.begin(), devices_.end(), stream.value,
                                      [](const Device& d, std::uint32_t value) { return d.stream.value < value; });
  return place != devices_.end() && place->stream == stream ? &*place : nullptr;
}

host::Status Vsmmu::plug(const BoundDevice& bound, StreamId stream, bool shows_ats) {
  const Calling calling(*this);
  if (find(stream) != nullptr) return host::HostError{"plug", EEXIST, 0, "another device has this StreamID"};
  Device device;
  device.stream = stream;
  device.bound = bound;
  device.shows_ats = shows_ats;
  const auto failed = [this](const host::HostError& error) -> host::Status {
    if (devices_.empty()) drop_viommu();
    return error;
  };
  if (viommu_ == nullptr) {
    if (const host::Status status = make_viommu(device); !status) return failed(status.error());
  }
  auto vdevice = viommu_->alloc_vdevice(bound.device, stream.value);
  if (!vdevice) return failed(vdevice.error());
  device.vdevice = *vdevice;
  const auto place =
      static_cast<std::ptrdiff_t>(std::lower_bound(streams_.begin(), streams_.end(), stream,
                                                   [](StreamId a, StreamId b) { return a.value < b.value; }) -
                                  streams_.begin());
  streams_.insert(streams_.begin() + place, stream);
  devices_.insert(devices_.begin() + place, std::move(device));
  if (guest_ == nullptr) return {};
  guest_->accelerate(this);
  if (!find(stream)->unfulfilled) return {};
  const host::HostError error = last_error_;
  unplug(stream);
  return error;
}

bool Vsmmu::unplug(StreamId stream) {
  const Calling calling(*this);
  Device* device = find(stream);
  if (device == nullptr) return false;
  drain_events();
  const host::Status blocked = device->bound.device->detach();
  if (!blocked) last_error_ = blocked.error();  // closing the device detaches it
  const auto place = device - devices_.data();
  // What goes first is what the kernel wants to go first: the HWPT, then the vDEVICE, then the device.
  Device leaving = std::move(*device);
  devices_.erase(devices_.begin() + place);
  streams_.erase(streams_.begin() + place);
  if (!blocked) leaving.bound.device.reset();
  batch_.forget(stream);  // without the vDEVICE the host would refuse them, and the guest is not to blame
  leaving.nested.reset();
  leaving.vdevice.reset();
  leaving.bound.device.reset();
  if (devices_.empty()) drop_viommu();
  return true;
}

bool Vsmmu::attach(Device& device, const host::HwptPtr& hwpt, Attached kind) {
  const host::Status status = device.bound.device->attach(hwpt);
  if (!status) return note(status.error());
  ++counters_.attaches;
  device.attached = kind;
  return true;
}

bool Vsmmu::attach_shared(Device& device, Attached kind) {
  if (device.attached == kind) return true;
  if (!attach(device, kind == Attached::abort ? abort_ : bypass_, kind)) return false;
  device.nested.reset();
  return true;
}

/// Where a stream without substreams has its CD. Other tables are known only when a substream is.
bool Vsmmu::reaches_cd(const host::SteWords& words) const {
  Ste ste;
  ste.dw[0] = words[0];
  constexpr std::uint64_t cd_bytes = 64;
  return ste.get<Ste::S1CDMax>() != 0 || space_.holds(ste.get<Ste::S1ContextPtr>(), cd_bytes);
}

bool Vsmmu::attach_stage1(Device& device) {
  const host::SteWords words = stage1_words(device.wanted, guest_->config().features, device.shows_ats);
  if (device.attached == Attached::stage1 && device.words == words) {
    ++counters_.unchanged;
    Command cds;
    cds.set<Command::OP>(Opcode::CMD_CFGI_CD_ALL).set<Command::StreamID>(device.stream.value);
    return batch_.add(cds) == CommandError::CERROR_NONE;
  }
  Ste ste;
  ste.dw[0] = device.wanted.ste[0];
  const std::uint64_t contexts = ste.get<Ste::S1ContextPtr>();
  const unsigned oas = guest_->config().features.oas;
  if (!fits(contexts, oas) || !reaches_cd(words)) {
    return attach_trap(device, faulting(spec::EventType::F_CD_FETCH, contexts & low_mask(oas)));
  }
  auto hwpt = viommu_->alloc_nested(*device.bound.device, words);
  if (!hwpt && hwpt.error().error == EIO) {
    ++counters_.refused_stes;
    return attach_trap(device, faulting(spec::EventType::C_BAD_STE));
  }
  if (!hwpt) return note(hwpt.error());
  ++counters_.hwpts;
  if (!attach(device, *hwpt, Attached::stage1)) return false;
  device.nested = *hwpt;
  device.words = words;
  return true;
}

bool Vsmmu::make_trap(Device& device) {
  if (trap_ != nullptr) return true;
  auto hwpt = viommu_->alloc_nested(*device.bound.device, trap_words(*space_.zeroes()));
  if (!hwpt) return note(hwpt.error());
  trap_ = *hwpt;
  return true;
}

bool Vsmmu::attach_trap(Device& device, const StreamSetting& shown) {
  if (veventq_ == nullptr || !space_.zeroes()) {
    ++counters_.untrapped;
    return attach_shared(device, Attached::abort);
  }
  const bool there = device.attached == Attached::trap;
  if (!there && (!make_trap(device) || !attach(device, trap_, Attached::trap))) return false;
  counters_.traps += there ? 0 : 1;
  device.nested.reset();
  device.trapped = shown;
  return true;
}

/// Last resort of a device whose wish can't be fulfilled: no DMA in the ways that the guest has ended.
void Vsmmu::block(Device& device) {
  if (device.attached == Attached::nothing || attach_shared(device, Attached::abort)) return;
  if (!device.bound.device->detach()) return;
  device.attached = Attached::nothing;
  device.nested.reset();
}

bool Vsmmu::fulfil(Device& device) {
  if (device.attached == Attached::stage1 || device.attached == Attached::trap) drain_events();
  switch (device.wanted.conduct) {
    case StreamConduct::abort:
      return attach_shared(device, Attached::abort);
    case StreamConduct::bypass:
      return attach_shared(device, Attached::bypass);
    case StreamConduct::stage1:
      return attach_stage1(device);
    case StreamConduct::fault:
      return attach_trap(device, device.wanted);
  }
  return false;
}

/// What registers ask for is tried twice: there may be no command queue, and so no command, to try again.
bool Vsmmu::set(Device& device, const StreamSetting& setting, bool by_command) {
  device.wanted = setting;
  bool done = fulfil(device) || (!by_command && fulfil(device));
  if (!done) block(device);
  done = done || (setting.conduct == StreamConduct::abort && device.attached == Attached::abort);
  device.unfulfilled = !done;
  device.unreported = !done && !by_command;
  return done;
}

bool Vsmmu::configure(StreamId stream, const StreamSetting& setting, bool by_command) {
  const Calling calling(*this);
  Device* device = find(stream);
  if (device == nullptr) return true;
  device->disabled = false;
  return set(*device, setting, by_command);
}

void Vsmmu::disable(bool abort) {
  const Calling calling(*this);
  StreamSetting setting;
  setting.conduct = abort ? StreamConduct::abort : StreamConduct::bypass;
  for (Device& device : devices_) {
    set(device, setting, false);
    device.disabled = true;
  }
}

CommandError Vsmmu::forward(const Command& command) {
  const Calling calling(*this);
  const std::optional<Command> form = forwarded_form(command, guest_->config().features);
  if (!form) return CommandError::CERROR_NONE;
  if (names_stream(*form)) {
    const bool of_atc = form->get<Command::OP>() == Opcode::CMD_ATC_INV;
    const Device* device = find(StreamId(form->get<Command::StreamID>()));
    if (device == nullptr || (of_atc && !device->shows_ats)) {
      ++counters_.foreign_commands;
      return CommandError::CERROR_NONE;
    }
  }
  return batch_.add(*form);
}

CommandError Vsmmu::synchronise() {
  const Calling calling(*this);
  CommandError error = batch_.flush();
  for (Device& device : devices_) {
    if (!device.unfulfilled) continue;
    if (set(device, StreamSetting(device.wanted), !device.unreported)) {
      ++counters_.retries;
    } else if (device.unreported) {
      device.unreported = false;
      error = CommandError::CERROR_ILL;
    }
  }
  drain_events();
  return error;
}

std::size_t Vsmmu::unsettled_devices() const {
  return static_cast<std::size_t>(
      std::count_if(devices_.begin(), devices_.end(), [](const Device& d) { return d.unfulfilled; }));
}

}  // namespace smmusim::nested

// SPDX-License-Identifier: MIT
// The objects of the simulated iommufd: plain data and who refers to whom. What may be done with them is in the files
// simulated_*.cc. `users` counts what depends on an object: it can't be destroyed before that is zero. Private to
// platform/host.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "platform/driver/page_table.h"
#include "platform/host/abi.h"
#include "platform/host/physical_smmu.h"

namespace smmusim::host {

enum class ObjectKind : std::uint8_t {
  ioas,
  hwpt_paging,
  hwpt_nested,
  device,
  viommu,
  vdevice,
  veventq,
  fault_queue,
  tombstone,
};

struct SimObject {
  explicit SimObject(ObjectKind its_kind) : kind(its_kind) {}
  virtual ~SimObject() = default;
  SimObject(const SimObject&) = delete;
  SimObject& operator=(const SimObject&) = delete;

  ObjectKind kind;
  std::uint32_t id = 0;
  unsigned users = 0;
};

struct SimHwpt;
struct SimHwptPaging;
struct SimVdevice;
struct SimVeventq;
struct SimFaultQueue;
struct SimDevice;
struct Context;

/// A range of an IOAS that is mapped.
struct Area {
  std::uint64_t last = 0;
  std::uint64_t user_va = 0;
  bool writeable = false;
};

struct SimIoas : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::ioas;
  SimIoas() : SimObject(its_kind) {}
  std::map<std::uint64_t, Area> areas;  // by first address
  std::vector<SimHwptPaging*> hwpts;    // each has all areas in its table
  std::vector<SimDevice*> devices;      // attached to one of these, nested ones included
};

/// What a device can be attached to.
struct SimHwpt : SimObject {
  using SimObject::SimObject;
  PhysicalSmmu* smmu = nullptr;
  virtual SimHwptPaging& parent() = 0;  ///< itself, or what it is nested on
};

struct SimHwptPaging : SimHwpt {
  static constexpr ObjectKind its_kind = ObjectKind::hwpt_paging;
  SimHwptPaging() : SimHwpt(its_kind) {}
  SimHwptPaging& parent() override { return *this; }
  SimIoas* ioas = nullptr;
  bool nest_parent = false;
  bool pasid = false;
  bool made_by_attach = false;  ///< goes with its last device
  Vmid vmid{};
  std::unique_ptr<PageTable> table;
  std::map<std::uint64_t, std::uint64_t> doorbells;  // physical page -> page of the MSI window
};

struct SimViommu : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::viommu;
  SimViommu() : SimObject(its_kind) {}
  SimHwptPaging* hwpt = nullptr;
  std::map<std::uint64_t, SimVdevice*> vdevices;  // by virt_id
  std::map<std::uint32_t, SimVeventq*> veventqs;  // by type
};

struct SimHwptNested : SimHwpt {
  static constexpr ObjectKind its_kind = ObjectKind::hwpt_nested;
  SimHwptNested() : SimHwpt(its_kind) {}
  SimHwptPaging& parent() override { return *viommu->hwpt; }
  SimViommu* viommu = nullptr;
  SimFaultQueue* faults = nullptr;
  spec::Ste ste{};  ///< doublewords 0 and 1, as they were accepted
};

struct SimVdevice : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::vdevice;
  SimVdevice() : SimObject(its_kind) {}
  SimViommu* viommu = nullptr;
  SimDevice* device = nullptr;
  std::uint64_t virt_id = 0;
};

struct SimVeventq : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::veventq;
  SimVeventq() : SimObject(its_kind) {}
  struct Record {
    std::uint32_t sequence;
    spec::Event event;
  };
  SimViommu* viommu = nullptr;
  std::uint32_t type = 0;
  std::uint32_t depth = 0;
  std::uint32_t sequence = 0;           ///< of the next event, lost ones included
  std::deque<Record> records;           ///< at most depth
  std::optional<std::uint32_t> lost{};  ///< the mark at the tail: sequence of the last event that was lost
};

struct SimFaultQueue : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::fault_queue;
  SimFaultQueue() : SimObject(its_kind) {}
  struct Waiting {
    PhysicalSmmu* smmu;
    StreamId stream;
    std::uint16_t stag;
  };
  std::deque<abi::PageFault> faults;            ///< not read yet
  std::map<std::uint32_t, Waiting> unanswered;  ///< by cookie, read or not
  std::uint32_t next_cookie = 1;
};

/// The kernel's end of a bound device.
struct SimDevice : SimObject {
  static constexpr ObjectKind its_kind = ObjectKind::device;
  SimDevice() : SimObject(its_kind) {}
  std::size_t index = 0;  ///< of SimulatedHostConfig::devices
  SimHwpt* attached = nullptr;
  std::map<std::uint32_t, SimHwptPaging*> pasids;
  SimVdevice* vdevice = nullptr;
};

/// One opened /dev/iommu: its objects.
struct Context {
  std::map<std::uint32_t, std::unique_ptr<SimObject>> objects;

  /// Gives it the lowest free number, from 1.
  template <class T>
  T& add(std::unique_ptr<T> object) {
    std::uint32_t id = 1;
    for (const auto& entry : objects) {
      if (entry.first != id) break;
      ++id;
    }
    T& result = *object;
    result.id = id;
    objects[id] = std::move(object);
    return result;
  }
  /// Null: there is none of that number and kind.
  template <class T>
  T* find(std::uint32_t id) {
    const auto found = objects.find(id);
    if (found == objects.end() || found->second->kind != T::its_kind) return nullptr;
    return static_cast<T*>(found->second.get());
  }
  SimObject* find_any(std::uint32_t id) {
    const auto found = objects.find(id);
    return found == objects.end() || found->second->kind == ObjectKind::tombstone ? nullptr : found->second.get();
  }
};

}  // namespace smmusim::host

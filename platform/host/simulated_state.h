// SPDX-License-Identifier: MIT
// SimulatedHost::State: descriptors, objects, physical SMMUs, the worker, and one member function for each request,
// grouped by the file that has it. Functions that are requests return 0 or an errno. Private to platform/host.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/host/physical_smmu.h"
#include "platform/host/simulated_host.h"
#include "platform/host/simulated_objects.h"
#include "platform/host/work.h"

namespace smmusim::host {

/// What a descriptor of the simulated host refers to.
struct Descriptor {
  enum class Kind : std::uint8_t { iommufd, device, veventq, fault_queue };
  Kind kind = Kind::iommufd;
  std::shared_ptr<Context> context{};  ///< of a device: what it is bound to, or null
  std::size_t device = 0;              ///< its index
  SimObject* object = nullptr;         ///< SimDevice (bound), SimVeventq or SimFaultQueue; null: it is gone
};

struct SimulatedHost::State {
  State(Engine& engine, SparseMemory& memory, MemoryPort& port, const SimulatedHostConfig& wanted,
        const std::vector<Observer*>& observers);

  // simulated_dispatch.cc
  SysResult ioctl(int fd, std::uint32_t request, void* argument);
  int call_iommufd(Descriptor& descriptor, std::uint32_t request, void* argument);
  int call_device(Descriptor& descriptor, std::uint32_t request, void* argument);
  int injected(std::uint32_t request);

  // simulated_ioas.cc
  int ioas_alloc(Context& context, abi::IoasAlloc& a);
  int ioas_iova_ranges(Context& context, abi::IoasIovaRanges& a);
  int ioas_map(Context& context, abi::IoasMap& a);
  int ioas_map_file(Context& context, abi::IoasMapFile& a);
  int ioas_unmap(Context& context, abi::IoasUnmap& a);
  std::vector<abi::IovaRange> reserved_of(const SimIoas& ioas) const;
  std::vector<abi::IovaRange> allowed_in(const SimIoas& ioas) const;
  std::uint64_t alignment_of(const SimIoas& ioas) const;
  /// Whether areas of the IOAS lie in [first, last].
  static bool has_area(const SimIoas& ioas, std::uint64_t first, std::uint64_t last);
  std::uint64_t free_place(const SimIoas& ioas, std::uint64_t bytes) const;
  int check_place(const SimIoas& ioas, std::uint64_t first, std::uint64_t last) const;
  bool user_memory(std::uint64_t user_va, std::uint64_t bytes) const;
  /// What user memory is there from `user_va` on, and for how many bytes; empty: none.
  std::optional<UserWindow> window_at(std::uint64_t user_va) const;
  static int map_part(PageTable& table, std::uint64_t iova, const UserWindow& part, bool writeable);
  /// Puts an area into a table; an error leaves nothing of it there.
  int map_area(SimHwptPaging& hwpt, std::uint64_t first, const Area& area);
  void unmap_area(SimHwptPaging& hwpt, std::uint64_t first, const Area& area);

  // simulated_hwpt.cc
  int get_hw_info(Context& context, abi::HwInfo& a);
  int hwpt_alloc(Context& context, abi::HwptAlloc& a);
  int alloc_paging(Context& context, abi::HwptAlloc& a, SimDevice& device, SimIoas& ioas);
  int alloc_nested(Context& context, abi::HwptAlloc& a, SimViommu& viommu);
  /// Makes a paging HWPT with all areas of the IOAS; `out` is set if that gives 0.
  int make_paging(Context& context, SimDevice& device, SimIoas& ioas, SimHwptPaging*& out);
  int destroy(Context& context, abi::Destroy& a);
  void destroy_paging(Context& context, SimHwptPaging& hwpt);
  /// The end of a Context: what it still has goes, in no order that anyone can see.
  void end(Context& context);

  // simulated_viommu.cc
  int viommu_alloc(Context& context, abi::ViommuAlloc& a);
  int vdevice_alloc(Context& context, abi::VdeviceAlloc& a);
  void drop_vdevice(SimVdevice& vdevice);
  int hwpt_invalidate(Context& context, abi::HwptInvalidate& a);
  int invalidate_viommu(SimViommu& viommu, abi::HwptInvalidate& a, std::uint32_t& handled);
  int rewrite(const SimViommu& viommu, spec::Command& command) const;

  // simulated_events.cc
  int veventq_alloc(Context& context, abi::VeventqAlloc& a);
  void drop_veventq(SimVeventq& queue);
  int fault_queue_alloc(Context& context, abi::FaultQueueAlloc& a);
  void service_events();
  void take_event(PhysicalSmmu& smmu, const spec::Event& event);
  /// The host answers the stalled faults of a device that leaves the queue: they abort.
  void drop_faults(const SimDevice& device, SimFaultQueue& queue);
  bool take_fault(SimDevice& device, PhysicalSmmu& smmu, const spec::Event& event);
  void put_vevent(SimVeventq& queue, const spec::Event& event);
  SysResult read_veventq(SimVeventq& queue, void* data, std::size_t bytes);
  SysResult read_faults(SimFaultQueue& queue, void* data, std::size_t bytes);
  SysResult write_responses(SimFaultQueue& queue, const void* data, std::size_t bytes);
  Task<> event_thread();

  // simulated_vfio.cc
  int vfio_bind(Descriptor& descriptor, abi::VfioBind& a);
  int vfio_attach(Descriptor& descriptor, abi::VfioAttach& a);
  int vfio_detach(Descriptor& descriptor, abi::VfioDetach& a);
  int attach_pasid(Context& context, SimDevice& device, const abi::VfioAttach& a);
  int attach(Context& context, SimDevice& device, SimHwpt& hwpt);
  /// The paging HWPT that attaching `device` to the IOAS gives, there already or new.
  int hwpt_for(Context& context, SimDevice& device, SimIoas& ioas, SimHwptPaging*& out);
  int check_nested(const SimDevice& device, const SimHwptNested& hwpt) const;
  void replace(Context& context, SimDevice& device, SimHwpt* hwpt);
  void unbind(Context& context, SimDevice& device);
  bool ats_possible(std::size_t device) const;
  bool ats_with(const SimDevice& device, const SimHwpt& hwpt) const;
  spec::Ste physical_ste(const SimHwpt& hwpt, bool ats) const;
  /// Brings the device's STE and its ATS enable to what it is attached to now.
  void update_stream(const SimDevice& device);

  // simulated_host.cc
  ~State();
  Scope& scope() { return worker.scope(); }
  int open_descriptor(Descriptor descriptor);
  Descriptor* find(int fd);
  std::shared_ptr<Context> find_context(const Context& context);
  PhysicalSmmu& smmu_of(std::size_t device) { return *smmus[config.devices[device].smmu]; }
  const PhysicalSmmu& smmu_of(std::size_t device) const { return *smmus[config.devices[device].smmu]; }
  bool timed() const { return config.smmus.front().timed; }
  void add_cost(Time cost) { current.cost += timed() ? cost : 0; }
  void push_current();
  void add_commands(PhysicalSmmu& smmu, std::vector<spec::Command> commands);
  std::uint64_t page_bytes() const { return std::uint64_t{1} << config.page_bits; }

  SparseMemory& memory;
  SimulatedHostConfig config;
  const KernelProfile& profile;
  PageAllocator pages;
  std::vector<std::unique_ptr<PhysicalSmmu>> smmus;
  Worker worker;
  Job current;  ///< of the call under way
  std::map<int, Descriptor> descriptors;
  std::vector<std::weak_ptr<Context>> contexts;
  std::vector<SimDevice*> bound;  ///< by device index; null: not bound
  std::vector<char> ats_enabled;  ///< by device index
  std::function<void(std::size_t, bool)> ats_receiver;
  std::map<std::uint32_t, std::deque<std::pair<std::uint64_t, int>>> injections;  ///< (calls until, errno)
  SimulatedHostCounters counters;
  bool event_thread_runs = false;
};

}  // namespace smmusim::host

// SPDX-License-Identifier: MIT
// How the kernel takes an ioctl: which requests a version has, how long the structure must be, what is copied in and
// out. The requests themselves are elsewhere.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "platform/host/simulated_state.h"

namespace smmusim::host {
namespace {

constexpr std::uint32_t kernel_page = 4096;  // no structure is longer

/// True if bytes [from, to) are zero.
bool zero_from(const void* data, std::uint32_t from, std::uint32_t to) {
  const auto* bytes = static_cast<const std::byte*>(data);
  return std::all_of(bytes + from, bytes + to, [](std::byte b) { return b == std::byte{0}; });
}

/// Copies the caller's structure into `to`; what the caller's version does not have is zero. 0 or an errno.
template <class T>
int copy_in(const void* argument, std::uint32_t size, std::uint32_t size_min, T& to) {
  if (size < size_min) return EINVAL;
  if (size > kernel_page) return E2BIG;
  if (size > sizeof(T) && !zero_from(argument, sizeof(T), size)) return E2BIG;
  std::memcpy(&to, argument, std::min<std::size_t>(size, sizeof(T)));
  return 0;
}

/// Takes the structure, does the request, gives the structure back. `also_if`: the errors after which it is given back.
template <class T, class Request>
int exchange(void* argument, std::uint32_t size_min, const Request& request, bool (*also_if)(int) = nullptr) {
  std::uint32_t size = 0;
  std::memcpy(&size, argument, sizeof size);
  T copy{};
  int error = copy_in(argument, size, size_min, copy);
  if (error != 0) return error;
  error = request(copy);
  const bool back = error == 0 || (also_if != nullptr && also_if(error));
  if (back) std::memcpy(argument, &copy, std::min<std::size_t>(size, sizeof(T)));
  return error;
}

}  // namespace

/// The errno that inject_error() wants now, or 0.
int SimulatedHost::State::injected(std::uint32_t request) {
  const auto found = injections.find(request);
  if (found == injections.end()) return 0;
  int error = 0;
  for (auto& [calls, its_error] : found->second) {
    if (calls != 0 && --calls == 0) error = its_error;
  }
  std::erase_if(found->second, [](const auto& injection) { return injection.first == 0; });
  return error;
}

int SimulatedHost::State::call_iommufd(Descriptor& descriptor, std::uint32_t request, void* argument) {
  if (request < abi::request(abi::first_nr) || request > abi::request(profile.last_nr)) return ENOTTY;
  Context& context = *descriptor.context;
  const auto whole = [&]<class T>(int (State::*member)(Context&, T&), std::uint32_t size_min = sizeof(T),
                                  bool (*also_if)(int) = nullptr) {
    return exchange<T>(
        argument, size_min, [&](T& a) { return (this->*member)(context, a); }, also_if);
  };
  switch (request) {
    case abi::iommu_destroy:
      return whole(&State::destroy);
    case abi::ioas_alloc:
      return whole(&State::ioas_alloc);
    case abi::ioas_iova_ranges:
      return whole(&State::ioas_iova_ranges, sizeof(abi::IoasIovaRanges), [](int error) { return error == EMSGSIZE; });
    case abi::ioas_map:
      return whole(&State::ioas_map);
    case abi::ioas_map_file:
      return whole(&State::ioas_map_file);
    case abi::ioas_unmap:
      return whole(&State::ioas_unmap);
    case abi::hwpt_alloc:
      return whole(&State::hwpt_alloc, abi::hwpt_alloc_min);
    case abi::get_hw_info:
      return whole(&State::get_hw_info, abi::hw_info_min);
    case abi::hwpt_invalidate:
      return whole(&State::hwpt_invalidate, sizeof(abi::HwptInvalidate), [](int) { return true; });
    case abi::fault_queue_alloc:
      return whole(&State::fault_queue_alloc);
    case abi::viommu_alloc:
      return whole(&State::viommu_alloc, abi::viommu_alloc_min);
    case abi::vdevice_alloc:
      return whole(&State::vdevice_alloc);
    case abi::veventq_alloc:
      return whole(&State::veventq_alloc, abi::veventq_alloc_min);
    default:
      return EOPNOTSUPP;  // the kernel has it, the simulation has not (simulated_host.h)
  }
}

int SimulatedHost::State::call_device(Descriptor& descriptor, std::uint32_t request, void* argument) {
  switch (request) {
    case abi::vfio_bind_iommufd:
      return exchange<abi::VfioBind>(argument, sizeof(abi::VfioBind),
                                     [&](abi::VfioBind& a) { return vfio_bind(descriptor, a); });
    case abi::vfio_attach_iommufd_pt:
      return exchange<abi::VfioAttach>(argument, abi::vfio_attach_min,
                                       [&](abi::VfioAttach& a) { return vfio_attach(descriptor, a); });
    case abi::vfio_detach_iommufd_pt:
      return exchange<abi::VfioDetach>(argument, abi::vfio_detach_min,
                                       [&](abi::VfioDetach& a) { return vfio_detach(descriptor, a); });
    default:
      return ENOTTY;
  }
}

SysResult SimulatedHost::State::ioctl(int fd, std::uint32_t request, void* argument) {
  Descriptor* descriptor = find(fd);
  if (descriptor == nullptr) return {-1, EBADF};
  if (argument == nullptr) return {-1, EFAULT};
  current = Job{.request = request};
  add_cost(config.timing.ioctl);
  int error = injected(request);
  if (error == 0) {
    switch (descriptor->kind) {
      case Descriptor::Kind::iommufd:
        error = call_iommufd(*descriptor, request, argument);
        break;
      case Descriptor::Kind::device:
        error = call_device(*descriptor, request, argument);
        break;
      default:
        error = ENOTTY;
    }
  }
  worker.push(std::move(current));
  current = {};
  return {error == 0 ? 0 : -1, error};
}

}  // namespace smmusim::host

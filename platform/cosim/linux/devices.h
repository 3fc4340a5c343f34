// SPDX-License-Identifier: MIT
// The devices of QEMU that a guest can be given: what QEMU is told, which modules the guest needs, what it does with
// them unless the user has a script.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::cosim {

enum class DeviceClass : std::uint8_t { disk, network };

struct DeviceKind {
  std::string_view name;  ///< of --device
  DeviceClass device_class;
  std::string_view qemu;       ///< QEMU's device and properties
  std::string_view ats;        ///< properties that give it an ATS capability; empty: QEMU has none for it
  std::string_view module;     ///< of the kernel
  std::string_view transport;  ///< another module that it needs and does not name; may be empty
  std::string_view node;       ///< a disk's node in /dev
};

std::span<const DeviceKind> device_kinds();
/// Null if there is none of that name.
const DeviceKind* find_device_kind(std::string_view name);
/// All names, for messages.
std::string device_names();

/// One device of a guest. `index` counts all of them from 0.
struct Device {
  const DeviceKind* kind = nullptr;
  unsigned index = 0;

  /// The guest finds a network interface by this.
  std::string mac() const;
  /// The part of 10.0.N.0 that it has to itself.
  unsigned subnet() const { return first_subnet + index; }

  static constexpr unsigned first_subnet = 10;
};

/// QEMU's arguments for the device: behind a root port of its own, if that is wanted. `disk` is the file of a disk.
std::vector<std::string> qemu_arguments(const Device& device, const std::string& disk, bool root_port, bool ats);

}  // namespace smmusim::cosim

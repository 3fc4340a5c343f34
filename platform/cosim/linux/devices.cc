// SPDX-License-Identifier: MIT
// Devices; see the header.
#include "platform/cosim/linux/devices.h"

#include <fmt/format.h>

namespace smmusim::cosim {
namespace {

// A virtio device goes through the SMMU only with iommu_platform=on.
constexpr DeviceKind kinds[] = {
    {"nvme", DeviceClass::disk, "nvme,serial=smmusim", "", "nvme", "", "/dev/nvme0n1"},
    {"virtio-blk", DeviceClass::disk, "virtio-blk-pci,disable-legacy=on,iommu_platform=on", ",ats=on", "virtio_blk",
     "virtio_pci", "/dev/vda"},
    {"virtio-net", DeviceClass::network, "virtio-net-pci,disable-legacy=on,iommu_platform=on,romfile=", ",ats=on",
     "virtio_net", "virtio_pci", ""},
    {"e1000e", DeviceClass::network, "e1000e,romfile=", "", "e1000e", "", ""},
};

}  // namespace

std::span<const DeviceKind> device_kinds() {
  return kinds;
}

const DeviceKind* find_device_kind(std::string_view name) {
  for (const DeviceKind& kind : kinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::string device_names() {
  std::string names;
  for (const DeviceKind& kind : kinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

std::string Device::mac() const {
  return fmt::format("52:54:00:53:4d:{:02x}", index);
}

std::vector<std::string> qemu_arguments(const Device& device, const std::string& disk, bool root_port, bool ats) {
  std::vector<std::string> words;
  const unsigned n = device.index;
  std::string text{device.kind->qemu};
  if (ats) text += device.kind->ats;
  text += fmt::format(",id=dev{}", n);
  if (root_port) {
    words.insert(words.end(), {"-device", fmt::format("pcie-root-port,id=port{},chassis={}", n, n + 1)});
    text += fmt::format(",bus=port{}", n);
  }
  if (device.kind->device_class == DeviceClass::disk) {
    // A comma in a file's name is written twice.
    std::string file;
    for (const char c : disk) file += c == ',' ? std::string(",,") : std::string(1, c);
    words.insert(words.end(), {"-drive", fmt::format("if=none,format=raw,id=disk{},file={}", n, file)});
    text += fmt::format(",drive=disk{}", n);
  } else {
    // No way out of this network; what is sent to its port 7 comes back.
    const unsigned net = device.subnet();
    words.insert(words.end(), {"-netdev", fmt::format("user,id=net{0},restrict=on,net=10.0.{1}.0/24,host=10.0.{1}.2,"
                                                      "dns=10.0.{1}.3,dhcpstart=10.0.{1}.15,"
                                                      "guestfwd=tcp:10.0.{1}.100:7-cmd:cat",
                                                      n, net)});
    text += fmt::format(",netdev=net{},mac={}", n, device.mac());
  }
  words.insert(words.end(), {"-device", text});
  return words;
}

}  // namespace smmusim::cosim

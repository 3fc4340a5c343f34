// SPDX-License-Identifier: MIT
// make_initramfs(); see the header.
#include "platform/cosim/linux/initramfs.h"

#include <fmt/format.h>

#include "platform/cosim/linux/cpio.h"
#include "platform/cosim/linux/guest_scripts.h"

namespace smmusim::cosim {

std::string make_initramfs(const InitramfsParts& parts) {
  CpioWriter cpio;
  for (const char* folder : {"bin", "dev", "lib", "modules", "proc", "sys", "tmp"}) cpio.add_folder(folder);
  constexpr unsigned console_major = 5, console_minor = 1;
  cpio.add_character_device("dev/console", console_major, console_minor);
  cpio.add_file("bin/busybox", parts.busybox, CpioWriter::executable);
  cpio.add_file("init", init_script(), CpioWriter::executable);
  cpio.add_file("lib/guest.sh", script_library());
  cpio.add_file("script", parts.script, CpioWriter::executable);
  std::string order, devices;
  for (const LoadedModule& module : parts.modules) {
    cpio.add_file("modules/" + module.name + ".ko", module.bytes);
    order += module.name + "\n";
  }
  cpio.add_file("modules/order", order);
  for (const Device& device : parts.devices) {
    const bool disk = device.kind->device_class == DeviceClass::disk;
    devices += fmt::format("{} {} {} {}\n", disk ? "disk" : "network", device.kind->name,
                           disk ? std::string(device.kind->node) : device.mac(), device.subnet());
  }
  cpio.add_file("devices", devices);
  if (parts.disk != nullptr) {
    cpio.add_file("disk.md5", parts.disk->md5 + "\n");
    cpio.add_file("disk.lists", parts.disk->read_lists);
  }
  return cpio.archive();
}

}  // namespace smmusim::cosim

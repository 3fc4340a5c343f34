// SPDX-License-Identifier: MIT
// QEMU's program, command line and device tree; see the header.
#include "platform/cosim/linux/guest_machine.h"

#include <fmt/format.h>

#include <system_error>

#include "platform/config/load.h"
#include "platform/config/show.h"
#include "platform/config/value.h"
#include "platform/emit/device_tree.h"
#include "platform/programs/errors.h"

namespace smmusim::cosim {
namespace {

namespace fs = std::filesystem;

constexpr const char* object_name = "libsmmusim-qemu.so";
constexpr const char* smmu_device = "smmusim-smmu";

/// A value among QEMU's comma-separated ones: a comma in it is written twice.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) text += c == ',' ? std::string(",,") : std::string(1, c);
  return text;
}

/// What decides how QEMU's device tree looks.
std::vector<std::string> machine_arguments(const LinuxOptions& options, const std::string& more) {
  const std::string iommu = options.iommu == Iommu::qemu ? ",iommu=smmuv3" : "";
  return {"-M",         "virt,gic-version=3" + iommu + more,
          "-cpu",       options.cpu,
          "-smp",       std::to_string(options.cpus),
          "-m",         fmt::format("{}M", options.memory_mib),
          "-nographic", "-nodefaults",
          "-no-reboot"};
}

void require_tool_worked(const programs::ToolResult& result, const std::string& what) {
  if (result.exit_code == 0) return;
  throw programs::Lacking(
      fmt::format("cosim linux: {} (exit code {}: {})", what, result.exit_code, result.last_line()));
}

/// Makes QEMU write its device tree to `path`; says whether it did.
bool dump_device_tree(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                      const std::string& path, programs::ToolResult& result) {
  std::vector<std::string> words{qemu.program};
  const std::vector<std::string> machine = machine_arguments(options, ",dumpdtb=" + escaped(path));
  words.insert(words.end(), machine.begin(), machine.end());
  result = programs::run_tool(guard, words);
  std::error_code ignored;
  return result.exit_code == 0 && fs::is_regular_file(path, ignored);
}

void write_device_tree(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                       const MachineFiles& files) {
  const std::string nodes = emit::virt_machine_nodes(options.config);
  const std::string dumped = files.device_tree + ".qemu", source = files.device_tree + ".dts";
  programs::ToolResult dump;
  if (!dump_device_tree(guard, qemu, options, dumped, dump)) {
    throw programs::Lacking(
        fmt::format("cosim linux: QEMU does not give the device tree of its virt machine (exit code {}: {})",
                    dump.exit_code, dump.last_line()));
  }
  const programs::ToolResult text = programs::run_tool(guard, {"dtc", "-q", "-I", "dtb", "-O", "dts", dumped});
  require_tool_worked(text, "dtc can't read QEMU's device tree");
  programs::write_file(source, text.out + nodes);
  require_tool_worked(
      programs::run_tool(guard, {"dtc", "-q", "-I", "dts", "-O", "dtb", "-o", files.device_tree, source}),
      "dtc can't add the SMMU to QEMU's device tree");
}

void add_our_smmu(std::vector<std::string>& words, const LinuxOptions& options, const MachineFiles& files) {
  std::string plugin = fmt::format("{},config={},stats={}", escaped(find_shared_object().string()),
                                   escaped(files.config), escaped(files.statistics));
  if (!options.record_path.empty()) {
    plugin += ",record=on";
    words.insert(words.end(),
                 {"-msg", "timestamp=on", "-D", files.log, "-d", "trace:pci_nvme_read,trace:pci_nvme_write"});
  }
  if (!options.inject.empty()) plugin += ",inject=" + escaped(options.inject);
  // The SMMU must be there before any device that it translates for.
  words.insert(words.end(), {"-plugin", plugin, "-device", smmu_device, "-dtb", files.device_tree});
}

}  // namespace

void require_programs(const LinuxOptions& options) {
  std::string lacking;
  if (programs::find_program(options.qemu).empty()) {
    lacking = fmt::format("cosim linux: there is no QEMU {}; install qemu-system-arm, or name one with --qemu",
                          in_quotes(options.qemu));
  }
  if (options.iommu == Iommu::smmusim && programs::find_program("dtc").empty()) {
    lacking += std::string(lacking.empty() ? "" : "\n") +
               "cosim linux: there is no dtc for the guest's device tree; install device-tree-compiler";
  }
  if (!lacking.empty()) throw programs::Lacking(lacking);
}

Qemu find_qemu(const programs::SignalGuard& guard, const std::string& name) {
  Qemu qemu{programs::find_program(name), ""};
  constexpr std::string_view before = "QEMU emulator version ";
  const programs::ToolResult result = programs::run_tool(guard, {qemu.program, "-version"});
  const std::size_t at = result.out.find(before);
  if (at != std::string::npos) {
    const std::string rest = result.out.substr(at + before.size());
    qemu.version = rest.substr(0, rest.find_first_of(" \n"));
  }
  if (result.exit_code != 0 || qemu.version.empty()) {
    throw programs::Lacking(
        fmt::format("cosim linux: {} does not tell the version of QEMU ({}); name another with --qemu", in_quotes(name),
                    result.last_line()));
  }
  return qemu;
}

fs::path find_shared_object() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& place : {folder / object_name, folder / ".." / "lib" / "smmusim" / object_name}) {
    if (fs::is_regular_file(place, error)) return place;
  }
  throw programs::Lacking(
      fmt::format("cosim linux: {} is not beside smmusim ({}); build it: cmake --build build --target "
                  "smmusim_qemu",
                  object_name, folder.string()));
}

MachineFiles::MachineFiles(const programs::TemporaryFolder& folder)
    : config(folder.path("config.toml")),
      statistics(folder.path("statistics.json")),
      device_tree(folder.path("tree.dtb")),
      initramfs(folder.path("initramfs.cpio")),
      log(folder.path("qemu.log")),
      folder_(folder.path().string()) {}

std::string MachineFiles::disk(const Device& device) const {
  return fmt::format("{}/disk{}.img", folder_, device.index);
}

void require_cpu(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                 const MachineFiles& files) {
  if (options.cpu == LinuxOptions{}.cpu) return;
  LinuxOptions probe = options;
  const std::string path = files.device_tree + ".cpu";
  programs::ToolResult with_theirs, with_ours;
  probe.cpu += ",aarch64=on";  // a property that processors of 32 bits do not have
  if (dump_device_tree(guard, qemu, probe, path, with_theirs)) return;
  probe.cpu = LinuxOptions{}.cpu;
  if (!dump_device_tree(guard, qemu, probe, path, with_ours)) return;  // what is wrong is something else
  throw InputError(fmt::format("--cpu {}: QEMU's machine virt has no such processor of 64 bits{}; see {} -cpu help",
                               in_quotes(options.cpu),
                               with_theirs.err.empty() ? "" : " (" + with_theirs.last_line() + ")", qemu.program));
}

void write_machine_files(const programs::SignalGuard& guard, const Qemu& qemu, const LinuxOptions& options,
                         const MachineFiles& files) {
  if (options.iommu != Iommu::smmusim) return;
  PlatformConfig config = options.config;
  config.mode = Mode::untimed;
  programs::write_file(files.config, config_to_toml(config));
  write_device_tree(guard, qemu, options, files);
}

std::vector<std::string> guest_command(const Qemu& qemu, const LinuxOptions& options, const GuestKernel& kernel,
                                       const MachineFiles& files) {
  std::vector<std::string> words{qemu.program};
  const auto add = [&words](const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  const bool ours = options.iommu == Iommu::smmusim;
  add(machine_arguments(options, ""));
  add({"-serial", "stdio", "-monitor", "none"});
  if (ours) add_our_smmu(words, options, files);
  const bool ats = ours && options.config.smmus.front().config.features.ats;
  for (const Device& device : options.devices) add(qemu_arguments(device, files.disk(device), options.root_port, ats));
  add({"-kernel", kernel.image.string(), "-initrd", files.initramfs, "-append",
       "console=ttyAMA0 panic=-1 iomem=relaxed printk.devkmsg=on" +
           (options.append.empty() ? "" : " " + options.append)});
  add(options.qemu_arguments);
  return words;
}

}  // namespace smmusim::cosim

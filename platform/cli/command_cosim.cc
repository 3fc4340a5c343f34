// SPDX-License-Identifier: MIT
// `smmusim cosim linux`.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "platform/cli/commands.h"
#include "platform/cli/trace_output.h"
#include "platform/config/value.h"
#include "platform/cosim/device/options.h"
#include "platform/cosim/linux/guest_kernel.h"
#include "platform/cosim/linux/launcher.h"
#include "platform/programs/errors.h"
#include "platform/system/output.h"
#include "platform/system/statistics.h"

namespace smmusim::cli {
namespace {

using cosim::Iommu;

struct Arguments : ConfigArguments {
  std::vector<std::string> devices;
  std::string iommu = "smmusim";
  std::string console_path, json_path;
  bool verbose = false;
  cosim::LinuxOptions options;
};

constexpr std::pair<const char*, Iommu> iommus[] = {
    {"smmusim", Iommu::smmusim}, {"qemu", Iommu::qemu}, {"none", Iommu::none}};

Iommu parse_iommu(const std::string& text) {
  for (const auto& [name, iommu] : iommus) {
    if (text == name) return iommu;
  }
  throw InputError(fmt::format("--iommu {}: there is no such choice; give smmusim, qemu or none", in_quotes(text)));
}

std::vector<cosim::Device> parse_devices(const std::vector<std::string>& names) {
  std::vector<cosim::Device> devices;
  for (const std::string& name : names) {
    const cosim::DeviceKind* kind = cosim::find_device_kind(name);
    if (kind == nullptr) {
      throw InputError(
          fmt::format("--device {}: there is no such device; known are {}", in_quotes(name), cosim::device_names()));
    }
    for (const cosim::Device& before : devices) {
      if (before.kind == kind) throw InputError(fmt::format("--device {}: is given twice; give each once", name));
    }
    devices.push_back({kind, static_cast<unsigned>(devices.size())});
  }
  return devices;
}

void require_injection(const std::string& text) {
  cosim::Injection injection;
  if (cosim::parse_injection(text, injection)) return;
  throw InputError(fmt::format(
      "--inject {}: there is nothing of that name; give illegal-command:N or defect:N, N from 1", in_quotes(text)));
}

void require_ours(const Arguments& arguments) {
  const cosim::LinuxOptions& options = arguments.options;
  if (options.config.smmus.size() != 1) {
    throw InputError(fmt::format("cosim linux: the configuration has {} SMMUs; QEMU's machine has room for one",
                                 options.config.smmus.size()));
  }
  if (options.config.host.mode != HostMode::none) {
    throw InputError("cosim linux: QEMU's devices do their DMA through the emulated SMMU; use host.mode = none");
  }
  if (options.iommu == Iommu::smmusim) return;
  for (const auto& [flag, text] :
       {std::pair{"--inject", &options.inject}, std::pair{"--record", &options.record_path}}) {
    if (text->empty()) continue;
    throw InputError(fmt::format("{}: only smmusim's own SMMU does that; leave --iommu {} out", flag, arguments.iommu));
  }
}

bool is_same_path(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  return !b.empty() && fs::weakly_canonical(fs::absolute(a, ignored), ignored) ==
                           fs::weakly_canonical(fs::absolute(b, ignored), ignored);
}

void require_apart(const Arguments& arguments) {
  const cosim::LinuxOptions& options = arguments.options;
  const std::array outputs{arguments.console_path, arguments.json_path, options.record_path};
  for (const std::string& in : {arguments.path, options.script_path, options.kernel, options.qemu}) {
    for (const std::string& out : outputs) {
      if (!in.empty() && !out.empty()) require_two_files(in, out);
    }
  }
  for (std::size_t i = 0; i != outputs.size(); ++i) {
    for (std::size_t j = i + 1; j != outputs.size(); ++j) {
      if (!outputs[i].empty() && is_same_path(outputs[i], outputs[j])) {
        throw InputError(fmt::format("{}: two outputs can't have one file; give each its own", outputs[i]));
      }
    }
  }
  for (const auto& [flag, path] : {std::pair{"--console", &outputs[0]}, std::pair{"--record", &outputs[2]}}) {
    if (is_standard_output(*path)) throw InputError(fmt::format("{} -: it needs a file; give a path", flag));
  }
}

/// The guest's console as it comes: in a file, on standard error.
class ConsoleOutput {
 public:
  /// Nothing is written before the first line: what was there stays if the guest is never started.
  ConsoleOutput(const std::string& path, bool verbose) : path_(path), verbose_(verbose) {
    if (!path.empty()) const OutputFile can_be_made(path);
  }
  void line(const std::string& text) {
    if (!path_.empty()) {
      if (!file_.is_open()) file_.open(path_, std::ios::binary);
      file_ << text << std::endl;
    }
    if (verbose_) std::fprintf(stderr, "| %s\n", text.c_str());
  }
  void finish() {
    if (!file_.is_open()) return;
    file_.close();
    if (!file_) throw InputError(path_ + ": can't be written; give it room");
  }

 private:
  std::string path_;
  bool verbose_;
  std::ofstream file_;
};

void prepare(Arguments& arguments) {
  cosim::LinuxOptions& options = arguments.options;
  options.iommu = parse_iommu(arguments.iommu);
  if (arguments.devices.empty()) arguments.devices = {"nvme"};
  options.devices = parse_devices(arguments.devices);
  if (!options.inject.empty()) require_injection(options.inject);
  options.config = load_config(arguments.source());
  require_ours(arguments);
  require_apart(arguments);
  options.progress = [](const std::string& sentence) { std::fprintf(stderr, "smmusim: %s\n", sentence.c_str()); };
}

int launch(Arguments& arguments) {
  prepare(arguments);
  std::unique_ptr<OutputFile> json;
  const bool json_on_stdout = is_standard_output(arguments.json_path);
  if (!arguments.json_path.empty() && !json_on_stdout) json = std::make_unique<OutputFile>(arguments.json_path);
  if (!arguments.options.record_path.empty())
    OutputFile(arguments.options.record_path);  // looks whether it can be made
  ConsoleOutput console(arguments.console_path, arguments.verbose);
  arguments.options.on_console = [&console](const std::string& line) { console.line(line); };
  const cosim::LinuxOutcome outcome = cosim::run_linux(arguments.options);
  console.finish();
  constexpr int check_failed = 1;
  if (outcome.exit_code <= check_failed) {
    if (json) json->write(to_text(outcome.json));
    print(json_on_stdout ? to_text(outcome.json) : cosim::linux_summary(outcome.json));
    if (json) json->publish();
  }
  std::istringstream lines(outcome.complaint);
  for (std::string line; std::getline(lines, line);) std::fprintf(stderr, "smmusim: %s\n", line.c_str());
  return outcome.exit_code;
}

int run(Arguments& arguments) {
  try {
    return launch(arguments);
  } catch (const programs::Interrupted&) {
    // Only for a signal whose effect was changed meanwhile: else it has ended us.
    throw InputError("cosim linux: interrupted; nothing was written");
  }
}

void add_guest_options(CLI::App& command, Arguments& arguments) {
  cosim::LinuxOptions& options = arguments.options;
  command.add_option("--device", arguments.devices, "a device of QEMU: " + cosim::device_names() + " (default nvme)")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  command
      .add_option("--kernel", options.kernel,
                  fmt::format("a kernel of Debian ({}; default 6.1), or the file of an arm64 Image (see below)",
                              cosim::known_kernels()))
      ->type_name("VERSION|FILE");
  command.add_option("--modules", options.modules, "the folder of the modules of a kernel that is a file")
      ->type_name("FOLDER");
  command.add_option("--qemu", options.qemu, "the program (default: qemu-system-aarch64 in PATH)")->type_name("PATH");
  command.add_option("--cpu", options.cpu, "QEMU's model of the processors (default cortex-a57)")->type_name("NAME");
  command.add_option("--qemu-arg", options.qemu_arguments, "one more argument for QEMU; may be repeated")
      ->type_name("WORD")
      ->expected(1)
      ->take_all();
  add_number(command, "--cpus", options.cpus, 1, 8, "processors (default 1)");
  add_number(command, "--memory", options.memory_mib, 256, 65536, "MiB of memory (default 1024)");
  command.add_flag("--root-port", options.root_port, "each device behind a PCIe root port of its own");
  command
      .add_option("--run", options.script_path,
                  "a shell script (busybox) for the guest to run, in place of the tests that move data")
      ->type_name("SCRIPT");
  command.add_option("--append", options.append, "more words for the kernel's command line")->type_name("TEXT");
  add_number(command, "--timeout", options.timeout_seconds, 1, 86400,
             "seconds from QEMU's start to the guest's power-off (default 120)");
  add_number(command, "--fetch-timeout", options.fetch_seconds, 1, 86400,
             "seconds for fetching a kernel or busybox (default 600)");
}

void add_output_options(CLI::App& command, Arguments& arguments) {
  cosim::LinuxOptions& options = arguments.options;
  command.add_option("--iommu", arguments.iommu, "smmusim (default), or to compare with: QEMU's own SMMUv3, or none")
      ->type_name("smmusim|qemu|none");
  command
      .add_option("--inject", options.inject,
                  "make the SMMU see an illegal command in place of the Nth, or fail itself at it")
      ->type_name("illegal-command:N|defect:N");
  command.add_option("--record", options.record_path, "write each access and command as a trace for smmusim run")
      ->type_name("TRACE");
  command.add_option("--console", arguments.console_path, "write what the guest prints there")->type_name("FILE");
  command.add_flag("--verbose", arguments.verbose, "show on standard error what the guest prints, as it comes");
  command.add_option("--json", arguments.json_path, "write the outcome there; - is standard output")
      ->type_name("FILE|-");
}

void add_linux(CLI::App& cosim, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(
      cosim, "linux", "boots Linux in QEMU behind the configured SMMU, and moves data through it",
      "smmusim cosim linux --device nvme --record nvme.trace && smmusim run --trace nvme.trace\n\n"
      "Words of --append that have the form NAME=VALUE are variables of the guest's scripts: READS=1024 random reads, "
      "ROUNDS=8 of writing and reading back, READERS at a time.\n"
      "Needs QEMU (qemu-system-arm) and dtc (device-tree-compiler). Kernel and busybox are fetched once with apt, "
      "without root, and kept in ~/.cache/smmusim/cosim.\n"
      "The file of a kernel is arch/arm64/boot/Image of a build with, built in (=y): ARM_SMMU_V3, PCI_HOST_GENERIC, "
      "ARM_GIC_V3_ITS, SERIAL_AMBA_PL011_CONSOLE, BLK_DEV_INITRD, DEVTMPFS, TMPFS. Drivers of devices (BLK_DEV_NVME; "
      "VIRTIO_PCI with VIRTIO_BLK or VIRTIO_NET; E1000E) may be modules (*.ko, *.ko.xz): then --modules names the "
      "folder that make modules_install made, lib/modules/VERSION. A driver that is not there is taken for built in.");
  add_config_arguments(command, *arguments, "config,--config");
  add_guest_options(command, *arguments);
  add_output_options(command, *arguments);
  command.callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace

void add_cosim(CLI::App& app, Action& action) {
  CLI::App& cosim = add_command(app, "cosim", "co-simulation with QEMU and Linux", "smmusim cosim linux --device nvme");
  cosim.require_subcommand(1);
  add_linux(cosim, action);
}

}  // namespace smmusim::cli

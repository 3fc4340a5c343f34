// SPDX-License-Identifier: MIT
// `smmusim trace import|info|gen|export`.
#include <fmt/format.h>

#include <memory>

#include "platform/cli/commands.h"
#include "platform/cli/trace_output.h"
#include "platform/trace/files.h"
#include "platform/trace/info.h"

namespace smmusim::cli {
namespace {

struct Files {
  std::string format, in, out;
  bool text = false;

  trace::WriteOptions write() const {
    trace::WriteOptions options;
    options.encoding = text ? trace::Encoding::text : trace::Encoding::binary;
    options.compress = !text;
    return options;
  }
};

std::string format_list(bool trace::Format::*able) {
  std::string list = "Formats:\n";
  for (const trace::Format& format : trace::formats()) {
    if (format.*able) list += fmt::format("  {}: {}\n", format.name, format.meaning);
  }
  return list;
}

void add_out(CLI::App& command, Files& files) {
  command.add_option("-o,--output", files.out, "the trace to write; - is standard output")
      ->type_name("OUT|-")
      ->required();
  command.add_flag("--text", files.text, "write text instead of compressed binary");
}

int import_trace(const Files& files, const trace::ImportOptions& options) {
  require_two_files(files.in, files.out);
  write_trace(files.out, [&](const std::string& out) {
    const trace::ImportReport report = trace::import_file(files.format, files.in, out, options, files.write());
    std::string text = fmt::format("{} accesses, {} invalidations, {} configuration changes\n", report.accesses,
                                   report.invalidations, report.configurations);
    if (report.skipped != 0) text += fmt::format("skipped lines: {}\n", report.skipped);
    for (const auto& [event, count] : report.skipped_by_event) text += fmt::format("  {}: {}\n", event, count);
    return text;
  });
  return 0;
}

void add_import(CLI::App& traces, Action& action) {
  struct Arguments {
    Files files;
    trace::ImportOptions options;
    bool plain = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(
      traces, "import", "turns a log or another format into a trace",
      "smmusim trace import --from qemu-log qemu.log.zst -o nvme.trace\n\n" + format_list(&trace::Format::imports));
  command.add_option("--from", arguments->files.format, "format of the input, see below")
      ->type_name("FORMAT")
      ->required();
  command.add_option("in", arguments->files.in, "the file to read")->type_name("IN")->required();
  add_out(command, arguments->files);
  add_number(command, "--default-size", arguments->options.default_size, 1, 4096,
             "bytes of an access of which the log does not tell the size (default 64)");
  command.add_flag("--ignore-device", arguments->plain,
                   "don't use the log's lines of the device for sizes and directions");
  command.callback([arguments, &action] {
    action = [arguments] {
      arguments->options.use_device_lines = !arguments->plain;
      return import_trace(arguments->files, arguments->options);
    };
  });
}

void add_export(CLI::App& traces, Action& action) {
  auto files = std::make_shared<Files>();
  CLI::App& command =
      add_command(traces, "export", "writes a trace in another format",
                  "smmusim trace export --to text nvme.trace -o nvme.txt\n\n" + format_list(&trace::Format::exports));
  command.add_option("--to", files->format, "format of the output, see below")->type_name("FORMAT")->required();
  command.add_option("in", files->in, "the trace to read")->type_name("FILE")->required();
  files->out = "-";
  command.add_option("-o,--output", files->out, "the file to write; without it, or with -, standard output")
      ->type_name("OUT|-");
  command.callback([files, &action] {
    action = [files] {
      require_two_files(files->in, files->out);
      write_trace(files->out, [&](const std::string& out) {
        return fmt::format("{} records\n", trace::export_file(files->format, files->in, out));
      });
      return 0;
    };
  });
}

void add_info(CLI::App& traces, Action& action) {
  struct Arguments {
    std::string path;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add_command(traces, "info", "reads a whole trace, checks it and tells what is in it",
                                  "smmusim trace info traces/linux72-nvme-randread.trace");
  command.add_option("file", arguments->path, "the trace")->type_name("FILE")->required();
  command.add_flag("--json", arguments->json, "as JSON");
  command.callback([arguments, &action] {
    action = [arguments] {
      const trace::Summary summary = trace::info_of(arguments->path);
      print(arguments->json ? trace::to_json(summary) : trace::to_text(summary));
      return 0;
    };
  });
}

struct Generate {
  Files files;
  std::string pattern;
  trace::GenerateOptions options;
};

void add_generate_options(CLI::App& command, trace::GenerateOptions& options) {
  constexpr std::uint64_t any = ~std::uint64_t{0};
  constexpr std::uint64_t any32 = 0xffff'ffff;
  // Finer limits, which depend on each other, are those of check_options().
  add_number(command, "--count", options.count, 1, any, "accesses in all (default 10000)");
  add_number(command, "--window", options.window_bytes, 1, any, "bytes that each stream touches (default 16 MiB)");
  add_number(command, "--size", options.size, 1, any32, "bytes of an access, 1 to 4096 (default 64)");
  add_number(command, "--read-percent", options.read_percent, 0, 100,
             "share of reads, of NVMe reads, of packets sent (default 50)");
  add_number(command, "--streams", options.streams, 1, any32, "number of streams, round robin (default 1)");
  add_number(command, "--first-stream", options.first_stream, 0, any32, "StreamID of the first (default 8)");
  add_number(command, "--base", options.base, 0, any, "IOVA of the first window (default 0x10000000)");
  add_number(command, "--stride", options.stride_bytes, 1, any, "bytes, of patterns stride and gpu (default 4096)");
  add_number(command, "--memory-base", options.memory_base, 0, any, "first output address (default 0x40000000)");
  add_number(command, "--memory-size", options.memory_bytes, 1, any, "bytes of output addresses (default 1 GiB)");
  add_number(command, "--interval-ns", options.interval_ns, 0, any, "between time stamps (default 100)");
  add_number(command, "--seed", options.seed, 0, any, "of the random choices (default 1)");
  add_number(command, "--asid", options.asid, 0, 0xffff, "of the first address space (default 1)");
  add_number(command, "--pasids", options.pasids, 0, 0xffff,
             "address spaces of each stream, all at the same addresses (default 0: no PASIDs)");
  add_number(command, "--ring-entries", options.ring_entries, 2, 65536, "of each ring of nvme-ring and nic-ring (256)");
  add_number(command, "--io-size", options.io_bytes, 1, 1 << 20,
             "bytes of a transfer (default 4096, nvme-ring) or packet (default 1500, nic-ring)");
  command.add_flag("--map-per-io", options.map_per_io, "invalidate the page after each access, as strict mode does");
}

void add_generate(CLI::App& traces, Action& action) {
  auto arguments = std::make_shared<Generate>();
  std::string patterns;
  for (const std::string_view name : trace::pattern_names())
    patterns += (patterns.empty() ? "" : ", ") + std::string(name);
  CLI::App& command = add_command(traces, "gen", "makes a synthetic trace",
                                  "smmusim trace gen random --count 100000 --window 0x4000000 -o random.trace\n\n"
                                  "smmusim trace gen gpu --pasids 4 --window 0x10000000 --size 128 -o gpu.trace\n\n"
                                  "smmusim trace gen nvme-ring --io-size 131072 --read-percent 70 -o nvme.trace");
  command.add_option("pattern", arguments->pattern, patterns)->type_name("PATTERN")->required();
  add_out(command, arguments->files);
  add_generate_options(command, arguments->options);
  command.callback([arguments, &action] {
    action = [arguments] {
      arguments->options.pattern = trace::parse_pattern(arguments->pattern);
      write_trace(arguments->files.out, [&](const std::string& out) {
        return fmt::format("{} records\n", trace::generate_file(arguments->options, out, arguments->files.write()));
      });
      return 0;
    };
  });
}

}  // namespace

void add_trace(CLI::App& app, Action& action) {
  CLI::App& traces = add_command(app, "trace", "import, inspect, generate and export traces",
                                 "smmusim trace info traces/linux72-nvme-randread.trace");
  traces.require_subcommand(1);
  add_import(traces, action);
  add_info(traces, action);
  add_generate(traces, action);
  add_export(traces, action);
}

}  // namespace smmusim::cli

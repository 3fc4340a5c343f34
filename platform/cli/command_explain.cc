// SPDX-License-Identifier: MIT
// `smmusim explain`: one translation, step by step; or many, in short. The telling is in platform/explain.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "platform/cli/commands.h"
#include "platform/config/value.h"
#include "platform/explain/batch.h"
#include "platform/explain/driver_state.h"
#include "platform/explain/explain.h"
#include "platform/system/endpoint_setup.h"

namespace smmusim::cli {
namespace {

using explain::ImageMemory;
using explain::RegisterDump;

struct Arguments : ConfigArguments {
  std::string trace, image, registers, batch, smmu;
  std::optional<std::uint32_t> sid, ssid;
  std::optional<std::uint64_t> address, record, frame;
  std::uint32_t size = 1;
  bool write = false, atomic = false, instruction = false, privileged = false;
  bool strict = false, json = false, ats = false;
  bool of_dump() const { return !image.empty() || !registers.empty() || !batch.empty(); }
};

/// What the options are together, beyond what each of them is.
void require_consistent(const Arguments& arguments) {
  const auto refuse = [](const char* sentence) { throw InputError(std::string("explain: ") + sentence); };
  if (arguments.batch.empty()) {
    if (!arguments.sid) refuse("there is no stream; give --sid N");
    if (!arguments.address) refuse("there is no address; give --address A");
    if (arguments.image.empty() != arguments.registers.empty()) {
      refuse("a dump is --image FILE.pages and --registers FILE; give both");
    }
  } else if (arguments.sid || arguments.address || arguments.ssid || arguments.write || arguments.atomic) {
    refuse("the lines of --batch say which accesses; leave out --sid, --ssid, --address, --write and --atomic");
  }
  if (arguments.of_dump() && (!arguments.trace.empty() || arguments.record || !arguments.smmu.empty())) {
    refuse("--trace, --record and --smmu are for the simulated driver's tables; leave them out with a dump");
  }
  if (!arguments.of_dump() && (arguments.strict || arguments.frame)) {
    refuse("--strict and --frame are for a dump; give --image and --registers, or --batch");
  }
  if (arguments.write && arguments.atomic) refuse("an access is one of --write and --atomic; leave one out");
}

Transaction transaction_of(const Arguments& arguments) {
  constexpr std::uint64_t page_bytes = 4096;
  Transaction t;
  t.stream_id = StreamId(*arguments.sid);
  t.substream_valid = arguments.ssid.has_value();
  t.substream_id = SubstreamId(arguments.ssid.value_or(0));
  t.access = arguments.atomic ? AccessType::atomic : arguments.write ? AccessType::write : AccessType::read;
  t.instruction = arguments.instruction;
  t.privileged = arguments.privileged;
  t.address = Va(*arguments.address);
  t.size = arguments.size;
  if (t.address.value % page_bytes + t.size > page_bytes) {
    throw InputError(fmt::format(
        "--size {}: the access crosses a 4 KiB boundary, where a TBU splits it; explain its parts", t.size));
  }
  return t;
}

/// The first SMMU of the configuration. Its own registers lie where --frame says, else nowhere: the dump does not tell.
SmmuConfig dump_config(const Arguments& arguments) {
  SmmuConfig config = load_config(arguments.source()).smmus[0].config;
  if (arguments.frame) {
    config.frame_base = Pa(*arguments.frame);
  } else {
    config.frame_bytes = 0;
  }
  return config;
}

struct Dump {
  explicit Dump(const Arguments& arguments) : config(dump_config(arguments)), memory(arguments.strict) {
    if (!arguments.registers.empty()) registers = explain::read_registers(arguments.registers);
    if (!arguments.image.empty()) memory.add_pages(arguments.image);
  }
  SmmuConfig config;
  RegisterDump registers;
  ImageMemory memory;
};

explain::Story story_of_dump(const Arguments& arguments) {
  const Transaction transaction = transaction_of(arguments);
  Dump dump(arguments);
  try {
    return explain::tell(dump.config, dump.registers, dump.memory, transaction);
  } catch (const std::invalid_argument& wrong) {  // of the ID registers
    std::istringstream lines(wrong.what());
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      text += (text.empty() ? "" : "\n") + printable(arguments.registers) + ": " + line;
    }
    throw InputError(text);
  }
}

explain::Story story_of_driver(const Arguments& arguments) {
  const Transaction transaction = transaction_of(arguments);
  ConfigSource source = arguments.source();
  if (!arguments.trace.empty()) {
    source.assignments.push_back({"trace.file", arguments.trace, "--trace " + arguments.trace});
  }
  const PlatformConfig config = load_config(source, ConfigUse::simulated_driver);
  if (arguments.record && config.trace.file.empty()) throw InputError("--record: there is no trace; give --trace FILE");
  explain::DriverState state(config,
                             {*arguments.sid, arguments.ssid, *arguments.address, arguments.smmu, arguments.record});
  return explain::tell(state.smmu_config(), state.registers(), state.memory(), transaction, {state.note()});
}

/// Which of the conditions for ATS the device of this stream lacks. A stream without an endpoint is one that a trace
/// brings.
int explain_ats(const Arguments& arguments) {
  if (!arguments.sid || arguments.of_dump() || arguments.address) {
    throw InputError("explain: --ats is about a device of the configuration; give --sid N, no address and no dump");
  }
  const PlatformConfig config = load_config(arguments.source());
  const auto found = std::find_if(config.endpoints.begin(), config.endpoints.end(),
                                  [&](const EndpointConfig& e) { return e.stream() == StreamId(*arguments.sid); });
  if (found == config.endpoints.end() && !config.endpoints.empty()) {
    throw InputError(
        fmt::format("explain: no [[endpoint]] has StreamID 0x{:x}; give that of one of them", *arguments.sid));
  }
  const EndpointConfig& endpoint = found == config.endpoints.end() ? config.endpoint_template : *found;
  const AtsState state = ats_of(config, endpoint);
  const std::vector<AtsCondition> conditions = ats_conditions(state, endpoint);
  if (arguments.json) {
    nlohmann::ordered_json json = {{"sid", *arguments.sid}, {"ats", state.enabled()}};
    for (const AtsCondition& one : conditions) {
      json["conditions"].push_back({{"what", one.what}, {"holds", one.holds}, {"why", one.why}});
    }
    print(json.dump(2) + "\n");
    return 0;
  }
  std::string text = fmt::format("ATS of stream 0x{:x}: {}\n", *arguments.sid, describe(state));
  for (const AtsCondition& one : conditions) {
    text += fmt::format("  {:<3} {}{}\n", one.holds ? "yes" : "no", one.what, one.why.empty() ? "" : ": " + one.why);
  }
  print(text);
  return 0;
}

int run_explain(const Arguments& arguments) {
  if (arguments.ats) return explain_ats(arguments);
  require_consistent(arguments);
  if (!arguments.batch.empty()) {
    Dump dump(arguments);
    print(explain::answer_batch(arguments.batch, dump.config, dump.registers, dump.memory));
    return 0;
  }
  const explain::Story story = arguments.of_dump() ? story_of_dump(arguments) : story_of_driver(arguments);
  print(arguments.json ? explain::to_json(story) : explain::to_text(story, colour_wanted()));
  return 0;
}

/// add_number() for what may be absent.
template <class Number>
void add_optional(CLI::App& command, const std::string& name, std::optional<Number>& target, std::uint64_t max,
                  const std::string& meaning) {
  const auto take = [&target, name, max](const std::string& text) {
    target = static_cast<Number>(parse_option(name, text, 0, max));
  };
  command.add_option_function<std::string>(name, take, meaning)->type_name("N");
}

void add_access_options(CLI::App& command, Arguments& arguments) {
  constexpr std::uint64_t any = ~std::uint64_t{0};
  add_optional(command, "--sid", arguments.sid, 0xffff'ffff, "StreamID");
  add_optional(command, "--ssid", arguments.ssid, 0xf'ffff, "SubstreamID; without it the access has none");
  add_optional(command, "--address", arguments.address, any, "input address");
  add_number(command, "--size", arguments.size, 1, 4096, "bytes (default 1)");
  command.add_flag("--write", arguments.write, "a write; without it a read");
  command.add_flag("--atomic", arguments.atomic, "an atomic access, which reads and writes");
  command.add_flag("--instruction", arguments.instruction, "an instruction fetch (InD = 1)");
  command.add_flag("--privileged", arguments.privileged, "privileged (PnU = 1)");
}

void add_machine_options(CLI::App& command, Arguments& arguments) {
  constexpr std::uint64_t any = ~std::uint64_t{0};
  add_config_arguments(command, arguments);
  command.add_option("--trace", arguments.trace, "the mappings of this trace")->type_name("FILE");
  add_optional(command, "--record", arguments.record, any,
               "as record N of the trace finds them (default: its first access of this stream and page)");
  command.add_option("--smmu", arguments.smmu, "which SMMU of several (default: that of the stream's endpoint)")
      ->type_name("NAME");
  command.add_option("--image", arguments.image, "memory of a real system: pages, also .zst")->type_name("FILE.pages");
  command.add_option("--registers", arguments.registers, "its SMMU's registers")->type_name("FILE");
  command.add_flag("--strict", arguments.strict, "what the image does not hold aborts; without it it reads as zero");
  add_optional(command, "--frame", arguments.frame, any, "address of the SMMU's own registers, which it can't read");
  command.add_option("--batch", arguments.batch, "JSON lines, one access each, answered by one JSON line each")
      ->type_name("FILE");
}

constexpr const char* example =
    "smmusim explain --trace traces/linux72-nvme-randread.trace --sid 8 --address 0xffffd000\n"
    "  smmusim explain --sid 0 --address 0x1000 --write\n"
    "  smmusim explain platform.toml --ats --sid 8\n"
    "  smmusim explain --image dump.pages.zst --registers dump.txt --sid 8 --address 0xffffd000 --json\n\n"
    "Without a dump the machine is CONFIG's, with the tables that the simulated driver makes: every endpoint has a\n"
    "stream table entry, a context descriptor and, unless a trace fills them, empty page tables.\n\n"
    "A pages file is records of a little-endian 64-bit physical address and 4096 bytes. A registers file is lines\n"
    "  STRTAB_BASE = 0x400000004195d000     or     0x80 = 0x400000004195d000     # comment\n"
    "IDR0 to IDR6, IIDR and AIDR set the features; those that are missing are CONFIG's (without AIDR, a version that\n"
    "fits the others). Features that contradict each other are refused. Of the rest, CR0, CR1, CR2, GBPA, STRTAB_BASE\n"
    "and STRTAB_BASE_CFG count, whatever their values; other registers may be there and change nothing.\n\n"
    "A line of a batch: "
    "{\"registers\":{\"0x80\":\"0x..\"},\"words\":{\"0xADDR\":\"0x64BIT\"},\"sid\":8,\"ssid\":null,\n"
    "\"address\":\"0x..\",\"write\":true}, also \"atomic\", \"instruction\", \"privileged\", \"size\". Its registers "
    "and words\n"
    "lie over those of --registers and --image. The answer: {\"outcome\":\"proceed\"|\"abort\"|\"raz_wi\"|\"stall\",\n"
    "\"pa\":\"0x..\" or null,\"event\":[4 words] or null}, with a \"note\" if the ID registers have features that are "
    "not\n"
    "modelled.\n\n"
    "JSON: request{sid,ssid,address,size,access,instruction,privileged}, notes[], "
    "steps[{number,depth,decisions[{step,\n"
    "text,section}]}], a step that fetched also with structure, section, address, ipa, place, aborted, words[], "
    "fields[{name,bits,\n"
    "value,meaning}], reserved_bits_set[], stage, level; outcome, pa, page_bytes, read_allowed, write_allowed,\n"
    "attributes{type,shareability,meaning}, event{name,recorded,words[],fields[]}, verdict.\n\n"
    "A fault is a story like another: exit code 0.";

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      add_command(app, "explain", "one translation, step by step, as the specification tells it", example);
  add_access_options(command, *arguments);
  add_machine_options(command, *arguments);
  command.add_flag("--ats", arguments->ats, "instead: whether the device of --sid does ATS, and what stops it");
  command.add_flag("--json", arguments->json, "the same steps as a JSON document");
  command.callback([arguments, &action] { action = [arguments] { return run_explain(*arguments); }; });
}

}  // namespace smmusim::cli

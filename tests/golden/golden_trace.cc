// SPDX-License-Identifier: MIT
// One line per happening: time in picoseconds, kind, details. Numbers of identifiers and addresses are hexadecimal.
#include "tests/golden/golden_trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "model/spec/decode.h"

namespace smmusim {
namespace {

const char* name_of(CacheId cache) {
  constexpr const char* names[] = {"stream_cache", "micro_tlb", "config_cache", "tlb", "walk_cache"};
  return names[static_cast<std::size_t>(cache)];
}
const char* name_of(MemoryOp op) {
  constexpr const char* names[] = {"read", "write", "swap"};
  return names[static_cast<std::size_t>(op)];
}
const char* name_of(Outcome outcome) {
  constexpr const char* names[] = {"proceed", "abort", "raz/wi", "stalled"};
  return names[static_cast<std::size_t>(outcome)];
}
const char* name_of(AccessType type) {
  constexpr const char* names[] = {"read", "write", "atomic"};
  return names[static_cast<std::size_t>(type)];
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool updating() {
  const char* flag = std::getenv("SMMUSIM_UPDATE_GOLDEN");
  return flag != nullptr && std::string(flag) == "1";
}

}  // namespace

void TraceWriter::add(const std::string& text) {
  lines.push_back(fmt::format("{:>9} {}", engine->now(), text));
}

void TraceWriter::access(const MemoryRequest& request) {
  std::string what = smmusim::name_of(request.purpose);
  if (request.purpose == Purpose::TTD) what += fmt::format(" S{} L{}", unsigned{request.stage}, int{request.level});
  add(fmt::format("access   {} {} {:#x}+{} attr {:02x}/{}{}", what, name_of(request.op), request.address.value,
                  request.size, request.attributes.type, request.attributes.shareability,
                  request.status == MemoryStatus::ok ? "" : " ABORT"));
}

void TraceWriter::lookup(CacheId cache, bool hit) {
  add(fmt::format("lookup   {} {}", name_of(cache), hit ? "hit" : "miss"));
}

void TraceWriter::fill(CacheId cache) {
  add(fmt::format("fill     {}", name_of(cache)));
}

void TraceWriter::event(const spec::Event& event, bool written) {
  add(fmt::format("event    {} {:016x} {:016x} {:016x} {:016x}{}", spec::decode(spec::Kind::event, event.dw).name,
                  event.dw[0], event.dw[1], event.dw[2], event.dw[3], written ? "" : " LOST"));
}

void TraceWriter::command(const spec::Command& command, spec::CommandError error) {
  add(fmt::format("command  {} {:016x} {:016x}{}", spec::decode(spec::Kind::command, command.dw).name, command.dw[0],
                  command.dw[1],
                  error == spec::CommandError::CERROR_NONE ? "" : fmt::format(" ERROR {}", static_cast<int>(error))));
}

void TraceWriter::response(const Transaction& t, const Response& r) {
  add(fmt::format("response {} sid {:#x} {:#x}: {} {:#x} page 2^{} attr {:02x}/{} {}{} event {:#04x}",
                  name_of(t.access), t.stream_id.value, t.address.value, name_of(r.outcome), r.address.value,
                  unsigned{r.page_bits}, r.attributes.type, r.attributes.shareability, r.read_allowed ? 'r' : '-',
                  r.write_allowed ? 'w' : '-', static_cast<unsigned>(r.event)));
}

void expect_golden(const std::string& name, const std::vector<std::string>& lines) {
  const std::string path = std::string(SMMUSIM_SOURCE_DIR) + "/tests/golden/" + name + ".txt";
  if (updating()) {
    std::ofstream file(path);
    for (const std::string& line : lines) file << line << '\n';
    ASSERT_TRUE(file.good()) << path << " can't be written";
    return;
  }
  const std::vector<std::string> golden = read_lines(path);
  const std::string nothing = "(no line)";
  for (std::size_t n = 0; n < std::max(golden.size(), lines.size()); ++n) {
    const std::string& expected = n < golden.size() ? golden[n] : nothing;
    const std::string& actual = n < lines.size() ? lines[n] : nothing;
    if (expected == actual) continue;
    FAIL()
        << path << ":" << n + 1 << " differs\n  golden: " << expected << "\n  now:    " << actual
        << "\nIf the change is meant, rewrite with SMMUSIM_UPDATE_GOLDEN=1 and read the difference before committing.";
  }
}

}  // namespace smmusim

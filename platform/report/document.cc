// SPDX-License-Identifier: MIT
// Document; see the header. results.csv is results.cc's.
#include "platform/report/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "platform/config/load.h"
#include "platform/config/value.h"
#include "platform/programs/temporary_folder.h"

namespace smmusim::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* remedy = "give a folder that smmusim run --out or smmusim sweep wrote";
constexpr int depth_max = 10;

std::string place_of(const std::string& text, std::size_t byte) {
  const std::string_view before = std::string_view(text).substr(0, byte == 0 ? 0 : byte - 1);
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'), before.size() - line_start + 1);
}

}  // namespace

std::string read_results(const fs::path& path) {
  constexpr std::uintmax_t bytes_max = std::uintmax_t{1} << 30;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw InputError(fmt::format("{}: there is no such file; {}", printable(path.string()), remedy));
  }
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (error || bytes > bytes_max) {
    throw InputError(fmt::format("{}: it is larger than any result; {}", printable(path.string()), remedy));
  }
  return programs::read_file(path);
}

Document::Document(std::string name, ordered_json json) : name_(std::move(name)), json_(std::move(json)) {
  if (!json_.is_object()) fail("", "it holds no statistics");
  for (const char* path : {"version", "mode", "config.trace.file"}) text(path);
  for (const char* path :
       {"seed", "transactions", "bytes", "faults", "simulated_ns", "throughput_gbps", "check.checked",
        "check.mismatches", "latency_ns.count", "latency_ns.mean", "latency_ns.p99"}) {
    number(path);
  }
  for (const char* path : {"config", "trace", "memory"}) object(path);
}

Document Document::parse(const std::string& name, const std::string& text) {
  const auto shallow = [](int depth, ordered_json::parse_event_t, ordered_json&) {
    if (depth > depth_max) throw InputError("");
    return true;
  };
  try {
    return Document(name, ordered_json::parse(text, shallow));
  } catch (const ordered_json::parse_error& error) {
    throw InputError(
        fmt::format("{}:{}: it is no JSON, or its end is missing; {}", name, place_of(text, error.byte), remedy));
  } catch (const ordered_json::exception&) {  // a number beyond every double
    throw InputError(fmt::format("{}: it holds what no statistics do; {}", name, remedy));
  } catch (const InputError& error) {
    if (*error.what() != '\0') throw;
    throw InputError(fmt::format("{}: it is nested deeper than statistics are; {}", name, remedy));
  }
}

void Document::fail(std::string_view path, std::string_view what) const {
  throw InputError(fmt::format("{}: {}{}{}; {}", name_, path, path.empty() ? "" : " ", what, remedy));
}

const ordered_json* Document::find(std::string_view path) const {
  const ordered_json* at = &json_;
  for (;;) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const auto member = at->is_object() ? at->find(path.substr(0, dot)) : at->end();
    if (!at->is_object() || member == at->end()) return nullptr;
    at = &*member;
    if (dot == path.size()) return at;
    path.remove_prefix(dot + 1);
  }
}

double Document::number(std::string_view path) const {
  const ordered_json* json = find(path);
  if (json == nullptr || !json->is_number()) fail(path, "is missing or no number");
  return json->get<double>();
}

std::string Document::text(std::string_view path) const {
  const ordered_json* json = find(path);
  if (json == nullptr || !json->is_string()) fail(path, "is missing or no text");
  return json->get<std::string>();
}

const ordered_json& Document::object(std::string_view path) const {
  const ordered_json* json = find(path);
  if (json == nullptr || !json->is_object()) fail(path, "is missing or no object");
  return *json;
}

std::vector<double> Document::numbers(std::string_view path) const {
  const ordered_json* json = find(path);
  const auto is_number = [](const ordered_json& element) { return element.is_number(); };
  if (json == nullptr || !json->is_array() || !std::all_of(json->begin(), json->end(), is_number)) {
    fail(path, "is missing or no list of numbers");
  }
  return json->get<std::vector<double>>();
}

}  // namespace smmusim::report
